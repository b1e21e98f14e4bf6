/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recorded metrics from a Prometheus, for `record` and for `simulate --from`:
 * which span, whose queries, and the asking, with progress on stderr.
 */
#ifndef TIDEGATE_CLI_RECORD_METRICS_H
#define TIDEGATE_CLI_RECORD_METRICS_H

#include "base/buf.h"
#include "base/err.h"
#include "policy/policy.h"

/* NULL: not said. Texts are borrowed. */
struct record_wish {
	const char *from, *to; /* times, see timestamp_parse_point */
	const char *rollout, *state; /* a rollout of this state file */
	const char *service, *candidate, *stable, *project, *region;
	int64_t interval_ms; /* 0: the shortest of the SLOs */
	const char *part; /* file that keeps what was read; NULL: none */
};

/*
 * Appends the recording's JSON to `out`. When it fails or is interrupted, the
 * part file stays for the next time; when it is done, it is the caller's
 * business to call record_metrics_forget once `out` is safe.
 */
MUST_CHECK int record_metrics(const struct record_wish *wish,
	const struct policy *policy, struct buf *out, struct err *err_r);
void record_metrics_forget(const struct record_wish *wish);

#endif
