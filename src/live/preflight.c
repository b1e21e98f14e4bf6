/*
 * The walk of preflight; see preflight.h.
 *
 *   preflight_start -> preflight_service_read -> preflight_revision_read
 *     -> preflight_measure … -> preflight_measured … -> preflight_capture …
 *     -> preflight_captured … -> preflight_finish
 */
#include "live/preflight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/rng.h"
#include "base/xalloc.h"
#include "engine/backoff.h"
#include "io/loop.h"
#include "live/action_io.h"
#include "live/fit.h"
#include "live/keepalive.h"
#include "live/measurement.h"
#include "live/release.h"
#include "live/traffic_io.h"
#include "live/world.h"
#include "store/event_codec.h"
#include "store/journal.h"

#define PREFLIGHT_TIMEOUT_MS   15000 /* of one request */
#define PREFLIGHT_TRIES_MAX    4 /* of each request */
#define PREFLIGHT_TEXT_MAX     (16 * 1024)
#define PREFLIGHT_CAPTURED_MAX (96 * 1024) /* of all actions of a policy */
#define MEASUREMENTS_AT_ONCE   8

static const struct backoff preflight_backoff = {500, 8000};

struct preflight_slo {
	struct preflight *preflight;
	int index;
	int tries;
	struct measurement *measurement;
	struct timer *pause;
};

struct preflight {
	struct world *world;
	struct preflight_what what;
	event_fn fn;
	void *arg;
	int tries; /* of the request under way */
	struct cloudrun_call *call;
	struct timer *pause;
	struct preflight_slo *slos;
	size_t next_slo, done_slos;
	int list; /* whose action records, at `index` */
	size_t index;
	struct action_env env;
	struct release_values values;
	struct action_run *capture;
	struct buf captured; /* members of a JSON object, "name":"text",… */
	struct rng rng;
	struct buf problems;
	struct event event;
};

static void preflight_read_service(void *arg);
static void preflight_service_read(
	struct service *service, const struct err *err, void *arg);
static void preflight_read_revision(void *arg);
static void preflight_revision_read(
	const struct revision *revision, const struct err *err, void *arg);
static void preflight_measure(struct preflight *preflight);
static void check_actions(struct preflight *preflight);
static void preflight_ask(void *arg);
static void preflight_measured(const struct measurement_end *end, void *arg);
static void preflight_capture(struct preflight *preflight);
static void preflight_captured(const struct action_end *end, void *arg);
static void preflight_finish(struct preflight *preflight);

static void problem(struct preflight *preflight, const char *fmt, ...)
	PRINTFLIKE(2, 3);

static void problem(struct preflight *preflight, const char *fmt, ...)
{
	va_list args;

	if (preflight->problems.len)
		buf_adds(&preflight->problems, "; ");
	va_start(args, fmt);
	buf_addv(&preflight->problems, fmt, args);
	va_end(args);
}

struct preflight *preflight_start(struct world *world,
	const struct preflight_what *what, event_fn fn, void *arg)
{
	struct preflight *preflight = xcalloc(1, sizeof(*preflight));

	preflight->world = world;
	preflight->what = *what;
	preflight->fn = fn;
	preflight->arg = arg;
	preflight->slos = xcalloc(
		what->release->policy->n_slos + 1, sizeof(*preflight->slos));
	preflight->event.type = EVENT_PREFLIGHT;
	rng_init(&preflight->rng, what->state->rng.state);
	buf_init(&preflight->problems, PREFLIGHT_TEXT_MAX);
	buf_init(&preflight->captured, PREFLIGHT_CAPTURED_MAX);
	preflight_read_service(preflight);
	return preflight;
}

static void preflight_free(struct preflight *preflight)
{
	buf_fini(&preflight->problems);
	buf_fini(&preflight->captured);
	free(preflight->slos);
	free(preflight);
}

void preflight_cancel(struct preflight **preflight_p)
{
	struct preflight *preflight = *preflight_p;

	if (!preflight)
		return;
	cloudrun_cancel(&preflight->call);
	timer_cancel(&preflight->pause);
	action_cancel(&preflight->capture);
	for (size_t i = 0; i < preflight->what.release->policy->n_slos; i++) {
		measurement_cancel(&preflight->slos[i].measurement);
		timer_cancel(&preflight->slos[i].pause);
	}
	preflight_free(preflight);
	*preflight_p = NULL;
}

static int64_t delay_of(
	struct preflight *preflight, int tries, int64_t retry_after_ms)
{
	return backoff_delay(
		&preflight_backoff, tries, retry_after_ms, &preflight->rng);
}

/* A rollback retries until revert_timeout; a release gives up after four tries.
 */
static bool is_patient(const struct preflight *preflight)
{
	return loop_now(preflight->world->loop) <
	       preflight->what.patient_until_ms;
}

/* True: `again` will be called once more, later. */
static bool try_again(
	struct preflight *preflight, const struct err *err, loop_fn again)
{
	if (!err_is_retryable(err->code))
		return false;
	if (++preflight->tries >= PREFLIGHT_TRIES_MAX && !is_patient(preflight))
		return false;
	preflight->pause = timer_start(preflight->world->loop,
		delay_of(preflight, preflight->tries, err->retry_after_ms),
		again, preflight);
	return true;
}

/* ---- the service: who is candidate, who is stable ---- */

static void preflight_read_service(void *arg)
{
	struct preflight *preflight = arg;
	struct release *release = preflight->what.release;

	preflight->pause = NULL;
	preflight->call = cloudrun_get_service_start(preflight->world->cloudrun,
		release->service.full, PREFLIGHT_TIMEOUT_MS,
		preflight_service_read, preflight);
}

/* What `rule` found wrong, if anything, is a problem; true: nothing. */
static bool holds(struct preflight *preflight, int rule, const struct err *err)
{
	if (rule < 0)
		problem(preflight, "%s", err->text);
	return rule == 0;
}

static void check_tag(
	struct preflight *preflight, const struct service *service)
{
	const char *tag = preflight->what.release->policy->tag;
	struct err err;

	if (!tag)
		return;
	holds(preflight,
		fit_tag_length(
			tag, preflight->what.release->service.name, &err),
		&err);
	holds(preflight,
		fit_tag_free(
			service, tag, preflight->what.release->candidate, &err),
		&err);
}

static void check_history(struct preflight *preflight)
{
	struct release *release = preflight->what.release;
	struct err err;

	if (!release->wish.again)
		holds(preflight,
			fit_history(preflight->world->store,
				release->service.full, release->candidate,
				&err),
			&err);
}

/* False: without these two nothing else can be looked at. */
static bool find_revisions(
	struct preflight *preflight, const struct service *service)
{
	struct release *release = preflight->what.release;
	const char *candidate, *stable;
	struct err err;

	if (!holds(preflight,
		    fit_candidate(
			    service, release->wish.candidate, &candidate, &err),
		    &err))
		return false;
	release_set_candidate(release, candidate);
	if (!holds(preflight,
		    fit_stable(service, candidate, release->wish.adopt, &stable,
			    &err),
		    &err))
		return false;
	release_set_stable(release, stable);
	return holds(preflight, fit_to_release(candidate, stable, &err), &err);
}

/* Going back: both are given, and nobody else may have users. */
static bool take_given(
	struct preflight *preflight, const struct service *service)
{
	struct release *release = preflight->what.release;
	struct split split;

	release_set_candidate(release, release->wish.candidate);
	release_set_stable(release, release->wish.stable);
	split = traffic_split(&service->spec, release->candidate,
		release->stable, service->latest_ready);
	if (split.other)
		problem(preflight,
			"%d %% of the traffic are with revisions that are "
			"neither %s nor %s: somebody else put them in charge",
			split.other, release->candidate, release->stable);
	return true;
}

static void preflight_service_read(
	struct service *service, const struct err *err, void *arg)
{
	struct preflight *preflight = arg;
	struct err rule;
	bool fit;

	preflight->call = NULL;
	if (!service) {
		if (try_again(preflight, err, preflight_read_service))
			return;
		problem(preflight, "the service cannot be read: %s", err->text);
		preflight_finish(preflight);
		return;
	}
	holds(preflight, fit_service(service, &rule), &rule);
	fit = release_goes_back(preflight->what.release)
		      ? take_given(preflight, service)
		      : find_revisions(preflight, service);
	if (fit && !release_goes_back(preflight->what.release)) {
		check_tag(preflight, service);
		check_history(preflight);
	}
	/* A refusal shows the traffic, too. */
	traffic_io_take(preflight->what.traffic, service, &preflight->event);
	if (!fit) {
		preflight_finish(preflight);
		return;
	}
	preflight->tries = 0;
	preflight_read_revision(preflight);
}

/* ---- the revision that is to get traffic ---- */

static const char *wanted_revision(const struct preflight *preflight)
{
	return release_goes_back(preflight->what.release)
		       ? preflight->what.release->stable
		       : preflight->what.release->candidate;
}

static void preflight_read_revision(void *arg)
{
	struct preflight *preflight = arg;
	struct release *release = preflight->what.release;

	preflight->pause = NULL;
	preflight->call = cloudrun_get_revision_start(
		preflight->world->cloudrun, release->service.full,
		wanted_revision(preflight), preflight_revision_read, preflight);
}

static void check_revision(
	struct preflight *preflight, const struct revision *revision)
{
	struct err err;

	holds(preflight,
		fit_owner(
			revision, preflight->what.release->service.name, &err),
		&err);
	holds(preflight, fit_ready(revision, &err), &err);
}

static void preflight_revision_read(
	const struct revision *revision, const struct err *err, void *arg)
{
	struct preflight *preflight = arg;

	preflight->call = NULL;
	if (revision) {
		check_revision(preflight, revision);
	} else {
		if (try_again(preflight, err, preflight_read_revision))
			return;
		problem(preflight, "revision %s cannot be read: %s",
			wanted_revision(preflight), err->text);
	}
	/* Neither metrics nor actions may keep the users waiting. */
	if (release_goes_back(preflight->what.release))
		preflight_finish(preflight);
	else
		preflight_measure(preflight);
}

/* ---- the queries, for stable ---- */

static void preflight_measure(struct preflight *preflight)
{
	size_t n = preflight->what.release->policy->n_slos;

	while (preflight->next_slo < n &&
		preflight->next_slo - preflight->done_slos <
			MEASUREMENTS_AT_ONCE) {
		struct preflight_slo *slo =
			&preflight->slos[preflight->next_slo];

		slo->preflight = preflight;
		slo->index = (int)preflight->next_slo++;
		preflight_ask(slo);
	}
	if (preflight->done_slos < n)
		return;
	check_actions(preflight);
	preflight_capture(preflight);
}

static void preflight_ask(void *arg)
{
	struct preflight_slo *slo = arg;
	struct preflight *preflight = slo->preflight;
	struct measurement_what what = {.release = preflight->what.release,
		.state = preflight->what.state,
		.slo = slo->index,
		.candidate = preflight->what.release->stable};

	slo->pause = NULL;
	slo->measurement = measurement_start(
		preflight->world, &what, preflight_measured, slo);
}

static void preflight_measured(const struct measurement_end *end, void *arg)
{
	struct preflight_slo *slo = arg;
	struct preflight *preflight = slo->preflight;
	struct release *release = preflight->what.release;

	slo->measurement = NULL;
	if (*end->trouble && end->retryable && !end->wrong &&
		++slo->tries < PREFLIGHT_TRIES_MAX) {
		slo->pause = timer_start(preflight->world->loop,
			delay_of(preflight, slo->tries, 0), preflight_ask, slo);
		return;
	}
	if (*end->trouble)
		problem(preflight, "SLO \"%s\": %s",
			release->policy->slos[slo->index].name, end->trouble);
	preflight->done_slos++;
	preflight_measure(preflight);
}

/* ---- what needs no asking ---- */

static void check_actions(struct preflight *preflight)
{
	struct release *release = preflight->what.release;
	struct action_env env =
		action_io_env(preflight->world, release->policy);
	struct err err;

	for (int list = 0; list < ACTION_LISTS; list++) {
		const struct actions *actions = &release->policy->lists[list];

		for (size_t i = 0; i < actions->n; i++)
			if (action_check(&env, &actions->item[i], &err) < 0)
				problem(preflight, "%s: %s",
					action_list_name(list), err.text);
	}
}

static void check_gates(struct preflight *preflight)
{
	const struct policy *policy = preflight->what.release->policy;
	struct err err;

	for (size_t i = 0; i < policy->n_steps; i++)
		holds(preflight,
			fit_gate(policy, i, preflight->what.state->starter,
				&err),
			&err);
}

/* ---- what actions have to know later ---- */

/* The next action that records; nobody does when it is refused anyway. */
static const struct action *next_to_capture(struct preflight *preflight)
{
	const struct actions *actions;

	for (; preflight->list < ACTION_LISTS && !preflight->problems.len;
		preflight->list++, preflight->index = 0) {
		actions = &preflight->what.release->policy
				   ->lists[preflight->list];
		for (; preflight->index < actions->n; preflight->index++)
			if (action_has_job(&actions->item[preflight->index],
				    JOB_CAPTURE))
				return &actions->item[preflight->index];
	}
	return NULL;
}

static void preflight_capture(struct preflight *preflight)
{
	struct release *release = preflight->what.release;
	struct action_order order = {.env = &preflight->env,
		.action = next_to_capture(preflight),
		.values = &preflight->values.values,
		.job = JOB_CAPTURE};

	if (!order.action) {
		preflight_finish(preflight);
		return;
	}
	preflight->env = action_io_env(preflight->world, release->policy);
	release_values(release, preflight->what.state, release->candidate, 0,
		&preflight->values);
	preflight->capture =
		action_job_start(&order, preflight_captured, preflight);
}

static void preflight_captured(const struct action_end *end, void *arg)
{
	struct preflight *preflight = arg;
	struct release *release = preflight->what.release;
	const struct action *action =
		&release->policy->lists[preflight->list].item[preflight->index];
	struct jsonw w = {.out = &preflight->captured,
		.comma = preflight->captured.len > 0};

	preflight->capture = NULL;
	if (end->result == ACTION_OK && *end->captured) {
		keepalive_capture(
			preflight->what.keepalive, action, end->captured);
		jsonw_text(&w, action->name, end->captured);
	} else if (end->result != ACTION_OK) {
		problem(preflight, "%s: action \"%s\": %s",
			action_list_name((enum action_list)preflight->list),
			action->name, end->detail);
	}
	preflight->index++;
	preflight_capture(preflight);
}

/* ---- the end ---- */

static void keep_revisions(struct preflight *preflight)
{
	struct release *release = preflight->what.release;
	struct err err;

	if (journal_begin(preflight->what.journal, &err) < 0 ||
		store_rollout_set_revisions(preflight->world->store,
			release->id, release->candidate, release->stable,
			&err) < 0)
		problem(preflight, "%s", err.text);
}

static void preflight_finish(struct preflight *preflight)
{
	static const char facts[] = "{\"candidate\":\"{{candidate}}\","
				    "\"stable\":\"{{stable}}\"";
	struct release *release = preflight->what.release;
	struct event event;
	struct event_context context = {0};
	struct release_values values;
	struct buf table, extra;

	if (!release_goes_back(release))
		check_gates(preflight);
	if (!preflight->problems.len)
		keep_revisions(preflight);
	event = preflight->event;
	event.ok = preflight->problems.len == 0;
	event.text = event.ok ? NULL : preflight->problems.data;
	buf_init(&table, STORE_EVENT_BYTES_MAX / 2);
	buf_init(&extra, 1024 + PREFLIGHT_CAPTURED_MAX);
	release_values(
		release, preflight->what.state, release->candidate, 0, &values);
	template_render(&extra, facts, &values.values, ESCAPE_JSON);
	if (preflight->captured.len)
		buf_addf(&extra, ",\"kept\":{%s}", preflight->captured.data);
	buf_addc(&extra, '}');
	context.extra = extra.data;
	traffic_io_print(preflight->what.traffic, &table);
	context.table = table.len && !table.overflow ? table.data : NULL;
	preflight->fn(&event, &context, preflight->arg);
	preflight_free(preflight);
	buf_fini(&table);
	buf_fini(&extra);
}
