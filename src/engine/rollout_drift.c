/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a read shows: ours, older than what is known, or somebody else's doing.
 * Ours is what was written on a known generation and reads back within as many
 * generations; a list that looks the same may be another's all the same.
 */
#include <stdio.h>
#include <string.h>

#include "engine/backoff.h"
#include "engine/turn.h"

#define REASSERTS_MAX 5 /* then somebody else means it: stop */
#define STALE_MS      1000 /* a revert builds on an older answer after that */
#define STUCK_MS      60000 /* a change under way that keeps a revert */
#define LAG_MS_MAX    10000 /* what a conflict told of is read by then */

static const struct backoff stale_backoff = {250, 2000};

enum whose {
	WHOSE_OURS,
	WHOSE_OTHERS, /* the list is not what was last set or written */
	WHOSE_DOUBTFUL, /* a late write of an earlier step, or others' */
	WHOSE_OVERWRITTEN /* ours, over something of others that is not known */
};

void traffic_remember_sent(struct traffic_writer *w, struct split split)
{
	int i;

	for (i = 0; i < w->n_sent; i++) {
		if (split_equal(w->sent[i], split))
			return;
	}
	if (w->n_sent == TRAFFIC_SENT_MAX) {
		memmove(w->sent, w->sent + 1,
			sizeof(w->sent) - sizeof(w->sent[0]));
		w->n_sent--;
	}
	w->sent[w->n_sent++] = split;
}

static bool was_sent(const struct traffic_writer *w, struct split split)
{
	int i;

	for (i = 0; i < w->n_sent; i++) {
		if (split_equal(w->sent[i], split))
			return true;
	}
	return false;
}

/* Beyond what our writes can have made of the generation they were based on.
 * The generation of a write's answer is exact: later ones are of other fields. */
static bool is_beyond_ours(const struct traffic_state *g)
{
	const struct traffic_writer *w = &g->write;
	int64_t newest = w->told ? w->told : g->generation;

	return w->base && newest > w->base + w->n_written + w->n_deployed;
}

/* The last write was there, and another list has come after it, though it may be
 * one of an earlier step. */
static bool is_exchanged(const struct traffic_state *g)
{
	const struct traffic_writer *w = &g->write;

	return w->told && g->generation > w->told &&
	       !split_equal(g->spec, traffic_split_of(w->out_percent));
}

/* Whoever made the newest generation, our writes alone did not. */
static bool is_past_ours(const struct traffic_state *g)
{
	const struct traffic_writer *w = &g->write;

	return g->generation > w->base + w->n_written + w->n_deployed;
}

/* A list that we sent before the last one is there, after another one of ours
 * served, and one of our writes is not accounted for: it may have come late, and
 * others may have asked for the same. Nothing that the service says tells which. */
static bool is_doubtful(const struct traffic_state *g)
{
	const struct traffic_writer *w = &g->write;

	return (w->state == WRITER_IDLE || !w->rounds) && w->n_written &&
	       !w->intent.reassert && was_sent(w, g->spec) &&
	       !split_equal(g->spec, g->set) &&
	       !split_equal(g->spec, traffic_split_of(w->out_percent)) &&
	       !is_past_ours(g);
}

bool traffic_is_doubtful(const struct rollout *r)
{
	return is_doubtful(&r->traffic);
}

static enum whose find_whose(const struct traffic_state *g)
{
	const struct traffic_writer *w = &g->write;
	bool beyond = w->n_written && is_beyond_ours(g);

	if (w->n_written && was_sent(w, g->spec)) {
		if (split_equal(g->spec, g->set) && w->state == WRITER_IDLE)
			return WHOSE_OURS;
		if (is_doubtful(g))
			return WHOSE_DOUBTFUL;
		if (is_exchanged(g))
			return WHOSE_OTHERS;
		return beyond ? WHOSE_OVERWRITTEN : WHOSE_OURS;
	}
	if (!split_equal(g->spec, g->set))
		return WHOSE_OTHERS;
	/* Our write was accepted and its list has been replaced since. */
	if (w->n_written && w->base && w->result == WRITE_DONE &&
		is_past_ours(g))
		return WHOSE_OTHERS;
	return WHOSE_OURS;
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

static int highest_candidate(const struct traffic_state *g)
{
	int i, most = g->set.candidate;

	for (i = 0; i < g->write.n_sent; i++) {
		if (g->write.sent[i].candidate > most)
			most = g->write.sent[i].candidate;
	}
	return most;
}

/* A revert never takes traffic away from what somebody else put in charge; it
 * does take back what is the candidate's through us. */
static void drifted_in_revert(struct turn *t)
{
	const struct traffic_state *g = &t->r->traffic;

	if (t->r->phase == PHASE_REVERTING && !g->spec.other &&
		g->spec.candidate <= highest_candidate(g)) {
		say_drift(t, "reverting all the same");
		return;
	}
	say_drift(t, "somebody else is in charge");
	rollout_stop_for_drift(t,
		"somebody else changed the traffic; nothing is written any "
		"more");
}

static void reassert(struct turn *t)
{
	struct rollout *r = t->r;

	r->reasserts++;
	say_drift(t, "set back");
	if (traffic_is_settled(r))
		traffic_want(t, r->traffic.set.candidate, false, TAG_KEEP);
	r->traffic.write.intent.reassert = true;
	r->traffic.read.fresh = true;
}

static void drifted(struct turn *t, const char *why)
{
	struct rollout *r = t->r;

	if (rollout_is_reverting(r)) {
		drifted_in_revert(t);
	} else if (r->phase == PHASE_PREFLIGHT) {
		say_drift(t, "refused");
		traffic_want_nothing(r);
		rollout_refuse(t, CAUSE_DRIFT,
			"traffic was changed by somebody else in preflight");
	} else if (t->policy->on_drift == ON_DRIFT_REASSERT && !r->resuming &&
		   r->reasserts < REASSERTS_MAX) {
		reassert(t);
	} else {
		say_drift(t, "stopped");
		rollout_stop_for_drift(t, why);
	}
}

/* It is neither taken for ours nor given up: the candidate is watched, and nothing
 * goes up, until the list is what was set again. */
bool traffic_doubt_holds(struct turn *t)
{
	const struct traffic_state *g = &t->r->traffic;
	char reason[ROLLOUT_TEXT_MAX];

	if (!is_doubtful(g))
		return false;
	say_drift(t, "a write of ours that came late, or somebody else's");
	text_put(reason, sizeof(reason),
		"traffic is that of an earlier step again, by a write of ours "
		"that came late or by somebody else: give the candidate its "
		"%d %% by hand and it goes on, or abort",
		g->set.candidate);
	rollout_hold(t, CAUSE_DRIFT, t->now, reason);
	return true;
}

static void doubted(struct turn *t)
{
	if (t->policy->on_drift == ON_DRIFT_REASSERT && !t->r->resuming &&
		!rollout_is_reverting(t->r))
		drifted(t, "traffic was changed by somebody else and could "
			   "not be set back");
}

static void overwritten(struct turn *t)
{
	struct rollout *r = t->r;
	char text[ROLLOUT_TEXT_MAX];

	snprintf(text, sizeof(text),
		"somebody else wrote the service between our read (generation "
		"%lld) and our write: what they asked for was overwritten and "
		"is not known; look at it, and set the traffic by hand",
		(long long)t->r->traffic.write.base);
	/* First its users go back; what was overwritten is told after that. */
	if (r->phase == PHASE_REVERTING && r->traffic.spec.candidate > 0) {
		drifted_in_revert(t);
		return;
	}
	/* Nothing is on its way that would bring what was set. */
	if (t->policy->on_drift == ON_DRIFT_REASSERT && traffic_is_settled(r) &&
		!split_equal(r->traffic.spec, r->traffic.set)) {
		drifted(t, text);
		return;
	}
	say_drift(t, "a write of somebody else was overwritten");
	if (t->r->phase == PHASE_PREFLIGHT)
		rollout_refuse(t, CAUSE_DRIFT, text);
	else if (t->policy->on_drift != ON_DRIFT_REASSERT ||
		 rollout_is_reverting(t->r))
		rollout_stop_for_drift(t, text);
}

/* Where nothing else is wanted, nothing but what is set is ours, once nothing is on
 * its way any more, or when somebody else has set it so. Where all that was written
 * is there, what changes from now on came after it, and is nothing that was
 * overwritten. */
static void account(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;
	struct traffic_writer *w = &g->write;
	bool can_come = t->now < w->loose_ms;

	if (!w->n_written || w->out_ms)
		return;
	if (traffic_is_settled(t->r) && split_equal(g->spec, g->set) &&
		(!can_come || is_past_ours(g))) {
		w->n_written = 0;
		w->n_sent = 0;
	} else if (!can_come && was_sent(w, g->spec) &&
		   split_equal(g->spec, traffic_split_of(w->out_percent)) &&
		   g->generation == w->base + w->n_written + w->n_deployed) {
		w->told = g->generation;
	}
}

static void judge(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;

	if (g->write.intent.reassert && !traffic_is_settled(t->r))
		return; /* others have percents, which are to go */
	switch (find_whose(g)) {
	case WHOSE_OTHERS:
		drifted(t, "traffic is not what was last set; nothing is "
			   "written any more");
		break;
	case WHOSE_DOUBTFUL:
		doubted(t);
		break;
	case WHOSE_OVERWRITTEN:
		overwritten(t);
		break;
	case WHOSE_OURS:
		account(t);
		if (traffic_is_settled(t->r) && was_sent(&g->write, g->spec))
			g->set = g->spec; /* a write that nobody waits for */
		break;
	}
}

/* ---- the first look after a crash ---- */

/* Stable has everything, although the journal says that the candidate had its
 * share: a revert left in haste, before it could be journaled. */
static bool is_unjournaled_revert(const struct rollout *r)
{
	const struct traffic_state *g = &r->traffic;

	return r->moved && r->begun && g->set.candidate > 0 &&
	       g->spec.stable == 100 && !rollout_is_reverting(r) &&
	       r->phase != PHASE_PREFLIGHT;
}

static void judge_after_resume(struct turn *t)
{
	struct rollout *r = t->r;

	if (is_unjournaled_revert(r)) {
		turn_note(t, NOTE_WARNING,
			"stable has its 100 %% back already, by a revert that "
			"is not in the journal");
		r->traffic.set = r->traffic.spec;
		rollout_revert(
			t, CAUSE_SLO, "it was reverted when its process ended");
	} else if (r->phase == PHASE_ROLLING_BACK &&
		   r->traffic.spec.stable != 100 && !traffic_is_late(r)) {
		say_drift(t, "stable is not in charge any more");
		rollout_stop_for_drift(t,
			"stable is not in charge any more: nothing of the "
			"rollback sequence is run over what somebody else "
			"decided");
	} else {
		judge(t);
	}
	r->resuming = false;
	if (!phase_is_end(r->phase))
		sequence_resumed(t);
}

/* ---- reads ---- */

/* Whatever generations our writes have made, their lists are the ones we sent. No
 * answer lags so long that another process comes. */
bool traffic_is_replaced(const struct rollout *r)
{
	const struct traffic_state *g = &r->traffic;
	const struct traffic_writer *w = &g->write;

	if (w->taken_up)
		return true;
	if (!w->n_written || !w->base)
		return false;
	if (w->told)
		return g->generation > w->told;
	return is_beyond_ours(g) || (g->generation > w->base + w->n_deployed &&
					    !was_sent(w, g->spec));
}

/* The first change of others in a revert is answered at once; more of them are
 * not raced. */
bool traffic_is_undone(const struct rollout *r)
{
	return rollout_is_reverting(r) && !r->traffic.write.raced &&
	       traffic_is_replaced(r);
}

bool traffic_is_late(const struct rollout *r)
{
	const struct traffic_state *g = &r->traffic;

	return g->spec.candidate > 0 && !g->spec.other && g->write.n_written &&
	       was_sent(&g->write, g->spec) && !is_beyond_ours(g);
}

void traffic_learn_stable(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;
	enum stable_state was = g->stable_state;

	if (t->event->stable_state == STABLE_UNKNOWN)
		return;
	g->stable_state = t->event->stable_state;
	if (g->stable_state == was || g->stable_state == STABLE_READY)
		return;
	text_set(g->stable_text, sizeof(g->stable_text), t->event->text);
	turn_note(t, NOTE_WARNING, "there is no way back: %s", g->stable_text);
}

static void learn(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;
	const struct event *e = t->event;

	g->spec = e->spec;
	g->serving = e->serving;
	g->generation =
		e->generation > g->generation ? e->generation : g->generation;
	if (e->serving.stable > 0)
		g->stable_idle_ms = 0;
	else if (!g->stable_idle_ms)
		g->stable_idle_ms = t->now;
	g->reconciling = e->reconciling;
	g->moving = e->moving;
	g->by_latest = e->by_latest;
	g->candidate_is_latest = e->candidate_is_latest;
	g->tagged = e->tagged;
	g->stable_kept = e->stable_kept;
	text_set(g->broken, sizeof(g->broken), e->text);
	if (e->deployed)
		g->write.n_deployed++;
	if (split_equal(g->spec, traffic_split_of(g->write.intent.percent)))
		g->write.arrived = true;
	if (e->stable_state != STABLE_UNKNOWN)
		g->stable_state = e->stable_state;
	g->read.seen_ms = t->now;
	g->read.fresh = true;
	g->read.kept = true;
	g->read.attempt = 0;
	g->read.hung = 0;
}

void traffic_learn(struct turn *t)
{
	learn(t);
	t->r->traffic.set = t->event->spec;
	t->r->found_by_latest = t->event->by_latest;
	t->r->moved =
		t->event->spec.candidate > 0 || t->event->serving.candidate > 0;
}

static bool is_behind(const struct traffic_state *g, int64_t generation)
{
	return generation &&
	       (generation < g->generation || generation <= g->refuted);
}

/* A revert may build on an answer that lacks only what we wrote ourselves. Upon
 * one that a write has met with a conflict it writes again; that nothing is left
 * to do is concluded from a newer one alone, unless none comes for long: then the
 * conflict meant something else. */
static bool will_do(const struct turn *t)
{
	const struct traffic_state *g = &t->r->traffic;
	const struct event *e = t->event;
	int64_t stale_ms = t->now - g->stale_ms;

	if (e->generation >= g->generation)
		return stale_ms >= LAG_MS_MAX ||
		       (rollout_is_reverting(t->r) && e->spec.candidate > 0);
	return rollout_is_reverting(t->r) && !g->write.rounds &&
	       e->generation >= g->write.base && stale_ms >= STALE_MS;
}

/* An answer from before what is known is no drift, and is asked again. True: it
 * is old. */
static bool is_old(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;
	const struct event *e = t->event;

	if (!is_behind(g, e->generation)) {
		g->stale_ms = 0;
		return false;
	}
	if (!g->stale_ms)
		g->stale_ms = t->now;
	if (will_do(t))
		return false;
	if (e->generation < g->generation)
		turn_note(t, NOTE_RETRY,
			"the answer is older than what is known (generation "
			"%lld after %lld)",
			(long long)e->generation, (long long)g->generation);
	else
		turn_note(t, NOTE_RETRY,
			"the answer is older than what is known (a write upon "
			"generation %lld met or made a newer one)",
			(long long)g->refuted);
	g->read.retry_ms = t->now + backoff_delay(&stale_backoff,
					    g->read.attempt++, 100, &t->r->rng);
	return true;
}

/* The same list begins the change anew; a revert has nothing better to wait for. */
bool traffic_is_stuck(const struct turn *t)
{
	int64_t from_ms = t->r->traffic.write.wrote_ms;

	if (from_ms < t->r->phase_ms)
		from_ms = t->r->phase_ms;
	return rollout_is_reverting(t->r) && t->now - from_ms >= STUCK_MS;
}

void traffic_seen(struct turn *t)
{
	struct rollout *r = t->r;

	if (!r->traffic.read.out_ms)
		return;
	r->traffic.read.out_ms = 0;
	if (t->event->anew) {
		rollout_stop_or_refuse(t,
			"the service was deleted and made anew under the same "
			"name; nothing is written any more");
		return;
	}
	if (is_old(t))
		return;
	learn(t);
	if (r->traffic.serving.candidate > 0)
		checks_expose(t);
	if (r->verifying) {
		r->verifying = false;
		r->verified = true;
		return;
	}
	if (r->resuming)
		judge_after_resume(t);
	else if (r->phase != PHASE_ROLLING_BACK)
		judge(t);
}
