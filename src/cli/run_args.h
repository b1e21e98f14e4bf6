/* SPDX-License-Identifier: Apache-2.0 */
/* What `tidegate run` is told, whoever carries it out. */
#ifndef TIDEGATE_CLI_RUN_ARGS_H
#define TIDEGATE_CLI_RUN_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/args.h"
#include "cli/exporter.h"

struct run_args {
	const char *policy, *candidate, *project, *region, *state, *as;
	const char *committed; /* as it was given; NULL: not said */
	int64_t wait, committed_ms;
	int format;
	bool adopt, again, quiet, utc;
	struct exporter_wish wish;
};

extern const struct option_spec run_options[];

/* The service is argv[1], if any. -1 with ERR_USAGE. */
MUST_CHECK int run_args_parse(
	struct run_args *args_r, int *argc, char **argv, struct err *err_r);

#endif
