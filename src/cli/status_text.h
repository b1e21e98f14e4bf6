/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout for people, as `tidegate status` prints it: nothing is cut. Pure. */
#ifndef TIDEGATE_CLI_STATUS_TEXT_H
#define TIDEGATE_CLI_STATUS_TEXT_H

#include "base/buf.h"
#include "status/summary.h"

struct status_text {
	int columns; /* 0: lines are as long as they are */
	bool colour;
	summary_clock_fn clock;
};

void status_text_print(const struct summary *summary,
	const struct status_text *how, struct buf *out);

#endif
