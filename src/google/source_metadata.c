/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata server of Compute Engine, GKE, Cloud Run and Cloud Build. Plain
 * http on a link of the machine's own, never through a proxy; who does not
 * send Metadata-Flavor: Google back is somebody else.
 *
 * Where nobody said that there is one, it is asked once whether it is there,
 * for PING_MS at most: elsewhere every run would hang.
 */
#include "google/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "google/credentials.h"
#include "google/key_codec.h"

#define PING_MS            1000
#define CONNECT_TIMEOUT_MS 1000
#define HOST_MAX           256
#define FLAVOR             "Metadata-Flavor"

struct metadata {
	struct source head;
	char *host;
	bool seen; /* it has answered */
};

static void metadata_start(struct fetch *fetch);
static void metadata_pinged(
	const struct http_reply *reply, const struct err *err, void *arg);
static void metadata_ask(struct fetch *fetch);
static void metadata_answered(
	const struct http_reply *reply, const struct err *err, void *arg);
static void metadata_token_read(
	struct fetch *fetch, const struct http_reply *reply);
static void metadata_id_read(
	struct fetch *fetch, const struct http_reply *reply);
static void metadata_fail(struct fetch *fetch, const struct err *cause);

static struct metadata *metadata_of(struct fetch *fetch)
{
	return (struct metadata *)fetch->source;
}

static void metadata_get(struct fetch *fetch, char *path, int64_t timeout_ms,
	retry_request_fn fn)
{
	static const struct http_header flavor = {FLAVOR, "Google"};
	char *url = xasprintf("http://%s/%s", metadata_of(fetch)->host, path);
	const struct http_request request = {
		.url = url,
		.headers = &flavor,
		.n_headers = 1,
		.timeout_ms = timeout_ms,
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.plain_ok = true,
		.no_proxy = true,
	};

	fetch_get(fetch, &request, fn);
	xfree(&url);
	xfree(&path);
}

static void metadata_start(struct fetch *fetch)
{
	struct metadata *metadata = metadata_of(fetch);

	if (metadata->head.is_guess && !metadata->seen)
		metadata_get(fetch, xstrdup(""), PING_MS, metadata_pinged);
	else
		metadata_ask(fetch);
}

/* It is there, or it is somebody else, or nobody. A proxy in front of it, such as
 * a pod's sidecar, answers for it while it cannot be reached: that passes. */
static bool metadata_is_seen(
	struct fetch *fetch, const struct http_reply *reply, struct err *err_r)
{
	const char *flavor = reply ? http_reply_header(reply, FLAVOR) : NULL;
	bool passes = err_is_retryable(err_r->code);

	if (!reply)
		return false;
	if (flavor && strcmp(flavor, "Google") == 0) {
		metadata_of(fetch)->seen = true;
		return true;
	}
	err_set(err_r, passes ? err_r->code : ERR_AUTH,
		"HTTP %d without the header " FLAVOR
		": Google: that is not the metadata server%s",
		reply->status, passes ? ", or a proxy in front of it" : "");
	return false;
}

static void metadata_pinged(
	const struct http_reply *reply, const struct err *err, void *arg)
{
	struct fetch *fetch = arg;
	struct err why = {0};

	fetch_answered(fetch);
	if (err)
		why = *err;
	if (metadata_is_seen(fetch, reply, &why))
		metadata_ask(fetch);
	else
		metadata_fail(fetch, &why);
}

static void metadata_ask(struct fetch *fetch)
{
	static const char account[] =
		"computeMetadata/v1/instance/service-accounts/default";
	char *audience, *path;

	if (fetch->audience) {
		audience = http_escape(fetch->audience);
		path = xasprintf("%s/identity?audience=%s&format=full", account,
			audience);
		free(audience);
	} else {
		path = xasprintf("%s/token?scopes=" GOOGLE_SCOPE, account);
	}
	metadata_get(fetch, path, 0, metadata_answered);
}

static void metadata_answered(
	const struct http_reply *reply, const struct err *err, void *arg)
{
	struct fetch *fetch = arg;
	struct err why = {0};

	fetch_answered(fetch);
	if (err)
		why = *err;
	if (!metadata_is_seen(fetch, reply, &why) || err)
		metadata_fail(fetch, &why);
	else if (fetch->audience)
		metadata_id_read(fetch, reply);
	else
		metadata_token_read(fetch, reply);
}

static void metadata_token_read(
	struct fetch *fetch, const struct http_reply *reply)
{
	struct secret *token;
	int64_t life_s;
	struct err err;

	if (token_decode(reply->body, reply->body_len, &token, &life_s, &err) <
		0)
		metadata_fail(fetch, &err);
	else
		fetch_succeed(fetch, token, life_s);
}

/* The JWT as plain text. */
static void metadata_id_read(
	struct fetch *fetch, const struct http_reply *reply)
{
	size_t len = reply->body_len;
	struct err err;

	while (len && strchr("\r\n ", reply->body[len - 1]))
		len--;
	if (token_is_valid(reply->body, len)) {
		fetch_succeed_id(fetch, secret_new(reply->body, len), reply);
		return;
	}
	err_set(&err, ERR_PROTOCOL, "its answer is not an ID token");
	metadata_fail(fetch, &err);
}

static void metadata_fail(struct fetch *fetch, const struct err *cause)
{
	const struct metadata *metadata = metadata_of(fetch);
	struct err err = *cause;

	if (metadata->head.is_guess && !metadata->seen) {
		source_not_found(&err, "there is no metadata server at %s (%s)",
			metadata->host, cause->text);
	} else if (!metadata->seen) {
		/* It was named, and may be there in a moment. */
		source_not_found(&err, "%s (%s) does not answer: %s",
			metadata->head.describe, metadata->head.origin,
			cause->text);
		err.code = cause->code;
	} else {
		if (err.code == ERR_NOT_FOUND || err.code == ERR_DENIED)
			err_set(&err, ERR_AUTH,
				"%s: no service account is bound to this "
				"machine, pod or job; bind one",
				cause->text);
		err_wrap(&err, "%s%s%s%s", metadata->head.describe,
			metadata->head.is_guess ? "" : " (",
			metadata->head.is_guess ? "" : metadata->head.origin,
			metadata->head.is_guess ? "" : ")");
	}
	fetch_fail(fetch, &err);
}

static void metadata_free(struct source *source)
{
	struct metadata *metadata = (struct metadata *)source;

	xfree(&metadata->host);
	free(metadata);
}

static const struct source_type source_metadata = {
	.name = "metadata server",
	.fetch_size = sizeof(struct fetch),
	.start = metadata_start,
	.free = metadata_free,
};

struct source *source_metadata_new(const struct retry_env *env,
	const char *host, bool is_guess, struct err *err_r)
{
	struct metadata *metadata;
	size_t len = strspn(host, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:[]");

	if (host[len] || !len || len > HOST_MAX) {
		err_set(err_r, ERR_AUTH,
			"it is not a host or host:port, the address of a "
			"metadata server");
		return NULL;
	}
	metadata = xcalloc(1, sizeof(*metadata));
	metadata->head.type = &source_metadata;
	metadata->head.env = *env;
	metadata->head.describe = xasprintf("the metadata server at %s", host);
	metadata->head.is_guess = is_guess;
	metadata->host = xstrdup(host);
	return &metadata->head;
}
