/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the server share; for server*.c only.
 *
 *   server.c             the server as a whole: accepting, its limits, its end
 *   server_listen.c      sockets that listen, from an address
 *   server_connection.c  one connection: bytes, deadlines, whose turn it is
 *   server_request.c     what a request says
 *   server_head.c        what is written: heads, headers of all, problems
 *   server_answer.c      answers that are given at once
 *   server_stream.c      answers that go on
 */
#ifndef TIDEGATE_IO_SERVER_PARTS_H
#define TIDEGATE_IO_SERVER_PARTS_H

#include <netinet/in.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "io/server.h"

struct connection;

#define LISTENERS_MAX     8
#define SERVER_ANSWER_MAX (256 * 1024 * 1024) /* bytes that are not sent yet */

struct listener {
	struct server *server;
	int fd;
	struct watch *watch;
	char *unix_path; /* ours to remove; NULL: none */
	dev_t device; /* of that file … */
	ino_t inode; /* … so that no other is removed */
};

TAILQ_HEAD(connection_list, connection);

struct server {
	struct loop *loop;
	server_fn fn;
	void *arg;
	struct server_options limits; /* no 0, no texts */
	struct gate_rules rules;
	bool has_headers; /* the security headers */
	char *hosts[SERVER_HOSTS_MAX + 1];
	char *open_paths[SERVER_HOSTS_MAX + 1];
	struct listener listeners[LISTENERS_MAX];
	int n_listeners;
	int port;
	struct timer *pause;
	bool draining;
	struct connection_list connections;
	struct connection_list
		spare; /* those that may be closed, oldest first */
	LIST_HEAD(, server_request) requests; /* not answered yet */
	struct server_counts counts;
};

struct server_request {
	LIST_ENTRY(server_request) link;
	struct server *server; /* NULL: it is gone, the answer is dropped */
	struct connection *connection; /* NULL: the peer is gone */
	struct request_head head;
	struct gate_pass pass;
	struct buf body;
	struct buf headers; /* of the answer, as lines */
	bool is_lenient;
	struct server_peer peer;
};

struct server_stream {
	struct connection *connection;
	server_closed_fn fn;
	void *arg;
	bool is_chunked;
	const char *heartbeat;
};

enum connection_state {
	CONNECTION_HEAD, /* waits for a request or reads its head */
	CONNECTION_BODY,
	CONNECTION_SERVING, /* somebody has the request */
	CONNECTION_SENDING, /* the answer is being read by the peer */
	CONNECTION_STREAMING,
	CONNECTION_LINGERING, /* the last answer is sent, the peer may read it */
};

struct connection {
	TAILQ_ENTRY(connection) link, spare_link;
	struct server *server;
	int fd;
	struct watch *reads, *writes;
	enum connection_state state;
	bool is_spare;
	bool closes; /* after the answer */
	bool is_dead; /* freed at the end of this turn */
	bool is_reset; /* … with a TCP reset */
	bool flushes; /* at the end of this turn */
	bool had_request;
	bool input_ended; /* the peer sends no more than what is in `in` */
	struct timer *timer, *next;
	int64_t timer_ms, deadline_ms;
	int64_t progress_ms; /* when the peer last took something */
	struct buf in, out;
	size_t sent; /* of `out` */
	size_t counted; /* in the server's `unsent` */
	struct head_scan scan;
	struct server_request *request; /* being read, or somebody has it */
	struct server_stream *stream;
	/* Of a connection with a stream: it ends; its deadline has come, false:
	 * the peer reads nothing. */
	void (*stream_closed)(struct connection *connection);
	bool (*stream_deadline)(struct connection *connection);
	struct server_peer peer;
	struct in6_addr from; /* zero: a Unix socket */
};

/* server_listen.c */
MUST_CHECK int listeners_open(struct server *server, const char *address,
	mode_t unix_mode, struct err *err_r);
void listener_close(struct listener *listener);
bool listeners_are_local(const struct server *server);
void peer_read(struct connection *connection);

/* server_connection.c */
void connection_start(struct connection *connection);
void connection_free(struct connection *connection);
/* Ends it at the end of this turn. */
void connection_kill(struct connection *connection, bool with_reset);
/* Something was added to `out`. */
void connection_wants_to_send(struct connection *connection);
void connection_set_deadline(struct connection *connection, int64_t in_ms);
void connection_set_state(
	struct connection *connection, enum connection_state state);
bool connection_is_idle(const struct connection *connection);
size_t connection_unsent(const struct connection *connection);

/* server_request.c */
void request_free(struct server_request *request);

/* server_head.c */
#define PROBLEM_MAX  (4 * 1024)
#define PROBLEM_TYPE "application/problem+json"
/* The head of an answer, whose body is of `len` bytes or … */
#define ANSWER_UNTIL_CLOSE (-1)
#define ANSWER_CHUNKED     (-2)
void answer_head(struct server_request *request, int status,
	const char *content_type, int64_t len);
void problem_print(
	struct buf *out, int status, const char *code, const char *detail);
/* To a peer whose request did not pass. */
void refusal_print(struct buf *out, const struct server *server,
	enum gate_refusal refusal, bool with_body);

#endif
