/* SPDX-License-Identifier: Apache-2.0 */
/* One recording, from its first to its last event; see simulate.h. */
#include <string.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "base/timestamp.h"
#include "cli/output.h"
#include "cli/simulate.h"
#include "sim/series.h"
#include "status/journal_print.h"
#include "status/outcome_print.h"
#include "store/event_codec.h"

#define LINE_BYTES_MAX (1024 * 1024)

/* What the listener needs. */
struct teller {
	const struct simulation *simulation;
	const struct recording *recording;
	struct arena arena;
	const char *rollout; /* id */
	const char *query[POLICY_SLOS_MAX][QUERY_ROLES]; /* NULL: not asked */
	int64_t seq;
	int percent;
	struct timeline timeline;
	struct timeline_data *page; /* NULL: none is written */
};

/* ---- JSON lines ---- */

static void teller_init(struct teller *t, const struct simulation *simulation,
	const struct recording *recording)
{
	const struct policy *policy = simulation->policy;
	const char *service = *recording->service ? recording->service
			      : policy->service   ? policy->service
						  : policy->name;
	char id[TIMESTAMP_TEXT_MAX];
	size_t i;
	int kind;

	*t = (struct teller){.simulation = simulation,
		.recording = recording,
		.timeline = {.stream = simulation->told,
			.colour = simulation->colour,
			.every_check = simulation->every_check,
			.policy = policy,
			.start_ms = recording->start_ms}};
	if (simulation->html)
		t->page = simulate_page_new(policy, recording->start_ms);
	arena_init(&t->arena);
	t->rollout = arena_printf(&t->arena, "%s-%s-simu", service,
		timestamp_print_id(recording->start_ms, id));
	for (i = 0; i < policy->n_slos; i++) {
		for (kind = 0; kind < QUERY_ROLES; kind++)
			t->query[i][kind] = simulate_query(recording, policy,
				&policy->slos[i], (enum query_role)kind,
				&t->arena);
	}
}

static void print_entry(
	struct teller *t, const struct sim *sim, struct store_event *entry)
{
	struct buf line;

	entry->seq = ++t->seq;
	entry->time_ms = sim_now(sim);
	entry->phase = phase_name(sim_rollout(sim)->phase);
	entry->percent = sim_percent(sim);
	buf_init(&line, LINE_BYTES_MAX);
	journal_print_json(t->rollout, entry, &line);
	output_write(t->simulation->told, &line);
	buf_fini(&line);
}

static void print_json(struct teller *t, const struct sim *sim,
	const struct event *event, const struct note *note)
{
	struct event_context context = {
		.policy = t->simulation->policy, .state = sim_rollout(sim)};
	struct store_event entry = {.is_note = note != NULL};
	struct buf data;

	buf_init(&data, STORE_EVENT_BYTES_MAX);
	if (event->type == EVENT_CHECK && !note) {
		context.judgement = sim_judgement(sim);
		context.seen = sim_seen(sim);
		memcpy(context.query, t->query[event->slo],
			sizeof(context.query));
	}
	if (note) {
		entry.name = note_name(note->type);
		note_encode(note, &context, &data);
	} else {
		entry.name = event_name(event->type);
		event_encode(event, &context, &data);
	}
	entry.data = data.data;
	print_entry(t, sim, &entry);
	buf_fini(&data);
}

static void tell(const struct sim *sim, const struct event *event,
	const struct note *note, void *arg)
{
	struct teller *t = arg;

	t->percent = sim_percent(sim);
	if (t->page)
		simulate_page_take(t->page, sim, event, note);
	if (t->simulation->json)
		print_json(t, sim, event, note);
	else
		timeline_print(&t->timeline, sim, event, note);
}

/* ---- the end ---- */

static void add_time(struct jsonw *w, const char *key, int64_t ms)
{
	char text[TIMESTAMP_TEXT_MAX];

	if (ms)
		jsonw_text(w, key, timestamp_print(ms, text));
	else
		jsonw_null(w, key);
}

static void print_finished(const struct teller *t,
	const struct sim_result *result, struct buf *out)
{
	const struct recording *recording = t->recording;
	struct rollout_end end = {.rollout = t->rollout,
		.service = recording->service,
		.candidate = recording->candidate,
		.stable = recording->stable,
		.outcome = sim_outcome(result),
		.phase = phase_name(result->phase),
		.reason = result->reason,
		.time_ms = result->end_ms,
		.seq = t->seq + 1,
		.percent = t->percent,
		.exit_status = result->exit_status};
	struct buf extra;
	struct jsonw w = {.out = &extra};

	buf_init(&extra, LINE_BYTES_MAX);
	jsonw_object(&w, NULL);
	add_time(&w, "first_bad", result->first_bad_ms);
	add_time(&w, "reverted", result->revert_ms);
	if (result->first_bad_ms) {
		jsonw_number(&w, "time_to_revert_s",
			(double)(result->revert_ms - result->first_bad_ms) /
				1000);
		jsonw_int(&w, "checks_to_revert", result->checks_to_revert);
	}
	jsonw_int(&w, "checks", result->checks);
	jsonw_number(&w, "exposure_percent_min", result->exposure_s * 100 / 60);
	jsonw_end(&w, '}');
	end.extra = extra.data;
	outcome_print_json(&end, out);
	buf_fini(&extra);
}

static void print_heading(const struct teller *t)
{
	const struct recording *recording = t->recording;
	char from[TIMESTAMP_TEXT_MAX];
	struct buf out;

	buf_init(&out, LINE_BYTES_MAX);
	output_coloured(&out, false, COLOUR_NONE, t->simulation->policy->name);
	buf_adds(&out, " on ");
	output_coloured(&out, false, COLOUR_NONE, recording->path);
	buf_addf(&out, ", from %s\n\n",
		timestamp_print(recording->start_ms, from));
	output_write(t->simulation->told, &out);
	buf_fini(&out);
}

int simulate_one(const struct simulation *simulation,
	const struct recording *recording, struct err *err_r)
{
	struct sim_result result;
	struct teller t;
	struct buf out;
	int rc = 0;

	teller_init(&t, simulation, recording);
	if (!simulation->json)
		print_heading(&t);
	sim_run(simulation->policy, recording, &simulation->options, tell, &t,
		&result);
	buf_init(&out, LINE_BYTES_MAX);
	if (simulation->json)
		print_finished(&t, &result, &out);
	else
		simulate_print_result(simulation, &result, &out);
	output_write(simulation->told, &out);
	buf_fini(&out);
	if (t.page)
		rc = simulate_page_save(
			t.page, recording, &result, simulation->html, err_r);
	simulate_page_free(&t.page);
	arena_fini(&t.arena);
	return rc < 0 ? -1 : result.exit_status;
}
