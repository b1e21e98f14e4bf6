/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs that decide, show and simulate, for policies whose secrets are not
 * there: each secret key, unset, as a file, and set to what it must not be.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/command.h"
#include "journal_fixture.h"
#include "policy/policy_load.h"

#define ARGS_MAX   12
#define POLICY_MAX 65536
#define NAMES_MAX  64
#define EDITS_MAX  10
#define ANY_END    -1 /* the values decide, which are not looked at here */

/* A policy of test/policy, and what stands in it instead. */
static const struct variant {
	const char *file, *what;
	struct {
		const char *find, *put;
	} edit[EDITS_MAX];
} variants[] = {
	{"everything", "as it is", {{0}}},
	{"everything", "secrets in files",
		{{"{type: none} ", "{type: bearer, token_file: word}"},
			{"token: \"${API_TOKEN}\"", "token_file: word"},
			{"webhook: \"${CHAT_URL}\"", "webhook_file: url"},
			{"routing_key: \"${ROUTING_KEY}\"",
				"routing_key_file: key"}}},
	{"everything", "values that are variables",
		{{"{type: none} ",
			 "{type: basic, username: \"${A_NAME}\", "
			 "password_file: word}\n  headers: {X-Tenant: "
			 "\"${A_NAME}\"}"},
			{"https://flags.example.com", "${A_URL}"},
			{"rollback}", "\"${A_WORD}\"}"},
			{"MODE: production", "MODE: \"a ${A_WORD}\""},
			{"https://alerts.example.com/am", "\"${A_URL}\""},
			{"redis://cache:${API_TOKEN}@10.0.0.5:6380/2",
				"\"${A_REDIS_URL}\""},
			{"\"https://bus.example.com/{{service}}\"",
				"\"${A_URL}/{{service}}\""},
			{"severity: error", "url: \"${A_URL}\""},
			{"value: \"on\"", "value: \"${A_WORD}\""}}},
	{"everything", "parts of values",
		{{"{type: none} ", "{type: none}\n  headers: {Authorization: "
				   "\"${A_NAME}\"}"},
			{"${PROMETHEUS_URL}",
				"\"https://u:${A_WORD}@h:${A_PORT}/\""},
			{"http://127.0.0.1:9093", "\"https://${A_HOST}\""},
			{"redis://cache:${API_TOKEN}@10.0.0.5:6380/2",
				"\"redis://10.0.0.5:${A_PORT}/${A_NUMBER}\""},
			{"${CHAT_URL}", "https://${A_HOST}/${A_WORD}"}}},
#ifdef HAVE_HIREDIS_SSL
	{"everything", "TLS to Redis",
		{{"redis://cache:${API_TOKEN}@10.0.0.5:6380/2",
			"\"${A_REDISS_URL}\"\n    tls: {ca_file: ca.pem}"}}},
#endif
	{"providers", "as it is", {{0}}},
	{"providers", "values that are variables",
		{{"${API_URL}/v1", "https://${A_HOST}:${A_PORT}"},
			{"https://monitoring.googleapis.com/v3/thing",
				"\"${A_GOOGLE_URL}\""},
			{"password: \"${API_TOKEN}\"", "password_file: word"},
			{"\"https://other.example.com/\"", "\"${A_URL}\""},
			{"https://de.sentry.io/", "\"${A_URL}\""},
			{"shop@{{stable}}", "${A_NAME}"}}},
};

static char folder[64], db[96], yaml[96], recording[96], said[96];
static char names[NAMES_MAX][64]; /* of all variables that were asked for */
static size_t n_names;

/* ---- values of the right form, told by the variable's name ---- */

static const char *right_form(const char *name)
{
	static const char *const forms[][2] = {
		{"REDISS_URL", "rediss://cache.example.com/0"},
		{"REDIS_URL", "redis://cache.example.com/0"},
		{"GOOGLE_URL", "https://monitoring.googleapis.com/"},
		{"URL", "https://x.example.com"}, {"HOST", "x.example.com"},
		{"PORT", "8443"}, {"NUMBER", "1"},
		{"KEY", "0123456789abcdef0123456789abcdef"}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (strstr(name, forms[i][0]))
			return forms[i][1];
	return "correct-horse";
}

static const char *right_variable(const char *name, void *arg)
{
	size_t i = 0;

	while (i < n_names && strcmp(names[i], name) != 0)
		i++;
	if (i == n_names) {
		assert_true(n_names < NAMES_MAX);
		snprintf(names[n_names++], sizeof(names[0]), "%s", name);
	}
	return right_form(name);
}

static int right_file(
	const char *path, struct buf *out, struct err *err_r, void *arg)
{
	buf_adds(out, strstr(path, "url")   ? right_form("URL")
		      : strstr(path, "key") ? right_form("KEY")
					    : right_form(""));
	return 0;
}

/* ---- policies ---- */

static void read_text(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "r");
	char bytes[4096];
	size_t n;

	if (!file)
		fail_msg("%s is not there", path);
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		buf_add(out, bytes, n);
	fclose(file);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void replace(struct buf *text, const char *find, const char *put)
{
	const char *at = strstr(text->data, find);
	struct buf out;

	if (!at)
		fail_msg("\"%s\" is not in the policy", find);
	buf_init(&out, POLICY_MAX);
	buf_add(&out, text->data, (size_t)(at - text->data));
	buf_adds(&out, put);
	buf_adds(&out, at + strlen(find));
	buf_clear(text);
	buf_adds(text, out.data);
	buf_fini(&out);
}

static void variant_source(const struct variant *variant, struct buf *out)
{
	const char *top = getenv("srcdir");
	char path[256];

	snprintf(path, sizeof(path), "%s/test/policy/%s.yaml", top ? top : ".",
		variant->file);
	read_text(path, out);
	for (size_t i = 0; i < EDITS_MAX && variant->edit[i].find; i++)
		replace(out, variant->edit[i].find, variant->edit[i].put);
}

/* One value for ever, for each of its queries. */
static void write_recording(const struct policy *policy)
{
	struct buf text;

	buf_init(&text, POLICY_MAX);
	buf_adds(&text, "{\"version\": 1, \"start\": 1000, \"end\": 1060, "
			"\"interval\": 30, \"series\": {");
	for (size_t i = 0; i < policy->n_slos; i++) {
		const char *name = policy->slos[i].name;
		static const char *const kinds[] = {
			"", "/baseline", "/requests"};

		for (size_t k = 0; k < 3; k++)
			buf_addf(&text,
				"%s\"%s%s\": {\"data\": {\"resultType\": "
				"\"matrix\", \"result\": [{\"metric\": {}, "
				"\"values\": [[1000, \"1\"], [1060, "
				"\"1\"]]}]}}",
				i || k ? ", " : "", name, kinds[k]);
	}
	buf_adds(&text, "}}");
	write_text(recording, text.data);
	buf_fini(&text);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Leaves a state file with a rollout that was begun, aborted and has ended. */
static void make_rollout(const char *source, const struct policy *policy)
{
	struct journal_fixture journal;
	struct world world;

	unlink(db);
	journal_fixture_open(&journal, db, "shop-1", source, now_ms());
	world_init(&world, policy);
	world.now_ms = world.start_ms = now_ms();
	journal_fixture_attach(&journal, &world);
	world_start(&world);
	world_run(&world, 20000);
	world_command(&world, VERB_ABORT, "bob");
	world_run(&world, 600000);
	assert_int_equal(world.rollout.phase, PHASE_ROLLED_BACK);
	journal_fixture_close(&journal);
}

/* ---- verbs ---- */

extern const struct command workbench_simulate;

static int verb(const char *line)
{
	static char words[512], program[] = "tidegate";
	char *argv[ARGS_MAX] = {program}, *save = NULL;
	int argc = 1, status;
	pid_t pid;

	snprintf(words, sizeof(words), "%s", line);
	argv[1] = strtok_r(words, " ", &save);
	while (argv[argc])
		argv[++argc] = strtok_r(NULL, " ", &save);
	pid = fork();
	if (pid == 0) {
		FILE *out = fopen(said, "w");

		if (!out || dup2(fileno(out), 1) < 0 ||
			dup2(fileno(out), 2) < 0)
			_exit(99);
		/* Of the workbench, which another program carries out. */
		status = strcmp(argv[1], "simulate") == 0
				 ? command_run(&workbench_simulate, argc - 1,
					   argv + 1)
				 : command_main(argc, argv);
		fflush(stdout);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* What each verb says of a rollout that has been rolled back by an abort, as
 * it does when all secrets are there. */
static void all_verbs_act(const struct variant *variant, const char *how)
{
	char simulate[256];
	const struct {
		const char *line;
		int status;
		const char *says;
	} verbs[] = {
		{"status", 0, "shop-1"},
		{"watch shop-1", 6, "shop-1: rolled-back: aborted by bob"},
		{"report shop-1", 0, "shop-1"},
		{"approve shop-1", 4, "the rollout has ended"},
		{"reject shop-1", 4, "the rollout has ended"},
		{"pause shop-1", 4, "the rollout has ended"},
		{"continue shop-1", 4, "the rollout has ended"},
		{"abort shop-1", 4, "the rollout has ended"},
		{simulate, ANY_END, "from 1970-01-01"},
	};
	struct buf text;
	int status;

	snprintf(simulate, sizeof(simulate), "simulate --policy %s %s", yaml,
		recording);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		status = verb(verbs[i].line);
		buf_init(&text, 1 << 20);
		read_text(said, &text);
		if ((status != verbs[i].status && verbs[i].status != ANY_END) ||
			!strstr(text.data, verbs[i].says))
			fail_msg("%s, %s: %s: %s: exit %d: %s", variant->file,
				variant->what, how, verbs[i].line, status,
				text.data);
		buf_fini(&text);
	}
}

static void no_verb_needs_a_secret_or_judges_one(void **state)
{
	const struct policy_env right = {
		.variable = right_variable, .read_file = right_file};
	struct buf source, problems;
	struct policy *policy;
	struct err err;

	for (size_t i = 0; i < sizeof(variants) / sizeof(*variants); i++) {
		buf_init(&source, POLICY_MAX);
		buf_init(&problems, POLICY_MAX);
		variant_source(&variants[i], &source);
		n_names = 0;
		policy = policy_parse("test.yaml", source.data, source.len,
			&right, &problems, &err);
		if (!policy)
			fail_msg("%s: %s", variants[i].what, problems.data);
		make_rollout(source.data, policy);
		write_text(yaml, source.data);
		write_recording(policy);
		all_verbs_act(&variants[i], "unset");
		for (size_t n = 0; n < n_names; n++)
			setenv(names[n], "a b:\n@?/api/0{{x}}", 1);
		all_verbs_act(&variants[i], "of another form");
		for (size_t n = 0; n < n_names; n++)
			unsetenv(names[n]);
		policy_free(&policy);
		buf_fini(&problems);
		buf_fini(&source);
	}
}

static int setup(void **state)
{
	strcpy(folder, "/tmp/placeholder_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(db, sizeof(db), "%s/db", folder);
	snprintf(yaml, sizeof(yaml), "%s/policy.yaml", folder);
	snprintf(recording, sizeof(recording), "%s/recording.json", folder);
	snprintf(said, sizeof(said), "%s/said", folder);
	setenv("TIDEGATE_STATE", db, 1);
	setenv("TIDEGATE_USER", "bob", 1);
	unsetenv("GITHUB_ACTOR");
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_verb_needs_a_secret_or_judges_one),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
