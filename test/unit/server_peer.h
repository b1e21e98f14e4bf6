/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server in this process and peers of it on plain sockets, which see what is
 * really sent. A test sends bytes, turns the loop until something is true and
 * looks at what came.
 */
#ifndef TEST_SERVER_PEER_H
#define TEST_SERVER_PEER_H

#include <stdbool.h>

#include "base/buf.h"
#include "io/server.h"

struct server_peer_world {
	struct loop *loop;
	struct server *server;
	int n_served;
	struct server_request *held; /* the last one */
	struct server_stream *stream; /* the last one; NULL: it is gone */
	int n_closed; /* streams of which we were told */
};

/* Echoes "METHOD path q=… h=X-Thing body"; holds what asks for /hold; what asks
 * for /large gets LARGE bytes; /stream is a stream, in `stream`. */
#define LARGE (24 * 1024 * 1024)
void peers_init(
	struct server_peer_world *w, const struct server_options *options);
void peers_fini(struct server_peer_world *w);

struct peer {
	struct loop *loop;
	int fd;
	struct buf got;
	bool ended;
	int error; /* that ended it; 0: an orderly end */
};

void peer_init(struct peer *peer, struct server_peer_world *w);
/* Of any server on this port of 127.0.0.1, whose loop it is. */
void peer_connect(struct peer *peer, struct loop *loop, int port);
void peer_fini(struct peer *peer);
/* All of it, turning the loop where the kernel takes no more. */
void peer_say_bytes(struct peer *peer, const char *bytes, size_t len);
void peer_say(struct peer *peer, const char *text);
/* Reads what is there. */
void peer_look(struct peer *peer);
bool peer_has(struct peer *peer, const char *text);
bool peer_ended(struct peer *peer);
/* Waits for what it sees, or fails. */
void peer_waits_for(struct peer *peer, const char *text);
void peer_waits_for_end(struct peer *peer);
/* What one peer hears that says this, until the connection's end. */
void peer_ask(struct server_peer_world *w, const char *bytes, size_t len,
	struct buf *got_r);

#endif
