/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers about traffic, each by itself: what a read or a write's answer leaves
 * of the state, in moments that whole rollouts are hardly ever seen in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/turn.h"
#include "engine_fixture.h"

#define NOW_MS INT64_C(1000000)

static struct test_policy test;
static struct rollout r;
static struct traffic_state *const g = &r.traffic;
static struct event event;
static struct outcome_list out;
static struct turn turn = {.r = &r, .out = &out, .event = &event};

/* A bake at 10 % whose write was accepted as generation 8, and is out of
 * nothing. */
static int setup(void **state)
{
	(void)state;
	test_policy_init(&test);
	rollout_init(&r);
	memset(&out, 0, sizeof(out));
	memset(&event, 0, sizeof(event));
	out.wake_ms = INT64_MAX;
	turn.policy = &test.policy;
	turn.now = NOW_MS;
	turn.changed = false;
	r.phase = PHASE_BAKING;
	r.step = 0;
	g->spec = g->serving = g->set = (struct split){10, 90, 0};
	g->generation = 8;
	g->write.base = 7;
	g->write.n_written = 1;
	g->write.n_sent = 1;
	g->write.sent[0] = g->spec;
	g->write.result = WRITE_DONE;
	return 0;
}

static void read_of(struct split split, int64_t generation)
{
	event = (struct event){.type = EVENT_TRAFFIC,
		.spec = split,
		.serving = split,
		.generation = generation,
		.stable_state = STABLE_READY};
	g->read.out_ms = NOW_MS - 10;
	traffic_seen(&turn);
	assert_int_equal(g->read.out_ms, 0);
}

static bool says(const char *part)
{
	for (size_t i = 0; i < out.n_notes; i++)
		if (strstr(out.note[i].text, part))
			return true;
	return false;
}

/* ---- reads ---- */

static void an_answer_that_nobody_waits_for_is_not_taken(void **state)
{
	(void)state;
	event.spec = (struct split){0, 0, 100};
	traffic_seen(&turn);
	assert_int_equal(g->spec.candidate, 10);
	event.text = "boom";
	traffic_unseen(&turn);
	event.result = WRITE_FAILED;
	traffic_written(&turn);
	assert_int_equal(out.n_notes, 0);
}

static void what_reads_as_it_was_set_changes_nothing(void **state)
{
	(void)state;
	read_of((struct split){10, 90, 0}, 8);
	assert_int_equal(r.phase, PHASE_BAKING);
	assert_true(g->read.fresh && g->read.kept);
	assert_int_equal(g->read.seen_ms, NOW_MS);
}

static void unread_for(bool stable_first)
{
	setup(NULL);
	r.phase = PHASE_REVERTING;
	event = (struct event){.type = EVENT_TRAFFIC_ERROR,
		.text = "HTTP 429",
		.retryable = true,
		.retry_after_ms = 7000};
	g->read.out_ms = NOW_MS - 10;
	g->read.stable_first = stable_first;
	traffic_unseen(&turn);
	assert_true(says("the service could not be read: HTTP 429"));
}

/* Stable was looked at first, for a step that is not wanted any more; who was not
 * asked has not told how long to wait. */
static void a_revert_asks_at_once_who_was_not_asked(void **state)
{
	(void)state;
	unread_for(true);
	assert_int_equal(g->read.retry_ms, 0);
	unread_for(false);
	assert_true(g->read.retry_ms >= NOW_MS + 7000);
}

/* Set back so often, and then somebody means it. */
static void others_are_set_back_five_times(void **state)
{
	(void)state;
	test.policy.on_drift = ON_DRIFT_REASSERT;
	for (int i = 1; i <= 5; i++) {
		setup(NULL);
		test.policy.on_drift = ON_DRIFT_REASSERT;
		r.reasserts = i - 1;
		read_of((struct split){0, 40, 60}, 9);
		assert_int_equal(r.reasserts, i);
		assert_true(g->write.intent.reassert);
		assert_int_equal(g->write.intent.percent, 10);
		assert_true(says("others 60 %; last set was candidate 10 %, "
				 "stable 90 %: set back"));
		/* Read once more before it is written, that is no drift. */
		read_of((struct split){0, 40, 60}, 9);
		assert_int_equal(r.reasserts, i);
	}
	setup(NULL);
	test.policy.on_drift = ON_DRIFT_REASSERT;
	r.reasserts = 5;
	read_of((struct split){0, 40, 60}, 9);
	assert_int_equal(r.phase, PHASE_STOPPED);
	/* Not over what came while nobody drove. */
	setup(NULL);
	test.policy.on_drift = ON_DRIFT_REASSERT;
	r.resuming = true;
	read_of((struct split){0, 40, 60}, 9);
	assert_int_equal(r.phase, PHASE_STOPPED);
}

static void drift_in_preflight_refuses(void **state)
{
	(void)state;
	r.phase = PHASE_PREFLIGHT;
	read_of((struct split){0, 40, 60}, 9);
	assert_true(r.refusing);
	assert_string_equal(
		r.reason, "traffic was changed by somebody else in preflight");
	assert_true(says(": refused"));
}

/* More than was ever given to it is not the candidate's through us. */
static void a_revert_takes_back_what_we_gave(void **state)
{
	(void)state;
	r.phase = PHASE_REVERTING;
	g->write.state = WRITER_WANTS;
	g->set.candidate = 5;
	read_of((struct split){9, 91, 0}, 9);
	assert_int_equal(r.phase, PHASE_REVERTING);
	assert_true(says("reverting all the same"));
	read_of((struct split){11, 89, 0}, 9);
	assert_int_equal(r.phase, PHASE_STOPPED);
	assert_true(says("somebody else is in charge"));
	setup(NULL);
	r.phase = PHASE_REVERTING;
	g->write.state = WRITER_WANTS;
	read_of((struct split){9, 90, 1}, 9);
	assert_int_equal(r.phase, PHASE_STOPPED);
}

static void an_older_answer_is_asked_for_again(void **state)
{
	(void)state;
	read_of((struct split){0, 100, 0}, 7);
	assert_int_equal(g->spec.candidate, 10);
	assert_true(g->read.retry_ms > NOW_MS);
	assert_true(says("generation 7 after 8"));
	/* Other generations are not known to be older. */
	read_of((struct split){10, 90, 0}, 0);
	assert_int_equal(g->stale_ms, 0);
}

/* A second later a revert builds on what lacks our own write alone. */
static void a_revert_waits_a_second_for_a_newer_answer(void **state)
{
	(void)state;
	r.phase = PHASE_REVERTING;
	g->write.state = WRITER_WANTS;
	read_of((struct split){0, 100, 0}, 7);
	assert_int_equal(g->spec.candidate, 10);
	turn.now = NOW_MS + 999;
	read_of((struct split){0, 100, 0}, 7);
	assert_int_equal(g->spec.candidate, 10);
	turn.now = NOW_MS + 1000;
	/* Not on one from before what we wrote upon, … */
	read_of((struct split){0, 100, 0}, 6);
	assert_int_equal(g->spec.candidate, 10);
	/* … nor when it has written itself. */
	g->write.rounds = 1;
	read_of((struct split){0, 100, 0}, 7);
	assert_int_equal(g->spec.candidate, 10);
	g->write.rounds = 0;
	read_of((struct split){0, 100, 0}, 7);
	assert_int_equal(g->spec.candidate, 0);
	assert_int_equal(g->generation, 8);
}

/* A conflict has told that there is a newer one than 8. */
static void what_a_conflict_has_told_of_is_waited_for(void **state)
{
	(void)state;
	g->refuted = 8;
	read_of((struct split){10, 90, 0}, 8);
	assert_true(says("a write upon generation 8 met or made a newer one"));
	turn.now = NOW_MS + 9999;
	read_of((struct split){10, 90, 0}, 8);
	assert_int_equal(g->read.seen_ms, 0);
	turn.now = NOW_MS + 10000;
	read_of((struct split){10, 90, 0}, 8);
	assert_int_equal(g->read.seen_ms, turn.now);
	/* A revert takes it at once while the candidate has users. */
	setup(NULL);
	r.phase = PHASE_REVERTING;
	g->write.state = WRITER_WANTS;
	g->refuted = 8;
	read_of((struct split){10, 90, 0}, 8);
	assert_int_equal(g->read.seen_ms, NOW_MS);
}

static void stable_that_is_not_there_is_told_once(void **state)
{
	(void)state;
	event.stable_state = STABLE_UNKNOWN;
	traffic_learn_stable(&turn);
	event.stable_state = STABLE_GONE;
	event.text = "old does not exist";
	traffic_learn_stable(&turn);
	assert_string_equal(g->stable_text, "old does not exist");
	assert_true(says("there is no way back: old does not exist"));
	traffic_learn_stable(&turn);
	assert_int_equal(out.n_notes, 1);
	event.stable_state = STABLE_READY;
	traffic_learn_stable(&turn);
	assert_int_equal(out.n_notes, 1);
	assert_int_equal(g->stable_state, STABLE_READY);
}

static void a_late_write_is_one_of_ours_that_serves_now(void **state)
{
	(void)state;
	assert_true(traffic_is_late(&r));
	assert_false(traffic_is_replaced(&r));
	g->spec.other = 1;
	assert_false(traffic_is_late(&r));
	g->spec = (struct split){20, 80, 0}; /* never sent */
	assert_false(traffic_is_late(&r));
	g->spec = (struct split){0, 100, 0};
	assert_false(traffic_is_late(&r));
	setup(NULL);
	g->generation = 9;
	assert_false(traffic_is_late(&r));
	assert_true(traffic_is_replaced(&r));
	/* The service was deployed meanwhile: that is one more of ours. */
	g->write.n_deployed = 1;
	assert_true(traffic_is_late(&r));
	assert_false(traffic_is_replaced(&r));
	g->write.n_deployed = 0;
	/* The write's own answer says which generation it made. */
	g->write.told = 8;
	assert_true(traffic_is_late(&r));
	assert_true(traffic_is_replaced(&r)); /* it is 9 by now */
	g->write.told = g->write.n_written = 0;
	assert_false(traffic_is_late(&r));
	assert_false(traffic_is_replaced(&r));
}

static void a_list_that_was_never_sent_replaces_what_was_written(void **state)
{
	(void)state;
	/* Of two writes one may have got nowhere: the count says nothing. */
	g->generation = g->write.base + 2;
	g->write.n_written = 2;
	assert_false(traffic_is_replaced(&r));
	g->spec = (struct split){20, 80, 0};
	assert_true(traffic_is_replaced(&r));
	g->write.n_deployed = 2; /* both are deployments, over the old list */
	assert_false(traffic_is_replaced(&r));
	g->write.taken_up = true; /* an answer does not lag for so long */
	assert_true(traffic_is_replaced(&r));
}

/* It is told by the list, too, and not by the count of generations alone. */
static void what_was_written_is_not_there_when_another_list_is(void **state)
{
	(void)state;
	g->write.state = WRITER_WANTS;
	g->write.n_written = 2;
	g->write.out_percent = g->write.intent.percent = 10;
	g->write.loose_ms = NOW_MS;
	g->set = (struct split){20, 80, 0};
	read_of(g->set, g->write.base + 2);
	assert_int_equal(g->write.told, 0);
	read_of(g->write.sent[0], g->write.base + 2);
	assert_int_equal(g->write.told, g->write.base + 2);
}

/* … and that says what came last only where nothing else can come, and where
 * what is there is what was written last, in as many generations. */
static void the_last_write_is_told_of_when_all_of_it_is_so(void **state)
{
	(void)state;
	for (int lacks = 0; lacks < 4; lacks++) {
		setup(NULL);
		g->write.state = WRITER_WANTS;
		g->write.n_written = 2;
		g->write.out_percent = g->write.intent.percent = 10;
		g->write.loose_ms = NOW_MS + (lacks == 1);
		if (lacks == 2)
			g->write.out_percent = 50;
		g->generation = g->write.base;
		read_of(g->spec, g->write.base + 2 - (lacks == 3));
		assert_int_equal(g->write.told, lacks ? 0 : g->write.base + 2);
	}
}

/* Who waits for 100 % finds what looks like the step before. */
static void a_list_like_an_earlier_one_after_the_last_is_of_others(void **state)
{
	(void)state;
	g->write.state = WRITER_WANTS;
	g->write.intent.percent = g->write.out_percent = 100;
	g->write.sent[g->write.n_sent++] = (struct split){100, 0, 0};
	g->write.n_written = 2;
	g->generation = g->write.told = g->write.base + 2;
	read_of(g->write.sent[0], g->write.told);
	assert_false(r.stopping);
	read_of(g->write.sent[1], g->write.told + 1); /* of other fields */
	assert_false(r.stopping);
	read_of(g->write.sent[0], g->write.told + 2);
	assert_true(r.stopping);
	assert_true(
		says("traffic is not what was last set") || says("stopped"));
}

static void what_serves_and_is_wanted_is_ours_and_nothing_else_is(void **state)
{
	(void)state;
	g->set = g->write.sent[g->write.n_sent++] = (struct split){100, 0, 0};
	g->write.n_written = 2;
	g->write.out_percent = 100;
	g->write.loose_ms = NOW_MS + 1; /* the first may come yet */
	read_of(g->set, g->write.base + 1);
	assert_int_equal(g->write.n_written, 2);
	g->write.loose_ms = NOW_MS;
	read_of(g->set, g->write.base + 1);
	assert_int_equal(g->write.n_written, 0);
	read_of((struct split){10, 90, 0}, g->write.base + 2);
	assert_true(r.stopping);
}

/* A write that is not wanted any more, and was not there when it could still come. */
static void what_cannot_come_any_more_is_not_ours(void **state)
{
	(void)state;
	g->generation = g->write.base;
	g->write.n_written = 1;
	g->write.out_percent = 10;
	g->write.loose_ms = NOW_MS + 1;
	g->set = (struct split){5, 95, 0};
	read_of(g->set, g->generation);
	assert_int_equal(g->write.n_written, 1);
	g->write.loose_ms = NOW_MS;
	read_of(g->set, g->generation);
	assert_int_equal(g->write.n_written, 0);
	read_of((struct split){10, 90, 0}, g->generation + 1);
	assert_true(r.stopping);
}

/* Three were written, and so many generations are not there: the first may be
 * the one that comes, or it is somebody else's. */
static void an_earlier_list_is_in_doubt_while_a_write_is_missing(void **state)
{
	(void)state;
	g->write.sent[g->write.n_sent++] = (struct split){50, 50, 0};
	g->set = g->write.sent[g->write.n_sent - 1];
	g->write.n_written = 3;
	g->write.out_percent = 50;
	g->write.loose_ms = NOW_MS + 1;
	read_of(g->set, g->write.base + 2);
	assert_false(traffic_is_doubtful(&r));
	read_of(g->write.sent[0], g->write.base + 3);
	assert_true(traffic_is_doubtful(&r));
	assert_false(r.stopping);
	assert_int_equal(g->set.candidate, 50);
	read_of(g->write.sent[0], g->write.base + 4); /* then it is not */
	assert_false(traffic_is_doubtful(&r));
	assert_true(r.stopping);
}

/* In preflight: what is found, of which one part may be there before the other. */
static void what_a_preflight_finds_moved_is_moved(void **state)
{
	(void)state;
	for (int asked = 0; asked <= 1; asked++)
		for (int served = 0; served <= 1; served++) {
			setup(NULL);
			event.spec = traffic_split_of(asked);
			event.serving = traffic_split_of(served);
			traffic_learn(&turn);
			assert_int_equal(r.moved, asked || served);
			assert_int_equal(g->set.candidate, asked);
		}
}

static void stable_is_idle_from_when_nobody_is_served_by_it(void **state)
{
	(void)state;
	read_of((struct split){99, 1, 0}, 8);
	assert_int_equal(g->stable_idle_ms, 0);
	setup(NULL);
	g->set = (struct split){100, 0, 0};
	read_of(g->set, 8);
	assert_int_equal(g->stable_idle_ms, NOW_MS);
	turn.now = NOW_MS + 5;
	read_of(g->set, 8);
	assert_int_equal(g->stable_idle_ms, NOW_MS);
	read_of((struct split){99, 1, 0}, 9);
	assert_int_equal(g->stable_idle_ms, 0);
}

/* ---- what cannot be read ---- */

static void a_read_that_is_refused_ends_a_shift_and_no_revert(void **state)
{
	(void)state;
	g->write.state = WRITER_WANTS;
	g->read.out_ms = NOW_MS - 10;
	event.retryable = true;
	event.text = "503";
	traffic_unseen(&turn);
	assert_int_equal(g->write.state, WRITER_WANTS);
	assert_string_equal(g->write.trouble, "503");
	assert_true(g->read.retry_ms >= NOW_MS);
	g->read.out_ms = NOW_MS - 10;
	event.retryable = false;
	event.text = NULL;
	traffic_unseen(&turn);
	assert_int_equal(g->write.state, WRITER_GAVE_UP);
	assert_string_equal(g->write.trouble, "");
	/* Nothing is wanted: there is nothing to give up. */
	g->write.state = WRITER_IDLE;
	g->read.out_ms = NOW_MS - 10;
	traffic_unseen(&turn);
	assert_int_equal(g->write.state, WRITER_IDLE);
	g->write.state = WRITER_WANTS;
	r.phase = PHASE_REVERTING;
	g->read.out_ms = NOW_MS - 10;
	traffic_unseen(&turn);
	assert_int_equal(g->write.state, WRITER_WANTS);
}

/* ---- answers to writes ---- */

static void answered(enum write_result result)
{
	event.type = EVENT_WRITTEN;
	event.result = result;
	event.generation = 9;
	g->write.out_ms = NOW_MS - 10;
	traffic_written(&turn);
	assert_int_equal(g->write.out_ms, 0);
}

static void a_write_that_is_done_has_its_generation(void **state)
{
	(void)state;
	g->write.refused = 3;
	g->write.failing_ms = 4;
	strcpy(g->write.trouble, "old");
	answered(WRITE_DONE);
	assert_int_equal(g->write.told, 9);
	assert_int_equal(g->generation, 9);
	assert_int_equal(g->write.refused + g->write.failing_ms, 0);
	assert_string_equal(g->write.trouble, "");
	g->generation = 12;
	answered(WRITE_DONE);
	assert_int_equal(g->generation, 12);
}

static void the_answer_to_an_earlier_write_is_not_taken(void **state)
{
	(void)state;
	g->write.attempt = 2;
	g->write.out_ms = NOW_MS - 10;
	event.write_attempt = 1;
	event.result = WRITE_REJECTED;
	traffic_written(&turn);
	assert_int_equal(g->write.out_ms, NOW_MS - 10);
	event.write_attempt = 2;
	answered(WRITE_DONE);
	assert_int_equal(g->write.result, WRITE_DONE);
}

static void what_was_not_written_is_not_counted(void **state)
{
	(void)state;
	g->write.state = WRITER_WANTS;
	g->write.rounds = 1;
	g->read.kept = true;
	event.text = "the etag is old";
	answered(WRITE_CONFLICT);
	assert_int_equal(g->write.n_written + g->write.rounds, 0);
	assert_int_equal(g->write.state, WRITER_WANTS);
	assert_int_equal(g->refuted, 9);
	assert_false(g->read.kept);
	assert_true(g->write.retry_ms >= NOW_MS);
	assert_true(says(": the etag is old"));
	g->write.rounds = 1;
	answered(WRITE_BUSY);
	assert_int_equal(g->write.n_written + g->write.rounds, 0);
	assert_true(g->read.kept);
	assert_int_equal(g->write.refused, 2);
	event.text = NULL;
	g->write.rounds = 1;
	answered(WRITE_REJECTED);
	assert_int_equal(g->write.state, WRITER_GAVE_UP);
	assert_string_equal(g->write.trouble, "");
	/* Nothing was wanted any more, or a revert is. */
	g->write.state = WRITER_IDLE;
	answered(WRITE_REJECTED);
	assert_int_equal(g->write.state, WRITER_IDLE);
	r.phase = PHASE_REVERTING;
	g->write.state = WRITER_WANTS;
	answered(WRITE_REJECTED);
	assert_int_equal(g->write.state, WRITER_WANTS);
}

/* It has no rounds yet: the write was one of what was wanted before. */
static void what_is_wanted_anew_does_not_wait_for_what_failed(void **state)
{
	static const enum write_result results[] = {WRITE_FAILED, WRITE_BUSY,
		WRITE_REJECTED, WRITE_CONFLICT, WRITE_UNKNOWN};

	(void)state;
	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++) {
		setup(NULL);
		g->write.state = WRITER_WANTS;
		answered(results[i]);
		assert_int_equal(g->write.state, WRITER_WANTS);
		assert_int_equal(g->write.refused + g->write.rounds, 0);
		assert_true(g->write.retry_ms <= NOW_MS);
		event.retry_after_ms = 7000; /* that is asked of everybody */
		answered(WRITE_BUSY);
		assert_int_equal(g->write.retry_ms, NOW_MS + 7000);
	}
}

static void a_write_whose_end_is_not_known_may_come_yet(void **state)
{
	(void)state;
	g->write.rounds = 1;
	answered(WRITE_UNKNOWN);
	assert_true(g->write.loose_ms > NOW_MS);
	assert_int_equal(g->write.retry_ms, 0);
	g->write.rounds = 2;
	g->write.wrote_ms = NOW_MS;
	answered(WRITE_UNKNOWN);
	assert_true(g->write.retry_ms > NOW_MS);
	g->write.wrote_ms = NOW_MS - 60000; /* it waited while it hung … */
	answered(WRITE_UNKNOWN);
	assert_true(g->write.retry_ms <= NOW_MS);
	event.retry_after_ms = 7000; /* … but for what others ask */
	answered(WRITE_UNKNOWN);
	assert_true(g->write.retry_ms >= NOW_MS + 7000);
}

/* ---- waiting ---- */

/* A step up whose answer hangs when a revert begins is waited for a little; then
 * the service is read, and the write may come yet. */
static void a_write_that_hangs_before_a_revert_is_left(void **state)
{
	struct traffic_writer *w = &g->write;

	(void)state;
	r.phase = PHASE_REVERTING;
	r.phase_ms = NOW_MS;
	w->state = WRITER_WANTS;
	w->out_ms = NOW_MS - 100;
	w->out_percent = 50;
	w->deadline_ms = NOW_MS + 600000;
	traffic_pump(&turn);
	assert_int_equal(w->out_ms, NOW_MS - 100);
	assert_true(out.wake_ms > NOW_MS);
	turn.now = out.wake_ms;
	out.wake_ms = INT64_MAX;
	traffic_pump(&turn);
	assert_int_equal(w->out_ms, 0);
	assert_int_equal(w->result, WRITE_UNKNOWN);
	assert_true(w->loose_ms > turn.now);
	assert_true(says("a write has had no answer for"));
	assert_int_equal(out.effect[out.n_effects - 1].type, EFFECT_READ);
	/* The revert's own is waited for. */
	setup(NULL);
	r.phase = PHASE_REVERTING;
	r.phase_ms = NOW_MS - 60000;
	w->state = WRITER_WANTS;
	w->out_ms = NOW_MS - 100;
	w->deadline_ms = NOW_MS + 600000;
	traffic_pump(&turn);
	assert_int_equal(w->out_ms, NOW_MS - 100);
	assert_int_equal(out.n_effects, 0);
}

/* ---- limits, met exactly ---- */

static void the_last_lists_that_were_sent_are_remembered(void **state)
{
	struct traffic_writer *w = &g->write;

	(void)state;
	w->n_sent = 0;
	for (int percent = 1; percent <= TRAFFIC_SENT_MAX + 1; percent++)
		traffic_remember_sent(w, traffic_split_of(percent));
	traffic_remember_sent(w, traffic_split_of(TRAFFIC_SENT_MAX));
	assert_int_equal(w->n_sent, TRAFFIC_SENT_MAX);
	for (int i = 0; i < TRAFFIC_SENT_MAX; i++)
		assert_int_equal(w->sent[i].candidate, i + 2);
}

static void one_percent_is_late_as_more_is_and_none_is_not(void **state)
{
	(void)state;
	for (int percent = 0; percent <= 1; percent++) {
		setup(NULL);
		g->spec = g->write.sent[0] = traffic_split_of(percent);
		assert_int_equal(traffic_is_late(&r), percent);
	}
}

static void checks_begin_with_a_write_of_one_percent(void **state)
{
	(void)state;
	for (int percent = 0; percent <= 1; percent++) {
		setup(NULL);
		r.phase = PHASE_SHIFTING;
		r.checking = false;
		g->write.state = WRITER_WANTS;
		g->write.intent.percent = percent;
		traffic_write(&turn);
		assert_int_equal(r.checking, percent);
	}
}

static void approvals_are_over_at_their_last_moment(void **state)
{
	(void)state;
	for (int early_ms = 1; early_ms >= 0; early_ms--) {
		setup(NULL);
		r.phase = PHASE_SHIFTING;
		r.started_ms = r.phase_ms = r.now_ms = NOW_MS - 60000;
		r.looked = r.begun = true;
		test.steps[0].approval = &test.approval;
		r.approvals = 1;
		r.approved_until_ms = NOW_MS + early_ms;
		g->spec = g->serving = g->set = (struct split){0, 100, 0};
		g->write.state = WRITER_WANTS;
		g->write.intent.percent = 10;
		g->read.out_ms = NOW_MS - 10;
		rollout_pump(&turn);
		assert_int_equal(
			r.phase, early_ms ? PHASE_SHIFTING : PHASE_HELD);
		if (early_ms)
			continue;
		assert_int_equal(r.approvals, 0);
		assert_int_equal(r.gate_deadline_ms, NOW_MS);
		assert_int_equal(r.held_from, PHASE_AWAITING_APPROVAL);
	}
}

/* What is asked for and does not serve yet is more than what serves, and the
 * other way round after a revert. */
static void more_than_is_asked_for_or_serves_has_to_be_wanted(void **state)
{
	const struct effect write = {.percent = 50};

	(void)state;
	g->write.state = WRITER_IDLE;
	g->spec.candidate = 50;
	assert_non_null(may_still_write(&test.policy, &r, &write, NOW_MS));
	g->spec.candidate = 10;
	g->serving.candidate = 50;
	assert_non_null(may_still_write(&test.policy, &r, &write, NOW_MS));
	g->spec.candidate = 50;
	assert_null(may_still_write(&test.policy, &r, &write, NOW_MS));
}

/* Since when answers are older than the last write is not known to it. */
static void who_takes_it_up_waits_for_no_newer_answer(void **state)
{
	(void)state;
	g->stale_ms = NOW_MS + 700;
	traffic_resumed(&turn);
	assert_int_equal(g->stale_ms, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_that_nobody_waits_for_is_not_taken),
		TEST(what_reads_as_it_was_set_changes_nothing),
		TEST(a_revert_asks_at_once_who_was_not_asked),
		TEST(others_are_set_back_five_times),
		TEST(drift_in_preflight_refuses),
		TEST(a_revert_takes_back_what_we_gave),
		TEST(an_older_answer_is_asked_for_again),
		TEST(a_revert_waits_a_second_for_a_newer_answer),
		TEST(what_a_conflict_has_told_of_is_waited_for),
		TEST(stable_that_is_not_there_is_told_once),
		TEST(a_late_write_is_one_of_ours_that_serves_now),
		TEST(a_list_that_was_never_sent_replaces_what_was_written),
		TEST(what_was_written_is_not_there_when_another_list_is),
		TEST(the_last_write_is_told_of_when_all_of_it_is_so),
		TEST(what_a_preflight_finds_moved_is_moved),
		TEST(stable_is_idle_from_when_nobody_is_served_by_it),
		TEST(a_list_like_an_earlier_one_after_the_last_is_of_others),
		TEST(what_serves_and_is_wanted_is_ours_and_nothing_else_is),
		TEST(what_cannot_come_any_more_is_not_ours),
		TEST(an_earlier_list_is_in_doubt_while_a_write_is_missing),
		TEST(a_read_that_is_refused_ends_a_shift_and_no_revert),
		TEST(a_write_that_is_done_has_its_generation),
		TEST(the_answer_to_an_earlier_write_is_not_taken),
		TEST(what_was_not_written_is_not_counted),
		TEST(what_is_wanted_anew_does_not_wait_for_what_failed),
		TEST(a_write_whose_end_is_not_known_may_come_yet),
		TEST(a_write_that_hangs_before_a_revert_is_left),
		TEST(the_last_lists_that_were_sent_are_remembered),
		TEST(one_percent_is_late_as_more_is_and_none_is_not),
		TEST(checks_begin_with_a_write_of_one_percent),
		TEST(approvals_are_over_at_their_last_moment),
		TEST(more_than_is_asked_for_or_serves_has_to_be_wanted),
		TEST(who_takes_it_up_waits_for_no_newer_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
