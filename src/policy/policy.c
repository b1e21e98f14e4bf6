/* Helpers of the model; see policy.h. No I/O. */
#include "policy/policy.h"

#include <assert.h>
#include <stdlib.h>

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
	};

	assert(list < ACTION_LISTS);
	return names[list];
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
