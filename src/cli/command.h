/*
 * One verb of the command line per file, each one `const struct command`.
 * stdout is for results, stderr for progress.
 */
#ifndef TIDEGATE_CLI_COMMAND_H
#define TIDEGATE_CLI_COMMAND_H

#include "base/err.h"

struct command {
	const char *name;
	const char *usage; /* arguments and options, for --help */
	const char *summary; /* one line, starts with a verb */
	const struct option_spec
		*options; /* ends with a NULL name; see args.h */
	/* Returns the exit status, or -1 with err_r set. */
	int (*run)(int argc, char **argv, struct err *err_r);
};

extern const struct command *const commands[]; /* NULL-terminated */

/* What main does; also what `tidegate help` prints. */
int command_main(int argc, char **argv);

#endif
