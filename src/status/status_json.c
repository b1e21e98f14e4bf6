/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout as JSON; see status_json.h. */
#include "status/status_json.h"

#include <math.h>

#include "base/jsonw.h"
#include "base/timestamp.h"
#include "engine/evidence_text.h"

struct status {
	const struct rollout_snapshot *snapshot;
	const struct rollout *state;
	const struct policy *policy;
	const struct summary *summary;
	int64_t now_ms;
	struct jsonw w;
};

static void put_time(struct status *s, const char *key, int64_t ms)
{
	char text[TIMESTAMP_TEXT_MAX];

	if (ms > 0)
		jsonw_text(&s->w, key, timestamp_print(ms, text));
	else
		jsonw_null(&s->w, key);
}

static void put_value(struct status *s, const char *key, double value)
{
	if (isnan(value))
		jsonw_null(&s->w, key);
	else
		jsonw_number(&s->w, key, value);
}

static void put_row(struct status *s)
{
	const struct store_rollout *row = &s->snapshot->row;

	jsonw_text(&s->w, "rollout", row->id);
	jsonw_text(&s->w, "service", row->service);
	jsonw_text(&s->w, "candidate", row->candidate);
	jsonw_text(&s->w, "stable", row->stable);
	jsonw_text(&s->w, "policy", row->policy_name);
	jsonw_text(&s->w, "starter", row->starter);
	put_time(s, "started", row->started_ms);
	put_time(s, "ended", row->ended_ms);
	jsonw_int(&s->w, "seq", s->snapshot->fold.last_seq);
}

static bool has_step(const struct status *s)
{
	return s->state->step >= 0 &&
	       (size_t)s->state->step < s->policy->n_steps;
}

static void put_step(struct status *s)
{
	const struct rollout *r = s->state;

	jsonw_text(&s->w, "phase", phase_name(r->phase));
	jsonw_text(&s->w, "reason", r->reason);
	jsonw_text(&s->w, "cause", cause_name(r->cause));
	jsonw_int(&s->w, "percent", s->snapshot->fold.percent);
	if (has_step(s))
		jsonw_int(&s->w, "step", r->step + 1);
	else
		jsonw_null(&s->w, "step");
	jsonw_int(&s->w, "steps", (int64_t)s->policy->n_steps);
	if (!has_step(s))
		return;
	jsonw_int(&s->w, "bake_ms", s->policy->steps[r->step].bake_ms);
	jsonw_int(&s->w, "baked_ms", rollout_baked_ms(s->policy, r, s->now_ms));
}

static void put_meter(
	struct status *s, const char *key, struct evidence_meter meter)
{
	jsonw_object(&s->w, key);
	jsonw_number(&s->w, "now", meter.now);
	jsonw_number(&s->w, "full", meter.full);
	jsonw_end(&s->w, '}');
}

static void put_arm(struct status *s, const char *key, struct request_sum sum)
{
	jsonw_object(&s->w, key);
	jsonw_number(&s->w, "requests", sum.n);
	jsonw_number(&s->w, "bad", sum.x);
	jsonw_end(&s->w, '}');
}

static void put_evidence(struct status *s, const struct evidence_slo *slo)
{
	const struct evidence_memory *memory = s->state->evidence;
	struct evidence_arms arms = evidence_recent(slo);
	char text[CHECK_TEXT_MAX];

	jsonw_object(&s->w, "evidence");
	jsonw_text(&s->w, "text", evidence_print_state(memory, slo, text));
	put_meter(s, "against", evidence_against(memory, slo));
	put_meter(s, "for", evidence_for(memory, slo));
	put_arm(s, "candidate", arms.candidate);
	put_arm(s, "stable", arms.stable);
	jsonw_bool(&s->w, "calm", slo->numbers.calm);
	jsonw_end(&s->w, '}');
}

/* The same as people read it; `unit` is that of the texts. */
static void put_slo_texts(struct status *s, const struct summary_slo *slo)
{
	size_t i;

	put_value(s, "stable", slo->stable);
	jsonw_text(&s->w, "unit", slo->unit);
	jsonw_object(&s->w, "texts");
	jsonw_text(&s->w, "value", slo->value_text);
	jsonw_text(&s->w, "limit", slo->limit_text);
	jsonw_text(&s->w, "stable", slo->stable_text);
	jsonw_end(&s->w, '}');
	jsonw_text(&s->w, "verdict", slo_verdict_name(slo->verdict));
	jsonw_text(&s->w, "says", slo->says);
	jsonw_text(&s->w, "reason", slo->reason);
	put_time(s, "next_check", slo->next_ms);
	jsonw_array(&s->w, "last");
	for (i = 0; i < slo->n_last; i++) {
		jsonw_object(&s->w, NULL);
		put_time(s, "time", slo->last[i].time_ms);
		jsonw_text(
			&s->w, "outcome", outcome_name(slo->last[i].outcome));
		put_value(s, "value", slo->last[i].value);
		jsonw_end(&s->w, '}');
	}
	jsonw_end(&s->w, ']');
}

static void put_slo(struct status *s, size_t i)
{
	const struct slo *slo = &s->policy->slos[i];
	const struct check_state *check = &s->state->check[i];
	char missing[ROLLOUT_MISS_MAX];

	const struct evidence_slo *counted =
		evidence_find(s->state->evidence, (int)i);

	jsonw_object(&s->w, NULL);
	jsonw_text(&s->w, "name", slo->name);
	put_value(s, "value", counted ? evidence_share(counted) : check->value);
	put_value(s, "limit", counted ? counted->spec.objective : check->limit);
	jsonw_text(&s->w, "outcome", outcome_name(check->outcome));
	if (check->partial)
		jsonw_bool(&s->w, "partial", true);
	put_time(s, "checked", check->last_ms);
	if (counted)
		put_evidence(s, counted);
	put_slo_texts(s, &s->summary->slos[i]);
	jsonw_int(&s->w, "passes", rollout_passes(s->state, i));
	jsonw_int(&s->w, "min_passes", slo->min_passes);
	jsonw_bool(&s->w, "failed", check->failed);
	if (s->state->checking && !phase_is_end(s->state->phase) &&
		rollout_misses(s->policy, s->state, i, s->now_ms, missing))
		jsonw_text(&s->w, "missing", missing);
	jsonw_end(&s->w, '}');
}

static void put_gate(struct status *s)
{
	const struct approval *approval =
		s->policy->steps[s->state->step].approval;
	uint64_t approvals = rollout_approvals(s->state, s->now_ms);
	size_t i;

	jsonw_object(&s->w, "approval");
	jsonw_int(&s->w, "minimum", approval->minimum);
	put_time(s, "deadline", s->state->gate_deadline_ms);
	jsonw_array(&s->w, "approvers");
	for (i = 0; i < approval->n_approvers; i++)
		jsonw_text(&s->w, NULL, approval->approvers[i]);
	jsonw_end(&s->w, ']');
	jsonw_array(&s->w, "approved");
	for (i = 0; i < approval->n_approvers; i++) {
		if (approvals & UINT64_C(1) << i)
			jsonw_text(&s->w, NULL, approval->approvers[i]);
	}
	jsonw_end(&s->w, ']');
	jsonw_end(&s->w, '}');
}

/* What comes next, for programs; `else` when that does not come. */
static void put_coming(struct status *s)
{
	const struct outlook *o = &s->summary->outlook;

	jsonw_object(&s->w, "coming");
	jsonw_text(&s->w, "phase", phase_name(o->phase));
	put_time(s, "at", o->at_ms);
	if (o->late_ms) {
		jsonw_text(&s->w, "else", phase_name(o->late));
		put_time(s, "else_at", o->late_ms);
	}
	put_time(s, "next_check", o->check_ms);
	jsonw_end(&s->w, '}');
}

static void put_traffic(struct status *s)
{
	jsonw_object(&s->w, "traffic");
	jsonw_int(&s->w, "candidate", s->summary->candidate_percent);
	jsonw_int(&s->w, "stable", s->summary->stable_percent);
	jsonw_int(&s->w, "other", s->summary->other_percent);
	if (s->summary->wanted_percent >= 0)
		jsonw_int(&s->w, "wanted", s->summary->wanted_percent);
	jsonw_end(&s->w, '}');
}

static void put_deed(struct status *s, const struct deed *deed)
{
	jsonw_object(&s->w, NULL);
	put_time(s, "time", deed->time_ms);
	jsonw_text(&s->w, "who", deed->who);
	jsonw_text(&s->w, "verb", verb_name(deed->verb));
	jsonw_text(&s->w, "comment", deed->comment);
	if (deed->step)
		jsonw_int(&s->w, "step", deed->step);
	if (deed->refused)
		jsonw_text(&s->w, "refused", deed->refusal);
	jsonw_end(&s->w, '}');
}

static void put_deeds(struct status *s)
{
	const struct summary_people *people = &s->summary->people;
	size_t i;

	jsonw_array(&s->w, "decisions");
	for (i = 0; i < people->n_deeds; i++)
		put_deed(s, &people->deeds[i]);
	jsonw_end(&s->w, ']');
}

/* Recorded, and not taken by anybody yet. */
static void put_waiting(struct status *s)
{
	const struct store_command *c = s->snapshot->waiting;
	size_t i;

	jsonw_array(&s->w, "waiting");
	for (i = 0; i < s->snapshot->n_waiting; i++) {
		jsonw_object(&s->w, NULL);
		put_time(s, "time", c[i].time_ms);
		jsonw_text(&s->w, "who", c[i].who);
		jsonw_text(&s->w, "verb", c[i].verb);
		jsonw_text(&s->w, "comment", c[i].comment);
		jsonw_end(&s->w, '}');
	}
	jsonw_end(&s->w, ']');
}

static void put_command(struct status *s, const struct summary_command *c)
{
	jsonw_object(&s->w, NULL);
	jsonw_text(&s->w, "command", c->line);
	jsonw_bool(&s->w, "taken", c->is_taken);
	jsonw_text(&s->w, c->is_taken ? "does" : "why_not", c->says);
	jsonw_end(&s->w, '}');
}

static void put_commands(struct status *s)
{
	size_t i;

	jsonw_array(&s->w, "commands");
	for (i = 0; i < VERBS; i++)
		put_command(s, &s->summary->verbs[i]);
	jsonw_end(&s->w, ']');
	jsonw_array(&s->w, "remedies");
	for (i = 0; i < s->summary->n_remedies; i++)
		put_command(s, &s->summary->remedies[i]);
	jsonw_end(&s->w, ']');
}

static void put_drift(struct status *s)
{
	const struct found_drift *drift = s->summary->drift;

	if (!drift)
		return;
	jsonw_object(&s->w, "drift");
	put_time(s, "time", drift->time_ms);
	jsonw_text(&s->w, "text", drift->text);
	jsonw_text(&s->w, "entries", drift->entries);
	jsonw_text(&s->w, "modifier", drift->modifier);
	jsonw_end(&s->w, '}');
}

static void put_driver(struct status *s, const struct store_lease *driver)
{
	if (!driver) {
		jsonw_null(&s->w, "driver");
		return;
	}
	jsonw_object(&s->w, "driver");
	jsonw_text(&s->w, "holder", driver->holder);
	put_time(s, "renewed", driver->renewed_ms);
	jsonw_bool(&s->w, "alive", driver->alive);
	jsonw_end(&s->w, '}');
}

static void put_all(struct status *s, const struct store_lease *driver)
{
	size_t i;

	jsonw_object(&s->w, NULL);
	put_row(s);
	put_step(s);
	jsonw_text(&s->w, "sentence", s->summary->now);
	jsonw_text(&s->w, "next", s->summary->next);
	put_coming(s);
	put_traffic(s);
	jsonw_array(&s->w, "slos");
	for (i = 0; i < s->policy->n_slos; i++)
		put_slo(s, i);
	jsonw_end(&s->w, ']');
	jsonw_bool(
		&s->w, "waits_for_people", rollout_waits_for_people(s->state));
	jsonw_bool(&s->w, "paused", rollout_is_paused(s->state));
	put_time(s, "hold_deadline", s->state->hold_deadline_ms);
	if (s->state->gate_deadline_ms && has_step(s))
		put_gate(s);
	put_deeds(s);
	put_waiting(s);
	put_drift(s);
	put_commands(s);
	put_driver(s, driver);
	jsonw_int(&s->w, "exit", rollout_exit_status(s->state));
	jsonw_end(&s->w, '}');
}

void status_json_print(const struct rollout_snapshot *snapshot,
	const struct store_lease *driver, int64_t now_ms, struct buf *out)
{
	struct status s = {
		.snapshot = snapshot,
		.state = &snapshot->fold.state,
		.policy = snapshot->policy,
		/* Of one that nobody drives time has stood still. */
		.now_ms = !driver && snapshot->fold.last_ms
				  ? snapshot->fold.last_ms
				  : now_ms,
		.w = {.out = out},
	};
	struct arena arena;

	arena_init(&arena);
	s.summary = rollout_snapshot_summary(
		snapshot, driver, now_ms, NULL, &arena);
	put_all(&s, driver);
	buf_addc(out, '\n');
	arena_fini(&arena);
}
