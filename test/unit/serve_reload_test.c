/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon reads its policies again while it works. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "policy/policy_load.h"
#include "serve/daemon.h"
#include "serve/secret_list.h"
#include "serve/shelf.h"
#include "serve/visitor.h"
#include "serve_fixture.h"
#include "server_peer.h"
#include "until.h"

#define POLICIES    500
#define TURN_US_MAX 50000

static struct served served;

static int setup(void **state)
{
	served_open(&served);
	return 0;
}

/* What rollouts would hold, which is given back when a test has failed, too. */
static const struct policy *held[4];
static size_t n_held;

static int teardown(void **state)
{
	while (n_held)
		shelf_give_back(daemon_shelf(served.daemon), &held[--n_held]);
	served_close(&served);
	return 0;
}

static void write_policy(int i, const char *bake, const char *more)
{
	char *name = xasprintf("policies/p%03d.yaml", i);
	struct buf text;

	buf_init(&text, 65536);
	buf_addf(&text,
		"version: 1\nname: number %d\n"
		"metrics: {url: \"${PROMETHEUS_URL}\"}\n"
		"steps: [{percent: 10, bake: %s}, {percent: 100, bake: 1h}]\n"
		"slos:\n",
		i, bake);
	for (int n = 0; n < 16; n++)
		buf_addf(&text,
			"  - {name: s%d, query: 'sum(rate(x{r=\"{{candidate}}"
			"\"}[5m])) / sum(rate(y{r=\"{{candidate}}\"}[5m]))', "
			"max: 1%%}\n",
			n);
	buf_adds(&text, more);
	served_write(&served, name, text.data);
	buf_fini(&text);
	free(name);
}

static int n_done;

static void reload_done(void *arg)
{
	n_done++;
}

static void reload(void)
{
	struct loop *loop = daemon_loop(served.daemon);

	daemon_reload(served.daemon, reload_done, NULL);
	RUN_UNTIL(loop, !daemon_is_reloading(served.daemon));
}

static int64_t bake_of(const char *name)
{
	struct shelf *shelf = daemon_shelf(served.daemon);
	const struct policy *policy;
	struct err err;
	int64_t bake_ms;

	policy = shelf_take(shelf, name, &err);
	if (!policy)
		return -1;
	bake_ms = policy->steps[0].bake_ms;
	shelf_give_back(shelf, &policy);
	return bake_ms;
}

/* By processor time, which is the same beside busy neighbours. */
static void no_turn_of_a_reload_is_long(void **state)
{
	struct loop *loop = daemon_loop(served.daemon);
	struct loop_turn turn;

	for (int i = 0; i < POLICIES; i++)
		write_policy(i, "10m", "");
	loop_measure_turns(loop);
	reload();
	assert_int_equal(n_done, 1);
	assert_int_equal(bake_of("p000"), 600000);
	assert_int_equal(bake_of("p499"), 600000);
	turn = loop_busiest_turn(loop);
	if (turn.cpu_us >= TURN_US_MAX)
		fail_msg("a turn took %lld us", (long long)turn.cpu_us);
	/* Requests are answered meanwhile. */
	daemon_reload(served.daemon, reload_done, NULL);
	served_expect(&served, 200, "GET", "/api/v1/me", NULL);
	RUN_UNTIL(loop, !daemon_is_reloading(served.daemon));
	assert_int_equal(n_done, 2);
}

static void what_has_changed_is_read_and_what_is_wrong_stays(void **state)
{
	char *gone = xasprintf("%s/policies/p002.yaml", served.folder);

	for (int i = 0; i < 3; i++)
		write_policy(i, "10m", "");
	reload();
	write_policy(0, "20m", "");
	write_policy(1, "20m", "nmae: x\n");
	write_policy(3, "30m", "");
	assert_int_equal(unlink(gone), 0);
	/* Who asks twice has what was there at the second time. */
	n_done = 0;
	daemon_reload(served.daemon, reload_done, NULL);
	write_policy(4, "40m", "");
	reload();
	assert_int_equal(n_done, 1);
	assert_int_equal(bake_of("p000"), 1200000);
	assert_int_equal(bake_of("p001"), 600000);
	assert_int_equal(bake_of("p002"), -1);
	assert_int_equal(bake_of("p003"), 1800000);
	assert_int_equal(bake_of("p004"), 2400000);
	assert_int_equal(bake_of("e2e"), 1000);
	free(gone);
}

/* ---- secrets in files ---- */

#define WITH_A_FILE                                                    \
	"version: 1\nname: with a file\n"                              \
	"metrics: {url: \"${PROMETHEUS_URL}\", auth: {type: bearer,\n" \
	"  token_file: ../prometheus-file}}\n"                         \
	"steps: [{percent: 100, bake: 1h}]\n"                          \
	"slos: [{name: s, query: 'up{r=\"{{candidate}}\"}', max: 1}]\n"

static void write_secret(const char *secret)
{
	served_write(&served, "prometheus-file", secret);
}

static const struct policy *hold(const struct policy *policy)
{
	assert_non_null(policy);
	held[n_held++] = policy;
	return policy;
}

/* As a rollout that begins takes it, and keeps it. */
static const struct policy *taken(void)
{
	struct err err;

	return hold(
		shelf_take(daemon_shelf(served.daemon), "with-a-file", &err));
}

/* As one is taken up that goes by this text. */
static const struct policy *taken_up(const char *path)
{
	const struct policy *policy;
	struct buf problems;
	struct err err;

	buf_init(&problems, 65536);
	policy = shelf_take_text(daemon_shelf(served.daemon), path, WITH_A_FILE,
		&policy_env_real, &problems, &err);
	buf_fini(&problems);
	return hold(policy);
}

static void expect_secret(const struct policy *policy, const char *secret)
{
	assert_string_equal(secret_reveal(policy->metrics.auth.secret), secret);
}

static void a_secret_that_is_new_is_read_with_the_policies(void **state)
{
	const struct policy *before, *after;

	write_secret("the-first-one\n");
	served_write(&served, "policies/with-a-file.yaml", WITH_A_FILE);
	reload();
	before = taken();
	write_secret("the-second-one\n");
	reload();
	after = taken();
	expect_secret(after, "the-second-one");
	/* Who began with another keeps it; one that is taken up has the new. */
	expect_secret(before, "the-first-one");
	assert_ptr_equal(taken_up(after->path), after);
}

/* A daemon of months keeps no more than it needs. */
static void a_secret_that_is_as_it_was_makes_nothing_new(void **state)
{
	const struct policy *before;

	write_secret("the-first-one\n");
	served_write(&served, "policies/with-a-file.yaml", WITH_A_FILE);
	reload();
	before = taken();
	write_secret("the-first-one\n");
	reload();
	assert_ptr_equal(taken(), before);
}

static void a_secret_that_is_wrong_stays_as_it_was(void **state)
{
	struct buf problems;
	struct err err;
	bool named;

	write_secret("the-first-one\n");
	served_write(&served, "policies/with-a-file.yaml", WITH_A_FILE);
	reload();
	write_secret("");
	buf_init(&problems, 65536);
	assert_int_equal(
		shelf_load(daemon_shelf(served.daemon), &problems, &err), -1);
	named = strstr(problems.data, "with-a-file.yaml:4:") &&
		strstr(problems.data, "is empty");
	buf_fini(&problems);
	assert_true(named);
	assert_non_null(strstr(err.text, "policy with-a-file, line 4"));
	expect_secret(taken(), "the-first-one");
}

/* Such a text is read when it is taken, also beside others that go by it. */
static void a_text_that_was_brought_has_the_secret_of_its_time(void **state)
{
	char *path = xasprintf("%s/policies/brought", served.folder);
	const struct policy *first, *second;

	write_secret("the-first-one\n");
	first = taken_up(path);
	write_secret("the-second-one\n");
	second = taken_up(path);
	expect_secret(first, "the-first-one");
	expect_secret(second, "the-second-one");
	assert_ptr_equal(taken_up(path), second);
	/* One that is wrong keeps nobody from taking up what is left. */
	write_secret("");
	assert_ptr_equal(taken_up(path), second);
	free(path);
}

/* ---- what hangs ---- */

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", served.folder, name);
}

/* Whoever reads it from now on hangs until it is written to. */
static void make_hang(const char *name)
{
	char *path = path_of(name);

	if (unlink(path) < 0)
		assert_int_equal(errno, ENOENT);
	assert_int_equal(mkfifo(path, 0600), 0);
	free(path);
}

/* Who hangs there reads nothing, and whoever comes after that reads this. */
static void make_answer(const char *name, const char *content)
{
	char *path = path_of(name);
	int hung = open(path, O_RDWR | O_CLOEXEC);

	assert_true(hung >= 0);
	assert_int_equal(unlink(path), 0);
	served_write(&served, name, content);
	close(hung);
	free(path);
}

/* Policies are read each time; nobody is told that it is over. */
static void expect_policies_while_it_hangs(void)
{
	struct loop *loop = daemon_loop(served.daemon);

	n_done = 0;
	for (int i = 2; i < 5; i++) {
		char *bake = xasprintf("%d0m", i);

		write_policy(0, bake, "");
		daemon_reload(served.daemon, reload_done, NULL);
		RUN_UNTIL(loop, bake_of("p000") == i * 600000);
		free(bake);
	}
}

/* ---- of who may come in ---- */

static struct issuer_config issuer;

static bool has_client_secret(const char *secret)
{
	return issuer.client_secret &&
	       !strcmp(secret_reveal(issuer.client_secret), secret);
}

static int n_errors;

static void count_errors(const char *line, size_t len, void *arg)
{
	n_errors += strstr(line, "event=reload file=") &&
		    strstr(line, "the secret stays as it was");
}

static void reload_secret(const char *content)
{
	served_write(&served, "client", content);
	reload();
}

/* Returns the path of the secret's file, which is the caller's. */
static char *issuer_with_secret(void)
{
	char *path = path_of("client");

	issuer = (struct issuer_config){
		.kind = ISSUER_OIDC, .client_secret_file = path};
	served.config->renewable = &issuer;
	served.config->renewed = secret_list_new();
	return path;
}

static void a_clients_secret_is_read_again_and_one_that_is_wrong_stays(
	void **state)
{
	char *path = issuer_with_secret();

	log_set_sink(count_errors, NULL);
	reload_secret("the-first-one\n");
	assert_true(has_client_secret("the-first-one"));
	n_errors = 0;
	reload_secret("");
	reload_secret("two\nlines\n");
	reload_secret("\xef\xbb\xbfmarked\n");
	reload_secret("x");
	assert_int_equal(n_errors, 4);
	assert_true(has_client_secret("the-first-one"));
	reload_secret("the-second-one");
	assert_true(has_client_secret("the-second-one"));
	assert_int_equal(n_errors, 4);
	log_set_sink(NULL, NULL);
	served_stop(&served); /* it has the issuer */
	free(path);
}

static void a_secret_that_cannot_be_read_holds_up_nothing_else(void **state)
{
	char *path = issuer_with_secret();

	make_hang("client");
	expect_policies_while_it_hangs();
	served_expect(&served, 200, "GET", "/api/v1/me", NULL);
	assert_true(daemon_is_reloading(served.daemon));
	assert_int_equal(n_done, 0);
	make_answer("client", "the-first-one\n");
	RUN_UNTIL(daemon_loop(served.daemon),
		!daemon_is_reloading(served.daemon));
	assert_true(has_client_secret("the-first-one"));
	assert_int_equal(n_done, 1);
	served_stop(&served); /* it has the issuer */
	free(path);
}

/* ---- people and access ---- */

static int n_taken, n_refused;

static void count_reloads(const char *line, size_t len, void *arg)
{
	n_taken += strstr(line, "people and access are read") != NULL;
	n_refused +=
		strstr(line, "people and access stay as they were") != NULL;
}

/* Where who "email:alice@x.y" belongs to may do that. */
static char *config_text(const char *person, const char *may)
{
	return xasprintf("version: 1\n"
			 "listen: 127.0.0.1:0\n"
			 "state: %s/state.db\n"
			 "policies: %s/policies\n"
			 "people: [{name: %s, keys: [email:alice@x.y]}]\n"
			 "access: [{who: [%s], may: [%s]}]\n",
		served.folder, served.folder, person, person, may);
}

static void write_config(const char *person, const char *may)
{
	char *text = config_text(person, may);

	served_write(&served, "serve.yaml", text);
	free(text);
}

static void write_slack(const char *may)
{
	char *text = config_text("alice", may);
	char *more = xasprintf("%sidentity:\n"
			       "  - {type: token}\n"
			       "  - {type: slack, app: A1, team: T1,\n"
			       "     signing_secret_file: signing,\n"
			       "     bot_token_file: bot}\n",
		text);

	served_write(&served, "serve.yaml", more);
	free(more);
	free(text);
}

static void remove_config(void)
{
	char *path = path_of("serve.yaml");

	assert_int_equal(unlink(path), 0);
	free(path);
}

static void start_by_file(void)
{
	char *path = xasprintf("%s/serve.yaml", served.folder);
	struct buf problems;
	struct err err;

	served_stop(&served);
	serve_config_free(&served.config);
	buf_init(&problems, 65536);
	served.config =
		serve_config_load(path, &policy_env_real, &problems, &err);
	if (!served.config)
		fail_msg("%s", problems.data);
	served_start(&served);
	buf_fini(&problems);
	free(path);
}

/* Who has the key is called so, and has all of these rights and no others. */
static void expect_who(const struct people *people, const struct access *access,
	const char *name, unsigned rights)
{
	static const char *const keys[] = {"email:alice@x.y"};
	const struct caller caller = {.method = "iap",
		.issuer = "",
		.keys = keys,
		.n_keys = 1,
		.rights = RIGHTS_ALL};
	struct visitor *visitor = visitor_new(&caller, people);

	assert_string_equal(visitor->name, name);
	assert_int_equal(access_rights(access, visitor), rights);
	visitor_free(&visitor);
}

static void expect_now(const char *name, unsigned rights)
{
	expect_who(daemon_people(served.daemon), daemon_access(served.daemon),
		name, rights);
}

static void people_and_access_are_read_again(void **state)
{
	const unsigned reads = RIGHT_BIT(RIGHT_READ),
		       operates = reads | RIGHT_BIT(RIGHT_OPERATE);
	const struct people *people;
	const struct access *access;

	write_config("alice", "read");
	start_by_file();
	log_set_level(LOG_INFO);
	log_set_sink(count_reloads, NULL);
	people = daemon_people(served.daemon);
	access = daemon_access(served.daemon);
	reload();
	assert_int_equal(n_taken, 0); /* as it was */
	write_config("alicia", "read, operate");
	expect_now("alice", reads);
	reload();
	expect_now("alicia", operates);
	/* For whoever looks at it still, all is as it was. */
	expect_who(people, access, "alice", reads);
	served_write(&served, "serve.yaml", "version: 1\naccess: [{may: [");
	reload();
	write_config("alicia", "fly");
	reload();
	expect_now("alicia", operates);
	remove_config();
	reload();
	expect_now("alicia", operates);
	assert_int_equal(n_taken, 1);
	assert_int_equal(n_refused, 3);
	write_config("alice", "read");
	reload();
	expect_now("alice", reads);
	log_set_sink(NULL, NULL);
	log_set_level(LOG_ERROR);
}

static void people_that_cannot_be_read_hold_up_nothing_else(void **state)
{
	char *answer = config_text("alicia", "read, operate");

	write_config("alice", "read");
	start_by_file();
	make_hang("serve.yaml");
	expect_policies_while_it_hangs();
	/* What is asked of the state file waits for none of it, either. */
	served_expect(&served, 200, "GET", "/api/v1/me", NULL);
	assert_true(daemon_is_reloading(served.daemon));
	assert_int_equal(n_done, 0);
	make_answer("serve.yaml", answer);
	RUN_UNTIL(daemon_loop(served.daemon),
		!daemon_is_reloading(served.daemon));
	expect_now("alicia", RIGHT_BIT(RIGHT_OPERATE) | RIGHT_BIT(RIGHT_READ));
	assert_int_equal(n_done, 1);
	free(answer);
}

/* Their files are not read with people: what they hold is not judged there. */
static void people_are_read_again_beside_secrets_of_slack(void **state)
{
	const unsigned reads = RIGHT_BIT(RIGHT_READ),
		       operates = reads | RIGHT_BIT(RIGHT_OPERATE);

	served_write(&served, "signing", "8f742231b10e8888abcd99yyyzzz85a5\n");
	served_write(&served, "bot", "xoxb-1-2-abcdefghijkl\n");
	write_slack("read");
	start_by_file();
	expect_now("alice", reads);
	write_slack("read, operate");
	reload();
	expect_now("alice", operates);
}

/* Where these people, and nobody else, may read, start, operate and approve. */
static void write_rules(const char *bobs_key, const char *who)
{
	char *text = xasprintf("version: 1\n"
			       "listen: 127.0.0.1:0\n"
			       "state: %s/state.db\n"
			       "policies: %s/policies\n"
			       "people:\n"
			       "  - {name: owner, keys: [\"os:owner\"]}\n"
			       "  - {name: bob, keys: [\"%s\"]}\n"
			       "access: [{who: [%s],\n"
			       "  may: [read, start, operate, approve]}]\n",
		served.folder, served.folder, bobs_key, who);

	served_write(&served, "serve.yaml", text);
	free(text);
}

static void follow_journal(struct peer *peer, const char *id)
{
	char *text = xasprintf("GET /api/v1/rollouts/%s/events HTTP/1.1\r\n"
			       "Host: localhost\r\n"
			       "Accept: text/event-stream\r\n"
			       "Authorization: %s\r\n\r\n",
		id, served.token);
	int port = atoi(strrchr(served.address, ':') + 1);

	peer_connect(peer, daemon_loop(served.daemon), port);
	peer_say(peer, text);
	free(text);
}

static void who_may_not_read_any_more_hears_bye_and_no_more_of_a_journal(
	void **state)
{
	struct peer peer;
	char *id, *path;

	write_rules("os:bob", "owner, bob");
	start_by_file();
	id = served_rollout(&served, "awaiting-approval");
	path = xasprintf("/api/v1/rollouts/%s/decisions", id);
	follow_journal(&peer, id);
	peer_waits_for(&peer, "\"event\":\"started\"");
	write_rules("os:bob", "bob");
	reload();
	served_be(&served, "bob", "read,operate");
	served_expect(&served, 202, "POST", path,
		"{\"verb\":\"pause\",\"step\":2,\"candidate\":\"backend-2\","
		"\"comment\":\"among us\"}");
	RUN_UNTIL(daemon_loop(served.daemon),
		peer_has(&peer, "event: bye\n") || peer_has(&peer, "among us"));
	assert_false(peer_has(&peer, "among us"));
	peer_waits_for(&peer, "\ndata: {}\n\n\r\n0\r\n\r\n");
	peer_fini(&peer);
	free(path);
	free(id);
}

/* The key of the tokens here, which are the owner's while it is nobody's. */
static void who_has_another_name_since_does_not_approve_their_own(void **state)
{
	char *id, *path;

	served_write(&served, "policies/e2e.yaml",
		"version: 1\n"
		"name: e2e\n"
		"target: {project: acme, region: us-central1,\n"
		"  service: backend}\n"
		"metrics: {url: \"${PROMETHEUS_URL}\"}\n"
		"steps: [{percent: 100, bake: 1h,\n"
		"  approval: {approvers: [bob, carol]}}]\n"
		"slos: [{name: s, query: 'x{r=\"{{candidate}}\"}', max: 1}]\n");
	write_rules("os:bob", "owner, bob");
	start_by_file();
	id = served_rollout(&served, "awaiting-approval");
	path = xasprintf("/api/v1/rollouts/%s/decisions", id);
	write_rules("token:test", "owner, bob");
	reload();
	served_expect(&served, 409, "POST", path,
		"{\"verb\":\"approve\",\"step\":1,"
		"\"candidate\":\"backend-2\"}");
	assert_true(served_has(&served,
		"bob started the rollout, as owner, and the policy does not "
		"say self_approval"));
	served_wait_phase(&served, id, "awaiting-approval");
	free(path);
	free(id);
}

/* ---- its end ---- */

static void the_daemon_may_end_while_it_reads(void **state)
{
	write_config("alice", "read");
	start_by_file();
	for (int turns = 0; turns < 6; turns++) {
		write_config("alice", turns % 2 ? "read" : "operate");
		for (int i = 0; i < 40; i++)
			write_policy(i, turns % 2 ? "10m" : "20m", "");
		daemon_reload(served.daemon, reload_done, NULL);
		for (int i = 0; i < turns; i++)
			until_turn(daemon_loop(served.daemon));
		served_stop(&served);
		served_start(&served);
	}
}

int main(void)
{
#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WORLD(no_turn_of_a_reload_is_long),
		WORLD(what_has_changed_is_read_and_what_is_wrong_stays),
		WORLD(a_secret_that_is_new_is_read_with_the_policies),
		WORLD(a_secret_that_is_as_it_was_makes_nothing_new),
		WORLD(a_secret_that_is_wrong_stays_as_it_was),
		WORLD(a_text_that_was_brought_has_the_secret_of_its_time),
		WORLD(a_clients_secret_is_read_again_and_one_that_is_wrong_stays),
		WORLD(a_secret_that_cannot_be_read_holds_up_nothing_else),
		WORLD(people_and_access_are_read_again),
		WORLD(people_that_cannot_be_read_hold_up_nothing_else),
		WORLD(people_are_read_again_beside_secrets_of_slack),
		WORLD(who_may_not_read_any_more_hears_bye_and_no_more_of_a_journal),
		WORLD(who_has_another_name_since_does_not_approve_their_own),
		WORLD(the_daemon_may_end_while_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
