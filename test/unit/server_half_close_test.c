/* SPDX-License-Identifier: Apache-2.0 */
/* Peers of the server that send no more and still read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "io/loop.h"
#include "server_peer.h"
#include "until.h"

#define HOST "Host: localhost\r\n"

static void all_that_was_asked_before_a_half_close_is_answered(void **state)
{
	static const char first[] = "GET /one HTTP/1.1\r\n" HOST "\r\n";
	static const char rest[] =
		"POST /two HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody"
		"GET /hold HTTP/1.1\r\n" HOST "\r\n"
		"GET /four HTTP/1.1\r\n" HOST "\r\n"
		"GET /cut HTTP/1.1\r\nHo";
	struct server_peer_world w;
	struct peer peer;

	for (int at_once = 0; at_once < 2; at_once++) {
		peers_init(&w, NULL);
		peer_init(&peer, &w);
		peer_say(&peer, first);
		if (!at_once)
			peer_waits_for(&peer, "GET /one");
		peer_say(&peer, rest);
		shutdown(peer.fd, SHUT_WR);
		RUN_UNTIL(w.loop, w.held);
		assert_true(peer_has(&peer, "GET /one"));
		peer_waits_for(&peer, "POST /two q=- h=- body");
		assert_false(peer.ended);
		request_answer(w.held, 200, "text/plain", "held", 4);
		w.held = NULL;
		peer_waits_for_end(&peer);
		assert_int_equal(peer.error, 0);
		assert_true(peer_has(&peer, "held"));
		assert_true(peer_has(&peer, "GET /four"));
		assert_int_equal(w.n_served, 4);
		assert_int_equal(server_counts(w.server)->connections, 0);
		peer_fini(&peer);
		peers_fini(&w);
	}
}

/* Of a body that will not come nobody is told, nor of a stream. */
static void what_is_not_whole_at_a_half_close_is_not_served(void **state)
{
	static const char *const texts[] = {
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbod",
		"GET / HTTP/1.1\r\nHost",
		"GET /one HTTP/1.1\r\n" HOST "\r\n"
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbod",
		"GET /one HTTP/1.1\r\n" HOST "\r\n"
		"GET /stream HTTP/1.1\r\n" HOST "\r\n",
	};
	struct server_peer_world w;
	struct peer peer;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		peers_init(&w, NULL);
		peer_init(&peer, &w);
		peer_say(&peer, texts[i]);
		shutdown(peer.fd, SHUT_WR);
		peer_waits_for_end(&peer);
		assert_int_equal(peer_has(&peer, "GET /one"), i >= 2);
		assert_null(w.stream);
		assert_int_equal(w.n_served, i < 2 ? 0 : i - 1);
		peer_fini(&peer);
		peers_fini(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			all_that_was_asked_before_a_half_close_is_answered),
		cmocka_unit_test(
			what_is_not_whole_at_a_half_close_is_not_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
