/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the service answered to a read that failed and to a write, and when it is
 * asked again. What a good read shows is judged in rollout_drift.c.
 */
#include "engine/backoff.h"
#include "engine/turn.h"

#define RETRY_AFTER_MAX 10000 /* of a revert: it does not wait longer */
#define FORWARD_MAX \
	60000 /* of all else: drift and a stable that is gone are
			       * looked for, and a step has its deadline */
#define FAILING_MS_MAX 120000 /* a shift whose operations end in errors */

static const struct backoff trouble_backoff = {500, 30000};
/* Users are being hurt: it is known within a second that the service answers
 * again, and what was refused is not left alone for longer than anybody may
 * ask a revert to wait. */
static const struct backoff urgent_read_backoff = {500, 1000};
static const struct backoff urgent_write_backoff = {500, RETRY_AFTER_MAX};
static const struct backoff failed_backoff = {4000, 30000};

static int64_t retry_after(const struct turn *t)
{
	int64_t ms = t->event->retry_after_ms;
	int64_t most =
		rollout_is_reverting(t->r) ? RETRY_AFTER_MAX : FORWARD_MAX;

	return ms < most ? ms : most;
}

void traffic_unseen(struct turn *t)
{
	struct traffic_reader *read = &t->r->traffic.read;
	struct traffic_writer *w = &t->r->traffic.write;
	bool reverting = rollout_is_reverting(t->r);

	if (!read->out_ms)
		return;
	read->out_ms = 0;
	traffic_read_again(t, 0);
	text_set(w->trouble, sizeof(w->trouble), t->event->text);
	turn_note(t, NOTE_RETRY, "the service could not be read: %s",
		t->event->text ? t->event->text : "");
	if (traffic_is_wanted(t->r) && !t->event->retryable && !reverting) {
		w->state = WRITER_GAVE_UP;
		return;
	}
	/* For a step up, not wanted any more, stable alone may have been asked. */
	if (!reverting || !read->stable_first)
		read->retry_ms =
			t->now + backoff_delay(reverting ? &urgent_read_backoff
							 : &trouble_backoff,
					 read->attempt++, retry_after(t),
					 &t->r->rng);
}

/* What became of a write that was wanted before says nothing of what is wanted
 * now: that waits only for as long as the other side asks it to. */
static void retry_later(struct turn *t, const struct backoff *backoff, int n)
{
	struct traffic_writer *w = &t->r->traffic.write;
	int64_t ms = retry_after(t);

	if (w->rounds)
		ms = backoff_delay(backoff, n, ms, &t->r->rng);
	w->retry_ms = t->now + ms;
}

/* The write was not done: the next one waits by a counter of its own. What was
 * read before it is still the last that is known. */
static void refused(struct turn *t)
{
	struct traffic_writer *w = &t->r->traffic.write;
	bool reverting = rollout_is_reverting(t->r), own = w->rounds > 0;

	t->r->traffic.read.kept = t->event->result != WRITE_CONFLICT;
	if (t->event->result == WRITE_CONFLICT && t->event->generation)
		t->r->traffic.refuted = t->event->generation;
	if (t->event->result == WRITE_REJECTED && own &&
		traffic_is_wanted(t->r) && !reverting)
		w->state = WRITER_GAVE_UP;
	retry_later(t, reverting ? &urgent_write_backoff : &trouble_backoff,
		w->refused);
	w->n_written -= w->n_written > 0;
	w->refused += own;
	w->rounds -= own;
}

/* What hung has waited already, unless the other side asked for more. */
static void unanswered(struct turn *t)
{
	struct traffic_writer *w = &t->r->traffic.write;

	w->loose_ms = t->now + TRAFFIC_LOOSE_MS;
	if (w->rounds <= 1)
		return;
	retry_later(t,
		rollout_is_reverting(t->r) ? &urgent_write_backoff
					   : &trouble_backoff,
		w->rounds);
	if (!retry_after(t))
		w->retry_ms -= t->now - w->wrote_ms;
}

/* Its words are told; a shift whose operations keep failing ends. */
static void operation_failed(struct turn *t)
{
	struct traffic_writer *w = &t->r->traffic.write;

	if (!w->failing_ms)
		w->failing_ms = t->now;
	retry_later(t, &failed_backoff, w->rounds);
	if (traffic_is_wanted(t->r) && !rollout_is_reverting(t->r) &&
		(w->rounds >= TRAFFIC_ROUNDS_MAX ||
			t->now - w->failing_ms >= FAILING_MS_MAX))
		traffic_give_up(t, "the change of traffic keeps failing");
}

static void written_well(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;

	g->write.refused = 0;
	g->write.failing_ms = 0;
	g->write.arrived = g->write.rounds > 0;
	g->write.trouble[0] = '\0';
	g->write.told = t->event->generation;
	if (g->write.told > g->generation)
		g->generation = g->write.told;
	/* Where the answer tells no generation, it is a newer one all the same:
	 * the list was another. */
	if (!g->write.told &&
		!split_equal(g->spec, traffic_split_of(g->write.out_percent)))
		g->refuted = g->write.upon;
}

void traffic_written(struct turn *t)
{
	struct traffic_writer *w = &t->r->traffic.write;

	/* Of a write that was given up nothing is taken: what it did is read. */
	if (!w->out_ms || (t->event->write_attempt &&
				  t->event->write_attempt < w->attempt))
		return;
	w->out_ms = 0;
	w->result = t->event->result;
	traffic_read_again(t, 0);
	if (w->result == WRITE_DONE) {
		written_well(t);
		return;
	}
	text_set(w->trouble, sizeof(w->trouble), t->event->text);
	turn_note(t, NOTE_RETRY, "the write was answered \"%s\": %s",
		write_result_name(w->result),
		t->event->text ? t->event->text : "");
	if (w->result == WRITE_FAILED) {
		operation_failed(t);
	} else if (w->result == WRITE_UNKNOWN) {
		unanswered(t);
	} else {
		refused(t);
	}
}

void traffic_resumed(struct turn *t)
{
	struct traffic_state *g = &t->r->traffic;

	g->read = (struct traffic_reader){.seen_ms = g->read.seen_ms};
	if (g->write.out_ms) {
		g->write.out_ms = 0; /* its split stays among the sent ones */
		g->write.result = WRITE_UNKNOWN;
		g->write.loose_ms = t->now + TRAFFIC_LOOSE_MS;
	}
	g->write.taken_up = true;
	g->write.raced = false;
	g->write.refused = 0;
	g->write.polls = 0;
	g->write.retry_ms = 0;
	g->write.since_ms = t->now;
	g->stale_ms = 0;
	if (g->write.state == WRITER_WANTS)
		g->write.deadline_ms = t->now + t->policy->revert_timeout_ms;
}
