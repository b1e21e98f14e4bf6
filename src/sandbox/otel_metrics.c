/* SPDX-License-Identifier: Apache-2.0 */
/* What the front door counted, by OpenTelemetry's names; see sandbox_metrics.h. */
#include <inttypes.h>

#include "base/label_value.h"
#include "sandbox/sandbox_metrics.h"

#define NAME "http_server_request_duration_seconds"

static void add_name(struct buf *out, const char *suffix, const char *service,
	const char *revision, int code)
{
	buf_addf(out, NAME "%s{job=\"", suffix);
	label_value_add(out, service);
	buf_adds(out, "\",faas_name=\"");
	label_value_add(out, service);
	buf_adds(out, "\",faas_version=\"");
	label_value_add(out, revision);
	buf_addf(out,
		"\",http_request_method=\"GET\",http_response_status_code="
		"\"%d\"",
		code);
}

static void print_code(const char *service, const char *revision,
	const struct code_stats *stats, struct buf *out)
{
	uint64_t sum = 0;

	for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
		sum += stats->bucket[i];
		add_name(out, "_bucket", service, revision, stats->code);
		buf_addf(out, ",le=\"%s\"} %" PRIu64 "\n",
			sandbox_metrics_bound(i), sum);
	}
	add_name(out, "_sum", service, revision, stats->code);
	buf_addf(out, "} %.17g\n", stats->sum_s);
	add_name(out, "_count", service, revision, stats->code);
	buf_addf(out, "} %" PRIu64 "\n", stats->count);
}

void otel_metrics_print(const char *service, const struct metrics_row *rows,
	size_t n, struct buf *out)
{
	buf_adds(out, "# HELP " NAME " Duration of HTTP server requests.\n"
		      "# TYPE " NAME " histogram\n");
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < CODE_STATS_MAX; k++)
			if (rows[i].stats->by_code[k].code)
				print_code(service, rows[i].revision,
					&rows[i].stats->by_code[k], out);
}
