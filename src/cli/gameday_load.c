/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The users of a game day: a load of the policy, again and again until the day
 * ends. It ends with this process, however that does. See gameday.h.
 */
#include <string.h>

#include "cli/gameday.h"

#define STATUS_MISSED 5 /* it ran, and not all that it expects held */

static int start(struct gameday *day, struct err *err_r)
{
	struct gameday_words words = {.n = 0};

	gameday_word(&words, "");
	gameday_word(&words, "load");
	gameday_word(&words, day->args->load);
	gameday_option(&words, "policy", day->place.policy);
	gameday_option(&words, "url", day->args->url);
	gameday_option(&words, "project", day->place.project);
	gameday_option(&words, "region", day->place.region);
	gameday_word(&words, "--format");
	gameday_word(&words, "json");
	if (gameday_child_start(&day->load.child, &words, true, err_r) < 0)
		return -1;
	day->load.runs = true;
	return 0;
}

static void take_lines(struct gameday_load *load)
{
	json_t *line, *requests, *failed;

	while ((line = gameday_child_line(&load->child))) {
		requests = json_object_get(line, "requests");
		failed = json_object_get(line, "failed");
		if (json_is_integer(requests) && json_is_integer(failed) &&
			json_is_string(json_object_get(line, "missed"))) {
			load->requests += json_integer_value(requests);
			load->failed += json_integer_value(failed);
		}
		json_decref(line);
	}
}

int gameday_load_turn(struct gameday *day, struct err *err_r)
{
	struct gameday_load *load = &day->load;
	int status;

	if (!day->args->load)
		return 0;
	if (!load->runs)
		return start(day, err_r);
	if (!gameday_child_ended(&load->child, &status))
		return 0;
	take_lines(load);
	gameday_child_close(&load->child);
	load->runs = false;
	if (status == 0 || status == STATUS_MISSED)
		return start(day, err_r);
	return err_set(err_r, ERR_REFUSED,
		"the load \"%.63s\" cannot be made (exit status %d): tidegate "
		"load --policy %.300s %.63s --url URL says why",
		day->args->load, status, day->place.policy, day->args->load);
}

void gameday_load_end(struct gameday *day)
{
	struct gameday_load *load = &day->load;
	int status;

	if (!load->runs)
		return;
	gameday_child_stop(&load->child);
	while (!gameday_child_ended(&load->child, &status))
		context_pause(GAMEDAY_LOOK_MS);
	take_lines(load);
	gameday_child_close(&load->child);
	load->runs = false;
}
