/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The course of a load over time: how many users there are, or when each
 * request is due. By the clock alone, whatever becomes of the answers. Pure.
 */
#ifndef TIDEGATE_LOAD_COURSE_H
#define TIDEGATE_LOAD_COURSE_H

#include <stddef.h>
#include <stdint.h>

#include "policy/policy_action.h"

struct course {
	const struct load_stage *stages; /* borrowed */
	size_t n_stages;
};

int64_t course_ms(const struct course *course); /* all of it */
/* What is wanted at this time from the start: users, or requests per second. */
double course_level(const struct course *course, int64_t at_us);

/* When requests of a rate are due, one after the other. */
struct arrivals {
	const struct course *course;
	size_t stage;
	int64_t stage_us; /* when that stage began */
	double before; /* requests due before it began, with fractions */
	uint64_t n; /* told so far */
};

/* In microseconds from the start; -1: there are no more. */
int64_t arrivals_next_us(struct arrivals *arrivals);

#endif
