/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operators' verbs from another process, while a rollout is driven in this
 * one and after it was left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/command.h"
#include "journal_fixture.h"
#include "policy_fixture.h"
#include "until.h"

#define ARGS_MAX 12

static const char source[] =
	"version: 1\n"
	"name: test\n"
	"target: {project: p, region: r, service: shop}\n"
	"metrics:\n"
	"  url: ${A_URL_THAT_IS_NOT_SET}\n"
	"  auth: {type: bearer, token: \"${A_TOKEN_THAT_IS_NOT_SET}\"}\n"
	"steps:\n"
	"  - {percent: 10, bake: 1m}\n"
	"  - {percent: 100, bake: 1m, approval:\n"
	"      {approvers: [bob, carol], minimum: 1, timeout: 4h}}\n"
	"slos:\n"
	"  - {name: errors, query: \"up\", max: 1%, window: 1m,\n"
	"     interval: 10s, fail_after: 2, min_passes: 2}\n"
	"hooks:\n"
	"  promoted:\n"
	"    - {name: tell, type: http,\n"
	"       url: \"http://${A_HOST_THAT_IS_NOT_SET}:${A_PORT}/x\"}\n"
	"settle: 10s\n";

static char folder[64], path[128];
static struct policy *policy;
static struct journal_fixture journal;
static struct world world;

/* What the last command printed. */
static struct buf out, err_out;

static const char *any_env(const char *name, void *arg)
{
	if (strstr(name, "PORT"))
		return "1";
	return strstr(name, "HOST") ? "localhost" : "https://x.example";
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int setup(void **state)
{
	const struct policy_env anything = {.variable = any_env};

	strcpy(folder, "/tmp/operator_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/db", folder);
	setenv("TIDEGATE_STATE", path, 1);
	setenv("TIDEGATE_USER", "bob", 1);
	unsetenv("GITHUB_ACTOR");
	policy = policy_given(&anything, "%s", source);
	buf_init(&out, 1 << 20);
	buf_init(&err_out, 1 << 20);
	journal_fixture_open(&journal, path, "shop-1", source, now_ms());
	world_init(&world, policy);
	world.now_ms = world.start_ms = now_ms();
	journal_fixture_attach(&journal, &world);
	world_start(&world);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	journal_fixture_close(&journal);
	policy_free(&policy);
	buf_fini(&out);
	buf_fini(&err_out);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static FILE *child_output(int fd, const char *name)
{
	char file[128];
	FILE *stream;

	snprintf(file, sizeof(file), "%s/%s", folder, name);
	stream = fopen(file, "w+");
	if (!stream || dup2(fileno(stream), fd) < 0)
		_exit(99);
	return stream;
}

static void read_back(const char *name, struct buf *text)
{
	char file[128], bytes[4096];
	FILE *stream;
	size_t n;

	snprintf(file, sizeof(file), "%s/%s", folder, name);
	stream = fopen(file, "r");
	assert_non_null(stream);
	buf_clear(text);
	while ((n = fread(bytes, 1, sizeof(bytes), stream)) > 0)
		buf_add(text, bytes, n);
	fclose(stream);
}

static pid_t start(const char *line)
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
	if (pid != 0)
		return pid;
	child_output(1, "out");
	child_output(2, "err");
	status = command_main(argc, argv);
	fflush(stdout);
	_exit(status);
}

/* Its exit status; what it printed is in `out` and `err_out`. */
static int finish(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	read_back("out", &out);
	read_back("err", &err_out);
	return WEXITSTATUS(status);
}

static int tidegate(const char *line)
{
	return finish(start(line));
}

static void has(const struct buf *text, const char *part)
{
	if (!strstr(text->data, part))
		fail_msg(
			"\"%s\" is not in: %s%s", part, out.data, err_out.data);
}

static void run_to_the_gate(void)
{
	world_run(&world, 90000);
	assert_int_equal(world.rollout.phase, PHASE_AWAITING_APPROVAL);
}

static void status_says_where_it_stands_and_how_to_answer(void **state)
{
	run_to_the_gate();
	assert_int_equal(tidegate("status"), 0);
	has(&out, "shop-1  awaiting-approval");
	has(&out, "shop-00002-new 10 %");
	has(&out, "errors");
	has(&out, "tidegate approve shop-1");
	has(&out, "driven by ");
	assert_null(strchr(out.data, '\033'));
	store_lease_drop(journal.store, JOURNAL_SERVICE, journal.fence);
	assert_int_equal(tidegate("status shop"), 0);
	has(&out, "tidegate resume shop-1");
	assert_int_equal(tidegate("status web"), 4);
	has(&err_out, "there is no rollout \"web\"");
}

static void status_is_one_object_for_programs(void **state)
{
	json_t *root, *slo;

	run_to_the_gate();
	assert_int_equal(tidegate("status --format json"), 0);
	root = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "phase")),
		"awaiting-approval");
	assert_int_equal(
		json_integer_value(json_object_get(root, "percent")), 10);
	assert_int_equal(json_integer_value(json_object_get(root, "step")), 2);
	assert_int_equal(json_integer_value(json_object_get(root, "exit")), 8);
	slo = json_array_get(json_object_get(root, "slos"), 0);
	assert_string_equal(
		json_string_value(json_object_get(slo, "outcome")), "pass");
	assert_true(json_is_object(json_object_get(root, "driver")));
	assert_int_equal(
		json_array_size(json_object_get(
			json_object_get(root, "approval"), "approvers")),
		2);
	json_decref(root);
}

static void what_the_engine_would_refuse_is_refused_here(void **state)
{
	assert_int_equal(tidegate("approve"), 4);
	has(&err_out, "no gate is open");
	run_to_the_gate();
	assert_int_equal(tidegate("approve --as dave"), 4);
	has(&err_out, "dave is not among the approvers");
	assert_int_equal(tidegate("continue shop-1"), 4);
	has(&err_out, "neither paused nor held");
	assert_int_equal(journal_fixture_take_commands(&journal, &world), 0);
}

static bool has_ended(pid_t pid, int *taken, int *status_r)
{
	*taken += journal_fixture_take_commands(&journal, &world);
	return waitpid(pid, status_r, WNOHANG) == pid;
}

/* Drives until the command in `pid` has ended. */
static int drive(pid_t pid)
{
	int status, taken = 0;

	UNTIL(has_ended(pid, &taken, &status));
	read_back("out", &out);
	read_back("err", &err_out);
	assert_true(WIFEXITED(status));
	assert_int_equal(taken, 1);
	return WEXITSTATUS(status);
}

static void a_decision_is_taken_by_the_one_who_drives(void **state)
{
	run_to_the_gate();
	assert_int_equal(drive(start("approve --comment fine")), 0);
	has(&out, "approve shop-1 by bob: done, it is shifting now");
	assert_int_equal(world.rollout.phase, PHASE_SHIFTING);
	world_run(&world, 20000);
	assert_int_equal(drive(start("pause shop-1 --format json")), 0);
	has(&out, "\"state\":\"taken\",\"phase\":\"paused\",\"driven\":true");
	assert_int_equal(drive(start("continue")), 0);
	assert_int_equal(drive(start("abort --as carol")), 0);
	has(&out, "by carol: done, it is reverting now");
	has(&out, "abort shop-1");
}

static bool command_waits(void)
{
	struct store_command *list;
	struct arena arena;
	struct err err;
	size_t n;

	arena_init(&arena);
	assert_int_equal(store_commands_waiting(journal.store, "shop-1", &arena,
				 &list, &n, &err),
		0);
	arena_fini(&arena);
	return n > 0;
}

static void the_driver_has_the_last_word(void **state)
{
	pid_t pid;

	run_to_the_gate();
	pid = start("approve");
	/* The gate closes after it was left and before it is taken. */
	UNTIL(command_waits());
	world_command(&world, VERB_ABORT, "carol");
	assert_int_equal(drive(pid), 4);
	has(&err_out, "is refused");
}

static void what_nobody_takes_is_kept_for_resume(void **state)
{
	run_to_the_gate();
	store_lease_drop(journal.store, JOURNAL_SERVICE, journal.fence);
	assert_int_equal(tidegate("approve"), 0);
	has(&out, "nobody drives the rollout");
	has(&out, "tidegate resume shop-1");
	assert_int_equal(world.rollout.approvals, 0);
}

static bool has_printed(void)
{
	struct stat st;
	char file[128];

	snprintf(file, sizeof(file), "%s/out", folder);
	return stat(file, &st) == 0 && st.st_size;
}

static void watch_prints_the_journal_and_exits_as_it_does(void **state)
{
	pid_t pid = start("watch --format json");
	const char *line, *end;
	int64_t seq = 0;
	json_t *root = NULL;

	run_to_the_gate();
	/* What has begun late would find that the rollout has ended. */
	UNTIL(has_printed());
	world_command(&world, VERB_REJECT, "bob");
	world_run(&world, 60000);
	assert_int_equal(world.rollout.phase, PHASE_ROLLED_BACK);
	assert_int_equal(finish(pid), 6);
	for (line = out.data; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		json_decref(root);
		root = json_loadb(line, (size_t)(end - line), 0, NULL);
		assert_int_equal(
			json_integer_value(json_object_get(root, "seq")),
			++seq);
	}
	assert_string_equal(
		json_string_value(json_object_get(root, "event")), "finished");
	assert_int_equal(json_integer_value(json_object_get(root, "exit")), 6);
	json_decref(root);
	assert_int_equal(tidegate("watch shop-1"), 6);
	has(&out, "check errors pass");
	has(&out, "shop-1: rolled-back: rejected by bob");
	assert_int_equal(tidegate("watch"), 4);
	assert_int_equal(tidegate("approve shop-1"), 4);
	has(&err_out, "the rollout has ended: rolled-back");
	assert_int_equal(tidegate("status"), 0);
	has(&out, "\nended ");
}

static void the_one_that_is_meant_must_be_clear(void **state)
{
	struct journal_fixture other;

	store_lease_drop(journal.store, JOURNAL_SERVICE, journal.fence);
	journal_fixture_open(&other, path, "shop-2", source, now_ms() + 1000);
	assert_int_equal(tidegate("status"), 2);
	has(&err_out, "2 rollouts are unfinished");
	has(&err_out, "shop-2, shop-1");
	/* The service is in the hands of the later one. */
	assert_int_equal(tidegate("status shop-1"), 0);
	has(&out, "tidegate resume shop-1");
	assert_int_equal(tidegate("status shop-2"), 0);
	has(&out, "driven by ");
	assert_int_equal(tidegate("pause shop"), 2);
	has(&err_out, "more than one");
	assert_int_equal(tidegate("list"), 0);
	has(&out, "ROLLOUT  SERVICE  CANDIDATE       PHASE");
	assert_true(strstr(out.data, "shop-2") < strstr(out.data, "shop-1"));
	/* What has not ended is not counted. */
	assert_int_equal(tidegate("list --format json --limit 1"), 0);
	has(&out, "\"shop-2\"");
	has(&out, "\"shop-1\"");
	journal_fixture_close(&other);
}

static void a_damaged_journal_is_said_to_be_damaged(void **state)
{
	struct store_event entry = {.seq = ++journal.seq,
		.time_ms = 1,
		.name = "check",
		.phase = "baking",
		.data = "{\"slo\":\"\033[2Jgone\"}"};
	struct err err;

	assert_int_equal(store_append(journal.store, "shop-1", journal.fence,
				 &entry, 1, NULL, false, &err),
		0);
	assert_int_equal(tidegate("status"), 1);
	has(&err_out, "shop-1: entry ");
	assert_null(strchr(err_out.data, '\033'));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(status_says_where_it_stands_and_how_to_answer),
		TEST(status_is_one_object_for_programs),
		TEST(what_the_engine_would_refuse_is_refused_here),
		TEST(a_decision_is_taken_by_the_one_who_drives),
		TEST(the_driver_has_the_last_word),
		TEST(what_nobody_takes_is_kept_for_resume),
		TEST(watch_prints_the_journal_and_exits_as_it_does),
		TEST(the_one_that_is_meant_must_be_clear),
		TEST(a_damaged_journal_is_said_to_be_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
