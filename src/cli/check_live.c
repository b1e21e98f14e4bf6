/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preflight in the foreground: makes the world as `run` would, but goes on
 * without what cannot be had of it, and prints the findings. See check_live.h.
 */
#include "cli/check_live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/jsonw.h"
#include "base/xalloc.h"
#include "cli/context.h"
#include "cli/foreground.h"
#include "cli/github.h"
#include "cli/output.h"
#include "cli/plan_print.h"
#include "cloudrun/service_codec.h"
#include "engine/evidence_memory.h"
#include "io/loop.h"
#include "live/preflight.h"
#include "live/release.h"
#include "live/world.h"
#include "metrics/query_role.h"
#include "store/event_codec.h"

#define STATUS_NOT_READY 4
#define REDACTED_MAX     (16 * 1024)

struct visit {
	const struct check_live_args *args;
	const struct policy *policy;
	struct context_target target;
	struct arena arena;

	/* The world; what cannot be had is NULL, and why. */
	struct world world;
	struct store *store;
	char *state_path;
	struct err state_err, credentials_err;
	bool state_is_bad;

	struct release *release;
	struct preflight *preflight;
	struct service *service; /* as it was read; NULL: it was not */
	int status; /* -1: it did not come to an end */
};

/* ---- what is printed ---- */

/* Those of the look, and those of the policy, which are on stderr. */
static size_t all_warnings(
	const struct visit *visit, const struct preflight_report *report)
{
	return report->counts[FINDING_WARN] + visit->policy->n_warnings;
}

static bool refuses_warnings(
	const struct visit *visit, const struct preflight_report *report)
{
	return visit->args->strict && all_warnings(visit, report);
}

static bool is_ready(
	const struct visit *visit, const struct preflight_report *report)
{
	return !report->counts[FINDING_FAIL] &&
	       !refuses_warnings(visit, report);
}

static void print_line(const struct visit *visit,
	const struct preflight_report *report, struct buf *out)
{
	size_t fails = report->counts[FINDING_FAIL];
	size_t warns = all_warnings(visit, report);

	if (!fails && refuses_warnings(visit, report))
		buf_addf(out, "not ready, as --strict was given");
	else if (fails)
		buf_addf(out, "not ready: %zu of these %s", fails,
			fails == 1 ? "fails" : "fail");
	else
		buf_addf(out, "ready: a rollout of %s could run now",
			visit->target.service);
	if (warns)
		buf_addf(out, "; %zu warning%s", warns, warns == 1 ? "" : "s");
	buf_adds(out, "; nothing was changed\n");
}

static void print_text(const struct visit *visit,
	const struct preflight_report *report, struct buf *out)
{
	static const char *const heads[] = {"", "WHAT", "NAME", "DETAIL"};
	struct table table;

	table_init(&table, 4);
	table_add(&table, heads);
	for (size_t i = 0; i < report->n; i++) {
		const struct finding *f = &report->finding[i];
		const char *const cells[] = {
			finding_name(f->kind), f->what, f->name, f->detail};
		const char *const more[] = {"", "", "",
			arena_printf(&table.arena, "-> %s", f->remedy)};

		table_add(&table, cells);
		if (*f->remedy)
			table_add(&table, more);
	}
	table_print(&table, out);
	table_fini(&table);
	print_line(visit, report, out);
	plan_print_measured(
		visit->policy, report->histories, report->n_histories, out);
}

/* Of a query; of counters how many each of them has. */
static void print_series(struct jsonw *w, const struct finding_arm *arm)
{
	if (!arm->query[QUERY_TOTAL]) {
		jsonw_int(w, "series", (int64_t)arm->series[QUERY_VALUE]);
		return;
	}
	jsonw_int(w, "total_series", (int64_t)arm->series[QUERY_TOTAL]);
	if (arm->query[QUERY_BAD])
		jsonw_int(w, "bad_series", (int64_t)arm->series[QUERY_BAD]);
}

static void print_history(struct jsonw *w, const struct slo_history *history)
{
	double n = history->past.n;

	jsonw_object(w, "history");
	jsonw_number(w, "seconds", history->seconds);
	jsonw_number(w, "requests_per_second", n / history->seconds);
	if (n > 0)
		jsonw_number(w, "bad_share", history->past.x / n);
	jsonw_number(w, "phi", history->dispersion.phi);
	jsonw_number(w, "phi_level", history->dispersion.phi_level);
	jsonw_number(w, "phi_shape", history->dispersion.phi_shape);
	jsonw_end(w, '}');
}

static void print_arm(
	struct jsonw *w, const char *key, const struct finding_arm *arm)
{
	if (!arm->revision)
		return;
	jsonw_object(w, key);
	jsonw_text(w, "revision", arm->revision);
	jsonw_text(w, "outcome", outcome_name(arm->judgement.outcome));
	if (arm->answers.item[QUERY_VALUE].kind == ANSWER_VALUE)
		jsonw_number(w, "value", arm->answers.item[QUERY_VALUE].value);
	if (arm->answers.item[QUERY_BASELINE].kind == ANSWER_VALUE)
		jsonw_number(
			w, "baseline", arm->answers.item[QUERY_BASELINE].value);
	if (arm->answers.item[QUERY_REQUESTS].kind == ANSWER_VALUE)
		jsonw_number(
			w, "requests", arm->answers.item[QUERY_REQUESTS].value);
	if (arm->judgement.partial)
		jsonw_bool(w, "partial", true);
	if (*arm->warnings)
		jsonw_text(w, "warnings", arm->warnings);
	print_series(w, arm);
	jsonw_int(w, "latency_ms", arm->latency_us / 1000);
	for (enum query_role kind = 0; kind < QUERY_ROLES; kind++) {
		if (arm->query[kind])
			jsonw_text(w, event_query_keys[kind], arm->query[kind]);
	}
	jsonw_end(w, '}');
}

static void print_finding(struct jsonw *w, const struct finding *f)
{
	jsonw_object(w, NULL);
	jsonw_text(w, "result", finding_name(f->kind));
	jsonw_text(w, "what", f->what);
	jsonw_text(w, "name", f->name);
	jsonw_text(w, "detail", f->detail);
	if (*f->remedy)
		jsonw_text(w, "remedy", f->remedy);
	if (f->arms) {
		print_arm(w, "stable", &f->arms[0]);
		print_arm(w, "candidate", &f->arms[1]);
	}
	if (f->history)
		print_history(w, f->history);
	jsonw_end(w, '}');
}

static const char *revision_at(const struct service *service, size_t i)
{
	const char *name = service->statuses.item[i].revision;

	return name ? name : service->latest_ready;
}

/* An earlier entry is of the same revision: it was told with all it has. */
static bool is_told(const struct service *service, size_t i)
{
	const char *name = revision_at(service, i), *before;

	for (size_t k = 0; k < i; k++) {
		before = revision_at(service, k);
		if (before && !strcmp(before, name))
			return true;
	}
	return false;
}

/* Who serves how much, for programs: each revision once, and as a rollout
 * would see it. Nothing when the service could not be read. */
static void print_serving(const struct visit *visit, struct jsonw *w)
{
	const struct service *service = visit->service;
	struct split split;
	const char *name;

	if (!service)
		return;
	jsonw_array(w, "serving");
	for (size_t i = 0; i < service->statuses.n; i++) {
		name = revision_at(service, i);
		if (!name || is_told(service, i))
			continue;
		split = traffic_split(
			&service->statuses, name, "", service->latest_ready);
		if (!split.candidate)
			continue;
		jsonw_object(w, NULL);
		jsonw_text(w, "revision", name);
		jsonw_int(w, "percent", split.candidate);
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
	split = traffic_split(&service->statuses, visit->release->candidate,
		visit->release->stable, service->latest_ready);
	jsonw_object(w, "split");
	jsonw_int(w, "candidate", split.candidate);
	jsonw_int(w, "stable", split.stable);
	jsonw_int(w, "other", split.other);
	jsonw_end(w, '}');
}

static void print_json(const struct visit *visit,
	const struct preflight_report *report, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_text(&w, "service", visit->target.name);
	jsonw_text(&w, "candidate", visit->release->candidate);
	jsonw_text(&w, "stable", visit->release->stable);
	print_serving(visit, &w);
	jsonw_array(&w, "findings");
	for (size_t i = 0; i < report->n; i++)
		print_finding(&w, &report->finding[i]);
	jsonw_end(&w, ']');
	jsonw_bool(&w, "ready", is_ready(visit, report));
	jsonw_int(&w, "fails", (int64_t)report->counts[FINDING_FAIL]);
	jsonw_int(&w, "warnings", (int64_t)all_warnings(visit, report));
	jsonw_int(&w, "exit", visit->status);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

static void print_summary(const struct visit *visit,
	const struct preflight_report *report, struct buf *out)
{
	buf_addf(out,
		"### %s: %s for a rollout\n\n| | what | name | detail |\n"
		"| --- | --- | --- | --- |\n",
		visit->target.service,
		is_ready(visit, report) ? "ready" : "not ready");
	for (size_t i = 0; i < report->n; i++) {
		const struct finding *f = &report->finding[i];

		buf_addf(out, "| %s | %s | ", finding_name(f->kind), f->what);
		escape_markdown(out, f->name);
		buf_adds(out, " | ");
		escape_markdown(out, f->detail);
		if (*f->remedy) {
			buf_adds(out, "<br>&rarr; ");
			escape_markdown(out, f->remedy);
		}
		buf_adds(out, " |\n");
	}
	buf_addc(out, '\n');
}

static void print(struct visit *visit, const struct preflight_report *report)
{
	struct buf out;

	buf_init(&out, OUTPUT_BYTES_MAX);
	if (visit->args->format == FORMAT_JSON)
		print_json(visit, report, &out);
	else
		print_text(visit, report, &out);
	redact(&out);
	output_write(stdout, &out);
	buf_clear(&out);
	print_summary(visit, report, &out);
	redact(&out);
	github_append("GITHUB_STEP_SUMMARY", &out);
	buf_fini(&out);
}

static void examined(const struct preflight_report *report, void *arg)
{
	struct visit *visit = arg;

	visit->status = is_ready(visit, report) ? 0 : STATUS_NOT_READY;
	visit->service = preflight_take_service(visit->preflight);
	print(visit, report);
	loop_stop(visit->world.loop);
}

/* ---- the world ---- */

/* No file is no trouble: the first rollout makes it. */
static void open_state(struct visit *visit)
{
	visit->state_path = visit->args->state ? xstrdup(visit->args->state)
					       : store_default_path();
	if (*visit->state_path && access(visit->state_path, F_OK) != 0)
		return;
	visit->store =
		store_open(visit->state_path, STORE_LOOK, &visit->state_err);
	visit->state_is_bad =
		!visit->store && visit->state_err.code != ERR_NOT_FOUND;
}

static int open_world(struct visit *visit, struct err *err_r)
{
	struct world_options options = {
		.project = visit->target.project,
		.region = visit->target.region,
		.credentials_err_r = &visit->credentials_err,
	};

	open_state(visit);
	options.store = visit->store;
	return world_open(&visit->world, &options, err_r);
}

static void close_world(struct visit *visit)
{
	preflight_free(&visit->preflight);
	service_free(&visit->service);
	release_free(&visit->release);
	world_close(&visit->world);
	store_free(&visit->store);
	xfree(&visit->state_path);
	arena_fini(&visit->arena);
}

/* ---- in order ---- */

static int examine(struct visit *visit, struct err *err_r)
{
	char who[CONTEXT_NAME_MAX];
	struct rollout none;
	struct release_wish wish = {
		.candidate = visit->args->candidate,
		.adopt = visit->args->adopt,
		.again = visit->args->again,
	};
	struct preflight_what what = {
		.parts = PREFLIGHT_OF_CHECK,
		.state = &none,
		.tries_max = 1,
		.state_path = visit->state_path,
		.state_err = visit->state_is_bad ? &visit->state_err : NULL,
		.credentials_err = visit->world.credentials
					   ? NULL
					   : &visit->credentials_err,
	};

	if (context_who(visit->store, visit->args->as, who, err_r) < 0)
		return -1;
	visit->release = release_new(
		visit->policy, visit->target.name, who, &wish, err_r);
	if (!visit->release)
		return -1;
	snprintf(visit->release->id, sizeof(visit->release->id), "check");
	rollout_init(&none);
	what.release = visit->release;
	visit->preflight =
		preflight_start(&visit->world, &what, examined, visit);
	if (loop_run(visit->world.loop, err_r) < 0)
		return -1;
	if (visit->status < 0)
		return err_set(err_r, ERR_INTERNAL,
			"the loop ended before the look did");
	return visit->status;
}

int check_live(const struct check_live_args *args, const char *service,
	struct err *err_r)
{
	struct visit visit = {.args = args,
		.target = {.project = args->project,
			.region = args->region,
			.service = service},
		.status = -1};
	struct policy *policy =
		context_policy_warned(args->policy, &visit.target, err_r);
	int status = -1;

	if (!policy)
		return -1;
	visit.policy = policy;
	context_take_policy(&visit.target, policy);
	arena_init(&visit.arena);
	if (context_resolve(&visit.target, &visit.arena, err_r) == 0 &&
		open_world(&visit, err_r) == 0)
		status = examine(&visit, err_r);
	close_world(&visit);
	policy_free(&policy);
	return status;
}
