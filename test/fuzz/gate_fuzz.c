/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw bytes on a connection of the server: the first byte says how many of the
 * rest arrive at once. Whatever comes, it answers in HTTP, what it serves is
 * what the gate promises, and its books are empty afterwards.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/utf8.h"
#include "io/loop.h"
#include "io/server.h"

#define ANSWERS_MAX (64 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void stop(void *arg)
{
	loop_stop(arg);
}

static void turn(struct loop *loop)
{
	struct err err;

	timer_start(loop, 0, stop, loop);
	if (loop_run(loop, &err))
		abort();
}

static void is_text(const char *text)
{
	uint32_t c;

	while (*text) {
		size_t n = utf8_decode(text, &c);

		assert(n && (c >= ' ' || c == '\n' || c == '\t' || c == '\r'));
		text += n;
	}
}

static void serve(struct server_request *request, void *arg)
{
	const char *path = request_path(request), *q;
	struct server_stream *stream;
	size_t len;

	(void)arg;
	assert(*path == '/' && !strstr(path, "//") && !strstr(path, "/../"));
	is_text(path);
	assert(strlen(request_target(request)) < GATE_LINE_MAX);
	q = request_query(request, "q");
	if (q)
		is_text(q);
	assert(request_body(request, &len) && len <= GATE_BODY_MAX);
	assert(len == 0 || strcmp(request_method(request), "POST") == 0);
	assert(request_header(request, "Host"));
	assert(!request_header(request, "Transfer-Encoding"));
	if (strcmp(path, "/stream") != 0) {
		request_answer(request, 200, "text/plain", "ok", 2);
		return;
	}
	stream = request_stream(request, 200, "text/event-stream", NULL, NULL);
	if (stream && server_stream_send(stream, "data: 1\n\n", 9))
		server_stream_end(stream);
}

static int connect_to(const struct server *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)server_port(server))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert(!connect(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

/* true: it is over. */
static bool look(int fd, struct buf *got)
{
	char bytes[65536];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		buf_add(got, bytes, (size_t)n);
	return n == 0;
}

static void say(struct loop *loop, int fd, const uint8_t *data, size_t size)
{
	size_t piece = size ? (size_t)data[0] * data[0] + 1 : 1;

	for (size_t at = 1; at < size; at += piece) {
		size_t len = size - at < piece ? size - at : piece;

		(void)!send(fd, data + at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		turn(loop);
	}
	shutdown(fd, SHUT_WR);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct server_options options = {.address = "127.0.0.1:0"};
	static struct loop *loop;
	static struct server *server;
	struct buf got;
	struct err err;
	int fd;

	if (!loop) {
		log_set_sink(NULL, NULL);
		loop = loop_new(&err);
		server = server_listen(loop, &options, serve, NULL, &err);
		if (!server)
			abort();
	}
	fd = connect_to(server);
	buf_init(&got, ANSWERS_MAX);
	turn(loop);
	say(loop, fd, data, size);
	while (!look(fd, &got))
		turn(loop);
	assert(!got.len || !strncmp(got.data, "HTTP/1.1 ", 9));
	close(fd);
	while (server_counts(server)->connections)
		turn(loop);
	assert(!server_counts(server)->unsent);
	assert(!server_counts(server)->streams);
	buf_fini(&got);
	return 0;
}
