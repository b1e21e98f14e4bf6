/* SPDX-License-Identifier: Apache-2.0 */
/* `tidegate record`: makes a recording for simulate from a Prometheus. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/foreground.h"
#include "cli/output.h"
#include "cli/record_metrics.h"
#include "io/file.h"

#define RECORDING_BYTES_MAX ((size_t)4 * 1024 * 1024 * 1024)

struct record_args {
	const char *policy, *output;
	const char *state, *project, *region;
	struct record_wish wish;
};

#define MEMBER(m) offsetof(struct record_args, m)
#define WISH(m)   offsetof(struct record_args, wish.m)

static const struct option_spec options[] = {
	{"policy", OPTION_TEXT, MEMBER(policy), "FILE",
		"whose queries are asked"},
	{"output", OPTION_TEXT, MEMBER(output), "FILE",
		"where the recording goes; \"-\" is standard output",
		.letter = 'o'},
	{"from", OPTION_TEXT, WISH(from), "TIME",
		"where it begins: 2026-01-31T12:00:00Z, Unix seconds, "
		"or -2h"},
	{"to", OPTION_TEXT, WISH(to), "TIME", "where it ends (default: now)"},
	{"rollout", OPTION_TEXT, WISH(rollout), "ROLLOUT",
		"take span, service, revisions and outages from this "
		"rollout"},
	{"candidate", OPTION_TEXT, WISH(candidate), "REVISION",
		"who was the candidate"},
	{"stable", OPTION_TEXT, WISH(stable), "REVISION", "who was stable"},
	{"interval", OPTION_DURATION, WISH(interval_ms), "DURATION",
		"between samples (default: the shortest interval of an "
		"SLO)"},
	OPTION_STATE(struct record_args),
	OPTION_PROJECT(struct record_args),
	OPTION_REGION(struct record_args),
	{0},
};

static int record_with(struct record_args *args, const struct policy *policy,
	struct err *err_r)
{
	char *part = !output_is_stdout(args->output) &&
				     file_is_replaced(args->output)
			     ? xasprintf("%s.part", args->output)
			     : NULL;
	struct buf json;
	int rc;

	args->wish.part = part;
	buf_init(&json, RECORDING_BYTES_MAX);
	rc = record_metrics(&args->wish, policy, &json, err_r);
	if (rc == 0)
		rc = output_save(args->output, &json, err_r);
	if (rc == 0)
		record_metrics_forget(&args->wish);
	buf_fini(&json);
	free(part);
	return rc;
}

static int record(int argc, char **argv, struct err *err_r)
{
	struct record_args args = {0};
	struct context_target target;
	struct policy *policy;
	int rc;

	if (args_parse(options, &args, &argc, argv, err_r) ||
		args_count(argc, argv, "SERVICE", 0, 1, err_r))
		return -1;
	if (!args.policy || !args.output)
		return err_set(err_r, ERR_USAGE, "%s is missing",
			args.policy ? "-o" : "--policy");
	args.wish.service = argc > 1 ? argv[1] : NULL;
	args.wish.state = args.state;
	args.wish.project = args.project;
	args.wish.region = args.region;
	target = (struct context_target){
		.project = args.project,
		.region = args.region,
		.service = args.wish.service,
	};
	policy = context_policy(args.policy, NULL, &target, err_r);
	if (!policy)
		return -1;
	rc = record_with(&args, policy, err_r);
	policy_free(&policy);
	return rc;
}

const struct command workbench_record = {
	.name = "record",
	.usage = "[SERVICE] --policy FILE --from TIME --to TIME -o FILE",
	.summary = COMMAND_RECORD_SUMMARY,
	.options = options,
	.run = record,
	.details =
		"Every query of the policy is asked over the span and written "
		"as one file, see\ntidegate-recording(5). What was read is "
		"kept in FILE.part until all of it is\nthere: after an "
		"interruption or an error the same command goes on from "
		"there.\nA query that cannot be answered fails the recording; "
		"nothing is made up.\n",
};
