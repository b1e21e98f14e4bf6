/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the front door counted, shaped as Cloud Run's built-in metrics are when
 * Cloud Monitoring is asked in PromQL; see sandbox_metrics.h.
 */
#include <inttypes.h>

#include "base/label_value.h"
#include "sandbox/sandbox_metrics.h"

#define COUNT_NAME   "run_googleapis_com:request_count"
#define LATENCY_NAME "run_googleapis_com:request_latencies"

#define ROOT_OF_TWO 1.4142135623730951

/* Milliseconds. */
static double bound(size_t i)
{
	double whole = (double)(UINT64_C(1) << i / 2);

	return i % 2 ? whole * ROOT_OF_TWO : whole;
}

void cloud_stats_count(
	struct cloud_stats cloud[CLOUD_CLASSES], int code, int64_t latency_us)
{
	int class = code / 100 - 1;
	struct cloud_stats *stats;
	size_t i = 0;

	if (class < 0 || class >= CLOUD_CLASSES)
		class = CLOUD_CLASSES - 1;
	stats = &cloud[class];
	while (i < CLOUD_BUCKETS && (double)latency_us > bound(i) * 1000)
		i++;
	stats->bucket[i]++;
	stats->count++;
	stats->sum_ms += (double)latency_us / 1000;
}

static void add_label(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, ",%s=\"", name);
	label_value_add(out, value);
	buf_addc(out, '"');
}

static void add_name(struct buf *out, const char *name,
	const struct metrics_owner *owner, const char *revision)
{
	buf_addf(out, "%s{monitored_resource=\"cloud_run_revision\"", name);
	add_label(out, "project_id", owner->project);
	add_label(out, "location", owner->region);
	add_label(out, "service_name", owner->service);
	add_label(out, "revision_name", revision);
	add_label(out, "configuration_name", owner->service);
}

static void print_counts(const struct metrics_owner *owner,
	const struct metrics_row *row, struct buf *out)
{
	for (int i = 0; i < METRICS_CODES; i++) {
		int code = METRICS_CODE_MIN + i;

		if (!row->stats->code[i])
			continue;
		add_name(out, COUNT_NAME, owner, row->revision);
		buf_addf(out,
			",response_code=\"%d\",response_code_class=\"%dxx\"} "
			"%" PRIu64 "\n",
			code, code / 100, row->stats->code[i]);
	}
}

static void print_latencies(const struct metrics_owner *owner,
	const struct metrics_row *row, int class, struct buf *out)
{
	const struct cloud_stats *stats = &row->stats->cloud[class];
	uint64_t sum = 0;

	if (!stats->count)
		return;
	for (size_t i = 0; i <= CLOUD_BUCKETS; i++) {
		sum += stats->bucket[i];
		add_name(out, LATENCY_NAME "_bucket", owner, row->revision);
		buf_addf(out, ",response_code_class=\"%dxx\",le=\"", class + 1);
		if (i < CLOUD_BUCKETS)
			buf_addf(out, "%.6g", bound(i));
		else
			buf_adds(out, "+Inf");
		buf_addf(out, "\"} %" PRIu64 "\n", sum);
	}
	add_name(out, LATENCY_NAME "_sum", owner, row->revision);
	buf_addf(out, ",response_code_class=\"%dxx\"} %.17g\n", class + 1,
		stats->sum_ms);
	add_name(out, LATENCY_NAME "_count", owner, row->revision);
	buf_addf(out, ",response_code_class=\"%dxx\"} %" PRIu64 "\n", class + 1,
		stats->count);
}

void cloud_metrics_print(const struct metrics_owner *owner,
	const struct metrics_row *rows, size_t n, struct buf *out)
{
	size_t i;

	buf_adds(out, "# HELP " COUNT_NAME " As Cloud Monitoring has it.\n"
		      "# TYPE " COUNT_NAME " counter\n");
	for (i = 0; i < n; i++)
		print_counts(owner, &rows[i], out);
	buf_adds(out,
		"# HELP " LATENCY_NAME " Milliseconds, as Cloud Monitoring has "
		"them.\n"
		"# TYPE " LATENCY_NAME " histogram\n");
	for (i = 0; i < n; i++)
		for (int class = 0; class < CLOUD_CLASSES; class ++)
			print_latencies(owner, &rows[i], class, out);
}
