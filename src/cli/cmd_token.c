/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tidegate token create|list|revoke`: what programs bring instead of a person.
 * A token's text leaves here once, when it is made.
 */
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"
#include "identity/api_token.h"
#include "identity/right.h"
#include "io/clock.h"

#define LIST_BYTES (1024 * 1024)

struct token_args {
	const char *state, *person, *may;
	int64_t expires_ms;
	bool machine;
	int format;
};

#define MEMBER(m) offsetof(struct token_args, m)

static const struct option_spec options[] = {
	{"for", OPTION_TEXT, MEMBER(person), "PERSON",
		"create: who uses it, as approvers are named in policies"},
	{"machine", OPTION_FLAG, MEMBER(machine), NULL,
		"create: a program uses it, which never approves"},
	{"may", OPTION_TEXT, MEMBER(may), "RIGHTS",
		"create: the most that it may be used for, of read, start, "
		"operate, approve, metrics and admin, with commas between "
		"them"},
	{"expires", OPTION_DURATION, MEMBER(expires_ms), "TIME",
		"create: for how long it is taken, 365d at most"},
	OPTION_STATE(struct token_args),
	OPTION_FORMAT(struct token_args),
	{0},
};

/* ---- create ---- */

static int create_check(
	const struct token_args *args, unsigned *rights_r, struct err *err_r)
{
	if (!args->person == !args->machine)
		return err_set(err_r, ERR_USAGE,
			"say whose it is: --for PERSON, or --machine");
	if (!args->may)
		return err_set(err_r, ERR_USAGE,
			"--may is missing: say what it may be used for");
	if (rights_parse(args->may, rights_r, err_r) < 0)
		return -1;
	if (args->machine && (*rights_r & RIGHT_BIT(RIGHT_APPROVE)))
		return err_set(err_r, ERR_USAGE,
			"a program cannot approve: leave approve away, or say "
			"--for PERSON");
	if (args->expires_ms <= 0)
		return err_set(err_r, ERR_USAGE,
			"--expires is missing: say for how long, as in 90d");
	return args->person ? api_token_check_person(args->person, err_r) : 0;
}

static void create_print(const struct token_args *args,
	const struct store_token *row, const struct secret *text)
{
	char expires[TIMESTAMP_TEXT_MAX];
	struct buf out;
	struct jsonw w = {.out = &out};

	timestamp_print(row->expires_ms, expires);
	buf_init_secret(&out, LIST_BYTES);
	if (args->format == FORMAT_JSON) {
		jsonw_object(&w, NULL);
		jsonw_text(&w, "id", row->id);
		jsonw_text(&w, "name", row->name);
		jsonw_text(&w, "expires", expires);
		jsonw_text(&w, "token", secret_reveal(text));
		jsonw_end(&w, '}');
	} else {
		output_text(stderr,
			"token %s (%s) for %s, until %s; it is shown once:\n",
			row->name, row->id,
			*row->person ? row->person : "a program", expires);
		buf_adds(&out, secret_reveal(text));
	}
	buf_addc(&out, '\n');
	output_write(stdout, &out);
	buf_wipe(&out);
	buf_fini(&out);
}

static int create(struct store *store, const struct token_args *args,
	const char *name, struct err *err_r)
{
	char who[CONTEXT_NAME_MAX];
	int64_t now_ms = clock_wall_ms();
	struct store_token row = {
		.name = name,
		.person = args->person ? args->person : "",
		.created_by = who,
		.created_ms = now_ms,
		.expires_ms = now_ms + args->expires_ms,
	};
	struct api_token token;
	struct secret *text;
	struct buf rights;
	unsigned bits;
	int rc;

	if (create_check(args, &bits, err_r) < 0 ||
		api_token_check_name(name, err_r) < 0 ||
		context_who(store, NULL, who, err_r) < 0)
		return -1;
	text = api_token_mint(&token);
	buf_init(&rights, 128);
	rights_print(&rights, bits);
	row.id = token.id;
	row.hash = token.hash;
	row.rights = rights.data;
	rc = store_token_add(store, &row, err_r);
	if (rc == 0)
		create_print(args, &row, text);
	buf_fini(&rights);
	secret_free(&text);
	return rc;
}

/* ---- list ---- */

static const char *state_of(const struct store_token *token, int64_t now_ms)
{
	if (token->revoked_ms)
		return "revoked";
	return token->expires_ms <= now_ms ? "expired" : "active";
}

static void print_time(struct jsonw *w, const char *key, int64_t ms)
{
	char text[TIMESTAMP_TEXT_MAX];

	if (ms)
		jsonw_text(w, key, timestamp_print(ms, text));
	else
		jsonw_null(w, key);
}

static void list_json(
	const struct store_token *tokens, size_t n, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_array(&w, NULL);
	for (size_t i = 0; i < n; i++) {
		jsonw_object(&w, NULL);
		jsonw_text(&w, "id", tokens[i].id);
		jsonw_text(&w, "name", tokens[i].name);
		if (*tokens[i].person)
			jsonw_text(&w, "person", tokens[i].person);
		else
			jsonw_null(&w, "person");
		jsonw_text(&w, "may", tokens[i].rights);
		jsonw_text(&w, "state", state_of(&tokens[i], clock_wall_ms()));
		jsonw_text(&w, "created_by", tokens[i].created_by);
		print_time(&w, "created", tokens[i].created_ms);
		print_time(&w, "expires", tokens[i].expires_ms);
		print_time(&w, "used", tokens[i].used_ms);
		print_time(&w, "revoked", tokens[i].revoked_ms);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	buf_addc(out, '\n');
}

/* "2026-01-01": a day is enough. */
static const char *day_of(int64_t ms, char text[TIMESTAMP_TEXT_MAX])
{
	if (!ms)
		return "never";
	timestamp_print(ms, text);
	text[strcspn(text, "T")] = '\0';
	return text;
}

static void list_text(
	const struct store_token *tokens, size_t n, struct buf *out)
{
	static const char *const heading[] = {
		"id", "name", "for", "may", "state", "expires", "last used"};
	char expires[TIMESTAMP_TEXT_MAX], used[TIMESTAMP_TEXT_MAX];
	struct table table;

	table_init(&table, sizeof(heading) / sizeof(*heading));
	table_add(&table, heading);
	for (size_t i = 0; i < n; i++) {
		const struct store_token *t = &tokens[i];
		const char *const cells[] = {t->id, t->name,
			*t->person ? t->person : "(a program)", t->rights,
			state_of(t, clock_wall_ms()),
			day_of(t->expires_ms, expires),
			day_of(t->used_ms, used)};

		table_add(&table, cells);
	}
	table_print(&table, out);
	table_fini(&table);
}

static int list(
	struct store *store, const struct token_args *args, struct err *err_r)
{
	struct store_token *tokens;
	struct arena arena;
	struct buf out;
	size_t n;
	int rc;

	arena_init(&arena);
	buf_init(&out, LIST_BYTES);
	rc = store_token_list(store, &arena, &tokens, &n, err_r);
	if (rc == 0 && args->format == FORMAT_JSON)
		list_json(tokens, n, &out);
	else if (rc == 0 && n)
		list_text(tokens, n, &out);
	else if (rc == 0)
		output_text(
			stderr, "there is no token in %s\n", store_path(store));
	if (out.len)
		output_write(stdout, &out);
	buf_fini(&out);
	arena_fini(&arena);
	return rc;
}

/* ---- revoke ---- */

/* The one that can be used with this name; an id is looked at first. */
static const struct store_token *find(const struct store_token *tokens,
	size_t n, const char *name, struct err *err_r)
{
	const struct store_token *found = NULL;
	size_t i, n_found = 0;

	for (i = 0; i < n; i++) {
		if (strcmp(tokens[i].id, name) == 0)
			return &tokens[i];
		if (strcmp(tokens[i].name, name) == 0 &&
			!tokens[i].revoked_ms) {
			found = &tokens[i];
			n_found++;
		}
	}
	if (n_found == 1)
		return found;
	if (!n_found)
		(void)!err_set(err_r, ERR_NOT_FOUND,
			"there is no token \"%.80s\" that is not revoked: see "
			"tidegate token list",
			name);
	else
		(void)!err_set(err_r, ERR_USAGE,
			"%zu tokens are called %.80s: say which by its id, see "
			"tidegate token list",
			n_found, name);
	return NULL;
}

static int revoke(struct store *store, const char *name, struct err *err_r)
{
	const struct store_token *token;
	struct store_token *tokens;
	struct arena arena;
	size_t n;
	int rc;

	arena_init(&arena);
	rc = store_token_list(store, &arena, &tokens, &n, err_r);
	token = rc == 0 ? find(tokens, n, name, err_r) : NULL;
	rc = token ? store_token_revoke(
			     store, token->id, clock_wall_ms(), err_r)
		   : -1;
	if (rc >= 0)
		output_text(stdout, "token %s (%s) %s\n", token->name,
			token->id, rc ? "is revoked" : "was revoked already");
	arena_fini(&arena);
	return rc < 0 ? -1 : 0;
}

static int token_do(struct store *store, const struct token_args *args,
	char **argv, struct err *err_r)
{
	if (strcmp(argv[1], "create") == 0)
		return create(store, args, argv[2], err_r);
	if (strcmp(argv[1], "list") == 0)
		return list(store, args, err_r);
	return revoke(store, argv[2], err_r);
}

static int token_run(int argc, char **argv, struct err *err_r)
{
	struct token_args args = {0};
	bool lists, creates;
	struct store *store;
	int rc;

	if (args_parse(options, &args, &argc, argv, err_r) < 0)
		return -1;
	lists = argc > 1 && strcmp(argv[1], "list") == 0;
	creates = argc > 1 && strcmp(argv[1], "create") == 0;
	if (argc > 1 && !lists && !creates && strcmp(argv[1], "revoke") != 0)
		return err_set(err_r, ERR_USAGE,
			"\"%.40s\" is nothing to do with tokens: create, list "
			"or revoke",
			argv[1]);
	if (args_count(argc, argv,
		    lists     ? "list"
		    : creates ? "create NAME"
			      : "create NAME | list | revoke NAME",
		    lists ? 1 : 2, lists ? 1 : 2, err_r) < 0)
		return -1;
	if (!creates &&
		(args.person || args.machine || args.may || args.expires_ms))
		return err_set(err_r, ERR_USAGE,
			"--for, --machine, --may and --expires go with create");
	store = context_store(args.state,
		creates ? STORE_CREATE
		: lists ? STORE_LOOK
			: STORE_EDIT,
		err_r);
	if (!store)
		return -1;
	rc = token_do(store, &args, argv, err_r);
	store_free(&store);
	return rc;
}

const struct command server_token = {
	.name = "token",
	.usage = "create NAME | list | revoke NAME",
	.summary = COMMAND_TOKEN_SUMMARY,
	.options = options,
	.run = token_run,
};
