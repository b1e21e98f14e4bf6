/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tidegate check`: says all that is wrong with policies, or what they do; with
 * --live, whether one could be carried out now.
 */
#include <stdio.h>

#include "base/buf.h"
#include "cli/args.h"
#include "cli/check_live.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"
#include "cli/plan_print.h"
#include "policy/policy_load.h"

#define POLICIES_MAX 64 /* of one call */

/* The plan goes to stdout, problems and warnings to stderr; false: there are
 * problems, or warnings and that is enough. */
static bool check(const char *path, bool strict)
{
	struct policy *policy;
	struct buf text;
	struct err err;
	bool good;

	buf_init(&text, OUTPUT_BYTES_MAX);
	policy = policy_load(path, &policy_env_real, &text, &err);
	good = policy && !(strict && policy->n_warnings);
	output_write(stderr, &text);
	buf_clear(&text);
	if (policy) {
		policy_print_plan(policy, &text);
		plan_print_short(policy, &text);
	}
	output_write(stdout, &text);
	buf_fini(&text);
	policy_free(&policy);
	return good;
}

struct check_args {
	struct check_live_args live; /* first: options with --live go there */
	bool schema, keys;
	const char *config;
};

static const struct option_spec options[] = {
	{"schema", OPTION_FLAG, offsetof(struct check_args, schema), NULL,
		"print the JSON schema of a policy, for editors"},
	{"keys", OPTION_FLAG, offsetof(struct check_args, keys), NULL,
		"print all keys of a policy, with their defaults"},
	{"live", OPTION_FLAG, offsetof(struct check_live_args, live), NULL,
		"look whether a rollout of SERVICE could run now; "
		"changes nothing"},
	{"config", OPTION_TEXT, offsetof(struct check_args, config), "FILE",
		"check the configuration of tidegate serve"},
	{"strict", OPTION_FLAG, offsetof(struct check_live_args, strict), NULL,
		"warnings are failures"},
	{"policy", OPTION_TEXT, offsetof(struct check_live_args, policy),
		"FILE", "with --live: how it would be released"},
	{"candidate", OPTION_TEXT, offsetof(struct check_live_args, candidate),
		"REVISION",
		"with --live: what would be released (default: the "
		"latest ready revision)"},
	OPTION_PROJECT(struct check_live_args),
	OPTION_REGION(struct check_live_args),
	OPTION_STATE(struct check_live_args),
	OPTION_AS(struct check_live_args),
	{"adopt", OPTION_FLAG, offsetof(struct check_live_args, adopt), NULL,
		"as for run"},
	{"again", OPTION_FLAG, offsetof(struct check_live_args, again), NULL,
		"as for run"},
	OPTION_FORMAT(struct check_live_args),
	{0},
};

static int run_live(const struct check_live_args *args, int argc, char **argv,
	struct err *err_r)
{
	if (args_count(argc, argv, "[SERVICE]", 0, 1, err_r) < 0)
		return -1;
	if (!args->policy)
		return err_set(err_r, ERR_USAGE, "--policy is missing");
	return check_live(args, argc > 1 ? argv[1] : NULL, err_r);
}

static int print(
	void (*what)(struct buf *out), int argc, char **argv, struct err *err_r)
{
	struct buf text;

	if (args_count(argc, argv, "", 0, 0, err_r) < 0)
		return -1;
	buf_init(&text, OUTPUT_BYTES_MAX);
	what(&text);
	output_write(stdout, &text);
	buf_fini(&text);
	return 0;
}

/* The program that serves knows its configuration. */
static int check_config(
	const char *file, int argc, char **argv, struct err *err_r)
{
	char *words[] = {argv[0], (char *)file, NULL};

	if (args_count(argc, argv, "", 0, 0, err_r) < 0)
		return -1;
	return command_elsewhere("tidegate-server", 2, words, err_r);
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct check_args args = {0};
	const struct check_live_args *live = &args.live;
	bool good = true;

	if (args_parse(options, &args, &argc, argv, err_r) < 0)
		return -1;
	if (args.schema + args.keys + live->live + (args.config != NULL) > 1)
		return err_set(err_r, ERR_USAGE,
			"--schema, --keys, --live and --config are four "
			"things: choose one");
	if (args.config)
		return check_config(args.config, argc, argv, err_r);
	if (live->live)
		return run_live(live, argc, argv, err_r);
	if (live->policy || live->candidate || live->adopt || live->again ||
		live->format)
		return err_set(err_r, ERR_USAGE,
			"these options go with --live; without it, check takes "
			"policies and --strict");
	if (args.schema)
		return print(policy_print_schema, argc, argv, err_r);
	if (args.keys)
		return print(policy_print_keys, argc, argv, err_r);
	if (args_count(argc, argv, "POLICY…", 1, POLICIES_MAX, err_r) < 0)
		return -1;
	for (int i = 1; i < argc; i++) {
		if (i > 1 && good)
			output_text(stdout, "\n");
		good = check(argv[i], live->strict) && good;
	}
	return good ? 0 : err_exit_status(ERR_POLICY);
}

static const char details[] =
	"Prints the plan of each policy: steps, SLOs with what no data means, "
	"the\nrollback sequence. Or else, on stderr, all problems with their "
	"places in\nthe file; then the exit status is 3. Warnings, of what is "
	"hardly meant, are on\nstderr as well and change it with --strict "
	"only. \"-\" is standard input. Asks\nno server, but every ${VAR} "
	"must be set and every *_file be there.\n\nWith --live, one table of "
	"all that a rollout needs: "
	"credentials and what they\nmay do, the service, candidate and stable, "
	"each query's value for both, each\naction, clock, approvers, state "
	"file. Exit status 0: a rollout could run now;\n4: something fails, "
	"and what to do is said. Only reads.\n";

const struct command workbench_check = {
	.name = "check",
	.usage = "POLICY… | --live SERVICE --policy F | --config F",
	.summary = COMMAND_CHECK_SUMMARY,
	.options = options,
	.run = run,
	.details = details,
};
