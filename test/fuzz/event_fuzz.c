/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A journal from anybody: each line is "<ms later> <name> <data>". What is
 * taken is written again and read back the same, and the engine survives it, as
 * does what is said of it to people.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "status/summary.h"
#include "store/event_codec.h"

#define LINES_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *approvers[] = {"alice", "bob"};
static struct approval approval = {approvers, 2, 1, 600000, false};
static struct step steps[] = {
	{.percent = 10, .bake_ms = 60000},
	{.percent = 50, .load = 1, .bake_ms = 60000, .approval = &approval},
	{.percent = 100, .bake_ms = 60000},
};
static struct slo slos[] = {
	{.name = "errors",
		.has_max = true,
		.max = 0.01,
		.interval_ms = 10000,
		.fail_breaches = 2,
		.fail_of = 3,
		.min_passes = 2},
	{.name = "ratio",
		.compare_stable = true,
		.has_max_ratio = true,
		.max_ratio = 1.5,
		.requests = "r",
		.requests_min = 10,
		.interval_ms = 10000,
		.fail_breaches = 1,
		.fail_of = 1,
		.no_data = NO_DATA_BREACH},
};
static const struct action actions[] = {
	{.name = "one", .kind = ACTION_EXEC, .when = WHEN_ALL, .retries = 1},
	{.name = "two",
		.kind = ACTION_HTTP,
		.when = WHEN_SLO,
		.stop_on_failure = true},
};
static const struct policy policy = {
	.name = "fuzz",
	.steps = steps,
	.n_steps = 3,
	.slos = slos,
	.n_slos = 2,
	.lists = {[LIST_PREFLIGHT] = {actions, 1},
		[LIST_STEP_PASSED] = {actions, 2},
		[LIST_ROLLBACK] = {actions, 2},
		[LIST_ROLLED_BACK] = {actions, 1},
		[LIST_LOAD] = {actions, 1}},
	.settle_ms = 5000,
	.hold_timeout_ms = 100000,
	.revert_timeout_ms = 60000,
	.tag = "candidate",
};

/* Written again it must be read back, and written the same a second time. */
static void check_again(const struct event *event, struct arena *arena)
{
	struct event_context context = {.policy = &policy};
	struct event back;
	struct buf first, second;
	struct err err;
	int rc;

	buf_init(&first, 8 * 1024 * 1024);
	buf_init(&second, 8 * 1024 * 1024);
	event_encode(event, &context, &first);
	rc = event_decode(event_name(event->type), first.data, &policy, arena,
		&back, &err);
	assert(rc == 0);
	event_encode(&back, &context, &second);
	assert(strcmp(first.data, second.data) == 0);
	buf_fini(&first);
	buf_fini(&second);
}

/* Each state has its sentences, whatever the journal says of its past. */
static void look_at(struct lookback *lookback, const struct rollout *rollout,
	const char *name, const char *data, int64_t now_ms)
{
	struct store_event entry = {.time_ms = now_ms,
		.name = name,
		.phase = phase_name(rollout->phase),
		.data = data};
	struct summary_source source = {.policy = &policy,
		.rollout = rollout,
		.lookback = lookback,
		.id = "r",
		.service = "s",
		.candidate = "c",
		.stable = "b",
		.starter = "alice",
		.now_ms = now_ms,
		.driver = (enum summary_driver)(now_ms % 3)};
	const struct summary *summary;
	struct arena arena;

	lookback_take(lookback, &entry);
	entry.is_note = true;
	lookback_take(lookback, &entry);
	arena_init(&arena);
	summary = summary_make(&source, &arena);
	assert(strlen(summary->now) > 1 && strlen(summary->next) > 1);
	arena_fini(&arena);
}

static void take_line(struct lookback *lookback, char *line,
	struct rollout *rollout, int64_t *now_ms)
{
	static struct outcome_list out;
	char *name, *data;
	struct arena arena;
	struct event event;
	struct err err;

	*now_ms += strtol(line, &name, 10) % 100000;
	name += strspn(name, " ");
	data = strchr(name, ' ');
	if (!data)
		return;
	*data++ = '\0';
	arena_init(&arena);
	if (event_decode(name, data, &policy, &arena, &event, &err) == 0) {
		check_again(&event, &arena);
		rollout_step(&policy, rollout, &event, *now_ms, &out);
		assert(rollout->phase < PHASES);
		assert(rollout->step >= -1 &&
			rollout->step <= (int)policy.n_steps);
	} else {
		assert(err.code == ERR_STORE);
	}
	look_at(lookback, rollout, name, data, *now_ms);
	arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmemdup0(data, size), *save = NULL, *line;
	int64_t now_ms = 1767225600000;
	struct lookback *lookback = lookback_new(&policy);
	struct rollout rollout;
	int lines = 0;

	rollout_init(&rollout);
	line = strtok_r(text, "\n", &save);
	for (; line && lines < LINES_MAX; lines++) {
		take_line(lookback, line, &rollout, &now_ms);
		line = strtok_r(NULL, "\n", &save);
	}
	lookback_free(&lookback);
	xfree(&text);
	return 0;
}
