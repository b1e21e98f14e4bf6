/*
 * How a rollout ended, for people, programs and GitHub's runner: the last
 * thing that `run`, `resume` and `simulate` say.
 */
#ifndef TIDEGATE_CLI_FINISHED_H
#define TIDEGATE_CLI_FINISHED_H

#include <stdint.h>

#include "base/buf.h"

/* Texts are borrowed; "" where there is nothing to say. */
struct finished {
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
void finished_print_json(const struct finished *finished, struct buf *out);
void finished_print_text(const struct finished *finished, struct buf *out);

/* Appends to $GITHUB_OUTPUT and $GITHUB_STEP_SUMMARY when they are set; what
 * cannot be written is said on stderr and changes nothing. */
void finished_tell_github(const struct finished *finished);

#endif
