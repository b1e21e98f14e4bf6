/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tidegate approve, reject, pause, continue, abort`: a person's decision.
 *
 * The engine is asked first, about the folded state: what it would refuse is
 * refused here. Then the decision is left in the state file and the
 * process that drives the rollout takes it.
 */
#include <stdio.h>

#include "base/jsonw.h"
#include "base/printable.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/decide_print.h"
#include "cli/output.h"
#include "engine/outlook.h"
#include "io/clock.h"
#include "status/rollout_snapshot.h"

#define ANSWER_MS 5000 /* how long the driver may take */
#define PAUSE_MS  20

#define STATUS_WAITING 8 /* recorded, but the driver has not answered */

struct decide_args {
	const char *state, *as, *comment;
	int format;
};

#define MEMBER(m) offsetof(struct decide_args, m)

static const struct option_spec options[] = {
	{"comment", OPTION_TEXT, MEMBER(comment), "TEXT",
		"why; kept in the journal with the decision"},
	OPTION_AS(struct decide_args),
	OPTION_STATE(struct decide_args),
	OPTION_SERVER(struct decide_args),
	OPTION_FORMAT(struct decide_args),
	{0},
};

struct decision {
	struct store *store;
	struct rollout_snapshot *snapshot;
	struct store_command command;
	char who[CONTEXT_NAME_MAX];
	int format;
};

/* ---- would the engine take it ---- */

static int ask_engine(const struct decision *d, struct err *err_r)
{
	char text[ROLLOUT_TEXT_MAX];
	const char *why = rollout_refuses(d->snapshot->policy,
		&d->snapshot->fold.state, verb_find(d->command.verb),
		d->command.step, d->command.who, text);

	if (why)
		return err_set(err_r, ERR_REFUSED, "%s %s is refused: %s",
			d->command.verb, d->command.rollout, why);
	return 0;
}

/* ---- the driver's answer ---- */

/* 0 still waiting, 1 answered, -1 error. */
static int look_for_answer(struct decision *d, struct err *err_r)
{
	struct arena *arena = &d->snapshot->arena;

	if (store_command_get(
		    d->store, d->command.id, arena, &d->command, err_r))
		return -1;
	return d->command.state != 0;
}

static int wait_for_answer(struct decision *d, struct err *err_r)
{
	int64_t until_ms = clock_boot_ms() + ANSWER_MS;
	int64_t counter, seen = -1;
	int answered = 0;

	while (!answered && clock_boot_ms() < until_ms) {
		if (store_change_counter(d->store, &counter, err_r))
			return -1;
		if (counter == seen) {
			context_pause(PAUSE_MS);
			continue;
		}
		seen = counter;
		answered = look_for_answer(d, err_r);
	}
	return answered;
}

/* ---- what is said about it ---- */

static void print_json(const struct rollout_snapshot *snapshot,
	const struct store_command *command, bool driven, struct buf *out)
{
	static const char *const states[] = {"waiting", "taken", "refused"};
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_text(&w, "rollout", command->rollout);
	jsonw_text(&w, "command", command->verb);
	jsonw_text(&w, "who", command->who);
	jsonw_text(&w, "state", states[command->state]);
	jsonw_text(&w, "phase", phase_name(snapshot->fold.state.phase));
	jsonw_bool(&w, "driven", driven);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

static void print_text(const struct rollout_snapshot *snapshot,
	const struct store_command *command, bool driven, struct buf *out)
{
	const struct rollout *r = &snapshot->fold.state;

	buf_addf(out, "%s %s by ", command->verb, command->rollout);
	printable_add(out, command->who);
	if (command->state)
		buf_addf(out, ": done, it is %s now%s\n", phase_name(r->phase),
			rollout_is_paused(r) && r->phase != PHASE_PAUSED
				? " and stays paused after that"
				: "");
	else if (driven)
		buf_adds(out,
			": recorded, but the process that drives the rollout "
			"has not answered yet; tidegate status shows when it "
			"has\n");
	else
		buf_addf(out,
			": recorded; nobody drives the rollout, it is taken "
			"by\n  tidegate resume %s\n",
			command->rollout);
}

void decide_print(const struct rollout_snapshot *snapshot,
	const struct store_command *command, bool driven, int format)
{
	struct buf out;

	buf_init(&out, OUTPUT_BYTES_MAX);
	if (format == FORMAT_JSON)
		print_json(snapshot, command, driven, &out);
	else
		print_text(snapshot, command, driven, &out);
	output_write(stdout, &out);
	buf_fini(&out);
}

/* ---- in order ---- */

static int deliver(struct decision *d, struct err *err_r)
{
	struct store_lease lease;
	int driven, answered = 0;

	if (store_command_add(d->store, &d->command, &d->command.id, err_r))
		return -1;
	driven = rollout_snapshot_driver(d->snapshot, d->store, &lease, err_r);
	if (driven > 0)
		answered = wait_for_answer(d, err_r);
	if (driven < 0 || answered < 0 ||
		rollout_snapshot_update(d->snapshot, d->store, err_r))
		return -1;
	if (d->command.state == 2)
		return err_set(err_r, ERR_REFUSED, "%s %s is refused: %s",
			d->command.verb, d->command.rollout, d->command.answer);
	decide_print(d->snapshot, &d->command, driven > 0, d->format);
	return driven && !answered ? STATUS_WAITING : 0;
}

static int decide(struct decision *d, const char *verb,
	const struct decide_args *args, struct err *err_r)
{
	if (context_who(d->store, args->as, d->who, err_r))
		return -1;
	d->command = (struct store_command){
		.rollout = d->snapshot->row.id,
		.verb = verb,
		.who = d->who,
		.comment = args->comment ? args->comment : "",
		/* The gate that is open now: a late approval or rejection
		 * must not answer the next one. */
		.step = d->snapshot->fold.state.step,
		.time_ms = clock_wall_ms(),
	};
	if (ask_engine(d, err_r))
		return -1;
	return deliver(d, err_r);
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct decide_args args = {0};
	struct decision d = {0};
	int status = -1;

	if (args_parse(options, &args, &argc, argv, err_r) ||
		args_count(argc, argv, "[ROLLOUT]", 0, 1, err_r))
		return -1;
	d.format = args.format;
	d.store = context_store(args.state, STORE_EDIT, err_r);
	if (!d.store)
		return -1;
	d.snapshot = rollout_snapshot_load(
		d.store, argc > 1 ? argv[1] : NULL, SNAPSHOT_UNFINISHED, err_r);
	if (d.snapshot)
		status = decide(&d, argv[0], &args, err_r);
	rollout_snapshot_free(&d.snapshot);
	store_free(&d.store);
	return status;
}

#define DECISION(verb, text)                \
	const struct command cmd_##verb = { \
		.name = #verb,              \
		.usage = "[ROLLOUT]",       \
		.summary = text,            \
		.options = options,         \
		.run = run,                 \
	}

DECISION(approve, "Let a rollout that waits for approval go on to its step");
DECISION(reject, "Refuse the approval: the rollout is rolled back");
DECISION(pause, "Stop before the next step; SLOs are checked all the while");
DECISION(continue, "Go on after a pause or a hold");
DECISION(abort, "Take the traffic back and run the rollback sequence");
