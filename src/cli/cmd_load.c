/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tidegate load`: an action of a policy that makes a load, by itself. With "-"
 * instead of a name it is what a rollout runs: see action/load_codec.h.
 */
#include <stdlib.h>
#include <string.h>

#include "action/load_codec.h"
#include "base/xalloc.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/load_session.h"
#include "policy/template.h"
#include "policy/url.h"

struct load_args {
	const char *policy, *url;
	const char *project, *region, *service;
	int format;
};

#define MEMBER(m) offsetof(struct load_args, m)

static const struct option_spec options[] = {
	{.name = "policy",
		.type = OPTION_TEXT,
		.offset = MEMBER(policy),
		.value = "FILE",
		.help = "where the action is"},
	{.name = "url",
		.type = OPTION_TEXT,
		.offset = MEMBER(url),
		.value = "URL",
		.help = "what {{candidate_url}} stands for: whom the load is "
			"for"},
	OPTION_PROJECT(struct load_args),
	OPTION_REGION(struct load_args),
	{.name = "service",
		.type = OPTION_TEXT,
		.offset = MEMBER(service),
		.value = "SERVICE",
		.help = "what {{service}} stands for (default: the policy's)"},
	OPTION_FORMAT(struct load_args),
	{0},
};

/* ---- which ---- */

static bool makes_load(const struct action *action)
{
	return action->kind == ACTION_LOAD || action->kind == ACTION_K6;
}

/* NULL `name`: the only one there is. */
static const struct action *find_action(
	const struct policy *policy, const char *name, struct err *err_r)
{
	const struct action *found = NULL, *action;
	size_t n = 0;

	for (int list = 0; list < ACTION_LISTS; list++) {
		for (size_t i = 0; i < policy->lists[list].n; i++) {
			action = &policy->lists[list].item[i];
			if (!makes_load(action) ||
				(name && strcmp(action->name, name) != 0))
				continue;
			found = action;
			n++;
		}
	}
	if (n == 1)
		return found;
	if (name)
		(void)!err_set(err_r, ERR_NOT_FOUND,
			"the policy has no action \"%.80s\" of type load or k6",
			name);
	else
		(void)!err_set(err_r, ERR_USAGE,
			n ? "the policy has several loads: name one"
			  : "the policy has no action of type load or k6");
	return NULL;
}

static int check_url(const char *url, struct err *err_r)
{
	struct url parts;

	if (!url)
		return 0;
	if (url_parse(url, &parts, err_r) < 0)
		return err_wrap(err_r, "--url");
	if (parts.query.at || strstr(url, "{{"))
		return err_set(err_r, ERR_USAGE,
			"--url is where the service is, such as "
			"https://candidate---shop-abc-uc.a.run.app, without a "
			"query");
	return 0;
}

/* A policy's own "/" follows. */
static char *url_without_slash(const char *url)
{
	char *copy = xstrdup(url ? url : "");
	size_t len = strlen(copy);

	while (len && copy[len - 1] == '/')
		copy[--len] = '\0';
	return copy;
}

/* ---- run ---- */

/* What k6 finds in __ENV, as in a rollout. */
static void give_environment(
	const struct action_k6 *k6, const struct template_values *values)
{
	for (size_t i = 0; i < k6->n_env; i++)
		setenv(k6->env[i].name, secret_reveal(k6->env[i].value), 1);
	setenv("TIDEGATE_CANDIDATE_URL", values->candidate_url, 1);
	setenv("TIDEGATE_SERVICE", values->service ? values->service : "", 1);
}

static int run_action(const struct load_args *args, const struct action *action,
	const struct template_values *values, struct err *err_r)
{
	struct buf order;
	int status;

	if (action->kind == ACTION_LOAD && !args->url &&
		load_asks_candidate(&action->u.load))
		return err_set(err_r, ERR_USAGE,
			"\"%s\" asks {{candidate_url}}: say where that is by "
			"--url",
			action->name);
	buf_init_secret(&order, LOAD_ORDER_MAX);
	if (action->kind == ACTION_K6) {
		give_environment(&action->u.k6, values);
		k6_order_print(&order, &action->u.k6, true);
	} else {
		load_order_print(&order, &action->u.load, values, true);
	}
	status = order.overflow ? err_set(err_r, ERR_LIMIT,
					  "the requests of \"%s\" are too long",
					  action->name)
				: load_session_run(order.data, order.len,
					  args->format == FORMAT_JSON, err_r);
	buf_wipe(&order);
	buf_fini(&order);
	return status;
}

static int run_policy(const struct load_args *args, const char *name,
	const struct policy *policy, struct err *err_r)
{
	const struct action *action = find_action(policy, name, err_r);
	struct template_values values = {
		.service = args->service ? args->service : policy->service,
		.project = args->project ? args->project : policy->project,
		.region = args->region ? args->region : policy->region,
	};
	char *url;
	int status;

	if (!action)
		return -1;
	url = url_without_slash(args->url);
	values.candidate_url = url;
	status = run_action(args, action, &values, err_r);
	free(url);
	return status;
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct load_args args = {0};
	struct context_target target = {0};
	struct policy *policy;
	int status;

	if (argc == 2 && !strcmp(argv[1], "-"))
		return load_session_obey(err_r);
	if (args_parse(options, &args, &argc, argv, err_r) < 0 ||
		args_count(argc, argv, "[NAME]", 0, 1, err_r) < 0 ||
		check_url(args.url, err_r) < 0)
		return -1;
	if (!args.policy)
		return err_set(err_r, ERR_USAGE,
			"which load? give --policy FILE and the action's NAME");
	policy = context_policy(args.policy, NULL, &target, err_r);
	if (!policy)
		return -1;
	status = run_policy(&args, argc > 1 ? argv[1] : NULL, policy, err_r);
	policy_free(&policy);
	return status;
}

const struct command workbench_load = {
	.name = "load",
	.usage = "--policy FILE [NAME] --url URL",
	.summary = COMMAND_LOAD_SUMMARY,
	.options = options,
	.run = run,
	.details =
		"Runs one action of type load or k6 by itself: against a "
		"candidate before its\n"
		"release, or a service of a game day. Requests are sent by "
		"the clock and timed\n"
		"from when they were due. Exit status: 0 what is expected "
		"holds, 5 it does not,\n"
		"6 stopped by a signal, 1 it could not be done.\n"
		"\n"
		"  tidegate load --policy backend.yaml five-hundred-users \\\n"
		"    --url https://candidate---backend-abc-uc.a.run.app\n",
};
