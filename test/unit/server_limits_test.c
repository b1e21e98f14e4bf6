/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a peer cannot do to the server: be slow, be many, take and not read.
 * Time is moved on, so nothing here waits.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/loop.h"
#include "server_peer.h"
#include "until.h"

#define HOST      "Host: localhost\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void the_limits_are_these(void **state)
{
	assert_int_equal(GATE_HEAD_MAX, 16 * 1024);
	assert_int_equal(GATE_BODY_MAX, 64 * 1024);
	assert_int_equal(SERVER_HEAD_MS, 10000);
	assert_int_equal(SERVER_BODY_MS, 30000);
	assert_int_equal(SERVER_IDLE_MS, 75000);
	assert_int_equal(SERVER_PAUSE_MS, 1000);
	assert_int_equal(SERVER_HEARTBEAT_MS, 15000);
	assert_int_equal(SERVER_CONNECTIONS_MAX, 1024);
	assert_int_equal(SERVER_PER_PEER_MAX, 64);
	assert_int_equal(SERVER_STREAMS_MAX, 200);
	assert_int_equal(SERVER_BEHIND_MAX, 256 * 1024);
}

/* ---- slow ones ---- */

/* The server has all that was said: it is in `loop`'s turns. */
static void settle(struct server_peer_world *w)
{
	for (int i = 0; i < 5; i++)
		until_turn(w->loop);
}

static void a_byte_now_and_then_is_no_head(void **state)
{
	struct server_peer_world w;
	struct peer peer;

	peers_init(&w, NULL);
	peer_init(&peer, &w);
	peer_say(&peer, "GET / HT");
	settle(&w);
	for (int i = 0; i < 9; i++) {
		until_later(w.loop, 1000);
		assert_false(peer_ended(&peer));
		peer_say(&peer, "x");
		settle(&w);
	}
	until_later(w.loop, 1000);
	peer_waits_for(&peer, "HTTP/1.1 408 Request Timeout\r\n");
	assert_non_null(strstr(peer.got.data, "\"code\":\"head-timeout\""));
	peer_waits_for_end(&peer);
	assert_int_equal(peer.error, 0);
	assert_int_equal(server_counts(w.server)->refused[GATE_HEAD_LATE], 1);
	peer_fini(&peer);
	peers_fini(&w);
}

static void a_byte_now_and_then_is_no_body(void **state)
{
	struct server_peer_world w;
	struct peer peer;

	peers_init(&w, NULL);
	peer_init(&peer, &w);
	peer_say(&peer,
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\n");
	settle(&w);
	for (int i = 0; i < 29; i++) {
		until_later(w.loop, 1000);
		assert_false(peer_ended(&peer));
		peer_say(&peer, "x");
	}
	settle(&w);
	until_later(w.loop, 1000);
	peer_waits_for(&peer, "\"code\":\"body-timeout\"");
	peer_waits_for_end(&peer);
	assert_int_equal(w.n_served, 0);
	peer_fini(&peer);
	peers_fini(&w);
}

static void who_says_nothing_is_let_go(void **state)
{
	struct server_peer_world w;
	struct peer fresh, kept, asking;

	peers_init(&w, NULL);
	peer_init(&fresh, &w);
	peer_init(&kept, &w);
	peer_say(&kept, GET("/1"));
	peer_waits_for(&kept, "GET /1");
	until_later(w.loop, SERVER_HEAD_MS);
	peer_waits_for_end(&fresh);
	assert_int_equal(fresh.got.len, 0);
	assert_int_equal(fresh.error, 0);
	until_later(w.loop, SERVER_IDLE_MS - SERVER_HEAD_MS - 5000);
	assert_false(peer_ended(&kept));
	/* Each request begins the time anew. */
	peer_say(&kept, GET("/2"));
	peer_waits_for(&kept, "GET /2");
	until_later(w.loop, SERVER_IDLE_MS - 5000);
	assert_false(peer_ended(&kept));
	until_later(w.loop, 5000);
	peer_waits_for_end(&kept);
	assert_int_equal(server_counts(w.server)->timeouts, 2);
	/* Whoever has asked waits as long as it takes. */
	peer_init(&asking, &w);
	peer_say(&asking, GET("/hold"));
	RUN_UNTIL(w.loop, w.held);
	until_later(w.loop, 600000);
	settle(&w);
	request_answer(w.held, 200, NULL, "at last", 7);
	w.held = NULL;
	peer_waits_for(&asking, "at last");
	peer_fini(&fresh);
	peer_fini(&kept);
	peer_fini(&asking);
	peers_fini(&w);
}

static void the_second_request_has_its_own_ten_seconds(void **state)
{
	struct server_peer_world w;
	struct peer peer;

	peers_init(&w, NULL);
	peer_init(&peer, &w);
	peer_say(&peer, GET("/1"));
	peer_waits_for(&peer, "GET /1");
	until_later(w.loop, 60000);
	peer_say(&peer, "GET /2 ");
	settle(&w);
	until_later(w.loop, SERVER_HEAD_MS - 5000);
	peer_say(&peer, "HTTP/1.1\r\n");
	settle(&w);
	assert_false(peer_ended(&peer));
	until_later(w.loop, 5000);
	settle(&w); /* now, and not when an idle one would go */
	assert_true(peer_has(&peer, "head-timeout"));
	peer_waits_for_end(&peer);
	peer_fini(&peer);
	peers_fini(&w);
}

/* ---- who does not read ---- */

static void who_does_not_read_an_answer_is_let_go(void **state)
{
	const struct server_counts *counts;
	struct server_peer_world w;
	struct peer peer;

	peers_init(&w, NULL);
	counts = server_counts(w.server);
	peer_init(&peer, &w);
	peer_say(&peer, GET("/large") GET("/large"));
	RUN_UNTIL(w.loop, counts->unsent > 0);
	settle(&w);
	/* The second waits for the first. */
	assert_int_equal(w.n_served, 1);
	assert_in_range(counts->unsent, 1, LARGE + 4096);
	until_later(w.loop, SERVER_SEND_MS);
	assert_int_equal(counts->connections, 1);
	until_later(w.loop, LARGE / 4);
	RUN_UNTIL(w.loop, counts->connections == 0);
	assert_int_equal(counts->unsent, 0);
	peer_fini(&peer);
	peers_fini(&w);
}

static void large_answers_arrive_whole_one_after_another(void **state)
{
	struct server_peer_world w;
	struct peer peer;

	peers_init(&w, NULL);
	peer_init(&peer, &w);
	peer_say(&peer, GET("/large") GET("/large") GET("/end"));
	peer_waits_for(&peer, "GET /end");
	assert_true(peer.got.len > 2 * (size_t)LARGE);
	assert_int_equal(w.n_served, 3);
	peer_fini(&peer);
	peers_fini(&w);
}

static void answers_that_nobody_reads_have_a_limit(void **state)
{
	const struct server_options options = {.unsent_max = 1024 * 1024};
	struct server_peer_world w;
	struct peer greedy, other;

	peers_init(&w, &options);
	peer_init(&greedy, &w);
	peer_say(&greedy, GET("/large"));
	RUN_UNTIL(w.loop, server_counts(w.server)->unsent > 1024 * 1024);
	peer_init(&other, &w);
	peer_say(&other, GET("/"));
	peer_waits_for(&other, "HTTP/1.1 503 ");
	peer_waits_for(&other, "too-much-unsent");
	peer_waits_for(&other, "Retry-After: 5\r\n");
	peer_fini(&other);
	peer_fini(&greedy);
	RUN_UNTIL(w.loop, server_counts(w.server)->connections == 0);
	peer_init(&other, &w);
	peer_say(&other, GET("/well"));
	peer_waits_for(&other, "GET /well");
	peer_fini(&other);
	peers_fini(&w);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void many_requests_at_once_are_dealt_out_to_turns(void **state)
{
	struct server_peer_world w;
	struct peer peer;
	struct buf text;

	peers_init(&w, NULL);
	peer_init(&peer, &w);
	buf_init(&text, 1 << 20);
	for (int i = 0; i < 500; i++)
		buf_adds(&text, GET("/many"));
	peer_say_bytes(&peer, text.data, text.len);
	/* However much there is, a turn serves one of a connection. */
	for (int before = 0; before < 500; before = w.n_served) {
		struct err err;

		timer_start(w.loop, 0, stop, w.loop);
		assert_int_equal(loop_run(w.loop, &err), 0);
		assert_in_range(w.n_served - before, 0, 2);
	}
	peer_say(&peer, GET("/last"));
	peer_waits_for(&peer, "GET /last");
	buf_fini(&text);
	peer_fini(&peer);
	peers_fini(&w);
}

/* ---- many ---- */

static void connections_have_a_limit_and_who_asks_goes_first(void **state)
{
	const struct server_options options = {.connections_max = 4};
	const struct server_counts *counts;
	struct server_peer_world w;
	struct peer idle[4], late;

	peers_init(&w, &options);
	counts = server_counts(w.server);
	for (int i = 0; i < 4; i++) {
		peer_init(&idle[i], &w);
		peer_say(&idle[i], i < 3 ? GET("/x") : "GET /slow");
		settle(&w);
	}
	assert_int_equal(counts->connections, 4);
	/* The one that has been idle for longest makes room. */
	peer_init(&late, &w);
	peer_say(&late, GET("/hold"));
	RUN_UNTIL(w.loop, w.held);
	peer_waits_for_end(&idle[0]);
	assert_false(peer_ended(&idle[1]));
	assert_int_equal(counts->connections, 4);
	assert_int_equal(counts->refused[GATE_CONNECTIONS], 0);
	request_answer(w.held, 200, NULL, "held", 4);
	w.held = NULL;
	peer_waits_for(&late, "held");
	for (int i = 0; i < 4; i++)
		peer_fini(&idle[i]);
	peer_fini(&late);
	peers_fini(&w);
}

static void when_all_are_asking_the_next_hears_so(void **state)
{
	const struct server_options options = {.connections_max = 1};
	struct server_peer_world w;
	struct peer first, second;

	peers_init(&w, &options);
	peer_init(&first, &w);
	peer_say(&first, GET("/hold"));
	RUN_UNTIL(w.loop, w.held);
	peer_init(&second, &w);
	peer_waits_for_end(&second);
	assert_non_null(strstr(second.got.data, "HTTP/1.1 503 "));
	assert_non_null(strstr(second.got.data, "too-many-connections"));
	assert_int_equal(server_counts(w.server)->connections, 1);
	peer_fini(&first);
	peer_fini(&second);
	peers_fini(&w);
}

static void one_peer_has_fewer_than_all(void **state)
{
	struct server_options options = {.per_peer_max = 3};
	struct server_peer_world w;
	struct peer peers[4];

	for (int proxied = 0; proxied < 2; proxied++) {
		options.behind_proxy = proxied;
		peers_init(&w, &options);
		for (int i = 0; i < 4; i++)
			peer_init(&peers[i], &w);
		if (proxied) {
			peer_say(&peers[3], GET("/in"));
			peer_waits_for(&peers[3], "GET /in");
		} else {
			peer_waits_for_end(&peers[3]);
			assert_non_null(strstr(
				peers[3].got.data, "too-many-connections"));
		}
		assert_int_equal(
			server_counts(w.server)->connections, proxied ? 4 : 3);
		for (int i = 0; i < 4; i++)
			peer_fini(&peers[i]);
		peers_fini(&w);
	}
}

/* No descriptor is left: it is told once and tried again a second later. */
static void running_out_of_descriptors_costs_a_pause(void **state)
{
	const struct server_counts *counts;
	struct server_peer_world w;
	struct rlimit before, none;
	struct peer peer;
	int next;

	peers_init(&w, NULL);
	counts = server_counts(w.server);
	peer_init(&peer, &w);
	peer_say(&peer, GET("/later"));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	next = dup(0); /* the first that is free */
	close(next);
	none = (struct rlimit){(rlim_t)next, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	settle(&w);
	assert_int_equal(counts->accept_pauses, 1);
	until_later(w.loop, SERVER_PAUSE_MS);
	settle(&w);
	assert_int_equal(counts->accept_pauses, 2);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	settle(&w);
	assert_int_equal(counts->accepted, 0);
	until_later(w.loop, SERVER_PAUSE_MS);
	peer_waits_for(&peer, "GET /later");
	assert_int_equal(counts->accept_pauses, 2);
	peer_fini(&peer);
	peers_fini(&w);
}

#define VISITORS   60
#define FILES      64
#define FILES_FROM 500 /* their own ends do not count */

/* In a process of its own: who may have few files may not have more again. */
static int crowd_leaves_files(void)
{
	const struct server_options options = {.behind_proxy = true};
	const struct rlimit few = {FILES, FILES};
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct server_peer_world w;
	int fds[VISITORS], fd;

	for (int i = 0; i < VISITORS; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		fds[i] = fcntl(fd, F_DUPFD, FILES_FROM);
		close(fd);
	}
	setrlimit(RLIMIT_NOFILE, &few);
	peers_init(&w, &options);
	to.sin_port = htons((uint16_t)server_port(w.server));
	for (int i = 0; i < VISITORS; i++) {
		if (connect(fds[i], (struct sockaddr *)&to, sizeof(to)))
			return 2;
		settle(&w);
	}
	if (server_counts(w.server)->connections != FILES / 2)
		return 3;
	return open("/dev/null", O_RDONLY) >= 0 ? 0 : 4;
}

static void a_crowd_leaves_descriptors_to_what_is_asked_elsewhere(void **state)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(crowd_leaves_files());
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

/* ---- the end ---- */

static void draining_ends_each_when_it_has_its_answer(void **state)
{
	struct server_peer_world w;
	struct peer idle, asking, late;

	peers_init(&w, NULL);
	peer_init(&idle, &w);
	peer_init(&asking, &w);
	peer_say(&idle, GET("/1"));
	peer_waits_for(&idle, "GET /1");
	peer_say(&asking, GET("/hold"));
	RUN_UNTIL(w.loop, w.held);
	peer_init(&late, &w); /* in the kernel's queue */
	server_drain(w.server);
	peer_waits_for_end(&idle);
	peer_waits_for_end(&late);
	assert_false(server_is_idle(w.server));
	request_answer(w.held, 200, NULL, "the last", 8);
	w.held = NULL;
	peer_waits_for(&asking, "the last");
	peer_waits_for(&asking, "Connection: close\r\n");
	peer_waits_for_end(&asking);
	peer_fini(&asking);
	RUN_UNTIL(w.loop, server_is_idle(w.server));
	peer_fini(&idle);
	peer_fini(&late);
	peers_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_limits_are_these),
		cmocka_unit_test(a_byte_now_and_then_is_no_head),
		cmocka_unit_test(a_byte_now_and_then_is_no_body),
		cmocka_unit_test(who_says_nothing_is_let_go),
		cmocka_unit_test(the_second_request_has_its_own_ten_seconds),
		cmocka_unit_test(who_does_not_read_an_answer_is_let_go),
		cmocka_unit_test(large_answers_arrive_whole_one_after_another),
		cmocka_unit_test(answers_that_nobody_reads_have_a_limit),
		cmocka_unit_test(many_requests_at_once_are_dealt_out_to_turns),
		cmocka_unit_test(
			connections_have_a_limit_and_who_asks_goes_first),
		cmocka_unit_test(when_all_are_asking_the_next_hears_so),
		cmocka_unit_test(one_peer_has_fewer_than_all),
		cmocka_unit_test(running_out_of_descriptors_costs_a_pause),
		cmocka_unit_test(
			a_crowd_leaves_descriptors_to_what_is_asked_elsewhere),
		cmocka_unit_test(draining_ends_each_when_it_has_its_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
