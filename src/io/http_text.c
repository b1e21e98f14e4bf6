/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of HTTP that need no library; see http_text.h and http.h. */
#define _GNU_SOURCE /* strptime */

#include "io/http_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/xalloc.h"
#include "io/http.h"

#define METHOD_MAX 20
#define DIGITS_MAX 12 /* of Retry-After */

/* RFC 9110: the characters of a token. */
static bool is_token(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++) {
		if (!isalnum((unsigned char)*s) &&
			!strchr("!#$%&'*+-.^_`|~", *s))
			return false;
	}
	return true;
}

/* A field value: no control character but the tab. */
static bool is_value(const char *s)
{
	for (; *s; s++) {
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return false;
	}
	return true;
}

static bool is_secret_value(const struct secret *secret)
{
	const char *value = secret_reveal(secret);

	return strlen(value) == secret_len(secret) && is_value(value);
}

/* libcurl frames the message; a second opinion would desynchronise it. */
static bool is_framing(const char *name)
{
	return !strcasecmp(name, "Content-Length") ||
	       !strcasecmp(name, "Transfer-Encoding") ||
	       !strcasecmp(name, "Connection") || !strcasecmp(name, "Expect");
}

static int headers_check(const struct http_request *request, struct err *err_r)
{
	size_t i, total = 0;

	for (i = 0; i < request->n_headers; i++) {
		const struct http_header *h = &request->headers[i];

		if (!is_token(h->name))
			return err_set(err_r, ERR_INVALID,
				"header %zu has a name that is not a token",
				i + 1);
		if (is_framing(h->name))
			return err_set(err_r, ERR_INVALID,
				"header \"%.40s\" is not to be set: it follows "
				"from the body",
				h->name);
		if (!is_value(h->value))
			return err_set(err_r, ERR_INVALID,
				"header \"%.40s\" has a line break or another "
				"control character in its value",
				h->name);
		total += strlen(h->name) + strlen(h->value) + 4;
	}
	if (total > HTTP_HEADERS_MAX)
		return err_set(err_r, ERR_LIMIT,
			"the headers have %zu bytes, at most %d are sent",
			total, HTTP_HEADERS_MAX);
	return 0;
}

int http_request_check(const struct http_request *request, struct err *err_r)
{
	const char *method = request->method, *user = request->username;

	if (method && (!is_token(method) || strlen(method) > METHOD_MAX))
		return err_set(err_r, ERR_INVALID,
			"\"%.20s\" is not an HTTP method", method);
	if (request->content_type && !is_value(request->content_type))
		return err_set(err_r, ERR_INVALID,
			"the content type has a control character in it");
	if (request->bearer && !is_secret_value(request->bearer))
		return err_set(err_r, ERR_INVALID,
			"the bearer token has a line break or another control "
			"character in it");
	if (user && (!is_value(user) || strchr(user, ':')))
		return err_set(err_r, ERR_INVALID,
			"the user name has a colon or a control character in "
			"it");
	if (request->password && !is_secret_value(request->password))
		return err_set(err_r, ERR_INVALID,
			"the password has a control character in it");
	return headers_check(request, err_r);
}

int64_t http_date_parse(const char *value)
{
	struct tm tm = {0};
	const char *end =
		value ? strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &tm)
		      : NULL;

	return end && !*end ? (int64_t)timegm(&tm) * 1000 : 0;
}

int64_t http_retry_after_parse(const char *value, int64_t now_ms)
{
	int64_t ms = 0;
	size_t digits;

	if (!value)
		return 0;
	digits = strspn(value, "0123456789");
	if (digits && !value[digits]) {
		if (digits > DIGITS_MAX)
			return RETRY_AFTER_MS_MAX;
		for (; *value; value++)
			ms = ms * 10 + (*value - '0');
		ms *= 1000;
	} else {
		ms = http_date_parse(value) - now_ms;
	}
	if (ms < 0)
		return 0;
	return ms < RETRY_AFTER_MS_MAX ? ms : RETRY_AFTER_MS_MAX;
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

char *http_escape(const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	char *escaped = xcalloc(3, strlen(text) + 1), *to = escaped;

	for (; *text; text++) {
		if (is_unreserved(*text)) {
			*to++ = *text;
			continue;
		}
		*to++ = '%';
		*to++ = digits[(unsigned char)*text >> 4];
		*to++ = digits[(unsigned char)*text & 15];
	}
	return escaped;
}
