/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the costs of turns; see turns.h. */
#include "io/turns.h"

#include <stddef.h>

#include "io/clock.h"

void turns_begin(struct turns *turns)
{
	turns->running = turns->what = NULL;
	turns->what_us = 0;
	if (turns->measured)
		turns->cpu_us = clock_cpu_us();
}

/* The callback that ran until now may be the longest. */
static void callback_end(struct turns *turns, int64_t now_us)
{
	if (!turns->running || now_us - turns->running_us < turns->what_us)
		return;
	turns->what = turns->running;
	turns->what_us = now_us - turns->running_us;
}

void turns_callback(struct turns *turns, void (*fn)(void))
{
	int64_t now_us;

	if (!turns->measured)
		return;
	now_us = clock_boot_us();
	callback_end(turns, now_us);
	turns->running = fn;
	turns->running_us = now_us;
}

void turns_end(struct turns *turns, int64_t began_us)
{
	int64_t now_us = clock_boot_us();
	struct loop_turn turn = {.wall_us = now_us - began_us};

	if (turns->measured) {
		callback_end(turns, now_us);
		turn.cpu_us = clock_cpu_us() - turns->cpu_us;
		turn.what = turns->what;
	}
	if (turn.wall_us > turns->longest.wall_us)
		turns->longest = turn;
	if (turn.cpu_us > turns->busiest.cpu_us)
		turns->busiest = turn;
}
