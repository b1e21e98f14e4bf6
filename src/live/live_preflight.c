/*
 * EFFECT_PREFLIGHT: the look at the world before anything moves. Reads and
 * asks only; all that is wrong is collected, so that one refusal names it all.
 *
 *   look_start -> look_service_read -> look_revision_read -> look_inquire …
 *     -> look_inquired … -> look_record … -> look_recorded … -> look_finish
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/rng.h"
#include "base/xalloc.h"
#include "engine/backoff.h"
#include "io/loop.h"
#include "live/driver.h"
#include "live/fit.h"
#include "live/inquiry.h"

#define LOOK_TIMEOUT_MS   15000 /* of one request */
#define LOOK_TRIES_MAX    4 /* of each request */
#define LOOK_TEXT_MAX     (16 * 1024)
#define LOOK_KEPT_MAX     (96 * 1024) /* of all actions of a policy */
#define INQUIRIES_AT_ONCE 8

static const struct backoff look_backoff = {500, 8000};

struct look_slo {
	struct look *look;
	int index;
	int tries;
	struct inquiry *inquiry;
	struct timer *pause;
};

struct look {
	struct live *live;
	int tries; /* of the request under way */
	struct cloudrun_call *call;
	struct timer *pause;
	struct look_slo *slos;
	size_t next_slo, done_slos;
	int list; /* whose action records, at `index` */
	size_t index;
	struct action_env env;
	struct release_values values;
	struct action_run *record;
	struct buf kept; /* members of a JSON object, "name":"text",… */
	struct rng rng;
	struct buf problems;
	struct event event;
};

static void look_read_service(void *arg);
static void look_service_read(
	struct service *service, const struct err *err, void *arg);
static void look_read_revision(void *arg);
static void look_revision_read(
	const struct revision *revision, const struct err *err, void *arg);
static void look_inquire(struct look *look);
static void check_actions(struct look *look);
static void look_ask(void *arg);
static void look_inquired(const struct inquiry_end *end, void *arg);
static void look_record(struct look *look);
static void look_recorded(const struct action_end *end, void *arg);
static void look_finish(struct look *look);

static void problem(struct look *look, const char *fmt, ...) PRINTFLIKE(2, 3);

static void problem(struct look *look, const char *fmt, ...)
{
	va_list args;

	if (look->problems.len)
		buf_adds(&look->problems, "; ");
	va_start(args, fmt);
	buf_addv(&look->problems, fmt, args);
	va_end(args);
}

void look_start(struct live *live)
{
	struct look *look = xcalloc(1, sizeof(*look));

	look_cancel(&live->look);
	live->look = look;
	look->live = live;
	look->slos =
		xcalloc(live->release->policy->n_slos + 1, sizeof(*look->slos));
	look->event.type = EVENT_PREFLIGHT;
	rng_init(&look->rng, live->state.rng.state);
	buf_init(&look->problems, LOOK_TEXT_MAX);
	buf_init(&look->kept, LOOK_KEPT_MAX);
	look_read_service(look);
}

static void look_free(struct look *look)
{
	buf_fini(&look->problems);
	buf_fini(&look->kept);
	free(look->slos);
	free(look);
}

void look_cancel(struct look **look_p)
{
	struct look *look = *look_p;

	if (!look)
		return;
	cloudrun_cancel(&look->call);
	timer_cancel(&look->pause);
	action_cancel(&look->record);
	for (size_t i = 0; i < look->live->release->policy->n_slos; i++) {
		inquiry_cancel(&look->slos[i].inquiry);
		timer_cancel(&look->slos[i].pause);
	}
	look_free(look);
	*look_p = NULL;
}

static int64_t delay_of(struct look *look, int tries, int64_t retry_after_ms)
{
	return backoff_delay(&look_backoff, tries, retry_after_ms, &look->rng);
}

/* A release can wait for a better day; who wants to go back cannot. */
static bool is_patient(const struct look *look)
{
	const struct live *live = look->live;

	return release_goes_back(live->release) &&
	       live_now(live) - live->state.started_ms <
		       live->release->policy->revert_timeout_ms;
}

/* True: `again` will be called once more, later. */
static bool try_again(struct look *look, const struct err *err, loop_fn again)
{
	if (!err_is_retryable(err->code))
		return false;
	if (++look->tries >= LOOK_TRIES_MAX && !is_patient(look))
		return false;
	look->pause = timer_start(live_loop(look->live),
		delay_of(look, look->tries, err->retry_after_ms), again, look);
	return true;
}

/* ---- the service: who is candidate, who is stable ---- */

static void look_read_service(void *arg)
{
	struct look *look = arg;
	struct live *live = look->live;

	look->pause = NULL;
	look->call = cloudrun_get_service_start(live->world->cloudrun,
		live->release->service.full, LOOK_TIMEOUT_MS, look_service_read,
		look);
}

/* What `rule` found wrong, if anything, is a problem; true: nothing. */
static bool holds(struct look *look, int rule, const struct err *err)
{
	if (rule < 0)
		problem(look, "%s", err->text);
	return rule == 0;
}

static void check_tag(struct look *look, const struct service *service)
{
	const char *tag = look->live->release->policy->tag;
	struct err err;

	if (!tag)
		return;
	holds(look,
		fit_tag_length(tag, look->live->release->service.name, &err),
		&err);
	holds(look,
		fit_tag_free(
			service, tag, look->live->release->candidate, &err),
		&err);
}

static void check_history(struct look *look)
{
	struct live *live = look->live;
	struct err err;

	if (!live->release->wish.again)
		holds(look,
			fit_history(live->world->store,
				live->release->service.full,
				live->release->candidate, &err),
			&err);
}

/* False: without these two nothing else can be looked at. */
static bool find_revisions(struct look *look, const struct service *service)
{
	struct live *live = look->live;
	const char *candidate, *stable;
	struct err err;

	if (!holds(look,
		    fit_candidate(service, live->release->wish.candidate,
			    &candidate, &err),
		    &err))
		return false;
	release_set_candidate(live->release, candidate);
	if (!holds(look,
		    fit_stable(service, candidate, live->release->wish.adopt,
			    &stable, &err),
		    &err))
		return false;
	release_set_stable(live->release, stable);
	return holds(look, fit_to_release(candidate, stable, &err), &err);
}

/* Going back: both are given, and nobody else may have users. */
static bool take_given(struct look *look, const struct service *service)
{
	struct live *live = look->live;
	struct split split;

	release_set_candidate(live->release, live->release->wish.candidate);
	release_set_stable(live->release, live->release->wish.stable);
	split = traffic_split(&service->spec, live->release->candidate,
		live->release->stable, service->latest_ready);
	if (split.other)
		problem(look,
			"%d %% of the traffic are with revisions that are "
			"neither %s nor %s: somebody else put them in charge",
			split.other, live->release->candidate,
			live->release->stable);
	return true;
}

static void look_service_read(
	struct service *service, const struct err *err, void *arg)
{
	struct look *look = arg;
	struct err rule;
	bool fit;

	look->call = NULL;
	if (!service) {
		if (try_again(look, err, look_read_service))
			return;
		problem(look, "the service cannot be read: %s", err->text);
		look_finish(look);
		return;
	}
	holds(look, fit_service(service, &rule), &rule);
	fit = release_goes_back(look->live->release)
		      ? take_given(look, service)
		      : find_revisions(look, service);
	if (fit && !release_goes_back(look->live->release)) {
		check_tag(look, service);
		check_history(look);
	}
	/* A refusal shows the traffic, too. */
	live_take_service(look->live, service, &look->event);
	if (!fit) {
		look_finish(look);
		return;
	}
	look->tries = 0;
	look_read_revision(look);
}

/* ---- the revision that is to get traffic ---- */

static const char *wanted_revision(const struct look *look)
{
	return release_goes_back(look->live->release)
		       ? look->live->release->stable
		       : look->live->release->candidate;
}

static void look_read_revision(void *arg)
{
	struct look *look = arg;
	struct live *live = look->live;

	look->pause = NULL;
	look->call = cloudrun_get_revision_start(live->world->cloudrun,
		live->release->service.full, wanted_revision(look),
		look_revision_read, look);
}

static void check_revision(struct look *look, const struct revision *revision)
{
	struct err err;

	holds(look,
		fit_owner(revision, look->live->release->service.name, &err),
		&err);
	holds(look, fit_ready(revision, &err), &err);
}

static void look_revision_read(
	const struct revision *revision, const struct err *err, void *arg)
{
	struct look *look = arg;

	look->call = NULL;
	if (revision) {
		check_revision(look, revision);
	} else {
		if (try_again(look, err, look_read_revision))
			return;
		problem(look, "revision %s cannot be read: %s",
			wanted_revision(look), err->text);
	}
	/* Neither metrics nor actions may keep the users waiting. */
	if (release_goes_back(look->live->release))
		look_finish(look);
	else
		look_inquire(look);
}

/* ---- the queries, for stable ---- */

static void look_inquire(struct look *look)
{
	size_t n = look->live->release->policy->n_slos;

	while (look->next_slo < n &&
		look->next_slo - look->done_slos < INQUIRIES_AT_ONCE) {
		struct look_slo *slo = &look->slos[look->next_slo];

		slo->look = look;
		slo->index = (int)look->next_slo++;
		look_ask(slo);
	}
	if (look->done_slos < n)
		return;
	check_actions(look);
	look_record(look);
}

static void look_ask(void *arg)
{
	struct look_slo *slo = arg;
	struct live *live = slo->look->live;
	struct inquiry_what what = {.release = live->release,
		.state = &live->state,
		.slo = slo->index,
		.candidate = live->release->stable};

	slo->pause = NULL;
	slo->inquiry = inquiry_start(live->world, &what, look_inquired, slo);
}

static void look_inquired(const struct inquiry_end *end, void *arg)
{
	struct look_slo *slo = arg;
	struct look *look = slo->look;
	struct live *live = look->live;

	slo->inquiry = NULL;
	if (*end->trouble && end->retryable && !end->wrong &&
		++slo->tries < LOOK_TRIES_MAX) {
		slo->pause = timer_start(live_loop(live),
			delay_of(look, slo->tries, 0), look_ask, slo);
		return;
	}
	if (*end->trouble)
		problem(look, "SLO \"%s\": %s",
			live->release->policy->slos[slo->index].name,
			end->trouble);
	look->done_slos++;
	look_inquire(look);
}

/* ---- what needs no asking ---- */

static void check_actions(struct look *look)
{
	struct live *live = look->live;
	struct action_env env =
		action_env_of(live->world, live->release->policy);
	struct err err;

	for (int list = 0; list < ACTION_LISTS; list++) {
		const struct actions *actions =
			&live->release->policy->lists[list];

		for (size_t i = 0; i < actions->n; i++)
			if (action_check(&env, &actions->item[i], &err) < 0)
				problem(look, "%s: %s", action_list_name(list),
					err.text);
	}
}

static void check_gates(struct look *look)
{
	const struct policy *policy = look->live->release->policy;
	struct err err;

	for (size_t i = 0; i < policy->n_steps; i++)
		holds(look,
			fit_gate(policy, i, look->live->state.starter, &err),
			&err);
}

/* ---- what actions have to know later ---- */

/* The next action that records; nobody does when it is refused anyway. */
static const struct action *next_to_record(struct look *look)
{
	const struct actions *actions;

	for (; look->list < ACTION_LISTS && !look->problems.len;
		look->list++, look->index = 0) {
		actions = &look->live->release->policy->lists[look->list];
		for (; look->index < actions->n; look->index++)
			if (action_has_job(
				    &actions->item[look->index], JOB_RECORD))
				return &actions->item[look->index];
	}
	return NULL;
}

static void look_record(struct look *look)
{
	struct live *live = look->live;
	struct action_order order = {.env = &look->env,
		.action = next_to_record(look),
		.values = &look->values.values,
		.job = JOB_RECORD};

	if (!order.action) {
		look_finish(look);
		return;
	}
	look->env = action_env_of(live->world, live->release->policy);
	release_values(live->release, &live->state, live->release->candidate, 0,
		&look->values);
	look->record = action_job_start(&order, look_recorded, look);
}

static void look_recorded(const struct action_end *end, void *arg)
{
	struct look *look = arg;
	struct live *live = look->live;
	const struct action *action =
		&live->release->policy->lists[look->list].item[look->index];
	struct jsonw w = {.out = &look->kept, .comma = look->kept.len > 0};

	look->record = NULL;
	if (end->result == ACTION_OK && *end->kept) {
		live_keep(live, action, end->kept);
		jsonw_text(&w, action->name, end->kept);
	} else if (end->result != ACTION_OK) {
		problem(look, "%s: action \"%s\": %s",
			action_list_name((enum action_list)look->list),
			action->name, end->detail);
	}
	look->index++;
	look_record(look);
}

/* ---- the end ---- */

static void keep_revisions(struct look *look)
{
	struct live *live = look->live;
	struct err err;

	if (journal_begin(live->hub->journal, &err) < 0 ||
		store_rollout_set_revisions(live->world->store,
			live->release->id, live->release->candidate,
			live->release->stable, &err) < 0)
		problem(look, "%s", err.text);
}

static void look_finish(struct look *look)
{
	static const char facts[] = "{\"candidate\":\"{{candidate}}\","
				    "\"stable\":\"{{stable}}\"";
	struct live *live = look->live;
	struct event event;
	struct event_context context = {0};
	struct release_values values;
	struct buf table, extra;

	if (!release_goes_back(live->release))
		check_gates(look);
	if (!look->problems.len)
		keep_revisions(look);
	event = look->event;
	event.ok = look->problems.len == 0;
	event.text = event.ok ? NULL : look->problems.data;
	buf_init(&table, STORE_EVENT_BYTES_MAX / 2);
	buf_init(&extra, 1024 + LOOK_KEPT_MAX);
	release_values(live->release, &live->state, live->release->candidate, 0,
		&values);
	template_render(&extra, facts, &values.values, ESCAPE_JSON);
	if (look->kept.len)
		buf_addf(&extra, ",\"kept\":{%s}", look->kept.data);
	buf_addc(&extra, '}');
	context.extra = extra.data;
	if (live->snapshot) {
		live_table(live, &table);
		context.table = table.overflow ? NULL : table.data;
	}
	live->look = NULL;
	live_event(live, &event, &context);
	look_free(look);
	buf_fini(&table);
	buf_fini(&extra);
}
