/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One release of a game day: `tidegate run`, followed by what it prints, cut
 * short when a bad revision has users for too long, killed and resumed when that
 * is asked for. See gameday.h.
 */
#include <signal.h>
#include <string.h>

#include "base/timestamp.h"
#include "cli/gameday.h"
#include "io/clock.h"

struct follower {
	struct gameday *day;
	struct gameday_result *result;
	struct gameday_child child;
	bool is_bad;
	/* Of the boot clock; 0: not yet. */
	int64_t began_ms, users_ms, resume_ms;
	bool going_back;
	size_t next_fault;
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static int number_of(const json_t *object, const char *key)
{
	return (int)json_integer_value(json_object_get(object, key));
}

/* ---- what it prints ---- */

static void take_percent(struct follower *f, const json_t *line)
{
	struct gameday_result *result = f->result;
	int percent = number_of(line, "percent");
	int64_t time_ms = 0;
	struct err err;

	if (timestamp_parse(text_of(line, "time"), &time_ms, &err) < 0)
		return;
	if (percent > 0 && !result->exposed_ms) {
		result->exposed_ms = time_ms;
		f->users_ms = clock_boot_ms();
		gameday_say(f->day, "%s has users", result->revision);
	}
	if (percent > 0)
		result->back_ms = 0;
	else if (result->exposed_ms && !result->back_ms)
		result->back_ms = time_ms;
}

static void take_phase(struct follower *f, const json_t *line)
{
	const char *to = text_of(line, "to");

	if (strcmp(text_of(line, "event"), "phase") != 0)
		return;
	if (!strcmp(to, "held"))
		f->result->holds++;
	if (!strcmp(to, "reverting"))
		f->going_back = true;
	gameday_say(f->day, "%s: %s: %s", f->result->revision, to,
		text_of(line, "text"));
}

static void take_end(struct follower *f, const json_t *line)
{
	struct gameday_result *result = f->result;
	struct arena *arena = &f->day->arena;

	if (strcmp(text_of(line, "event"), "finished") != 0)
		return;
	result->outcome = arena_strdup(arena, text_of(line, "outcome"));
	result->reason = arena_strdup(arena, text_of(line, "reason"));
	result->actions_failed = number_of(line, "actions_failed");
}

static void take_lines(struct follower *f)
{
	json_t *line;

	while ((line = gameday_child_line(&f->child))) {
		if (!*f->result->rollout) {
			f->result->rollout = arena_strdup(
				&f->day->arena, text_of(line, "rollout"));
			f->began_ms = clock_boot_ms();
		}
		take_percent(f, line);
		take_phase(f, line);
		take_end(f, line);
		json_decref(line);
	}
}

/* ---- what is done to it ---- */

static int start(struct follower *f, bool again, struct err *err_r)
{
	struct gameday *day = f->day;
	struct gameday_words words = {.n = 0};
	char wait[DURATION_TEXT_MAX];

	if (again) {
		gameday_words(day, &words, "resume", NULL);
		gameday_word(&words, f->result->rollout);
	} else {
		gameday_words(day, &words, "run", &day->place);
		gameday_word(&words, "--again");
		gameday_option(&words, "candidate", f->result->revision);
		gameday_option(&words, "wait",
			duration_print(day->args->within_ms, wait));
	}
	return gameday_child_start(&f->child, &words, false, err_r);
}

static void crash(struct follower *f, int64_t away_ms)
{
	int status;

	gameday_say(f->day, "the controller is killed");
	kill(f->child.pid, SIGKILL);
	while (!gameday_child_ended(&f->child, &status))
		context_pause(GAMEDAY_LOOK_MS);
	take_lines(f);
	gameday_child_close(&f->child);
	f->result->crashed = true;
	f->resume_ms = clock_boot_ms() + away_ms;
}

/* In the order of their times. */
static int begin_faults(struct follower *f, struct err *err_r)
{
	const struct gameday *day = f->day;
	const struct fault *fault = &day->fault[f->next_fault];

	if (!f->is_bad || !f->began_ms || f->next_fault == day->n_faults ||
		clock_boot_ms() - f->began_ms < fault->at_ms)
		return 0;
	f->next_fault++;
	if (fault->type == FAULT_CRASH) {
		crash(f, fault->for_ms);
		return 0;
	}
	gameday_say(day, "%s", day->args->faults.item[f->next_fault - 1]);
	return gameday_fault_begin(fault, err_r);
}

static void cut_short(struct follower *f)
{
	bool late = f->is_bad && f->users_ms && !f->going_back &&
		    clock_boot_ms() - f->users_ms > f->day->args->within_ms;

	if (late && !f->child.asked)
		gameday_say(f->day,
			"%s is taken back: it has users for too "
			"long",
			f->result->revision);
	f->result->cut = f->result->cut || late;
	if (late || gameday_was_stopped())
		gameday_child_stop(&f->child);
}

/* ---- to its end ---- */

/* 1: it has ended. */
static int turn(struct follower *f, struct err *err_r)
{
	bool ended;

	if (f->resume_ms && clock_boot_ms() < f->resume_ms)
		return 0;
	if (f->resume_ms && start(f, true, err_r) < 0)
		return -1;
	f->resume_ms = 0;
	ended = gameday_child_ended(&f->child, &f->result->exit_status);
	take_lines(f);
	if (ended)
		return 1;
	cut_short(f);
	if (gameday_load_turn(f->day, err_r) < 0)
		return -1;
	return begin_faults(f, err_r);
}

/* Whoever is still at work is asked to take it back. */
static int follow(struct follower *f, struct err *err_r)
{
	int rc;

	while ((rc = turn(f, err_r)) == 0)
		context_pause(GAMEDAY_LOOK_MS);
	while (rc < 0 && f->child.out >= 0 &&
		!gameday_child_ended(&f->child, &f->result->exit_status)) {
		gameday_child_stop(&f->child);
		context_pause(GAMEDAY_LOOK_MS);
	}
	gameday_child_close(&f->child);
	return rc < 0 ? -1 : 0;
}

/* Whether the traffic may be otherwise than that stable or a promoted one has
 * all of it. */
static bool has_moved(const struct follower *f)
{
	const char *outcome = f->result->outcome;

	if (!strcmp(outcome, "rolled-back") || !strcmp(outcome, "refused"))
		return false;
	if (!strcmp(outcome, "promoted"))
		return f->is_bad;
	return *f->result->rollout != '\0';
}

int gameday_release(struct gameday *day, const char *revision, bool is_bad,
	struct gameday_result *result, struct err *err_r)
{
	struct follower f = {.day = day,
		.result = result,
		.child = {.out = -1},
		.is_bad = is_bad};
	struct err err = {0};
	int rc;

	result->revision = revision;
	if (gameday_book_write(&day->book,
		    json_pack("{s:s, s:s}", "event", "releasing", "revision",
			    revision),
		    err_r) < 0)
		return -1;
	day->dirty = true;
	rc = start(&f, false, err_r);
	if (rc == 0)
		rc = follow(&f, err_r);
	day->dirty = has_moved(&f);
	if (gameday_book_write(&day->book,
		    json_pack("{s:s, s:s, s:s, s:b}", "event", "released",
			    "revision", revision, "outcome", result->outcome,
			    "moved", day->dirty),
		    &err) < 0 &&
		rc == 0) {
		*err_r = err;
		rc = -1;
	}
	return rc;
}
