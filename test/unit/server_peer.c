/* SPDX-License-Identifier: Apache-2.0 */
/* A server and its peers; see server_peer.h. */
#include "server_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "until.h"

static void on_closed(void *arg)
{
	struct server_peer_world *w = arg;

	w->stream = NULL;
	w->n_closed++;
}

static void serve_large(struct server_request *r)
{
	char *body = xcalloc(1, LARGE);

	memset(body, 'l', LARGE);
	request_answer(r, 200, "text/plain", body, LARGE);
	free(body);
}

static void serve(struct server_request *r, void *arg)
{
	const char *q = request_query(r, "q"),
		   *h = request_header(r, "x-thing");
	struct server_peer_world *w = arg;
	struct buf body;
	size_t len;

	w->n_served++;
	if (strcmp(request_path(r), "/hold") == 0) {
		w->held = r;
		return;
	}
	if (strcmp(request_path(r), "/large") == 0) {
		serve_large(r);
		return;
	}
	if (strcmp(request_path(r), "/stream") == 0) {
		w->stream = request_stream(
			r, 200, "text/event-stream", on_closed, w);
		return;
	}
	buf_init(&body, 1 << 20);
	buf_addf(&body, "%s %s q=%s h=%s ", request_method(r), request_path(r),
		q ? q : "-", h ? h : "-");
	buf_adds(&body, request_body(r, &len));
	request_answer(r, 200, "text/plain", body.data, body.len);
	buf_fini(&body);
}

void peers_init(
	struct server_peer_world *w, const struct server_options *options)
{
	struct server_options plain = {.address = "127.0.0.1:0"};
	struct err err;

	*w = (struct server_peer_world){0};
	w->loop = loop_new(&err);
	if (options)
		plain = *options;
	if (!plain.address)
		plain.address = "127.0.0.1:0";
	w->server = server_listen(w->loop, &plain, serve, w, &err);
	if (!w->server)
		fail_msg("%s", err.text);
}

void peers_fini(struct server_peer_world *w)
{
	server_free(&w->server);
	if (w->held)
		request_answer(w->held, 200, NULL, NULL, 0);
	loop_free(&w->loop);
}

void peer_connect(struct peer *peer, struct loop *loop, int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port)};

	*peer = (struct peer){.loop = loop};
	buf_init(&peer->got, 64 << 20);
	peer->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
		connect(peer->fd, (struct sockaddr *)&address, sizeof(address)),
		0);
}

void peer_init(struct peer *peer, struct server_peer_world *w)
{
	peer_connect(peer, w->loop, server_port(w->server));
}

void peer_fini(struct peer *peer)
{
	close(peer->fd);
	buf_fini(&peer->got);
}

void peer_look(struct peer *peer)
{
	char bytes[65536];
	ssize_t n;

	while (!peer->ended) {
		n = recv(peer->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			peer->ended = true;
			peer->error = n < 0 ? errno : 0;
		} else {
			buf_add(&peer->got, bytes, (size_t)n);
		}
	}
}

bool peer_has(struct peer *peer, const char *text)
{
	peer_look(peer);
	return strstr(peer->got.data, text) != NULL;
}

bool peer_ended(struct peer *peer)
{
	peer_look(peer);
	return peer->ended;
}

void peer_say_bytes(struct peer *peer, const char *bytes, size_t len)
{
	while (len && !peer_ended(peer)) {
		ssize_t n =
			send(peer->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return; /* told by peer_ended */
		if (n < 0)
			until_turn(peer->loop);
		else
			bytes += n, len -= (size_t)n;
	}
}

void peer_say(struct peer *peer, const char *text)
{
	peer_say_bytes(peer, text, strlen(text));
}

void peer_waits_for(struct peer *peer, const char *text)
{
	RUN_UNTIL(peer->loop, peer_has(peer, text) || peer->ended);
	if (!strstr(peer->got.data, text))
		fail_msg("\"%s\" is not in \"%.2000s\"", text, peer->got.data);
}

void peer_waits_for_end(struct peer *peer)
{
	RUN_UNTIL(peer->loop, peer_ended(peer));
}

void peer_ask(struct server_peer_world *w, const char *bytes, size_t len,
	struct buf *got_r)
{
	struct peer peer;

	peer_init(&peer, w);
	peer_say_bytes(&peer, bytes, len);
	shutdown(peer.fd, SHUT_WR);
	RUN_UNTIL(w->loop, peer_ended(&peer));
	buf_init(got_r, peer.got.len);
	buf_add(got_r, peer.got.data, peer.got.len);
	peer_fini(&peer);
}
