/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One turn of the engine: what the files of src/engine share during one call
 * of rollout_step. Not for anybody else.
 *
 *   decision.c          where to go from here, which traffic is wanted
 *   rollout.c           the phases: which comes after which, and when
 *   rollout_back.c      reverting and rolling back
 *   rollout_event.c     takes an event's facts into the state
 *   rollout_command.c   what operators want, and whether it is taken
 *   rollout_check.c     asks the SLOs and says when they have decided
 *   rollout_evidence.c  what SLOs of kind evidence have decided together
 *   rollout_load.c      the load of a step, and what it means for it
 *   rollout_traffic.c   brings the service's traffic to what is wanted
 *   rollout_drift.c     whose doing is what a read shows
 *   gate.c              may_raise: whether a candidate may get more
 *   rollout_sequence.c  runs lists of actions
 *   follow.c            goes where a journal says that it went
 */
#ifndef TIDEGATE_ENGINE_TURN_H
#define TIDEGATE_ENGINE_TURN_H

#include "engine/rollout.h"

struct turn {
	const struct policy *policy;
	struct rollout *r;
	const struct event *event;
	int64_t now;
	struct outcome_list *out;
	bool changed; /* in this round of the pump: a phase may wait for it */
};

/* Asked several times in each turn. */

static inline bool rollout_is_reverting(const struct rollout *r)
{
	return r->phase == PHASE_REVERTING || r->phase == PHASE_ROLLING_BACK;
}

static inline bool rollout_is_finishing(const struct turn *t)
{
	return t->r->step >= 0 && (size_t)t->r->step == t->policy->n_steps;
}

static inline const struct step *step_now(const struct turn *t)
{
	return &t->policy->steps[t->r->step];
}

/* Nothing was begun yet. What was adopted and is held for a breach has users: they
 * go back. */
static inline bool rollout_may_refuse(const struct rollout *r)
{
	return r->phase == PHASE_PREFLIGHT && !r->begun;
}

/* It is read and written until what is wanted serves. */
static inline bool traffic_is_wanted(const struct rollout *r)
{
	return r->traffic.write.state == WRITER_WANTS;
}

/* Nothing is wanted of the traffic. */
static inline bool traffic_is_settled(const struct rollout *r)
{
	return r->traffic.write.state == WRITER_IDLE;
}

/* What was wanted was not to be had. */
static inline bool traffic_gave_up(const struct rollout *r)
{
	return r->traffic.write.state == WRITER_GAVE_UP;
}

/* What came out of it, for the caller. */
struct effect *turn_effect(struct turn *t, enum effect_type type);
struct note *turn_note(struct turn *t, enum note_type type, const char *fmt,
	...) PRINTFLIKE(3, 4);

/* The earliest wins; 0: none. */
static inline void turn_wake(struct turn *t, int64_t at_ms)
{
	if (at_ms > t->now && at_ms < t->out->wake_ms)
		t->out->wake_ms = at_ms;
}

/* Copies a text into one of the state's arrays, cut at a whole character. */
void text_set(char *to, size_t size, const char *from);
void text_put(char *to, size_t size, const char *fmt, ...) PRINTFLIKE(3, 4);
/* "ours: theirs". When both are too long ours is left out: what the other side
 * said is the cause. */
void text_after(char *to, size_t size, const char *ours, const char *theirs);

/* decision.c */
void rollout_enter(struct turn *t, enum phase phase, const char *reason);
void rollout_set_reason(
	struct rollout *r, enum cause cause, const char *reason);
void rollout_revert(struct turn *t, enum cause cause, const char *reason);
/* Users are on a candidate in breach: it reverts, or steps back. */
bool rollout_hurries(const struct rollout *r);
void rollout_refuse(struct turn *t, enum cause cause, const char *reason);
void rollout_stop_for_drift(struct turn *t, const char *reason);
/* While `stopping`: the end, once everybody who is to be told has been. */
void rollout_end_stopping(struct turn *t);
void rollout_stop_or_refuse(struct turn *t, const char *reason);
/* `since_ms`: from when its deadline counts; not after now. */
void rollout_hold(
	struct turn *t, enum cause cause, int64_t since_ms, const char *reason);
/* Back to the first step's share, to ask stable: see evidence.h. */
void rollout_step_back(struct turn *t, const char *reason);
void rollout_go_on(struct turn *t); /* from held or paused, back to where */
void traffic_want(
	struct turn *t, int percent, bool to_latest, enum tag_change tag);
void traffic_want_nothing(struct rollout *r);
/* Nothing that is wanted was written, or it has not got there, as was read since.
 * A process may have died before it left. */
bool traffic_is_unwritten(const struct rollout *r);
struct split traffic_split_of(int candidate); /* stable has the rest */

/* The journal says that it went there, whatever this version's rules are. */
void rollout_force(struct turn *t, enum phase phase);

/* rollout.c */
void rollout_pump(struct turn *t); /* what follows from the state */
void rollout_next_step(struct turn *t); /* its gate, or the finish */

/* rollout_wait.c */
/* Paused here and now if somebody asked for it. True: paused. */
bool rollout_pause_here(struct turn *t);
/* True: held, for what is the matter here and now. */
bool rollout_hold_here(struct turn *t);
/* A candidate in breach loses users: that waits for nobody. */
bool rollout_goes_down(const struct rollout *r);
/* A shift that waits at the gate may be paused, and is held when what it waits
 * for does not come. True: it is not shifting any more. */
bool rollout_shift_waits(struct turn *t);
void phase_awaiting_approval(struct turn *t);
void rollout_pass_gate(struct turn *t);

/* rollout_back.c */
void phase_reverting(struct turn *t);
void phase_rolling_back(struct turn *t);
/* It will need a person, whatever the last look at the traffic shows. */
bool rollback_has_failed(const struct rollout *r);

/* rollout_event.c */
void event_take(struct turn *t);

/* rollout_command.c */
void command_take(struct turn *t); /* EVENT_COMMAND */
/* It goes back already, or will in a moment. */
bool rollout_is_going_back(const struct rollout *r);

/* gate.c */
/* Why may_raise says no, with the SLO and its numbers; NULL: it says yes. */
const char *gate_say_closed(const struct turn *t, char text[ROLLOUT_TEXT_MAX]);

/* A freeze keeps it from its next step, and from nothing else: no time runs out
 * meanwhile. True: it waits. */
bool freeze_waits(struct turn *t);

/* rollout_check.c */
void checks_begin(struct turn *t);
void checks_expose(struct turn *t); /* the candidate may have users */
void checks_settle(struct turn *t); /* the step's split is seen serving */
void checks_open_bake(struct turn *t); /* settle is over: answers count */
void checks_reset(struct turn *t); /* a person overrules what is latched */
/* When the next SLO is to be asked; INT64_MAX: none is. */
int64_t checks_due_ms(const struct turn *t);
void checks_ask(struct turn *t); /* every SLO that is due */
void checks_take(struct turn *t); /* EVENT_CHECK */
void checks_resumed(struct turn *t);
void checks_clock_set(struct turn *t); /* the world's, not the rollout's */
/* What would have been due while the process stood still is as late as it was:
 * of many rollouts not all ask at once. */
void checks_put_off(struct turn *t);
int64_t checks_gap_ms_max(
	const struct policy *policy); /* unwatched for longer */
/* Why the evidence of this step is not enough now; NULL: it is. */
const char *checks_miss(
	const struct policy *policy, const struct rollout *r, int64_t now_ms);
/* The same for people, by the first SLO that lacks something: "errors: 1 of 3
 * passes, …"; NULL: nothing lacks. */
const char *checks_say_missing(const struct policy *policy,
	const struct rollout *r, int64_t now_ms, char text[ROLLOUT_TEXT_MAX]);
bool checks_are_satisfied(const struct turn *t);
/* When the bake of all SLOs is over; what nobody watched is no bake. */
int64_t checks_over_ms(const struct policy *policy, const struct rollout *r);
/* When a step is undecided whose bake is over: evidence that is not there yet
 * has as long again to come. */
int64_t checks_undecided_ms(
	const struct policy *policy, const struct rollout *r);
/* The time of a check on the grid that comes after `ms`. */
int64_t checks_after_ms(
	const struct rollout *r, const struct slo *slo, int64_t ms);
/* Due at the end of a bake counts as due before it. */
int64_t checks_late_ms(const struct slo *slo);
bool checks_are_answered(const struct turn *t); /* all that is due by then */
int checks_find_unevaluable(
	const struct turn *t); /* an SLO without metrics, or -1 */

/* rollout_evidence.c */
void evidence_settle(struct turn *t); /* the step's split is seen serving */
/* A person overrules what they say: the evidence begins anew. */
void evidence_overrule(struct turn *t);
/* The event's counts, if there are any, can be added to what is known; else they
 * are an error of the check, so that nothing is passed that was not counted. */
bool evidence_fits(const struct turn *t, int slo);
/* A judged check of an SLO of that kind, asked for at `asked_ms`: its counts may
 * decide, once the others that were asked then have answered. */
void evidence_take(struct turn *t, int slo, int64_t asked_ms);
/* Why the evidence is not enough to leave the step; NULL: it is, or there are
 * no such SLOs. */
const char *evidence_misses(
	const struct policy *policy, const struct rollout *r);
/* The same of one SLO of the policy, in a sentence. */
const char *evidence_misses_of(const struct policy *policy,
	const struct rollout *r, size_t slo, char text[ROLLOUT_TEXT_MAX]);
/* The same of the SLO that it lies at, which is named. */
const char *evidence_say_missing(const struct policy *policy,
	const struct rollout *r, char text[ROLLOUT_TEXT_MAX]);
/* "step 1 has passed", and on which evidence. */
void evidence_say_passed(const struct turn *t, char text[ROLLOUT_TEXT_MAX]);
/* Checks without a sample: with one more a step's time stands still … */
#define CHECKS_SILENT_MAX 4
/* … and with so many it is held. */
int evidence_silent_checks_max(const struct slo *slo);
int evidence_find_silent(
	const struct turn *t); /* an SLO without samples for too long, or -1 */
/* Which SLO that is, and for how many checks; NULL: none. */
const char *evidence_say_silent(
	const struct turn *t, char text[ROLLOUT_TEXT_MAX]);
/* The policy leaves steps on evidence, and it is there. */
bool evidence_is_enough(const struct turn *t);

/* rollout_traffic.c: level-triggered. A phase says what it wants and is told
 * when it is there; reads, writes and retries happen in between. */
void traffic_pump(struct turn *t); /* the next move towards it */
void traffic_write(struct turn *t); /* writes what is wanted, unasked */
bool traffic_serves(const struct rollout *r); /* what is wanted */
void traffic_read_first(struct turn *t); /* until the first read is there */
void traffic_watch(struct turn *t); /* a look for drift, if none is out */
void traffic_read_again(struct turn *t, int64_t delay_ms); /* 0: at once */
void traffic_give_up(struct turn *t, const char *why); /* of what is wanted */

/* rollout_answer.c */
void traffic_unseen(struct turn *t); /* EVENT_TRAFFIC_ERROR */
void traffic_written(struct turn *t); /* EVENT_WRITTEN */
void traffic_resumed(struct turn *t);

/* rollout_drift.c */
void traffic_seen(struct turn *t); /* EVENT_TRAFFIC */
void traffic_learn_stable(struct turn *t); /* EVENT_STABLE */
void traffic_learn(struct turn *t); /* the facts of a preflight event */
/* A write of ours took effect that was not waited for any more. */
bool traffic_is_late(const struct rollout *r);
/* Traffic is what an earlier step of ours had, and who asked for that is not to be
 * told. */
bool traffic_is_doubtful(const struct rollout *r);
bool traffic_doubt_holds(struct turn *t); /* true: held for that */
void traffic_remember_sent(struct traffic_writer *w, struct split split);
/* The list was changed after all that we wrote. */
bool traffic_is_replaced(const struct rollout *r);
/* … in a revert, which writes anew at once. */
bool traffic_is_undone(const struct rollout *r);

/* What a revert has asked for is under way for so long that it is written again. */
bool traffic_is_stuck(const struct turn *t);

/* rollout_load.c */
/* The step has no load, or it was made; starts it when it was not. */
bool load_is_over(struct turn *t);
void load_take(struct turn *t); /* once, what came of it */

/* rollout_sequence.c */
/* True when the list has run to its end; starts it when it has not. */
/* "ours: which action of the list failed: what it said". */
void sequence_say_failed(const struct turn *t, enum action_list list,
	const char *ours, char to[ROLLOUT_TEXT_MAX]);
bool sequence_ensure(struct turn *t, enum action_list list);
/* The same for one action of a list whose actions are each for themselves. */
bool sequence_ensure_one(struct turn *t, enum action_list list, int index);
/* True when it ended early because of on_failure stop; told once. */
bool sequence_take_stop(struct turn *t, enum action_list list);
void sequence_forget(struct turn *t, enum action_list list); /* to run again */
void sequence_ended(struct turn *t); /* EVENT_ACTION */
void sequence_pump(struct turn *t); /* retries that are due */
void sequence_cancel(struct turn *t);
void sequence_resumed(struct turn *t);

#endif
