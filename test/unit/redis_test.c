/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type redis against a real redis-server: what is removed, what is
 * left, what its refusals become. It prints how long a large purge takes and
 * what other clients feel meanwhile; nothing fails on time.
 */
#include "config.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "action_fixture.h"
#include "base/xalloc.h"
#include "policy/url.h"
#include "until.h"

#define KEYS_PURGED 40000 /* many answers of SCAN long */
#define KEYS_KEPT   160000
#define SAMPLES_MAX 200000
#define PORT_TRIES  20
#define NOT_FOUND   127
#define PORT_MAX    55535 /* a cluster also takes the one 10000 above */

static char folder[] = "/tmp/redis_test.XXXXXX";
static pid_t server;
static int port;
static redisContext *client;

#ifdef HAVE_HIREDIS_SSL
static const char *const no_tls = NULL;
#else
static const char *const no_tls = "TLS to Redis is not supported by this build";
#endif

/* ---- the server ---- */

static int free_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void serve(const char *cluster)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", port);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that aborts leaves none */
	if (!freopen("/dev/null", "w", stdout))
		_exit(1);
	execlp("redis-server", "redis-server", "--port", number, "--bind",
		"127.0.0.1", "--dir", folder, "--save", "", "--cluster-enabled",
		cluster,
		"--enable-debug-"
		"command",
		"yes", (char *)NULL);
	_exit(NOT_FOUND);
}

static bool connect_client(void)
{
	client = redisConnect("127.0.0.1", port);
	if (client && !client->err)
		return true;
	if (client)
		redisFree(client);
	client = NULL;
	return false;
}

static bool has_ended(int *status_r)
{
	return waitpid(server, status_r, WNOHANG) == server;
}

/* Between our look at a port and its own somebody else may have taken it: then
 * it ends at once. */
static int begin_server(const char *cluster)
{
	int status;

	for (int tries = 0; tries < PORT_TRIES; tries++) {
		do
			port = free_port();
		while (port > PORT_MAX);
		status = 0;
		server = fork();
		if (!server)
			serve(cluster);
		UNTIL(has_ended(&status) || connect_client());
		if (client)
			return 0;
		if (WEXITSTATUS(status) == NOT_FOUND) {
			printf("skipped: there is no redis-server here\n");
			exit(77);
		}
	}
	return -1;
}

static int start_server(void **state)
{
	assert_non_null(mkdtemp(folder));
	return begin_server("no");
}

static void remove_folder(void)
{
	char *path = xasprintf("%s/nodes.conf", folder);

	unlink(path);
	free(path);
	rmdir(folder);
}

static int stop_server(void **state)
{
	redisFree(client);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	remove_folder();
	return 0;
}

static void say(const char *command)
{
	redisReply *reply = redisCommand(client, command);

	assert_non_null(reply);
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", command, reply->str);
	freeReplyObject(reply);
}

static bool cluster_is_up(void)
{
	redisReply *reply = redisCommand(client, "CLUSTER INFO");
	bool up = reply && strstr(reply->str, "cluster_state:ok");

	freeReplyObject(reply);
	return up;
}

static long long number(const char *command)
{
	redisReply *reply = redisCommand(client, command);
	long long n;

	assert_non_null(reply);
	assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
	n = reply->integer;
	freeReplyObject(reply);
	return n;
}

/* ---- a run ---- */

static void set_action(
	const char *userinfo, const char *rest, const char **patterns, size_t n)
{
	char *url = xasprintf("redis://%s127.0.0.1:%d%s", userinfo, port, rest);

	secret_free(&action.u.redis.url);
	action.u.redis.url = secret_new(url, strlen(url));
	action.u.redis.patterns = patterns;
	action.u.redis.n_patterns = n;
	free(url);
}

static int setup(void **state)
{
	fixture_open();
	values = (struct template_values){.candidate = "shop-2"};
	action = (struct action){.name = "purge",
		.kind = ACTION_REDIS,
		.timeout_ms = 60000,
		.idempotent = true};
	say("FLUSHALL");
	return 0;
}

static int teardown(void **state)
{
	secret_free(&action.u.redis.url);
	fixture_close();
	return 0;
}

static void expect_detail(const char *part)
{
	expect(end.result, part);
}

/* ---- tests ---- */

static void only_keys_of_the_patterns_are_removed(void **state)
{
	const char *patterns[] = {"cart:*", "price:{{candidate}}:*"};

	say("MSET cart:1 a cart:2 b cart a xcart:1 a price:shop-2:1 a "
	    "price:shop-1:1 a");
	freeReplyObject(
		redisCommand(client, "SET %b v", "cart:\0\xff\r\n", (size_t)9));
	set_action("", "", patterns, 2);
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_OK);
	assert_string_equal(end.detail, "removed 4 keys");
	assert_int_equal(number("DBSIZE"), 3);
	assert_int_equal(number("EXISTS cart xcart:1 price:shop-1:1"), 3);
}

static void a_drill_only_counts(void **state)
{
	const char *patterns[] = {"cart:*"};

	say("MSET cart:1 a cart:2 b other a");
	set_action("", "", patterns, 1);
	run_job(JOB_DRILL, NULL);
	assert_int_equal(end.result, ACTION_OK);
	assert_string_equal(end.detail, "would remove 2 keys");
	assert_int_equal(number("DBSIZE"), 3);
}

static void the_database_of_the_url_is_the_one_that_is_purged(void **state)
{
	const char *patterns[] = {"a*"};

	say("SET a1 x");
	say("SELECT 3");
	say("SET a2 x");
	set_action("", "/3", patterns, 1);
	run_job(JOB_RUN, NULL);
	assert_string_equal(end.detail, "removed 1 keys");
	assert_int_equal(number("DBSIZE"), 0);
	say("SELECT 0");
	assert_int_equal(number("DBSIZE"), 1);
}

static void a_user_with_few_rights_is_enough(void **state)
{
	const char *patterns[] = {"a*"};

	say("SET a1 x");
	say("ACL SETUSER purger on >p:ss ~a* +scan +unlink");
	set_action("purger:p%3Ass@", "", patterns, 1);
	run_job(JOB_RUN, NULL);
	assert_string_equal(end.detail, "removed 1 keys");
	say("ACL DELUSER purger");
}

static void a_purge_that_was_cut_off_is_finished_by_the_next(void **state)
{
	const char *patterns[] = {"k*"};
	struct action_run *cut;
	long long left;

	say("DEBUG POPULATE 20000 k");
	set_action("", "", patterns, 1);
	end.there = false;
	cut = action_start(&env, &action, &values, ended, NULL);
	action_cancel(&cut); /* before it has begun */
	assert_int_equal(number("DBSIZE"), 20000);
	cut = action_start(&env, &action, &values, ended, NULL);
	RUN_UNTIL(loop, number("DBSIZE") < 20000);
	assert_false(end.there);
	action_cancel(&cut);
	left = number("DBSIZE");
	assert_in_range(left, 1, 19999);
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_OK);
	assert_int_equal(number("DBSIZE"), 0);
	run_job(JOB_RUN, NULL);
	assert_string_equal(end.detail, "removed 0 keys");
}

static void database_0_is_not_asked_for(void **state)
{
	const char *patterns[] = {"a*"};

	say("ACL SETUSER purger on >pass ~a* +scan +unlink");
	say("SET a1 x");
	set_action("purger:pass@", "/0", patterns, 1);
	run_job(JOB_CAPTURE, NULL);
	assert_string_equal(end.detail, "its keys may be looked through");
	run_job(JOB_RUN, NULL);
	assert_string_equal(end.detail, "removed 1 keys");
	set_action("purger:pass@", "/1", patterns, 1);
	run_job(JOB_CAPTURE, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
	expect_detail("+select for a database other than 0");
	say("ACL DELUSER purger");
}

static void a_password_is_sent_whole_or_not_at_all(void **state)
{
	const char *patterns[] = {"a*"};
	char password[9000], *userinfo, *command;
	struct err err;

	for (size_t len = 1100; len <= 8000; len += 6900) {
		memset(password, 'p', len);
		password[len] = '\0';
		command = xasprintf("ACL SETUSER long on >%s ~a* +scan "
				    "+unlink",
			password);
		say(command);
		free(command);
		userinfo = xasprintf("long:%s@", password);
		set_action(userinfo, "", patterns, 1);
		free(userinfo);
		run_job(JOB_RUN, NULL);
		assert_string_equal(end.detail, "removed 0 keys");
		say("ACL DELUSER long");
	}
	memset(password, 'p', 8192);
	password[8192] = '\0';
	userinfo = xasprintf("long:%s@", password);
	set_action(userinfo, "", patterns, 1);
	free(userinfo);
	assert_int_equal(action_check(&env, &action, &err), -1);
	assert_non_null(strstr(err.text, "it is longer than 8 KiB"));
	set_action("u:a%00b@", "", patterns, 1);
	assert_int_equal(action_check(&env, &action, &err), -1);
	assert_non_null(strstr(err.text, "the password in its URL has a %00"));
}

static void rights_are_asked_for_keys_that_the_patterns_match(void **state)
{
	const char *patterns[] = {"user:[0-9]*", "x\\*[^a]?"};
	const char *letters[] = {"user:[a-z]*"};

	say("ACL SETUSER half on >pass ~user:[0-9]* ~x\\** +scan +unlink "
	    "+acl");
	say("MSET user:1 x user:9x x user:a x x*b1 x");
	set_action("half:pass@", "", patterns, 2);
	run_job(JOB_CAPTURE, NULL);
	assert_string_equal(end.detail, "its keys may be looked through");
	run_job(JOB_RUN, NULL);
	assert_string_equal(end.detail, "removed 3 keys");
	set_action("half:pass@", "", letters, 1);
	run_job(JOB_CAPTURE, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
	expect_detail("no permissions to access the 'user:a*' key");
	/* Of a class the first is looked at, and the last. */
	say("ACL SETUSER half resetkeys ~user:a*");
	run_job(JOB_CAPTURE, NULL);
	expect_detail("no permissions to access the 'user:z*' key");
	say("ACL DELUSER half");
}

static void refusals_are_told_with_a_remedy(void **state)
{
	const char *patterns[] = {"a*"};

	say("ACL SETUSER reader on >pass ~* +scan");
	set_action("nobody:wrong@", "", patterns, 1);
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
	expect_detail("WRONGPASS");
	expect_detail("check user and password");
	say("SET a1 x");
	set_action("reader:pass@", "", patterns, 1);
	run_job(JOB_RUN, NULL);
	expect_detail("needs +scan +unlink");
	say("ACL DELUSER reader");
	set_action("", "/99", patterns, 1);
	run_job(JOB_RUN, NULL);
	expect_detail("DB index is out of range");
	say("CONFIG SET requirepass hush");
	set_action("", "", patterns, 1);
	run_job(JOB_RUN, NULL);
	expect_detail("NOAUTH");
	set_action(":hush@", "", patterns, 1);
	run_job(JOB_RUN, NULL);
	assert_string_equal(end.detail, "removed 1 keys");
	say("ACL SETUSER default nopass");
	say("SET a1 x");
	say("REPLICAOF 127.0.0.1 1");
	say("CONFIG SET replica-serve-stale-data yes");
	set_action("", "", patterns, 1);
	run_job(JOB_RUN, NULL);
	expect_detail("READONLY");
	expect_detail("name the primary");
	say("REPLICAOF NO ONE");
}

static void a_server_that_is_not_there_is_told(void **state)
{
	const char *patterns[] = {"a*"};
	int open = port;

	port = free_port();
	set_action("", "", patterns, 1);
	port = open;
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
	expect_detail("no connection to 127.0.0.1:");
	expect_detail("refused");
}

static void a_server_that_hangs_is_given_up_in_time(void **state)
{
	const char *patterns[] = {"a*"};

	kill(server, SIGSTOP);
	set_action("", "", patterns, 1);
	action.timeout_ms = 100;
	run_job(JOB_RUN, NULL);
	kill(server, SIGCONT);
	assert_int_equal(end.result, ACTION_FAILED);
	expect_detail("not finished after 100ms");
}

static void a_pattern_of_nothing_but_an_empty_template_is_refused(void **state)
{
	static const char *const wide[] = {"{{stable}}*", "[^x]{{stable}}*",
		"?[a-z]{{stable}}", "\\{{stable}}"};

	say("SET a1 x");
	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++) {
		const char *patterns[] = {wide[i]};

		set_action("", "", patterns, 1);
		run_job(JOB_RUN, NULL);
		assert_int_equal(end.result, ACTION_FAILED);
		expect_detail("matches every key");
		assert_int_equal(number("DBSIZE"), 1);
	}
}

static void a_host_is_looked_up_and_a_bad_name_is_told(void **state)
{
	const char *patterns[] = {"a*"};
	char *url = xasprintf("redis://localhost:%d", port);

	set_action("", "", patterns, 1);
	secret_free(&action.u.redis.url);
	action.u.redis.url = secret_new(url, strlen(url));
	free(url);
	run_job(JOB_RUN, NULL);
	assert_string_equal(end.detail, "removed 0 keys");
	secret_free(&action.u.redis.url);
	action.u.redis.url = secret_new("redis://no.such.invalid", 23);
	action.timeout_ms = 1000;
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
	expect_detail("not f"); /* found, or finished when DNS is silent */
}

static void urls_are_read_strictly(void **state)
{
	const struct {
		const char *url, *said;
	} rows[] = {
		{"redis://h", NULL},
		{"redis://u:p@h:1/15", NULL},
		{"redis://[::1]:6379/", NULL},
		{"rediss://u:p@h:1/15", no_tls},
		{"rediss://h?x=1", no_tls ? no_tls : "no query"},
		{"redisss://h", "does not start with redis://"},
		{"http://h", "does not start with redis://"},
		{"redis://", "host is missing"},
		{"redis://h/0/1", "database is a number"},
		{"redis://h/db", "database is a number"},
		{"redis://h:x", "port is not a number"},
		{"redis://h?x=1", "no query"},
	};
	struct url url;
	struct err err;
	int rc;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		rc = url_parse_redis(rows[i].url, &url, &err);
		assert_int_equal(rc, rows[i].said ? -1 : 0);
		if (rows[i].said && !strstr(err.text, rows[i].said))
			fail_msg("%s: %s", rows[i].url, err.text);
	}
}

static void preflight_asks_what_a_run_would_need(void **state)
{
	const char *patterns[] = {"a*", "b*"};

	say("MSET a1 x b1 x");
	set_action("", "", patterns, 2);
	run_job(JOB_CAPTURE, NULL);
	assert_string_equal(end.detail, "its keys may be looked through");
	assert_int_equal(end.result, ACTION_OK);
	/* The server tells an administrator what somebody may do … */
	say("ACL SETUSER half on >pass ~a* ~b* +scan +acl");
	set_action("half:pass@", "", patterns, 2);
	run_job(JOB_CAPTURE, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
	expect_detail("no permissions to run the 'unlink' command");
	say("ACL SETUSER half resetkeys ~a* +unlink");
	run_job(JOB_DRILL, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
	expect_detail("no permissions to access the 'b*' key");
	/* … and who may not ask is not held up. */
	say("ACL SETUSER half resetkeys ~a* ~b* -acl -dbsize -info");
	run_job(JOB_DRILL, NULL);
	assert_string_equal(end.detail, "would remove 2 keys");
	run_job(JOB_RUN, NULL);
	assert_string_equal(end.detail, "removed 2 keys");
	say("ACL DELUSER half");
	say("REPLICAOF 127.0.0.1 1");
	set_action("", "", patterns, 1);
	run_job(JOB_CAPTURE, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
	expect_detail("this is a replica");
	say("REPLICAOF NO ONE");
}

/* ---- TLS ---- */

/* For 127.0.0.1, its own authority, the server's and the client's. */
static void make_certificate(const char *cert, const char *key)
{
	char *command = xasprintf(
		"openssl req -x509 -newkey ec -pkeyopt "
		"ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test "
		"-addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s "
		"2>/dev/null",
		key, cert);

	assert_int_equal(system(command), 0);
	free(command);
}

static void listen_with_tls(int tls_port, const char *cert, const char *key)
{
	char *command = xasprintf("CONFIG SET tls-cert-file %s tls-key-file %s "
				  "tls-ca-cert-file %s tls-port %d",
		cert, key, cert, tls_port);

	say(command);
	free(command);
}

/* Runs over TLS; what it is to say where there is TLS, and not to do where
 * there is none. */
static void run_tls(const char *host, int tls_port, const struct tls *files,
	const char *said)
{
	const char *patterns[] = {"a*"};
	char *url = xasprintf("rediss://:quiet@%s:%d", host, tls_port);

	set_action("", "", patterns, 1);
	secret_free(&action.u.redis.url);
	action.u.redis.url = secret_new(url, strlen(url));
	action.u.redis.tls = *files;
	free(url);
	run_job(JOB_RUN, NULL);
	expect_detail(no_tls ? no_tls : said);
	assert_null(strstr(end.detail, "quiet"));
}

static void over_tls_both_sides_are_checked(void **state)
{
	char *cert = xasprintf("%s/cert", folder);
	char *key = xasprintf("%s/key", folder);
	struct tls none = {0}, trusting = {.ca_file = cert},
		   known = {cert, cert, key}, mixed = {cert, cert, cert};
	int tls_port = free_port();

	make_certificate(cert, key);
	listen_with_tls(tls_port, cert, key);
	say("CONFIG SET requirepass quiet");
	/* A page of these is several records of TLS. */
	say("DEBUG POPULATE 20000 a-name-as-long-as-keys-often-have-one 8");
	say("SET b x");
	run_tls("127.0.0.1", tls_port, &none,
		"certificate is not accepted: self-signed certificate");
	run_tls("localhost", tls_port, &known,
		"certificate is not accepted: hostname mismatch");
	run_tls("127.0.0.1", tls_port, &trusting,
		"if the server asks for a certificate, name one");
	run_tls("127.0.0.1", tls_port, &mixed, "key_file: /");
	assert_int_equal(end.result, ACTION_FAILED);
	assert_int_equal(number("DBSIZE"), 20001);
	run_tls("127.0.0.1", tls_port, &known, "removed 20000 keys");
	assert_int_equal(end.result, no_tls ? ACTION_FAILED : ACTION_OK);
	assert_int_equal(number("DBSIZE"), no_tls ? 20001 : 1);
	say("CONFIG SET tls-port 0");
	say("ACL SETUSER default nopass");
	unlink(cert);
	unlink(key);
	free(cert);
	free(key);
}

static void a_node_of_a_cluster_is_left_alone(void **state)
{
	const char *patterns[] = {"a*"};
	redisContext *first = client;
	pid_t first_server = server;
	int first_port = port;

	begin_server("yes");
	say("CLUSTER ADDSLOTSRANGE 0 16383");
	UNTIL(cluster_is_up());
	say("SET a1 x");
	set_action("", "", patterns, 1);
	for (int job = JOB_RUN; job <= JOB_CAPTURE; job++) {
		run_job((enum action_job)job, NULL);
		assert_int_equal(end.result, ACTION_FAILED);
		expect_detail("this is a node of a cluster");
	}
	assert_int_equal(number("DBSIZE"), 1);
	/* Who does not tell what it is does not get far either. */
	say("ACL SETUSER blind on >pass ~* +scan +unlink");
	say("SET a2 x");
	set_action("blind:pass@", "", patterns, 1);
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
	expect_detail("CROSSSLOT");
	expect_detail("clusters are not supported");
	assert_int_equal(number("DBSIZE"), 2);
	redisFree(client);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	client = first;
	server = first_server;
	port = first_port;
}

/* ---- many ---- */

static int by_size(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

/* Another client, in a process of its own: the 99th percentile of its PINGs in
 * microseconds, through a pipe. Ends when its standard input does. */
static void feel(int stop_fd, int out_fd)
{
	static long samples[SAMPLES_MAX];
	redisContext *other = redisConnect("127.0.0.1", port);
	struct timespec from, to, pause = {0, 200000};
	size_t n = 0;
	char byte;

	while (n < SAMPLES_MAX && recv(stop_fd, &byte, 1, MSG_DONTWAIT) != 0) {
		clock_gettime(CLOCK_MONOTONIC, &from);
		freeReplyObject(redisCommand(other, "PING"));
		clock_gettime(CLOCK_MONOTONIC, &to);
		samples[n++] = (to.tv_sec - from.tv_sec) * 1000000 +
			       (to.tv_nsec - from.tv_nsec) / 1000;
		nanosleep(&pause, NULL);
	}
	qsort(samples, n, sizeof(*samples), by_size);
	if (write(out_fd, &samples[n * 99 / 100], sizeof(long)) < 0)
		_exit(1);
	_exit(0);
}

static void a_fifth_of_many_keys_goes_and_the_others_stay(void **state)
{
	const char *patterns[] = {"purge:*"};
	int stop[2], out[2];
	long p99 = -1;
	pid_t other;

	say("DEBUG POPULATE 40000 purge 8");
	say("DEBUG POPULATE 160000 keep 8");
	assert_int_equal(number("DBSIZE"), KEYS_PURGED + KEYS_KEPT);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, stop), 0);
	assert_int_equal(pipe(out), 0);
	other = fork();
	if (!other) {
		close(stop[0]);
		feel(stop[1], out[1]);
	}
	set_action("", "", patterns, 1);
	run_job(JOB_RUN, NULL);
	close(stop[0]);
	close(stop[1]);
	assert_int_equal(read(out[0], &p99, sizeof(p99)), sizeof(p99));
	waitpid(other, NULL, 0);
	close(out[0]);
	close(out[1]);
	printf("%s of %d in %lld ms; p99 of others: %ld us\n", end.detail,
		KEYS_PURGED + KEYS_KEPT, (long long)end.duration_ms, p99);
	assert_string_equal(end.detail, "removed 40000 keys");
	assert_int_equal(number("DBSIZE"), KEYS_KEPT);
	assert_int_equal(number("EXISTS keep:0 keep:159999"), 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(only_keys_of_the_patterns_are_removed),
		TEST(a_drill_only_counts),
		TEST(the_database_of_the_url_is_the_one_that_is_purged),
		TEST(a_user_with_few_rights_is_enough),
		TEST(a_purge_that_was_cut_off_is_finished_by_the_next),
		TEST(database_0_is_not_asked_for),
		TEST(a_password_is_sent_whole_or_not_at_all),
		TEST(rights_are_asked_for_keys_that_the_patterns_match),
		TEST(refusals_are_told_with_a_remedy),
		TEST(a_server_that_is_not_there_is_told),
		TEST(a_server_that_hangs_is_given_up_in_time),
		TEST(a_pattern_of_nothing_but_an_empty_template_is_refused),
		TEST(a_host_is_looked_up_and_a_bad_name_is_told),
		TEST(urls_are_read_strictly),
		TEST(preflight_asks_what_a_run_would_need),
		TEST(over_tls_both_sides_are_checked),
		TEST(a_node_of_a_cluster_is_left_alone),
		TEST(a_fifth_of_many_keys_goes_and_the_others_stay),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
