/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client against our own server. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/xalloc.h"
#include "io/clock.h"
#include "io/http.h"
#include "io/http_text.h"
#include "io/loop.h"
#include "io/server.h"
#include "until.h"

#define DEADLINE_MS 60000
#define REPLIES_MAX 1000

struct world {
	struct loop *loop;
	struct server *server;
	struct http *http;
	struct timer *deadline;
	server_fn serve;
	struct server_request *held[REPLIES_MAX];
	int n_served, n_held;
	/* of the last reply */
	int n_replies, awaited;
	int status;
	struct buf body, text, parts;
	size_t parts_max;
	bool maybe_sent;
	enum err_code code;
	int64_t retry_after_ms;
	struct http_call *call, *other;
};

/* Instead of the C library's: a name server that hangs for slow.invalid, and
 * knows nothing else. Runs in a thread of libcurl. */
static atomic_int lookups_begun, lookups_ended;
static atomic_bool lookups_released;

int getaddrinfo(const char *name, const char *service,
	const struct addrinfo *hints, struct addrinfo **list)
{
	lookups_begun++;
	while (!strcmp(name, "slow.invalid") && !lookups_released)
		usleep(1000);
	lookups_ended++;
	return EAI_NONAME;
}

static void on_serve(struct server_request *request, void *arg)
{
	struct world *w = arg;

	w->n_served++;
	w->serve(request, w);
}

static void on_deadline(void *arg)
{
	fail_msg("no reply within %d ms", DEADLINE_MS);
}

static void on_stop(void *arg)
{
	loop_stop(arg);
}

static void world_init(struct world *w, server_fn serve)
{
	struct err err;

	*w = (struct world){.serve = serve};
	buf_init(&w->body, 1 << 20);
	buf_init(&w->text, ERR_TEXT_MAX);
	buf_init(&w->parts, 1 << 20);
	w->loop = loop_new(&err);
	w->server = server_new(w->loop, 0, on_serve, w, &err);
	w->http = http_new(w->loop, &err);
	assert_non_null(w->server);
	assert_non_null(w->http);
	w->deadline = timer_start(w->loop, DEADLINE_MS, on_deadline, w);
}

static void world_fini(struct world *w)
{
	timer_cancel(&w->deadline);
	http_free(&w->http);
	server_free(&w->server);
	while (w->n_held)
		request_answer(w->held[--w->n_held], 200, NULL, NULL, 0);
	loop_free(&w->loop);
	buf_fini(&w->body);
	buf_fini(&w->text);
	buf_fini(&w->parts);
}

static void on_reply(const struct http_reply *reply, void *arg)
{
	struct world *w = arg;
	const char *answer = http_reply_header(reply, "x-answer");

	w->n_replies++;
	w->status = reply->status;
	w->maybe_sent = reply->maybe_sent;
	w->retry_after_ms = reply->retry_after_ms;
	w->code = reply->err ? reply->err->code : ERR_NONE;
	assert_true(!reply->err == !!reply->status);
	buf_clear(&w->body);
	buf_add(&w->body, reply->body, reply->body_len);
	buf_clear(&w->text);
	buf_adds(&w->text, reply->err ? reply->err->text : "");
	if (answer)
		assert_string_equal(answer, "42");
	if (w->n_replies == w->awaited)
		loop_stop(w->loop);
}

static const char *url(struct world *w, const char *path)
{
	static char text[512];

	snprintf(text, sizeof(text), "http://127.0.0.1:%d%s",
		server_port(w->server), path);
	return text;
}

static void run(struct world *w, int replies)
{
	struct err err;

	w->awaited = w->n_replies + replies;
	assert_int_equal(loop_run(w->loop, &err), 0);
}

static void ask(struct world *w, struct http_request *request, const char *path)
{
	if (!request->url)
		request->url = url(w, path);
	w->call = http_start(w->http, request, on_reply, w);
	assert_non_null(w->call);
}

static void get(struct world *w, const char *path)
{
	struct http_request request = {0};

	ask(w, &request, path);
	run(w, 1);
}

static void serve_echo(struct server_request *r, void *arg)
{
	static const char *const names[] = {"authorization", "x-a", "x-empty",
		"content-type", "user-agent", "expect", "content-length"};
	struct buf body;
	size_t len, i;
	const char *sent = request_body(r, &len), *value;

	buf_init(&body, 1 << 16);
	buf_addf(&body, "%s %s", request_method(r), request_target(r));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		value = request_header(r, names[i]);
		if (value)
			buf_addf(&body, "|%s=%s", names[i], value);
	}
	buf_addf(&body, "|%.*s", (int)len, sent);
	request_set_header(r, "X-Answer", "42");
	request_answer(r, 200, "text/plain", body.data, body.len);
	buf_fini(&body);
}

static void a_request_arrives_as_it_was_meant(void **state)
{
	struct secret *token = secret_new("to-ken", 6);
	const struct http_header headers[] = {{"X-A", "b c"}, {"X-Empty", ""}};
	const struct {
		struct http_request request;
		const char *seen;
	} rows[] = {
		{{0}, "GET /x?y=1|user-agent=tidegate/0.1.0|"},
		{{.method = "DELETE"}, "DELETE /x?y=1|user-"},
		{{.method = "POST"}, "|content-length=0|"},
		{{.body = "abc", .body_len = 3, .content_type = "text/x"},
			"POST /x?y=1|content-type=text/x|user-agent="
			"tidegate/0.1.0|content-length=3|abc"},
		{{.method = "PATCH", .body = "a", .body_len = 1}, "PATCH /x?"},
		{{.method = "GET", .body = "{}", .body_len = 2}, "GET /x?"},
		{{.bearer = token}, "|authorization=Bearer to-ken|"},
		{{.username = "u", .password = token},
			"|authorization=Basic dTp0by1rZW4=|"},
		{{.headers = headers, .n_headers = 2},
			"GET /x?y=1|x-a=b c|x-empty=|"},
	};
	struct world w;
	size_t i;

	world_init(&w, serve_echo);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_request request = rows[i].request;

		ask(&w, &request, "/x?y=1");
		assert_int_equal(w.n_replies, i); /* never in http_start */
		run(&w, 1);
		assert_int_equal(w.status, 200);
		assert_false(w.maybe_sent);
		if (!strstr(w.body.data, rows[i].seen))
			fail_msg("\"%s\" is not in \"%s\"", rows[i].seen,
				w.body.data);
		assert_null(strstr(w.body.data, "expect="));
	}
	secret_free(&token);
	world_fini(&w);
}

static void what_cannot_be_sent_is_told_through_the_callback(void **state)
{
	struct secret *bad = secret_new("a\r\nX: y", 7);
	struct secret *nul = secret_new("a\0b", 3);
	const struct http_header value[] = {{"X-A", "a\nX-B: c"}};
	const struct http_header name[] = {{"X-A:", "a"}};
	const struct http_header framing[] = {{"content-length", "0"}};
	char long_url[HTTP_URL_MAX + 100];
	const struct {
		struct http_request request;
		const char *text;
	} rows[] = {
		{{.url = "http://example.com/"}, "loopback"},
		{{.url = "http://127.0.0.1.example.com/"}, "loopback"},
		{{.url = "http://u:pw@[::2]/?k=pw"}, "loopback"},
		{{.url = "ftp://127.0.0.1/"}, "\"ftp\""},
		{{.url = "file:///etc/passwd"}, "URL"},
		{{.url = "nonsense"}, "cannot be parsed"},
		{{.url = ""}, "cannot be parsed"},
		{{.url = "https://a b/"}, "cannot be parsed"},
		{{.url = "https://a/\r\nX: y"}, "cannot be parsed"},
		{{.url = long_url}, "bytes, at most 8192"},
		{{.method = "GET /"}, "not an HTTP method"},
		{{.method = ""}, "not an HTTP method"},
		{{.bearer = bad}, "bearer token"},
		{{.bearer = nul}, "bearer token"},
		{{.username = "a:b"}, "user name"},
		{{.username = "a", .password = bad}, "password"},
		{{.content_type = "a\nb"}, "content type"},
		{{.headers = value, .n_headers = 1},
			"\"X-A\" has a line break"},
		{{.headers = name, .n_headers = 1}, "not a token"},
		{{.headers = framing, .n_headers = 1}, "follows from the body"},
	};
	struct world w;
	size_t i;

	memset(long_url, 'a', sizeof(long_url));
	memcpy(long_url, "https://", 8);
	long_url[sizeof(long_url) - 1] = '\0';
	world_init(&w, serve_echo);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_request request = rows[i].request;

		ask(&w, &request, "/");
		assert_int_equal(w.n_replies, i);
		run(&w, 1);
		assert_int_equal(w.status, 0);
		assert_false(w.maybe_sent);
		if (!strstr(w.text.data, rows[i].text))
			fail_msg("\"%s\" is not in \"%s\"", rows[i].text,
				w.text.data);
		assert_null(strstr(w.text.data, "pw"));
	}
	assert_int_equal(w.n_served, 0);
	secret_free(&bad);
	secret_free(&nul);
	world_fini(&w);
}

static void urls_are_judged_by_scheme_and_host(void **state)
{
	static const struct {
		const char *url;
		bool plain_ok;
		int rc;
	} rows[] = {
		{"https://example.com", false, 0},
		{"HTTPS://Example.com:8443/a?b#c", false, 0},
		{"http://localhost:9090/", false, 0},
		{"http://127.8.9.1/", false, 0},
		{"http://[::1]:9090/", false, 0},
		{"http://metadata.google.internal/", true, 0},
		{"http://metadata.google.internal/", false, -1},
		{"http://localhost.example.com/", false, -1},
		{"http://128.0.0.1/", false, -1},
		{"http://127.0.0.1@example.com/", false, -1},
		{"redis://127.0.0.1/", true, -1},
		{"//example.com/", false, -1},
	};
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			http_url_check(rows[i].url, rows[i].plain_ok, &err),
			rows[i].rc);
}

static void retry_after_comes_in_two_forms(void **state)
{
	static const struct {
		const char *value;
		int64_t ms;
	} rows[] = {
		{NULL, 0},
		{"0", 0},
		{"120", 120000},
		{"99999999", RETRY_AFTER_MS_MAX},
		{"99999999999999999999", RETRY_AFTER_MS_MAX},
		{"-1", 0},
		{"12s", 0},
		{"", 0},
		{"Thu, 01 Jan 2026 00:01:00 GMT", 60000},
		{"Wed, 31 Dec 2025 23:59:59 GMT", 0},
		{"Thu, 01 Jan 2026 00:01:00 CET", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(http_retry_after_parse(
					 rows[i].value, INT64_C(1767225600000)),
			rows[i].ms);
}

static const char *retry_after = "7";

static void serve_busy(struct server_request *r, void *arg)
{
	request_set_header(r, "Date", "Thu, 01 Jan 2026 00:01:00 GMT");
	request_set_header(r, "Retry-After", retry_after);
	request_answer(r, 503, "text/plain", "busy", 4);
}

static void an_error_status_is_an_answer(void **state)
{
	struct world w;

	world_init(&w, serve_busy);
	get(&w, "/");
	assert_int_equal(w.status, 503);
	assert_string_equal(w.body.data, "busy");
	assert_int_equal(w.retry_after_ms, 7000);
	world_fini(&w);
}

static void retry_after_goes_by_the_clock_of_who_says_it(void **state)
{
	struct world w;

	world_init(&w, serve_busy);
	retry_after = "Thu, 01 Jan 2026 00:01:03 GMT";
	get(&w, "/");
	assert_int_equal(w.retry_after_ms, 3000);
	world_fini(&w);
	retry_after = "7";
}

static void serve_redirect(struct server_request *r, void *arg)
{
	request_set_header(r, "Location", "/elsewhere");
	request_answer(r, 302, NULL, NULL, 0);
}

static void a_redirect_is_not_followed(void **state)
{
	struct world w;

	world_init(&w, serve_redirect);
	get(&w, "/");
	assert_int_equal(w.status, 302);
	assert_int_equal(w.n_served, 1);
	world_fini(&w);
}

static void serve_reset(struct server_request *r, void *arg)
{
	request_reset(r);
}

static void a_reset_says_that_it_may_have_arrived(void **state)
{
	struct world w;

	world_init(&w, serve_reset);
	get(&w, "/?token=pw");
	assert_int_equal(w.code, ERR_UNAVAILABLE);
	assert_true(w.maybe_sent);
	assert_null(strstr(w.text.data, "pw"));
	world_fini(&w);
}

/* A port on which nobody listens: ours, closed again. */
static int closed_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(
		bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	getsockname(fd, (struct sockaddr *)&address, &len);
	close(fd);
	return ntohs(address.sin_port);
}

static void a_refused_connection_was_certainly_not_sent(void **state)
{
	struct http_request request = {0};
	char text[64];
	struct world w;

	world_init(&w, serve_echo);
	snprintf(text, sizeof(text), "http://127.0.0.1:%d/", closed_port());
	request.url = text;
	ask(&w, &request, NULL);
	run(&w, 1);
	assert_int_equal(w.code, ERR_UNAVAILABLE);
	assert_false(w.maybe_sent);
	assert_non_null(strstr(w.text.data, "Connection refused"));
	world_fini(&w);
}

static void a_host_without_an_address_was_certainly_not_sent(void **state)
{
	struct http_request request = {.url = "https://x.invalid/"};
	struct world w;

	world_init(&w, serve_echo);
	ask(&w, &request, NULL);
	run(&w, 1);
	assert_int_equal(w.code, ERR_UNAVAILABLE);
	assert_false(w.maybe_sent);
	assert_non_null(strstr(w.text.data, "x.invalid"));
	world_fini(&w);
}

static nlink_t threads(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/self/task", &st), 0);
	return st.st_nlink - 2;
}

static void a_lookup_that_hangs_stops_nobody(void **state)
{
	struct http_request request = {
		.url = "https://slow.invalid/", .timeout_ms = 50};
	int before = lookups_begun;
	struct world w;

	world_init(&w, serve_echo);
	ask(&w, &request, NULL);
	run(&w, 1); /* would wait for ever */
	assert_int_equal(w.code, ERR_TIMEOUT);
	assert_false(w.maybe_sent);
	request.timeout_ms = 60000;
	ask(&w, &request, NULL);
	RUN_UNTIL(w.loop, lookups_begun == before + 2);
	http_cancel(&w.call);
	world_fini(&w);
	lookups_released = true;
	UNTIL(threads() <= 1); /* each frees what is its own */
	assert_int_equal(lookups_ended, lookups_begun);
}

static void serve_hold(struct server_request *r, void *arg)
{
	struct world *w = arg;

	assert_true(w->n_held < REPLIES_MAX);
	w->held[w->n_held++] = r;
}

static void no_answer_in_time_is_a_timeout(void **state)
{
	struct http_request request = {.timeout_ms = 30};
	struct world w;
	int64_t start;

	world_init(&w, serve_hold);
	start = loop_now_us(w.loop);
	ask(&w, &request, "/");
	run(&w, 1);
	/* libcurl counts whole milliseconds: one of them may be missing. */
	assert_true(loop_now_us(w.loop) - start >= 29000);
	assert_int_equal(w.code, ERR_TIMEOUT);
	assert_true(w.maybe_sent);
	assert_non_null(strstr(w.text.data, "within 30ms"));
	world_fini(&w);
}

static void serve_hold_and_sleep(struct server_request *r, void *arg)
{
	serve_hold(r, arg);
	clock_shift(45000, 45000); /* the machine is suspended */
}

static void a_suspend_counts_for_who_waits_for_an_answer(void **state)
{
	/* Were it not counted, the test's own deadline would come first. */
	struct http_request request = {.timeout_ms = 40000};
	struct world w;

	world_init(&w, serve_hold_and_sleep);
	ask(&w, &request, "/");
	run(&w, 1);
	assert_int_equal(w.code, ERR_TIMEOUT);
	assert_true(w.maybe_sent);
	world_fini(&w);
}

static void serve_large(struct server_request *r, void *arg)
{
	char *body = xcalloc(1, 5000);

	if (!strcmp(request_path(r), "/headers")) {
		memset(body, 'a', 4000);
		for (int i = 0; i < 20; i++)
			request_set_header(r, "X-Long", body);
	}
	request_answer(r, 200, NULL, body, 5000);
	free(body);
}

static void answers_are_bounded(void **state)
{
	struct http_request request = {.body_max = 4999};
	struct world w;

	world_init(&w, serve_large);
	ask(&w, &request, "/");
	run(&w, 1);
	assert_int_equal(w.code, ERR_LIMIT);
	assert_int_equal(w.status, 0);
	assert_non_null(strstr(w.text.data, "larger than 4999 bytes"));
	request = (struct http_request){.body_max = 5000};
	ask(&w, &request, "/");
	run(&w, 1);
	assert_int_equal(w.status, 200);
	assert_int_equal(w.body.len, 5000);
	get(&w, "/headers");
	assert_int_equal(w.code, ERR_LIMIT);
	assert_non_null(strstr(w.text.data, "headers"));
	world_fini(&w);
}

static bool on_part(const char *bytes, size_t len, void *arg)
{
	struct world *w = arg;

	buf_add(&w->parts, bytes, len);
	return w->parts.len < w->parts_max;
}

static void an_answer_may_be_told_in_parts(void **state)
{
	struct http_request request = {.part = on_part, .body_max = 100};
	struct world w;

	world_init(&w, serve_large);
	w.parts_max = SIZE_MAX;
	ask(&w, &request, "/");
	run(&w, 1);
	assert_int_equal(w.status, 200);
	assert_int_equal(w.parts.len, 5000);
	assert_int_equal(w.body.len, 0);
	/* Until no more is wanted. */
	w.parts_max = 1;
	request.url = NULL;
	ask(&w, &request, "/");
	run(&w, 1);
	assert_int_equal(w.code, ERR_LIMIT);
	/* What is no good answer is kept, within its bound. */
	buf_clear(&w.parts);
	w.serve = serve_busy;
	request = (struct http_request){.part = on_part};
	ask(&w, &request, "/");
	run(&w, 1);
	assert_int_equal(w.status, 503);
	assert_int_equal(w.parts.len, 0);
	world_fini(&w);
}

static void a_request_goes_to_a_unix_socket(void **state)
{
	char folder[] = "/tmp/tidegate-test-XXXXXX";
	struct server_options options = {0};
	struct http_request request = {.url = "http://localhost/here"};
	struct world w;
	struct err err;
	char *path;

	assert_non_null(mkdtemp(folder));
	path = xasprintf("unix:%s/socket", folder);
	world_init(&w, serve_echo);
	server_free(&w.server);
	options.address = path;
	w.server = server_listen(w.loop, &options, on_serve, &w, &err);
	assert_non_null(w.server);
	request.unix_socket = path + strlen("unix:");
	ask(&w, &request, NULL);
	run(&w, 1);
	assert_int_equal(w.status, 200);
	assert_non_null(strstr(w.body.data, "/here"));
	/* An address that nobody listens at is told by its path. */
	server_free(&w.server);
	ask(&w, &request, NULL);
	run(&w, 1);
	assert_int_equal(w.code, ERR_UNAVAILABLE);
	assert_non_null(strstr(w.text.data, path));
	world_fini(&w);
	unlink(request.unix_socket);
	assert_int_equal(rmdir(folder), 0);
	free(path);
}

static void a_cancelled_call_is_never_heard_of(void **state)
{
	struct world w;
	struct http_request good = {0}, bad = {.url = "http://example.com/"};
	struct http_call *calls[4];
	int i;

	world_init(&w, serve_echo);
	good.url = url(&w, "/");
	for (i = 0; i < 4; i++)
		calls[i] =
			http_start(w.http, i == 1 ? &bad : &good, on_reply, &w);
	http_cancel(&calls[0]); /* waiting */
	http_cancel(&calls[1]); /* failed already */
	assert_null(calls[0]);
	http_cancel(&calls[0]);
	run(&w, 2);
	assert_int_equal(w.n_replies, 2);
	world_fini(&w);
}

static void on_reply_cancel_other(const struct http_reply *reply, void *arg)
{
	struct world *w = arg;

	w->n_replies++;
	http_cancel(&w->call);
	http_cancel(&w->other);
	timer_start(w->loop, 30, on_stop, w->loop);
}

static void a_call_cancelled_by_another_of_its_turn_is_silent(void **state)
{
	struct world w;
	struct http_request bad = {.url = "http://example.com/"};
	struct http_request good = {0};
	struct err err;

	world_init(&w, serve_echo);
	good.url = url(&w, "/");
	/* Both fail in the same turn; the first cancels itself and both. */
	w.call = http_start(w.http, &bad, on_reply_cancel_other, &w);
	w.other = http_start(w.http, &bad, on_reply_cancel_other, &w);
	assert_int_equal(loop_run(w.loop, &err), 0);
	assert_int_equal(w.n_replies, 1);
	/* One on the wire is cancelled by one that fails. */
	w.call = http_start(w.http, &good, on_reply, &w);
	w.other = http_start(w.http, &bad, on_reply_cancel_other, &w);
	assert_int_equal(loop_run(w.loop, &err), 0);
	assert_int_equal(w.n_replies, 2);
	world_fini(&w);
}

#define CROWD 10

struct crowd {
	struct world *world;
	int64_t turn_ms;
	int turns; /* in which there were replies */
};

/* Long enough for two of them to take more than their share of a turn. */
static void on_reply_spin(const struct http_reply *reply, void *arg)
{
	struct crowd *crowd = arg;
	struct loop *loop = crowd->world->loop;
	int64_t until_us = loop_now_us(loop) + 8000;

	crowd->turns += loop_now(loop) != crowd->turn_ms;
	crowd->turn_ms = loop_now(loop);
	while (loop_now_us(loop) < until_us)
		;
	if (++crowd->world->n_replies == CROWD)
		loop_stop(loop);
}

static void many_answers_are_told_in_several_turns(void **state)
{
	struct http_request bad = {.url = "http://example.com/"};
	struct world w;
	struct crowd crowd = {.world = &w};
	struct err err;

	world_init(&w, serve_echo);
	for (int i = 0; i < CROWD; i++)
		http_start(w.http, &bad, on_reply_spin, &crowd);
	assert_int_equal(loop_run(w.loop, &err), 0);
	assert_int_equal(w.n_replies, CROWD);
	assert_true(crowd.turns >= CROWD / 2);
	/* What is left is dropped with the client. */
	for (int i = 0; i < CROWD; i++)
		http_start(w.http, &bad, on_reply_spin, &crowd);
	w.n_replies = CROWD - 1;
	assert_int_equal(loop_run(w.loop, &err), 0);
	world_fini(&w);
}

static void on_reply_free(const struct http_reply *reply, void *arg)
{
	struct world *w = arg;

	w->n_replies++;
	http_free(&w->http);
	loop_stop(w->loop);
}

static void a_client_may_be_freed_by_a_callback(void **state)
{
	struct world w;
	struct http_request good = {0}, bad = {.url = "http://example.com/"};
	int i;

	world_init(&w, serve_hold);
	good.url = url(&w, "/");
	for (i = 0; i < 100; i++) /* some wait, some are on the wire */
		http_start(w.http, &good, on_reply, &w);
	http_start(w.http, &bad, on_reply_free, &w);
	run(&w, 1);
	assert_int_equal(w.n_replies, 1);
	world_fini(&w);
}

static void connections_are_kept(void **state)
{
	struct world w;
	int before, i, n;

	world_init(&w, serve_echo);
	get(&w, "/");
	before = dup(0);
	for (i = 0; i < 20; i++)
		get(&w, "/");
	n = dup(0);
	assert_int_equal(n, before + 1); /* no descriptor was added */
	close(before);
	close(n);
	world_fini(&w);
}

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void serve_count(struct server_request *r, void *arg)
{
	struct world *w = arg;

	serve_hold(r, arg);
	if (w->n_held == HTTP_HOST_MAX)
		loop_stop(w->loop);
}

static void requests_beyond_the_hosts_share_wait(void **state)
{
	struct world w;
	struct http_request request = {0};
	int i, before;

	world_init(&w, serve_count);
	before = descriptors();
	request.url = url(&w, "/");
	for (i = 0; i < 500; i++)
		http_start(w.http, &request, on_reply, &w);
	run(&w, 1000000);
	/* Each connection has two ends here. */
	assert_int_equal(descriptors() - before, 2 * HTTP_HOST_MAX);
	w.serve = serve_echo;
	while (w.n_held)
		request_answer(w.held[--w.n_held], 200, NULL, NULL, 0);
	run(&w, 500);
	assert_int_equal(w.n_replies, 500);
	assert_int_equal(w.n_served, 500);
	assert_int_equal(descriptors() - before, 2 * HTTP_HOST_MAX);
	world_fini(&w);
}

static void serve_first_seen(struct server_request *r, void *arg)
{
	struct world *w = arg;

	if (!strcmp(request_path(r), "/urgent"))
		loop_stop(w->loop);
	serve_hold(r, arg);
}

static void an_urgent_request_does_not_wait_for_others(void **state)
{
	struct world w;
	struct http_request request = {0};
	int i;

	world_init(&w, serve_first_seen);
	request.url = url(&w, "/");
	for (i = 0; i < 100; i++)
		http_start(w.http, &request, on_reply, &w);
	request.url = url(&w, "/urgent");
	request.urgent = true;
	http_start(w.http, &request, on_reply, &w);
	run(&w, 1); /* until the server sees it */
	assert_int_equal(w.n_replies, 0);
	assert_in_range(w.n_served, 1, HTTP_HOST_MAX + 1);
	world_fini(&w);
}

static void waiting_for_a_connection_counts_as_time(void **state)
{
	struct world w;
	struct http_request request = {.timeout_ms = 60000};
	int i;

	world_init(&w, serve_hold);
	request.url = url(&w, "/");
	for (i = 0; i < HTTP_HOST_MAX; i++)
		http_start(w.http, &request, on_reply, &w);
	request.timeout_ms = 40;
	http_start(w.http, &request, on_reply, &w);
	run(&w, 1);
	assert_int_equal(w.n_replies, 1);
	assert_int_equal(w.code, ERR_TIMEOUT);
	assert_false(w.maybe_sent);
	assert_non_null(strstr(w.text.data, "became free"));
	world_fini(&w);
}

static void on_reply_ask_again(const struct http_reply *reply, void *arg)
{
	struct world *w = arg;
	struct http_request request = {.url = url(w, "/")};

	if (++w->n_replies == 5)
		loop_stop(w->loop);
	else
		http_start(w->http, &request, on_reply_ask_again, w);
}

static void a_callback_may_start_the_next_request(void **state)
{
	struct world w;
	struct http_request request = {0};
	struct err err;

	world_init(&w, serve_echo);
	request.url = url(&w, "/");
	http_start(w.http, &request, on_reply_ask_again, &w);
	assert_int_equal(loop_run(w.loop, &err), 0);
	assert_int_equal(w.n_replies, 5);
	world_fini(&w);
}

static void the_loop_ends_when_all_is_answered(void **state)
{
	struct world w;
	struct http_request request = {.url = "http://127.0.0.1:1/"};
	struct err err;

	world_init(&w, serve_echo);
	server_free(&w.server);
	timer_cancel(&w.deadline);
	http_start(w.http, &request, on_reply, &w);
	assert_int_equal(loop_run(w.loop, &err), 0);
	assert_int_equal(w.n_replies, 1);
	world_fini(&w);
}

static void serve_once_then_reset(struct server_request *r, void *arg)
{
	struct world *w = arg;

	if (w->n_served == 1)
		serve_echo(r, arg);
	else
		request_reset(r);
}

/* The peer closes a kept connection while a request is on its way: libcurl
 * would send it again by itself. */
static void only_what_may_be_repeated_is_sent_again(void **state)
{
	static const struct {
		const char *method;
		bool repeatable;
		int served;
	} rows[] = {
		{"POST", false, 2},
		{"PATCH", false, 2},
		{"POST", true, 3},
		{"GET", false, 3},
		{"PUT", false, 3},
	};
	struct world w;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_request request = {.method = rows[i].method,
			.repeatable = rows[i].repeatable};

		world_init(&w, serve_once_then_reset);
		get(&w, "/");
		ask(&w, &request, "/");
		run(&w, 1);
		assert_int_equal(w.code, ERR_UNAVAILABLE);
		assert_true(w.maybe_sent);
		assert_int_equal(w.n_served, rows[i].served);
		world_fini(&w);
	}
}

static void texts_are_escaped_for_urls(void **state)
{
	char *text = http_escape("a-Z0._~ /?&=%\xc3\xa9");

	assert_string_equal(text, "a-Z0._~%20%2F%3F%26%3D%25%C3%A9");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_arrives_as_it_was_meant),
		cmocka_unit_test(
			what_cannot_be_sent_is_told_through_the_callback),
		cmocka_unit_test(urls_are_judged_by_scheme_and_host),
		cmocka_unit_test(retry_after_comes_in_two_forms),
		cmocka_unit_test(retry_after_goes_by_the_clock_of_who_says_it),
		cmocka_unit_test(an_error_status_is_an_answer),
		cmocka_unit_test(a_redirect_is_not_followed),
		cmocka_unit_test(a_reset_says_that_it_may_have_arrived),
		cmocka_unit_test(a_refused_connection_was_certainly_not_sent),
		cmocka_unit_test(
			a_host_without_an_address_was_certainly_not_sent),
		cmocka_unit_test(a_lookup_that_hangs_stops_nobody),
		cmocka_unit_test(no_answer_in_time_is_a_timeout),
		cmocka_unit_test(a_suspend_counts_for_who_waits_for_an_answer),
		cmocka_unit_test(answers_are_bounded),
		cmocka_unit_test(an_answer_may_be_told_in_parts),
		cmocka_unit_test(a_request_goes_to_a_unix_socket),
		cmocka_unit_test(a_cancelled_call_is_never_heard_of),
		cmocka_unit_test(
			a_call_cancelled_by_another_of_its_turn_is_silent),
		cmocka_unit_test(many_answers_are_told_in_several_turns),
		cmocka_unit_test(a_client_may_be_freed_by_a_callback),
		cmocka_unit_test(connections_are_kept),
		cmocka_unit_test(requests_beyond_the_hosts_share_wait),
		cmocka_unit_test(an_urgent_request_does_not_wait_for_others),
		cmocka_unit_test(waiting_for_a_connection_counts_as_time),
		cmocka_unit_test(a_callback_may_start_the_next_request),
		cmocka_unit_test(the_loop_ends_when_all_is_answered),
		cmocka_unit_test(only_what_may_be_repeated_is_sent_again),
		cmocka_unit_test(texts_are_escaped_for_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
