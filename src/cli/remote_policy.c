/* SPDX-License-Identifier: Apache-2.0 */
/* A policy for a daemon; see remote_policy.h. */
#include "cli/remote_policy.h"

#include <string.h>

#include "base/jsonw.h"
#include "cli/output.h"
#include "policy/placeholder_env.h"
#include "policy/policy_load.h"
#include "remote/wire.h"

#define PROBLEMS_BYTES_MAX (256 * 1024)

static bool is_file(const char *said)
{
	return strpbrk(said, "/.") || !strcmp(said, "-");
}

/* The first file is the policy; those that it names are the daemon's. */
static int read_policy(
	const char *path, struct buf *out, struct err *err_r, void *arg)
{
	bool *is_read = arg;
	const struct policy_env *env =
		*is_read ? &placeholder_env : &policy_env_real;

	*is_read = true;
	return env->read_file(path, out, err_r, env->arg);
}

/* Variables are the daemon's: what is set here says nothing of them. */
static int load(struct remote_policy *policy, struct err *err_r)
{
	struct policy_env env = placeholder_env;
	struct buf problems;
	bool is_read = false;

	env.read_file = read_policy;
	env.arg = &is_read;
	env.names[0] = policy->target.project;
	env.names[1] = policy->target.region;
	env.names[2] = policy->target.service;
	buf_init(&problems, PROBLEMS_BYTES_MAX);
	policy->policy = policy_load(policy->said, &env, &problems, err_r);
	if (problems.len)
		output_write(stderr, &problems);
	if (!policy->policy && problems.len)
		err_set(err_r, ERR_POLICY, "%s is not a policy to work with",
			policy->said);
	buf_fini(&problems);
	return policy->policy ? 0 : -1;
}

int remote_policy_read(struct remote_policy *policy, struct err *err_r)
{
	arena_init(&policy->arena);
	if (!is_file(policy->said))
		return 0;
	if (load(policy, err_r) < 0)
		return -1;
	context_take_policy(&policy->target, policy->policy);
	return context_resolve(&policy->target, &policy->arena, err_r);
}

void remote_policy_fini(struct remote_policy *policy)
{
	policy_free(&policy->policy);
	arena_fini(&policy->arena);
}

static void add(struct jsonw *w, const char *key, const char *value)
{
	if (value)
		jsonw_text(w, key, value);
}

void remote_policy_add(const struct remote_policy *policy, struct jsonw *w)
{
	const struct context_target *target = &policy->target;

	if (policy->policy) {
		jsonw_text(w, "policy", policy->policy->source);
		jsonw_text(w, "service", target->name);
		return;
	}
	jsonw_text(w, "policy", policy->said);
	add(w, "service", target->service);
	add(w, "project", target->project);
	add(w, "region", target->region);
	add(w, "default_project", context_env_project());
	add(w, "default_region", context_env_region());
}

void remote_policy_tell(
	const struct remote_policy *policy, const struct wire_answer *answer)
{
	struct buf text;

	if (!policy->policy || strcmp(answer->problem.code, "policy-invalid"))
		return;
	buf_init(&text, PROBLEMS_BYTES_MAX);
	remote_places_print(
		answer->body, answer->len, policy->policy->path, &text);
	output_write(stderr, &text);
	buf_fini(&text);
}
