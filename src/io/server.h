/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1 server: for the sandbox, and for a daemon on hostile networks. A
 * request reaches its owner after it has passed the gate (request_gate.h), with
 * all of its body; what does not pass is answered here.
 *
 * A request may be answered later; an answer is given exactly once. When the
 * peer goes away meanwhile, answering is harmless. Callbacks run from the loop,
 * never inside a call to this file, but for server_free.
 */
#ifndef TIDEGATE_IO_SERVER_H
#define TIDEGATE_IO_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "io/request_gate.h"

/* Of the sandbox; a daemon's are GATE_HEAD_MAX and GATE_BODY_MAX. */
#define SERVER_BODY_MAX    (8 * 1024 * 1024) /* bytes of a request; else 413 */
#define SERVER_HEADERS_MAX (64 * 1024)

#define SERVER_HEAD_MS      10000 /* for a head, from its first byte or accept */
#define SERVER_BODY_MS      30000 /* for a body, from the end of its head */
#define SERVER_IDLE_MS      75000 /* between two requests of a connection */
#define SERVER_SEND_MS      60000 /* in which a peer that is sent to reads none */
#define SERVER_LINGER_MS    2000 /* to read a last answer before the close */
#define SERVER_PAUSE_MS     1000 /* of accepting, when descriptors run out */
#define SERVER_HEARTBEAT_MS 15000 /* of a stream without events */

#define SERVER_CONNECTIONS_MAX 1024 /* fewer where files are limited (ulimit) */
#define SERVER_SPARE_FILES     256 /* for all else, or half of what is allowed */
#define SERVER_PER_PEER_MAX    64
#define SERVER_STREAMS_MAX     200
#define SERVER_BEHIND_MAX      (256 * 1024) /* bytes of a stream's backlog */
#define SERVER_UNSENT_MAX      (64 * 1024 * 1024) /* of all answers */
#define SERVER_HOSTS_MAX       32

struct loop;
struct server;
struct server_request;
struct server_stream;

typedef void (*server_fn)(struct server_request *request, void *arg);

/* Listens on 127.0.0.1 for the sandbox: any host and method; port 0: the kernel
 * chooses. */
MUST_CHECK struct server *server_new(struct loop *loop, int port, server_fn fn,
	void *arg, struct err *err_r);

struct server_options {
	/* "127.0.0.1:8080", "[::]:8080", "localhost:0", "unix:/path", "systemd"
	 * (all sockets that were handed over) or "systemd:NAME" */
	const char *address;
	mode_t unix_mode; /* of the socket's file; 0: 0600 */
	/* Under which it may be asked for: "name" with any port or "name:port",
	 * NULL-terminated, copied. NULL: this machine's names on loopback and
	 * Unix sockets, any name elsewhere. */
	const char *const *hosts;
	const char *const *open_paths; /* probes may ask there for any host */
	bool behind_proxy; /* all come from one peer */
	size_t body_max; /* 0: GATE_BODY_MAX */
	/* For tests; 0: the constants above. */
	int64_t head_ms, body_ms, idle_ms, send_ms, linger_ms, pause_ms;
	int64_t heartbeat_ms;
	int connections_max, per_peer_max, streams_max;
	size_t unsent_max;
};

MUST_CHECK struct server *server_listen(struct loop *loop,
	const struct server_options *options, server_fn fn, void *arg,
	struct err *err_r);

/* Takes no more connections and closes each after the answer that is under
 * way, and those that are idle now; streams stay until they are ended. */
void server_drain(struct server *server);
bool server_is_idle(const struct server *server); /* no connection is left */
/* Closes all connections. Requests that are not answered yet stay readable
 * and must still be answered, for nobody. Streams that are left are told. */
void server_free(struct server **server);
int server_port(const struct server *server); /* 0: none, a Unix socket */

struct server_counts {
	int connections, streams; /* now */
	size_t unsent; /* bytes of answers, now */
	uint64_t accepted, requests;
	uint64_t answers[6]; /* by the status's first digit */
	uint64_t refused[GATE_REFUSALS];
	uint64_t streams_dropped; /* because they were behind */
	uint64_t timeouts; /* connections that were too slow or idle */
	uint64_t accept_pauses; /* no descriptor was left */
};
const struct server_counts *server_counts(const struct server *server);

/* ---- a request ---- */

const char *request_method(const struct server_request *request);
const char *request_path(const struct server_request *request); /* decoded */
const char *request_target(const struct server_request *request); /* raw */
/* A query parameter, decoded, or NULL; borrowed from the request. */
const char *request_query(struct server_request *request, const char *name);
/* Given exactly once (in the sandbox: the first), else NULL. */
const char *request_header(
	const struct server_request *request, const char *name);
/* NUL-terminated, never NULL; borrowed from the request. */
const char *request_body(struct server_request *request, size_t *len_r);

enum server_peer_kind { PEER_LOOPBACK, PEER_UNIX, PEER_OTHER };

struct server_peer {
	enum server_peer_kind kind;
	uid_t uid; /* of PEER_UNIX, by the kernel */
	pid_t pid;
	char address[64]; /* for people: "192.0.2.1", "unix:uid=1000,pid=42" */
};

const struct server_peer *request_peer(const struct server_request *request);

/* ---- its answer ---- */

/* Adds a header to the answer to come; takes the place of the one that every
 * answer has by that name. A value with a line break is dropped. */
void request_set_header(
	struct server_request *request, const char *name, const char *value);
/* Answers and gives the request up. `body` is copied; NULL: none. HEAD gets all
 * but the body. */
void request_answer(struct server_request *request, int status,
	const char *content_type, const void *body, size_t len);
/* An answer by RFC 9457: `code` is for programs and stays, `detail` is for
 * people; NULL: none. */
void request_problem(struct server_request *request, int status,
	const char *code, const char *detail);
/* Breaks the connection with a TCP reset, without an answer. */
void request_reset(struct server_request *request);

/* ---- an answer that goes on ---- */

/* Told once, when the peer is gone (or the server); the stream is gone then. */
typedef void (*server_closed_fn)(void *arg);

/* Answers with a stream and gives the request up. NULL: it was answered without
 * one, because it was HEAD, there are too many, or nobody is there any more. The
 * next request of that connection waits for the end; a peer that sends more
 * than one is gone. */
struct server_stream *request_stream(struct server_request *request, int status,
	const char *content_type, server_closed_fn fn, void *arg);
/* false: the peer was behind by more than SERVER_BEHIND_MAX and was dropped, or
 * it is just gone; so is the stream, and `fn` is not called. */
MUST_CHECK bool server_stream_send(
	struct server_stream *stream, const void *bytes, size_t len);
/* What the kernel has not taken yet. */
size_t server_stream_behind(const struct server_stream *stream);
/* Sent whenever nothing else was for SERVER_HEARTBEAT_MS; a constant. */
void server_stream_heartbeat(struct server_stream *stream, const char *text);
/* What was sent still arrives; `fn` is not called. */
void server_stream_end(struct server_stream *stream);

#endif
