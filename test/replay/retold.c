/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout once more; see retold.h. The sandbox's headers stay out of here:
 * faults of the sandbox and of simulations have the same names. */
#include "retold.h"

#include <stdio.h>
#include <string.h>

#include "sim/record_journal.h"
#include "sim/sim.h"

#define TEXT_BYTES (16 * 1024 * 1024)

static char why[ERR_TEXT_MAX];

static const char *print(const struct recorder_plan *plan, struct buf *json)
{
	struct recorder *recorder;
	struct err err = {0};

	recorder = recorder_new(plan, NULL, NULL, &err);
	if (recorder && record_journal_checks(recorder, plan, NULL, &err) == 0)
		recorder_print(recorder, json);
	recorder_free(&recorder);
	memcpy(why, err.text, sizeof(why));
	return json->len ? NULL : why;
}

static void listen(const struct sim *sim, const struct event *event,
	const struct note *note, void *arg)
{
	(void)sim;
	(*(retold_fn *)arg)(event, note);
}

static const char *simulate(
	const struct policy *policy, const struct buf *json, retold_fn fn)
{
	struct sim_options options = {.shift_ms = -1};
	struct recording *recording;
	struct sim_result result;
	struct err err;

	recording = recording_parse("journal", json->data, json->len, &err);
	if (!recording || sim_check(policy, recording, &err) < 0) {
		memcpy(why, err.text, sizeof(why));
		recording_free(&recording);
		return why;
	}
	sim_run(policy, recording, &options, listen, &fn, &result);
	recording_free(&recording);
	return NULL;
}

const char *retell(const struct policy *policy, const char *rollout,
	int64_t now_ms, retold_fn fn)
{
	struct recorder_plan plan = {.policy = policy,
		.step_ms = policy->slos[0].interval_ms,
		.shift_ms = -1};
	const char *wrong = why;
	struct store_rollout row;
	struct arena arena;
	struct buf json;
	struct err err;

	for (size_t i = 0; i < policy->n_slos; i++)
		if (policy->slos[i].interval_ms < plan.step_ms)
			plan.step_ms = policy->slos[i].interval_ms;
	arena_init(&arena);
	buf_init(&json, TEXT_BYTES);
	if (store_rollout_get(NULL, rollout, &arena, &row, &err) != 1 ||
		record_journal_plan(&plan, NULL, &row, now_ms, &arena, &err) <
			0)
		memcpy(why, err.text, sizeof(why));
	else
		wrong = print(&plan, &json);
	if (!wrong)
		wrong = simulate(policy, &json, fn);
	buf_fini(&json);
	arena_fini(&arena);
	return wrong;
}
