/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `tidegate gameday` share. Not for anybody else. A game day
 * drives other verbs of tidegate, as a person would: each is a process.
 *
 *   cmd_gameday.c      options, and the day in order
 *   gameday_words.c    what it says to other verbs and to people
 *   gameday_child.c    another verb: started, listened to, asked to stop
 *   gameday_release.c  one release, followed to its end
 *   gameday_steady.c   whether the service is in its steady state
 *   gameday_book.c     what has begun, so that it is put back whatever happens
 *   gameday_left.c     whether that is still to be put back
 *   gameday_load.c     the day's own users
 *   gameday_fault.c    what goes wrong for the controller meanwhile
 *   gameday_tell.c     figures, surprises, the report, the result
 */
#ifndef TIDEGATE_CLI_GAMEDAY_H
#define TIDEGATE_CLI_GAMEDAY_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "cli/args.h"
#include "cli/context.h"
#include "policy/policy.h"
#include "report/gameday_page.h"
#include "sim/sim.h"

#define GAMEDAY_WORDS_MAX 32 /* of a command */
#define GAMEDAY_LOOK_MS   50 /* between looks at a child */

struct gameday_args {
	const char *policy, *bad, *good, *project, *region, *state, *as;
	const char *output, *load, *url;
	int64_t within_ms;
	int format;
	bool clean;
	struct text_list faults;
};

/* ---- gameday_child.c ---- */

struct gameday_words {
	const char *item[GAMEDAY_WORDS_MAX + 1]; /* item[0] is the program's */
	size_t n;
};

struct gameday_child {
	pid_t pid;
	int out; /* its standard output, whole */
	off_t read; /* how much of it was taken */
	bool asked; /* to stop */
};

/* In a session of its own, which outlives this process, unless it is to end with
 * it: a release goes on being watched when its game day dies. */
MUST_CHECK int gameday_child_start(struct gameday_child *child,
	struct gameday_words *words, bool ends_with_us, struct err *err_r);
/* The next line of JSON that it has written; NULL: there is none (yet). The
 * caller drops it. */
json_t *gameday_child_line(struct gameday_child *child);
/* True when it has ended, with its exit status; -1: a signal. */
bool gameday_child_ended(struct gameday_child *child, int *status_r);
/* By SIGINT, once. */
void gameday_child_stop(struct gameday_child *child);
void gameday_child_close(struct gameday_child *child);
/* To its end; the last line is the caller's (NULL: it said nothing). */
MUST_CHECK int gameday_child_run(struct gameday_words *words, json_t **last_r,
	int *status_r, struct err *err_r);

/* From now on SIGINT and SIGTERM end the day in order. */
void gameday_catch_signals(void);
bool gameday_was_stopped(void);

/* ---- gameday_book.c ---- */

struct gameday_book {
	char *path;
	int fd; /* locked while a game day is under way */
};

/* Which service, by which policy: what other verbs are told. */
struct gameday_place {
	const char *service; /* in full */
	const char *policy; /* absolute: a day may be ended elsewhere */
	const char *project, *region;
};

/* What a day left behind that did not come to its end. Texts are owned by the
 * arena given. */
struct gameday_left {
	struct gameday_place place; /* service NULL: nothing was left */
	const char *stable, *bad;
	const char *revision; /* was released last; NULL: none was */
	int64_t began_ms; /* of the journal's clock */
	bool moved; /* the traffic may have to be put back */
};

/* -1 with ERR_BUSY: another game day is under way. */
MUST_CHECK int gameday_book_open(
	struct gameday_book *book, const char *state, struct err *err_r);
void gameday_book_close(struct gameday_book *book);
MUST_CHECK int gameday_book_read(struct gameday_book *book, struct arena *arena,
	struct gameday_left *left_r, struct err *err_r);
/* The text of a JSON object's members: durable when it returns 0. */
MUST_CHECK int gameday_book_write(
	struct gameday_book *book, json_t *entry, struct err *err_r);

/* ---- the day ---- */

struct gameday_result {
	const char *revision; /* NULL: was not released */
	const char *rollout, *outcome, *reason; /* "": not known */
	int exit_status, actions_failed, holds;
	int64_t started_ms; /* boot clock */
	int64_t exposed_ms, back_ms; /* of its own clock; 0: never */
	bool cut; /* it was stopped since it took too long */
	bool crashed; /* the controller was killed and resumed */
};

struct gameday_load {
	struct gameday_child child;
	bool runs;
	int64_t requests, failed;
};

struct gameday {
	const struct gameday_args *args;
	struct policy *policy;
	struct context_target target;
	struct gameday_place place;
	struct arena arena; /* of all texts */
	struct gameday_book book;
	char *state;
	struct fault fault[SIM_FAULTS_MAX];
	size_t n_faults;
	char who[CONTEXT_NAME_MAX];

	const char *stable, *bad, *good;
	struct gameday_result bad_result, good_result;
	struct gameday_story story;
	struct gameday_load load;
	int steady_looks;
	bool dirty; /* the traffic may have to be put back */
};

/* "tidegate VERB SERVICE --policy F …"; `place` NULL: the verb has none. */
void gameday_words(const struct gameday *day, struct gameday_words *words,
	const char *verb, const struct gameday_place *place);
void gameday_word(struct gameday_words *words, const char *word);
void gameday_option(
	struct gameday_words *words, const char *option, const char *value);

void gameday_say(const struct gameday *day, const char *fmt, ...)
	PRINTFLIKE(2, 3); /* a line of progress */
void gameday_surprise(struct gameday *day, const char *fmt, ...)
	PRINTFLIKE(2, 3);

/* Who is stable, whether both revisions may be released, and all SLOs pass on
 * stable; waits for that as long as a rollback may take. */
MUST_CHECK int gameday_steady(struct gameday *day, struct err *err_r);

/* Of a member that is a time, in ms; 0: there is none. */
int64_t gameday_time(const json_t *object, const char *key);

/* Whether what was moved is still to be put back: not where it went back since,
 * or where others have its users. */
MUST_CHECK int gameday_is_left(struct gameday *day,
	const struct gameday_left *left, bool *is_left_r, struct err *err_r);

MUST_CHECK int gameday_release(struct gameday *day, const char *revision,
	bool is_bad, struct gameday_result *result, struct err *err_r);

/* Starts the load, or starts it anew when it has come to its end; nothing when
 * none is wanted. */
MUST_CHECK int gameday_load_turn(struct gameday *day, struct err *err_r);
void gameday_load_end(struct gameday *day);

MUST_CHECK int gameday_faults_read(struct gameday *day, struct err *err_r);
/* Faults of the controller are the caller's: it is told to kill it. */
MUST_CHECK int gameday_fault_begin(
	const struct fault *fault, struct err *err_r);

/* The exit status: 0 when both ended as they must; -1 with err_r. */
MUST_CHECK int gameday_tell(struct gameday *day, struct err *err_r);

#endif
