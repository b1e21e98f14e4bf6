/* Keeps what happened; see simulate_story.h. Bounded: what is beyond is left
 * out of the picture, not of the result. */
#include "cli/simulate_story.h"

#include <stdlib.h>

#include "base/xalloc.h"

#define GROW_FIRST 64

struct story *story_new(const struct policy *policy, int64_t start_ms)
{
	struct story *story = xcalloc(1, sizeof(*story));

	arena_init(&story->arena);
	story->policy = policy;
	story->start_ms = story->end_ms = start_ms;
	return story;
}

void story_free(struct story **story)
{
	size_t i;

	if (!*story)
		return;
	for (i = 0; i < POLICY_SLOS_MAX; i++)
		free((*story)->line[i].point);
	free((*story)->step);
	arena_fini(&(*story)->arena);
	free(*story);
	*story = NULL;
}

static size_t grown(size_t size)
{
	return size ? 2 * size : GROW_FIRST;
}

static void add_check(
	struct story *story, const struct sim *sim, const struct event *event)
{
	const struct judgement *j = sim_judgement(sim);
	struct story_line *line = &story->line[event->slo];

	if (line->n == STORY_POINTS_MAX)
		return;
	if (line->n == line->size) {
		line->size = grown(line->size);
		line->point =
			xrealloc(line->point, line->size, sizeof(*line->point));
	}
	line->point[line->n++] = (struct story_point){
		sim_now(sim), j->value, j->limit, j->outcome};
}

static void add_traffic(struct story *story, const struct sim *sim)
{
	int percent = sim_percent(sim);

	if (story->n_steps &&
		story->step[story->n_steps - 1].percent == percent)
		return;
	if (story->n_steps == story->steps_size) {
		story->steps_size = grown(story->steps_size);
		story->step = xrealloc(
			story->step, story->steps_size, sizeof(*story->step));
	}
	story->step[story->n_steps++] =
		(struct story_step){sim_now(sim), percent};
}

static bool is_decision(const struct note *note)
{
	switch (note->type) {
	case NOTE_SHIFT:
	case NOTE_STEP_STARTED:
	case NOTE_BREACH:
	case NOTE_ACTION_STARTED:
	case NOTE_ACTION_SKIPPED:
		return false; /* the phases say it */
	default:
		return true;
	}
}

static void add_decision(
	struct story *story, const struct sim *sim, const struct note *note)
{
	bool phase = note->type == NOTE_PHASE;

	if (story->n_decisions == STORY_DECISIONS_MAX || !is_decision(note))
		return;
	story->decision[story->n_decisions++] = (struct story_decision){
		.time_ms = sim_now(sim),
		.percent = sim_percent(sim),
		.type = note->type,
		.to = note->to,
		.what = phase ? phase_name(note->to) : note_name(note->type),
		.text = arena_strdup(&story->arena, note->text),
	};
}

void story_tell(struct story *story, const struct sim *sim,
	const struct event *event, const struct note *note)
{
	story->end_ms = sim_now(sim);
	add_traffic(story, sim);
	if (note)
		add_decision(story, sim, note);
	else if (event->type == EVENT_CHECK)
		add_check(story, sim, event);
}
