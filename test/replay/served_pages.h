/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of the daemon without one: what it would show of a report's rollout, and
 * of all situations at once, to several people.
 */
#ifndef TIDEGATE_TEST_SERVED_PAGES_H
#define TIDEGATE_TEST_SERVED_PAGES_H

#include "report/report.h"

/* FOLDER/rollouts/NAME.html, as bob sees it. */
void served_rollout(
	const char *folder, const char *name, const struct report *report);
/* FOLDER/index.html and its like, and the assets. */
void served_rest(const char *folder);

#endif
