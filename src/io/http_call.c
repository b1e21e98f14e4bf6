/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP call and libcurl's options for it; see http_call.h. */
#include "io/http_call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/duration.h"
#include "base/secret.h"
#include "base/xalloc.h"
#include "config.h"
#include "io/http_text.h"
#include "io/http_url.h"

#define TIMEOUT_MS_DEFAULT         30000
#define CONNECT_TIMEOUT_MS_DEFAULT 5000

#define SET(easy, option, value) \
	must_set(curl_easy_setopt(easy, CURLOPT_##option, value))

/* An option fails for lack of memory, or because libcurl was built without
 * it; configure asks for one that has them all. */
static void must_set(CURLcode rc)
{
	if (rc)
		abort();
}

/* ---- Made and freed. ---- */

static struct curl_slist *header_add(struct curl_slist *list, const char *name,
	const char *sep, const char *value)
{
	size_t len = strlen(name) + strlen(sep) + strlen(value);
	char *line = xcalloc(1, len + 1);

	stpcpy(stpcpy(stpcpy(line, name), sep), value);
	list = curl_slist_append(list, line);
	if (!list)
		abort(); /* memory */
	explicit_bzero(line, len); /* it may be a token */
	free(line);
	return list;
}

static struct curl_slist *headers_make(const struct http_request *r)
{
	/* No "Expect: 100-continue": it costs a round trip. */
	struct curl_slist *list = header_add(NULL, "Expect", ":", "");
	size_t i;

	/* "Name;" is libcurl's way to say an empty value. */
	for (i = 0; i < r->n_headers; i++)
		list = header_add(list, r->headers[i].name,
			*r->headers[i].value ? ": " : ";", r->headers[i].value);
	if (r->bearer)
		list = header_add(list, "Authorization", ": Bearer ",
			secret_reveal(r->bearer));
	if (r->content_type)
		list = header_add(list, "Content-Type", ": ", r->content_type);
	return list;
}

static void headers_free(struct curl_slist *list)
{
	struct curl_slist *h;

	for (h = list; h; h = h->next)
		explicit_bzero(h->data, strlen(h->data)); /* tokens */
	curl_slist_free_all(list);
}

static const char *method_of(const struct http_request *r)
{
	if (r->method)
		return r->method;
	return r->body ? "POST" : "GET";
}

static void request_copy(struct http_call *call, const struct http_request *r)
{
	struct http_request *copy = &call->request;
	struct arena *arena = &call->arena;

	*copy = *r;
	copy->url = NULL; /* in call->url */
	copy->headers = NULL; /* in call->headers, with the token */
	copy->bearer = copy->password = NULL;
	copy->content_type = NULL;
	copy->method = arena_strdup(arena, method_of(r));
	copy->username = arena_strdup(arena, r->username);
	copy->ca_file = arena_strdup(arena, r->ca_file);
	copy->cert_file = arena_strdup(arena, r->cert_file);
	copy->key_file = arena_strdup(arena, r->key_file);
	copy->unix_socket = arena_strdup(arena, r->unix_socket);
	if (r->body)
		copy->body = arena_strndup(arena, r->body, r->body_len);
	if (copy->timeout_ms <= 0)
		copy->timeout_ms = TIMEOUT_MS_DEFAULT;
	if (copy->connect_timeout_ms <= 0)
		copy->connect_timeout_ms = CONNECT_TIMEOUT_MS_DEFAULT;
	if (!copy->body_max)
		copy->body_max = HTTP_BODY_MAX_DEFAULT;
	if (r->password)
		call->password = xstrdup(secret_reveal(r->password));
	call->headers = headers_make(r);
}

static struct err *call_err(struct http_call *call)
{
	if (!call->err)
		call->err = arena_alloc(&call->arena, sizeof(*call->err));
	return call->err;
}

static int url_take(
	struct http_call *call, const struct http_request *r, struct err *err_r)
{
	struct origin o;

	if (origin_init(&o, r->url, r->plain_ok, err_r))
		return -1;
	if (r->unix_socket)
		snprintf(call->origin, sizeof(call->origin), "unix:%s",
			r->unix_socket);
	else
		snprintf(call->origin, sizeof(call->origin), "%s://%s:%s",
			o.scheme, o.host, o.port);
	call->direct = r->no_proxy || o.plain || o.loopback;
	call->url = o.url;
	o.url = NULL;
	origin_fini(&o);
	return 0;
}

struct http_call *call_new(const struct http_request *request)
{
	struct http_call *call = xcalloc(1, sizeof(*call));
	struct err err;

	arena_init(&call->arena);
	assert(!request->secret || request->body_max);
	if (request->secret)
		buf_init_secret(&call->body, request->body_max);
	else
		buf_init(&call->body, request->body_max
					      ? request->body_max
					      : HTTP_BODY_MAX_DEFAULT);
	if (http_request_check(request, &err) || url_take(call, request, &err))
		*call_err(call) = err;
	else
		request_copy(call, request);
	return call;
}

void call_free(struct http_call *call)
{
	curl_url_cleanup(call->url);
	headers_free(call->headers);
	if (call->password)
		explicit_bzero(call->password, strlen(call->password));
	free(call->password);
	if (call->request.secret && call->request.body)
		explicit_bzero(
			(char *)call->request.body, call->request.body_len);
	if (call->request.secret)
		buf_wipe(&call->body);
	buf_fini(&call->body);
	arena_fini(&call->arena);
	free(call);
}

/* ---- Under way: libcurl's callbacks only record. ---- */

static size_t on_body(char *bytes, size_t one, size_t len, void *arg)
{
	struct http_call *call = arg;
	long status = 0;

	if (call->request.part)
		curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		call->body.overflow =
			!call->request.part(bytes, len, call->arg);
	else
		buf_add(&call->body, bytes, len);
	return call->body.overflow ? CURL_WRITEFUNC_ERROR : len;
}

static size_t on_header(char *bytes, size_t one, size_t len, void *arg)
{
	struct http_call *call = arg;

	call->headers_len += len;
	call->headers_overflow = call->headers_len > HTTP_HEADERS_MAX;
	return call->headers_overflow ? CURL_WRITEFUNC_ERROR : len;
}

static bool may_repeat(const struct http_request *r)
{
	return r->repeatable || (strcasecmp(r->method, "POST") &&
					strcasecmp(r->method, "PATCH"));
}

/* There is a connection; the request leaves now. libcurl comes here again when
 * a kept connection was closed under it: nobody knows what arrived then. */
static int on_sending(
	void *arg, char *peer, char *local, int peer_port, int local_port)
{
	struct http_call *call = arg;

	if (call->sent && !may_repeat(&call->request))
		return CURL_PREREQFUNC_ABORT;
	call->sent = true;
	return CURL_PREREQFUNC_OK;
}

static void setup_method(const struct http_call *call, CURL *easy)
{
	const struct http_request *r = &call->request;
	bool wants_length = !strcmp(r->method, "POST") ||
			    !strcmp(r->method, "PUT") ||
			    !strcmp(r->method, "PATCH");

	if (r->body || wants_length) {
		SET(easy, POSTFIELDSIZE_LARGE,
			(curl_off_t)(r->body ? r->body_len : 0));
		SET(easy, POSTFIELDS, r->body ? r->body : "");
		SET(easy, CUSTOMREQUEST, r->method);
	} else if (!strcmp(r->method, "HEAD")) {
		SET(easy, NOBODY, 1L);
	} else if (strcmp(r->method, "GET")) {
		SET(easy, CUSTOMREQUEST, r->method);
	}
}

static void setup_tls(const struct http_request *r, CURL *easy)
{
	SET(easy, SSL_VERIFYPEER, 1L);
	SET(easy, SSL_VERIFYHOST, 2L);
	SET(easy, SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (r->ca_file)
		SET(easy, CAINFO, r->ca_file);
	if (r->cert_file)
		SET(easy, SSLCERT, r->cert_file);
	if (r->key_file)
		SET(easy, SSLKEY, r->key_file);
}

static void setup_transport(const struct http_call *call, CURL *easy)
{
	const struct http_request *r = &call->request;

	SET(easy, PROTOCOLS_STR, "http,https");
	/* One request at a time on a connection: a reset then concerns
	 * exactly one request, of which we know what was sent. */
	SET(easy, HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(easy, FOLLOWLOCATION, 0L);
	SET(easy, NETRC, (long)CURL_NETRC_IGNORED);
	SET(easy, NOSIGNAL, 1L);
	SET(easy, TCP_NODELAY, 1L);
	SET(easy, TCP_KEEPALIVE, 1L);
	SET(easy, SUPPRESS_CONNECT_HEADERS, 1L);
	/* Names are looked up in a thread. Without this, a call that ends
	 * before the lookup would wait for it, and everybody with it. */
	SET(easy, QUICK_EXIT, 1L);
	SET(easy, CONNECTTIMEOUT_MS, (long)r->connect_timeout_ms);
	if (call->direct)
		SET(easy, PROXY, "");
	if (r->unix_socket)
		SET(easy, UNIX_SOCKET_PATH, r->unix_socket);
	if (r->username || call->password) {
		SET(easy, HTTPAUTH, CURLAUTH_BASIC);
		SET(easy, USERNAME, r->username ? r->username : "");
		SET(easy, PASSWORD, call->password ? call->password : "");
	}
}

void call_setup(struct http_call *call, CURL *easy, CURLSH *share)
{
	call->easy = easy;
	SET(easy, PRIVATE, call);
	SET(easy, SHARE, share);
	SET(easy, CURLU, call->url);
	SET(easy, HTTPHEADER, call->headers);
	SET(easy, USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	SET(easy, ERRORBUFFER, call->curl_text);
	SET(easy, WRITEFUNCTION, on_body);
	SET(easy, WRITEDATA, call);
	SET(easy, HEADERFUNCTION, on_header);
	SET(easy, HEADERDATA, call);
	SET(easy, PREREQFUNCTION, on_sending);
	SET(easy, PREREQDATA, call);
	if (!call->request.part)
		SET(easy, MAXFILESIZE_LARGE,
			(curl_off_t)call->request.body_max);
	setup_transport(call, easy);
	setup_tls(&call->request, easy);
	setup_method(call, easy);
}

/* ---- Over. ---- */

static enum err_code err_code_of(const struct http_call *call, CURLcode code)
{
	if (call->body.overflow || call->headers_overflow)
		return ERR_LIMIT;
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_TIMEOUT;
	case CURLE_FILESIZE_EXCEEDED:
		return ERR_LIMIT;
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_URL_MALFORMAT:
		return ERR_INVALID;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, or no HTTP at all */
		return ERR_PROTOCOL;
	default:
		return ERR_UNAVAILABLE;
	}
}

static void err_timeout(struct http_call *call, struct err *err)
{
	char text[DURATION_TEXT_MAX];
	bool connecting = !call->sent && call->request.connect_timeout_ms <
						 call->request.timeout_ms;

	duration_print(connecting ? call->request.connect_timeout_ms
				  : call->request.timeout_ms,
		text);
	err_set(err, ERR_TIMEOUT, "%s from %s within %s",
		connecting ? "no connection" : "no answer", call->origin, text);
}

static void err_limit(struct http_call *call, struct err *err)
{
	if (call->headers_overflow)
		err_set(err, ERR_LIMIT,
			"%s: the headers of the answer are larger than %d "
			"bytes",
			call->origin, HTTP_HEADERS_MAX);
	else
		err_set(err, ERR_LIMIT,
			"%s: the answer is larger than %zu bytes", call->origin,
			call->request.body_max);
}

static void err_connect(struct http_call *call, struct err *err)
{
	long os_errno = 0;

	curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_errno);
	err_set(err, ERR_UNAVAILABLE, "cannot connect to %s: %s", call->origin,
		os_errno ? strerror((int)os_errno) : "no address answers");
}

static void err_make(struct http_call *call, CURLcode code)
{
	struct err *err = call_err(call);
	enum err_code as = err_code_of(call, code);
	const char *text = call->curl_text;

	if (as == ERR_TIMEOUT)
		err_timeout(call, err);
	else if (as == ERR_LIMIT)
		err_limit(call, err);
	else if (code == CURLE_COULDNT_CONNECT)
		err_connect(call, err);
	else if (code == CURLE_ABORTED_BY_CALLBACK)
		err_set(err, as,
			"%s closed the connection before it answered; the "
			"request may have arrived",
			call->origin);
	else
		err_set(err, as, "%s: %s", call->origin,
			*text ? text : curl_easy_strerror(code));
	redact_text(err->text, sizeof(err->text));
}

void call_result(struct http_call *call, CURLcode code)
{
	curl_off_t us = 0;
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_TOTAL_TIME_T, &us);
	call->latency_us = us;
	if (code) {
		err_make(call, code);
		return;
	}
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	call->status = (int)status;
}

void call_waited_too_long(struct http_call *call)
{
	char text[DURATION_TEXT_MAX];

	err_set(call_err(call), ERR_TIMEOUT,
		"no connection to %s became free within %s: all of them are "
		"waiting for answers",
		call->origin, duration_print(call->request.timeout_ms, text));
}
