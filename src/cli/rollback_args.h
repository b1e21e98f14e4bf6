/* SPDX-License-Identifier: Apache-2.0 */
/* What `tidegate rollback` is told, whoever carries it out. */
#ifndef TIDEGATE_CLI_ROLLBACK_ARGS_H
#define TIDEGATE_CLI_ROLLBACK_ARGS_H

#include <stdbool.h>

#include "cli/args.h"

struct rollback_args {
	const char *policy, *to, *candidate, *comment;
	const char *project, *region, *state, *as;
	int format;
	bool again, drill, quiet;
};

extern const struct option_spec rollback_options[];

/* The service is argv[1], if any. -1 with ERR_USAGE. */
MUST_CHECK int rollback_args_parse(struct rollback_args *args_r, int *argc,
	char **argv, struct err *err_r);

#endif
