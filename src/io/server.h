/*
 * HTTP server on loopback: for the sandbox and the daemon. libevent's evhttp
 * stays behind it. A request may be answered later; an answer is given exactly
 * once. When the peer goes away meanwhile, answering is harmless.
 */
#ifndef TIDEGATE_IO_SERVER_H
#define TIDEGATE_IO_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SERVER_BODY_MAX    (8 * 1024 * 1024) /* bytes of a request; else 413 */
#define SERVER_HEADERS_MAX (64 * 1024)

struct loop;
struct server;
struct server_request;

typedef void (*server_fn)(struct server_request *request, void *arg);

/* Listens on 127.0.0.1; port 0: the kernel chooses. */
MUST_CHECK struct server *server_new(struct loop *loop, int port, server_fn fn,
	void *arg, struct err *err_r);
/* Closes all connections. Requests that are not answered yet stay readable
 * and must still be answered, for nobody. */
void server_free(struct server **server);
int server_port(const struct server *server);

const char *request_method(const struct server_request *request);
const char *request_path(const struct server_request *request); /* decoded */
const char *request_target(const struct server_request *request); /* raw */
/* A query parameter, decoded, or NULL; borrowed from the request. */
const char *request_query(struct server_request *request, const char *name);
const char *request_header(
	const struct server_request *request, const char *name);
/* NUL-terminated, never NULL; borrowed from the request. */
const char *request_body(struct server_request *request, size_t *len_r);

/* Adds a header to the answer to come. */
void request_set_header(
	struct server_request *request, const char *name, const char *value);
/* Answers and gives the request up. `body` is copied; NULL: none. */
void request_answer(struct server_request *request, int status,
	const char *content_type, const void *body, size_t len);
/* Breaks the connection with a TCP reset, without an answer. */
void request_reset(struct server_request *request);

#endif
