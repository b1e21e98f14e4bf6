/* SPDX-License-Identifier: Apache-2.0 */
/* Making and freeing what a rollout knows; see rollout.h. */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/rollout.h"

static size_t size_for(size_t n_slos)
{
	return offsetof(struct rollout, check) +
	       n_slos * sizeof(struct check_state);
}

static void init(struct rollout *state, size_t n_slos)
{
	memset(state, 0, size_for(n_slos));
	state->step = -1;
	state->failed_slo = -1;
	for (size_t i = 0; i < n_slos; i++) {
		state->check[i].value = NAN;
		state->check[i].limit = NAN;
	}
}

void rollout_init(struct rollout *state)
{
	init(state, POLICY_SLOS_MAX);
}

void rollout_clear(struct rollout *state)
{
	free(state->evidence);
	state->evidence = NULL;
}

struct rollout *rollout_new(const struct policy *policy)
{
	struct rollout *state = xcalloc(1, size_for(policy->n_slos));

	init(state, policy->n_slos);
	return state;
}

void rollout_free(struct rollout **state)
{
	if (!*state)
		return;
	rollout_clear(*state);
	free(*state);
	*state = NULL;
}

void rollout_move(
	const struct policy *policy, struct rollout *to, struct rollout *from)
{
	rollout_clear(to);
	memcpy(to, from, size_for(policy->n_slos));
	from->evidence = NULL;
}
