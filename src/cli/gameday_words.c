/* SPDX-License-Identifier: Apache-2.0 */
/* What a game day says: to other verbs, to people, to its report; see gameday.h. */
#include <stdarg.h>
#include <string.h>

#include "cli/gameday.h"
#include "cli/output.h"

/* ---- to other verbs ---- */

void gameday_word(struct gameday_words *words, const char *word)
{
	if (words->n < GAMEDAY_WORDS_MAX)
		words->item[words->n++] = word;
	words->item[words->n] = NULL;
}

void gameday_option(
	struct gameday_words *words, const char *option, const char *value)
{
	static const struct {
		const char *name, *option;
	} known[] = {{"candidate", "--candidate"}, {"wait", "--wait"},
		{"to", "--to"}, {"service", "--service"}, {"limit", "--limit"},
		{"url", "--url"}, {"comment", "--comment"},
		{"policy", "--policy"}, {"project", "--project"},
		{"region", "--region"}, {"state", "--state"}, {"as", "--as"}};

	for (size_t i = 0; value && i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(known[i].name, option) != 0)
			continue;
		gameday_word(words, known[i].option);
		gameday_word(words, value);
	}
}

void gameday_words(const struct gameday *day, struct gameday_words *words,
	const char *verb, const struct gameday_place *place)
{
	words->n = 0;
	gameday_word(words, "");
	gameday_word(words, verb);
	if (place) {
		gameday_word(words, place->service);
		gameday_option(words, "policy", place->policy);
		gameday_option(words, "project", place->project);
		gameday_option(words, "region", place->region);
	}
	gameday_option(words, "state", day->state);
	gameday_option(words, "as", day->args->as);
	gameday_word(words, "--format");
	gameday_word(words, "json");
}

/* ---- to people ---- */

void gameday_say(const struct gameday *day, const char *fmt, ...)
{
	struct buf text;
	va_list args;

	buf_init(&text, OUTPUT_BYTES_MAX);
	va_start(args, fmt);
	buf_addv(&text, fmt, args);
	va_end(args);
	output_text(stderr, "gameday: %s\n", text.data);
	buf_fini(&text);
	(void)day;
}

void gameday_surprise(struct gameday *day, const char *fmt, ...)
{
	struct gameday_story *story = &day->story;
	struct buf text;
	va_list args;

	if (story->n_surprises == GAMEDAY_SURPRISES_MAX)
		return;
	buf_init(&text, OUTPUT_BYTES_MAX);
	va_start(args, fmt);
	buf_addv(&text, fmt, args);
	va_end(args);
	story->surprise[story->n_surprises++] =
		arena_strdup(&day->arena, text.data);
	buf_fini(&text);
}
