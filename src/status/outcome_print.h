/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a rollout ended, for people, programs and GitHub's runner: the last
 * thing that `run`, `resume` and `simulate` say.
 */
#ifndef TIDEGATE_STATUS_OUTCOME_PRINT_H
#define TIDEGATE_STATUS_OUTCOME_PRINT_H

#include <stdint.h>

#include "base/buf.h"

/* Texts are borrowed; "" where there is nothing to say. */
struct rollout_end {
	const char *rollout, *service, *candidate, *stable;
	const char *outcome; /* an end phase, "waiting" or "error" */
	const char *phase, *reason;
	int64_t time_ms, seq;
	int percent; /* what the candidate was last seen serving */
	int exit_status;
	int actions_failed;
	const char *extra; /* JSON object of further members; NULL: none */
};

/* One line: "event":"finished" with what every line has. */
void outcome_print_json(const struct rollout_end *end, struct buf *out);
void outcome_print_text(const struct rollout_end *end, struct buf *out);

/* For GitHub's runner: what $GITHUB_OUTPUT and $GITHUB_STEP_SUMMARY name. */
void outcome_print_outputs(const struct rollout_end *end, struct buf *out);
void outcome_print_summary(const struct rollout_end *end, struct buf *out);

#endif
