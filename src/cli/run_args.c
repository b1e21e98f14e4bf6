/* SPDX-License-Identifier: Apache-2.0 */
/* Options of `tidegate run`; see run_args.h. */
#include "cli/run_args.h"

#include "base/timestamp.h"
#include "cli/context.h"
#include "cli/local_clock.h"

#define MEMBER(m) offsetof(struct run_args, m)

const struct option_spec run_options[] = {
	{"policy", OPTION_TEXT, MEMBER(policy), "FILE", "how to release"},
	{"candidate", OPTION_TEXT, MEMBER(candidate), "REVISION",
		"what to release (default: the latest ready revision)"},
	OPTION_PROJECT(struct run_args),
	OPTION_REGION(struct run_args),
	OPTION_STATE(struct run_args),
	OPTION_SERVER(struct run_args),
	OPTION_AS(struct run_args),
	{"adopt", OPTION_FLAG, MEMBER(adopt), NULL,
		"accept that the candidate has a part of the traffic "
		"already"},
	{"again", OPTION_FLAG, MEMBER(again), NULL,
		"accept a candidate that was rolled back before"},
	{"committed", OPTION_TEXT, MEMBER(committed), "TIME",
		"when what is released was committed, for the lead time"},
	{"wait", OPTION_DURATION, MEMBER(wait), "TIME",
		"how long it may be held or wait for people, in sum; "
		"then exit with 8 (default: for ever)"},
	OPTION_FORMAT(struct run_args),
	OPTION_UTC(struct run_args),
	OPTION_PUSH(struct run_args),
	OPTION_OTLP(struct run_args),
	{"quiet", OPTION_FLAG, MEMBER(quiet), NULL, "print only how it ended"},
	{0},
};

int run_args_parse(
	struct run_args *args_r, int *argc, char **argv, struct err *err_r)
{
	*args_r = (struct run_args){.wait = -1};
	if (args_parse(run_options, args_r, argc, argv, err_r) < 0 ||
		args_count(*argc, argv, "[SERVICE]", 0, 1, err_r) < 0)
		return -1;
	if (!args_r->policy)
		return err_set(err_r, ERR_USAGE, "--policy is missing");
	if (args_r->committed && timestamp_parse(args_r->committed,
					 &args_r->committed_ms, err_r) < 0) {
		err_r->code = ERR_USAGE;
		return err_wrap(err_r, "--committed");
	}
	return 0;
}
