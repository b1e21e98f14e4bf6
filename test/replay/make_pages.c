/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a report of each way in which a rollout ends, for the browser to look
 * at, and what the daemon would show of it: make_pages REPORTS SERVED. The driver is the real one, on the virtual clock, so
 * that pages are the same to the last byte each time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_counters.h"
#include "report/gameday_page.h"
#include "report/report.h"
#include "scenario.h"
#include "served_pages.h"

#define PATH_BYTES 4096

/* Compared with stable; two deeds to undo, a hook; bob decides. */
static const char steps[] =
	"steps:\n"
	"  - {percent: 10, bake: 4m}\n"
	"  - {percent: 50, bake: 4m, approval:\n"
	"     {approvers: [bob, carol], minimum: 1, timeout: 20m}}\n"
	"  - {percent: 100, bake: 4m}\n"
	"settle: 10s\n"
	"hold_timeout: 10m\n"
	"hooks: {step_passed: [{name: tell, type: exec,\n"
	"  command: [act, tell]}]}\n"
	"rollback:\n"
	"  - {name: purge-cache, type: exec, command: [act, purge]}\n"
	"  - {name: flag-off, type: exec, command: [act, flag]}\n";

/* The first deed is what the others need. */
static const char strict[] =
	"steps: [{percent: 20, bake: 4m}, {percent: 100, bake: 4m}]\n"
	"settle: 10s\n"
	"rollback:\n"
	"  - {name: purge-cache, type: exec, command: [act, purge],\n"
	"     on_failure: stop}\n"
	"  - {name: flag-off, type: exec, command: [act, flag]}\n";

static const char slos[] =
	"slos:\n"
	"  - {name: error-rate, query: 'errors{r=\"{{candidate}}\"}',\n"
	"     window: 30s, interval: 15s, max: 2%, min_passes: 3,\n"
	"     fail_after: {breaches: 2, of: 3}}\n"
	"  - {name: latency-p95, query: 'latency{r=\"{{revision}}\"}',\n"
	"     window: 30s, interval: 15s, compare: stable, max_ratio: 1.5,\n"
	"     no_baseline: skip, max: 500ms, min_passes: 3,\n"
	"     fail_after: {breaches: 2, of: 3}}\n";

static const char plain[] = "steps:\n"
			    "  - {percent: 10, bake: 4m}\n"
			    "  - {percent: 100, bake: 4m}\n"
			    "settle: 10s\n"
			    "hold_timeout: 10m\n";

static const char gradual[] = "steps:\n"
			      "  - {percent: 10, bake: 10m}\n"
			      "  - {percent: 50, bake: 10m}\n"
			      "  - {percent: 100, bake: 10m}\n"
			      "settle: 0s\n";

/* Where there is no control people decide. */
static const char slo_of_people[] =
	"evidence: {history: 1h, without_control: hold}\n"
	"slos:\n"
	"  - {name: errors, kind: evidence, objective: 1%,\n"
	"     total: 'http_requests_total{revision=\"{{revision}}\"}',\n"
	"     bad: 'http_requests_total{revision=\"{{revision}}\",\n"
	"       code=\"500\"}'}\n";

/* ---- stories ---- */

/* Values move a little, so that lines are lines. */
static void begin(void)
{
	given_policy(steps, slos, NULL);
	errors_of(FAKE_NEW, 0.004);
	fake_metrics_say("latency{r=\"" FAKE_STABLE, SAYS_VALUE, 0.21);
	fake_metrics_say("latency{r=\"" FAKE_NEW, SAYS_VALUE, 0.23);
	run();
	until_step(0);
	until(fake_now() + MINUTE);
	errors_of(FAKE_NEW, 0.0062);
	fake_metrics_say("latency{r=\"" FAKE_NEW, SAYS_VALUE, 0.252);
}

static void promoted(void)
{
	begin();
	until_phase(PHASE_AWAITING_APPROVAL);
	until(fake_now() + 2 * MINUTE);
	fake_store_command("approve", "bob", "dashboards look fine", -1);
	until_the_end();
}

static void rolled_back(void)
{
	begin();
	until_phase(PHASE_AWAITING_APPROVAL);
	approve("carol");
	until_step(1);
	until(fake_now() + MINUTE);
	fake_metrics_say("latency{r=\"" FAKE_NEW, SAYS_VALUE, 0.738);
	until_the_end();
}

static void rolled_back_by_evidence(void)
{
	given_policy(gradual, "pace: evidence\n", slo_counted, NULL);
	fake_counters_open(50);
	fake_counters_errors(FAKE_NEW, 0.01);
	run();
	until_the_end();
}

static void promoted_by_evidence(void)
{
	given_policy(gradual, "pace: evidence\n", slo_counted, NULL);
	fake_counters_open(50);
	run();
	until_the_end();
}

/* At 100 % there is nothing to compare with: stable is asked. */
static void stepped_back(void)
{
	given_policy(gradual, "pace: evidence\n", slo_counted, NULL);
	fake_counters_open(50);
	run();
	until_step(2);
	until(fake_now() + MINUTE);
	fake_counters_errors(FAKE_NEW, 0.2);
	until_step(0);
	fake_counters_errors(FAKE_NEW, 0.001);
	until(fake_now() + 3 * MINUTE);
}

static void held_without_control(void)
{
	given_policy(gradual, slo_of_people, NULL);
	fake_counters_open(50);
	run();
	until_step(2);
	until(fake_now() + MINUTE);
	fake_counters_errors(FAKE_NEW, 0.2);
	until_phase(PHASE_HELD);
	until(fake_now() + MINUTE);
}

/* Stable is no control when it has trouble itself. */
static void held_by_stable(void)
{
	given_policy(gradual, "pace: evidence\n", slo_counted, NULL);
	fake_counters_open(50);
	run();
	until_step(1);
	fake_counters_errors(FAKE_NEW, 0.03);
	fake_counters_errors(FAKE_STABLE, 0.03);
	until_phase(PHASE_HELD);
	until(fake_now() + MINUTE);
}

static void aborted(void)
{
	begin();
	until(fake_now() + MINUTE);
	fake_store_command(
		"abort", "bob", "customers call: checkout is slow", -1);
	until_the_end();
}

static void refused(void)
{
	given_policy(plain, slo_errors,
		"preflight:\n"
		"  - {name: smoke, type: exec, command: [act, smoke]}\n",
		NULL);
	fake_deed_fails("smoke", false);
	run();
	until_the_end();
}

static void rollback_failed(void)
{
	given_policy(strict, slo_errors, NULL);
	fake_deed_fails("purge", false);
	run();
	until_step(0);
	until(fake_now() + MINUTE);
	errors_of(FAKE_NEW, 0.31);
	until_the_end();
}

/* Nobody approves: held, and then taken back. */
static void expired(void)
{
	begin();
	until_the_end();
}

static void stopped(void)
{
	begin();
	fake_run_foreign("shop-1=60 shop-2=40");
	until_the_end();
}

/* No answer for a while: the chart has a gap; then it waits for bob. */
static void waiting(void)
{
	begin();
	metrics_of(FAKE_NEW, SAYS_NOTHING);
	until(fake_now() + MINUTE);
	errors_of(FAKE_NEW, 0.0051);
	fake_metrics_say("latency{r=\"" FAKE_NEW, SAYS_VALUE, 0.24);
	until_phase(PHASE_AWAITING_APPROVAL);
	until(fake_now() + MINUTE);
}

/* ---- what strangers write ---- */

static const char hostile[] =
	"\"><script>window.owned=1</script><img src=x "
	"onerror=\"window.owned=1\">'</td></table></style>"
	"<a href=javascript:alert(1)>\xe2\x80\xaex\xc2\xa0&lt;`|[a](b) "
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"\x1b[31m\r\nsecond line";

static void spoil_rows(struct report *report)
{
	size_t i;

	for (i = 0; i < report->actions.n; i++) {
		report->actions.item[i].name = hostile;
		report->actions.item[i].type = hostile;
		report->actions.item[i].detail = hostile;
	}
	for (i = 0; i < report->people.n; i++) {
		report->people.item[i].who = hostile;
		report->people.item[i].verb = hostile;
		report->people.item[i].comment = hostile;
	}
	for (i = 0; i < report->data.lines.n; i++) {
		report->data.lines.item[i].what = hostile;
		report->data.lines.item[i].text = hostile;
	}
	for (i = 0; i < report->data.checks.n; i++)
		report->data.checks.item[i].text = hostile;
}

/* In every text of a report, also where the loaders would refuse it. */
static void spoil(struct report *report)
{
	struct policy *policy = (struct policy *)report->data.policy;
	struct rollout *state = &report->fold.state;
	size_t i, role;

	report->row.service = report->row.candidate = report->row.stable =
		hostile;
	report->row.id = report->row.starter = hostile;
	report->row.policy_name = report->row.policy_digest = hostile;
	report->table_before = report->table_after = hostile;
	snprintf(state->reason, sizeof(state->reason), "%s", hostile);
	for (i = 0; i < policy->n_slos; i++) {
		policy->slos[i].name = hostile;
		for (role = 0; role < QUERY_ROLES; role++)
			report->data.query[i][role] = hostile;
	}
	spoil_rows(report);
}

/* ---- pages ---- */

static const struct {
	const char *name;
	void (*play)(void);
	bool is_served; /* looked at as the daemon shows it, too */
	bool is_spoilt;
	const char
		*day; /* its page of a game day on which it was the bad one */
} stories[] = {
	{"promoted", promoted},
	{"promoted-by-evidence", promoted_by_evidence, true},
	{"rolled-back", rolled_back, .day = "gameday"},
	{"rolled-back-by-evidence", rolled_back_by_evidence},
	{"stepped-back", stepped_back},
	{"held-without-control", held_without_control},
	{"held-by-stable", held_by_stable},
	{"aborted", aborted},
	{"refused", refused},
	{"rollback-failed", rollback_failed, true},
	{"expired", expired},
	{"stopped", stopped},
	{"waiting", waiting, true},
	{"hostile", rolled_back, true, true, "gameday-hostile"},
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "make_pages: %s\n", what);
	exit(1);
}

static void write_text(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "w");

	must(file, path);
	must(!out->overflow, "a page is too large");
	must(fwrite(out->data, 1, out->len, file) == out->len, path);
	must(fclose(file) == 0, path);
	buf_fini(out);
}

static void write_page(const char *path, const struct report *report)
{
	struct buf out;

	buf_init(&out, REPORT_BYTES_MAX);
	report_write(report, PAGE_HTML, &out);
	write_text(path, &out);
}

/* `text` NULL: what a day says. */
static void write_day(
	const char *path, const struct report *report, const char *text)
{
#define SAYS(usual) (text ? text : (usual))
	const struct gameday_story story = {
		.service = SAYS("shop"),
		.policy = SAYS("staging"),
		.who = SAYS("alice"),
		.stable = SAYS("shop-1"),
		.began_ms = report->row.started_ms,
		.met = !text,
		.hypothesis = SAYS("shop-2 is taken back within 3m, with every "
				   "action of the rollback done, and shop-3 is "
				   "promoted."),
		.steady = SAYS("shop-1 held all traffic, all SLOs passed."),
		.users = SAYS("Of 12000 requests 31 failed."),
		.left = SAYS("shop-3 holds all traffic"),
		.bad = {SAYS("shop-2"), "rolled-back", SAYS("rolled-back"),
			SAYS("error-rate: 0.2 > max 0.01"), report},
		.good = {SAYS("shop-3"), "promoted", SAYS("promoted"),
			SAYS("every step has passed"), NULL},
		.figure = {{"the bad revision", SAYS("rolled-back"),
				   "rolled-back", true},
			{"users back on stable after", SAYS("1m12s"), "3m",
				!text}},
		.n_figures = 2,
		.surprise = {SAYS("it took 3 looks until the steady state was "
				  "seen")},
		.n_surprises = 1,
	};
	struct buf out;

	buf_init(&out, REPORT_BYTES_MAX);
	gameday_page_write(&story, PAGE_HTML, &out);
	write_text(path, &out);
}

static void make(const char *folder, const char *served, size_t story)
{
	struct report *report;
	char path[PATH_BYTES];
	struct err err;

	scenario_open(1);
	stories[story].play();
	report = report_load(NULL, fake_store_newest(), policy_given(), &err);
	must(report, "a report was not read");
	if (is_driven())
		report->driver = SUMMARY_DRIVEN;
	if (stories[story].is_spoilt)
		spoil(report);
	snprintf(path, sizeof(path), "%s/%s.html", folder, stories[story].name);
	write_page(path, report);
	snprintf(path, sizeof(path), "%s/%s.html", folder,
		stories[story].day ? stories[story].day : "");
	if (stories[story].day)
		write_day(path, report,
			stories[story].is_spoilt ? hostile : NULL);
	if (stories[story].is_served)
		served_rollout(served, stories[story].name, report);
	report_free(&report);
	scenario_close();
}

int main(int argc, char **argv)
{
	size_t i;

	must(argc == 3, "usage: make_pages REPORTS SERVED");
	for (i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		make(argv[1], argv[2], i);
	served_rest(argv[2]);
	return 0;
}
