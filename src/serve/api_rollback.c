/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /api/v1/rollbacks: somebody wants to go back, now, or to know whether that
 * could be. As the verb `rollback`: a rollout of its own, or the end of the one
 * that has not ended.
 *
 *   rollbacks_start ─ looked_back ─┬─ surveyed ─┬─ begin ─ begun
 *                                  │            └─ drilled
 *                                  └─ seen ─ aborted ─ changed … ─ looked_again …
 *
 * What had not begun moved nothing, and what was promoted meanwhile went nowhere:
 * after its end the journal is asked once more, and surveyed comes next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "live/rollback.h"
#include "serve/changes.h"
#include "serve/daemon.h"
#include "serve/decision.h"
#include "serve/drills.h"
#include "serve/driven.h"
#include "serve/handlers.h"
#include "serve/sent_policy.h"
#include "serve/starting.h"

#define SURVEY_MS   20000 /* for which a request waits for the service */
#define END_MS      20000 /* likewise for the end of what had not begun */
#define LOOK_MS     200 /* between looks for that, when others drive it */
#define DEFAULT_WHY "a rollback was asked for"
#define ABORTS_MAX  3 /* when what was seen moves on meanwhile */

enum {
	BODY_SERVICE,
	BODY_PROJECT,
	BODY_REGION,
	BODY_DEFAULT_PROJECT,
	BODY_DEFAULT_REGION,
	BODY_POLICY,
	BODY_TO,
	BODY_CANDIDATE,
	BODY_AGAIN,
	BODY_DRILL,
	BODY_COMMENT
};

const struct field rollbacks_start_body[] = {
	[BODY_SERVICE] = {"service", FIELD_TEXT, .max = STARTING_NAME_MAX,
		.about = "What is rolled back, by its short or full name; the "
			 "policy's target when it is not given"},
	[BODY_PROJECT] = {"project", FIELD_TEXT, .max = STARTING_NAME_MAX,
		.about = "Where a service with a short name is; the policy's "
			 "when it is not given"},
	[BODY_REGION] = {"region", FIELD_TEXT, .max = STARTING_NAME_MAX,
		.about = "The same"},
	[BODY_DEFAULT_PROJECT] = {"default_project", FIELD_TEXT,
		.max = STARTING_NAME_MAX,
		.about = "The project when neither `project` nor the policy "
			 "says one"},
	[BODY_DEFAULT_REGION] = {"default_region", FIELD_TEXT,
		.max = STARTING_NAME_MAX, .about = "The same"},
	[BODY_POLICY] = {"policy", FIELD_TEXT, true, .max = SENT_POLICY_MAX,
		.about = STARTING_POLICY ", whose rollback sequence is run"},
	[BODY_TO] = {"to", FIELD_TEXT, .max = STARTING_NAME_MAX,
		.about = "Who gets all traffic; stable of the newest rollout "
			 "of the service when it is not given"},
	[BODY_CANDIDATE] = {"candidate", FIELD_TEXT, .max = STARTING_NAME_MAX,
		.about =
			"From whom it is taken; the candidate of that rollout, "
			"or who has users, when it is not given"},
	[BODY_AGAIN] = {"again", FIELD_FLAG,
		.about = "Run the sequence even when stable holds all "
			 "traffic"},
	[BODY_DRILL] = {"drill", FIELD_FLAG,
		.about = "Read and probe only: tell what would happen and "
			 "what is missing"},
	[BODY_COMMENT] = {"comment", FIELD_TEXT, .max = STORE_COMMENT_MAX,
		.about = "Why; kept in the journal"},
	{0},
};

/* Its first member is the desk's job. */
struct rollback_ask {
	struct starting starting;
	struct daemon_waiter waiter; /* once the world is asked */
	struct field_value value[FIELDS_MAX];
	struct rollback back;
	struct rollback_survey *survey; /* NULL: it is not waited for */
	struct rollback_drill *drill; /* likewise */
	/* What has to end before; NULL: nothing. */
	const char *rollout;
	int n_aborts;
	struct following *following; /* NULL: its end is not waited for */
	struct timer *patience; /* likewise */
	int64_t until_ms; /* for which that is waited for */
};

static int look_back(
	struct desk_job *job, struct store *store, struct err *err_r);
static void looked_back(struct desk_job *job, const struct err *err);
static void surveyed(const struct err *err, void *arg);
static void begun(const char *rollout, const struct err *err, void *arg);
static void drilled(const struct drill_report *report, void *arg);
static void seen(const struct view *view, const struct err *err, void *arg);
static void aborted(const struct decision_answer *answer, void *arg);
static void changed(void *arg);
static void begin_look(struct rollback_ask *ask);
static int look_again(
	struct desk_job *job, struct store *store, struct err *err_r);
static void looked_again(struct desk_job *job, const struct err *err);
static void go_on(struct rollback_ask *ask);

/* ---- its life ---- */

static void stop_waiting(struct rollback_ask *ask)
{
	changes_unfollow(&ask->following);
	timer_cancel(&ask->patience);
	daemon_wait_ends(&ask->waiter);
}

static void ask_free(struct rollback_ask *ask)
{
	rollback_survey_cancel(&ask->survey);
	rollback_drill_cancel(&ask->drill);
	stop_waiting(ask);
	rollback_fini(&ask->back);
	starting_fini(&ask->starting);
	free(ask);
}

static void ask_fail(struct rollback_ask *ask, const struct err *err)
{
	starting_fail(&ask->starting, err);
	ask_free(ask);
}

static void ask_cancelled(struct daemon_waiter *waiter)
{
	struct rollback_ask *ask = waiter->arg;
	struct err err;

	err_set(&err, ERR_UNAVAILABLE, "the daemon is being stopped");
	ask_fail(ask, &err);
}

static const char *comment_of(const struct rollback_ask *ask)
{
	return ask->value[BODY_COMMENT].text;
}

/* ---- what is asked for ---- */

static bool read_order(struct rollback_ask *ask)
{
	struct starting *s = &ask->starting;
	const struct field_value *value = ask->value;
	struct starting_names names;
	struct err err;

	if (fields_of_body(s->visit, rollbacks_start_body, ask->value, &err) <
		0) {
		starting_fail(s, &err);
		return false;
	}
	names = (struct starting_names){
		.policy = value[BODY_POLICY].text,
		.service = value[BODY_SERVICE].text,
		.project = value[BODY_PROJECT].text,
		.region = value[BODY_REGION].text,
		.default_project = value[BODY_DEFAULT_PROJECT].text,
		.default_region = value[BODY_DEFAULT_REGION].text,
	};
	if (!starting_read(s, &names, RIGHT_OPERATE))
		return false;
	ask->back.policy = s->policy;
	ask->back.service = s->service;
	ask->back.to = value[BODY_TO].text;
	ask->back.wanted_candidate = value[BODY_CANDIDATE].text;
	ask->back.again = value[BODY_AGAIN].number;
	return true;
}

void rollbacks_start(struct visit *visit)
{
	struct rollback_ask *ask = xcalloc(1, sizeof(*ask));
	struct starting *s = &ask->starting;

	starting_init(s, visit);
	s->job.run = look_back;
	s->job.done = looked_back;
	rollback_init(&ask->back);
	ask->waiter =
		(struct daemon_waiter){.cancel = ask_cancelled, .arg = ask};
	if (read_order(ask))
		desk_give(daemon_desk(s->daemon), &s->job);
	else
		ask_free(ask);
}

/* ---- what the journal knows ---- */

static int look_back(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct rollback_ask *ask = (struct rollback_ask *)job;

	if (starting_begin_once(&ask->starting, store, err_r) < 0)
		return -1;
	if (ask->starting.has_key && !ask->starting.is_new)
		return 0;
	if (rollback_look_back(&ask->back, store, err_r) < 0)
		return -1;
	return ask->value[BODY_DRILL].number
		       ? rollback_recall(&ask->back, store, err_r)
		       : 0;
}

static void begin_survey(struct rollback_ask *ask)
{
	struct daemon *daemon = ask->starting.daemon;

	daemon_wait_begins(daemon, &ask->waiter);
	ask->survey = rollback_survey_start(
		daemon_world(daemon), &ask->back, SURVEY_MS, surveyed, ask);
}

static void looked_back(struct desk_job *job, const struct err *err)
{
	struct rollback_ask *ask = (struct rollback_ask *)job;
	struct daemon *daemon = ask->starting.daemon;

	if (!ask->value[BODY_DRILL].number)
		ask->rollout = rollback_to_end(&ask->back);
	if (err) {
		ask_fail(ask, err);
	} else if (ask->starting.ended) {
		ask->rollout = ask->starting.ended;
		go_on(ask);
	} else if (!starting_is_first(&ask->starting)) {
		ask_free(ask);
	} else if (daemon_is_draining(daemon)) {
		ask_cancelled(&ask->waiter);
	} else if (ask->rollout) {
		(void)views_ask(daemon_views(daemon), ask->rollout, seen, ask);
	} else {
		begin_survey(ask);
	}
}

/* ---- the service ---- */

static void say_nothing(struct rollback_ask *ask)
{
	struct buf body;
	struct jsonw w = {.out = &body};

	buf_init(&body, VISIT_ANSWER_MAX);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "outcome", "nothing-to-do");
	jsonw_text(&w, "service", ask->back.service);
	jsonw_text(&w, "stable", ask->back.stable);
	jsonw_end(&w, '}');
	buf_addc(&body, '\n');
	starting_answer(&ask->starting, 200, &body);
	buf_fini(&body);
	ask_free(ask);
}

static void begin_drill(struct rollback_ask *ask)
{
	struct err err;

	ask->drill = rollback_drill_start(daemon_world(ask->starting.daemon),
		&ask->back, drilled, ask, &err);
	if (!ask->drill)
		ask_fail(ask, &err);
}

static void begin(struct rollback_ask *ask)
{
	struct starting *s = &ask->starting;
	const struct visitor *visitor = s->visit->visitor;
	const char *comment = comment_of(ask);
	const struct driver_options options = {
		.service = s->service,
		.starter = visitor->starter,
		.wish = {.candidate = ask->back.candidate,
			.stable = ask->back.stable,
			.rollback_reason = arena_printf(&s->visit->arena,
				"rolled back by %s%s%s", visitor->name,
				comment ? ": " : "", comment ? comment : ""),
			.rollback_of = ask->back.after,
			.anew = ask->back.anew,
			.newest = ask->back.newest},
		.wait_ms = -1,
	};

	if (!starting_is_free(s) ||
		!starting_drive(s, &options, "rollback", begun, ask))
		ask_free(ask);
}

/* What Cloud Run refuses to us is no refusal of who asks. */
static void unread(struct rollback_ask *ask, const struct err *err)
{
	if (err->code == ERR_AUTH || err->code == ERR_DENIED)
		visit_problem(&ask->starting.visit, 502, "service-unread", "%s",
			err->text);
	else
		starting_fail(&ask->starting, err);
	ask_free(ask);
}

static void surveyed(const struct err *err, void *arg)
{
	struct rollback_ask *ask = arg;
	struct err why;
	int wanted;

	ask->survey = NULL;
	if (err) {
		unread(ask, err);
		return;
	}
	wanted = rollback_decide(&ask->back, &why);
	if (wanted < 0) {
		ask_fail(ask, &why);
	} else if (ask->value[BODY_DRILL].number) {
		begin_drill(ask);
	} else {
		daemon_wait_ends(&ask->waiter);
		if (wanted)
			begin(ask);
		else
			say_nothing(ask);
	}
}

static void begun(const char *rollout, const struct err *err, void *arg)
{
	struct rollback_ask *ask = arg;

	if (err)
		starting_fail(&ask->starting, err);
	else
		starting_answer_begun(&ask->starting, rollout);
	ask_free(ask);
}

static void drilled(const struct drill_report *report, void *arg)
{
	struct rollback_ask *ask = arg;
	struct buf body;
	struct jsonw w = {.out = &body};

	ask->drill = NULL;
	if (!report->n_missing)
		drills_note(daemon_drills(ask->starting.daemon),
			report->service, ask->starting.visit->visitor->name);
	buf_init(&body, VISIT_ANSWER_MAX);
	jsonw_object(&w, NULL);
	drill_report_print(report, &w);
	jsonw_end(&w, '}');
	buf_addc(&body, '\n');
	starting_answer(&ask->starting, 200, &body);
	buf_fini(&body);
	ask_free(ask);
}

/* ---- one that has not ended ---- */

/* It is brought to its end by the policy that it was started with. */
static void seen(const struct view *view, const struct err *err, void *arg)
{
	struct rollback_ask *ask = arg;
	const struct visit *visit = ask->starting.visit;
	const struct rollout *state;
	struct decision_order order;
	bool in_step;

	if (err) {
		ask_fail(ask, err);
		return;
	}
	state = &view->snapshot->fold.state;
	in_step = state->step >= 0 &&
		  (size_t)state->step < view->snapshot->policy->n_steps;
	order = (struct decision_order){
		.rollout = ask->rollout,
		.verb = VERB_ABORT,
		.step = in_step ? state->step + 1 : 0,
		.candidate = view->snapshot->row.candidate,
		.comment = comment_of(ask) ? comment_of(ask) : DEFAULT_WHY,
		.part_of =
			ask->starting.has_key ? ask->starting.work.key : NULL,
	};
	ask->n_aborts++;
	decision_make(visit->daemon, visit->visitor, &order, aborted, ask);
}

static void answer_aborted(struct rollback_ask *ask, bool is_aborted)
{
	struct buf body;
	struct jsonw w = {.out = &body};

	buf_init(&body, VISIT_ANSWER_MAX);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "rollout", ask->rollout);
	jsonw_text(&w, "service", ask->back.service);
	jsonw_text(&w, "outcome", is_aborted ? "aborted" : "going-back");
	jsonw_end(&w, '}');
	buf_addc(&body, '\n');
	starting_answer(&ask->starting, 202, &body);
	buf_fini(&body);
}

static bool goes_back(const struct view *view)
{
	enum phase phase = view ? view->snapshot->fold.state.phase : PHASES;

	return phase == PHASE_REVERTING || phase == PHASE_ROLLING_BACK;
}

static bool has_ended(const struct view *view)
{
	return view && phase_is_end(view->snapshot->fold.state.phase);
}

/* ---- and did not go back ---- */

/* The abort is recorded. Who serves is not known before that has its end. */
static void no_end_seen(struct rollback_ask *ask)
{
	visit_problem(&ask->starting.visit, 409, "busy",
		"%.160s is told to end, and has not: ask again", ask->rollout);
	ask_free(ask);
}

static void patience_ends(void *arg)
{
	struct rollback_ask *ask = arg;

	ask->patience = NULL;
	no_end_seen(ask);
}

/* The daemon ends; it has unfollowed. */
static void following_ends(void *arg)
{
	struct rollback_ask *ask = arg;

	ask->following = NULL;
	ask_cancelled(&ask->waiter);
}

static void await_end(struct rollback_ask *ask)
{
	struct daemon *daemon = ask->starting.daemon;
	const struct follower follower = {
		.changed = changed, .end = following_ends, .arg = ask};

	daemon_wait_begins(daemon, &ask->waiter);
	ask->following = changes_follow(daemon_changes(daemon), &follower);
	ask->until_ms = loop_now(daemon_loop(daemon)) + END_MS;
	ask->patience =
		timer_start(daemon_loop(daemon), END_MS, patience_ends, ask);
	changed(ask);
}

/* Something, of any rollout. */
static void changed(void *arg)
{
	struct rollback_ask *ask = arg;
	struct daemon *daemon = ask->starting.daemon;

	if (!driven_find(daemon_driven(daemon), ask->rollout))
		begin_look(ask);
}

static void begin_look(struct rollback_ask *ask)
{
	stop_waiting(ask);
	ask->starting.job.run = look_again;
	ask->starting.job.done = looked_again;
	desk_give(daemon_desk(ask->starting.daemon), &ask->starting.job);
}

static void look_is_due(void *arg)
{
	struct rollback_ask *ask = arg;

	ask->patience = NULL;
	begin_look(ask);
}

/* Nobody drives it here: another process does, or has yet to be found dead. */
static void look_later(struct rollback_ask *ask)
{
	struct daemon *daemon = ask->starting.daemon;
	struct loop *loop = daemon_loop(daemon);

	if (loop_now(loop) >= ask->until_ms) {
		no_end_seen(ask);
		return;
	}
	daemon_wait_begins(daemon, &ask->waiter);
	ask->patience = timer_start(loop, LOOK_MS, look_is_due, ask);
}

static int look_again(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct rollback_ask *ask = (struct rollback_ask *)job;

	return rollback_look_back(&ask->back, store, err_r);
}

static void looked_again(struct desk_job *job, const struct err *err)
{
	struct rollback_ask *ask = (struct rollback_ask *)job;
	const char *rollout = rollback_to_end(&ask->back);

	if (err) {
		ask_fail(ask, err);
	} else if (daemon_is_draining(ask->starting.daemon)) {
		ask_cancelled(&ask->waiter);
	} else if (!rollout && ask->back.stable) {
		begin_survey(ask);
	} else if (!rollout) { /* and nothing was moved before it */
		answer_aborted(ask, true);
		ask_free(ask);
	} else if (!strcmp(rollout, ask->rollout)) {
		look_later(ask);
	} else {
		visit_problem(&ask->starting.visit, 409, "busy",
			"%.160s has begun meanwhile", rollout);
		ask_free(ask);
	}
}

/* After the end of what was aborted, whose answer was lost. */
static void go_on(struct rollback_ask *ask)
{
	if (!ask->starting.went_back) {
		looked_again(&ask->starting.job, NULL);
		return;
	}
	answer_aborted(ask, true);
	ask_free(ask);
}

static void aborted(const struct decision_answer *answer, void *arg)
{
	struct rollback_ask *ask = arg;
	struct daemon *daemon = ask->starting.daemon;
	bool goes_on;

	if (answer->result == DECIDED_MOVED_ON && ask->n_aborts < ABORTS_MAX) {
		(void)views_ask(daemon_views(daemon), ask->rollout, seen, ask);
		return;
	}
	goes_on = answer->command ? ask->back.unbegun != NULL
				  : has_ended(answer->view);
	if (goes_on && !daemon_is_draining(daemon)) {
		await_end(ask);
		return;
	}
	if (answer->command)
		answer_aborted(ask, true);
	else if (answer->result == DECIDED_REFUSED && goes_back(answer->view))
		answer_aborted(ask, false);
	else
		visit_problem(&ask->starting.visit,
			decision_status(answer->result),
			decision_code(answer->result), "%s: %s", ask->rollout,
			answer->text);
	ask_free(ask);
}
