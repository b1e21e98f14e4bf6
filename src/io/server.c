/*
 * HTTP server on evhttp; see server.h. It owns requests from their arrival to
 * their answer and knows nothing of what is served.
 */
#include "io/server.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/xalloc.h"
#include "io/loop.h"

#define BACKLOG        1024
#define PEER_TIMEOUT_S 120 /* of a peer that neither sends nor reads */

#define METHODS                                                                \
	(EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | \
		EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |    \
		EVHTTP_REQ_PATCH)

struct server {
	struct evhttp *evhttp;
	server_fn fn;
	void *arg;
	int port;
	LIST_HEAD(, server_request) requests; /* not answered yet */
};

struct server_request {
	LIST_ENTRY(server_request) link;
	struct evhttp_request *request;
	bool orphaned; /* the server is gone: its answer is dropped */
	char *path;
	const char *body; /* NULL: not asked for yet */
	size_t body_len;
	struct evkeyvalq query;
	bool query_parsed;
};

static const char *method_name(enum evhttp_cmd_type type)
{
	switch (type) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_HEAD:
		return "HEAD";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	case EVHTTP_REQ_OPTIONS:
		return "OPTIONS";
	case EVHTTP_REQ_TRACE:
		return "TRACE";
	case EVHTTP_REQ_PATCH:
		return "PATCH";
	default:
		return "";
	}
}

/* The path, decoded; "" when it hides a NUL, which is nobody's path. */
static char *path_decode(const struct evhttp_request *request)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *raw = uri ? evhttp_uri_get_path(uri) : NULL;
	size_t len;
	char *path = evhttp_uridecode(raw ? raw : "", 0, &len);

	if (!path)
		abort();
	if (strlen(path) != len)
		path[0] = '\0';
	return path;
}

/* Our side only; libevent's request goes its own way. */
static void request_free(struct server_request *request)
{
	if (!request->orphaned)
		LIST_REMOVE(request, link);
	if (request->query_parsed)
		evhttp_clear_headers(&request->query);
	free(request->path);
	free(request);
}

static void on_request(struct evhttp_request *evrequest, void *arg)
{
	struct server *server = arg;
	struct server_request *request = xcalloc(1, sizeof(*request));

	request->request = evrequest;
	request->path = path_decode(evrequest);
	LIST_INSERT_HEAD(&server->requests, request, link);
	server->fn(request, server->arg);
}

static struct evconnlistener *listen_on(struct loop *loop, int *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	struct evconnlistener *listener;

	listener = evconnlistener_new_bind(loop_base(loop), NULL, NULL,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
			LEV_OPT_REUSEABLE,
		BACKLOG, (struct sockaddr *)&address, sizeof(address));
	if (!listener)
		return NULL;
	if (getsockname(evconnlistener_get_fd(listener),
		    (struct sockaddr *)&address, &len)) {
		evconnlistener_free(listener);
		return NULL;
	}
	*port = ntohs(address.sin_port);
	return listener;
}

struct server *server_new(
	struct loop *loop, int port, server_fn fn, void *arg, struct err *err_r)
{
	struct evconnlistener *listener;
	struct server *server;

	if (port < 0 || port > 65535) {
		err_set(err_r, ERR_INVALID,
			"port %d is not between 0 and 65535 (0: any)", port);
		return NULL;
	}
	server = xcalloc(1, sizeof(*server));
	server->fn = fn;
	server->arg = arg;
	server->port = port;
	LIST_INIT(&server->requests);
	listener = listen_on(loop, &server->port);
	if (!listener) {
		err_set(err_r, ERR_IO, "cannot listen on 127.0.0.1 port %d: %s",
			port, strerror(errno));
		free(server);
		return NULL;
	}
	server->evhttp = evhttp_new(loop_base(loop));
	if (!server->evhttp || !evhttp_bind_listener(server->evhttp, listener))
		abort(); /* memory */
	evhttp_set_allowed_methods(server->evhttp, METHODS);
	evhttp_set_max_body_size(server->evhttp, SERVER_BODY_MAX);
	evhttp_set_max_headers_size(server->evhttp, SERVER_HEADERS_MAX);
	evhttp_set_default_content_type(server->evhttp, NULL);
	evhttp_set_timeout(server->evhttp, PEER_TIMEOUT_S);
	evhttp_set_gencb(server->evhttp, on_request, server);
	return server;
}

void server_free(struct server **server)
{
	struct server_request *request;

	if (!*server)
		return;
	/* The owner of a request may still read it; it is freed with the
	 * answer, which is then dropped. */
	while ((request = LIST_FIRST(&(*server)->requests))) {
		LIST_REMOVE(request, link);
		request->orphaned = true;
		evhttp_request_own(request->request);
	}
	evhttp_free((*server)->evhttp);
	free(*server);
	*server = NULL;
}

/* A TCP reset now. A close alone would be preceded by a FIN, because evhttp
 * shuts the socket down first, and the peer would see an orderly end. */
static void connection_abort(struct evhttp_connection *connection)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);
	struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	(void)connect(bufferevent_getfd(bev), &nobody, sizeof(nobody));
}

int server_port(const struct server *server)
{
	return server->port;
}

const char *request_method(const struct server_request *request)
{
	return method_name(evhttp_request_get_command(request->request));
}

const char *request_path(const struct server_request *request)
{
	return request->path;
}

const char *request_target(const struct server_request *request)
{
	const char *target = evhttp_request_get_uri(request->request);

	return target ? target : "";
}

const char *request_query(struct server_request *request, const char *name)
{
	const struct evhttp_uri *uri =
		evhttp_request_get_evhttp_uri(request->request);
	const char *query = uri ? evhttp_uri_get_query(uri) : NULL;

	if (!request->query_parsed) {
		/* A query that cannot be parsed counts as empty. */
		if (evhttp_parse_query_str(query ? query : "", &request->query))
			TAILQ_INIT(&request->query);
		request->query_parsed = true;
	}
	return evhttp_find_header(&request->query, name);
}

const char *request_header(
	const struct server_request *request, const char *name)
{
	return evhttp_find_header(
		evhttp_request_get_input_headers(request->request), name);
}

const char *request_body(struct server_request *request, size_t *len_r)
{
	struct evbuffer *buffer =
		evhttp_request_get_input_buffer(request->request);

	if (!request->body) {
		request->body_len = evbuffer_get_length(buffer);
		evbuffer_add(buffer, "", 1); /* so that it is a string */
		request->body = (const char *)evbuffer_pullup(buffer, -1);
		if (!request->body)
			abort(); /* memory */
	}
	*len_r = request->body_len;
	return request->body;
}

void request_set_header(
	struct server_request *request, const char *name, const char *value)
{
	/* A value with a line break in it is refused by libevent: dropped. */
	evhttp_add_header(evhttp_request_get_output_headers(request->request),
		name, value);
}

/* libevent would send the body of an answer to HEAD. */
static void body_add(
	struct evhttp_request *request, const void *body, size_t len)
{
	char text[24];

	if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD) {
		snprintf(text, sizeof(text), "%zu", len);
		evhttp_add_header(evhttp_request_get_output_headers(request),
			"Content-Length", text);
	} else if (evbuffer_add(evhttp_request_get_output_buffer(request), body,
			   len)) {
		abort(); /* memory */
	}
}

void request_answer(struct server_request *request, int status,
	const char *content_type, const void *body, size_t len)
{
	struct evhttp_request *evrequest = request->request;
	bool orphaned = request->orphaned;

	if (content_type)
		request_set_header(request, "Content-Type", content_type);
	request_free(request);
	if (orphaned) {
		evhttp_request_free(evrequest);
		return;
	}
	if (len)
		body_add(evrequest, body, len);
	/* Without a connection, because the peer left, this only frees. */
	evhttp_send_reply(evrequest, status, NULL, NULL);
}

void request_reset(struct server_request *request)
{
	struct evhttp_request *evrequest = request->request;
	struct evhttp_connection *connection =
		evhttp_request_get_connection(evrequest);
	bool orphaned = request->orphaned;

	request_free(request);
	if (orphaned || !connection) {
		evhttp_request_free(evrequest);
		return;
	}
	connection_abort(connection);
	evhttp_connection_free(connection); /* and its request */
}
