/* SPDX-License-Identifier: Apache-2.0 */
/* A simulation for people: the timeline and the result; see simulate.h. */
#include <math.h>
#include <string.h>

#include "base/duration.h"
#include "base/jsonw.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include "cli/output.h"
#include "cli/simulate.h"
#include "engine/evidence_text.h"

#define LINE_BYTES_MAX 4096

/* ---- figures ---- */

/* Nobody tunes milliseconds: "2.3s", from a minute on whole seconds. */
static const char *length_print(int64_t ms, char text[DURATION_TEXT_MAX])
{
	int64_t whole = ms < 60000 ? 100 : 1000;

	ms = (ms + whole / 2) / whole * whole;
	if (ms >= 60000 || ms % 1000 == 0)
		return duration_print(ms, text);
	snprintf(text, DURATION_TEXT_MAX, "%lld.%llds", (long long)ms / 1000,
		(long long)ms % 1000 / 100);
	return text;
}

const char *simulate_offset(const struct sim_result *result, int64_t time_ms,
	char text[SIMULATE_TEXT_MAX])
{
	char length[DURATION_TEXT_MAX];

	if (!time_ms)
		return strcpy(text, "-");
	snprintf(text, SIMULATE_TEXT_MAX, "+%s",
		length_print(time_ms - result->start_ms, length));
	return text;
}

const char *simulate_reaction(
	const struct sim_result *result, char text[SIMULATE_TEXT_MAX])
{
	char length[DURATION_TEXT_MAX];

	if (!result->revert_ms || !result->first_bad_ms)
		return strcpy(text, "-");
	snprintf(text, SIMULATE_TEXT_MAX, "%s, %d check%s",
		length_print(result->revert_ms - result->first_bad_ms, length),
		result->checks_to_revert,
		result->checks_to_revert == 1 ? "" : "s");
	return text;
}

const char *simulate_length(double ms, char text[SIMULATE_TEXT_MAX])
{
	char length[DURATION_TEXT_MAX];

	snprintf(text, SIMULATE_TEXT_MAX, "%s",
		length_print((int64_t)ms, length));
	return text;
}

const char *simulate_percent_min(
	double exposure_s, char text[SIMULATE_TEXT_MAX])
{
	double minutes = exposure_s * 100 / 60;

	snprintf(text, SIMULATE_TEXT_MAX, "%.*f %%·min", minutes < 100 ? 1 : 0,
		minutes);
	return text;
}

const char *simulate_exposure(
	const struct sim_result *result, char text[SIMULATE_TEXT_MAX])
{
	return simulate_percent_min(result->exposure_s, text);
}

/* ---- the timeline ---- */

static void begin_line(const struct timeline *t, const struct sim *sim,
	const char *what, struct buf *line)
{
	char offset[DURATION_TEXT_MAX], at[DURATION_TEXT_MAX + 1];
	char clock[TIMESTAMP_TEXT_MAX];

	snprintf(at, sizeof(at), "+%s",
		length_print(sim_now(sim) - t->start_ms, offset));
	buf_addf(line, "%s  %-9s %3d %%  ",
		timestamp_print_clock(sim_now(sim), clock), at,
		sim_percent(sim));
	buf_addf(line, "%-17s ", what);
}

static void end_line(const struct timeline *t, struct buf *line,
	enum colour colour, const char *text)
{
	output_coloured(line, t->colour, colour, text);
	buf_addc(line, '\n');
	output_write(t->stream, line);
	buf_fini(line);
}

static enum colour colour_of(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_PASS:
		return COLOUR_GOOD;
	case OUTCOME_BREACH:
		return COLOUR_BAD;
	default:
		return COLOUR_WAIT;
	}
}

/* Breaches always; the rest when an SLO says something new. */
static void print_check(
	struct timeline *t, const struct sim *sim, const struct event *event)
{
	const struct judgement *j = sim_judgement(sim);
	const struct slo *slo = &t->policy->slos[event->slo];
	const struct check_state *state = &sim_rollout(sim)->check[event->slo];
	const struct evidence_slo *counted =
		evidence_find(sim_rollout(sim)->evidence, event->slo);
	char why[CHECK_TEXT_MAX];
	struct buf line, text;

	if (j->outcome == t->told[event->slo] && !t->every_check &&
		j->outcome != OUTCOME_BREACH)
		return;
	t->told[event->slo] = j->outcome;
	buf_init(&line, LINE_BYTES_MAX);
	buf_init(&text, LINE_BYTES_MAX);
	begin_line(t, sim, outcome_name(j->outcome), &line);
	buf_addf(&text, "%s: %s", slo->name,
		counted && sim_seen(sim)->counted
			? evidence_print_check(sim_rollout(sim)->evidence,
				  counted, &sim_seen(sim)->own, why)
			: judgement_print(slo, j, why));
	if (j->outcome == OUTCOME_BREACH && !j->critical)
		buf_addf(&text,
			" (%d of the last %d checks; %d of %d are too "
			"many)",
			__builtin_popcountll(state->breaches), state->decisive,
			slo->fail_breaches, slo->fail_of);
	end_line(t, &line, colour_of(j->outcome), text.data);
	buf_fini(&text);
}

static enum colour colour_of_phase(enum phase phase)
{
	switch (phase) {
	case PHASE_PROMOTED:
		return COLOUR_GOOD;
	case PHASE_REVERTING:
	case PHASE_ROLLING_BACK:
	case PHASE_ROLLED_BACK:
	case PHASE_ROLLBACK_FAILED:
	case PHASE_STOPPED:
	case PHASE_REFUSED:
		return COLOUR_BAD;
	case PHASE_HELD:
	case PHASE_PAUSED:
	case PHASE_AWAITING_APPROVAL:
		return COLOUR_WAIT;
	default:
		return COLOUR_NONE;
	}
}

static void print_phase(const struct timeline *t, const struct sim *sim,
	const struct note *note)
{
	struct buf line;

	/* That a step has started says it. */
	if (note->from == PHASE_SHIFTING && note->to == PHASE_BAKING)
		return;
	buf_init(&line, LINE_BYTES_MAX);
	begin_line(t, sim, phase_name(note->to), &line);
	end_line(t, &line, colour_of_phase(note->to), note->text);
}

static void print_action(const struct timeline *t, const struct sim *sim,
	const struct note *note)
{
	struct buf line, text;

	buf_init(&line, LINE_BYTES_MAX);
	buf_init(&text, LINE_BYTES_MAX);
	begin_line(t, sim, "action", &line);
	buf_addf(&text, "%s: %s (not run in a simulation)",
		action_list_name(note->list),
		t->policy->lists[note->list].item[note->index].name);
	end_line(t, &line, COLOUR_DIM, text.data);
	buf_fini(&text);
}

static void print_note(
	struct timeline *t, const struct sim *sim, const struct note *note)
{
	struct buf line;

	switch (note->type) {
	case NOTE_PHASE:
		print_phase(t, sim, note);
		return;
	case NOTE_ACTION_STARTED:
		print_action(t, sim, note);
		return;
	case NOTE_SHIFT: /* the phase says it */
	case NOTE_BREACH: /* the check and the phase say it */
		return;
	default:
		break;
	}
	buf_init(&line, LINE_BYTES_MAX);
	begin_line(t, sim, note_name(note->type), &line);
	end_line(t, &line,
		note->type == NOTE_STEP_PASSED ? COLOUR_GOOD
		: note->type == NOTE_STEP_STARTED || note->type == NOTE_APPROVED
			? COLOUR_NONE
			: COLOUR_WAIT,
		note->text);
}

static void print_event(
	struct timeline *t, const struct sim *sim, const struct event *event)
{
	struct buf line;

	if (event->type == EVENT_CHECK) {
		print_check(t, sim, event);
		return;
	}
	if (event->type != EVENT_RESUMED)
		return;
	buf_init(&line, LINE_BYTES_MAX);
	begin_line(t, sim, event_name(event->type), &line);
	end_line(t, &line, COLOUR_WAIT, "crashed and taken up again");
}

void timeline_print(struct timeline *timeline, const struct sim *sim,
	const struct event *event, const struct note *note)
{
	if (note)
		print_note(timeline, sim, note);
	else
		print_event(timeline, sim, event);
}

/* ---- the result ---- */

static enum colour colour_of_status(int status)
{
	return status == 0   ? COLOUR_GOOD
	       : status == 8 ? COLOUR_WAIT
			     : COLOUR_BAD;
}

void simulate_print_result(const struct simulation *simulation,
	const struct sim_result *result, struct buf *out)
{
	char text[SIMULATE_TEXT_MAX], time[TIMESTAMP_TEXT_MAX];

	buf_adds(out, "\noutcome           ");
	output_coloured(out, simulation->colour,
		colour_of_status(result->exit_status), sim_outcome(result));
	buf_addf(out, " after %s, exit status of run: %d\n",
		simulate_offset(result, result->end_ms, text) + 1,
		result->exit_status);
	if (*result->reason) {
		buf_adds(out, "reason            ");
		printable_add(out, result->reason);
		buf_addc(out, '\n');
	}
	if (result->first_bad_ms) {
		buf_addf(out, "first bad sample  %s (%s) of %s\n",
			simulate_offset(result, result->first_bad_ms, text),
			timestamp_print(result->first_bad_ms, time),
			simulation->policy->slos[result->failed_slo].name);
		buf_addf(out, "time to revert    %s\n",
			simulate_reaction(result, text));
	}
	buf_addf(
		out, "exposure          %s\n", simulate_exposure(result, text));
	buf_addf(out, "checks            %d\n", result->checks);
}
