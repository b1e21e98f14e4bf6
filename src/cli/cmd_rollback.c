/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tidegate rollback`: a person wants to go back, now. The same engine and the
 * same driver as `run`; a rollout that has not ended is aborted and brought to
 * its end instead.
 */
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/printable.h"
#include "base/xalloc.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"
#include "cli/rollback.h"

#define ARGUMENTS_MAX 16
#define LOOK_PAUSE_MS 200

extern const struct command cmd_abort, cmd_resume, cmd_watch;

struct rollback_args {
	const char *policy, *to, *candidate, *comment;
	const char *project, *region, *state, *as;
	int format;
	bool again, drill, quiet;
};

#define MEMBER(m) offsetof(struct rollback_args, m)

static const struct option_spec options[] = {
	{"policy", OPTION_TEXT, MEMBER(policy), "FILE",
		"whose rollback sequence is run"},
	{"to", OPTION_TEXT, MEMBER(to), "REVISION",
		"who gets all traffic (default: stable of the newest "
		"rollout of the service)"},
	{"candidate", OPTION_TEXT, MEMBER(candidate), "REVISION",
		"from whom it is taken (default: the candidate of that "
		"rollout, or who has users)"},
	{"drill", OPTION_FLAG, MEMBER(drill), NULL,
		"read and probe only: tell what would happen and what "
		"is missing"},
	{"again", OPTION_FLAG, MEMBER(again), NULL,
		"run the sequence even when stable holds all traffic"},
	{"comment", OPTION_TEXT, MEMBER(comment), "TEXT",
		"why; kept in the journal"},
	OPTION_PROJECT(struct rollback_args),
	OPTION_REGION(struct rollback_args),
	OPTION_STATE(struct rollback_args),
	OPTION_AS(struct rollback_args),
	OPTION_FORMAT(struct rollback_args),
	{"quiet", OPTION_FLAG, MEMBER(quiet), NULL, "print only how it ended"},
	{0},
};

/* ---- a rollout of its own ---- */

static int run_in_foreground(
	struct rollback *b, const struct rollback_args *args, struct err *err_r)
{
	struct observer observer = foreground_observer;
	char *who = b->foreground.who;
	char why[CONTEXT_NAME_MAX + STORE_COMMENT_MAX + 32];
	struct driver_options wanted = {
		.service = b->service,
		.starter = who,
		.wish = {.candidate = b->candidate,
			.stable = b->stable,
			.rollback_reason = why,
			.rollback_of = b->after},
		.wait_ms = -1,
	};

	observer.arg = &b->foreground;
	if (context_who(b->foreground.store, args->as, who, err_r) < 0)
		return -1;
	snprintf(why, sizeof(why), "rolled back by %s%s%s", who,
		args->comment ? ": " : "", args->comment ? args->comment : "");
	b->foreground.going_back = true;
	b->foreground.driver = fleet_run(
		b->foreground.fleet, b->policy, &wanted, &observer, err_r);
	if (!b->foreground.driver)
		return -1;
	return foreground_run(&b->foreground, err_r);
}

/* ---- one that has not ended ---- */

struct words {
	char *item[ARGUMENTS_MAX]; /* NULL-terminated; owned */
	int n;
};

static void say(struct words *words, const char *option, const char *value)
{
	if (!value)
		return;
	words->item[words->n++] =
		option ? xasprintf("--%s=%s", option, value) : xstrdup(value);
}

/* Another verb, as a person would type it. */
static int call(const struct command *verb, const struct rollback *b,
	const struct rollback_args *args, struct err *err_r)
{
	struct words words = {.n = 0};
	int status;

	say(&words, NULL, verb->name);
	say(&words, NULL, b->after);
	say(&words, "state", store_path(b->foreground.store));
	say(&words, "format", context_formats[args->format]);
	if (verb == &cmd_abort)
		say(&words, "comment", args->comment);
	if (verb != &cmd_watch)
		say(&words, "as", args->as);
	status = verb->run(words.n, words.item, err_r);
	for (int i = 0; i < ARGUMENTS_MAX; i++)
		xfree(&words.item[i]);
	return status;
}

/* How the rollout ended is what counts, whoever brought it there. */
static int ended_status(struct rollback *b, int status, struct err *err_r)
{
	struct store_rollout row;

	if (store_rollout_get(
		    b->foreground.store, b->after, &b->arena, &row, err_r) <= 0)
		return -1;
	if (!strcmp(row.phase, phase_name(PHASE_ROLLED_BACK)) ||
		!strcmp(row.phase, phase_name(PHASE_REFUSED)))
		return 0;
	return status;
}

/* Whether somebody drives what is to be taken back. Of a holder elsewhere that
 * is known when it renews its lease, or has not for long enough. */
static int is_driven(struct rollback *b, struct err *err_r)
{
	struct lease_watch seen = {0};
	struct store_lease lease;
	int64_t renewed_ms = 0;
	int held;

	for (;;) {
		held = store_lease_look(b->foreground.store, b->service,
			&b->arena, &lease, err_r);
		if (held <= 0 || strcmp(lease.rollout, b->after) != 0)
			return held < 0 ? -1 : 0;
		if (!seen.fence)
			renewed_ms = lease.renewed_ms;
		if (lease.alive || lease.renewed_ms != renewed_ms)
			return 1;
		if (lease_watch_is_over(&seen, &lease))
			return 0;
		context_pause(LOOK_PAUSE_MS);
	}
}

static int take_over(
	struct rollback *b, const struct rollback_args *args, struct err *err_r)
{
	int status, driven;

	output_text(stderr,
		"%s has not ended: it is aborted, by the policy it was started "
		"with\n",
		b->after);
	status = call(&cmd_abort, b, args, err_r);
	if (status < 0 && err_r->code != ERR_REFUSED)
		return -1;
	if (status < 0) /* it goes back already, or has ended meanwhile */
		output_error(err_r->text);
	driven = is_driven(b, err_r);
	if (driven < 0)
		return -1;
	status = call(driven ? &cmd_watch : &cmd_resume, b, args, err_r);
	return status < 0 ? -1 : ended_status(b, status, err_r);
}

/* ---- nothing to do ---- */

static void say_nothing(const struct rollback *b)
{
	struct buf out;
	struct jsonw w = {.out = &out};

	buf_init(&out, OUTPUT_BYTES_MAX);
	if (b->foreground.format == FORMAT_JSON) {
		jsonw_object(&w, NULL);
		jsonw_text(&w, "event", "finished");
		jsonw_text(&w, "outcome", "nothing-to-do");
		jsonw_text(&w, "stable", b->stable);
		jsonw_int(&w, "exit", 0);
		jsonw_end(&w, '}');
	} else {
		buf_adds(&out, "nothing to do: ");
		printable_add(&out, b->stable);
		buf_adds(&out, " holds all traffic and no sequence is "
			       "unfinished (--again runs it all the same)");
	}
	buf_addc(&out, '\n');
	output_write(stdout, &out);
	buf_fini(&out);
}

/* ---- in order ---- */

static int go_back(
	struct rollback *b, const struct rollback_args *args, struct err *err_r)
{
	int wanted;

	if (rollback_look_back(b, err_r) < 0)
		return -1;
	if (b->unfinished && !args->drill)
		return take_over(b, args, err_r);
	if (foreground_open(&b->foreground, err_r) < 0 ||
		rollback_survey(b, err_r) < 0)
		return -1;
	wanted = rollback_decide(b, err_r);
	if (wanted < 0)
		return -1;
	if (args->drill)
		return rollback_drill(b, err_r);
	if (wanted)
		return run_in_foreground(b, args, err_r);
	say_nothing(b);
	return 0;
}

static int rollback_service(struct rollback *b,
	const struct rollback_args *args, struct context_target *target,
	struct err *err_r)
{
	int status = -1;

	context_take_policy(target, b->policy);
	if (context_resolve(target, &b->arena, err_r) < 0)
		return -1;
	b->service = target->name;
	b->foreground.project = target->project;
	b->foreground.region = target->region;
	b->foreground.format = args->format;
	b->foreground.quiet = args->quiet;
	b->foreground.store = context_store(args->state, STORE_CREATE, err_r);
	if (!b->foreground.store)
		return -1;
	status = go_back(b, args, err_r);
	service_free(&b->found);
	foreground_close(&b->foreground);
	store_free(&b->foreground.store);
	return status;
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct rollback_args args = {0};
	struct rollback b = {0};
	struct context_target target;
	struct policy *policy;
	int status;

	if (args_parse(options, &args, &argc, argv, err_r) < 0 ||
		args_count(argc, argv, "[SERVICE]", 0, 1, err_r) < 0)
		return -1;
	if (!args.policy)
		return err_set(err_r, ERR_USAGE, "--policy is missing");
	if (!args.drill) /* its result is all there is to a drill */
		output_never_wait(args.format == FORMAT_JSON);
	target = (struct context_target){
		.project = args.project,
		.region = args.region,
		.service = argc > 1 ? argv[1] : NULL,
	};
	policy = context_policy(args.policy, NULL, &target, err_r);
	if (!policy)
		return -1;
	b.policy = policy;
	b.to = args.to;
	b.wanted_candidate = args.candidate;
	b.again = args.again;
	arena_init(&b.arena);
	status = rollback_service(&b, &args, &target, err_r);
	arena_fini(&b.arena);
	policy_free(&policy);
	return status;
}

const struct command cmd_rollback = {
	.name = "rollback",
	.usage = "SERVICE --policy FILE",
	.summary = "Take the traffic back now and run the rollback sequence",
	.options = options,
	.run = run,
};
