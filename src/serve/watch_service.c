/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does about a watched service what watch_plan.c says. One thing is done at a
 * time; what comes after it is seen at the next look.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/service_name.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "cloudrun/cloudrun.h"
#include "identity/caller.h"
#include "io/loop.h"
#include "policy/policy.h"
#include "serve/driven.h"
#include "serve/serve_config.h"
#include "serve/shelf.h"
#include "serve/watch_parts.h"
#include "serve/who.h"

#define WATCH_WHO "watch" /* in journals */

/* One thing that is done about a service, by the desk. */
struct watch_errand {
	struct desk_job job;
	struct watched *watched;
	char *service, *revision;
	char *skipped; /* NULL: none */
	char *rollout; /* to be reverted; NULL: none */
	char comment[STORE_COMMENT_MAX];
	int64_t now_ms;
	bool is_ours; /* it was claimed */
};

static void made_read(
	const struct revision *revision, const struct err *err, void *arg);
static void claim_done(struct desk_job *job, const struct err *err);
static void start_begun(const char *rollout, const struct err *err, void *arg);

/* ---- what is said ---- */

/* Told once, and on the service's page as long as it is so. */
static void say(struct watched *watched, enum watch_state state,
	const char *fmt, ...) PRINTFLIKE(3, 4);

static void say(
	struct watched *watched, enum watch_state state, const char *fmt, ...)
{
	char text[WATCH_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (state != watched->state || strcmp(text, watched->text) != 0)
		log_line(state == WATCH_PROBLEM || state == WATCH_LATEST ||
					 state == WATCH_UNREADABLE
				 ? LOG_WARN
				 : LOG_INFO,
			"event=watch service=%s policy=%s state=%s "
			"revision=%s text=\"%s\"",
			watched->name, watched->label, watch_state_name(state),
			watched->service->latest_ready
				? watched->service->latest_ready
				: "",
			text);
	watched->state = state;
	memcpy(watched->text, text, sizeof(text));
}

static void say_state(struct watched *watched, enum watch_state state)
{
	const char *meaning = watch_state_meaning(state);
	const struct store_past *past = &watched->past;
	const char *rollout = past->running            ? past->running
			      : state == WATCH_BLOCKED ? past->failed
						       : past->of_revision;

	if (rollout && state != WATCH_IDLE)
		say(watched, state, "%s (%s)", meaning, rollout);
	else
		say(watched, state, "%s", meaning);
}

/* ---- the case ---- */

static bool is_another(const char *of_policy, const char *ours)
{
	return of_policy && strcmp(of_policy, ours) != 0;
}

/* The policy to go by, to be given back; NULL with err_r. */
static const struct policy *policy_of(
	const struct watched *watched, struct err *err_r)
{
	struct shelf *shelf = watched->region->watch->parts.shelf;
	const struct policy *policy = shelf_take(shelf, watched->label, err_r);

	if (!policy)
		return NULL;
	if (!is_another(policy->project, watched->region->row->project) &&
		!is_another(policy->region, watched->region->region) &&
		!is_another(policy->service, strrchr(watched->name, '/') + 1))
		return policy;
	err_set(err_r, ERR_REFUSED,
		"the policy %.80s is for another target: %.80s in %.80s of "
		"%.80s; give the service another label, or the policy no "
		"target",
		watched->label, policy->service ? policy->service : "any",
		policy->region ? policy->region : "any region",
		policy->project ? policy->project : "any project");
	shelf_give_back(shelf, &policy);
	return NULL;
}

static const struct policy *policy_to_start(
	const struct watched *watched, struct err *err_r)
{
	const struct watch_parts *parts = &watched->region->watch->parts;

	if (driven_count(parts->driven) < (size_t)parts->config->rollouts_max)
		return policy_of(watched, err_r);
	err_set(err_r, ERR_LIMIT,
		"%d rollouts are being driven: more are not allowed",
		parts->config->rollouts_max);
	return NULL;
}

/* By the row or the policy; 0: it is not. */
static int64_t frozen_until(
	const struct watched *watched, const struct policy *policy)
{
	struct watch *watch = watched->region->watch;
	int64_t now_ms = loop_wall_ms(watch->parts.loop), a, b = 0;

	a = freeze_until_ms(&watched->region->row->freeze, now_ms);
	if (policy)
		b = freeze_until_ms(&policy->freeze, now_ms);
	return a > b ? a : b;
}

static bool is_made_known(const struct watched *watched)
{
	return watched->made && watched->service->latest_ready &&
	       !strcmp(watched->made, watched->service->latest_ready);
}

static struct watch_case case_of(const struct watched *watched)
{
	const struct service *service = watched->service;
	const struct store_past *past = &watched->past;

	return (struct watch_case){
		.ready = service->latest_ready,
		.serving = watch_serving(&service->statuses),
		.by_latest = traffic_has_latest(&service->spec),
		.multi_region = service->multi_region,
		.running = past->running,
		.running_candidate = past->running_candidate,
		.running_phase = past->running ? phase_find(past->running_phase)
					       : PHASES,
		.past = past->of_revision,
		.past_phase = past->phase ? phase_find(past->phase) : PHASES,
		.needs_person = past->failed != NULL,
		.since_ms = watched->kept.since_ms,
		.waiting = watched->kept.waiting,
		.claimed = watched->kept.claimed,
		.made_known = is_made_known(watched),
		.made_ms = watched->made_ms,
		.newer = (enum newer)watched->region->row->newer,
		.pin = watched->region->row->pin,
		.reconciling = service->reconciling,
	};
}

/* ---- errands ---- */

static struct watch_errand *errand_new(struct watched *watched,
	const char *revision,
	int (*run)(struct desk_job *, struct store *, struct err *),
	void (*done)(struct desk_job *, const struct err *))
{
	struct watch_errand *errand = xcalloc(1, sizeof(*errand));

	watched->busy = true;
	errand->watched = watched;
	errand->service = xstrdup(watched->name);
	errand->revision = xstrdup(revision);
	errand->now_ms = watch_time(watched->region->watch);
	errand->job.run = run;
	errand->job.done = done;
	return errand;
}

static void errand_give(struct watch_errand *errand)
{
	desk_give(errand->watched->region->watch->parts.desk, &errand->job);
}

static void errand_free(struct watch_errand *errand)
{
	free(errand->service);
	free(errand->revision);
	free(errand->skipped);
	free(errand->rollout);
	free(errand);
}

/* What was done shows at the next look. */
static void errand_over(struct watch_errand *errand, const struct err *err)
{
	struct watched *watched = errand->watched;

	if (err)
		say(watched, WATCH_PROBLEM, "%s", err->text);
	errand_free(errand);
	watched_rest(watched);
}

static void errand_done(struct desk_job *job, const struct err *err)
{
	errand_over((struct watch_errand *)job, err);
}

/* ---- what waits, and what is reverted for it ---- */

static int wait_in(
	struct watch_errand *errand, struct store *store, struct err *err_r)
{
	const struct store_command command = {
		.rollout = errand->rollout,
		.verb = verb_name(VERB_ABORT),
		.who = WATCH_WHO,
		.comment = errand->comment,
		.step = -1,
		.time_ms = errand->now_ms,
		.answer = "",
	};
	int64_t id;

	if (store_watch_wait(store, errand->service, errand->revision,
		    errand->skipped, errand->now_ms, err_r) < 0)
		return -1;
	if (!errand->rollout ||
		store_command_add(store, &command, &id, err_r) == 0)
		return 0;
	return err_r->code == ERR_REFUSED ? 0 : -1; /* it has ended meanwhile */
}

static int wait_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	if (store_begin(store, err_r) < 0)
		return -1;
	if (wait_in((struct watch_errand *)job, store, err_r) == 0)
		return store_commit(store, err_r);
	store_rollback(store);
	return -1;
}

static void wait_done(struct desk_job *job, const struct err *err)
{
	struct watch_errand *errand = (struct watch_errand *)job;
	struct watched *watched = errand->watched;
	struct watch *watch = watched->region->watch;

	if (!err && errand->rollout) {
		free(watched->replaced);
		watched->replaced = xstrdup(errand->rollout);
		if (!watch->stopped)
			driven_hurry(watch->parts.driven);
	}
	errand_over(errand, err);
}

static void say_skipped(struct watch_errand *errand)
{
	errand->skipped = xstrdup(errand->watched->kept.waiting);
	log_line(LOG_INFO,
		"event=watch service=%s revision=%s state=skipped text=\"it is "
		"not released: %s came while it waited\"",
		errand->service, errand->skipped, errand->revision);
}

/* `waiting` "": nothing waits any more. */
static void remember(struct watched *watched, const struct watch_plan *plan,
	const char *waiting)
{
	const char *running = watched->past.running;
	bool reverts =
		plan->deed == WATCH_REVERT &&
		(!watched->replaced || strcmp(watched->replaced, running) != 0);
	struct watch_errand *errand;

	if (!reverts && !strcmp(watched->kept.waiting, waiting))
		return;
	errand = errand_new(watched, waiting, wait_run, wait_done);
	if (plan->skips)
		say_skipped(errand);
	if (reverts) {
		errand->rollout = xstrdup(running);
		snprintf(errand->comment, sizeof(errand->comment),
			"%.63s replaces it", waiting);
	}
	errand_give(errand);
}

/* ---- the revision ---- */

static void ask_made(struct watched *watched)
{
	const struct watch_parts *parts = &watched->region->watch->parts;

	watched->busy = true;
	watched->call =
		cloudrun_get_revision_start(parts->cloudrun, watched->name,
			watched->service->latest_ready, made_read, watched);
}

static void made_read(
	const struct revision *revision, const struct err *err, void *arg)
{
	struct watched *watched = arg;

	watched->call = NULL;
	watched->busy = false;
	if (err && !watched->gone)
		say(watched, WATCH_UNREADABLE, "%s", err->text);
	if (!err) {
		free(watched->made);
		free(watched->maker);
		watched->made = xstrdup(revision->name);
		watched->maker = xstrdup(revision->creator);
		watched->made_ms = revision->created_ms;
	}
	if (watched->gone)
		watched_free(watched);
	else if (!err && is_made_known(watched))
		watched_consider(watched);
}

/* ---- the start ---- */

static int claim_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct watch_errand *errand = (struct watch_errand *)job;
	int rc = 0;

	if (errand->skipped)
		rc = store_watch_wait(store, errand->service, errand->revision,
			errand->skipped, errand->now_ms, err_r);
	if (rc == 0)
		rc = store_watch_claim(store, errand->service, errand->revision,
			errand->now_ms, err_r);
	errand->is_ours = rc > 0;
	return rc < 0 ? -1 : 0;
}

static int unclaim_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct watch_errand *errand = (struct watch_errand *)job;

	return store_watch_unclaim(
		store, errand->service, errand->revision, err_r);
}

/* The person who made the revision, so that they cannot approve it. */
static const char *starter_of(const struct watched *watched)
{
	const struct people *people =
		who_people(watched->region->watch->parts.who);
	const struct person *person;
	char key[CALLER_KEY_MAX];
	const char *keys[] = {key};

	snprintf(key, sizeof(key), "email:%s",
		watched->maker ? watched->maker : "");
	for (char *c = key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	person = people_find(people, keys, 1);
	return person ? person->name : WATCH_WHO;
}

static int start(struct watch_errand *errand, struct err *err_r)
{
	struct watched *watched = errand->watched;
	const struct policy *policy = policy_to_start(watched, err_r);
	char why[WATCH_TEXT_MAX];
	const struct driver_options options = {
		.service = errand->service,
		.starter = starter_of(watched),
		.wish = {.candidate = errand->revision, .why = why},
		.wait_ms = -1,
	};

	if (!policy)
		return -1;
	snprintf(why, sizeof(why), "by the watch, for %.300s, who made %.63s",
		watched->maker ? watched->maker : "whoever it was",
		errand->revision);
	log_line(LOG_INFO,
		"event=start service=%s policy=\"%s\" who=\"" WATCH_WHO "\" "
		"starter=\"%s\" text=\"%s\"",
		errand->service, policy->name, options.starter, why);
	return driven_start(watched->region->watch->parts.driven, policy,
		&options, start_begun, errand, err_r);
}

/* Nothing was begun: whoever looks next may. */
static void start_failed(struct watch_errand *errand, const struct err *err)
{
	struct watched *watched = errand->watched;

	say(watched, WATCH_PROBLEM, "%s", err->text);
	if (watched->region->watch->stopped) {
		errand_over(errand, NULL);
		return;
	}
	errand->job.run = unclaim_run;
	errand->job.done = errand_done;
	errand_give(errand);
}

static void start_begun(const char *rollout, const struct err *err, void *arg)
{
	struct watch_errand *errand = arg;

	if (err) {
		start_failed(errand, err);
		return;
	}
	say(errand->watched, WATCH_RUNNING, "%s (%s)",
		watch_state_meaning(WATCH_RUNNING), rollout);
	errand_over(errand, NULL);
}

static void claim_done(struct desk_job *job, const struct err *err)
{
	struct watch_errand *errand = (struct watch_errand *)job;
	const struct watched *watched = errand->watched;
	struct err failed;

	if (err || !errand->is_ours || watched->gone ||
		watched->region->watch->stopped)
		errand_over(errand, err);
	else if (start(errand, &failed) < 0)
		start_failed(errand, &failed);
}

static void claim(struct watched *watched, const struct watch_plan *plan)
{
	struct watch_errand *errand = errand_new(
		watched, watched->service->latest_ready, claim_run, claim_done);

	if (plan->skips)
		say_skipped(errand);
	errand_give(errand);
}

/* ---- together ---- */

static bool is_over(enum watch_state state)
{
	return state == WATCH_IDLE || state == WATCH_OLD ||
	       state == WATCH_REJECTED || state == WATCH_RELEASED;
}

static void watched_do(struct watched *watched, const struct watch_plan *plan)
{
	if (plan->deed == WATCH_ASK)
		ask_made(watched);
	else if (plan->deed == WATCH_PIN)
		watch_pin(watched);
	else if (plan->deed == WATCH_START)
		claim(watched, plan);
	else if (plan->waits)
		remember(watched, plan, watched->service->latest_ready);
	else if (is_over(plan->state))
		remember(watched, plan, "");
}

void watched_consider(struct watched *watched)
{
	struct watch_case c = case_of(watched);
	struct shelf *shelf = watched->region->watch->parts.shelf;
	const struct policy *policy;
	char time[TIMESTAMP_TEXT_MAX];
	struct watch_plan plan;
	int64_t until_ms;
	struct err err;

	if (!watched->is_known || watched->busy ||
		watched->region->watch->stopped)
		return;
	/* What runs makes room when it ends. */
	policy = c.running ? policy_of(watched, &err)
			   : policy_to_start(watched, &err);
	c.has_problem = !policy;
	until_ms = frozen_until(watched, policy);
	c.is_frozen = until_ms > 0;
	if (policy)
		shelf_give_back(shelf, &policy);
	plan = watch_plan_of(&c);
	if (plan.state == WATCH_PROBLEM ||
		(plan.state == WATCH_IDLE && c.has_problem))
		say(watched, WATCH_PROBLEM, "%s", err.text);
	else if (plan.state == WATCH_FROZEN)
		say(watched, plan.state, "%s, %s",
			watch_state_meaning(plan.state),
			timestamp_print(until_ms, time));
	else if (plan.deed != WATCH_ASK)
		say_state(watched, plan.state);
	watched_do(watched, &plan);
}
