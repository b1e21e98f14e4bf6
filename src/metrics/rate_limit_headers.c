/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of the rate; see rate_limit_headers.h. */
#include "metrics/rate_limit_headers.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "policy/quantity.h"

#define NAME_MAX_BYTES 64
#define EPOCH_S_MIN    1e9 /* smaller: seconds from now */
#define EPOCH_MS_MIN   1e11 /* larger: milliseconds since 1970 */

/* How their names begin: Sentry's, GitHub's and its kin, the draft standard. */
static const char *const families[] = {
	"X-Sentry-Rate-Limit-", "X-RateLimit-", "X-Rate-Limit-", "RateLimit-"};

static bool get_number(const struct rate_limit_answer *answer,
	const char *family, const char *what, double *number_r)
{
	char name[NAME_MAX_BYTES];
	const char *text;

	snprintf(name, sizeof(name), "%s%s", family, what);
	text = answer->header(name, answer->arg);
	return text && decimal_parse(text, strlen(text), number_r) == 0;
}

/* A time since 1970 or from now, in the sender's clock. */
static int64_t until_reset_ms(double reset, int64_t clock_ms)
{
	double ms;

	if (reset >= EPOCH_MS_MIN)
		ms = reset - (double)clock_ms;
	else if (reset >= EPOCH_S_MIN)
		ms = reset * 1000 - (double)clock_ms;
	else
		ms = reset * 1000;
	if (!(ms > 0))
		return 0;
	return ms < (double)RATE_LIMIT_WAIT_MS_MAX ? (int64_t)ms
						   : RATE_LIMIT_WAIT_MS_MAX;
}

static int64_t family_wait_ms(
	const struct rate_limit_answer *answer, const char *family)
{
	double remaining, reset;

	if (!get_number(answer, family, "Reset", &reset))
		return 0;
	if (!get_number(answer, family, "Remaining", &remaining))
		remaining = answer->status == 429 ? 0 : 1;
	return remaining > 0 ? 0 : until_reset_ms(reset, answer->clock_ms);
}

int64_t rate_limit_wait_ms(const struct rate_limit_answer *answer)
{
	int64_t wait_ms = 0, ms;

	if (answer->retry_after_ms > 0 &&
		(answer->status == 429 || answer->status == 503))
		return answer->retry_after_ms < RATE_LIMIT_WAIT_MS_MAX
			       ? answer->retry_after_ms
			       : RATE_LIMIT_WAIT_MS_MAX;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		ms = family_wait_ms(answer, families[i]);
		if (ms > wait_ms)
			wait_ms = ms;
	}
	return wait_ms;
}
