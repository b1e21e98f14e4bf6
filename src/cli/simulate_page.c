/* SPDX-License-Identifier: Apache-2.0 */
/* What happens in a simulation, kept while it runs and written as a page; see
 * simulate.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cli/output.h"
#include "cli/simulate.h"
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
	case NOTE_PHASE:
		if (note->to == PHASE_REVERTING)
			data->reverting_ms = sim_now(sim);
		break;
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
			.tone = is_phase ? timeline_tone_of_phase(note->to)
				: note->type == NOTE_STEP_PASSED ? TONE_GOOD
								 : TONE_PLAIN,
		});
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
	judgement_print(&data->policy->slos[event->slo], judgement, text);
	check->text = arena_strdup(&data->arena, text);
	check->other = event->answers.item[QUERY_BASELINE].kind == ANSWER_VALUE
			       ? event->answers.item[QUERY_BASELINE].value
			       : NAN;
	if (event->answers.counts && sim_seen(sim)->counted)
		timeline_take_evidence(data, check, sim_rollout(sim)->evidence,
			sim_seen(sim)->own.log_e, sim_seen(sim)->own.log_pass);
}

static void take_histories(
	struct timeline_data *data, const struct event *event)
{
	size_t size = event->n_histories * sizeof(*event->histories);
	struct slo_history *kept;

	if (!size)
		return;
	kept = arena_alloc(&data->arena, size);
	memcpy(kept, event->histories, size);
	data->histories = kept;
	data->n_histories = event->n_histories;
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
	else if (event->type == EVENT_PREFLIGHT)
		take_histories(data, event);
}

/* What was asked: by recordings that know it, else by the policy. */
static void take_queries(
	struct timeline_data *data, const struct recording *recording)
{
	size_t i;
	int role;

	for (i = 0; i < data->policy->n_slos; i++)
		for (role = 0; role < QUERY_ROLES; role++)
			data->query[i][role] = simulate_query(recording,
				data->policy, &data->policy->slos[i],
				(enum query_role)role, &data->arena);
}

static enum tone tone_of_status(int status)
{
	return status == 0 ? TONE_GOOD : status == 8 ? TONE_WAIT : TONE_BAD;
}

/* The simulation knows samples, of which a check sees some. */
static void figure_out(const struct timeline_data *data,
	const struct sim_result *result, struct timeline_figures *figures_r)
{
	timeline_figure_out(data, figures_r);
	figures_r->exposure_s = result->exposure_s;
	if (result->first_bad_ms)
		figures_r->first_bad_ms = result->first_bad_ms;
}

void simulate_page_write(struct timeline_data *data,
	const struct recording *recording, const struct sim_result *result,
	bool is_part, struct page *out)
{
	char bad[SIMULATE_TEXT_MAX], reaction[SIMULATE_TEXT_MAX];
	char checks[SIMULATE_TEXT_MAX], status[SIMULATE_TEXT_MAX];
	const struct page_fact facts[] = {
		{"first bad sample",
			simulate_offset(result, result->first_bad_ms, bad),
			NULL},
		{"time to revert", simulate_reaction(result, reaction), NULL},
		{"checks", checks, NULL},
		{"exit status of run", status, NULL},
	};
	struct timeline_figures figures;
	struct simulation_page page = {
		.data = data,
		.outcome = sim_outcome(result),
		.reason = result->reason,
		.tone = tone_of_status(result->exit_status),
		.figures = &figures,
		.decider = timeline_decider(
			data->policy, result->cause, result->failed_slo),
		.recording = recording->path,
		.candidate = recording->candidate,
		.is_part = is_part,
		.facts = facts,
		.n_facts = sizeof(facts) / sizeof(*facts),
	};

	if (result->failed_slo < 0 || !result->revert_ms)
		data->decisive = -1; /* a breach that decided nothing */
	figure_out(data, result, &figures);
	take_queries(data, recording);
	snprintf(checks, sizeof(checks), "%d", result->checks);
	snprintf(status, sizeof(status), "%d", result->exit_status);
	simulation_page_write(&page, out);
}

void simulate_page_begin(struct page *page, struct buf *out, const char *title)
{
	*page = (struct page){.format = PAGE_HTML, .out = out};
	buf_init(out, PAGE_BYTES_MAX);
	page_begin(page, title);
}

int simulate_page_end(struct page *page, const char *path, struct err *err_r)
{
	int rc;

	page_end(page);
	rc = page->out->overflow ? err_set(err_r, ERR_LIMIT,
					   "%s: the page is too large", path)
				 : output_save(path, page->out, err_r);
	buf_fini(page->out);
	return rc;
}

int simulate_page_save(struct timeline_data *data,
	const struct recording *recording, const struct sim_result *result,
	const char *path, struct err *err_r)
{
	char title[SIMULATE_TEXT_MAX + POLICY_NAME_MAX];
	struct page page;
	struct buf out;

	snprintf(title, sizeof(title), "%s: %s", data->policy->name,
		sim_outcome(result));
	simulate_page_begin(&page, &out, title);
	simulate_page_write(data, recording, result, false, &page);
	return simulate_page_end(&page, path, err_r);
}
