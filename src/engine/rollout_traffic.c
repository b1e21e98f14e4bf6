/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings the service's traffic to what is wanted. Level-triggered: each read is
 * compared with what is wanted, so that a lost reply, a conflict, a restart and
 * an operation that failed are one case. Nothing is written that was not read
 * first, and no candidate gets more while may_raise has a reason.
 *
 *   want -> read -> written? -> gate -> write -> read … until it serves
 *
 * Whether what a read shows is ours is judged in rollout_drift.c.
 */
#include <stdio.h>
#include <string.h>

#include "engine/backoff.h"
#include "engine/turn.h"

#define FRESH_MS      1000 /* a breach may build on a read as old as this */
#define HUNG_MS       1000 /* a revert waits for an answer; then doubled */
#define HUNG_MS_MAX   8000
#define URGENT_MS     1000 /* then it builds on an answer that is older */
#define REWRITE_POLLS 8 /* what is asked for and not served is written again */
#define BROKEN_BEGIN  40 /* bytes that tell two texts apart */

static const struct backoff poll_backoff = {250, 2000};

/* ---- what goes out ---- */

/* More than what it is asked to have, or than what it has. */
static bool raises(const struct rollout *r)
{
	int percent = r->traffic.write.intent.percent;

	return percent > r->traffic.spec.candidate ||
	       percent > r->traffic.serving.candidate;
}

static int64_t hung_ms(int n)
{
	int64_t most = (int64_t)HUNG_MS << (n < 8 ? n : 8);

	return most < HUNG_MS_MAX ? most : HUNG_MS_MAX;
}

static struct effect *emit_read(struct turn *t)
{
	struct traffic_reader *read = &t->r->traffic.read;

	read->out_ms = t->now;
	read->retry_ms = 0;
	read->stable_first = false;
	if (rollout_is_reverting(t->r))
		turn_wake(t, t->now + hung_ms(read->hung));
	return turn_effect(t, EFFECT_READ);
}

void traffic_read_again(struct turn *t, int64_t delay_ms)
{
	t->r->traffic.read.fresh = false;
	t->r->traffic.read.retry_ms = delay_ms ? t->now + delay_ms : 0;
}

static void poll_again(struct turn *t)
{
	struct traffic_writer *w = &t->r->traffic.write;

	traffic_read_again(
		t, backoff_delay(&poll_backoff, w->polls++, 100, &t->r->rng));
}

static void note_shift(struct turn *t, const struct traffic_intent *intent)
{
	struct note *note;

	note = turn_note(t, NOTE_SHIFT, "candidate %d %%, stable %d %%%s%s",
		intent->percent, 100 - intent->percent,
		intent->to_latest ? ", by LATEST" : "",
		intent->tag == TAG_ADD      ? ", tag added"
		: intent->tag == TAG_REMOVE ? ", tag removed"
					    : "");
	note->value = intent->percent;
}

void traffic_write(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;
	struct traffic_writer *w = &g->write;
	struct effect *effect = turn_effect(t, EFFECT_WRITE);

	effect->attempt = ++w->attempt;
	effect->percent = w->intent.percent;
	effect->by_latest = w->intent.to_latest;
	effect->keep_stable = w->intent.keep_stable;
	effect->tag = w->intent.tag;
	effect->reassert = w->intent.reassert;
	effect->timeout_ms = rollout_hurries(t->r) ? 2 * hung_ms(w->rounds) : 0;
	if (!w->n_written) {
		w->base = g->generation;
		w->n_deployed = 0;
	}
	w->upon = g->generation;
	w->told = 0;
	w->n_written++;
	w->out_ms = w->wrote_ms = t->now;
	w->out_percent = w->intent.percent;
	w->rounds++;
	w->taken_up = false;
	w->polls = 0;
	w->retry_ms = 0;
	g->read.fresh = false;
	g->read.kept = false;
	traffic_remember_sent(w, traffic_split_of(w->intent.percent));
	if (w->intent.tag == TAG_ADD)
		t->r->tag_is_ours = true;
	note_shift(t, &w->intent);
	if (w->intent.percent > 0)
		checks_expose(t);
}

/* What the service says is broken is often what the write was refused with. */
static bool is_said(const char *text, const char *broken)
{
	char begin[BROKEN_BEGIN];

	text_set(begin, sizeof(begin), broken);
	return strstr(text, begin) != NULL;
}

void traffic_give_up(struct turn *t, const char *why)
{
	struct traffic_state *g = &t->r->traffic;
	char text[ROLLOUT_TEXT_MAX];

	if (g->write.trouble[0])
		text_after(text, sizeof(text), why, g->write.trouble);
	else
		text_set(text, sizeof(text), why);
	if (!is_said(text, g->broken))
		text_put(g->write.trouble, sizeof(g->write.trouble),
			"%s; the service says: %s", text, g->broken);
	else
		text_set(g->write.trouble, sizeof(g->write.trouble), text);
	g->write.state = WRITER_GAVE_UP;
	g->write.deadline_ms = 0;
	t->changed = true;
}

/* ---- what a fresh read leads to ---- */

static bool spec_is_wanted(const struct turn *t)
{
	const struct traffic_state *g = &t->r->traffic;
	const struct traffic_intent *intent = &g->write.intent;

	if (!split_equal(g->spec, traffic_split_of(intent->percent)))
		return false;
	if (intent->tag == TAG_ADD && !g->tagged)
		return false;
	if (intent->tag == TAG_REMOVE && g->tagged)
		return false;
	if (g->stable_kept && !intent->keep_stable)
		return false;
	if (intent->to_latest)
		return g->by_latest;
	/* As long as nothing was moved it may stay as it was found. */
	return !g->by_latest || !t->r->moved;
}

bool traffic_serves(const struct rollout *r)
{
	const struct traffic_state *g = &r->traffic;

	return split_equal(
		g->serving, traffic_split_of(g->write.intent.percent));
}

static void arrive(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;
	struct traffic_writer *w = &g->write;

	g->set = traffic_split_of(w->intent.percent);
	if (t->now >= w->loose_ms) {
		w->n_written = 0;
		w->n_sent = 0;
	}
	if (w->intent.tag == TAG_REMOVE)
		t->r->tag_is_ours = false;
	traffic_want_nothing(t->r);
	g->read.retry_ms = 0;
	t->changed = true;
}

/* The write is repeated once more reads than its answer deserves have passed
 * and nothing is under way; the same list again does no harm. */
static bool may_write_again(const struct turn *t, bool wanted)
{
	const struct traffic_writer *w = &t->r->traffic.write;
	int polls = 0;

	if (w->rounds == 0 || w->result == WRITE_UNKNOWN)
		polls = wanted ? REWRITE_POLLS : 0;
	else if (w->result == WRITE_DONE &&
		 (wanted || !traffic_is_undone(t->r)))
		polls = REWRITE_POLLS;
	return w->polls >= polls && t->now >= w->retry_ms;
}

/* Traffic goes up only while there is a way back now: between two checks, or
 * before the first one, nobody else looks. */
static void emit_read_to_write(struct turn *t)
{
	struct effect *effect = emit_read(t);

	effect->look_at_stable = raises(t->r);
	effect->stable_first =
		effect->look_at_stable && may_write_again(t, spec_is_wanted(t));
	t->r->traffic.read.stable_first = effect->stable_first;
}

/* The one gate upwards. True: it is closed. */
static bool is_blocked(struct turn *t)
{
	struct traffic_writer *w = &t->r->traffic.write;

	if (!raises(t->r) || !may_raise(t->policy, t->r, t->now)) {
		w->blocked_ms = 0;
		return false;
	}
	if (!w->blocked_ms)
		w->blocked_ms = t->now;
	/* A shift up that waits is held after a while. Preflight, a bake and the
	 * finish are not: what others changed is theirs when its time is over. */
	if (!w->deadline_ms ||
		(t->r->phase != PHASE_PREFLIGHT &&
			t->r->phase != PHASE_BAKING &&
			!rollout_is_finishing(t) && !rollout_goes_down(t->r)))
		w->deadline_ms = t->now + t->policy->revert_timeout_ms;
	return true;
}

static void pin_when_not_latest(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;

	if (!g->write.intent.to_latest || g->candidate_is_latest)
		return;
	g->write.intent.to_latest = false;
	turn_note(t, NOTE_WARNING,
		"the candidate is not the latest ready revision any more: it "
		"stays pinned");
}

static void decide(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;
	struct traffic_writer *w = &g->write;
	bool reverting = rollout_is_reverting(t->r), wanted;

	pin_when_not_latest(t);
	wanted = spec_is_wanted(t);
	if (wanted && traffic_serves(t->r) && !g->moving) {
		arrive(t);
		return;
	}
	/* Wait while the list we want is being applied, or while somebody
	 * else's is and we may not write over it. */
	if ((wanted ? g->reconciling && !traffic_is_stuck(t)
		    : g->moving && !reverting) ||
		!may_write_again(t, wanted) || is_blocked(t)) {
		poll_again(t);
		return;
	}
	if (!reverting && w->rounds >= TRAFFIC_ROUNDS_MAX) {
		traffic_give_up(t,
			"the split was written three times and does not "
			"serve");
		return;
	}
	if (raises(t->r) && !g->read.stable_first) {
		traffic_read_again(
			t, 0); /* what was read says nothing of stable */
		return;
	}
	w->raced = w->rounds && !wanted && traffic_is_undone(t->r);
	traffic_write(t);
}

/* ---- waiting ---- */

/* Another request is more likely to be answered than one that hangs. */
static void abandon_write(struct turn *t)
{
	struct traffic_writer *w = &t->r->traffic.write;

	turn_note(t, NOTE_RETRY,
		"a write has had no answer for %lld ms: the service is read "
		"instead",
		(long long)(t->now - w->out_ms));
	w->out_ms = 0;
	w->result = WRITE_UNKNOWN;
	w->loose_ms = t->now + TRAFFIC_LOOSE_MS;
	t->r->traffic.read.hung++;
	traffic_read_again(t, 0);
}

static bool wait_for_write(struct turn *t)
{
	struct traffic_writer *w = &t->r->traffic.write;
	int64_t until_ms;

	if (!w->out_ms)
		return false;
	if (!rollout_is_reverting(t->r) || w->intent.percent == w->out_percent)
		return true;
	/* It was a step up that is not wanted any more. */
	until_ms = t->r->phase_ms + HUNG_MS;
	if (t->now < until_ms) {
		turn_wake(t, until_ms);
		return true;
	}
	abandon_write(t);
	return false;
}

static bool wait_for_read(struct turn *t)
{
	struct traffic_reader *read = &t->r->traffic.read;
	int64_t until_ms = read->out_ms + hung_ms(read->hung);

	if (!read->out_ms)
		return false;
	if (!rollout_is_reverting(t->r))
		return true;
	if (t->now < until_ms) {
		turn_wake(t, until_ms);
		return true;
	}
	turn_note(t, NOTE_RETRY,
		"the service has not answered for %lld ms: it is asked again",
		(long long)(t->now - read->out_ms));
	read->hung++;
	read->out_ms = 0;
	return false;
}

/* Reads hang while users are hurt: the last answer has to do. Its etag and its
 * generation tell when somebody else has written since. What is asked for already
 * is read until it serves. A step back had that time before it became a revert. */
static bool is_urgent(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;
	int64_t from_ms = t->r->phase_ms;

	if (from_ms > g->write.since_ms)
		from_ms = g->write.since_ms;
	if (from_ms < g->write.retry_ms) /* it is asked then */
		from_ms = g->write.retry_ms;
	from_ms += URGENT_MS;
	if (t->r->phase != PHASE_REVERTING || !g->read.kept || g->spec.other ||
		g->write.rounds || g->write.out_ms || spec_is_wanted(t))
		return false;
	if (t->now >= from_ms)
		return true;
	turn_wake(t, from_ms);
	return false;
}

static bool pump_deadline(struct turn *t)
{
	struct traffic_writer *w = &t->r->traffic.write;

	if (w->deadline_ms && t->now >= w->deadline_ms)
		traffic_give_up(t, "the split did not serve in time");
	turn_wake(t, w->deadline_ms);
	return w->state == WRITER_WANTS;
}

/* Nothing is on its way that a read could find. */
static bool is_quiet(const struct turn *t)
{
	const struct traffic_writer *w = &t->r->traffic.write;

	return traffic_is_unwritten(t->r) &&
	       (!w->rounds || t->now >= w->loose_ms);
}

void traffic_pump(struct turn *t)
{
	struct traffic_reader *read = &t->r->traffic.read;
	struct traffic_writer *w = &t->r->traffic.write;
	int64_t due_ms;
	bool blocked;

	if (!traffic_is_wanted(t->r) || phase_is_end(t->r->phase))
		return;
	blocked = is_quiet(t) && is_blocked(t);
	if (!pump_deadline(t) || blocked || wait_for_write(t))
		return;
	if (is_urgent(t))
		decide(t);
	else if (wait_for_read(t))
		return;
	if (read->fresh && !w->out_ms && traffic_is_wanted(t->r) &&
		t->now - read->seen_ms <= FRESH_MS)
		decide(t);
	if (!traffic_is_wanted(t->r) || w->out_ms || read->out_ms ||
		phase_is_end(t->r->phase))
		return;
	/* What a write left is looked at soon, before others change it; the next
	 * look is for the next write. */
	due_ms = read->retry_ms;
	if (read->kept && due_ms < w->retry_ms)
		due_ms = w->retry_ms;
	if (due_ms > t->now)
		turn_wake(t, due_ms);
	else
		emit_read_to_write(t);
}

void traffic_read_first(struct turn *t)
{
	struct traffic_reader *read = &t->r->traffic.read;

	if (read->out_ms || t->r->traffic.write.out_ms)
		return;
	if (read->retry_ms > t->now)
		turn_wake(t, read->retry_ms);
	else
		emit_read(t)->look_at_stable = true;
}

void traffic_watch(struct turn *t)
{
	struct traffic_reader *read = &t->r->traffic.read;

	if (!traffic_is_wanted(t->r) && !read->out_ms &&
		read->retry_ms <= t->now)
		emit_read(t)->look_at_stable = true;
}
