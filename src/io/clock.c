/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot clock and the wall clock; see clock.h. Asks the kernel, and keeps
 * nothing but what tests have moved the clocks by.
 */
#include "io/clock.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>

#define READING_US_MAX 1000 /* between the two halves of a reading */
#define READING_TRIES  10

static int64_t boot_shift_us, wall_shift_us;

static int64_t kernel_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

int64_t clock_boot_us(void)
{
	return kernel_us(CLOCK_BOOTTIME) + boot_shift_us;
}

int64_t clock_boot_ms(void)
{
	return clock_boot_us() / 1000;
}

int64_t clock_awake_ms(void)
{
	return kernel_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_cpu_us(void)
{
	return kernel_us(CLOCK_THREAD_CPUTIME_ID);
}

int64_t clock_wall_us(void)
{
	return kernel_us(CLOCK_REALTIME) + wall_shift_us;
}

int64_t clock_wall_ms(void)
{
	return clock_wall_us() / 1000;
}

/* A process that is stopped between the two would see a clock that was set. */
void clock_read(struct clock_reading *reading_r)
{
	int tries = READING_TRIES;

	do {
		reading_r->boot_us = clock_boot_us();
		reading_r->wall_us = clock_wall_us();
	} while (clock_boot_us() > reading_r->boot_us + READING_US_MAX &&
		 --tries);
}

int clock_alarm_new(void)
{
	return timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
}

void clock_alarm_set(int fd, int64_t at_boot_us)
{
	struct itimerspec at = {0};
	int64_t us = at_boot_us - boot_shift_us;

	if (at_boot_us != INT64_MAX) {
		if (us < 1)
			us = 1; /* zero would be never */
		at.it_value.tv_sec = us / 1000000;
		at.it_value.tv_nsec = us % 1000000 * 1000;
	}
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL))
		abort(); /* a descriptor that is none: our bug */
}

void clock_shift(int64_t boot_ms, int64_t wall_ms)
{
	boot_shift_us += boot_ms * 1000;
	wall_shift_us += wall_ms * 1000;
}
