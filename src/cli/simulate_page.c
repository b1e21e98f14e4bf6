/* What happens in a simulation, kept while it runs and written as a page; see
 * simulate.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "cli/simulate.h"
#include "engine/evidence_text.h"
#include "io/file.h"
#include "report/simulation_page.h"
#include "sim/sim.h"

#define PAGE_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct timeline_data *simulate_page_new(
	const struct policy *policy, int64_t start_ms)
{
	struct timeline_data *data = xcalloc(1, sizeof(*data));

	timeline_data_init(data, policy);
	data->first_ms = data->last_ms = start_ms;
	return data;
}

void simulate_page_free(struct timeline_data **data)
{
	if (!*data)
		return;
	timeline_data_fini(*data);
	free(*data);
	*data = NULL;
}

static enum tone tone_of_phase(enum phase phase)
{
	switch (phase) {
	case PHASE_PROMOTED:
		return TONE_GOOD;
	case PHASE_REVERTING:
	case PHASE_ROLLED_BACK:
	case PHASE_ROLLBACK_FAILED:
	case PHASE_STOPPED:
		return TONE_BAD;
	case PHASE_HELD:
	case PHASE_PAUSED:
	case PHASE_AWAITING_APPROVAL:
		return TONE_WAIT;
	default:
		return TONE_PLAIN;
	}
}

static void take_note(struct timeline_data *data, const struct sim *sim,
	const struct note *note)
{
	bool is_phase = note->type == NOTE_PHASE;

	switch (note->type) {
	case NOTE_BREACH:
		/* The check that the SLO failed by: the one just heard. */
		data->decisive = (int)data->checks.n - 1;
		return;
	case NOTE_SHIFT:
	case NOTE_STEP_STARTED:
	case NOTE_ACTION_STARTED:
	case NOTE_ACTION_SKIPPED:
		return; /* the phases say it */
	default:
		break;
	}
	timeline_add_line(data,
		&(struct timeline_line){
			.time_ms = sim_now(sim),
			.percent = sim_percent(sim),
			.what = is_phase ? phase_name(note->to)
					 : note_name(note->type),
			.text = arena_strdup(&data->arena, note->text),
			.tone = is_phase ? tone_of_phase(note->to)
				: note->type == NOTE_STEP_PASSED ? TONE_GOOD
								 : TONE_PLAIN,
		});
}

/* An SLO of kind evidence shows what it has seen of late. */
static void take_evidence(struct timeline_data *data, const struct sim *sim,
	struct timeline_check *check)
{
	const struct evidence_memory *memory = sim_rollout(sim)->evidence;
	const struct evidence_slo *slo =
		evidence_find(sim_rollout(sim)->evidence, check->slo);
	char text[CHECK_TEXT_MAX];

	if (!slo || !sim_seen(sim)->counted)
		return;
	check->value = evidence_share(slo);
	check->limit = slo->spec.objective;
	check->text = arena_strdup(
		&data->arena, evidence_print_state(memory, slo, text));
}

static void take_check(struct timeline_data *data, const struct sim *sim,
	const struct event *event)
{
	const struct judgement *judgement = sim_judgement(sim);
	struct timeline_check *check =
		timeline_add_check(data, sim_now(sim), event->slo);
	char text[CHECK_TEXT_MAX];

	if (!check)
		return;
	check->value = judgement->value;
	check->limit = judgement->limit;
	check->outcome = judgement->outcome;
	check->partial = judgement->partial;
	judgement_print(judgement, text);
	check->text = arena_strdup(&data->arena, text);
	take_evidence(data, sim, check);
}

void simulate_page_take(struct timeline_data *data, const struct sim *sim,
	const struct event *event, const struct note *note)
{
	data->last_ms = sim_now(sim);
	timeline_add_percent(data, sim_now(sim), sim_percent(sim));
	if (note)
		take_note(data, sim, note);
	else if (event->type == EVENT_CHECK)
		take_check(data, sim, event);
}

static void write_page(const struct timeline_data *data,
	const struct recording *recording, const struct sim_result *result,
	struct buf *out)
{
	char ended[SIMULATE_TEXT_MAX], bad[SIMULATE_TEXT_MAX];
	char reaction[SIMULATE_TEXT_MAX], exposure[SIMULATE_TEXT_MAX];
	char checks[SIMULATE_TEXT_MAX], status[SIMULATE_TEXT_MAX];
	const struct simulation_figure figures[] = {
		{"ended after",
			simulate_offset(result, result->end_ms, ended) + 1},
		{"first bad sample",
			simulate_offset(result, result->first_bad_ms, bad)},
		{"time to revert", simulate_reaction(result, reaction)},
		{"exposure", simulate_exposure(result, exposure)},
		{"checks", checks},
		{"exit status of run", status},
	};
	struct simulation_page page = {
		.data = data,
		.outcome = sim_outcome(result),
		.reason = result->reason,
		.tone = result->exit_status == 0   ? TONE_GOOD
			: result->exit_status == 8 ? TONE_WAIT
						   : TONE_BAD,
		.recording = recording->path,
		.candidate = recording->candidate,
		.figures = figures,
		.n_figures = sizeof(figures) / sizeof(*figures),
	};

	snprintf(checks, sizeof(checks), "%d", result->checks);
	snprintf(status, sizeof(status), "%d", result->exit_status);
	simulation_page_write(&page, PAGE_HTML, out);
}

int simulate_page_write(struct timeline_data *data,
	const struct recording *recording, const struct sim_result *result,
	const char *path, struct err *err_r)
{
	struct buf out;
	int rc;

	if (result->failed_slo < 0 || !result->revert_ms)
		data->decisive = -1; /* a breach that decided nothing */
	buf_init(&out, PAGE_BYTES_MAX);
	write_page(data, recording, result, &out);
	rc = out.overflow ? err_set(err_r, ERR_LIMIT,
				    "%s: the page is too large", path)
			  : file_replace(path, &out, err_r);
	buf_fini(&out);
	return rc;
}
