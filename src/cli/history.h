/*
 * Recorded metrics from a Prometheus, for `record` and for `simulate --from`:
 * which span, whose queries, and the asking, with progress on stderr.
 */
#ifndef TIDEGATE_CLI_HISTORY_H
#define TIDEGATE_CLI_HISTORY_H

#include "base/buf.h"
#include "base/err.h"
#include "policy/policy.h"

/* NULL: not said. Texts are borrowed. */
struct history {
	const char *from, *to; /* times, see history_time */
	const char *rollout, *state; /* a rollout of this state file */
	const char *service, *candidate, *stable, *project, *region;
	int64_t interval_ms; /* 0: the shortest of the SLOs */
	const char *part; /* file that keeps what was read; NULL: none */
};

/*
 * Appends the recording's JSON to `out`. When it fails or is interrupted, the
 * part file stays for the next time; when it is done, it is the caller's
 * business to call history_forget once `out` is safe.
 */
MUST_CHECK int history_read(const struct history *history,
	const struct policy *policy, struct buf *out, struct err *err_r);
void history_forget(const struct history *history);

/* RFC 3339, Unix seconds, "now", or "-2h": that long before `now_ms`. */
MUST_CHECK int history_time(
	const char *text, int64_t now_ms, int64_t *ms_r, struct err *err_r);

#endif
