/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies and what tidegate must say about them: NAME.yaml (or .json) here or
 * in policies/, and here either NAME.plan or NAME.errors. The environment and
 * the files that a policy may ask for are fixed here. Besides, what the program
 * prints for editors and for the manual.
 *
 * usage: golden [--update]     in $srcdir, as `make check` calls it; --update
 * writes what is said now, to be read before it is committed.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "policy/policy_load.h"
#include "serve/serve_config.h"

#define TEXT_MAX (1024 * 1024)

static const char *const environment[][2] = {
	{"PROMETHEUS_URL", "http://127.0.0.1:9090"},
	{"SECRET_URL", "https://ada:correct-horse@metrics.example.com/prom"},
	{"REMOTE_PLAIN_URL", "http://metrics.example.com"},
	{"API_TOKEN", "correct-horse-battery"},
	{"USER_NAME", "ada"},
	{"CHAT_URL", "https://hooks.slack.com/services/T0/B0/correct-horse"},
	{"ROUTING_KEY", "0123456789abcdef0123456789abcdef"},
	{"ALERTMANAGER_URL", "https://alerts.example.com"},
	{"REDIS_URL", "redis://cache.example.com:6379/0"},
	{"API_URL", "https://api.example.com"},
	{"SLACK_WEBHOOK",
		"https://hooks.slack.com/services/T0/B0/correct-horse"},
	{"EMPTY", ""},
	{"SHORT", "abc"},
};

static const char *env_fixed(const char *name, void *arg)
{
	for (size_t i = 0; i < sizeof(environment) / sizeof(*environment); i++)
		if (!strcmp(environment[i][0], name))
			return environment[i][1];
	return NULL;
}

static const char *const files[][2] = {
	{"./token", "file-token-0123456789\n"},
	{"./two-lines", "one-secret-line\nanother\n"},
	{"./empty", "\n"},
	{"./short", "ab\n"},
	{"./marked", "\xef\xbb\xbf"
		     "file-token-0123456789\n"},
	{"./damaged", "file-token\x1b[0m-0123\n"},
};

static int file_fixed(
	const char *path, struct buf *out, struct err *err_r, void *arg)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (strcmp(files[i][0], path) != 0)
			continue;
		buf_adds(out, files[i][1]);
		return 0;
	}
	return err_set(err_r, ERR_POLICY,
		"\"%s\" cannot be read: No such file or directory", path);
}

static const struct policy_env env = {
	.variable = env_fixed, .read_file = file_fixed};

static bool read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	char chunk[4096];
	size_t n;

	if (!file)
		return false;
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(out, chunk, n);
	fclose(file);
	return true;
}

/* What is said about a policy; true: it is a good one. */
static bool say(const char *folder, const char *name, struct buf *out)
{
	char *path = xasprintf("%s/%s", folder, name);
	struct policy *policy;
	struct buf bytes;
	struct err err;
	bool good;

	buf_init(&bytes, POLICY_BYTES_MAX);
	if (!read_file(path, &bytes)) {
		printf("%s: %s\n", path, strerror(errno));
		exit(1);
	}
	policy = policy_parse(name, bytes.data, bytes.len, &env, out, &err);
	good = policy != NULL;
	if (policy)
		policy_print_plan(policy, out);
	policy_free(&policy);
	buf_fini(&bytes);
	free(path);
	return good;
}

static void update(const char *wanted, const char *other, struct buf *said)
{
	FILE *file = fopen(wanted, "wb");

	if (!file || fwrite(said->data, 1, said->len, file) != said->len ||
		fclose(file)) {
		printf("%s: %s\n", wanted, strerror(errno));
		exit(1);
	}
	unlink(other);
}

/* The first line that differs, from both sides. */
static void show_difference(const char *said, const char *wanted)
{
	size_t n = 0, line = 1, start = 0;

	for (; said[n] && said[n] == wanted[n]; n++) {
		if (said[n] != '\n')
			continue;
		line++;
		start = n + 1;
	}
	printf("  line %zu is  %.*s\n  should be %.*s\n", line,
		(int)strcspn(said + start, "\n"), said + start,
		(int)strcspn(wanted + start, "\n"), wanted + start);
}

static const char *top; /* of the source */

static bool compare(const char *folder, const char *name, bool updates)
{
	int stem = (int)(strrchr(name, '.') - name);
	char *plan = xasprintf("%s/test/policy/%.*s.plan", top, stem, name);
	char *errors = xasprintf("%s/test/policy/%.*s.errors", top, stem, name);
	struct buf said, wanted;
	bool good, same;

	buf_init(&said, TEXT_MAX);
	buf_init(&wanted, TEXT_MAX);
	good = say(folder, name, &said);
	if (updates)
		update(good ? plan : errors, good ? errors : plan, &said);
	same = read_file(good ? plan : errors, &wanted) &&
	       !strcmp(said.data, wanted.data) &&
	       access(good ? errors : plan, F_OK) != 0;
	printf("%s %s (%s)\n", same ? "ok  " : "FAIL", name,
		good ? "plan" : "errors");
	if (!same)
		show_difference(said.data, wanted.data);
	buf_fini(&said);
	buf_fini(&wanted);
	free(plan);
	free(errors);
	return same;
}

/* ---- what there is to write ---- */

/* The part of a file that is printed by the program: all of it, or what stands
 * after the line `begin` up to the line `end`. */
static bool part_of(const struct buf *file, const char *begin, const char *end,
	size_t *from_r, size_t *to_r)
{
	const char *at;

	*from_r = 0;
	*to_r = file->len;
	if (!begin)
		return true;
	at = strstr(file->data, begin);
	if (!at)
		return false;
	*from_r = (size_t)(at - file->data) + strlen(begin);
	at = strstr(file->data + *from_r, end);
	if (!at)
		return false;
	*to_r = (size_t)(at - file->data);
	return true;
}

static void replace_part(const char *path, const struct buf *file, size_t from,
	size_t to, const struct buf *said)
{
	struct buf whole;

	buf_init(&whole, TEXT_MAX);
	buf_add(&whole, file->data, from);
	buf_add(&whole, said->data, said->len);
	buf_add(&whole, file->data + to, file->len - to);
	update(path, "", &whole);
	buf_fini(&whole);
}

static bool compare_part(const char *name, const char *begin, const char *end,
	void (*print)(struct buf *out), bool updates)
{
	char *path = xasprintf("%s/%s", top, name);
	struct buf said, file, part;
	size_t from, to;
	bool same;

	buf_init(&said, TEXT_MAX);
	buf_init(&file, TEXT_MAX);
	buf_init(&part, TEXT_MAX);
	print(&said);
	if (!read_file(path, &file) ||
		!part_of(&file, begin, end, &from, &to)) {
		printf("%s: there is no such part\n", path);
		exit(1);
	}
	if (updates)
		replace_part(path, &file, from, to, &said);
	buf_add(&part, file.data + from, to - from);
	same = updates || (said.len == part.len &&
				  !memcmp(said.data, part.data, said.len));
	printf("%s %s\n", same ? "ok  " : "FAIL", name);
	if (!same)
		show_difference(said.data, part.data);
	buf_fini(&said);
	buf_fini(&file);
	buf_fini(&part);
	free(path);
	return same;
}

static int is_policy(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strstr(entry->d_name, ".schema.") &&
	       (!strcmp(dot, ".yaml") || !strcmp(dot, ".json"));
}

/* Failures in one folder; an empty one is a failure. */
static int compare_all(const char *name, bool updates)
{
	char *folder = xasprintf("%s/%s", top, name);
	struct dirent **entries;
	int failed = 0, n = scandir(folder, &entries, is_policy, alphasort);

	for (int i = 0; i < n; i++) {
		failed += !compare(folder, entries[i]->d_name, updates);
		free(entries[i]);
	}
	if (n > 0)
		free(entries);
	printf("%s: %d policies, %d are not as they should be\n", folder, n,
		failed);
	free(folder);
	return n > 0 ? failed : 1;
}

int main(int argc, char **argv)
{
	bool updates = argc > 1 && !strcmp(argv[1], "--update");
	int failed;

	top = getenv("srcdir");
	if (!top)
		top = ".";
	failed = compare_all("test/policy", updates);
	failed += compare_all("policies", updates);
	failed += !compare_part("policies/policy.schema.json", NULL, NULL,
		policy_print_schema, updates);
	failed += !compare_part("policies/serve.schema.json", NULL, NULL,
		serve_config_schema, updates);
	failed += !compare_part("contrib/man/tidegate-policy.5",
		"\n.\\\" tidegate check --keys\n.Bd -literal\n", ".Ed\n",
		policy_print_keys, updates);
	return failed != 0;
}
