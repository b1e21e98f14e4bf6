/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program tidegate-workbench: what people do at their desks, before and
 * after releases. `tidegate init` and its like become it, so that what drives a
 * release stays small.
 */
#include <string.h>

#include "cli/command.h"
#include "io/process.h"

#define C(verb)
#define W_server(verb)
#define W_workbench(verb)         extern const struct command workbench_##verb;
#define W(program, verb, summary) W_##program(verb)
#include "cli/command.def"
#undef W_workbench

static const struct command *const verbs[] = {
#define W_workbench(verb) &workbench_##verb,
#include "cli/command.def"
	NULL,
};

int main(int argc, char **argv)
{
	struct err err;

	process_begin();
	process_harden();
	for (size_t i = 0; argc > 1 && verbs[i]; i++) {
		if (strcmp(verbs[i]->name, argv[1]) == 0)
			return command_run(verbs[i], argc - 1, argv + 1);
	}
	(void)!err_set(&err, ERR_USAGE,
		"this program is a part of tidegate: call that");
	return command_report(NULL, &err);
}
