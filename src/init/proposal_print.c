/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a proposed policy; see proposal.h. Names of metrics and labels were
 * looked at by find.c, the target's by the command line: what else comes from
 * outside is quoted by add_quoted.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "init/proposal.h"

/* What editors look for in the first line. */
#define SCHEMA_LINE "# yaml-language-server: $schema=policy.schema.json"

#define CRITICAL_TIMES 10
#define CRITICAL_USUAL 6 /* 30 %, of a usual limit */
#define CRITICAL_LEAST 0.1
#define CRITICAL_MOST  0.9
#define OBJECTIVE_SLOW 5 /* percent of requests slower than the bound */
#define COLUMNS        88
#define COMMENT_MAX    16384
#define SHOWN_MAX      40

/* ---- pieces ---- */

/* "text" as YAML has it. */
static void add_quoted(struct buf *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	buf_addc(out, '"');
	for (; *p; p++) {
		if (*p < ' ' || *p == 0x7f) {
			buf_addf(out, "\\x%02x", *p);
			continue;
		}
		if (*p == '"' || *p == '\\')
			buf_addc(out, '\\');
		buf_addc(out, (char)*p);
	}
	buf_addc(out, '"');
}

#define JOINT '\1' /* a blank that no line is broken at */

static void add_word(struct buf *out, const char *text, int len)
{
	buf_addc(out, ' ');
	for (; len; len--, text++)
		buf_addc(out, *text == JOINT ? ' ' : *text);
}

/* The text as a comment, broken between its words. */
static void add_wrapped(struct buf *out, int indent, const char *text)
{
	int column = 0, len;

	for (; *text; text += len + (text[len] == ' ')) {
		len = (int)strcspn(text, " ");
		if (!column || column + 1 + len > COLUMNS) {
			buf_addf(out, "%s%*s#", column ? "\n" : "", indent, "");
			column = indent + 1;
		}
		add_word(out, text, len);
		column += 1 + len;
	}
	buf_addc(out, '\n');
}

static void PRINTFLIKE(3, 4)
	comment(struct buf *out, int indent, const char *fmt, ...)
{
	char text[COMMENT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	add_wrapped(out, indent, text);
}

static void add_percent(struct buf *out, double share)
{
	buf_addf(out, "%.3g%%", share * 100);
}

/* Whole milliseconds, as the limit of a policy. */
static void add_seconds(struct buf *out, double seconds)
{
	duration_add(out, (int64_t)(seconds * 1000 + 0.5));
}

/* Three digits for people, whole numbers where there are more. */
static const char *shown(double number, char text[SHOWN_MAX])
{
	snprintf(text, SHOWN_MAX, number >= 100 ? "%.0f" : "%.3g", number);
	return text;
}

/* A value of an SLO: a share, or seconds. */
static const char *shown_value(
	double value, bool is_share, char text[SHOWN_MAX])
{
	char number[SHOWN_MAX];

	snprintf(text, SHOWN_MAX, "%.20s%c%s",
		shown(is_share      ? value * 100
			: value < 1 ? value * 1000
				    : value,
			number),
		JOINT,
		is_share    ? "%"
		: value < 1 ? "ms"
			    : "s");
	return text;
}

/* ---- the head ---- */

/* What to do next, with what was measured. */
static void print_commands(const struct proposal *p, struct buf *out)
{
	buf_addf(out,
		"#\n"
		"#   tidegate check FILE                     what it does\n"
		"#   tidegate check --live %s --policy FILE  could it run?\n",
		p->service);
	if (p->traffic.usual > 0 && p->errors.week.median > 0)
		buf_addf(out,
			"#   tidegate plan --policy FILE --rate %.3g/s --base "
			"%.3g%%  what would it find?\n",
			p->traffic.usual, p->errors.week.median * 100);
	buf_adds(out, "#   tidegate check --schema >policy.schema.json"
		      "  for editors\n");
}

static void print_head(const struct proposal *p, struct buf *out)
{
	char days[WEEK_SPAN_MAX];

	buf_adds(out, SCHEMA_LINE "\n");
	if (p->traffic.days > 0)
		comment(out, 0,
			"How %s is released: proposed by tidegate init on %s, "
			"from %s of its own metrics. Each comment says "
			"why.",
			p->service, p->when,
			week_span_print(p->traffic.days, days));
	else
		comment(out, 0,
			"How %s is released: proposed by tidegate init on %s, "
			"without figures of its own to look at: limits are "
			"usual ones. Each comment says why.",
			p->service, p->when);
	print_commands(p, out);
	buf_addf(out,
		"version: 1\nname: %s\n\ntarget:\n  project: %s\n  region: %s\n"
		"  service: %s\n",
		p->service, p->project, p->region, p->service);
}

static void print_metrics(const struct proposal *p, struct buf *out)
{
	buf_adds(out, "\nmetrics:\n");
	if (p->is_managed) {
		comment(out, 2,
			"Cloud Run's own metrics, of Cloud Monitoring: a "
			"sample a minute, up to three minutes late. It takes "
			"roles/monitoring.viewer.");
		buf_adds(out, "  provider: google\n");
		return;
	}
	buf_adds(out, "  url: ");
	add_quoted(out, p->url);
	buf_addc(out, '\n');
	if (p->token_file) {
		buf_adds(out, "  auth: {type: bearer, token_file: ");
		add_quoted(out, p->token_file);
		buf_adds(out, "}\n");
	}
	buf_adds(out, "  timeout: 10s\n");
}

/* ---- steps ---- */

static void print_pace_reason(const struct proposal *p, struct buf *out)
{
	const struct pace *pace = &p->pace;
	char usual[SHOWN_MAX], quiet[SHOWN_MAX], expected[SHOWN_MAX];
	char window[DURATION_TEXT_MAX];

	if (!(p->traffic.days > 0)) {
		comment(out, 0,
			"How much traffic there is is not known. At %d %% a "
			"check needs %s requests a second of the whole "
			"service: with fewer begin with a higher percent.",
			pace->step[0].percent,
			shown(pace->requests_min * 100000.0 /
					(double)pace->window_ms /
					pace->step[0].percent,
				usual));
		return;
	}
	comment(out, 0,
		"%s has %s requests a second, %s in quiet hours (the lowest "
		"tenth). At %d %% the candidate then has %s of them in a "
		"window of %s%s",
		p->service, shown(p->traffic.usual, usual),
		shown(p->traffic.quiet, quiet), pace->step[0].percent,
		shown(pace->expected, expected),
		duration_print(pace->window_ms, window),
		!pace->is_thin ? "."
		: p->is_evidence
			? ", which is little: it takes long to be sure."
			: ", which is little: a check sees gross failures "
			  "only. tidegate init --kind evidence needs fewer.");
}

static void print_steps(const struct proposal *p, struct buf *out)
{
	const struct pace *pace = &p->pace;

	buf_addc(out, '\n');
	print_pace_reason(p, out);
	comment(out, 0,
		"%s While it bakes at 100 %% a breach still takes everything "
		"back.",
		p->is_evidence ? "Each step ends when there is evidence that "
				 "it may; bake is its longest time."
			       : "Each step settles, then bakes: all SLOs must "
				 "look good for that long, and pass three "
				 "times.");
	if (p->is_evidence)
		buf_adds(out, "pace: evidence\n");
	buf_adds(out, "steps:\n");
	for (size_t i = 0; i < pace->n; i++) {
		buf_addf(
			out, "  - {percent: %d, bake: ", pace->step[i].percent);
		duration_add(out, pace->step[i].bake_ms);
		buf_adds(out, "}\n");
	}
}

/* ---- what was seen ---- */

static void print_usual(
	const struct proposed_limit *limit, bool is_share, struct buf *out)
{
	char days[WEEK_SPAN_MAX], high[SHOWN_MAX];

	if (!limit->week.n) {
		comment(out, 2,
			"A usual limit, not this service's own: look at its "
			"figures of a week, or run tidegate init again when "
			"there are some.");
		return;
	}
	comment(out, 2,
		"A usual limit, not this service's own: there are %zu windows "
		"in %s, the highest with %s. It takes %d windows and a "
		"day: run tidegate init --force again then.",
		limit->week.n, week_span_print(limit->week.days, days),
		shown_value(limit->week.high, is_share, high),
		WEEK_WINDOWS_MIN);
}

static void print_raised(const struct proposal *p,
	const struct proposed_limit *limit, bool is_share, struct buf *out)
{
	char requests[SHOWN_MAX];

	if (!is_share)
		comment(out, 2,
			"It is not lower, since a quarter more than usual is "
			"no reason to take a release back.");
	else if (limit->chance)
		comment(out, 2,
			"It is not lower, since a good candidate with %s "
			"requests in a window has up to %d failure%s by "
			"chance, but for one window in 500.",
			shown(p->pace.expected, requests), limit->chance,
			limit->chance == 1 ? "" : "s");
	else
		comment(out, 2,
			"It is not lower: less is no reason to take a release "
			"back.");
}

/* The numbers beside a limit. */
static void print_reason(const struct proposal *p,
	const struct proposed_limit *limit, bool is_share, struct buf *out)
{
	const struct week *week = &limit->week;
	char days[WEEK_SPAN_MAX], median[SHOWN_MAX], p99[SHOWN_MAX];
	char high[SHOWN_MAX], times[WEEK_TIMES_MAX];
	char window[DURATION_TEXT_MAX];

	if (!limit->is_measured) {
		print_usual(limit, is_share, out);
		return;
	}
	comment(out, 2,
		"Stable, %zu windows of %s in %s: half below %s, 99 of "
		"100 below %s, the highest %s. Stable itself would be above "
		"the limit %s.",
		week->n, duration_print(p->pace.window_ms, window),
		week_span_print(week->days, days),
		shown_value(week->median, is_share, median),
		shown_value(week->p99, is_share, p99),
		shown_value(week->high, is_share, high),
		week_times_print(week, limit->value, times));
	if (limit->is_raised)
		print_raised(p, limit, is_share, out);
}

/* ---- SLOs ---- */

static void print_selector(const struct proposal *p,
	const struct found_metric *metric, bool is_cloud, struct buf *out)
{
	struct buf text;

	buf_init(&text, 64 * 1024);
	if (!is_cloud && metric->service)
		buf_addf(&text, "%s=\"{{service}}\"", metric->service);
	if (*p->selector)
		buf_addf(&text, "%s%s", text.len ? "," : "", p->selector);
	if (text.len) {
		buf_adds(out, "      selector: ");
		add_quoted(out, text.data);
		buf_addc(out, '\n');
	}
	buf_fini(&text);
}

/* Which metric it is of. */
static void print_with(const struct proposal *p,
	const struct found_metric *metric, const char *unit, struct buf *out)
{
	bool is_cloud = proposal_is_cloud_run(p, metric);

	if (is_cloud && !*p->selector)
		return;
	buf_adds(out, "    with:\n");
	if (!is_cloud) {
		buf_adds(out, "      metric: ");
		add_quoted(out, metric->name);
		buf_addf(out, "\n      revision_label: %s\n", metric->revision);
	}
	if (!is_cloud && metric->kind == FIND_COUNTER)
		buf_addf(out, "      code_label: %s\n      failures: \"%s\"\n",
			metric->code, metric->failures);
	if (!is_cloud && unit)
		buf_addf(out, "      unit: %s\n", unit);
	print_selector(p, metric, is_cloud, out);
}

static void print_times(const struct proposal *p, struct buf *out)
{
	buf_adds(out, "    window: ");
	duration_add(out, p->pace.window_ms);
	buf_adds(out, "\n    interval: ");
	duration_add(out, p->pace.interval_ms);
	buf_addf(out,
		"\n    fail_after: {breaches: 3, of: 4}\n    min_passes: 3\n"
		"    requests: {min: %d}       # fewer are no data, and no "
		"pass\n",
		p->pace.requests_min);
}

static double critical_of(const struct proposed_limit *limit)
{
	double value = limit->value *
		       (limit->is_measured ? CRITICAL_TIMES : CRITICAL_USUAL);

	if (value < CRITICAL_LEAST)
		value = CRITICAL_LEAST;
	return value < CRITICAL_MOST ? value : CRITICAL_MOST;
}

static void print_window_reason(const struct proposal *p, struct buf *out)
{
	char window[DURATION_TEXT_MAX], gap[DURATION_TEXT_MAX];

	if (p->is_evidence)
		return;
	duration_print(p->pace.window_ms, window);
	if (p->gap_ms)
		comment(out, 2,
			"A window of %s holds %lld samples, one every %s. "
			"Three bad checks of four take the release back: one "
			"alone is a hiccup.",
			window, (long long)(p->pace.window_ms / p->gap_ms),
			duration_print(p->gap_ms, gap));
	else
		comment(out, 2,
			"A window of %s is long enough for samples a minute "
			"apart. Three bad checks of four take the release "
			"back: one alone is a hiccup.",
			window);
}

/* With stable at the same time, too. */
static void print_compared(
	const struct proposed_limit *limit, bool is_share, struct buf *out)
{
	if (!(limit->beyond_stable > 0))
		return;
	if (limit->is_measured)
		comment(out, 4,
			"Most of the time stable is far below that: the "
			"candidate is compared with it at the same time, too. "
			"What both have is not the candidate's fault. At 100 "
			"%% max alone decides.");
	else
		comment(out, 4,
			"What stable has at the same time is not the "
			"candidate's fault. At 100 %% max alone decides.");
	buf_adds(out, "    compare: stable\n    no_baseline: skip\n");
	if (!is_share) {
		buf_addf(out, "    max_ratio: %g\n", limit->beyond_stable);
		return;
	}
	buf_adds(out, "    max_increase: ");
	add_percent(out, limit->beyond_stable);
	buf_addc(out, '\n');
}

static void print_errors(const struct proposal *p, struct buf *out)
{
	bool is_cloud = proposal_is_cloud_run(p, p->counter);

	comment(out, 2, "The share of %s that failed: %s=~\"%s\".",
		p->counter->name, p->counter->code, p->counter->failures);
	print_reason(p, &p->errors, true, out);
	print_window_reason(p, out);
	buf_addf(out, "  - use: %s/error-rate\n",
		is_cloud ? "cloud-run" : "http");
	if (p->is_evidence)
		buf_adds(out, "    kind: evidence\n");
	print_with(p, p->counter, NULL, out);
	buf_adds(out, p->is_evidence ? "    objective: " : "    max: ");
	add_percent(out, p->errors.value);
	buf_addc(out, '\n');
	if (p->is_evidence)
		return;
	buf_adds(out, "    critical: ");
	add_percent(out, critical_of(&p->errors));
	buf_adds(out, "              # one check above it reverts at once\n");
	print_compared(&p->errors, true, out);
	print_times(p, out);
}

static void print_latency_reason(const struct proposal *p, struct buf *out)
{
	comment(out, 2,
		"95 of 100 requests are answered within this time, by %s.",
		p->histogram->name);
	print_reason(p, &p->latency, false, out);
	if (p->latency.is_measured && p->quantile > 0.95)
		comment(out, 2,
			"These are stable's %.3gth percentiles: the 95th of "
			"the candidate's fewer requests may lie there by "
			"chance.",
			p->quantile * 100);
}

/* Where the buckets end slower requests cannot be told apart. */
static bool is_beyond(const struct proposal *p)
{
	return p->last_bound > 0 && p->latency.value >= p->last_bound;
}

static void print_latency_slo(const struct proposal *p, struct buf *out)
{
	buf_addf(out, "  - use: %s/latency-p95\n",
		proposal_is_cloud_run(p, p->histogram) ? "cloud-run" : "http");
	if (p->is_evidence)
		buf_adds(out, "    kind: evidence\n");
	print_with(p, p->histogram, p->unit, out);
	if (p->is_evidence)
		buf_addf(out,
			"    objective: %d%%\n    bound: ", OBJECTIVE_SLOW);
	else
		buf_adds(out, "    max: ");
	add_seconds(out, p->latency.value);
	buf_addc(out, '\n');
	if (p->is_evidence)
		return;
	print_compared(&p->latency, false, out);
	print_times(p, out);
}

static void print_latency(const struct proposal *p, struct buf *out)
{
	char last[SHOWN_MAX];

	buf_addc(out, '\n');
	if (!p->histogram) {
		comment(out, 2,
			"No SLO of latency: there is no histogram of how long "
			"requests take, with a label that names the revision.");
	} else if (is_beyond(p)) {
		comment(out, 2,
			"No SLO of latency: the buckets of %s end at %s, and "
			"stable itself comes near that. Give it larger ones, "
			"then run tidegate init again.",
			p->histogram->name,
			shown_value(p->last_bound, false, last));
	} else {
		print_latency_reason(p, out);
		print_latency_slo(p, out);
	}
}

static void print_slos(const struct proposal *p, struct buf *out)
{
	buf_adds(out, "\nslos:\n");
	if (p->is_evidence)
		comment(out, 2,
			"Requests are counted and compared with stable's at "
			"the same time; what fails for both is not the "
			"candidate's fault. What that promises: man "
			"tidegate-evidence.");
	else
		comment(out, 2,
			"These metrics are counters: requests could be counted "
			"and compared with stable's at the same time instead, "
			"which finds a bad release earlier and takes fewer "
			"good ones back: tidegate init --kind evidence.");
	buf_addc(out, '\n');
	print_errors(p, out);
	print_latency(p, out);
}

/* ---- the rest ---- */

static void print_settle(const struct proposal *p, struct buf *out)
{
	buf_addc(out, '\n');
	if (!p->pace.settle_ms) {
		comment(out, 0,
			"Each step settles until a whole window lies after its "
			"shift, since samples are minutes late.");
		return;
	}
	comment(out, 0, "Instances start, the first samples arrive.");
	buf_adds(out, "settle: ");
	duration_add(out, p->pace.settle_ms);
	buf_addc(out, '\n');
}

static void print_tail(const struct proposal *p, struct buf *out)
{
	struct buf url;

	buf_adds(out,
		"on_breach: rollback\n"
		"on_undecided: hold            # too little to tell: wait for "
		"it, or for you\n"
		"hold_timeout: 30m             # then back\n"
		"on_drift: stop                # somebody else changed the "
		"traffic: hands off\n"
		"on_interrupt: rollback\n"
		"finish: as-found\n\n");
	comment(out, 0,
		"The candidate gets a URL of its own and is asked before it "
		"has users: one that does not start is found here. Let the "
		"path be one that needs what users need.");
	buf_init(&url, COMMENT_MAX);
	buf_addf(&url, "{{candidate_url}}%s", p->path);
	buf_adds(out, "tag: candidate\npreflight:\n  - name: smoke\n    type: "
		      "http\n    url: ");
	add_quoted(out, url.data);
	buf_fini(&url);
	buf_adds(out,
		"\n    expect: {status: 200}\n    attempts: 5               "
		"# a cold start may take a moment\n    every: 5s\n"
		"    timeout: 1m\n\n"
		"# Nobody is told of a rollback yet; for instance:\n"
		"#hooks:\n#  rolled_back:\n#    - name: tell\n#      type: "
		"slack\n#      webhook: ${SLACK_WEBHOOK}\n#      text: "
		"\"{{service}} is back on {{stable}}: {{reason}}\"\n");
}

void proposal_print(const struct proposal *p, struct buf *out)
{
	print_head(p, out);
	print_metrics(p, out);
	print_steps(p, out);
	print_slos(p, out);
	print_settle(p, out);
	print_tail(p, out);
}
