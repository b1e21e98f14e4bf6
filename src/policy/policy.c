/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the model; see policy.h. No I/O. */
#include "policy/policy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool slo_counts_by_the_minute(const struct slo *slo)
{
	const char *text = slo->buckets ? slo->buckets : slo->total;

	return text && (strstr(text, "googleapis_com:") ||
			       strstr(text, "googleapis.com/"));
}

const char *action_list_name(enum action_list list)
{
	static const char *const names[ACTION_LISTS] = {
		[LIST_PREFLIGHT] = "preflight",
		[LIST_STARTED] = "hooks.started",
		[LIST_STEP_PASSED] = "hooks.step_passed",
		[LIST_PROMOTED] = "hooks.promoted",
		[LIST_ROLLBACK] = "rollback",
		[LIST_HEALTH] = "health",
		[LIST_ROLLED_BACK] = "hooks.rolled_back",
		[LIST_STOPPED] = "hooks.stopped",
		[LIST_LOAD] = "steps.load",
	};

	assert(list < ACTION_LISTS);
	return names[list];
}

const char *action_kind_name(enum action_kind kind)
{
#define TYPE(kind, name, text) [ACTION_##kind] = text,
	static const char *const names[ACTION_KINDS] = {ACTION_TYPES(TYPE)};
#undef TYPE

	assert(kind < ACTION_KINDS);
	return names[kind];
}

const char *slo_provider_name(enum slo_provider provider)
{
#define TYPE(provider, name, text, asked) [SLO_##provider] = text,
	static const char *const names[SLO_PROVIDERS] = {
		SLO_PROVIDER_TYPES(TYPE)};
#undef TYPE

	assert(provider < SLO_PROVIDERS);
	return names[provider];
}

enum action_list policy_list_of(
	const struct policy *policy, const struct action *action)
{
	for (int list = 0; list < ACTION_LISTS; list++)
		for (size_t i = 0; i < policy->lists[list].n; i++)
			if (&policy->lists[list].item[i] == action)
				return (enum action_list)list;
	return ACTION_LISTS;
}

int64_t load_duration_ms(const struct action_load *load)
{
	int64_t ms = 0;

	for (size_t i = 0; i < load->n_stages; i++)
		ms += load->stages[i].for_ms;
	return ms;
}

int64_t policy_look_ms_max(const struct policy *policy)
{
	int64_t longest_ms = 0;

	for (size_t i = 0; i < policy->n_slos; i++)
		if (policy->slos[i].window_ms > longest_ms)
			longest_ms = policy->slos[i].window_ms;
	return longest_ms + policy->metrics.delay_ms;
}

int64_t policy_load_ms(const struct policy *policy, const struct step *step)
{
	const struct action *load;

	if (!step->load)
		return 0;
	load = &policy->lists[LIST_LOAD].item[step->load - 1];
	return policy_look_ms_max(policy) +
	       (load->kind == ACTION_LOAD ? load_duration_ms(&load->u.load)
					  : 0);
}

bool policy_has_same_secrets(const struct policy *a, const struct policy *b)
{
	if (a->n_secrets != b->n_secrets)
		return false;
	for (size_t i = 0; i < a->n_secrets; i++)
		if (!secret_is_same(a->secrets[i], b->secrets[i]))
			return false;
	return true;
}

void policy_free(struct policy **policy)
{
	struct policy *p = *policy;

	if (!p)
		return;
	for (size_t i = 0; i < p->n_secrets; i++)
		secret_free(&p->secrets[i]);
	free(p->source);
	arena_fini(&p->arena);
	free(p);
	*policy = NULL;
}
