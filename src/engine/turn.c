/* SPDX-License-Identifier: Apache-2.0 */
/* What comes out of a turn: effects, notes, the next time to wake. */
#include "engine/turn.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define FORMATTED_MAX (2 * ROLLOUT_TEXT_MAX) /* before it is cut to fit */

static void text_putv(char *to, size_t size, const char *fmt, va_list args)
{
	char text[FORMATTED_MAX];

	vsnprintf(text, sizeof(text), fmt, args);
	text_set(to, size, text);
}

struct effect *turn_effect(struct turn *t, enum effect_type type)
{
	struct effect *effect;

	assert(t->out->n_effects < ROLLOUT_EFFECTS_MAX);
	effect = &t->out->effect[t->out->n_effects++];
	*effect = (struct effect){.type = type, .slo = -1};
	return effect;
}

struct note *turn_note(
	struct turn *t, enum note_type type, const char *fmt, ...)
{
	struct note *note;
	va_list args;

	/* More decisions than this are never taken in one turn; if they are,
	 * the last place is used again rather than none. */
	if (t->out->n_notes == ROLLOUT_NOTES_MAX)
		t->out->n_notes--;
	note = &t->out->note[t->out->n_notes++];
	note->type = type;
	note->from = note->to = t->r->phase;
	note->step = t->r->step;
	note->slo = -1;
	note->list = LIST_PREFLIGHT;
	note->index = -1;
	note->attempt = 0;
	note->value = note->limit = NAN;
	va_start(args, fmt);
	text_putv(note->text, sizeof(note->text), fmt, args);
	va_end(args);
	return note;
}

void text_set(char *to, size_t size, const char *from)
{
	size_t len = from ? strlen(from) : 0;

	if (len >= size)
		len = size - 1;
	/* Not through the middle of a UTF-8 sequence. */
	while (len && from[len] && ((unsigned char)from[len] & 0xc0) == 0x80)
		len--;
	if (len)
		memmove(to, from, len);
	to[len] = '\0';
}

void text_put(char *to, size_t size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	text_putv(to, size, fmt, args);
	va_end(args);
}

void text_after(char *to, size_t size, const char *ours, const char *theirs)
{
	if (strlen(ours) + strlen(theirs) + 2 < size)
		text_put(to, size, "%s: %s", ours, theirs);
	else
		text_set(to, size, theirs);
}
