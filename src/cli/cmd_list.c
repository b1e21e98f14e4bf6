/* `tidegate list`: the rollouts of a state file, newest first. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"

#define LIMIT_DEFAULT     20
#define COLUMNS           6
#define REASON_SHOWN      60 /* bytes */
#define LIST_OUTPUT_BYTES (64 * 1024 * 1024)

struct list_args {
	const char *state, *service;
	int format, limit;
	bool unfinished;
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
		.help = "the newest N (default: 20)",
		.min = 1,
		.max = STORE_LIST_MAX},
	OPTION_STATE(struct list_args),
	OPTION_FORMAT(struct list_args),
	{0},
};

static void print_text(
	const struct store_rollout *list, size_t n, struct buf *out)
{
	static const char *const heading[COLUMNS] = {"ROLLOUT", "SERVICE",
		"CANDIDATE", "PHASE", "STARTED", "REASON"};
	char time[TIMESTAMP_TEXT_MAX], reason[REASON_SHOWN + 4];
	struct table table;
	size_t i;

	table_init(&table, COLUMNS);
	table_add(&table, heading);
	for (i = 0; i < n; i++) {
		const char *slash = strrchr(list[i].service, '/');

		snprintf(reason, sizeof(reason), "%.*s%s", REASON_SHOWN,
			list[i].reason,
			strlen(list[i].reason) > REASON_SHOWN ? "..." : "");
		timestamp_print(list[i].started_ms, time);
		table_add(&table, (const char *const[COLUMNS]){list[i].id,
					  slash ? slash + 1 : list[i].service,
					  list[i].candidate, list[i].phase,
					  time, reason});
	}
	if (n)
		table_print(&table, out);
	table_fini(&table);
}

static void print_time(struct jsonw *w, const char *key, int64_t ms)
{
	char text[TIMESTAMP_TEXT_MAX];

	if (ms > 0)
		jsonw_text(w, key, timestamp_print(ms, text));
	else
		jsonw_null(w, key);
}

static void print_json(
	const struct store_rollout *list, size_t n, struct buf *out)
{
	struct jsonw w = {.out = out};
	size_t i;

	jsonw_array(&w, NULL);
	for (i = 0; i < n; i++) {
		jsonw_object(&w, NULL);
		jsonw_text(&w, "rollout", list[i].id);
		jsonw_text(&w, "service", list[i].service);
		jsonw_text(&w, "candidate", list[i].candidate);
		jsonw_text(&w, "stable", list[i].stable);
		jsonw_text(&w, "policy", list[i].policy_name);
		jsonw_text(&w, "phase", list[i].phase);
		jsonw_text(&w, "reason", list[i].reason);
		jsonw_text(&w, "starter", list[i].starter);
		print_time(&w, "started", list[i].started_ms);
		print_time(&w, "ended", list[i].ended_ms);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	buf_addc(out, '\n');
}

static int print(
	struct store *store, const struct list_args *args, struct err *err_r)
{
	struct store_filter filter = {.service = args->service,
		.unfinished = args->unfinished,
		.limit = args->limit};
	struct store_rollout *list;
	struct arena arena;
	struct buf out;
	size_t n;
	int rc;

	arena_init(&arena);
	buf_init(&out, LIST_OUTPUT_BYTES);
	rc = store_rollout_list(store, &filter, &arena, &list, &n, err_r);
	if (!rc && args->format == FORMAT_JSON)
		print_json(list, n, &out);
	else if (!rc)
		print_text(list, n, &out);
	output_write(stdout, &out);
	if (!rc && !n && args->format == FORMAT_TEXT)
		output_text(
			stderr, "no such rollout in %s\n", store_path(store));
	buf_fini(&out);
	arena_fini(&arena);
	return rc;
}

static int list(int argc, char **argv, struct err *err_r)
{
	struct list_args args = {.limit = LIMIT_DEFAULT};
	struct store *store;
	int rc;

	if (args_parse(options, &args, &argc, argv, err_r) ||
		args_count(argc, argv, "", 0, 0, err_r))
		return -1;
	store = context_store(args.state, STORE_LOOK, err_r);
	if (!store)
		return -1;
	rc = print(store, &args, err_r);
	store_free(&store);
	return rc;
}

const struct command cmd_list = {
	.name = "list",
	.usage = "",
	.summary = "List rollouts, the newest first",
	.options = options,
	.run = list,
};
