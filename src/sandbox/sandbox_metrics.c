/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of the front door as Prometheus text; see sandbox_metrics.h. */
#include "sandbox/sandbox_metrics.h"

#include <inttypes.h>
#include <string.h>

#include "base/label_value.h"

static const struct {
	int64_t us;
	const char *le;
} bounds[METRICS_BUCKETS] = {
	{1000, "0.001"},
	{2500, "0.0025"},
	{5000, "0.005"},
	{10000, "0.01"},
	{25000, "0.025"},
	{50000, "0.05"},
	{75000, "0.075"},
	{100000, "0.1"},
	{150000, "0.15"},
	{200000, "0.2"},
	{250000, "0.25"},
	{300000, "0.3"},
	{400000, "0.4"},
	{500000, "0.5"},
	{750000, "0.75"},
	{1000000, "1"},
	{1500000, "1.5"},
	{2500000, "2.5"},
	{5000000, "5"},
	{10000000, "10"},
};

const char *sandbox_metrics_bound(size_t bucket)
{
	return bucket < METRICS_BUCKETS ? bounds[bucket].le : "+Inf";
}

static struct code_stats *stats_of_code(struct revision_stats *stats, int code)
{
	size_t i;

	for (i = 0; i + 1 < CODE_STATS_MAX; i++)
		if (!stats->by_code[i].code || stats->by_code[i].code == code)
			break;
	stats->by_code[i].code = code;
	return &stats->by_code[i];
}

void revision_stats_count(
	struct revision_stats *stats, int code, int64_t latency_us)
{
	struct code_stats *own;
	size_t i = 0;

	if (code < METRICS_CODE_MIN || code >= METRICS_CODE_MIN + METRICS_CODES)
		code = METRICS_CODE_MIN;
	stats->code[code - METRICS_CODE_MIN]++;
	while (i < METRICS_BUCKETS && latency_us > bounds[i].us)
		i++;
	stats->bucket[i]++;
	stats->count++;
	stats->sum_s += (double)latency_us / 1e6;
	own = stats_of_code(stats, code);
	own->bucket[i]++;
	own->count++;
	own->sum_s += (double)latency_us / 1e6;
	cloud_stats_count(stats->cloud, code, latency_us);
}

static void add_name(struct buf *out, const char *name, const char *service,
	const char *revision)
{
	buf_adds(out, name);
	buf_adds(out, "{service=\"");
	label_value_add(out, service);
	buf_adds(out, "\",revision=\"");
	label_value_add(out, revision);
	buf_addc(out, '"');
}

static void print_codes(
	const char *service, const struct metrics_row *row, struct buf *out)
{
	int code;

	for (code = METRICS_CODE_MIN; code < METRICS_CODE_MIN + METRICS_CODES;
		code++) {
		uint64_t n = row->stats->code[code - METRICS_CODE_MIN];

		if (!n && code != 200 && code != 500)
			continue;
		add_name(out, "http_requests_total", service, row->revision);
		buf_addf(out, ",code=\"%d\"} %" PRIu64 "\n", code, n);
	}
}

static void print_histogram(
	const char *service, const struct metrics_row *row, struct buf *out)
{
	static const char name[] = "http_request_duration_seconds";
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i <= METRICS_BUCKETS; i++) {
		sum += row->stats->bucket[i];
		buf_adds(out, name);
		add_name(out, "_bucket", service, row->revision);
		buf_addf(out, ",le=\"%s\"} %" PRIu64 "\n",
			sandbox_metrics_bound(i), sum);
	}
	buf_adds(out, name);
	add_name(out, "_sum", service, row->revision);
	buf_addf(out, "} %.17g\n", row->stats->sum_s);
	buf_adds(out, name);
	add_name(out, "_count", service, row->revision);
	buf_addf(out, "} %" PRIu64 "\n", row->stats->count);
}

static void print_gauge(struct buf *out, const char *name, const char *service,
	const char *revision, uint64_t value)
{
	add_name(out, name, service, revision);
	buf_addf(out, "} %" PRIu64 "\n", value);
}

void sandbox_metrics_print(const char *service, const struct metrics_row *rows,
	size_t n, struct buf *out)
{
	size_t i;

	buf_adds(out, "# HELP http_requests_total Requests answered, by status "
		      "code.\n# TYPE http_requests_total counter\n");
	for (i = 0; i < n; i++)
		print_codes(service, &rows[i], out);
	buf_adds(out,
		"# HELP http_request_duration_seconds Time from request to "
		"answer.\n# TYPE http_request_duration_seconds histogram\n");
	for (i = 0; i < n; i++)
		print_histogram(service, &rows[i], out);
	buf_adds(out,
		"# HELP http_requests_in_flight Requests not answered yet.\n"
		"# TYPE http_requests_in_flight gauge\n");
	for (i = 0; i < n; i++)
		print_gauge(out, "http_requests_in_flight", service,
			rows[i].revision, rows[i].stats->in_flight);
	buf_adds(out,
		"# HELP sandbox_traffic_percent Share of the traffic that the "
		"revision serves.\n# TYPE sandbox_traffic_percent gauge\n");
	for (i = 0; i < n; i++)
		print_gauge(out, "sandbox_traffic_percent", service,
			rows[i].revision, (uint64_t)rows[i].percent);
}
