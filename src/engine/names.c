/* SPDX-License-Identifier: Apache-2.0 */
/* Names of everything the engine speaks of: one table each, both ways. */
#include <string.h>

#include "engine/rollout.h"

static const char *const phases[PHASES] = {
#define P(constant, name, end, meaning) name,
#include "engine/phase.def"
#undef P
};

static const char *const events[EVENTS] = {
#define V(constant, name, meaning) name,
#include "engine/event.def"
#undef V
};

static const char *const notes[NOTES] = {
#define N(constant, name, meaning) name,
#include "engine/note.def"
#undef N
};

static const char *const effects[EFFECTS] = {
#define X(constant, name, meaning) name,
#include "engine/effect.def"
#undef X
};

static const char *const causes[CAUSES] = {"none", "slo", "undecided",
	"metrics", "approval", "hook", "write", "person", "interrupt", "drift",
	"preflight", "stable"};
static const char *const verbs[VERBS] = {
	"approve", "reject", "pause", "continue", "abort"};
static const char *const write_results[WRITE_RESULTS] = {
	"done", "conflict", "unknown", "busy", "rejected", "failed"};
static const char *const stable_states[STABLE_STATES] = {
	"unknown", "ready", "not-ready", "gone"};
static const char *const action_results[ACTION_RESULTS] = {
	"ok", "failed", "skipped", "unknown"};
static const char *const outcomes[] = {
	"none", "pass", "breach", "no-data", "error"};

static int find(const char *const *names, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return n;
}

const char *phase_name(enum phase phase)
{
	return phases[phase];
}

enum phase phase_find(const char *name)
{
	return (enum phase)find(phases, PHASES, name);
}

const char *event_name(enum event_type type)
{
	return events[type];
}

enum event_type event_find(const char *name)
{
	return (enum event_type)find(events, EVENTS, name);
}

const char *note_name(enum note_type type)
{
	return notes[type];
}

const char *effect_name(enum effect_type type)
{
	return effects[type];
}

const char *cause_name(enum cause cause)
{
	return causes[cause];
}

const char *verb_name(enum verb verb)
{
	return verbs[verb];
}

enum verb verb_find(const char *name)
{
	return (enum verb)find(verbs, VERBS, name);
}

const char *write_result_name(enum write_result result)
{
	return write_results[result];
}

enum write_result write_result_find(const char *name)
{
	return (enum write_result)find(write_results, WRITE_RESULTS, name);
}

const char *action_result_name(enum action_result result)
{
	return action_results[result];
}

enum action_result action_result_find(const char *name)
{
	return (enum action_result)find(action_results, ACTION_RESULTS, name);
}

const char *outcome_name(enum outcome outcome)
{
	return outcomes[outcome];
}

enum outcome outcome_find(const char *name)
{
	int i = find(outcomes, OUTCOME_ERROR + 1, name);

	return i > OUTCOME_ERROR ? OUTCOME_NONE : (enum outcome)i;
}

const char *stable_state_name(enum stable_state state)
{
	return stable_states[state];
}

enum stable_state stable_state_find(const char *name)
{
	return (enum stable_state)find(stable_states, STABLE_STATES, name);
}
