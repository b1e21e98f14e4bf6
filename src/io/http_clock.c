/* SPDX-License-Identifier: Apache-2.0 */
/* Senders' clocks and ours; see http.h. */
#include "io/clock.h"
#include "io/http.h"

void http_clock_take(struct http_clock *clock, const struct http_reply *reply)
{
	int64_t date_ms = http_reply_date_ms(reply);

	if (!date_ms)
		return;
	clock->known = true;
	clock->ahead_ms = clock_wall_ms() / 1000 * 1000 - date_ms;
}
