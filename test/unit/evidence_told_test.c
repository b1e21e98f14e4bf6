/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine says of seeded rollouts by evidence is pinned: see told.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "evidence_fixture.h"
#include "told.h"

#define ROLLOUTS 200

static void listen_to(struct world *w, const struct event *event,
	const struct outcome_list *out)
{
	told_add(w->watcher, w, event, out);
}

static double one_of(struct rng *rng, const double *values, size_t n)
{
	return values[rng_below(rng, n)];
}

/* One revision becomes another: worse, slower, silent, or as it was. */
static void change(struct rng *rng, struct shown *shown)
{
	static const double errors[] = {0, 0.001, 0.001, 0.01, 0.03, 0.2};
	static const double slower[] = {1, 1, 1.2, 3};

	shown->errors = one_of(rng, errors, 6);
	shown->slower = one_of(rng, slower, 4);
	shown->silent = rng_below(rng, 10) == 0;
}

static void tell(uint64_t seed, struct buf *told)
{
	static const double rates[] = {0.2, 5, 50, 50, 500};
	struct evidence_fixture f;
	struct rng rng;

	rng_init(&rng, seed);
	evidence_fixture_init(&f, seed);
	if (rng_below(&rng, 3) == 0)
		evidence_fixture_one_slo(&f);
	f.rate = one_of(&rng, rates, 5);
	f.test.policy.pace = (enum step_pace)rng_below(&rng, 2);
	f.test.policy.on_undecided = (enum on_undecided)rng_below(&rng, 2);
	f.test.policy.evidence.without_control =
		(enum without_control)rng_below(&rng, 3);
	f.world.watch = listen_to;
	f.world.watcher = told;
	evidence_fixture_begin(&f);
	for (int i = 0; i < 12 && !phase_is_end(f.world.rollout.phase); i++) {
		evidence_fixture_run_s(&f, (double)(60 + rng_below(&rng, 600)));
		if (rng_below(&rng, 3) == 0)
			change(&rng, &f.candidate);
		if (rng_below(&rng, 6) == 0)
			change(&rng, &f.stable);
		if (rng_below(&rng, 4) == 0)
			f.candidate = f.stable;
	}
	evidence_fixture_fini(&f);
}

static void rollouts_are_told_as_ever(void **state)
{
	(void)state;
	assert_true(told_compare("evidence", ROLLOUTS, tell));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rollouts_are_told_as_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
