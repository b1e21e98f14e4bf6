/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that go on: how they are framed, that a quiet one stays and one that
 * nobody reads does not, and who is told of its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "server_peer.h"
#include "until.h"

#define HOST      "Host: localhost\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void stream_init(
	struct peer *peer, struct server_peer_world *w, const char *request)
{
	w->stream = NULL;
	peer_init(peer, w);
	peer_say(peer, request);
	RUN_UNTIL(w->loop, w->stream);
}

static void a_stream_comes_in_chunks_and_goes_on_with_the_next(void **state)
{
	struct server_peer_world w;
	struct peer peer;

	peers_init(&w, NULL);
	stream_init(&peer, &w, GET("/stream") GET("/next"));
	peer_waits_for(&peer, "Content-Type: text/event-stream\r\n");
	assert_non_null(strstr(peer.got.data, "Cache-Control: no-store\r\n"));
	assert_non_null(
		strstr(peer.got.data, "Transfer-Encoding: chunked\r\n"));
	assert_null(strstr(peer.got.data, "Content-Length"));
	assert_true(server_stream_send(w.stream, "data: 1\n\n", 9));
	assert_true(server_stream_send(w.stream, "", 0));
	peer_waits_for(&peer, "\r\n\r\n9\r\ndata: 1\n\n\r\n");
	assert_int_equal(server_stream_behind(w.stream), 0);
	/* The next request waits for the end. */
	assert_int_equal(w.n_served, 1);
	assert_true(server_stream_send(w.stream, "data: 22\n\n", 10));
	server_stream_end(w.stream);
	peer_waits_for(&peer, "a\r\ndata: 22\n\n\r\n0\r\n\r\nHTTP/1.1 200");
	peer_waits_for(&peer, "GET /next");
	assert_int_equal(w.n_closed, 0);
	assert_int_equal(server_counts(w.server)->streams, 0);
	peer_fini(&peer);
	peers_fini(&w);
}

static void an_old_client_reads_until_the_close(void **state)
{
	struct server_peer_world w;
	struct peer peer;

	peers_init(&w, NULL);
	stream_init(&peer, &w, "GET /stream HTTP/1.0\r\n" HOST "\r\n");
	assert_true(server_stream_send(w.stream, "data: 1\n\n", 9));
	peer_waits_for(&peer, "\r\n\r\ndata: 1\n\n");
	assert_null(strstr(peer.got.data, "chunked"));
	server_stream_end(w.stream);
	peer_waits_for_end(&peer);
	assert_int_equal(peer.error, 0);
	peer_fini(&peer);
	peers_fini(&w);
}

static void head_of_a_stream_is_a_head(void **state)
{
	static const char text[] = "HEAD /stream HTTP/1.1\r\n" HOST "\r\n";
	struct server_peer_world w;
	struct buf got;

	peers_init(&w, NULL);
	peer_ask(&w, text, strlen(text), &got);
	assert_non_null(strstr(got.data, "text/event-stream\r\n"));
	assert_string_equal(strstr(got.data, "\r\n\r\n"), "\r\n\r\n");
	assert_null(w.stream);
	assert_int_equal(w.n_closed, 0);
	buf_fini(&got);
	peers_fini(&w);
}

static void a_quiet_stream_beats_and_stays(void **state)
{
	static const char beat[] = ": hb\n\n";
	struct server_peer_world w;
	struct peer peer;

	peers_init(&w, NULL);
	stream_init(&peer, &w, GET("/stream"));
	server_stream_heartbeat(w.stream, beat);
	peer_waits_for(&peer, "\r\n\r\n");
	for (int i = 0; i < 10; i++) {
		buf_clear(&peer.got);
		until_later(w.loop, SERVER_HEARTBEAT_MS - 5000);
		assert_false(peer_has(&peer, beat));
		until_later(w.loop, 5000);
		peer_waits_for(&peer, "6\r\n: hb\n\n\r\n");
	}
	/* After an event none is due for as long. */
	until_later(w.loop, SERVER_HEARTBEAT_MS - 5000);
	assert_true(server_stream_send(w.stream, "x", 1));
	buf_clear(&peer.got);
	until_later(w.loop, SERVER_HEARTBEAT_MS - 5000);
	peer_waits_for(&peer, "x");
	assert_null(strstr(peer.got.data, beat));
	assert_int_equal(w.n_closed, 0);
	peer_fini(&peer);
	peers_fini(&w);
}

static void who_closes_a_stream_is_gone_at_once(void **state)
{
	struct server_peer_world w;
	struct peer peer;

	peers_init(&w, NULL);
	stream_init(&peer, &w, GET("/stream"));
	peer_fini(&peer);
	RUN_UNTIL(w.loop, w.n_closed == 1);
	assert_null(w.stream);
	assert_int_equal(server_counts(w.server)->streams, 0);
	peers_fini(&w);
}

static void who_does_not_read_a_stream_is_dropped(void **state)
{
	const struct server_counts *counts;
	struct server_peer_world w;
	struct peer peer;
	char *events = xcalloc(1, 16384);
	size_t sent = 0;

	memset(events, 'e', 16384);
	peers_init(&w, NULL);
	counts = server_counts(w.server);
	stream_init(&peer, &w, GET("/stream"));
	while (server_stream_send(w.stream, events, 16384)) {
		sent += 16384;
		until_turn(w.loop);
		assert_in_range(counts->unsent, 0, SERVER_BEHIND_MAX + 32768);
		assert_true(sent < (64 << 20));
	}
	assert_true(sent > SERVER_BEHIND_MAX);
	assert_int_equal(w.n_closed, 0);
	assert_int_equal(counts->streams, 0);
	assert_int_equal(counts->streams_dropped, 1);
	RUN_UNTIL(w.loop, counts->connections == 0);
	assert_int_equal(counts->unsent, 0);
	peer_fini(&peer);
	peers_fini(&w);
	free(events);
}

/* Few events, none of which is read: time tells. */
static void who_does_not_read_a_slow_stream_is_let_go(void **state)
{
	struct server_peer_world w;
	struct peer peer;
	char *events = xcalloc(1, 65536);

	memset(events, 'e', 65536);
	peers_init(&w, NULL);
	stream_init(&peer, &w, GET("/stream"));
	while (!server_stream_behind(w.stream)) {
		assert_true(server_stream_send(w.stream, events, 65536));
		until_turn(w.loop);
		until_turn(w.loop);
	}
	until_later(w.loop, SERVER_SEND_MS / 2);
	assert_int_equal(w.n_closed, 0);
	until_later(w.loop, SERVER_SEND_MS);
	RUN_UNTIL(w.loop, w.n_closed == 1);
	peer_fini(&peer);
	peers_fini(&w);
	free(events);
}

/* Who is behind when it ends has the time of any other answer. */
static void the_end_of_a_stream_is_waited_for(void **state)
{
	struct server_peer_world w;
	struct peer peer;
	char *events = xcalloc(1, 65536);

	memset(events, 'e', 65536);
	peers_init(&w, NULL);
	stream_init(&peer, &w, GET("/stream"));
	while (!server_stream_behind(w.stream)) {
		assert_true(server_stream_send(w.stream, events, 65536));
		until_turn(w.loop);
		until_turn(w.loop);
	}
	server_stream_end(w.stream);
	until_later(w.loop, SERVER_SEND_MS - 5000);
	assert_int_equal(server_counts(w.server)->connections, 1);
	peer_waits_for(&peer, "e\r\n0\r\n\r\n");
	peer_fini(&peer);
	peers_fini(&w);
	free(events);
}

/* What is sent on an open stream is kept up to a head, then it ends. */
static void who_talks_on_a_stream_is_gone(void **state)
{
	struct server_peer_world w;
	struct peer peer;
	char *noise = xcalloc(1, 4 * GATE_HEAD_MAX);

	memset(noise, 'n', 4 * GATE_HEAD_MAX);
	peers_init(&w, NULL);
	stream_init(&peer, &w, GET("/stream"));
	peer_say_bytes(&peer, noise, 4 * GATE_HEAD_MAX);
	RUN_UNTIL(w.loop, w.n_closed == 1);
	peer_waits_for_end(&peer);
	peer_fini(&peer);
	peers_fini(&w);
	free(noise);
}

static void streams_have_a_limit(void **state)
{
	const struct server_options options = {.streams_max = 2};
	struct server_peer_world w;
	struct peer peers[3];

	peers_init(&w, &options);
	stream_init(&peers[0], &w, GET("/stream"));
	stream_init(&peers[1], &w, GET("/stream"));
	peer_init(&peers[2], &w);
	peer_say(&peers[2], GET("/stream"));
	peer_waits_for(&peers[2], "HTTP/1.1 503 ");
	peer_waits_for(&peers[2], "too-many-streams");
	peer_waits_for(&peers[2], "Retry-After: 5\r\n");
	assert_null(w.stream);
	/* Its connection is as good as before. */
	peer_say(&peers[2], GET("/well"));
	peer_waits_for(&peers[2], "GET /well");
	peer_fini(&peers[0]);
	RUN_UNTIL(w.loop, w.n_closed == 1);
	peer_say(&peers[2], GET("/stream"));
	RUN_UNTIL(w.loop, w.stream);
	peer_fini(&peers[1]);
	peer_fini(&peers[2]);
	RUN_UNTIL(w.loop, w.n_closed == 3);
	peers_fini(&w);
}

static void draining_leaves_streams_to_their_owner(void **state)
{
	struct server_peer_world w;
	struct peer peer, left;

	peers_init(&w, NULL);
	stream_init(&left, &w, GET("/stream"));
	stream_init(&peer, &w, GET("/stream"));
	server_drain(w.server);
	until_turn(w.loop);
	assert_true(server_stream_send(w.stream, "event: bye\n\n", 12));
	server_stream_end(w.stream);
	peer_waits_for(&peer, "event: bye\n\n\r\n0\r\n\r\n");
	peer_waits_for_end(&peer);
	assert_int_equal(w.n_closed, 0);
	/* The server's end is that of all that are left. */
	server_free(&w.server);
	assert_int_equal(w.n_closed, 1);
	peer_waits_for_end(&left);
	peer_fini(&peer);
	peer_fini(&left);
	peers_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_stream_comes_in_chunks_and_goes_on_with_the_next),
		cmocka_unit_test(an_old_client_reads_until_the_close),
		cmocka_unit_test(head_of_a_stream_is_a_head),
		cmocka_unit_test(a_quiet_stream_beats_and_stays),
		cmocka_unit_test(who_closes_a_stream_is_gone_at_once),
		cmocka_unit_test(who_does_not_read_a_stream_is_dropped),
		cmocka_unit_test(who_does_not_read_a_slow_stream_is_let_go),
		cmocka_unit_test(the_end_of_a_stream_is_waited_for),
		cmocka_unit_test(who_talks_on_a_stream_is_gone),
		cmocka_unit_test(streams_have_a_limit),
		cmocka_unit_test(draining_leaves_streams_to_their_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
