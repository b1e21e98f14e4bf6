/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way back: stable gets its 100 %, then the rollback sequence runs, then
 * the result is verified. The order is the point: users first, actions after.
 */
#include <stdio.h>

#include "engine/turn.h"

#define REVERT_FAILED "stable could not be given its traffic back"
#define LATE_LOOK_MS  2000

static void give_up(struct turn *t)
{
	struct rollout *r = t->r;
	char reason[ROLLOUT_TEXT_MAX];

	text_after(reason, sizeof(reason), REVERT_FAILED,
		r->traffic.write.trouble);
	text_set(r->reason, sizeof(r->reason), reason);
	traffic_want_nothing(r);
	r->revert_failed = true;
	turn_note(t, NOTE_WARNING, "%s", reason);
}

/* Nothing of the sequence runs while users are on the candidate; a person who has to
 * come now is told all the same. */
void phase_reverting(struct turn *t)
{
	if (traffic_gave_up(t->r))
		give_up(t);
	if (t->r->revert_failed) {
		if (!t->r->begun || sequence_ensure(t, LIST_ROLLED_BACK))
			rollout_enter(t, PHASE_ROLLBACK_FAILED, t->r->reason);
	} else if (traffic_is_settled(t->r))
		rollout_enter(t, PHASE_ROLLING_BACK, "stable serves 100 %");
}

/* Traffic is read once more at the end, when nothing that was written without
 * an answer can take effect any more. True: it was, or cannot be. */
static bool verify(struct turn *t)
{
	struct rollout *r = t->r;
	int64_t *deadline_ms = &r->traffic.write.deadline_ms;

	if (r->verified)
		return true;
	if (t->now < r->traffic.write.loose_ms) {
		turn_wake(t, r->traffic.write.loose_ms);
		return false;
	}
	if (!r->verifying)
		*deadline_ms = t->now + t->policy->revert_timeout_ms;
	if (t->now >= *deadline_ms && !r->traffic.read.out_ms)
		return true;
	r->verifying = true;
	traffic_watch(t);
	turn_wake(t, r->traffic.read.retry_ms);
	turn_wake(t, *deadline_ms);
	return false;
}

/* A step up that was given up without an answer came after the revert. */
static void take_back_again(struct turn *t)
{
	turn_note(t, NOTE_WARNING,
		"a write without an answer took effect after the revert: "
		"reverting again");
	t->r->verified = false;
	traffic_want(t, 0, false, t->r->tag_is_ours ? TAG_REMOVE : TAG_KEEP);
}

/* A write that has had no answer may come while the sequence runs, which takes as
 * long as its actions: for so long it is looked. True: it came. */
static bool came_late(struct turn *t)
{
	struct rollout *r = t->r;
	const struct traffic_reader *read = &r->traffic.read;
	int64_t due_ms = read->seen_ms + LATE_LOOK_MS;

	if (r->verified || read->seen_ms >= r->traffic.write.loose_ms)
		return false;
	if (traffic_is_late(r)) {
		take_back_again(t);
		return true;
	}
	if (t->now >= due_ms) {
		traffic_watch(t);
		due_ms = read->retry_ms;
	}
	turn_wake(t, due_ms);
	return false;
}

/* What the last look at the traffic cannot mend any more. */
static const char *problem_so_far(const struct rollout *r)
{
	if (r->revert_failed)
		return REVERT_FAILED;
	if (r->lists_stopped & 1u << LIST_ROLLBACK)
		return "an action with on_failure stop failed";
	if (r->actions_unknown)
		return "how an action ended is not known";
	if (r->lists_failed & 1u << LIST_HEALTH)
		return "stable is not healthy after the rollback";
	return NULL;
}

bool rollback_has_failed(const struct rollout *r)
{
	return problem_so_far(r) != NULL;
}

const char *rollback_problem(const struct rollout *r)
{
	const char *problem = problem_so_far(r);

	if (problem || r->verified)
		return problem;
	return "the traffic could not be read back";
}

/* With the name of the action, where it was one. */
static void say_problem(
	const struct turn *t, const char *problem, char to[ROLLOUT_TEXT_MAX])
{
	const struct rollout *r = t->r;

	if (!r->revert_failed && r->lists_stopped & 1u << LIST_ROLLBACK)
		sequence_say_failed(
			t, LIST_ROLLBACK, "the sequence stopped", to);
	else if (!r->revert_failed && !r->actions_unknown &&
		 r->lists_failed & 1u << LIST_HEALTH)
		sequence_say_failed(t, LIST_HEALTH, problem, to);
	else
		text_set(to, ROLLOUT_TEXT_MAX, problem);
}

static void end_rollback(struct turn *t)
{
	struct rollout *r = t->r;
	const char *problem = rollback_problem(r);
	char why[ROLLOUT_TEXT_MAX], reason[ROLLOUT_TEXT_MAX];

	if (!problem) {
		rollout_enter(t, PHASE_ROLLED_BACK, r->reason);
		return;
	}
	say_problem(t, problem, why);
	/* The person who is needed now reads why, and how it began. */
	turn_note(t, NOTE_WARNING, "%s", why);
	text_put(reason, sizeof(reason), "%s (%s)", why, r->reason);
	text_set(r->reason, sizeof(r->reason), reason);
	rollout_enter(t, PHASE_ROLLBACK_FAILED, reason);
}

void phase_rolling_back(struct turn *t)
{
	struct rollout *r = t->r;

	if (traffic_gave_up(r)) {
		give_up(t);
		rollout_enter(t, PHASE_ROLLBACK_FAILED, r->reason);
		return;
	}
	if (!traffic_is_settled(r) || came_late(t))
		return;
	if (r->begun && !sequence_ensure(t, LIST_ROLLBACK))
		return;
	if (r->begun && !sequence_ensure(t, LIST_HEALTH))
		return;
	if (!verify(t))
		return;
	if (r->verified && traffic_is_late(r)) {
		take_back_again(t);
		return;
	}
	if (r->verified && r->traffic.spec.stable != 100) {
		rollout_stop_for_drift(
			t, r->traffic.spec.candidate > 0
				   ? "somebody else gave the candidate traffic "
				     "after the revert"
				   : "somebody else took traffic from stable "
				     "after the revert");
		return;
	}
	if (r->begun && !sequence_ensure(t, LIST_ROLLED_BACK))
		return;
	end_rollback(t);
}
