/* SPDX-License-Identifier: Apache-2.0 */
/* Reasons of a proposal for people; see explain.h. Names of metrics come from
 * outside: they are made printable. */
#include "init/explain.h"

#include "base/duration.h"
#include "base/printable.h"

#define NOT_CHOSEN_MAX 12 /* more are counted only */

static void add_name(struct buf *out, const struct found_metric *metric)
{
	printable_add(out, metric->name);
	if (metric->kind == FIND_HISTOGRAM)
		buf_adds(out, " (histogram)");
}

static void print_chosen(const struct found_metric *metric, struct buf *out)
{
	buf_adds(out, "chosen  ");
	add_name(out, metric);
	buf_addf(out, ": %s names; %zu series of stable, by %s", metric->style,
		metric->of_stable, metric->revision);
	if (metric->kind == FIND_COUNTER)
		buf_addf(out, "; failures are %s=~\"%s\"", metric->code,
			metric->failures);
	if (metric->service)
		buf_addf(out, "; of this service by %s", metric->service);
	buf_addc(out, '\n');
}

static const char *why_not(
	const struct found *found, const struct found_metric *metric)
{
	if (metric->why_not)
		return metric->why_not;
	if (metric == found->other_counter || metric == found->other_histogram)
		return "as good as the one that was chosen";
	return "another one tells more";
}

void explain_found(
	const struct found *found, const char *stable, struct buf *out)
{
	size_t shown = 0, rest = 0;

	if (found->counter)
		print_chosen(found->counter, out);
	if (found->histogram)
		print_chosen(found->histogram, out);
	for (size_t i = 0; i < found->n; i++) {
		const struct found_metric *metric = &found->metric[i];

		if (metric == found->counter || metric == found->histogram)
			continue;
		if (shown++ >= NOT_CHOSEN_MAX) {
			rest++;
			continue;
		}
		buf_adds(out, "not     ");
		add_name(out, metric);
		buf_addf(out, ": %s\n", why_not(found, metric));
	}
	if (rest)
		buf_addf(out, "not     %zu more\n", rest);
	if (!found->n)
		buf_adds(out, "not     any metric of HTTP requests is there\n");
	if (!found->counter && *stable)
		buf_addf(out, "stable is %s\n", stable);
}

void explain_export(const char *service, const char *stable, struct buf *out)
{
	buf_addf(out,
		"No metric tells how %s's requests end, revision by revision. "
		"To export it:\n"
		"  a counter of requests with the status and the revision,\n"
		"    http_requests_total{code=\"200\",revision=\"%s\"}\n"
		"  a histogram of how long they take, with the revision,\n"
		"    http_request_duration_seconds_bucket{le=\"0.1\",revision="
		"\"%s\"}\n"
		"where the revision is $K_REVISION of the container. With "
		"OpenTelemetry:\n"
		"    OTEL_RESOURCE_ATTRIBUTES=faas.name=$K_SERVICE,faas."
		"version=$K_REVISION\n"
		"  and in Prometheus\n"
		"    otlp: {promote_resource_attributes: [faas.name, "
		"faas.version]}\n"
		"Until then Cloud Run's own metrics are asked, which are some "
		"minutes late.\n",
		service, *stable ? stable : "backend-00001-abc",
		*stable ? stable : "backend-00001-abc");
}

static void print_limit(const struct proposed_limit *limit, const char *name,
	bool is_share, struct buf *out)
{
	char times[WEEK_TIMES_MAX], span[WEEK_SPAN_MAX];

	buf_addf(out, "%-7s ", name);
	if (is_share)
		buf_addf(out, "%.3g %%", limit->value * 100);
	else
		duration_add(out, (int64_t)(limit->value * 1000 + 0.5));
	if (limit->is_measured)
		buf_addf(out,
			": stable itself would be above it %s, by %zu windows "
			"in %s\n",
			week_times_print(&limit->week, limit->value, times),
			limit->week.n, week_span_print(limit->week.days, span));
	else
		buf_addf(out,
			": a usual limit; of stable there are %zu windows in "
			"%s, and it takes %d and a day: try again "
			"later, with --force\n",
			limit->week.n, week_span_print(limit->week.days, span),
			WEEK_WINDOWS_MIN);
}

void explain_choice(const struct proposal *p, struct buf *out)
{
	char span[WEEK_SPAN_MAX];

	if (p->traffic.days > 0)
		buf_addf(out,
			"traffic %.3g requests/s, %.3g in quiet hours, of "
			"%s and %zu revision%s\n",
			p->traffic.usual, p->traffic.quiet,
			week_span_print(p->traffic.days, span),
			p->traffic.revisions,
			p->traffic.revisions == 1 ? "" : "s");
	else
		buf_adds(out, "traffic nothing is known of it\n");
	buf_addf(out, "steps   %d %% first, windows of ",
		p->pace.step[0].percent);
	duration_add(out, p->pace.window_ms);
	buf_addf(out, ", %d requests at least\n", p->pace.requests_min);
	print_limit(&p->errors, "errors", true, out);
	if (p->histogram)
		print_limit(&p->latency, "latency", false, out);
	else
		buf_adds(out, "latency is not watched: no histogram of it\n");
}
