/*
 * Brings the service's traffic to what is wanted, and notices when somebody
 * else changes it. Level-triggered: each read is compared with what is wanted
 * and with what is ours, so that a lost reply, a conflict, a restart and a
 * change by hand are one case. Nothing is written that was not read first.
 *
 *   want -> read -> ours? -> write -> read … until it serves -> there
 *                    └─ no: drift
 */
#include <stdio.h>
#include <string.h>

#include "engine/backoff.h"
#include "engine/turn.h"

#define FRESH_MS      1000 /* a breach may build on a read as old as this */
#define REASSERTS_MAX 5 /* then somebody else means it: stop */
#define REWRITE_POLLS 8 /* what failed and does not serve is written again */

static const struct backoff trouble_backoff = {500, 30000};
static const struct backoff poll_backoff = {250, 2000};

static struct split split_of(int candidate)
{
	return (struct split){candidate, 100 - candidate, 0};
}

static void remember_sent(struct traffic_state *g, struct split split)
{
	int i;

	for (i = 0; i < g->n_sent; i++) {
		if (split_equal(g->sent[i], split))
			return;
	}
	if (g->n_sent == ROLLOUT_SENT_MAX) {
		memmove(g->sent, g->sent + 1,
			sizeof(g->sent) - sizeof(g->sent[0]));
		g->n_sent--;
	}
	g->sent[g->n_sent++] = split;
}

static bool is_ours(const struct traffic_state *g, struct split split)
{
	int i;

	if (split_equal(g->set, split))
		return true;
	for (i = 0; i < g->n_sent; i++) {
		if (split_equal(g->sent[i], split))
			return true;
	}
	return false;
}

static int highest_candidate(const struct traffic_state *g)
{
	int i, most = g->set.candidate;

	for (i = 0; i < g->n_sent; i++) {
		if (g->sent[i].candidate > most)
			most = g->sent[i].candidate;
	}
	return most;
}

static void read_again(struct turn *t, int64_t delay_ms)
{
	t->r->traffic.fresh = false;
	t->r->traffic.retry_ms = delay_ms ? t->now + delay_ms : 0;
}

static void emit_read(struct turn *t)
{
	t->r->traffic.reading = true;
	t->r->traffic.retry_ms = 0;
	turn_effect(t, EFFECT_READ);
}

static void emit_write(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;
	struct effect *effect = turn_effect(t, EFFECT_WRITE);
	struct note *note;

	effect->percent = g->percent;
	effect->by_latest = g->to_latest;
	effect->tag = g->tag;
	effect->reassert = g->reassert;
	g->writing = true;
	g->fresh = false;
	g->retry_ms = 0;
	g->polls = 0;
	g->write_failed = false;
	remember_sent(g, split_of(g->percent));
	if (g->percent > 0)
		t->r->moved = true;
	if (g->tag == TAG_ADD)
		t->r->tag_is_ours = true;
	note = turn_note(t, NOTE_SHIFT, "candidate %d %%, stable %d %%%s%s",
		g->percent, 100 - g->percent, g->to_latest ? ", by LATEST" : "",
		g->tag == TAG_ADD      ? ", tag added"
		: g->tag == TAG_REMOVE ? ", tag removed"
				       : "");
	note->value = g->percent;
}

static bool spec_is_wanted(const struct rollout *r)
{
	const struct traffic_state *g = &r->traffic;

	if (!split_equal(g->spec, split_of(g->percent)))
		return false;
	if (g->tag == TAG_ADD && !g->tagged)
		return false;
	if (g->tag == TAG_REMOVE && g->tagged)
		return false;
	if (g->to_latest)
		return g->by_latest;
	/* As long as nothing was moved it may stay as it was found. */
	return !g->by_latest || !r->moved;
}

static bool serves_wanted(const struct rollout *r)
{
	const struct traffic_state *g = &r->traffic;

	if (!g->settled || !split_equal(g->serving, split_of(g->percent)))
		return false;
	/* A revert must not ask for a green service before it is content. */
	return g->green || rollout_is_reverting(r);
}

static void arrive(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;

	g->set = split_of(g->percent);
	g->n_sent = 0;
	g->wants = false;
	g->reassert = false;
	g->deadline_ms = 0;
	g->retry_ms = 0;
	g->attempt = 0;
	if (g->tag == TAG_REMOVE)
		t->r->tag_is_ours = false;
	t->changed = true;
}

static void say_drift(struct turn *t, const char *what)
{
	const struct traffic_state *g = &t->r->traffic;

	turn_note(t, NOTE_DRIFT,
		"candidate %d %%, stable %d %%, others %d %%; last set was "
		"candidate %d %%, stable %d %%: %s",
		g->spec.candidate, g->spec.stable, g->spec.other,
		g->set.candidate, g->set.stable, what);
}

/* A revert never takes traffic away from what somebody else put in charge; it
 * does take back what is the candidate's through us. True: go on writing. */
static bool revert_over_drift(struct turn *t)
{
	const struct traffic_state *g = &t->r->traffic;

	if (!g->spec.other && g->spec.candidate <= highest_candidate(g)) {
		say_drift(t, "reverting all the same");
		return true;
	}
	say_drift(t, "somebody else is in charge");
	rollout_stop_for_drift(t,
		"somebody else changed the traffic; nothing is written any "
		"more");
	return false;
}

/* True: go on writing. */
static bool drifted(struct turn *t)
{
	struct rollout *r = t->r;

	if (rollout_is_reverting(r))
		return revert_over_drift(t);
	if (r->phase == PHASE_PREFLIGHT) {
		say_drift(t, "refused");
		t->r->traffic.wants = false;
		t->changed = true;
		rollout_refuse(t, CAUSE_DRIFT,
			"traffic was changed by somebody else in preflight");
		return false;
	}
	if (t->policy->on_drift == ON_DRIFT_REASSERT &&
		r->reasserts < REASSERTS_MAX) {
		r->reasserts++;
		say_drift(t, "set back");
		if (!r->traffic.wants)
			traffic_want(
				t, r->traffic.set.candidate, false, TAG_KEEP);
		r->traffic.reassert = true;
		r->traffic.fresh = true;
		return true;
	}
	say_drift(t, "stopped");
	rollout_stop_for_drift(t,
		"traffic is not what was last set; nothing is written any "
		"more");
	return false;
}

/* A fresh read is there and something is wanted: the next move. */
static void decide(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;

	/* LATEST is only for the candidate. */
	if (g->to_latest && !g->candidate_is_latest) {
		g->to_latest = false;
		turn_note(t, NOTE_WARNING,
			"the candidate is not the latest ready revision any "
			"more: it stays pinned");
	}
	if (spec_is_wanted(t->r)) {
		if (serves_wanted(t->r)) {
			arrive(t);
			return;
		}
		/* It is asked for, but its operation failed: reading alone
		 * would wait for ever. The same list again does no harm. */
		if (g->write_failed && g->polls >= REWRITE_POLLS) {
			emit_write(t);
			return;
		}
		read_again(t, backoff_delay(&poll_backoff, g->polls++, 100,
				      &t->r->rng));
		return;
	}
	if (!g->reassert && !is_ours(g, g->spec) && !drifted(t))
		return;
	/* Forward moves wait for whatever is under way; a revert does not. */
	if (!g->settled && !rollout_is_reverting(t->r)) {
		read_again(t, backoff_delay(&poll_backoff, g->polls++, 100,
				      &t->r->rng));
		return;
	}
	emit_write(t);
}

static void deadline_passed(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;
	char text[ROLLOUT_TEXT_MAX];

	snprintf(text, sizeof(text), "the split did not serve in time%s%.180s",
		g->trouble[0] ? ": " : "", g->trouble);
	g->deadline_ms = 0;
	text_set(g->trouble, sizeof(g->trouble), text);
	g->rejected = true;
	t->changed = true;
}

void traffic_pump(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;

	if (!g->wants || phase_is_end(t->r->phase))
		return;
	if (g->deadline_ms && t->now >= g->deadline_ms)
		deadline_passed(t);
	turn_wake(t, g->deadline_ms);
	if (g->writing || g->reading || g->rejected)
		return;
	if (g->fresh && t->now - g->seen_ms <= FRESH_MS)
		decide(t);
	if (!g->wants || g->writing || phase_is_end(t->r->phase))
		return;
	if (g->retry_ms > t->now)
		turn_wake(t, g->retry_ms);
	else
		emit_read(t);
}

static void learn(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;
	const struct event *e = t->event;

	g->spec = e->spec;
	g->serving = e->serving;
	g->settled = e->settled;
	g->green = e->green;
	g->by_latest = e->by_latest;
	g->candidate_is_latest = e->candidate_is_latest;
	g->tagged = e->tagged;
	g->seen_ms = t->now;
	g->fresh = true;
	g->reading = false;
	g->attempt = 0;
}

void traffic_learn(struct turn *t)
{
	learn(t);
	t->r->traffic.set = t->event->spec;
	t->r->found_by_latest = t->event->by_latest;
	t->r->moved = t->event->spec.candidate > 0;
}

void traffic_seen(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;

	if (!g->reading)
		return;
	learn(t);
	if (t->r->verifying) {
		t->r->verifying = false;
		t->r->verified = true;
		return;
	}
	/* With something wanted, traffic_pump decides at the end of the turn. */
	if (!g->wants && !is_ours(g, g->spec))
		drifted(t);
}

void traffic_unseen(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;

	if (!g->reading)
		return;
	g->reading = false;
	g->fresh = false;
	text_set(g->trouble, sizeof(g->trouble), t->event->text);
	turn_note(t, NOTE_RETRY, "the service could not be read: %.200s",
		t->event->text ? t->event->text : "");
	if (g->wants && !t->event->retryable && !rollout_is_reverting(t->r)) {
		g->rejected = true;
		return;
	}
	g->retry_ms = t->now + backoff_delay(&trouble_backoff, g->attempt++,
				       t->event->retry_after_ms, &t->r->rng);
}

void traffic_written(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;
	int64_t delay;

	if (!g->writing)
		return;
	g->writing = false;
	if (t->event->result == WRITE_DONE) {
		g->attempt = 0;
		g->trouble[0] = '\0';
		read_again(t, 0);
		return;
	}
	g->write_failed = true;
	text_set(g->trouble, sizeof(g->trouble), t->event->text);
	turn_note(t, NOTE_RETRY, "the write was answered \"%s\": %.200s",
		write_result_name(t->event->result),
		t->event->text ? t->event->text : "");
	if (t->event->result == WRITE_REJECTED && !rollout_is_reverting(t->r)) {
		g->rejected = true;
		return;
	}
	delay = backoff_delay(&trouble_backoff, g->attempt++,
		t->event->retry_after_ms, &t->r->rng);
	read_again(t, t->event->result == WRITE_UNKNOWN ? 0 : delay);
}

void traffic_resumed(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;

	g->reading = false;
	g->writing = false; /* its split stays among the sent ones */
	g->fresh = false;
	g->attempt = 0;
	g->polls = 0;
	g->retry_ms = 0;
	if (g->wants)
		g->deadline_ms = t->now + t->policy->revert_timeout_ms;
	else if (t->r->looked && !rollout_is_reverting(t->r))
		emit_read(t);
}

void traffic_watch(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;

	if (!g->wants && !g->reading && g->retry_ms <= t->now)
		emit_read(t);
}
