/*
 * What the files of the doctor share; see doctor.h.
 *
 *   doctor.c          the order of looking
 *   doctor_findings.c the findings
 *   doctor_google.c   credentials, token, permissions, clock
 *   doctor_service.c  the service, its traffic, candidate, stable, the tag
 *   doctor_slo.c      every query, for stable and for the candidate
 *   doctor_action.c   every action's own look
 *   doctor_local.c    people, notifications, the state file
 *
 * Each part ends by calling doctor_next, in a later turn or at once.
 */
#ifndef TIDEGATE_LIVE_DOCTOR_PARTS_H
#define TIDEGATE_LIVE_DOCTOR_PARTS_H

#include "action/action.h"
#include "cloudrun/cloudrun.h"
#include "io/loop.h"
#include "live/doctor.h"
#include "live/release.h"
#include "live/world.h"

struct doctor_slos;
struct doctor_actions;

struct doctor {
	struct world *world;
	struct release *release;
	struct rollout state; /* of one that has not begun */
	struct service *snapshot; /* NULL: not read */
	struct doctor_options options;
	doctor_fn fn;
	void *arg;
	struct arena arena; /* of the findings */
	struct finding *finding;
	size_t n, size;
	size_t part; /* the next one */
	struct timer *next;
	loop_fn look; /* goes on with it */

	struct token_call *token;
	struct cloudrun_call *call;
	bool cut_off; /* Google cannot be asked: no use in trying further */
	const char *asked; /* stands in for stable in queries; NULL: nobody */
	struct doctor_slos *slos;
	struct doctor_actions *actions;
};

/* Texts are copied; remedy NULL: none. The finding is valid until the next. */
struct finding *doctor_add(struct doctor *doctor, enum finding_kind kind,
	const char *what, const char *name, const char *remedy);
/* With its detail. */
struct finding *doctor_tell(struct doctor *doctor, enum finding_kind kind,
	const char *what, const char *name, const char *remedy, const char *fmt,
	...) PRINTFLIKE(6, 7);

/* Goes to the next part. */
void doctor_next(struct doctor *doctor);

/* " --project P --region R", for commands in remedies; in the arena. */
const char *doctor_place(struct doctor *doctor);

void doctor_google(struct doctor *doctor);
void doctor_permissions(struct doctor *doctor);
void doctor_service(struct doctor *doctor);
void doctor_slos(struct doctor *doctor);
void doctor_slos_cancel(struct doctor *doctor);
void doctor_actions(struct doctor *doctor);
void doctor_actions_cancel(struct doctor *doctor);
void doctor_local(struct doctor *doctor);

/* The action, or some action, asks {{candidate_url}}. */
bool doctor_asks_url(const struct action *action);
bool doctor_wants_url(const struct doctor *doctor);
/* The candidate's URL leads to the candidate already. */
bool doctor_has_url(const struct doctor *doctor);

#endif
