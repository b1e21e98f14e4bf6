/* SPDX-License-Identifier: Apache-2.0 */
/* `tidegate slo`: from a policy to rules for its service's error budgets. */
#include <string.h>

#include "base/duration.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"
#include "cli/simulate.h"
#include "policy/quantity.h"
#include "slo/slo_print.h"

#define PERIOD_MS_MIN INT64_C(604800000) /* 7 days */
#define PERIOD_MS_MAX INT64_C(7776000000) /* 90 days */
#define DAY_MS        INT64_C(86400000)

enum rules_format { RULES_PROMETHEUS, RULES_GCLOUD };
static const char *const formats[] = {"prometheus", "gcloud", NULL};

struct slo_args {
	const char *objective, *latency_objective;
	const char *project, *region, *service;
	int64_t period_ms;
	int format;
	bool tests;
};

#define MEMBER(m) offsetof(struct slo_args, m)

static const struct option_spec options[] = {
	{.name = "objective",
		.type = OPTION_TEXT,
		.offset = MEMBER(objective),
		.value = "SHARE",
		.help = "of the requests are to be good (default: 99.9%)"},
	{.name = "latency-objective",
		.type = OPTION_TEXT,
		.offset = MEMBER(latency_objective),
		.value = "SHARE",
		.help = "of them are to be as fast as a latency's bound "
			"(default: 99.5%)"},
	{.name = "period",
		.type = OPTION_DURATION,
		.offset = MEMBER(period_ms),
		.value = "DURATION",
		.help = "that a budget is for, in whole days, 7d to 90d "
			"(default: 30d)"},
	{.name = "format",
		.type = OPTION_CHOICE,
		.offset = MEMBER(format),
		.choices = formats,
		.help = "rules for Prometheus, or alert policies for Cloud "
			"Monitoring (default: prometheus)"},
	{.name = "tests",
		.type = OPTION_FLAG,
		.offset = MEMBER(tests),
		.help = "print tests of the rules for promtool instead"},
	{.name = "service",
		.type = OPTION_TEXT,
		.offset = MEMBER(service),
		.value = "SERVICE",
		.help = "the service (default: the policy's)"},
	OPTION_PROJECT(struct slo_args),
	OPTION_REGION(struct slo_args),
	{0},
};

static int read_objective(const char *option, const char *text, double usual,
	double *objective_r, struct err *err_r)
{
	struct err err;

	*objective_r = usual;
	if (!text)
		return 0;
	if (quantity_parse(text, objective_r, &err) < 0 ||
		strpbrk(text, "smhd") || *objective_r < SLO_OBJECTIVE_MIN ||
		*objective_r > 0.99999)
		return err_set(err_r, ERR_USAGE,
			"--%s %.40s is no objective: write a share from 90%% "
			"to 99.999%%, such as 99.9%%",
			option, text);
	return 0;
}

static int read_wish(const struct slo_args *args, const struct policy *policy,
	struct slo_wish *wish_r, struct err *err_r)
{
	*wish_r = (struct slo_wish){
		.project = args->project ? args->project : policy->project,
		.region = args->region ? args->region : policy->region,
		.service = args->service ? args->service : policy->service,
		.period_ms = args->period_ms};
	if (!wish_r->service)
		return err_set(err_r, ERR_USAGE,
			"whose budgets? give --service, or set target.service "
			"in the policy");
	if (args->period_ms < PERIOD_MS_MIN ||
		args->period_ms > PERIOD_MS_MAX || args->period_ms % DAY_MS)
		return err_set(err_r, ERR_USAGE,
			"--period is in whole days, from 7d to 90d");
	if (args->tests && args->format == RULES_GCLOUD)
		return err_set(err_r, ERR_USAGE,
			"--tests are for promtool: leave out --format gcloud");
	if (read_objective("objective", args->objective, 0.999,
		    &wish_r->objective, err_r) < 0)
		return -1;
	return read_objective("latency-objective", args->latency_objective,
		0.995, &wish_r->latency_objective, err_r);
}

/* What there are no rules for is never passed over in silence. */
static void tell_left_out(const struct slo_rules *rules)
{
	struct buf text;

	buf_init(&text, OUTPUT_BYTES_MAX);
	for (size_t i = 0; i < rules->n_left_out; i++)
		buf_addf(&text, "tidegate: slo: %s is left out: %s\n",
			rules->left_out[i].name, rules->left_out[i].why);
	for (size_t i = 0; i < rules->n; i++)
		if (rules->objective[i].n_tiers < SLO_TIERS)
			buf_addf(&text,
				"tidegate: slo: %s has %zu of %d alerts: the "
				"others could never fire\n",
				rules->objective[i].name,
				rules->objective[i].n_tiers, SLO_TIERS);
	if (text.len)
		output_write(stderr, &text);
	buf_fini(&text);
}

static int print(const struct slo_args *args, const struct slo_rules *rules,
	struct err *err_r)
{
	struct buf text;

	tell_left_out(rules);
	if (!rules->n)
		return err_set(err_r, ERR_NOT_FOUND,
			"no SLO of this policy says its counts");
	buf_init(&text, SLO_TEXT_MAX);
	if (args->tests)
		slo_print_tests(rules, &text);
	else if (args->format == RULES_GCLOUD)
		slo_print_gcloud(rules, &text);
	else
		slo_print_prometheus(rules, &text);
	output_write(stdout, &text);
	buf_fini(&text);
	return 0;
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct slo_args args = {.period_ms = 30 * DAY_MS};
	struct slo_rules rules;
	struct policy *policy;
	struct slo_wish wish;
	struct arena arena;
	int rc;

	if (args_parse(options, &args, &argc, argv, err_r) < 0 ||
		args_count(argc, argv, "POLICY", 1, 1, err_r) < 0)
		return -1;
	/* Nobody is asked, so that no secret is needed. */
	policy = simulate_policy(argv[1], &(struct text_list){0}, false, err_r);
	if (!policy)
		return -1;
	arena_init(&arena);
	rc = read_wish(&args, policy, &wish, err_r);
	if (rc == 0)
		rc = slo_rules_make(&rules, policy, &wish, &arena, err_r);
	if (rc == 0)
		rc = print(&args, &rules, err_r);
	arena_fini(&arena);
	policy_free(&policy);
	return rc;
}

const struct command workbench_slo = {
	.name = "slo",
	.usage = "POLICY [--objective 99.9%] [--period 30d]",
	.summary = COMMAND_SLO_SUMMARY,
	.options = options,
	.run = run,
	.details = "Recording rules and alerts on the error budgets of the "
		   "policy's service, for\n"
		   "Prometheus: how fast a budget burns in two windows at "
		   "once, and that there is\n"
		   "something to go by. Revisions are summed away. Of each "
		   "SLO it takes to be known\n"
		   "what is counted: ready ones (\"use\") and those of kind "
		   "evidence say it, others\n"
		   "by \"total\" and \"good\". What is left out is named on "
		   "stderr.\n"
		   "\n"
		   "  tidegate slo backend.yaml >backend-slo.yml\n"
		   "  tidegate slo backend.yaml --tests >backend-slo.test.yml\n"
		   "  promtool test rules backend-slo.test.yml\n",
};
