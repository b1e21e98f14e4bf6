/* SPDX-License-Identifier: Apache-2.0 */
/* `tidegate plan`: what a policy would catch, and how long that takes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"
#include "cli/plan_measure.h"
#include "cli/plan_print.h"
#include "cli/simulate.h"
#include "policy/quantity.h"
#include "sim/sim_past.h"

#define RATE_MAX 1e9
#define HURT_MAX 1e9

struct plan_args {
	const char *policy, *recording;
	const char *rate, *base, *slow, *hurt;
	const char *project, *region;
	int format;
};

#define MEMBER(m) offsetof(struct plan_args, m)

static const struct option_spec options[] = {
	{.name = "policy",
		.type = OPTION_TEXT,
		.offset = MEMBER(policy),
		.value = "FILE",
		.help = "what would be used"},
	{.name = "rate",
		.type = OPTION_TEXT,
		.offset = MEMBER(rate),
		.value = "N/s",
		.help = "requests of the service: 50/s, 3000/m or 100/h"},
	{.name = "base",
		.type = OPTION_TEXT,
		.offset = MEMBER(base),
		.value = "SHARE",
		.help = "share of them that fails with a good revision: 0.1%"},
	{.name = "slow",
		.type = OPTION_TEXT,
		.offset = MEMBER(slow),
		.value = "SHARE",
		.help = "share of them that is slower than an SLO's bound "
			"(default: a fifth of what may be)"},
	{.name = "recording",
		.type = OPTION_TEXT,
		.offset = MEMBER(recording),
		.value = "FILE",
		.help = "measure all of that in what was recorded of stable "
			"before its start"},
	{.name = "hurt",
		.type = OPTION_TEXT,
		.offset = MEMBER(hurt),
		.value = "N",
		.help = "advise for so many bad requests at most (default: the "
			"policy's evidence.harm)"},
	OPTION_PROJECT(struct plan_args),
	OPTION_REGION(struct plan_args),
	OPTION_FORMAT(struct plan_args),
	{0},
};

/* ---- options ---- */

static int read_share(const char *option, const char *text, double *share_r,
	struct err *err_r)
{
	struct err err;

	if (!text)
		return 0;
	if (quantity_parse(text, share_r, &err) < 0 || strpbrk(text, "smhd") ||
		!(*share_r > 0) || *share_r > 0.5)
		return err_set(err_r, ERR_USAGE,
			"--%s %.40s is not a share: write one up to 50%%, such "
			"as 0.1%%",
			option, text);
	return 0;
}

/* "50/s"; without a unit a second is meant. */
static int read_rate(const char *text, double *rate_r, struct err *err_r)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = {{"", 1}, {"/s", 1}, {"/m", 60}, {"/h", 3600}};
	size_t len, i;

	if (!text)
		return 0;
	len = strcspn(text, "/");
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		char number[32] = "";

		if (strcmp(text + len, units[i].unit) != 0 ||
			len >= sizeof(number))
			continue;
		memcpy(number, text, len);
		if (decimal_parse(number, len, rate_r) < 0 || !(*rate_r > 0) ||
			*rate_r > RATE_MAX)
			break;
		*rate_r /= units[i].seconds;
		return 0;
	}
	return err_set(err_r, ERR_USAGE,
		"--rate %.40s is not a number of requests in a time: write "
		"50/s, 3000/m or 100/h",
		text);
}

static int read_hurt(const char *text, double *hurt_r, struct err *err_r)
{
	if (text && (decimal_parse(text, strlen(text), hurt_r) < 0 ||
			    *hurt_r < 1 || *hurt_r > HURT_MAX))
		return err_set(err_r, ERR_USAGE,
			"--hurt %.40s is not a number of requests: write 1 or "
			"more",
			text);
	return 0;
}

static int read_load(const struct plan_args *args, const char *service,
	struct forecast_load *load, struct err *err_r)
{
	*load = (struct forecast_load){.rate = NAN, .bad = NAN, .slow = NAN};
	if (read_rate(args->rate, &load->rate, err_r) < 0 ||
		read_share("base", args->base, &load->bad, err_r) < 0 ||
		read_share("slow", args->slow, &load->slow, err_r) < 0)
		return -1;
	if (service && args->recording)
		return err_set(err_r, ERR_USAGE,
			"both %.160s and --recording: which is to be measured?",
			service);
	if (!service && !args->recording &&
		(isnan(load->rate) || isnan(load->bad)))
		return err_set(err_r, ERR_USAGE,
			"how much traffic is there? Write --rate 50/s and "
			"--base 0.1%%, or name the SERVICE or a --recording to "
			"measure");
	return 0;
}

/* ---- what is found ---- */

static void print(const struct plan_args *args, const struct policy *policy,
	const struct forecast *forecast)
{
	struct buf text;

	buf_init(&text, OUTPUT_BYTES_MAX);
	if (args->format == FORMAT_JSON)
		plan_print_json(policy, forecast, &text);
	else
		plan_print_text(policy, forecast, &text);
	output_write(stdout, &text);
	buf_fini(&text);
}

/* What was measured is in `measured_r`. */
static int measure_recording(const char *path, const struct policy *policy,
	struct plan_measured *measured_r, struct err *err_r)
{
	struct recording *recording = recording_load(path, err_r);
	struct sim_past *past;

	if (!recording)
		return -1;
	past = sim_past_new(policy, recording);
	if (past) {
		measured_r->n = past->n;
		memcpy(measured_r->history, past->history,
			sizeof(past->history));
	}
	free(past);
	recording_free(&recording);
	return 0;
}

static bool is_any_planned(const struct forecast *forecast)
{
	size_t i;

	for (i = 0; i < forecast->n; i++)
		if (forecast->slo[i].by != FORECAST_NONE)
			return true;
	return false;
}

static int plan_with(const struct plan_args *args, const struct policy *policy,
	struct forecast_load *load, struct err *err_r)
{
	double hurt = policy->evidence.harm;
	struct forecast *forecast;
	int rc = 0;

	if (read_hurt(args->hurt, &hurt, err_r) < 0)
		return -1;
	forecast = forecast_new(policy, load, hurt);
	print(args, policy, forecast);
	if (!is_any_planned(forecast))
		rc = err_set(err_r, ERR_NOT_FOUND,
			"nothing of this policy can be planned; with --rate "
			"50/s and --base 0.1%% more may be");
	free(forecast);
	return rc;
}

static int plan(const struct plan_args *args, const char *service,
	const struct context_target *target, const struct policy *policy,
	struct err *err_r)
{
	struct plan_measured measured = {.n = 0};
	struct forecast_load load;

	if (read_load(args, service, &load, err_r) < 0)
		return -1;
	if (args->recording && measure_recording(args->recording, policy,
				       &measured, err_r) < 0)
		return -1;
	if (service && plan_measure(policy, target, &measured, err_r) < 0)
		return -1;
	load.histories = measured.history;
	load.n_histories = measured.n;
	return plan_with(args, policy, &load, err_r);
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct plan_args args = {0};
	struct context_target target;
	struct policy *policy;
	const char *service;
	int rc;

	if (args_parse(options, &args, &argc, argv, err_r) < 0 ||
		args_count(argc, argv, "[SERVICE]", 0, 1, err_r) < 0)
		return -1;
	if (!args.policy)
		return err_set(err_r, ERR_USAGE, "--policy is missing");
	service = argc > 1 ? argv[1] : NULL;
	target = (struct context_target){.project = args.project,
		.region = args.region,
		.service = service};
	/* Nobody is asked without a service, and no secret is needed. */
	policy = service ? context_policy(args.policy, NULL, &target, err_r)
			 : simulate_policy(args.policy, &(struct text_list){0},
				   false, err_r);
	if (!policy)
		return -1;
	rc = plan(&args, service, &target, policy, err_r);
	policy_free(&policy);
	return rc;
}

const struct command workbench_plan = {
	.name = "plan",
	.usage = "[SERVICE] --policy FILE [--rate N/s --base SHARE]",
	.summary = COMMAND_PLAN_SUMMARY,
	.options = options,
	.run = run,
	.details = "For each step and SLO: after what time a candidate with 2, "
		   "5 and 10 times\n"
		   "stable's share of bad requests is found, by half of such "
		   "rollouts and by 90 %,\n"
		   "how many requests and bad ones that costs, and the "
		   "smallest regression that is\n"
		   "found within the step. SLOs of kind evidence by "
		   "calculation, those with limits\n"
		   "by 200 simulated rollouts each, so that both kinds can be "
		   "compared.\n"
		   "\n"
		   "With SERVICE, or a recording, requests and shares are "
		   "measured in stable's\n"
		   "counters; then only servers are asked, and nothing is "
		   "changed.\n",
};
