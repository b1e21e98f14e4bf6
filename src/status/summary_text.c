/* SPDX-License-Identifier: Apache-2.0 */
/* Times and names inside sentences; see summary_parts.h. */
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/timestamp.h"
#include "status/summary_parts.h"

#define SECOND     1000
#define NEAR_MS    (INT64_C(12) * 3600 * SECOND) /* else with the date */
#define DATE_BYTES 10 /* "2026-01-01" */

const char *summary_clock_utc(
	int64_t ms, int64_t read_ms, char text[SUMMARY_TIME_MAX])
{
	char whole[TIMESTAMP_TEXT_MAX], clock[TIMESTAMP_TEXT_MAX];
	int64_t far_ms = ms > read_ms ? ms - read_ms : read_ms - ms;

	timestamp_print_clock(ms, clock);
	timestamp_print(ms, whole);
	if (far_ms < NEAR_MS)
		snprintf(text, SUMMARY_TIME_MAX, "%s UTC", clock);
	else
		snprintf(text, SUMMARY_TIME_MAX, "%.*s %s UTC", DATE_BYTES,
			whole, clock);
	return text;
}

const char *say_length(const struct making *m, int64_t ms)
{
	char text[DURATION_TEXT_MAX];

	return arena_strdup(m->arena, duration_print(ms > 0 ? ms : 0, text));
}

const char *say_passed(const struct making *m, int64_t ms)
{
	return say_length(m, ms / SECOND * SECOND);
}

const char *say_when(const struct making *m, int64_t ms)
{
	summary_clock_fn print =
		m->from->clock ? m->from->clock : summary_clock_utc;
	char text[SUMMARY_TIME_MAX];

	print(ms, m->s->read_ms, text);
	if (ms <= m->from->now_ms || m->from->driver == SUMMARY_UNDRIVEN)
		return arena_strdup(m->arena, text);
	/* What is a moment away is not "in 0s". */
	return arena_printf(m->arena, "%s (in %s)", text,
		say_passed(m, ms - m->from->now_ms + SECOND - 1));
}

const char *say_candidate(const struct making *m)
{
	return *m->from->candidate ? m->from->candidate : "the candidate";
}

const char *say_stable(const struct making *m)
{
	return *m->from->stable ? m->from->stable : "the stable revision";
}

const char *say_step(const struct making *m, int step)
{
	if (step < 0 || (size_t)step >= m->policy->n_steps)
		return "the finish";
	return arena_printf(m->arena, "step %d of %zu (%d %%)", step + 1,
		m->policy->n_steps, m->policy->steps[step].percent);
}

const char *say_names(const struct making *m, const char *const *names,
	size_t n, const char *last_word)
{
	struct buf out;
	size_t i;

	buf_init(&out, SENTENCE_MAX);
	for (i = 0; i < n; i++) {
		if (i && i + 1 == n)
			buf_addf(&out, " %s ", last_word);
		else if (i)
			buf_adds(&out, ", ");
		buf_adds(&out, names[i]);
	}
	return keep(m, &out);
}

/* ", since 14:30:00 UTC, until 14:35:00 UTC (in 3m), now 500 users, …"; a script
 * of k6 alone knows for how long. */
static const char *say_load(const struct making *m, const struct action *action)
{
	int64_t from_ms = m->r->sequence.started_ms;
	struct buf out;

	if (!m->r->sequence.running ||
		(action->kind != ACTION_LOAD && action->kind != ACTION_K6))
		return "";
	buf_init(&out, SENTENCE_MAX);
	buf_addf(&out, ", since %s", say_when(m, from_ms));
	if (action->kind == ACTION_LOAD)
		buf_addf(&out, ", until %s",
			say_when(m,
				from_ms + load_duration_ms(&action->u.load)));
	if (m->from->load) {
		buf_adds(&out, ", now ");
		load_live_add(m->from->load, &out);
	}
	return keep(m, &out);
}

const char *say_action(const struct making *m)
{
	const struct sequence *q = &m->r->sequence;
	const struct actions *list = &m->policy->lists[q->list];
	const struct action *action;

	if (!q->active || q->index < 0 || (size_t)q->index >= list->n)
		return NULL;
	action = &list->item[q->index];
	if (q->running || !q->retry_ms)
		return q->single ? arena_printf(m->arena,
					   "its load \"%s\" is made%s%s",
					   action->name,
					   q->attempt > 1 ? ", once more" : "",
					   say_load(m, action))
				 : arena_printf(m->arena,
					   "action \"%s\" of %s runs (%d of "
					   "%zu%s)%s",
					   action->name,
					   action_list_name(q->list),
					   q->index + 1, list->n,
					   q->attempt > 1 ? ", once more" : "",
					   say_load(m, action));
	return arena_printf(m->arena,
		"action \"%s\" of %s has failed and is tried again at %s "
		"(attempt %d of %d)",
		action->name, action_list_name(q->list),
		say_when(m, q->retry_ms), q->attempt, action->retries + 1);
}

const char *keep(const struct making *m, struct buf *text)
{
	const char *kept = arena_strndup(m->arena, text->data, text->len);

	buf_fini(text);
	return kept;
}

const struct step *step_of(const struct making *m)
{
	return m->r->step >= 0 && (size_t)m->r->step < m->policy->n_steps
		       ? &m->policy->steps[m->r->step]
		       : NULL;
}

bool load_was_made(const struct making *m)
{
	return m->r->step >= 0 && m->r->step < POLICY_STEPS_MAX &&
	       m->r->loads_over >> m->r->step & 1;
}

bool is_exposed(const struct making *m)
{
	return m->r->traffic.serving.candidate > 0;
}
