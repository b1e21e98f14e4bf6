/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs and their overview; see command.h. */
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/suggest.h"
#include "cli/args.h"
#include "cli/output.h"
#include "config.h"
#include "io/loop.h"

#define HELP_BYTES_MAX 65536

#define C(verb)                   extern const struct command cmd_##verb;
#define W(program, verb, summary) C(verb)
#include "cli/command.def"
#undef C

const struct command *const commands[] = {
#define C(verb) &cmd_##verb,
#include "cli/command.def"
#undef C
#undef W
	NULL,
};

const struct command *command_find(const char *name)
{
	size_t i;

	for (i = 0; commands[i]; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static int unknown_verb(const char *name, struct err *err_r)
{
	struct suggest suggest = {.word = name};
	size_t i;

	for (i = 0; commands[i]; i++)
		suggest_try(&suggest, commands[i]->name);
	if (suggest.best)
		return err_set(err_r, ERR_USAGE,
			"unknown command \"%.60s\": did you mean %s?", name,
			suggest.best);
	return err_set(err_r, ERR_USAGE, "unknown command \"%.60s\"", name);
}

static void print_overview(struct buf *out)
{
	size_t i;

	buf_adds(out,
		"tidegate moves traffic on Google Cloud Run to a new revision "
		"step by step,\nwatches its SLOs, and takes the traffic back "
		"when they are breached.\n\n"
		"Usage: tidegate COMMAND [ARGUMENTS] [--OPTION VALUE]\n\n"
		"Commands:\n");
	for (i = 0; commands[i]; i++)
		buf_addf(out, "  %-10s %s\n", commands[i]->name,
			commands[i]->summary);
	buf_adds(out,
		"\n\"tidegate help COMMAND\" tells more about one of them.\n\n"
		"Exit status: 0 promoted or done, 2 usage, 3 policy invalid, 4 "
		"refused,\n5 rolled back by tidegate, 6 rolled back by a "
		"person, 7 stopped by drift,\n8 still waiting, 9 rollback "
		"failed, 1 anything else.\n");
}

static int help_run(int argc, char **argv, struct err *err_r)
{
	static char help[] = "--help";
	const struct command *command = NULL;
	struct buf out;

	if (args_count(argc, argv, "COMMAND", 0, 1, err_r))
		return -1;
	if (argc == 2) {
		command = command_find(argv[1]);
		if (!command)
			return unknown_verb(argv[1], err_r);
		if (command->helps_itself)
			return command->run(
				2, (char *[]){argv[1], help, NULL}, err_r);
	}
	buf_init(&out, HELP_BYTES_MAX);
	if (command)
		command_print_help(command, &out);
	else
		print_overview(&out);
	output_write(stdout, &out);
	buf_fini(&out);
	return 0;
}

static int version_run(int argc, char **argv, struct err *err_r)
{
	if (args_count(argc, argv, "", 0, 0, err_r))
		return -1;
	output_text(
		stdout, "%s\nlibevent %s\n", PACKAGE_STRING, loop_library());
	return 0;
}

const struct command cmd_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "Tell what a command does and which options it has",
	.run = help_run,
};

const struct command cmd_version = {
	.name = "version",
	.usage = "",
	.summary = "Print the version, and that of what is linked in",
	.run = version_run,
};

/* "--help" and "-h" go to help, "--version" to version. */
static const struct command *verb_choose(
	int *argc, char ***argv, struct err *err_r)
{
	static char help_name[] = "help", version_name[] = "version";
	static char *help_argv[] = {help_name, NULL, NULL};
	const struct command *command;
	char *name;

	if (*argc < 2) {
		err_set(err_r, ERR_USAGE, "a command is missing");
		return NULL;
	}
	name = (*argv)[1];
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = help_name;
	if (strcmp(name, "--version") == 0)
		name = version_name;
	command = command_find(name);
	if (!command) {
		(void)!unknown_verb(name, err_r);
		return NULL;
	}
	--*argc;
	++*argv;
	if (command->helps_itself ||
		!args_want_help(command->options, *argc, *argv))
		return command;
	help_argv[1] = name;
	*argc = 2;
	*argv = help_argv;
	return &cmd_help;
}

/* Whether its rollouts are on a daemon: tidegate-remote carries it out then. */
static bool is_remote(
	const struct command *command, int argc, char *const *argv)
{
	const struct option_spec *option = command->options;
	const char *server = getenv("TIDEGATE_SERVER");

	while (option && option->name && strcmp(option->name, "server") != 0)
		option++;
	if (!option || !option->name)
		return false;
	return args_given("server", argc, argv) ||
	       args_given("token-file", argc, argv) ||
	       (server && *server && !args_given("state", argc, argv));
}

int command_main(int argc, char **argv)
{
	const struct command *command;
	struct err err = {0};

	command = verb_choose(&argc, &argv, &err);
	if (!command)
		return command_report(NULL, &err);
	if (is_remote(command, argc, argv)) {
		(void)!command_elsewhere("tidegate-remote", argc, argv, &err);
		return command_report(command, &err);
	}
	return command_carry_out(command, argc, argv);
}
