/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tidegate simulate`: a policy on recorded metrics. The engine is that of
 * `run`; nothing of the world is needed, no secret, no service.
 */
#include <string.h>

#include "base/duration.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"
#include "cli/record_metrics.h"
#include "cli/simulate.h"

#define ARGUMENTS_MAX     1000000
#define HISTORY_BYTES_MAX ((size_t)1024 * 1024 * 1024)

struct simulate_args {
	const char *policy, *compare, *approve, *html;
	const char *state, *project, *region;
	struct record_wish wish;
	struct text_list faults, sets, sweeps;
	int format;
	bool every_check;
};

#define MEMBER(m) offsetof(struct simulate_args, m)
#define WISH(m)   offsetof(struct simulate_args, wish.m)

static const struct option_spec options[] = {
	{"policy", OPTION_TEXT, MEMBER(policy), "FILE", "how to release"},
	{"set", OPTION_LIST, MEMBER(sets), "KEY=VALUE",
		"put a value over the policy's, such as "
		"slos.error-rate.max=2% or steps.2.bake=5m"},
	{"compare", OPTION_TEXT, MEMBER(compare), "FILE",
		"another policy: say where the two decide differently"},
	{"sweep", OPTION_LIST, MEMBER(sweeps), "KEY=RANGE",
		"try values of a key, such as "
		"evidence.alpha=1%..10%:5: five of them"},
	{"approve", OPTION_TEXT, MEMBER(approve), "WHEN",
		"what people do at a gate: always (default), never, or "
		"after=15m"},
	{"fault", OPTION_LIST, MEMBER(faults), "FAULT",
		"metrics-down@12m+5m, patch-503@20m+2m, "
		"patch-lost@20m+2m, drift@15m or crash@18m"},
	{"html", OPTION_TEXT, MEMBER(html), "FILE",
		"also write a page with charts (\"-\": to standard output, the "
		"rest to standard error); of several recordings a folder of "
		"them"},
	{"every-check", OPTION_FLAG, MEMBER(every_check), NULL,
		"show checks that pass, too"},
	{"from", OPTION_TEXT, WISH(from), "TIME",
		"instead of a recording, ask the policy's Prometheus "
		"about this time on: 2026-01-31T12:00:00Z, Unix "
		"seconds, or -2h"},
	{"to", OPTION_TEXT, WISH(to), "TIME",
		"… up to this one (default: now)"},
	{"rollout", OPTION_TEXT, WISH(rollout), "ROLLOUT",
		"… or about this rollout"},
	{"candidate", OPTION_TEXT, WISH(candidate), "REVISION",
		"with --from: who was the candidate"},
	{"stable", OPTION_TEXT, WISH(stable), "REVISION",
		"with --from: who was stable"},
	{"service", OPTION_TEXT, WISH(service), "SERVICE",
		"with --from: whose metrics (default: the policy's)"},
	OPTION_STATE(struct simulate_args),
	OPTION_PROJECT(struct simulate_args),
	OPTION_REGION(struct simulate_args),
	OPTION_FORMAT(struct simulate_args),
	{0},
};

static bool asks_prometheus(const struct simulate_args *args)
{
	return args->wish.from || args->wish.rollout;
}

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

/* ---- the command ---- */

static int simulate_recording(const struct simulation *simulation,
	struct recording *recording, struct err *err_r)
{
	int rc = -1;

	if (!recording)
		return -1;
	if (sim_check(simulation->policy, recording, err_r) == 0) {
		simulate_warn_of_queries(simulation, recording);
		rc = simulate_one(simulation, recording, err_r);
	}
	recording_free(&recording);
	return rc;
}

/* In retrospect: what the metrics were, without a file. */
static int simulate_recorded(const struct simulation *simulation,
	const struct record_wish *wish, struct err *err_r)
{
	struct buf json;
	int rc;

	buf_init(&json, HISTORY_BYTES_MAX);
	rc = record_metrics(wish, simulation->policy, &json, err_r);
	if (rc == 0)
		rc = simulate_recording(simulation,
			recording_parse("the metrics of then", json.data,
				json.len, err_r),
			err_r);
	buf_fini(&json);
	return rc;
}

static int simulate_files(const struct simulation *simulation,
	const struct path_list *paths, struct err *err_r)
{
	bool several = paths->has_folder || paths->n > 1;

	if (simulation->other)
		return simulate_compare(simulation, paths, err_r);
	if (several)
		return simulate_many(simulation, paths, err_r);
	return simulate_recording(
		simulation, recording_load(paths->item[0], err_r), err_r);
}

static int sweep_files(const struct simulate_args *args,
	const struct simulation *simulation, const struct path_list *paths,
	struct err *err_r)
{
	const struct sweep_wish wish = {
		args->policy, &args->sets, &args->sweeps};

	return simulate_sweep(simulation, &wish, paths, err_r);
}

static int simulate_with(const struct simulation *simulation,
	const struct simulate_args *args, int argc, char **argv,
	struct err *err_r)
{
	struct path_list paths;
	int rc = -1;

	if (asks_prometheus(args))
		return simulate_recorded(simulation, &args->wish, err_r);
	if (simulate_paths(&paths, argv + 1, (size_t)argc - 1, err_r) == 0)
		rc = args->sweeps.n
			     ? sweep_files(args, simulation, &paths, err_r)
			     : simulate_files(simulation, &paths, err_r);
	path_list_fini(&paths);
	return rc;
}

static int parse_args(struct simulate_args *args, struct simulation *simulation,
	int *argc, char **argv, struct err *err_r)
{
	if (args_parse(options, args, argc, argv, err_r) < 0)
		return -1;
	args->wish.state = args->state;
	args->wish.project = args->project;
	args->wish.region = args->region;
	if (args_count(*argc, argv, "RECORDING...", !asks_prometheus(args),
		    asks_prometheus(args) ? 0 : ARGUMENTS_MAX, err_r) < 0 ||
		parse_approve(args->approve, &simulation->options, err_r) < 0 ||
		parse_faults(&args->faults, simulation, err_r) < 0)
		return -1;
	if (!args->policy)
		return err_set(err_r, ERR_USAGE, "--policy is missing");
	if (asks_prometheus(args) && args->compare)
		return err_set(err_r, ERR_USAGE,
			"--compare wants recordings: make one with tidegate "
			"record");
	if (args->sweeps.n && (asks_prometheus(args) || args->compare))
		return err_set(err_r, ERR_USAGE,
			"--sweep wants recordings, and no --compare");
	simulation->html = args->html;
	simulation->json = args->format == FORMAT_JSON;
	if (args->html && output_is_stdout(args->html) && simulation->json)
		return err_set(err_r, ERR_USAGE,
			"--html - and --format json both want standard output: "
			"name a file for the page");
	simulation->told =
		args->html && output_is_stdout(args->html) ? stderr : stdout;
	simulation->colour = output_has_colour(simulation->told);
	simulation->every_check = args->every_check;
	return 0;
}

static int simulate(int argc, char **argv, struct err *err_r)
{
	struct simulate_args args = {0};
	struct simulation simulation = {.options = {.shift_ms = -1}};
	struct policy *policy, *other = NULL;
	int rc = -1;

	if (parse_args(&args, &simulation, &argc, argv, err_r) < 0)
		return -1;
	policy = simulate_policy(
		args.policy, &args.sets, asks_prometheus(&args), err_r);
	/* What is put over one is not put over the other. */
	if (policy && args.compare)
		other = simulate_policy(args.compare,
			&(struct text_list){.n = 0}, false, err_r);
	simulation.policy = policy;
	simulation.other = other;
	if (policy && (other || !args.compare))
		rc = simulate_with(&simulation, &args, argc, argv, err_r);
	policy_free(&other);
	policy_free(&policy);
	return rc;
}

const struct command workbench_simulate = {
	.name = "simulate",
	.usage = "--policy FILE RECORDING... | --from TIME",
	.summary = COMMAND_SIMULATE_SUMMARY,
	.options = options,
	.run = simulate,
	.details =
		"A recording holds what the policy's queries answered over "
		"some time, see\ntidegate-recording(5). Time is virtual: hours "
		"take milliseconds.\n\nWith one recording the exit status is "
		"that of `run`. With several it is 0\nwhen each ended as its "
		"`expect` says (promoted, when it says nothing), else 1.\nA "
		"folder stands for the *.json in it.\n"
		"With --compare it is 0 when both policies decide alike "
		"everywhere, else 1;\n--set is put over --policy only, so that "
		"a policy can "
		"be compared with\nitself changed.\nWith --sweep, once or "
		"several times, each value is tried on all recordings;\nthe "
		"exit status is 0 when with one of them each ended as "
		"expected, else 1.\n",
};
