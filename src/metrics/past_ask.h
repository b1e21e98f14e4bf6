/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks for stable's past: the counters of an SLO of kind evidence over the hours
 * before a rollout, in pieces that no server refuses and no turn of the loop
 * takes long for. With few bad requests in it, a longer one, up to a day.
 */
#ifndef TIDEGATE_METRICS_PAST_ASK_H
#define TIDEGATE_METRICS_PAST_ASK_H

#include "metrics/slo_history.h"
#include "policy/template.h"

struct metrics_pool;
struct past_ask;

/* Borrowed until the end; the values for the start only. */
struct past_ask_what {
	const struct policy *policy;
	int slo; /* of the policy */
	const char *project; /* of the service */
	const struct template_values *values; /* {{revision}} is stable */
};

/*
 * Once, later. The history's seconds are 0 when there is none. With err none
 * could be had, and ERR_INVALID says that there never can be one: the query is
 * at fault. `remark` is worth telling, or "". All borrowed.
 */
typedef void (*past_ask_fn)(const struct slo_history *history,
	const char *remark, const struct err *err, void *arg);

struct past_ask *past_ask_start(struct metrics_pool *pool,
	const struct past_ask_what *what, past_ask_fn fn, void *arg);
void past_ask_cancel(struct past_ask **ask); /* NULL inside: nothing */

#endif
