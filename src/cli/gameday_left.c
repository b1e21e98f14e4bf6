/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether what a game day has moved, before it died, is still where it left it:
 * people may have put it back and gone on since. See gameday.h.
 */
#include <string.h>

#include "cli/gameday.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* ---- the journal ---- */

/* One that has not begun does not know its candidate. */
static bool is_its(const json_t *row, const struct gameday_left *left)
{
	const char *candidate = text_of(row, "candidate");

	return gameday_time(row, "started") >= left->began_ms &&
	       (!strcmp(candidate, left->revision) ||
		       (!*candidate && !gameday_time(row, "ended")));
}

/* The newest rollout of what was released last; the caller drops it. NULL: there
 * is none. */
static int its_rollout(struct gameday *day, const struct gameday_left *left,
	json_t **row_r, struct err *err_r)
{
	struct gameday_words words = {.n = 0};
	json_t *list, *row;
	size_t i;
	int status;

	*row_r = NULL;
	gameday_words(day, &words, "list", NULL);
	gameday_option(&words, "service", left->place.service);
	gameday_option(&words, "limit", "1000");
	if (gameday_child_run(&words, &list, &status, err_r) < 0)
		return -1;
	json_array_foreach(list, i, row)
		if (!*row_r && is_its(row, left))
			*row_r = json_incref(row);
	json_decref(list);
	return 0;
}

/* It went back, moved nothing, or is the good one where it was to go. */
static bool is_settled(const json_t *row, const struct gameday_left *left)
{
	const char *phase = text_of(row, "phase");

	return !strcmp(phase, "rolled-back") || !strcmp(phase, "refused") ||
	       (!strcmp(phase, "promoted") &&
		       strcmp(left->revision, left->bad) != 0);
}

/* ---- the service ---- */

/* Where it cannot be read it may have some. */
static int has_users(struct gameday *day, const struct gameday_left *left,
	bool *has_r, struct err *err_r)
{
	struct gameday_words words = {.n = 0};
	const json_t *serving;
	json_t *look;
	int status;

	gameday_words(day, &words, "check", &left->place);
	gameday_word(&words, "--live");
	gameday_word(&words, "--again");
	gameday_option(&words, "candidate", left->revision);
	if (gameday_child_run(&words, &look, &status, err_r) < 0)
		return -1;
	serving = json_object_get(look, "serving");
	*has_r = !json_array_size(serving);
	for (size_t i = 0; i < json_array_size(serving); i++)
		if (!strcmp(text_of(json_array_get(serving, i), "revision"),
			    left->revision))
			*has_r = true;
	json_decref(look);
	return 0;
}

/* ---- both ---- */

int gameday_is_left(struct gameday *day, const struct gameday_left *left,
	bool *is_left_r, struct err *err_r)
{
	json_t *row;
	int rc = 0;

	if (its_rollout(day, left, &row, err_r) < 0)
		return -1;
	if (row && !gameday_time(row, "ended"))
		*is_left_r = true;
	else if (row && is_settled(row, left))
		*is_left_r = false;
	else
		rc = has_users(day, left, is_left_r, err_r);
	json_decref(row);
	return rc;
}
