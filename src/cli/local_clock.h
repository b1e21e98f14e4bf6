/* SPDX-License-Identifier: Apache-2.0 */
/* Times for people, in the zone of the machine, with its name. */
#ifndef TIDEGATE_CLI_LOCAL_CLOCK_H
#define TIDEGATE_CLI_LOCAL_CLOCK_H

#include <stdbool.h>

#include "status/summary.h"

/* "15:32:10 CET", or with the date when it is far from `now_ms`. */
const char *local_clock(
	int64_t ms, int64_t now_ms, char text[SUMMARY_TIME_MAX]);

/* What --utc asks for. */
summary_clock_fn local_clock_unless(bool utc);

#define OPTION_UTC(args)                                                \
	{                                                               \
		.name = "utc", .type = OPTION_FLAG,                     \
		.offset = offsetof(args, utc),                          \
		.help = "times on a terminal are in UTC (default: the " \
			"local zone)"                                   \
	}

#endif
