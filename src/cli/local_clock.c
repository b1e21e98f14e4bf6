/* SPDX-License-Identifier: Apache-2.0 */
/* Times for people; see local_clock.h. */
#define _DEFAULT_SOURCE /* tm_zone */
#include "cli/local_clock.h"

#include <stdio.h>
#include <time.h>

#define FAR_MS (INT64_C(12) * 3600 * 1000)

const char *local_clock(int64_t ms, int64_t now_ms, char text[SUMMARY_TIME_MAX])
{
	time_t seconds = (time_t)(ms / 1000);
	int64_t far_ms = ms > now_ms ? ms - now_ms : now_ms - ms;
	struct tm local;

	if (!localtime_r(&seconds, &local) ||
		!strftime(text, SUMMARY_TIME_MAX,
			far_ms < FAR_MS ? "%H:%M:%S %Z"
					: "%Y-%m-%d %H:%M:%S %Z",
			&local))
		return summary_clock_utc(ms, now_ms, text);
	return text;
}

summary_clock_fn local_clock_unless(bool utc)
{
	return utc ? summary_clock_utc : local_clock;
}
