/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of preflight share; see preflight.h. From the bottom up:
 *
 *   preflight_rules.c     what must hold, rule by rule
 *   preflight_findings.c  the findings
 *   preflight_google.c    credentials, token, permissions
 *   preflight_advice.c    clock, URL, how long stable is kept
 *   preflight_service.c   the service, its traffic, candidate, stable, the tag
 *   preflight_slo.c       every query
 *   preflight_rival.c     the same service, released under another name
 *   preflight_history.c   stable's past, where counters are asked for
 *   preflight_action.c    every action's own look
 *   preflight_local.c     people, notifications, the state file
 *   preflight.c           the order of looking
 *
 * Each part ends by calling preflight_next, in a later turn or at once.
 */
#ifndef TIDEGATE_LIVE_PREFLIGHT_PARTS_H
#define TIDEGATE_LIVE_PREFLIGHT_PARTS_H

#include "action/action.h"
#include "base/rng.h"
#include "cloudrun/cloudrun.h"
#include "io/loop.h"
#include "live/preflight.h"
#include "live/release.h"
#include "live/world.h"

struct preflight_slos;
struct preflight_history;
struct preflight_actions;

struct preflight {
	struct world *world;
	struct preflight_what what;
	struct release *release; /* of `what` */
	struct service *snapshot; /* NULL: not read */
	preflight_fn fn;
	void *arg;
	struct rng rng;

	struct arena arena; /* of the findings and captures */
	struct finding *finding;
	size_t n, size, n_fails;
	struct capture *capture;
	size_t n_captures;

	size_t part; /* the next one */
	bool is_stopped; /* a release: without this no use in going on */
	struct timer *next;
	loop_fn look; /* goes on with it */

	int tries; /* of the request under way */
	struct timer *again; /* until it is made again */
	struct token_call *token;
	struct cloudrun_call *call;
	bool cut_off; /* Google cannot be asked: no use in trying further */
	const char *asked; /* stands in for stable in queries; NULL: unknown */
	struct preflight_slos *slos;
	struct preflight_history *history;
	struct slo_history *histories; /* in the arena */
	size_t n_histories;
	struct preflight_actions *actions;
};

bool preflight_gives_advice(const struct preflight *preflight);

/* Texts are copied; remedy NULL: none. The finding is valid until the next. */
struct finding *finding_add(struct preflight *preflight, enum finding_kind kind,
	const char *what, const char *name, const char *remedy);
/* With its detail, which is also its refusal. */
struct finding *finding_tell(struct preflight *preflight,
	enum finding_kind kind, const char *what, const char *name,
	const char *remedy, const char *fmt, ...) PRINTFLIKE(6, 7);
/* A finding that fails is told otherwise where it refuses. */
void finding_refuse(struct preflight *preflight, struct finding *finding,
	const char *fmt, ...) PRINTFLIKE(3, 4);

/* Goes to the next part. */
void preflight_next(struct preflight *preflight);
/* How long to wait before the next try. */
int64_t preflight_delay_ms(
	struct preflight *preflight, int tries, int64_t retry_after_ms);
/* True: `again` will be called once more, later. */
bool preflight_try_again(
	struct preflight *preflight, const struct err *err, loop_fn again);

/* " --project P --region R", for commands in remedies; in the arena. */
const char *preflight_place(struct preflight *preflight);

void preflight_google(struct preflight *preflight);
void preflight_permissions(struct preflight *preflight);
void preflight_service(struct preflight *preflight);
/* Called when the service was read, or could not be. */
void preflight_clock(struct preflight *preflight);
void preflight_url(struct preflight *preflight);
void preflight_rival(struct preflight *preflight);
void preflight_stable(struct preflight *preflight);
void preflight_slos(struct preflight *preflight);
void preflight_slos_cancel(struct preflight *preflight);
void preflight_history(struct preflight *preflight);
void preflight_history_cancel(struct preflight *preflight);
void preflight_actions(struct preflight *preflight);
void preflight_actions_cancel(struct preflight *preflight);
void preflight_people(struct preflight *preflight);
void preflight_local(struct preflight *preflight);

/* The action, or some action, asks {{candidate_url}}. */
bool preflight_asks_url(const struct action *action);
bool preflight_wants_url(const struct preflight *preflight);
/* The policy's tag is on the candidate already. */
bool preflight_has_tag(const struct preflight *preflight);

#endif
