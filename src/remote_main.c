/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program tidegate-remote: the verbs about rollouts on a daemon instead of
 * a state file. `tidegate` becomes it where --server or $TIDEGATE_SERVER names
 * one, so that what drives a release stays small. They are the same verbs: only
 * what stands for the state file is another (remote/remote_store.h).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/live_view.h"
#include "cli/output.h"
#include "io/process.h"
#include "remote/remote_store.h"
#include "remote/wire.h"

extern const struct command cmd_status, cmd_list, cmd_watch, cmd_report,
	cmd_approve, cmd_reject, cmd_pause, cmd_continue, cmd_abort, remote_run,
	remote_rollback;

static const struct {
	const struct command *command;
	bool decides; /* by the name that the daemon knows */
} verbs[] = {
	{&remote_run},
	{&cmd_status},
	{&cmd_list},
	{&cmd_watch},
	{&cmd_report},
	{&cmd_approve, true},
	{&cmd_reject, true},
	{&cmd_pause, true},
	{&cmd_continue, true},
	{&cmd_abort, true},
	{&remote_rollback, true},
};

#define VERBS_HERE (sizeof(verbs) / sizeof(*verbs))

static void say(const char *line)
{
	if (!live_view_tell(line))
		output_error(line);
}

/* What stands behind this option, or in the environment; NULL: nothing. */
static const char *given(
	const char *option, const char *variable, int argc, char *const *argv)
{
	const char *value = args_given(option, argc, argv);

	if (!value && variable)
		value = getenv(variable);
	return value && *value ? value : NULL;
}

static struct wire *wire_of(int argc, char *const *argv, struct err *err_r)
{
	const char *server = given("server", "TIDEGATE_SERVER", argc, argv);
	const char *token_file =
		given("token-file", "TIDEGATE_TOKEN_FILE", argc, argv);

	if (!server) {
		err_set(err_r, ERR_USAGE,
			"--token-file is for a server: name it by --server URL "
			"or $TIDEGATE_SERVER");
		return NULL;
	}
	if (args_given("state", argc, argv)) {
		err_set(err_r, ERR_USAGE,
			"--server and --state are given: a rollout is on a "
			"server or in a state file");
		return NULL;
	}
	return wire_new(server, token_file, say, err_r);
}

/* Who has the keys, or decides. */
static int ask_name(struct wire *wire, struct err *err_r)
{
	static char name[REMOTE_PERSON_MAX];
	const struct wire_ask ask = {
		.path = "/api/v1/me", .patience_ms = WIRE_PATIENCE_MS};
	struct wire_answer answer;

	if (wire_ask(wire, &ask, &answer, err_r) < 0 ||
		remote_me_decode(answer.body, answer.len, name, err_r) < 0)
		return -1;
	context_set_caller(name);
	return 0;
}

static int run(size_t verb, int argc, char **argv)
{
	const struct command *command = verbs[verb].command;
	struct err err;
	struct wire *wire;
	int status;

	if (args_want_help(command->options, argc, argv))
		return command_run(command, argc, argv);
	wire = wire_of(argc, argv, &err);
	if (!wire || ((verbs[verb].decides || isatty(STDERR_FILENO)) &&
			     ask_name(wire, &err) < 0)) {
		wire_free(&wire);
		return command_report(command, &err);
	}
	remote_store_use(wire);
	status = command_run(command, argc, argv);
	wire_free(&wire);
	return status;
}

int main(int argc, char **argv)
{
	struct err err;

	process_begin();
	process_harden();
	for (size_t i = 0; argc > 1 && i < VERBS_HERE; i++) {
		if (strcmp(verbs[i].command->name, argv[1]) == 0)
			return run(i, argc - 1, argv + 1);
	}
	(void)!err_set(&err, ERR_USAGE,
		"this program is a part of tidegate: call that");
	return command_report(NULL, &err);
}
