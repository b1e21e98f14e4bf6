/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints that hang, drip, half-close, lie or never stop, and programs that
 * print without end or do not want to go: every action ends in its time, in
 * bounded memory, with a result that is not a success, and leaves no process.
 */
#include <errno.h>
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "action/action.h"
#include "base/xalloc.h"
#include "google/credentials.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/process.h"
#include "until.h"

#define TIMEOUT_MS 1500
#define SLACK_MS   20000 /* a loaded machine, and a peer that never stops */
#define KINDS      7
#ifdef __SANITIZE_ADDRESS__
#define MORE_KIB_MAX (512 * 1024) /* what was freed is kept for a while */
#else
#define MORE_KIB_MAX (8 * 1024)
#endif

static struct loop *loop;
static struct http *http;
static struct policy policy = {.folder = "/", .name = "p"};
static struct action_env env;

static const struct template_values values = {
	.candidate = "shop-2",
	.stable = "shop-1",
	.service = "shop",
	.project = "acme",
	.region = "r",
	.percent = "10",
	.reason = "too many errors",
	.rollout = "shop-20260101-000000-aaaa",
};

/* ---- the endpoints, each a process of its own ---- */

static void send_all(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		_exit(0);
}

static void nap(long ms)
{
	struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

static void hang(int fd)
{
	for (;;)
		nap(1000);
}

static void drip(int fd)
{
	for (send_all(fd, HEAD "Content-Length: 1000\r\n\r\n");; nap(50))
		send_all(fd, " ");
}

static void half_close(int fd)
{
	send_all(fd, HEAD "Content-Length: 1000\r\n\r\n{\"a\":");
	shutdown(fd, SHUT_WR);
	hang(fd);
}

static void never_stop(int fd)
{
	static char chunk[65536 + 16];
	int n = snprintf(chunk, 16, "10000\r\n");

	memset(chunk + n, 'x', 65536);
	memcpy(chunk + n + 65536, "\r\n", 3);
	for (send_all(fd, HEAD "Transfer-Encoding: chunked\r\n\r\n");;)
		send_all(fd, chunk);
}

static void never_begin(int fd)
{
	for (send_all(fd, HEAD);;)
		send_all(fd,
			"X-Padding: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
}

static void speak_ssh(int fd)
{
	send_all(fd, "SSH-2.0-OpenSSH_9.2\r\n");
}

static void lie(int fd)
{
	send_all(fd, HEAD "Content-Length: 21\r\n\r\n<html>log in here</h>");
}

static void say_nothing(int fd)
{
}

static const struct {
	const char *name;
	void (*serve)(int fd);
} endpoints[] = {
	{"hangs", hang},
	{"drips", drip},
	{"half-closes", half_close},
	{"never stops", never_stop},
	{"never begins", never_begin},
	{"speaks something else", speak_ssh},
	{"lies", lie},
	{"says nothing", say_nothing},
};

#define ENDPOINTS (sizeof(endpoints) / sizeof(*endpoints))

static struct {
	pid_t pid;
	int port;
} peers[ENDPOINTS];

static void take(int listener, void (*serve)(int fd))
{
	char bytes[65536];
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that aborts leaves none */
	signal(SIGCHLD, SIG_IGN);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (recv(fd, bytes, sizeof(bytes), 0) > 0)
				serve(fd);
			_exit(0);
		}
		close(fd);
	}
	_exit(0);
}

static int start_endpoints(void **state)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);

	for (size_t i = 0; i < ENDPOINTS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		address = (struct sockaddr_in){.sin_family = AF_INET,
			.sin_addr = {htonl(INADDR_LOOPBACK)}};
		assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
		assert_int_equal(listen(fd, 64), 0);
		getsockname(fd, (struct sockaddr *)&address, &len);
		peers[i].port = ntohs(address.sin_port);
		peers[i].pid = fork();
		if (!peers[i].pid)
			take(fd, endpoints[i].serve);
		close(fd);
	}
	return 0;
}

static int stop_endpoints(void **state)
{
	for (size_t i = 0; i < ENDPOINTS; i++) {
		kill(peers[i].pid, SIGKILL);
		waitpid(peers[i].pid, NULL, 0);
	}
	return 0;
}

/* ---- one run of each type, all at once ---- */

struct trial {
	struct action action;
	struct secret *url;
	bool there;
	enum action_result result;
	char detail[ACTION_DETAIL_MAX + 1];
	int64_t duration_ms;
};

static int running;

static void ended(const struct action_end *told, void *arg)
{
	struct trial *trial = arg;

	assert_false(trial->there);
	trial->there = true;
	trial->result = told->result;
	trial->duration_ms = told->duration_ms;
	snprintf(trial->detail, sizeof(trial->detail), "%s", told->detail);
	if (!--running)
		loop_stop(loop);
}

static int setup(void **state)
{
	struct err err;

	loop = loop_new(&err);
	http = http_new(loop, &err);
	setenv("CLOUDSDK_AUTH_ACCESS_TOKEN", "unit-token", 1);
	env = (struct action_env){
		.loop = loop, .http = http, .policy = &policy};
	env.credentials = credentials_new(loop, http, &err);
	assert_non_null(env.credentials);
	return 0;
}

static int teardown(void **state)
{
	credentials_free(&env.credentials);
	http_free(&http);
	loop_free(&loop);
	return 0;
}

static const struct matcher matcher = {"service", "shop", false, true};

static void set_kind(struct trial *trial, int kind, struct secret *value)
{
	struct action *a = &trial->action;

	switch (kind) {
	case 0:
		a->kind = ACTION_HTTP;
		a->u.http = (struct action_http){.method = "GET",
			.url = trial->url,
			.attempts = 1,
			.expect = {.body = "healthy"}};
		break;
	case 1:
		a->kind = ACTION_SLACK;
		a->u.slack.webhook = trial->url;
		break;
	case 2:
		a->kind = ACTION_WEBHOOK;
		a->u.webhook.url = trial->url;
		break;
	case 3:
		a->kind = ACTION_PAGERDUTY;
		a->u.pagerduty = (struct action_pagerduty){.routing_key = value,
			.url = trial->url,
			.severity = "info"};
		break;
	case 4:
		a->kind = ACTION_SILENCE;
		a->u.silence = (struct action_silence){.url = trial->url,
			.matchers = &matcher,
			.n_matchers = 1,
			.lease_ms = 600000};
		break;
	case 5:
		a->kind = ACTION_SECRET;
		a->u.secret = (struct action_secret){
			.secret = "flag", .value = value};
		break;
	default:
		a->kind = ACTION_FIREBASE;
		a->u.firebase.site = "shop";
	}
}

/* Only a receiver of events takes any 2xx for a yes. */
static bool may_succeed(const struct trial *trial, size_t endpoint)
{
	return trial->action.kind == ACTION_WEBHOOK &&
	       endpoints[endpoint].serve == lie;
}

static void judge(const struct trial *trial, size_t endpoint)
{
	const char *type = action_kind_name(trial->action.kind);

	if (trial->result == ACTION_OK && !may_succeed(trial, endpoint))
		fail_msg("%s believes one that %s", type,
			endpoints[endpoint].name);
	if (trial->duration_ms > TIMEOUT_MS + SLACK_MS)
		fail_msg("%s takes %lld ms for one that %s", type,
			(long long)trial->duration_ms,
			endpoints[endpoint].name);
	if (!*trial->detail || strlen(trial->detail) > 2048)
		fail_msg("%s says of one that %s: \"%s\"", type,
			endpoints[endpoint].name, trial->detail);
}

static void every_type_ends_in_time_and_believes_nothing(void **state)
{
	static struct trial trials[KINDS];
	struct secret *value = secret_hold("a-value-of-some-kind", 20);
	struct err err;

	for (size_t i = 0; i < ENDPOINTS; i++) {
		char *url = xasprintf("http://127.0.0.1:%d/", peers[i].port);

		setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", url, 1);
		setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_FIREBASEHOSTING", url,
			1);
		memset(trials, 0, sizeof(trials));
		running = KINDS;
		for (int kind = 0; kind < KINDS; kind++) {
			trials[kind].action = (struct action){
				.name = "x", .timeout_ms = TIMEOUT_MS};
			trials[kind].url = secret_hold(url, strlen(url));
			set_kind(&trials[kind], kind, value);
			action_start(&env, &trials[kind].action, &values, ended,
				&trials[kind]);
		}
		assert_int_equal(loop_run(loop, &err), 0);
		for (int kind = 0; kind < KINDS; kind++) {
			judge(&trials[kind], i);
			secret_free(&trials[kind].url);
		}
		free(url);
	}
	secret_free(&value);
}

/* ---- programs ---- */

static void run_program(
	struct trial *trial, const char *script, int64_t timeout_ms)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct err err;

	*trial = (struct trial){.action = {.name = "x",
					.kind = ACTION_EXEC,
					.timeout_ms = timeout_ms}};
	trial->action.u.exec =
		(struct action_exec){.command = argv, .n_command = 3};
	running = 1;
	action_start(&env, &trial->action, &values, ended, trial);
	assert_int_equal(loop_run(loop, &err), 0);
}

static long peak_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* The endpoints are children, too, and still there. */
static void expect_no_zombie(void)
{
	siginfo_t info = {0};

	assert_int_equal(
		waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	assert_int_equal(info.si_pid, 0);
}

static void a_program_that_prints_100_mb_costs_a_little_memory(void **state)
{
	static struct trial trial;
	long before = peak_kib();

	run_program(&trial, "head -c 100000000 /dev/zero | tr '\\0' x", 60000);
	assert_int_equal(trial.result, ACTION_OK);
	assert_true(strlen(trial.detail) < ACTION_DETAIL_MAX);
	assert_non_null(strstr(trial.detail, "99"));
	printf("100 MB of output: %ld KiB more at the peak, %lld ms\n",
		peak_kib() - before, (long long)trial.duration_ms);
	assert_true(peak_kib() - before < MORE_KIB_MAX);
	expect_no_zombie();
}

static void a_program_that_does_not_want_to_go_takes_its_children_along(
	void **state)
{
	static struct trial trial;
	char *pid;
	long grandchild;

	run_program(&trial,
		"trap '' TERM; (trap '' TERM; exec sleep 1000) & "
		"echo \"pid=$!;\"; while :; do sleep 1000; done",
		1000);
	assert_int_equal(trial.result, ACTION_UNKNOWN);
	assert_non_null(strstr(trial.detail, "it had not finished"));
	pid = strstr(trial.detail, "pid=");
	assert_non_null(pid);
	grandchild = strtol(pid + 4, NULL, 10);
	assert_true(grandchild > 1);
	/* The first process of the machine may not have buried it yet. */
	UNTIL(kill((pid_t)grandchild, 0) == -1);
	assert_int_equal(errno, ESRCH);
	expect_no_zombie();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_program_that_prints_100_mb_costs_a_little_memory),
		TEST(a_program_that_does_not_want_to_go_takes_its_children_along),
		TEST(every_type_ends_in_time_and_believes_nothing),
	};

	return cmocka_run_group_tests(tests, start_endpoints, stop_endpoints);
}
