/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a game day comes to: figures beside their limits, what was not expected,
 * the report, the result. See gameday.h.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "cli/gameday.h"
#include "cli/output.h"
#include "io/clock.h"
#include "io/file.h"
#include "report/timeline_data.h"

#define NEARLY 0.8 /* of a limit: that is worth knowing */

/* ---- figures ---- */

static void add_figure(struct gameday *day, const char *what,
	const char *measured, const char *limit, bool met)
{
	struct gameday_story *story = &day->story;

	if (story->n_figures == GAMEDAY_FIGURES_MAX)
		return;
	story->figure[story->n_figures++] = (struct gameday_figure){what,
		arena_strdup(&day->arena, measured),
		arena_strdup(&day->arena, limit), met};
	story->met = story->met && met;
}

static void figure_outcome(struct gameday *day, const char *what,
	const struct gameday_result *result, const char *wanted)
{
	const char *outcome = !result->revision  ? "not released"
			      : *result->outcome ? result->outcome
						 : "no end was told";

	add_figure(day, what, outcome, wanted, !strcmp(outcome, wanted));
}

/* From the first users on the bad revision until it has none. */
static void figure_time(struct gameday *day)
{
	const struct gameday_result *bad = &day->bad_result;
	int64_t within_ms = day->args->within_ms;
	int64_t took_ms = bad->back_ms - bad->exposed_ms;
	char took[DURATION_TEXT_MAX], limit[DURATION_TEXT_MAX];
	bool back = bad->exposed_ms && bad->back_ms;

	duration_print(within_ms, limit);
	if (!back) {
		add_figure(day, "users back on stable after",
			bad->exposed_ms ? "not at all" : "it never had users",
			limit, false);
		return;
	}
	duration_print(took_ms, took);
	add_figure(day, "users back on stable after", took, limit,
		took_ms <= within_ms && !bad->cut);
	if (took_ms <= within_ms &&
		(double)took_ms > NEARLY * (double)within_ms)
		gameday_surprise(day,
			"the rollback took %s, more than four fifths of the %s "
			"that it may",
			took, limit);
}

/* An action may be meant for other reasons than an SLO. */
static bool is_meant(
	const struct policy *policy, enum action_list list, const char *name)
{
	for (size_t i = 0; i < policy->lists[list].n; i++)
		if (!strcmp(policy->lists[list].item[i].name, name))
			return true;
	return false;
}

static void figure_actions(struct gameday *day)
{
	static const enum action_list lists[] = {LIST_ROLLBACK, LIST_HEALTH};
	const struct report *report = day->story.bad.report;
	size_t done = 0, wanted = 0;

	for (size_t l = 0; l < sizeof(lists) / sizeof(*lists); l++)
		wanted += day->policy->lists[lists[l]].n;
	for (size_t i = 0; report && i < report->actions.n; i++) {
		const struct report_action *a = &report->actions.item[i];
		bool good =
			a->result == ACTION_OK || a->result == ACTION_SKIPPED;

		if (good && a->list != LIST_PREFLIGHT &&
			is_meant(day->policy, a->list, a->name) &&
			(a->list == LIST_ROLLBACK || a->list == LIST_HEALTH))
			done++;
		if (!good)
			gameday_surprise(day, "%s (%s), attempt %d: %s: %s",
				a->name, a->type, a->attempt,
				action_result_name(a->result), a->detail);
	}
	add_figure(day, "actions of the rollback done",
		arena_printf(&day->arena, "%zu", done),
		arena_printf(&day->arena, "%zu", wanted),
		done == wanted && !day->bad_result.actions_failed);
}

/* ---- what else there was ---- */

static void tell_users(struct gameday *day)
{
	const struct report *report = day->story.bad.report;
	struct timeline_figures figures;
	char had[DURATION_TEXT_MAX];

	if (!report) {
		day->story.users = "The bad revision had none.";
		return;
	}
	timeline_figure_out(&report->data, &figures);
	timeline_length(figures.exposed_ms, had);
	if (day->load.requests)
		day->story.users = arena_printf(&day->arena,
			"The bad revision had users for %s, %d %% of them at "
			"most. Of the %lld requests of the day's own load "
			"%lld failed.",
			had, figures.highest, (long long)day->load.requests,
			(long long)day->load.failed);
	else if (isfinite(figures.requests) && isfinite(figures.bad))
		day->story.users = arena_printf(&day->arena,
			"The bad revision had users for %s, %d %% of them at "
			"most. Its SLOs counted %.0f requests to it, of which "
			"%.0f failed.",
			had, figures.highest, figures.requests, figures.bad);
	else
		day->story.users = arena_printf(&day->arena,
			"The bad revision had users for %s, %d %% of them at "
			"most. How many requests failed is not known: no SLO "
			"of "
			"the policy counts them (kind evidence does).",
			had, figures.highest);
	if (day->policy->n_steps &&
		figures.highest > day->policy->steps[0].percent)
		gameday_surprise(day,
			"the bad revision got to %d %%: nobody saw it at %d %%",
			figures.highest, day->policy->steps[0].percent);
}

static void surprise_of(struct gameday *day, const char *what,
	const struct gameday_result *result)
{
	if (!result->revision)
		return;
	if (result->holds)
		gameday_surprise(day,
			"the release of the %s revision was held "
			"%d time%s",
			what, result->holds, result->holds == 1 ? "" : "s");
	if (result->cut)
		gameday_surprise(day,
			"the %s revision had to be taken back by "
			"hand",
			what);
	if (!*result->outcome)
		gameday_surprise(day,
			"tidegate run of the %s revision ended with %d and "
			"told nothing",
			what, result->exit_status);
}

static void find_surprises(struct gameday *day)
{
	if (day->steady_looks > 1)
		gameday_surprise(day,
			"it took %d looks until the steady state was seen",
			day->steady_looks);
	surprise_of(day, "bad", &day->bad_result);
	surprise_of(day, "good", &day->good_result);
	if (gameday_was_stopped())
		gameday_surprise(day, "the day was ended by a signal");
}

/* ---- the report ---- */

static void fill_release(struct gameday_release *release,
	const struct gameday_result *result, const char *wanted)
{
	release->revision = result->revision;
	release->wanted = wanted;
	release->came = *result->outcome ? result->outcome : NULL;
	release->reason = *result->reason ? result->reason : NULL;
}

static struct report *load(struct gameday *day, struct store *store,
	const struct gameday_result *result)
{
	struct report *report;
	struct err err;

	if (!result->revision || !*result->rollout)
		return NULL;
	report = report_load(store, result->rollout, day->policy, &err);
	if (!report)
		gameday_surprise(day, "the journal of %s cannot be read: %s",
			result->rollout, err.text);
	return report;
}

static void fill_story(struct gameday *day)
{
	struct gameday_story *story = &day->story;
	char within[DURATION_TEXT_MAX];

	story->service = day->target.service;
	story->policy = day->policy->name;
	story->who = day->who;
	story->stable = day->stable;
	story->met = true;
	story->hypothesis = arena_printf(&day->arena,
		"%s is taken back within %s, with every action of the rollback "
		"done, and %s is promoted.",
		day->bad, duration_print(day->args->within_ms, within),
		day->good);
	story->steady = arena_printf(&day->arena,
		"%s held all traffic, all SLOs passed, and both revisions "
		"could be released.",
		day->stable);
	fill_release(&story->bad, &day->bad_result, "rolled-back");
	fill_release(&story->good, &day->good_result, "promoted");
	figure_outcome(
		day, "the bad revision", &day->bad_result, "rolled-back");
	figure_time(day);
	figure_actions(day);
	figure_outcome(day, "the good revision", &day->good_result, "promoted");
	tell_users(day);
	find_surprises(day);
}

static int write_page(const struct gameday *day, enum page_format format,
	const char *suffix, struct err *err_r)
{
	char *path = xasprintf("%s%s", day->args->output, suffix);
	struct buf text;
	int rc;

	buf_init(&text, REPORT_BYTES_MAX);
	gameday_page_write(&day->story, format, &text);
	if (text.overflow)
		rc = err_set(err_r, ERR_LIMIT,
			"the report is larger than %d bytes", REPORT_BYTES_MAX);
	else
		rc = file_replace(path, &text, err_r);
	buf_fini(&text);
	free(path);
	return rc;
}

static int write_pages(const struct gameday *day, struct err *err_r)
{
	if (!day->args->output)
		return 0;
	if (write_page(day, PAGE_MARKDOWN, ".md", err_r) < 0)
		return -1;
	return write_page(day, PAGE_HTML, ".html", err_r);
}

/* ---- the result ---- */

static void print_result(const struct gameday *day, struct buf *out)
{
	const struct gameday_story *story = &day->story;

	for (size_t i = 0; i < story->n_figures; i++) {
		const struct gameday_figure *f = &story->figure[i];

		buf_addf(out, "%s %s: %s (%s)\n",
			f->met ? "met    " : "NOT MET", f->what, f->measured,
			f->limit);
	}
	for (size_t i = 0; i < story->n_surprises; i++)
		buf_addf(out, "surprise: %s\n", story->surprise[i]);
	buf_addf(out, "%s: the gate %s what it is for; %s\n", story->service,
		story->met ? "did" : "did not do", story->left);
}

static void print_json(const struct gameday *day, struct buf *out)
{
	const struct gameday_story *story = &day->story;
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_text(&w, "event", "gameday");
	jsonw_text(&w, "service", day->target.name);
	jsonw_bool(&w, "met", story->met);
	jsonw_array(&w, "figures");
	for (size_t i = 0; i < story->n_figures; i++) {
		jsonw_object(&w, NULL);
		jsonw_text(&w, "what", story->figure[i].what);
		jsonw_text(&w, "measured", story->figure[i].measured);
		jsonw_text(&w, "limit", story->figure[i].limit);
		jsonw_bool(&w, "met", story->figure[i].met);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_array(&w, "surprises");
	for (size_t i = 0; i < story->n_surprises; i++)
		jsonw_text(&w, NULL, story->surprise[i]);
	jsonw_end(&w, ']');
	jsonw_int(&w, "requests", day->load.requests);
	jsonw_int(&w, "failed", day->load.failed);
	jsonw_text(&w, "left", story->left);
	jsonw_int(&w, "exit", story->met ? 0 : 1);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

int gameday_tell(struct gameday *day, struct err *err_r)
{
	struct store *store = context_store(day->state, STORE_LOOK, err_r);
	struct report *bad, *good;
	struct buf out;
	int rc;

	if (!store)
		return -1;
	bad = load(day, store, &day->bad_result);
	good = load(day, store, &day->good_result);
	day->story.bad.report = bad;
	day->story.good.report = good;
	fill_story(day);
	rc = write_pages(day, err_r);
	buf_init(&out, OUTPUT_BYTES_MAX);
	if (day->args->format == FORMAT_JSON)
		print_json(day, &out);
	else
		print_result(day, &out);
	output_write(stdout, &out);
	buf_fini(&out);
	report_free(&bad);
	report_free(&good);
	store_free(&store);
	return rc < 0 ? -1 : day->story.met ? 0 : 1;
}
