/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small Cloud Run without sockets and without a clock: the service, what is
 * wrong with it on purpose, and each request from its arrival to its answer.
 * The time (milliseconds since 1970) is an argument and never goes back, so
 * that a test can drive it by a clock of its own:
 *
 *   cloud_init(&cloud, &config, now_ms);
 *   model_deploy(cloud.model, "shop-1", …);
 *   cloud_call_start(&cloud, &request, now_ms, answered, arg);
 *   now_ms = cloud_next_ms(&cloud);
 *   cloud_advance(&cloud, now_ms);             calls `answered`
 *
 * The members may be looked at and changed between two calls (model.h,
 * admin_routes.h, sandbox_faults.h, sandbox_log.h). What is due at the same
 * time happens in the order in which it was asked for, the model's own first:
 * the same calls give the same answers.
 */
#ifndef TIDEGATE_SANDBOX_CLOUD_H
#define TIDEGATE_SANDBOX_CLOUD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "sandbox/admin_routes.h"
#include "sandbox/model.h"
#include "sandbox/sandbox_counts.h"
#include "sandbox/sandbox_faults.h"
#include "sandbox/sandbox_log.h"

#define CLOUD_CALLS_MAX 4096 /* requests under way at once */

struct cloud_call;

struct cloud {
	struct model *model;
	struct admin_rules rules; /* its token is borrowed */
	int64_t clock_ahead_ms; /* what the Date of its answers says over ours */
	struct sandbox_faults faults;
	struct sandbox_log log;
	struct sandbox_counts counts;
	unsigned quota[COUNT_KINDS]; /* requests within 60 s; 0: no limit */
	TAILQ_HEAD(cloud_calls, cloud_call) calls; /* as they came */
	size_t n_calls;
	int64_t now_ms; /* the latest that was told */
	/* Told of each PATCH that was taken, with the traffic that was asked
	 * for before it; or NULL. */
	void (*written)(const struct routes *before);
};

void cloud_init(
	struct cloud *cloud, const struct model_config *config, int64_t now_ms);
/* Forgets what is under way without a word. */
void cloud_fini(struct cloud *cloud);

/* Carries out everything that is due up to now, each at its own time. */
void cloud_advance(struct cloud *cloud, int64_t now_ms);
/* When there is something to do next; MODEL_NEVER: nothing. It may lie in the
 * past. Ask again after each change of the members. */
int64_t cloud_next_ms(const struct cloud *cloud);

/* `reply` is borrowed; NULL: the connection breaks without an answer. */
typedef void (*cloud_fn)(const struct admin_reply *reply, void *arg);

/* The request is copied. `fn` is called once, by cloud_advance or
 * cloud_reset_calls. NULL: CLOUD_CALLS_MAX requests are under way. */
struct cloud_call *cloud_call_start(struct cloud *cloud,
	const struct admin_request *request, int64_t now_ms, cloud_fn fn,
	void *arg);
/* The client waits no longer: `fn` is not called; what the request does it
 * does all the same. */
void cloud_call_forget(struct cloud_call **call);

/* Breaks the connections of all requests that were not answered yet, or only
 * of those that a fault lets hang. */
void cloud_reset_calls(struct cloud *cloud, bool only_hanging);

#endif
