/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One verb of the command line per file, each one `const struct command`.
 * stdout is for results, stderr for progress.
 */
#ifndef TIDEGATE_CLI_COMMAND_H
#define TIDEGATE_CLI_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct command {
	const char *name;
	const char
		*usage; /* arguments and needed options: "SERVICE --policy F" */
	const char *summary; /* one line, starts with a verb, no full stop */
	/* Ends with a NULL name, see args.h; NULL: none. `run` parses them. */
	const struct option_spec *options;
	/* argv[0] is the verb. Returns the exit status, or -1 with err_r. */
	int (*run)(int argc, char **argv, struct err *err_r);
	const char *details; /* more for --help, lines of 80; NULL: none */
	bool helps_itself; /* `run` is given --help: it knows the options */
};

/* Of verbs that are told of here and carried out by another program. */
#define COMMAND_INIT_SUMMARY \
	"Propose a policy, from a week of the service's own metrics"
#define COMMAND_CHECK_SUMMARY \
	"Say what is wrong with policies, or print their plans"
#define COMMAND_PLAN_SUMMARY \
	"Tell what a policy would catch, and how long that takes"
#define COMMAND_SLO_SUMMARY \
	"Write rules for the error budgets of a policy's service"
#define COMMAND_SIMULATE_SUMMARY \
	"Show what a policy would have decided on recorded metrics"
#define COMMAND_RECORD_SUMMARY "Make a recording for simulate from a Prometheus"
#define COMMAND_LOAD_SUMMARY   "Run a load of a policy by itself, and judge it"
#define COMMAND_GAMEDAY_SUMMARY \
	"Prove that a bad release is taken back and a good one promoted"
#define COMMAND_EXPORT_SUMMARY \
	"Push a rollout's metrics, and send it as a trace"
#define COMMAND_SERVE_SUMMARY \
	"Drive many rollouts, show them, and let people decide by name"
#define COMMAND_TOKEN_SUMMARY \
	"Make, list and revoke tokens with which programs ask the daemon"
#define COMMAND_SANDBOX_SUMMARY "Run a small Cloud Run on this machine"

extern const struct command *const commands[]; /* NULL-terminated */

const struct command *command_find(const char *name); /* NULL: unknown */

/* What main does; also what `tidegate help` prints. */
int command_main(int argc, char **argv);

/* command_run.c: for a program that is one verb, argv[0] included. Runs it, or
 * prints its help when asked; returns the exit status. */
int command_run(const struct command *command, int argc, char **argv);
void command_print_help(const struct command *command, struct buf *out);
/* Says on stderr what went wrong; returns the exit status. NULL: no verb. */
int command_report(const struct command *command, const struct err *err);
/* Runs the verb and waits for what it prints; returns the exit status. */
int command_carry_out(const struct command *command, int argc, char **argv);

/* cmd_elsewhere.c: starts another program of tidegate beside this one, in a
 * session of its own; its stdout is stderr. args[0] is left free, a NULL ends
 * them. -1: it cannot be. */
pid_t command_start_elsewhere(const char *program, char **args);

/* … and becomes another program of tidegate, argv[0] is its verb.
 * Comes back with an error alone. */
MUST_CHECK int command_elsewhere(
	const char *program, int argc, char **argv, struct err *err_r);

#endif
