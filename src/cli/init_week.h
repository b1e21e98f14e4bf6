/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks for a week of a service, for `tidegate init`: first by the hour, then by
 * the windows that its traffic makes sensible, a day at a time, so that no
 * server has to answer everything at once.
 */
#ifndef TIDEGATE_CLI_INIT_WEEK_H
#define TIDEGATE_CLI_INIT_WEEK_H

#include "init/proposal.h"

struct loop;
struct prometheus;
struct init_week;

struct init_week_what {
	struct prometheus *prometheus; /* borrowed */
	/* Its traffic, pace and limits are set. Borrowed. */
	struct proposal *proposal;
	int64_t from_ms, to_ms;
};

/* Once, later. With err only a part of it is set. */
typedef void (*init_week_fn)(const struct err *err, void *arg);

struct init_week *init_week_start(
	const struct init_week_what *what, init_week_fn fn, void *arg);
void init_week_cancel(struct init_week **week); /* NULL inside: nothing */

#endif
