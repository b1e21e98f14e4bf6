/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client over TLS, against openssl's own server. */
#define _GNU_SOURCE /* strcasestr */

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "io/http.h"
#include "io/loop.h"

#define DEADLINE_MS 60000

static char folder[] = "/tmp/http_tls_test.XXXXXX";
static char cert[64], key[64];

struct world {
	struct loop *loop;
	struct http *http;
	struct timer *deadline;
	pid_t server;
	int port;
	int n_resumed; /* sessions, as the server saw it */
	int status;
	enum err_code code;
	bool maybe_sent;
	struct buf body, text;
};

/* Runs openssl with its output in a pipe; returns the pipe. */
static int openssl_start(const char *const *argv, pid_t *pid_r)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	*pid_r = fork();
	if (*pid_r == 0) {
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		close(ends[0]);
		execvp("openssl", (char *const *)argv);
		_exit(127);
	}
	close(ends[1]);
	return ends[0];
}

static int make_certificate(void **state)
{
	const char *const argv[] = {"openssl", "req", "-x509", "-newkey", "ec",
		"-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
		"2", "-subj", "/CN=test", "-addext",
		"subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert,
		NULL};
	pid_t pid;
	int fd, status;

	if (!mkdtemp(folder))
		return -1;
	snprintf(cert, sizeof(cert), "%s/cert", folder);
	snprintf(key, sizeof(key), "%s/key", folder);
	fd = openssl_start(argv, &pid);
	waitpid(pid, &status, 0);
	close(fd);
	return status;
}

static int remove_certificate(void **state)
{
	unlink(cert);
	unlink(key);
	return rmdir(folder);
}

/* "ACCEPT 127.0.0.1:43210": the kernel chose. */
static int port_read(int fd)
{
	char text[4096] = "", *at;
	size_t len = 0;
	ssize_t n;

	while (len + 1 < sizeof(text)) {
		n = read(fd, text + len, sizeof(text) - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
		at = strstr(text, "ACCEPT 127.0.0.1:");
		if (at && strchr(at, '\n'))
			return atoi(at + strlen("ACCEPT 127.0.0.1:"));
	}
	fail_msg("openssl s_server does not listen: %s", text);
	return 0;
}

static void on_deadline(void *arg)
{
	fail_msg("no reply within %d ms", DEADLINE_MS);
}

static void world_init(struct world *w, const char *option)
{
	const char *const argv[] = {"openssl", "s_server", "-accept",
		"127.0.0.1:0", "-cert", cert, "-key", key, "-www", "-CAfile",
		cert, option, option ? "1" : NULL, NULL};
	struct err err;
	int fd;

	*w = (struct world){0};
	fd = openssl_start(argv, &w->server);
	w->port = port_read(fd);
	close(fd);
	buf_init(&w->body, 1 << 20);
	buf_init(&w->text, ERR_TEXT_MAX);
	w->loop = loop_new(&err);
	w->http = http_new(w->loop, &err);
	w->deadline = timer_start(w->loop, DEADLINE_MS, on_deadline, w);
}

static void world_fini(struct world *w)
{
	timer_cancel(&w->deadline);
	http_free(&w->http);
	loop_free(&w->loop);
	buf_fini(&w->body);
	buf_fini(&w->text);
	kill(w->server, SIGKILL);
	waitpid(w->server, NULL, 0);
}

static void on_reply(const struct http_reply *reply, void *arg)
{
	struct world *w = arg;

	w->status = reply->status;
	w->maybe_sent = reply->maybe_sent;
	w->code = reply->err ? reply->err->code : ERR_NONE;
	buf_clear(&w->body);
	buf_add(&w->body, reply->body, reply->body_len);
	buf_clear(&w->text);
	buf_adds(&w->text, reply->err ? reply->err->text : "");
	w->n_resumed += strstr(w->body.data, "Reused, TLSv1.") != NULL;
	loop_stop(w->loop);
}

static void begin(struct world *w, const char *host, int port,
	struct http_request request)
{
	char url[128];

	snprintf(url, sizeof(url), "https://%s:%d/?token=pw", host, port);
	request.url = url;
	/* Of a busy machine nothing is given up: the deadline is ours. */
	request.timeout_ms = 10 * DEADLINE_MS;
	request.connect_timeout_ms = 10 * DEADLINE_MS;
	http_start(w->http, &request, on_reply, w);
}

static void ask(struct world *w, const char *host, struct http_request request)
{
	struct err err;

	begin(w, host, w->port, request);
	assert_int_equal(loop_run(w->loop, &err), 0);
}

static void expect_no_trust(struct world *w, const char *text)
{
	assert_int_equal(w->status, 0);
	assert_int_equal(w->code, ERR_UNAVAILABLE);
	assert_false(w->maybe_sent);
	if (!strcasestr(w->text.data, text))
		fail_msg("\"%s\" is not in \"%s\"", text, w->text.data);
	assert_null(strstr(w->text.data, "pw"));
}

static void a_certificate_nobody_vouches_for_is_refused(void **state)
{
	struct world w;

	world_init(&w, NULL);
	ask(&w, "127.0.0.1", (struct http_request){0});
	expect_no_trust(&w, "certificate");
	world_fini(&w);
}

static void a_certificate_for_another_name_is_refused(void **state)
{
	struct world w;

	world_init(&w, NULL);
	ask(&w, "localhost", (struct http_request){.ca_file = cert});
	expect_no_trust(&w, "localhost");
	world_fini(&w);
}

/* A port that accepts and says nothing. */
static int silent_listen(int *port_r)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(
		bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	getsockname(fd, (struct sockaddr *)&address, &len);
	*port_r = ntohs(address.sin_port);
	return fd;
}

static void with_its_authority_it_is_accepted_and_resumed(void **state)
{
	const struct http_request request = {.ca_file = cert};
	struct world w;
	int fd, port;

	world_init(&w, NULL);
	ask(&w, "127.0.0.1", request);
	assert_int_equal(w.status, 200);
	assert_int_equal(w.n_resumed, 0);
	/* This server closes after each answer: the session is what is kept,
	 * also for a request that runs beside the one that comes next. */
	fd = silent_listen(&port);
	begin(&w, "127.0.0.1", port, request);
	ask(&w, "127.0.0.1", request);
	assert_int_equal(w.status, 200);
	assert_int_equal(w.n_resumed, 1);
	/* What one request trusts, another does not. */
	ask(&w, "127.0.0.1", (struct http_request){0});
	expect_no_trust(&w, "certificate");
	close(fd);
	world_fini(&w);
}

static void a_client_certificate_is_shown_when_asked_for(void **state)
{
	struct http_request request = {.ca_file = cert};
	struct world w;

	world_init(&w, "-Verify");
	ask(&w, "127.0.0.1", request);
	assert_int_equal(w.status, 0);
	request.cert_file = cert;
	request.key_file = key;
	ask(&w, "127.0.0.1", request);
	assert_int_equal(w.status, 200);
	assert_non_null(strstr(w.body.data, "Client certificate"));
	world_fini(&w);
}

static void files_that_are_missing_are_our_own_fault(void **state)
{
	struct world w;

	world_init(&w, NULL);
	ask(&w, "127.0.0.1", (struct http_request){.ca_file = "/no/ca"});
	assert_int_equal(w.code, ERR_INVALID);
	assert_non_null(strstr(w.text.data, "/no/ca"));
	ask(&w, "127.0.0.1",
		(struct http_request){.ca_file = cert, .cert_file = "/no/c"});
	assert_int_equal(w.code, ERR_INVALID);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_nobody_vouches_for_is_refused),
		cmocka_unit_test(a_certificate_for_another_name_is_refused),
		cmocka_unit_test(with_its_authority_it_is_accepted_and_resumed),
		cmocka_unit_test(a_client_certificate_is_shown_when_asked_for),
		cmocka_unit_test(files_that_are_missing_are_our_own_fault),
	};

	return cmocka_run_group_tests(
		tests, make_certificate, remove_certificate);
}
