/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tidegate gameday`: a bad revision is released on purpose and has to be taken
 * back, a good one has to be promoted, and what was moved is put back whatever
 * happens. See gameday.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/xalloc.h"
#include "cli/command.h"
#include "cli/gameday.h"
#include "cli/output.h"
#include "io/clock.h"

#define WITHIN_MS        180000
#define WITHIN_MS_MIN    1000
#define STATUS_NOT_CLEAN 9 /* as of a rollback that failed */

#define MEMBER(m) offsetof(struct gameday_args, m)

static const struct option_spec options[] = {
	{.name = "policy",
		.type = OPTION_TEXT,
		.offset = MEMBER(policy),
		.value = "FILE",
		.help = "how to release; it has to allow game days"},
	{.name = "bad",
		.type = OPTION_TEXT,
		.offset = MEMBER(bad),
		.value = "REVISION",
		.help = "has to be taken back"},
	{.name = "good",
		.type = OPTION_TEXT,
		.offset = MEMBER(good),
		.value = "REVISION",
		.help = "has to be promoted (default: the latest ready "
			"revision)"},
	{.name = "within",
		.type = OPTION_DURATION,
		.offset = MEMBER(within_ms),
		.value = "TIME",
		.help = "the bad one may have users no longer than this "
			"(default: 3m)"},
	{.name = "fault",
		.type = OPTION_LIST,
		.offset = MEMBER(faults),
		.value = "FAULT",
		.help = "after so long goes wrong while the bad one is "
			"released: crash@5s+2s (the controller is killed, and "
			"resumed), in a sandbox patch-503@5s+10s, "
			"patch-lost@5s+10s; may be repeated"},
	{.name = "load",
		.type = OPTION_TEXT,
		.offset = MEMBER(load),
		.value = "NAME",
		.help = "this load of the policy runs all day long"},
	{.name = "url",
		.type = OPTION_TEXT,
		.offset = MEMBER(url),
		.value = "URL",
		.help = "of the service, for the load: where its users come"},
	{.name = "output",
		.type = OPTION_TEXT,
		.offset = MEMBER(output),
		.letter = 'o',
		.value = "NAME",
		.help = "write the report to NAME.md and NAME.html"},
	{.name = "clean",
		.type = OPTION_FLAG,
		.offset = MEMBER(clean),
		.help = "only put back what a game day that died has left"},
	OPTION_PROJECT(struct gameday_args),
	OPTION_REGION(struct gameday_args),
	OPTION_STATE(struct gameday_args),
	OPTION_AS(struct gameday_args),
	OPTION_FORMAT(struct gameday_args),
	{0},
};

/* ---- putting back ---- */

/* The exit status of the rollback. It takes nothing from another revision than
 * the one that is given; NULL: than that of its own rollout. */
static int put_back(struct gameday *day, const struct gameday_place *place,
	const char *stable, const char *from, struct err *err_r)
{
	struct gameday_words words = {.n = 0};
	json_t *last;
	int status;

	gameday_say(day, "all traffic goes back to %s", stable);
	gameday_words(day, &words, "rollback", place);
	gameday_option(&words, "to", stable);
	gameday_option(&words, "candidate", from);
	gameday_option(&words, "comment", "the end of a game day");
	if (gameday_child_run(&words, &last, &status, err_r) < 0)
		return -1;
	json_decref(last);
	return status;
}

static int say_ended(struct gameday *day, bool met, struct err *err_r)
{
	return gameday_book_write(&day->book,
		json_pack("{s:s, s:b}", "event", "ended", "met", met), err_r);
}

static int put_left_back(
	struct gameday *day, const struct gameday_left *left, struct err *err_r)
{
	bool is_left = false;

	if (left->moved && left->revision &&
		gameday_is_left(day, left, &is_left, err_r) < 0)
		return -1;
	if (is_left)
		return put_back(
			day, &left->place, left->stable, left->revision, err_r);
	gameday_say(day, "nothing of it is left to be put back");
	return 0;
}

/* What a day before this one has left. 0: there is nothing any more. */
static int clean(struct gameday *day, struct err *err_r)
{
	struct gameday_left left;
	int status;

	if (gameday_book_read(&day->book, &day->arena, &left, err_r) < 0)
		return -1;
	if (!left.place.service)
		return 0;
	gameday_say(day, "a game day of %s did not come to its end",
		left.place.service);
	status = put_left_back(day, &left, err_r);
	if (status < 0)
		return -1;
	if (status > 0)
		return err_set(err_r, ERR_REFUSED,
			"what a game day of %.160s has left could not be put "
			"back: tidegate rollback %.160s --policy %.300s --to "
			"%.60s --candidate %.60s",
			left.place.service, left.place.service,
			left.place.policy, left.stable, left.revision);
	return say_ended(day, false, err_r);
}

/* ---- the day ---- */

static int begin(struct gameday *day, struct err *err_r)
{
	const struct gameday_place *place = &day->place;

	day->story.began_ms = clock_wall_ms();
	if (gameday_steady(day, err_r) < 0)
		return -1;
	gameday_say(day, "steady: %s holds all traffic, all SLOs pass",
		day->stable);
	return gameday_book_write(&day->book,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "event",
			"begun", "service", place->service, "policy",
			place->policy, "stable", day->stable, "bad", day->bad,
			"good", day->good, "project", place->project, "region",
			place->region),
		err_r);
}

/* The good one has to wait until the bad one has been taken back. */
static int release_both(struct gameday *day, struct err *err_r)
{
	if (gameday_release(day, day->bad, true, &day->bad_result, err_r) < 0)
		return -1;
	if (day->dirty || day->bad_result.cut || gameday_was_stopped() ||
		strcmp(day->bad_result.outcome, "rolled-back") != 0)
		return 0;
	return gameday_release(day, day->good, false, &day->good_result, err_r);
}

/* How the service is left; the exit status when it is not as it should be. */
static int end(struct gameday *day, struct err *err_r)
{
	bool promoted = !strcmp(day->good_result.outcome, "promoted");
	const char *holder = promoted ? day->good : day->stable;
	int status = 0;

	if (day->dirty)
		status = put_back(day, &day->place, day->stable, NULL, err_r);
	if (status < 0)
		return -1;
	day->story.left = arena_printf(&day->arena,
		status ? "all traffic could not be given back to %s: see to it "
			 "now"
		       : "%s holds all traffic",
		holder);
	day->story.ended_ms = clock_wall_ms();
	return status ? STATUS_NOT_CLEAN : 0;
}

static int hold_day(struct gameday *day, struct err *err_r)
{
	int status, unclean;
	struct err err;

	if (begin(day, err_r) < 0)
		return -1;
	status = release_both(day, err_r);
	gameday_load_end(day);
	unclean = end(day, status < 0 ? &err : err_r);
	if (status < 0 || unclean < 0)
		return -1; /* the book says what is left */
	status = gameday_tell(day, err_r);
	if (!unclean && say_ended(day, status == 0, err_r) < 0)
		return -1;
	return unclean && status >= 0 ? unclean : status;
}

/* ---- what was asked for ---- */

static int check_policy(const struct policy *policy, struct err *err_r)
{
	if (policy->gameday_allowed)
		return 0;
	return err_set(err_r, ERR_REFUSED,
		"the policy \"%.63s\" does not allow game days, on which users "
		"get a bad revision on purpose: where that may be, never in "
		"production, write gameday: {allow: true} into it",
		policy->name);
}

static int open_day(struct gameday *day, const char *service, struct err *err_r)
{
	const struct gameday_args *args = day->args;
	char *path;

	day->target = (struct context_target){.project = args->project,
		.region = args->region,
		.service = service};
	day->policy = context_policy(args->policy, NULL, &day->target, err_r);
	if (!day->policy || check_policy(day->policy, err_r) < 0)
		return -1;
	context_take_policy(&day->target, day->policy);
	if (context_resolve(&day->target, &day->arena, err_r) < 0)
		return -1;
	path = realpath(args->policy, NULL);
	day->place = (struct gameday_place){day->target.name,
		arena_strdup(&day->arena, path ? path : args->policy),
		day->target.project, day->target.region};
	free(path);
	day->bad = args->bad;
	return gameday_faults_read(day, err_r);
}

static int hold(struct gameday *day, const char *service, struct err *err_r)
{
	if (!day->args->clean && open_day(day, service, err_r) < 0)
		return -1;
	if (context_who(NULL, day->args->as, day->who, err_r) < 0 ||
		gameday_book_open(&day->book, day->state, err_r) < 0)
		return -1;
	gameday_catch_signals();
	if (clean(day, err_r) < 0)
		return -1;
	return day->args->clean ? 0 : hold_day(day, err_r);
}

static int check_args(
	const struct gameday_args *args, int argc, struct err *err_r)
{
	if (args->clean)
		return argc == 1 ? 0
				 : err_set(err_r, ERR_USAGE,
					   "--clean stands alone: the book of "
					   "game days says which service it "
					   "was");
	if (!args->policy)
		return err_set(err_r, ERR_USAGE, "--policy is missing");
	if (!args->bad)
		return err_set(err_r, ERR_USAGE,
			"--bad is missing: which revision has to be taken "
			"back?");
	if (args->url && !args->load)
		return err_set(err_r, ERR_USAGE,
			"--url is for a load: say which of the policy's by "
			"--load NAME");
	if (args->output && output_is_stdout(args->output))
		return err_set(err_r, ERR_USAGE,
			"-o - is one text: the report is two files, name them");
	if (args->within_ms < WITHIN_MS_MIN)
		return err_set(err_r, ERR_USAGE,
			"--within: a rollback may take 1s at least");
	return 0;
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct gameday_args args = {.within_ms = WITHIN_MS};
	static const struct gameday_result none = {
		.rollout = "", .outcome = "", .reason = ""};
	struct gameday day = {.args = &args,
		.book = {.fd = -1},
		.bad_result = none,
		.good_result = none};
	int status;

	if (args_parse(options, &args, &argc, argv, err_r) < 0 ||
		args_count(argc, argv, "[SERVICE]", 0, 1, err_r) < 0 ||
		check_args(&args, argc, err_r) < 0)
		return -1;
	arena_init(&day.arena);
	day.state = args.state ? xstrdup(args.state) : store_default_path();
	status = hold(&day, argc > 1 ? argv[1] : NULL, err_r);
	gameday_load_end(&day);
	gameday_book_close(&day.book);
	policy_free(&day.policy);
	arena_fini(&day.arena);
	free(day.state);
	return status;
}

const struct command workbench_gameday = {
	.name = "gameday",
	.usage = "SERVICE --policy FILE --bad REVISION",
	.summary = COMMAND_GAMEDAY_SUMMARY,
	.options = options,
	.run = run,
	.details = "Proves that a release that goes wrong is taken back: only "
		   "where the policy\n"
		   "says gameday: {allow: true}. It looks whether all SLOs "
		   "pass, releases the bad\n"
		   "revision, which has to be rolled back in time with every "
		   "action done, then the\n"
		   "good one, which has to be promoted. Exit status 0: both "
		   "came; 1: not; 4:\n"
		   "nothing was moved; 9: the traffic could not be put back. "
		   "What it begins is\n"
		   "kept beside the state file: if it dies, the next game day, "
		   "or --clean, puts it\n"
		   "back first.\n",
};
