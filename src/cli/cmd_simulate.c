/*
 * `tidegate simulate`: a policy on recorded metrics. The engine is that of
 * `run`; nothing of the world is needed, no secret, no service.
 */
#include <string.h>

#include "base/duration.h"
#include "cli/bare_world.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"
#include "cli/simulate.h"

#define RECORDINGS_MAX 100000

struct simulate_args {
	const char *policy, *approve;
	struct text_list faults, sets;
	int format;
	bool every_check;
};

#define MEMBER(m) offsetof(struct simulate_args, m)

static const struct option_spec options[] = {
	{.name = "policy",
		.type = OPTION_TEXT,
		.offset = MEMBER(policy),
		.value = "FILE",
		.help = "how to release"},
	{.name = "set",
		.type = OPTION_LIST,
		.offset = MEMBER(sets),
		.value = "KEY=VALUE",
		.help = "put a value over the policy's, such as "
			"slos.error-rate.max=2% or steps.2.bake=5m"},
	{.name = "approve",
		.type = OPTION_TEXT,
		.offset = MEMBER(approve),
		.value = "WHEN",
		.help = "what people do at a gate: always (default), never, or "
			"after=15m"},
	{.name = "fault",
		.type = OPTION_LIST,
		.offset = MEMBER(faults),
		.value = "FAULT",
		.help = "metrics-down@12m+5m, patch-503@20m+2m, "
			"patch-lost@20m+2m, drift@15m or crash@18m"},
	{.name = "every-check",
		.type = OPTION_FLAG,
		.offset = MEMBER(every_check),
		.help = "show checks that pass, too"},
	OPTION_FORMAT(struct simulate_args),
	{0},
};

/* ---- options ---- */

static int parse_approve(
	const char *text, struct sim_options *sim, struct err *err_r)
{
	static const char after[] = "after=";

	sim->approve = SIM_APPROVE_ALWAYS;
	if (!text || strcmp(text, "always") == 0)
		return 0;
	if (strcmp(text, "never") == 0) {
		sim->approve = SIM_APPROVE_NEVER;
		return 0;
	}
	if (strncmp(text, after, strlen(after)) != 0)
		return err_set(err_r, ERR_USAGE,
			"--approve is \"%.40s\": write always, never or "
			"after=15m",
			text);
	sim->approve = SIM_APPROVE_AFTER;
	if (duration_parse(
		    text + strlen(after), &sim->approve_after_ms, err_r) == 0)
		return 0;
	err_r->code = ERR_USAGE;
	return err_wrap(err_r, "--approve");
}

static int parse_faults(const struct text_list *texts,
	struct simulation *simulation, struct err *err_r)
{
	size_t i;

	if (texts->n > SIM_FAULTS_MAX)
		return err_set(err_r, ERR_USAGE, "more than %d faults",
			SIM_FAULTS_MAX);
	for (i = 0; i < texts->n; i++) {
		if (fault_parse(texts->item[i], &simulation->faults[i], err_r) <
			0)
			return err_wrap(err_r, "--fault");
	}
	simulation->options.faults = simulation->faults;
	simulation->options.n_faults = texts->n;
	return 0;
}

/* ---- the policy ---- */

/* With --set over it; all problems go to stderr. */
static struct policy *load_policy(
	const char *path, const struct text_list *sets, struct err *err_r)
{
	struct policy *policy = NULL;
	struct policy_world world;
	struct buf bytes, problems;

	buf_init(&bytes, POLICY_BYTES_MAX);
	if (policy_world_real.read_file(path, &bytes, err_r, NULL) < 0) {
		buf_fini(&bytes);
		return NULL;
	}
	world = bare_world(bytes.data);
	world.sets = sets->item;
	world.n_sets = sets->n;
	buf_init(&problems, OUTPUT_BYTES_MAX);
	policy = policy_parse(
		path, bytes.data, bytes.len, &world, &problems, err_r);
	if (!policy) {
		output_write(stderr, &problems);
		err_set(err_r, ERR_POLICY, "%s is not a policy to work with",
			path);
	}
	buf_fini(&problems);
	buf_fini(&bytes);
	return policy;
}

/* ---- the command ---- */

static int simulate_file(const struct simulation *simulation, const char *path,
	struct err *err_r)
{
	struct recording *recording = recording_load(path, err_r);
	int rc = -1;

	if (!recording)
		return -1;
	if (sim_check(simulation->policy, recording, err_r) == 0) {
		simulate_warn_of_queries(simulation, recording);
		rc = simulate_one(simulation, recording);
	}
	recording_free(&recording);
	return rc;
}

static int simulate(int argc, char **argv, struct err *err_r)
{
	struct simulate_args args = {0};
	struct simulation simulation = {.options = {.shift_ms = -1}};
	struct policy *policy;
	int rc;

	if (args_parse(options, &args, &argc, argv, err_r) ||
		args_count(
			argc, argv, "RECORDING...", 1, RECORDINGS_MAX, err_r) ||
		parse_approve(args.approve, &simulation.options, err_r) ||
		parse_faults(&args.faults, &simulation, err_r))
		return -1;
	if (!args.policy)
		return err_set(err_r, ERR_USAGE, "--policy is missing");
	policy = load_policy(args.policy, &args.sets, err_r);
	if (!policy)
		return -1;
	simulation.policy = policy;
	simulation.json = args.format == FORMAT_JSON;
	simulation.colour = output_has_colour(stdout);
	simulation.every_check = args.every_check;
	if (argc == 2)
		rc = simulate_file(&simulation, argv[1], err_r);
	else
		rc = simulate_many(
			&simulation, argv + 1, (size_t)argc - 1, err_r);
	policy_free(&policy);
	return rc;
}

const struct command cmd_simulate = {
	.name = "simulate",
	.usage = "--policy FILE RECORDING...",
	.summary = "Show what a policy would have decided on recorded metrics",
	.options = options,
	.run = simulate,
	.details =
		"A recording holds what the policy's queries answered over "
		"some time, see\ntidegate-recording(5). Time is virtual: hours "
		"take milliseconds.\n\nWith one recording the exit status is "
		"that of `run`. With several it is 0\nwhen each ended as its "
		"`expect` says (promoted, when it says nothing), else 1.\n",
};
