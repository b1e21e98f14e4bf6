/* `tidegate check`: says all that is wrong with policies, or what they do. */
#include <stdio.h>

#include "base/buf.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/output.h"
#include "policy/policy_load.h"

#define POLICIES_MAX 64 /* of one call */

/* The plan goes to stdout, problems to stderr; false: there are problems. */
static bool check(const char *path)
{
	struct buf text;
	struct policy *policy;
	struct err err;

	buf_init(&text, OUTPUT_BYTES_MAX);
	policy = policy_load(path, &policy_world_real, &text, &err);
	if (policy)
		policy_print_plan(policy, &text);
	output_write(policy ? stdout : stderr, &text);
	buf_fini(&text);
	if (!policy)
		return false;
	policy_free(&policy);
	return true;
}

static const struct option_spec options[] = {{0}};

static int run(int argc, char **argv, struct err *err_r)
{
	bool good = true;

	if (args_parse(options, NULL, &argc, argv, err_r) < 0 ||
		args_count(argc, argv, "POLICY…", 1, POLICIES_MAX, err_r) < 0)
		return -1;
	for (int i = 1; i < argc; i++) {
		if (i > 1 && good)
			fputc('\n', stdout);
		good = check(argv[i]) && good;
	}
	return good ? 0 : err_exit_status(ERR_POLICY);
}

static const char details[] =
	"Prints the plan of each policy: steps, SLOs with what no data means, "
	"the\nrollback sequence. Or else, on stderr, all problems with their "
	"places in\nthe file; then the exit status is 3. \"-\" is standard "
	"input. Asks no\nserver, but every ${VAR} must be set and every *_file "
	"be there.\n";

const struct command cmd_check = {
	.name = "check",
	.usage = "POLICY…",
	.summary = "Say what is wrong with policies, or print their plans",
	.options = options,
	.run = run,
	.details = details,
};
