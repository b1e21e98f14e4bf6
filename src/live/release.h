/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is being released, as far as it is known: plain facts, which templates,
 * preflight, measurement and actions need and nothing more. Starts nothing.
 */
#ifndef TIDEGATE_LIVE_RELEASE_H
#define TIDEGATE_LIVE_RELEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/duration.h"
#include "base/service_name.h"
#include "engine/rollout.h"
#include "policy/policy.h"
#include "policy/template.h"
#include "store/store.h"

struct process_crew;
struct service;

/* What was asked for. */
struct release_wish {
	const char *candidate; /* NULL: the latest ready revision */
	bool adopt, again;
	int64_t committed_ms; /* what is released was, for people; 0: not known */
	/* Straight back instead of a release. */
	const char *rollback_reason; /* NULL: a release */
	const char *stable; /* who gets everything; candidate is needed */
	const char *rollback_of; /* the rollout that is undone; NULL: none */
	/* Users are to be taken from the candidate: whatever was done before,
	 * when stable had them, was before they came there, and is done anew. */
	bool anew;
	/* The newest of the service when that was decided, "": there was none.
	 * It does not begin after another one. NULL: it may. */
	const char *newest;
	const char *why; /* it was started, for the journal; NULL */
	const char *once; /* as struct store_rollout has it; NULL */
};

struct release {
	struct arena arena; /* of what never changes */
	const struct policy *policy; /* borrowed */
	struct service_name service;
	const char *starter;
	struct release_wish wish;
	char id[STORE_ROLLOUT_ID_MAX];
	/* Learnt later; "" until then. */
	char *candidate, *stable, *candidate_url;
	char *created; /* the newest revision at the last read; NULL */
	int64_t generation; /* the newest that was read; 0: none */
	struct process_crew *programs; /* of its actions; NULL: not driven */
	char *uid; /* of the service, once it was read; NULL: not told */
};

/* The wish is copied. The id stays empty. */
MUST_CHECK struct release *release_new(const struct policy *policy,
	const char *service, const char *starter,
	const struct release_wish *wish, struct err *err_r);
void release_free(struct release **release);

/* Back to a stable revision, without a candidate to be watched. */
bool release_goes_back(const struct release *release);

void release_set_candidate(struct release *release, const char *candidate);
void release_set_stable(struct release *release, const char *stable);

/* Learns {{candidate_url}}: of the policy's tag, or of one that the candidate
 * has. "": there is none; the service's own URL leads to stable. */
void release_take_url(struct release *release, const struct service *service);
/* Facts of a service as read, into an event; learns the candidate's URL. From an
 * answer that is older than another one nothing is learnt. */
void release_take_service(struct release *release,
	const struct service *service, struct event *event_r);

struct release_values {
	struct template_values values; /* borrows from release and state */
	char percent[8];
	char window[DURATION_TEXT_MAX];
};

/* `revision`: the arm being asked; window_ms 0: none. */
void release_values(const struct release *release, const struct rollout *state,
	const char *revision, int64_t window_ms,
	struct release_values *values_r);

#endif
