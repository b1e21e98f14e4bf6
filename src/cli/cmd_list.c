/* SPDX-License-Identifier: Apache-2.0 */
/* `tidegate list`: the rollouts of a state file; what runs comes first. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/printable.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/list_table.h"
#include "cli/local_clock.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "cli/wrap.h"
#include "status/rollout_row.h"

#define LIMIT_DEFAULT     20
#define TRIES_LOOKED_AT   20 /* rollouts for each row of the limit */
#define PAUSE_MS          100 /* between two looks for news */
#define LIST_OUTPUT_BYTES (64 * 1024 * 1024)

struct list_args {
	const char *state, *service;
	int format, limit;
	bool unfinished, watch, utc;
};

#define MEMBER(m) offsetof(struct list_args, m)

static const struct option_spec options[] = {
	{"service", OPTION_TEXT, MEMBER(service), "SERVICE",
		"only those of this service (short or full name)"},
	{"unfinished", OPTION_FLAG, MEMBER(unfinished), NULL,
		"only those that have not ended"},
	{.name = "limit",
		.type = OPTION_INT,
		.offset = MEMBER(limit),
		.value = "N",
		.help = "the newest N that have ended (default: 20)",
		.min = 1,
		.max = STORE_LIST_MAX},
	{.name = "watch",
		.letter = 'w',
		.type = OPTION_FLAG,
		.offset = MEMBER(watch),
		.help = "follow all of them: what changes, until interrupted"},
	OPTION_STATE(struct list_args),
	OPTION_SERVER(struct list_args),
	OPTION_UTC(struct list_args),
	OPTION_FORMAT(struct list_args),
	{0},
};

/* ---- what the state file has ---- */

struct look {
	struct arena arena;
	struct store_rollout *running, *newest;
	size_t n_running, n_newest;
};

/* Tries that are one row are looked for among as many times the limit. */
static int look_at(struct store *store, const struct list_args *args,
	struct look *look, struct err *err_r)
{
	struct store_filter running = {
		.service = args->service, .unfinished = true};
	struct store_filter newest = {.service = args->service,
		.limit = args->limit > STORE_LIST_MAX / TRIES_LOOKED_AT
				 ? STORE_LIST_MAX
				 : args->limit * TRIES_LOOKED_AT};

	*look = (struct look){0};
	arena_init(&look->arena);
	if (store_rollout_list(store, &running, &look->arena, &look->running,
		    &look->n_running, err_r) ||
		((args->watch || !args->unfinished) &&
			store_rollout_list(store, &newest, &look->arena,
				&look->newest, &look->n_newest, err_r))) {
		arena_fini(&look->arena);
		return -1;
	}
	return 0;
}

static size_t add_table(const struct look *look, const struct list_args *args,
	int columns, int lines, struct buf *out)
{
	const struct list_table table = {
		.running = look->running,
		.n_running = look->n_running,
		.newest = look->newest,
		.n_newest = args->unfinished ? 0 : look->n_newest,
		.limit = (size_t)args->limit,
		.columns = columns,
		.lines = (size_t)lines,
		.clock = local_clock_unless(args->utc),
	};

	return list_table_print(&table, out);
}

/* ---- once ---- */

/* First what has not ended; the limit is of what has. */
static int print_json(
	struct store *store, const struct list_args *args, struct err *err_r)
{
	struct store_filter running = {
		.service = args->service, .unfinished = true};
	struct store_filter ended = {.service = args->service,
		.state = STORE_ENDED,
		.limit = args->limit};
	struct store_rollout *list[2];
	struct arena arena;
	struct buf out;
	struct jsonw w = {.out = &out};
	size_t n[2] = {0, 0};
	int rc;

	arena_init(&arena);
	buf_init(&out, LIST_OUTPUT_BYTES);
	rc = store_rollout_list(
		store, &running, &arena, &list[0], &n[0], err_r);
	if (!rc && !args->unfinished)
		rc = store_rollout_list(
			store, &ended, &arena, &list[1], &n[1], err_r);
	jsonw_array(&w, NULL);
	for (size_t of = 0; !rc && of < 2; of++)
		for (size_t i = 0; i < n[of]; i++)
			rollout_row_print(&w, &list[of][i]);
	jsonw_end(&w, ']');
	buf_addc(&out, '\n');
	if (!rc)
		output_write(stdout, &out);
	buf_fini(&out);
	arena_fini(&arena);
	return rc;
}

static int print_text(
	struct store *store, const struct list_args *args, struct err *err_r)
{
	struct look look;
	struct buf out;

	if (look_at(store, args, &look, err_r))
		return -1;
	buf_init(&out, LIST_OUTPUT_BYTES);
	if (!add_table(&look, args, wrap_columns(stdout), 0, &out))
		output_text(
			stderr, "no such rollout in %s\n", store_path(store));
	output_write(stdout, &out);
	buf_fini(&out);
	arena_fini(&look.arena);
	return 0;
}

/* ---- again and again ---- */

struct following {
	struct store *store;
	const struct list_args *args;
	struct look seen; /* of the last look */
	bool has_seen;
	struct screen screen; /* of a terminal */
	int columns, rows; /* of it, when it was painted last */
};

static bool is_news(const struct look *seen, const struct store_rollout *now)
{
	const struct store_rollout *before;
	size_t i;

	for (i = 0; i < seen->n_newest; i++) {
		before = &seen->newest[i];
		if (!strcmp(before->id, now->id))
			return strcmp(before->phase, now->phase) != 0 ||
			       strcmp(before->reason, now->reason) != 0;
	}
	return true;
}

static void add_line(const struct list_args *args,
	const struct store_rollout *rollout, struct buf *out)
{
	struct jsonw w = {.out = out};

	if (args->format == FORMAT_JSON) {
		rollout_row_print(&w, rollout);
		buf_addc(out, '\n');
		return;
	}
	printable_add(out, rollout->id);
	buf_adds(out, "  ");
	printable_add(out, rollout->phase);
	if (*rollout->reason) {
		buf_adds(out, ": ");
		printable_add(out, rollout->reason);
	}
	buf_addc(out, '\n');
}

/* What has changed, the oldest first; at the first look what runs. */
static void add_news(
	const struct following *f, const struct look *now, struct buf *out)
{
	size_t i;

	for (i = now->n_newest; i-- > 0;) {
		if (f->has_seen ? is_news(&f->seen, &now->newest[i])
				: !now->newest[i].ended_ms)
			add_line(f->args, &now->newest[i], out);
	}
}

static bool is_painted(const struct following *f)
{
	return f->args->format == FORMAT_TEXT && screen_can_paint(stdout);
}

static bool is_resized(const struct following *f)
{
	return is_painted(f) && (screen_columns(&f->screen) != f->columns ||
					screen_rows(&f->screen) != f->rows);
}

/* The line below the last one is the cursor's. */
static void paint(struct following *f, const struct look *now, struct buf *out)
{
	struct buf none;

	f->columns = screen_columns(&f->screen);
	f->rows = screen_rows(&f->screen);
	if (!add_table(now, f->args, f->columns, f->rows - 1, out))
		buf_adds(out, "no rollout yet\n");
	buf_init(&none, 0);
	screen_update(&f->screen, &none, out);
	buf_fini(&none);
}

static int show(struct following *f, struct err *err_r)
{
	struct look now;
	struct buf out;

	if (look_at(f->store, f->args, &now, err_r))
		return -1;
	buf_init(&out, LIST_OUTPUT_BYTES);
	if (is_painted(f)) {
		paint(f, &now, &out);
	} else {
		add_news(f, &now, &out);
		output_write(stdout, &out);
	}
	buf_fini(&out);
	arena_fini(&f->seen.arena);
	f->seen = now;
	f->has_seen = true;
	return output_catch_up(stdout, err_r);
}

/* Until it is interrupted, or nobody reads it any more. */
static int follow(
	struct store *store, const struct list_args *args, struct err *err_r)
{
	struct following f = {.store = store, .args = args};
	int64_t counter = 0, seen = -1;
	int rc = 0;

	screen_init(&f.screen, stdout);
	while (!rc) {
		rc = store_change_counter(store, &counter, err_r);
		if (!rc && counter == seen && !is_resized(&f)) {
			context_pause(PAUSE_MS);
		} else if (!rc) {
			seen = counter;
			rc = show(&f, err_r);
		}
	}
	screen_fini(&f.screen);
	arena_fini(&f.seen.arena);
	return rc;
}

/* Who follows may have come before the first rollout. */
static struct store *open_store(const struct list_args *args, struct err *err_r)
{
	struct store *store = context_store(args->state, STORE_LOOK, err_r);

	if (store || !args->watch || err_r->code != ERR_NOT_FOUND)
		return store;
	output_text(stderr, "%s\nwaiting for the first rollout\n", err_r->text);
	while (!store && err_r->code == ERR_NOT_FOUND) {
		context_pause(PAUSE_MS);
		store = context_store(args->state, STORE_LOOK, err_r);
	}
	return store;
}

static int list(int argc, char **argv, struct err *err_r)
{
	struct list_args args = {.limit = LIMIT_DEFAULT};
	struct store *store;
	int rc;

	if (args_parse(options, &args, &argc, argv, err_r) ||
		args_count(argc, argv, "", 0, 0, err_r))
		return -1;
	store = open_store(&args, err_r);
	if (!store)
		return -1;
	if (args.watch)
		rc = follow(store, &args, err_r);
	else if (args.format == FORMAT_JSON)
		rc = print_json(store, &args, err_r);
	else
		rc = print_text(store, &args, err_r);
	store_free(&store);
	return rc;
}

const struct command cmd_list = {
	.name = "list",
	.usage = "",
	.summary = "List rollouts: what runs, then the newest",
	.options = options,
	.run = list,
};
