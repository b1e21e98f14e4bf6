/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tidegate check --live`: looks as preflight does and prints what it found.
 * Exit status 0 when a rollout could run now, 4 when something fails or, with
 * `strict`, is warned of.
 */
#ifndef TIDEGATE_CLI_CHECK_LIVE_H
#define TIDEGATE_CLI_CHECK_LIVE_H

#include <stdbool.h>

#include "base/err.h"

struct check_live_args {
	const char *policy, *candidate, *project, *region, *state, *as;
	int format; /* enum format */
	bool live, strict, adopt, again;
};

/* `service` NULL: the policy names it. */
MUST_CHECK int check_live(const struct check_live_args *args,
	const char *service, struct err *err_r);

#endif
