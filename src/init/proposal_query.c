/* SPDX-License-Identifier: Apache-2.0 */
/* What a week of the service is asked for; see proposal.h. */
#include <string.h>

#include "base/duration.h"
#include "base/label_value.h"
#include "init/proposal.h"

/* Looked at once in an hour: what came in the minutes before. */
#define RATE_MS 300000

const struct found_metric proposal_cloud_counter = {
	.name = "run_googleapis_com:request_count",
	.kind = FIND_COUNTER,
	.style = "Cloud Run",
	.revision = "revision_name",
	.service = "service_name",
	.code = "response_code_class",
	.failures = "5xx",
};

const struct found_metric proposal_cloud_histogram = {
	.name = "run_googleapis_com:request_latencies",
	.kind = FIND_HISTOGRAM,
	.style = "Cloud Run",
	.revision = "revision_name",
	.service = "service_name",
	.unit = "ms",
};

bool proposal_is_cloud_run(
	const struct proposal *proposal, const struct found_metric *metric)
{
	return proposal->is_managed || find_is_cloud_run(metric);
}

static void add_matcher(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, ",%s=\"", name);
	label_value_add(out, value);
	buf_addc(out, '"');
}

/* Where no label has the service's name the revisions' names begin with it, as
 * Cloud Run makes them; other names are of stable alone. */
static void add_revisions(const struct proposal *p,
	const struct found_metric *metric, struct buf *out)
{
	size_t len = strlen(p->service);
	bool begins =
		!strncmp(p->stable, p->service, len) && p->stable[len] == '-';

	if (metric->service || *p->selector)
		buf_addf(out, "{%s!=\"\"", metric->revision);
	else if (begins)
		buf_addf(out, "{%s=~\"%s-.*\"", metric->revision, p->service);
	else {
		buf_addf(out, "{%s=\"", metric->revision);
		label_value_add(out, p->stable);
		buf_addc(out, '"');
	}
}

/* All of this service and nothing else, whichever the revision. */
static void add_matchers(const struct proposal *p,
	const struct found_metric *metric, struct buf *out)
{
	add_revisions(p, metric, out);
	if (proposal_is_cloud_run(p, metric)) {
		add_matcher(out, "monitored_resource", "cloud_run_revision");
		add_matcher(out, "project_id", p->project);
		add_matcher(out, "location", p->region);
	}
	if (metric->service)
		add_matcher(out, metric->service, p->service);
	if (*p->selector)
		buf_addf(out, ",%s", p->selector);
}

/* sum by (revision) (rate(NAME{…}[5m])) */
static void add_sum(const struct proposal *p, const struct found_metric *metric,
	const char *function, int64_t window_ms, bool failures, struct buf *out)
{
	buf_addf(out, "sum by (%s) (%s(%s", metric->revision, function,
		metric->name);
	add_matchers(p, metric, out);
	if (failures)
		buf_addf(out, ",%s=~\"%s\"", metric->code, metric->failures);
	buf_adds(out, "}[");
	duration_add(out, window_ms);
	buf_adds(out, "]))");
}

/* By the label that the counter has for the revision, so that both are of one. */
static void add_latency(const struct proposal *p, struct buf *out)
{
	const struct found_metric *metric = p->histogram;
	const char *label = p->counter->revision;
	bool renames = strcmp(label, metric->revision) != 0;

	if (renames)
		buf_addf(out, "sum by (%s) (label_replace(", label);
	buf_addf(out, "histogram_quantile(%g, sum by (%s, le) (rate(%s_bucket",
		p->quantile, metric->revision, metric->name);
	add_matchers(p, metric, out);
	buf_adds(out, "}[");
	duration_add(out, p->pace.window_ms);
	buf_adds(out, "])))");
	if (renames)
		buf_addf(out, ", \"%s\", \"$1\", \"%s\", \"(.*)\"))", label,
			metric->revision);
}

bool proposal_query_print(
	const struct proposal *p, enum proposal_query query, struct buf *out)
{
	if (!p->counter || (query == PROPOSAL_LATENCY && !p->histogram))
		return false;
	switch (query) {
	case PROPOSAL_RATES:
		add_sum(p, p->counter, "rate", RATE_MS, false, out);
		break;
	case PROPOSAL_REQUESTS:
		add_sum(p, p->counter, "increase", p->pace.window_ms, false,
			out);
		break;
	case PROPOSAL_FAILURES:
		add_sum(p, p->counter, "increase", p->pace.window_ms, true,
			out);
		break;
	default:
		add_latency(p, out);
	}
	return true;
}
