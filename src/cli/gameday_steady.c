/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a game day may begin: `tidegate check --live` finds both revisions
 * fit to be released, and all SLOs pass on stable. See gameday.h.
 */
#include <string.h>

#include "cli/gameday.h"
#include "io/clock.h"

#define AGAIN_MS 500 /* between looks at SLOs */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* What fails in a look, as it says itself. */
static int refuse(const struct gameday *day, const char *revision,
	const json_t *look, struct err *err_r)
{
	const json_t *finding;
	size_t i;

	json_array_foreach(json_object_get(look, "findings"), i, finding) {
		if (strcmp(text_of(finding, "result"), "fail") != 0)
			continue;
		return err_set(err_r, ERR_REFUSED,
			"nothing was moved: %.60s could not be released (%.40s "
			"%.80s: %.300s)%s%.300s",
			revision, text_of(finding, "what"),
			text_of(finding, "name"), text_of(finding, "detail"),
			*text_of(finding, "remedy") ? "; " : "",
			text_of(finding, "remedy"));
	}
	return err_set(err_r, ERR_REFUSED,
		"nothing was moved: tidegate check --live %.120s --policy "
		"%.300s --candidate %.60s says what is missing",
		day->target.name, day->place.policy, revision);
}

/* The caller drops the look. */
static json_t *look_at(
	struct gameday *day, const char *revision, struct err *err_r)
{
	struct gameday_words words = {.n = 0};
	json_t *look;
	int status;

	gameday_words(day, &words, "check", &day->place);
	gameday_word(&words, "--live");
	gameday_word(&words, "--again");
	gameday_option(&words, "candidate", revision);
	if (gameday_child_run(&words, &look, &status, err_r) < 0)
		return NULL;
	if (status == 0 && look)
		return look;
	(void)refuse(
		day, revision ? revision : "the newest revision", look, err_r);
	json_decref(look);
	return NULL;
}

/* The first SLO that does not pass on stable; NULL: all do. An SLO that judges
 * over time has no outcome yet. */
static const json_t *find_unsteady(const json_t *look)
{
	const json_t *finding;
	const char *outcome;
	size_t i;

	json_array_foreach(json_object_get(look, "findings"), i, finding) {
		outcome =
			text_of(json_object_get(finding, "stable"), "outcome");
		if (*outcome && strcmp(outcome, "pass") != 0 &&
			strcmp(outcome, "none") != 0)
			return finding;
	}
	return NULL;
}

/* 1: it is steady; 0: not yet; -1 error. */
static int look_once(struct gameday *day, bool is_last, struct err *err_r)
{
	json_t *look = look_at(day, day->bad, err_r);
	const json_t *unsteady;
	int rc = 1;

	if (!look)
		return -1;
	day->steady_looks++;
	day->stable = arena_strdup(&day->arena, text_of(look, "stable"));
	unsteady = find_unsteady(look);
	if (unsteady)
		rc = 0;
	if (unsteady && is_last)
		rc = err_set(err_r, ERR_REFUSED,
			"nothing was moved: the service is not in its steady "
			"state, so that nothing could be proven (%.60s: "
			"%.300s)",
			text_of(unsteady, "name"), text_of(unsteady, "detail"));
	json_decref(look);
	return rc;
}

static int find_good(struct gameday *day, struct err *err_r)
{
	json_t *look = look_at(day, day->args->good, err_r);

	if (!look)
		return -1;
	day->good = arena_strdup(&day->arena, text_of(look, "candidate"));
	json_decref(look);
	if (strcmp(day->good, day->bad) == 0)
		return err_set(err_r, ERR_REFUSED,
			"nothing was moved: the newest revision is the bad "
			"one: say with --good which one is to be promoted");
	return 0;
}

int gameday_steady(struct gameday *day, struct err *err_r)
{
	int64_t end_ms = clock_boot_ms() + day->args->within_ms;
	bool is_last;
	int rc;

	do {
		if (gameday_load_turn(day, err_r) < 0)
			return -1;
		is_last = clock_boot_ms() >= end_ms || gameday_was_stopped();
		rc = look_once(day, is_last, err_r);
		if (rc == 0)
			context_pause(AGAIN_MS);
	} while (rc == 0);
	return rc < 0 ? -1 : find_good(day, err_r);
}
