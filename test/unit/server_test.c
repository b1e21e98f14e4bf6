/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server, seen from a plain socket: what a peer really gets. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "io/loop.h"
#include "io/server.h"

#define DEADLINE_MS 60000

struct world {
	struct loop *loop;
	struct server *server;
	server_fn serve;
	struct server_request *held;
	int n_served;
	int fd; /* the peer's */
	struct watch *watch;
	struct timer *deadline;
	struct buf got;
	const char *until; /* stop when this has arrived */
	int read_errno; /* of the last read; 0: end of the stream */
	bool ended;
};

static void on_request(struct server_request *request, void *arg)
{
	struct world *w = arg;

	w->n_served++;
	w->serve(request, w);
}

static void on_deadline(void *arg)
{
	fail_msg("nothing came within %d ms", DEADLINE_MS);
}

static void on_peer_readable(int fd, int what, void *arg)
{
	struct world *w = arg;
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n > 0)
		buf_add(&w->got, bytes, (size_t)n);
	w->read_errno = n < 0 ? errno : 0;
	if (n <= 0) {
		w->ended = true;
		loop_stop(w->loop);
	} else if (w->until && strstr(w->got.data, w->until)) {
		loop_stop(w->loop);
	}
}

static void world_init(struct world *w, server_fn serve)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct err err;

	*w = (struct world){.serve = serve};
	buf_init(&w->got, 1 << 20);
	w->loop = loop_new(&err);
	w->server = server_new(w->loop, 0, on_request, w, &err);
	assert_non_null(w->server);
	assert_in_range(server_port(w->server), 1, 65535);
	address.sin_port = htons((uint16_t)server_port(w->server));
	w->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
		connect(w->fd, (struct sockaddr *)&address, sizeof(address)),
		0);
	w->watch = watch_start(w->loop, w->fd, WATCH_READ, on_peer_readable, w);
	w->deadline = timer_start(w->loop, DEADLINE_MS, on_deadline, w);
}

static void world_fini(struct world *w)
{
	watch_cancel(&w->watch);
	timer_cancel(&w->deadline);
	if (w->fd >= 0)
		close(w->fd);
	server_free(&w->server);
	loop_free(&w->loop);
	buf_fini(&w->got);
}

static void say(struct world *w, const char *text)
{
	assert_int_equal(write(w->fd, text, strlen(text)), strlen(text));
}

static void wait_for(struct world *w, const char *until)
{
	struct err err;

	w->until = until;
	buf_clear(&w->got);
	w->ended = false;
	assert_int_equal(loop_run(w->loop, &err), 0);
	if (until && !strstr(w->got.data, until))
		fail_msg("\"%s\" is not in \"%s\"", until, w->got.data);
}

static void serve_echo(struct server_request *r, void *arg)
{
	const char *q = request_query(r, "q"), *none = request_query(r, "none");
	const char *header = request_header(r, "x-thing");
	struct buf body;
	size_t len;
	const char *sent = request_body(r, &len);

	buf_init(&body, 4096);
	buf_addf(&body, "%s %s %s q=%s none=%s h=%s %zu:%s", request_method(r),
		request_path(r), request_target(r), q ? q : "-",
		none ? none : "-", header ? header : "-", len, sent);
	request_set_header(r, "X-Answer", "42");
	request_set_header(r, "X-Bad", "a\r\nX-Injected: 1");
	request_answer(r, 201, "text/plain", body.data, body.len);
	buf_fini(&body);
}

static void a_request_is_taken_apart_and_answered(void **state)
{
	struct world w;

	world_init(&w, serve_echo);
	say(&w, "PATCH /a%20b/c?q=x%26y&z=1 HTTP/1.1\r\nHost: h\r\n"
		"X-Thing: t\r\nContent-Length: 4\r\n\r\nbody");
	wait_for(&w,
		"PATCH /a b/c /a%20b/c?q=x%26y&z=1 q=x&y none=- h=t 4:body");
	assert_non_null(strstr(w.got.data, "HTTP/1.1 201 "));
	assert_non_null(strstr(w.got.data, "X-Answer: 42\r\n"));
	assert_non_null(strstr(w.got.data, "Content-Type: text/plain\r\n"));
	assert_null(strstr(w.got.data, "\nX-Injected"));
	world_fini(&w);
}

static void a_connection_serves_one_request_after_another(void **state)
{
	struct world w;

	world_init(&w, serve_echo);
	say(&w, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(&w, "GET /1");
	/* Two at once: the second waits for the first. */
	say(&w, "DELETE /2 HTTP/1.1\r\nHost: h\r\n\r\n"
		"OPTIONS /3 HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(&w, "OPTIONS /3 /3");
	assert_non_null(strstr(w.got.data, "DELETE /2"));
	say(&w, "HEAD /4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	wait_for(&w, NULL);
	assert_null(strstr(w.got.data, "HEAD /4"));
	assert_non_null(strstr(w.got.data, "Content-Length: 28\r\n"));
	assert_true(w.ended);
	assert_int_equal(w.n_served, 4);
	world_fini(&w);
}

static void serve_hold(struct server_request *r, void *arg)
{
	struct world *w = arg;

	w->held = r;
	loop_stop(w->loop);
}

static void an_answer_may_come_later(void **state)
{
	struct world w;

	world_init(&w, serve_hold);
	say(&w, "GET /late HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(&w, NULL);
	assert_non_null(w.held);
	request_answer(w.held, 503, NULL, "later", 5);
	wait_for(&w, "later");
	assert_non_null(strstr(w.got.data, "HTTP/1.1 503 "));
	world_fini(&w);
}

static void on_short_while(void *arg)
{
	loop_stop(arg);
}

static void an_answer_to_a_peer_that_left_is_harmless(void **state)
{
	struct world w;

	world_init(&w, serve_hold);
	say(&w, "GET /gone HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(&w, NULL);
	watch_cancel(&w.watch);
	close(w.fd);
	w.fd = -1;
	timer_start(w.loop, 20, on_short_while, w.loop);
	wait_for(&w, NULL);
	request_answer(w.held, 200, "text/plain", "x", 1);
	timer_start(w.loop, 20, on_short_while, w.loop);
	wait_for(&w, NULL);
	world_fini(&w);
}

static void a_request_outlives_its_server(void **state)
{
	struct world w;

	world_init(&w, serve_hold);
	say(&w, "GET /orphan HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(&w, NULL);
	server_free(&w.server);
	assert_null(w.server);
	assert_string_equal(request_path(w.held), "/orphan");
	request_answer(w.held, 200, NULL, NULL, 0);
	wait_for(&w, NULL);
	assert_true(w.ended);
	world_fini(&w);
}

static void serve_reset(struct server_request *r, void *arg)
{
	request_reset(r);
}

static void a_reset_is_a_reset_and_not_an_end(void **state)
{
	struct world w;

	world_init(&w, serve_reset);
	say(&w, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(&w, NULL);
	assert_true(w.ended);
	assert_int_equal(w.read_errno, ECONNRESET);
	assert_int_equal(w.got.len, 0);
	world_fini(&w);
}

static void what_is_too_large_is_refused_unserved(void **state)
{
	struct world w;
	char line[1024];
	int i;

	world_init(&w, serve_echo);
	say(&w, "POST / HTTP/1.1\r\nHost: h\r\n"
		"Content-Length: 999999999\r\n\r\n");
	wait_for(&w, " 413 ");
	world_fini(&w);

	world_init(&w, serve_echo);
	say(&w, "GET / HTTP/1.1\r\nHost: h\r\n");
	memset(line, 'a', sizeof(line));
	memcpy(line, "X: ", 3);
	memcpy(line + sizeof(line) - 3, "\r\n", 3);
	for (i = 0; i < 70; i++)
		say(&w, line);
	wait_for(&w, " 431 ");
	assert_int_equal(w.n_served, 0);
	world_fini(&w);
}

static void nonsense_is_refused_unserved(void **state)
{
	static const char *const rows[] = {"BREW /pot HTTP/1.1\r\n\r\n",
		"GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: -4\r\n\r\n"};
	struct world w;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world_init(&w, serve_echo);
		say(&w, rows[i]);
		wait_for(&w, NULL);
		assert_true(w.ended);
		assert_null(strstr(w.got.data, " 200 "));
		assert_int_equal(w.n_served, 0);
		world_fini(&w);
	}
}

static void a_path_with_a_hidden_nul_is_nobodys(void **state)
{
	struct world w;

	world_init(&w, serve_echo);
	say(&w, "GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(&w, "GET  /a%00b");
	world_fini(&w);
}

static void a_port_that_is_taken_is_an_error(void **state)
{
	struct world w;
	struct err err;

	world_init(&w, serve_echo);
	assert_null(server_new(
		w.loop, server_port(w.server), on_request, &w, &err));
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.text, "in use"));
	assert_null(server_new(w.loop, 70000, on_request, &w, &err));
	assert_int_equal(err.code, ERR_INVALID);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_taken_apart_and_answered),
		cmocka_unit_test(a_connection_serves_one_request_after_another),
		cmocka_unit_test(an_answer_may_come_later),
		cmocka_unit_test(an_answer_to_a_peer_that_left_is_harmless),
		cmocka_unit_test(a_request_outlives_its_server),
		cmocka_unit_test(a_reset_is_a_reset_and_not_an_end),
		cmocka_unit_test(what_is_too_large_is_refused_unserved),
		cmocka_unit_test(nonsense_is_refused_unserved),
		cmocka_unit_test(a_path_with_a_hidden_nul_is_nobodys),
		cmocka_unit_test(a_port_that_is_taken_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
