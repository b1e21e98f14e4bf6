/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout as people see it; see summary.h. Knows neither store nor terminal. */
#include "status/summary.h"

#include <string.h>

#include "status/summary_parts.h"

static void make_row(struct making *m)
{
	const struct summary_source *from = m->from;
	const char *slash = strrchr(from->service, '/');
	struct summary *s = m->s;

	s->id = from->id;
	s->service = slash ? slash + 1 : from->service;
	s->candidate = from->candidate;
	s->stable = from->stable;
	s->now_ms = from->now_ms;
	s->read_ms = from->read_ms ? from->read_ms : from->now_ms;
	s->started_ms = from->started_ms;
	s->ended_ms = from->ended_ms;
	s->phase = m->r->phase;
	s->cause = m->r->cause;
	s->reason = m->r->reason;
	s->is_paused = rollout_is_paused(m->r) && !phase_is_end(s->phase);
	s->waits_for_people = rollout_waits_for_people(m->r);
	s->is_driven = from->driver != SUMMARY_UNDRIVEN;
}

static void make_traffic(struct making *m)
{
	const struct traffic_state *traffic = &m->r->traffic;

	m->s->candidate_percent = traffic->serving.candidate;
	m->s->stable_percent = traffic->serving.stable;
	m->s->other_percent = traffic->serving.other;
	m->s->wanted_percent = traffic->write.state == WRITER_WANTS
				       ? traffic->write.intent.percent
				       : -1;
}

/* A step's time goes on while it bakes, is held or paused. */
static bool is_in_step(const struct making *m)
{
	const struct rollout *r = m->r;

	return step_of(m) && r->bake_from_ms &&
	       (r->phase == PHASE_BAKING || rollout_waits_for_people(r));
}

static void make_step(struct making *m)
{
	const struct rollout *r = m->r;
	struct summary *s = m->s;

	s->step = r->step + 1;
	s->n_steps = (int)m->policy->n_steps;
	if (!is_in_step(m))
		return;
	s->step_ms = (load_was_made(m) ? r->settle_ms : r->bake_from_ms) -
		     m->policy->settle_ms;
	s->bake_ms = step_of(m)->bake_ms;
	if (!r->bake_open) {
		s->settled_ms = r->bake_from_ms;
		return;
	}
	s->baked_ms = rollout_baked_ms(m->policy, r, s->now_ms);
	s->over_ms = s->now_ms + s->bake_ms - s->baked_ms;
}

static void make_drift(struct making *m)
{
	const struct found_drift *drift;

	if (!m->from->lookback)
		return;
	drift = lookback_drift(m->from->lookback);
	m->s->drift = drift->time_ms ? drift : NULL;
}

static const char *make_driver(const struct making *m)
{
	const struct summary_source *from = m->from;

	if (phase_is_end(m->r->phase))
		return "";
	if (from->driver == SUMMARY_UNDRIVEN)
		return arena_printf(m->arena,
			"nobody drives it: tidegate resume %s goes on with it",
			from->id);
	if (!from->holder)
		return "";
	if (from->driver == SUMMARY_DRIVEN)
		return arena_printf(m->arena, "driven by %s", from->holder);
	return arena_printf(m->arena,
		"driven by %s, which is not seen to run on this host and was "
		"alive at %s by its clock; if it is gone: tidegate resume %s",
		from->holder, say_when(m, from->renewed_ms), from->id);
}

const struct summary *summary_make(
	const struct summary_source *source, struct arena *arena)
{
	struct summary *s = arena_alloc(arena, sizeof(*s));
	struct making m = {source, source->policy, source->rollout, arena, s};

	make_row(&m);
	make_traffic(&m);
	make_step(&m);
	s->outlook = rollout_outlook(m.policy, m.r, source->now_ms);
	make_slos(&m);
	make_people(&m);
	make_drift(&m);
	make_verbs(&m);
	make_remedies(&m);
	s->driver = make_driver(&m);
	s->now = make_now(&m);
	s->next = make_next(&m);
	return s;
}
