/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front door: splits real requests between the revisions by the traffic
 * that serves now, answers as each revision's profile says, and counts. It
 * reads the model and never changes it.
 */
#ifndef TIDEGATE_SANDBOX_FRONT_DOOR_H
#define TIDEGATE_SANDBOX_FRONT_DOOR_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "sandbox/model.h"
#include "sandbox/recent.h"
#include "sandbox/revision_profile.h"
#include "sandbox/sandbox_metrics.h"

#define FRONT_CALLS_MAX 16384 /* under way at once; more are answered 503 */

struct front_door;
struct http;
struct loop;

/* Port 0: the kernel chooses. The loop and the client outlive the door. */
MUST_CHECK struct front_door *front_door_new(struct loop *loop,
	struct http *http, int port, uint64_t seed, struct err *err_r);
void front_door_free(struct front_door **door); /* drops what is under way */
int front_door_port(const struct front_door *door);

/* The model outlives the door. Call it again whenever the model changed. */
void front_door_follow(struct front_door *door, const struct model *model);

/* The profile of a revision, to read and to change; made when it is new. */
struct revision_profile *front_door_profile(
	struct front_door *door, const char *revision);
/* Forgets a revision: its counters are gone. */
void front_door_forget(struct front_door *door, const char *revision);

void front_door_metrics(const struct front_door *door, enum metrics_names names,
	struct buf *out);
uint64_t front_door_requests(
	const struct front_door *door, const char *revision);
/* What a revision answered within so long. */
void front_door_recent(const struct front_door *door, const char *revision,
	int64_t window_ms, struct recent_view *view_r);

#endif
