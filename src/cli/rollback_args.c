/* SPDX-License-Identifier: Apache-2.0 */
/* Options of `tidegate rollback`; see rollback_args.h. */
#include "cli/rollback_args.h"

#include "cli/context.h"

#define MEMBER(m) offsetof(struct rollback_args, m)

const struct option_spec rollback_options[] = {
	{"policy", OPTION_TEXT, MEMBER(policy), "FILE",
		"whose rollback sequence is run"},
	{"to", OPTION_TEXT, MEMBER(to), "REVISION",
		"who gets all traffic (default: stable of the newest "
		"rollout of the service)"},
	{"candidate", OPTION_TEXT, MEMBER(candidate), "REVISION",
		"from whom it is taken (default: the candidate of that "
		"rollout, or who has users)"},
	{"drill", OPTION_FLAG, MEMBER(drill), NULL,
		"read and probe only: tell what would happen and what "
		"is missing"},
	{"again", OPTION_FLAG, MEMBER(again), NULL,
		"run the sequence even when stable holds all traffic"},
	{"comment", OPTION_TEXT, MEMBER(comment), "TEXT",
		"why; kept in the journal"},
	OPTION_PROJECT(struct rollback_args),
	OPTION_REGION(struct rollback_args),
	OPTION_STATE(struct rollback_args),
	OPTION_SERVER(struct rollback_args),
	OPTION_AS(struct rollback_args),
	OPTION_FORMAT(struct rollback_args),
	{"quiet", OPTION_FLAG, MEMBER(quiet), NULL, "print only how it ended"},
	{0},
};

int rollback_args_parse(
	struct rollback_args *args_r, int *argc, char **argv, struct err *err_r)
{
	*args_r = (struct rollback_args){0};
	if (args_parse(rollback_options, args_r, argc, argv, err_r) < 0 ||
		args_count(*argc, argv, "[SERVICE]", 0, 1, err_r) < 0)
		return -1;
	if (!args_r->policy)
		return err_set(err_r, ERR_USAGE, "--policy is missing");
	return 0;
}
