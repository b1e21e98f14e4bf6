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
#include "cli/foreground.h"
#include "cli/output.h"
#include "io/loop.h"
#include "live/rollback.h"
#include "store/store_drill.h"

#define ARGUMENTS_MAX 16
#define LOOK_PAUSE_MS 200
#define DRILL_MISSING 4 /* the exit status */

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

/* The verb: what is found out, and a rollout in the foreground. */
struct going_back {
	struct rollback back;
	struct foreground foreground;
	struct rollback_survey *survey; /* NULL: it is not waited for */
	struct rollback_drill *drill; /* likewise */
	int status; /* of a drill */
	struct err err; /* of what is waited for; ERR_NONE: it went well */
};

/* ---- a rollout of its own ---- */

static int run_in_foreground(struct going_back *g,
	const struct rollback_args *args, struct err *err_r)
{
	struct observer observer = foreground_observer;
	const struct rollback *b = &g->back;
	char *who = g->foreground.who;
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

	observer.arg = &g->foreground;
	if (context_who(g->foreground.store, args->as, who, err_r) < 0)
		return -1;
	snprintf(why, sizeof(why), "rolled back by %s%s%s", who,
		args->comment ? ": " : "", args->comment ? args->comment : "");
	g->foreground.going_back = true;
	g->foreground.driver = fleet_run(
		g->foreground.fleet, b->policy, &wanted, &observer, err_r);
	if (!g->foreground.driver)
		return -1;
	return foreground_run(&g->foreground, err_r);
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
static int call(const struct command *verb, const struct going_back *g,
	const struct rollback_args *args, struct err *err_r)
{
	struct words words = {.n = 0};
	int status;

	say(&words, NULL, verb->name);
	say(&words, NULL, g->back.after);
	say(&words, "state", store_path(g->foreground.store));
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
static int ended_status(struct going_back *g, int status, struct err *err_r)
{
	struct store_rollout row;

	if (store_rollout_get(g->foreground.store, g->back.after,
		    &g->back.arena, &row, err_r) <= 0)
		return -1;
	if (!strcmp(row.phase, phase_name(PHASE_ROLLED_BACK)) ||
		!strcmp(row.phase, phase_name(PHASE_REFUSED)))
		return 0;
	return status;
}

/* Whether somebody drives what is to be taken back. Of a holder elsewhere that
 * is known when it renews its lease, or has not for long enough. */
static int is_driven(struct going_back *g, struct err *err_r)
{
	struct lease_watch seen = {0};
	struct store_lease lease;
	int64_t renewed_ms = 0;
	int held;

	for (;;) {
		held = store_lease_look(g->foreground.store, g->back.service,
			&g->back.arena, &lease, err_r);
		if (held <= 0 || strcmp(lease.rollout, g->back.after) != 0)
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

static int take_over(struct going_back *g, const struct rollback_args *args,
	struct err *err_r)
{
	int status, driven;

	output_text(stderr,
		"%s has not ended: it is aborted, by the policy it was started "
		"with\n",
		g->back.after);
	status = call(&cmd_abort, g, args, err_r);
	if (status < 0 && err_r->code != ERR_REFUSED)
		return -1;
	if (status < 0) /* it goes back already, or has ended meanwhile */
		output_error(err_r->text);
	driven = is_driven(g, err_r);
	if (driven < 0)
		return -1;
	status = call(driven ? &cmd_watch : &cmd_resume, g, args, err_r);
	return status < 0 ? -1 : ended_status(g, status, err_r);
}

/* ---- nothing to do ---- */

static void say_nothing(const struct going_back *g)
{
	struct buf out;
	struct jsonw w = {.out = &out};

	buf_init(&out, OUTPUT_BYTES_MAX);
	if (g->foreground.format == FORMAT_JSON) {
		jsonw_object(&w, NULL);
		jsonw_text(&w, "event", "finished");
		jsonw_text(&w, "outcome", "nothing-to-do");
		jsonw_text(&w, "stable", g->back.stable);
		jsonw_int(&w, "exit", 0);
		jsonw_end(&w, '}');
	} else {
		buf_adds(&out, "nothing to do: ");
		printable_add(&out, g->back.stable);
		buf_adds(&out, " holds all traffic and no sequence is "
			       "unfinished (--again runs it all the same)");
	}
	buf_addc(&out, '\n');
	output_write(stdout, &out);
	buf_fini(&out);
}

/* ---- the service ---- */

static void survey_done(const struct err *err, void *arg)
{
	struct going_back *g = arg;

	g->survey = NULL;
	if (err)
		g->err = *err;
	loop_stop(g->foreground.world.loop);
}

/* Waits for the service as long as a revert would. */
static int survey(struct going_back *g, struct err *err_r)
{
	struct world *world = &g->foreground.world;

	g->survey = rollback_survey_start(world, &g->back,
		g->back.policy->revert_timeout_ms, survey_done, g);
	if (loop_run(world->loop, err_r) < 0)
		return -1;
	if (!g->err.code)
		return 0;
	*err_r = g->err;
	return -1;
}

/* ---- a drill ---- */

static void print_table(const struct drill_report *report, struct buf *out)
{
	static const char *const heads[] = {"WHAT", "NAME", "", "DETAIL"};
	const struct drill_item *item = report->item;
	struct table table;

	table_init(&table, 4);
	table_add(&table, heads);
	for (size_t i = 0; i < report->n; i++) {
		const char *const cells[] = {item[i].what, item[i].name,
			item[i].is_ready ? "ready" : "MISSING", item[i].detail};

		table_add(&table, cells);
	}
	table_print(&table, out);
	table_fini(&table);
	if (report->n_missing)
		buf_addf(out, "not ready: %zu of these %s missing\n",
			report->n_missing,
			report->n_missing == 1 ? "is" : "are");
	else
		buf_adds(out, "ready; nothing was written\n");
}

static void print_json(
	const struct drill_report *report, int status, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	drill_report_print(report, &w);
	jsonw_int(&w, "exit", status);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

static void drill_done(const struct drill_report *report, void *arg)
{
	struct going_back *g = arg;
	struct buf out;

	g->drill = NULL;
	g->status = report->n_missing ? DRILL_MISSING : 0;
	buf_init(&out, OUTPUT_BYTES_MAX);
	if (g->foreground.format == FORMAT_JSON)
		print_json(report, g->status, &out);
	else
		print_table(report, &out);
	output_write(stdout, &out);
	buf_fini(&out);
	loop_stop(g->foreground.world.loop);
}

/* For who asks when it was last drilled; the result does not depend on it. */
static void note_drill(struct going_back *g, const struct rollback_args *args)
{
	const struct store_drill drill = {
		.service = g->back.service,
		.who = g->foreground.who,
		.time_ms = loop_wall_ms(g->foreground.world.loop),
	};
	struct err err;

	if (context_who(g->foreground.store, args->as, g->foreground.who,
		    &err) < 0 ||
		store_drill_note(g->foreground.store, &drill, &err) < 0)
		output_text(stderr,
			"tidegate: that it was drilled is not kept: %s\n",
			err.text);
}

static int drill(struct going_back *g, const struct rollback_args *args,
	struct err *err_r)
{
	struct world *world = &g->foreground.world;

	if (rollback_recall(&g->back, g->foreground.store, err_r) < 0)
		return -1;
	g->drill = rollback_drill_start(world, &g->back, drill_done, g, err_r);
	if (!g->drill || loop_run(world->loop, err_r) < 0)
		return -1;
	if (!g->status)
		note_drill(g, args);
	return g->status;
}

/* ---- in order ---- */

static int go_back(struct going_back *g, const struct rollback_args *args,
	struct err *err_r)
{
	int wanted;

	if (rollback_look_back(&g->back, g->foreground.store, err_r) < 0)
		return -1;
	if (g->back.unfinished && !args->drill)
		return take_over(g, args, err_r);
	if (foreground_open(&g->foreground, err_r) < 0 || survey(g, err_r) < 0)
		return -1;
	wanted = rollback_decide(&g->back, err_r);
	if (wanted < 0)
		return -1;
	if (args->drill)
		return drill(g, args, err_r);
	if (wanted)
		return run_in_foreground(g, args, err_r);
	say_nothing(g);
	return 0;
}

static int rollback_service(struct going_back *g,
	const struct rollback_args *args, struct context_target *target,
	struct err *err_r)
{
	int status;

	context_take_policy(target, g->back.policy);
	if (context_resolve(target, &g->back.arena, err_r) < 0)
		return -1;
	g->back.service = target->name;
	g->foreground.project = target->project;
	g->foreground.region = target->region;
	g->foreground.format = args->format;
	g->foreground.quiet = args->quiet;
	g->foreground.store = context_store(args->state, STORE_CREATE, err_r);
	if (!g->foreground.store)
		return -1;
	g->back.state = store_path(g->foreground.store);
	status = go_back(g, args, err_r);
	rollback_survey_cancel(&g->survey);
	rollback_drill_cancel(&g->drill);
	foreground_close(&g->foreground);
	store_free(&g->foreground.store);
	return status;
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct rollback_args args = {0};
	struct going_back g = {0};
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
	rollback_init(&g.back);
	g.back.policy = policy;
	g.back.dashes = "--";
	g.back.to = args.to;
	g.back.wanted_candidate = args.candidate;
	g.back.again = args.again;
	status = rollback_service(&g, &args, &target, err_r);
	rollback_fini(&g.back);
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
