/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server writes into its buffers: the head of every answer with the
 * headers that all have, and problems by RFC 9457. When that leaves is
 * server_connection.c's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/http_status.h"
#include "base/jsonw.h"
#include "io/loop.h"
#include "io/server_parts.h"

/* Pages of ours have no foreign asset and no inline script or style; whoever
 * frames, embeds or sniffs them gets nothing. Chromium would send `Origin: null`
 * with our own forms if the referrer policy were stricter. */
static const struct request_field common[] = {
	{"Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; "
		"img-src 'self'; connect-src 'self'; form-action 'self'; "
		"base-uri 'none'; frame-ancestors 'none'; "
		"require-trusted-types-for 'script'; trusted-types 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "same-origin"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), geolocation=(), microphone=(), "
			       "payment=(), usb=()"},
	{"Cache-Control", "no-store"},
};

/* Whether the lines have a header of that name. */
static bool lines_have(const char *lines, const char *name)
{
	size_t len = strlen(name);

	for (; *lines; lines = strchr(lines, '\n') + 1)
		if (strncasecmp(lines, name, len) == 0 && lines[len] == ':')
			return true;
	return false;
}

static void date_add(struct buf *out, const struct server *server)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = (time_t)(loop_wall_ms(server->loop) / 1000);
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		return;
	buf_addf(out, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
		days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
		tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The headers that every answer has, but for those in `own`. */
static void headers_add(
	struct buf *out, const struct server *server, const char *own)
{
	if (!lines_have(own, "Date"))
		date_add(out, server);
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (server->has_headers && !lines_have(own, common[i].name))
			buf_addf(out, "%s: %s\r\n", common[i].name,
				common[i].value);
}

static void status_add(struct buf *out, int status)
{
	buf_addf(out, "HTTP/1.1 %d %s\r\n", status, http_status_reason(status));
}

void answer_head(struct server_request *request, int status,
	const char *content_type, int64_t len)
{
	struct connection *connection = request->connection;
	struct server *server = connection->server;
	struct buf *out = &connection->out;

	status_add(out, status);
	if (content_type)
		buf_addf(out, "Content-Type: %s\r\n", content_type);
	if (len == ANSWER_CHUNKED)
		buf_adds(out, "Transfer-Encoding: chunked\r\n");
	else if (len >= 0 && status != 204 && status != 304)
		buf_addf(out, "Content-Length: %" PRId64 "\r\n", len);
	if (connection->closes)
		buf_adds(out, "Connection: close\r\n");
	buf_add(out, request->headers.data, request->headers.len);
	headers_add(out, server, request->headers.data);
	buf_adds(out, "\r\n");
	if (status >= 100 && status < 600)
		server->counts.answers[status / 100]++;
}

void problem_print(
	struct buf *out, int status, const char *code, const char *detail)
{
	struct jsonw json = {.out = out};

	jsonw_object(&json, NULL);
	jsonw_text(&json, "type", "about:blank");
	jsonw_text(&json, "title", http_status_reason(status));
	jsonw_int(&json, "status", status);
	jsonw_text(&json, "code", code);
	if (detail)
		jsonw_text(&json, "detail", detail);
	jsonw_end(&json, '}');
	buf_adds(out, "\n");
}

void refusal_print(struct buf *out, const struct server *server,
	enum gate_refusal refusal, bool with_body)
{
	const struct gate_row *row = gate_row(refusal);
	struct buf body;

	buf_init(&body, PROBLEM_MAX);
	problem_print(&body, row->status, row->code, row->instead);
	status_add(out, row->status);
	buf_addf(out,
		"Content-Type: " PROBLEM_TYPE "\r\n"
		"Content-Length: %zu\r\n"
		"Connection: close\r\n",
		body.len);
	if (row->status == 405)
		buf_adds(out, "Allow: GET, HEAD, POST\r\n");
	if (row->status == 503)
		buf_adds(out, "Retry-After: 5\r\n");
	headers_add(out, server, "");
	buf_adds(out, "\r\n");
	if (with_body)
		buf_add(out, body.data, body.len);
	buf_fini(&body);
}
