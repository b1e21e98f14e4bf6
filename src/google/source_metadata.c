/*
 * The metadata server of Compute Engine, GKE, Cloud Run and Cloud Build. Plain
 * http on a link of the machine's own, never through a proxy; who does not
 * send Metadata-Flavor: Google back is somebody else.
 */
#include "google/source.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "google/credentials.h"
#include "google/key_codec.h"

#define CONNECT_TIMEOUT_MS 1000 /* or every run on a laptop would hang */
#define HOST_MAX           256
#define FLAVOR             "Metadata-Flavor"

struct metadata {
	struct source head;
	char *host, *url;
	bool is_guess; /* nobody said that there is such a server */
	bool seen; /* it has answered */
	struct exchange *exchange;
	source_fn fn;
	void *arg;
};

static void metadata_fetch(struct source *source, source_fn fn, void *arg);
static void metadata_answered(
	const struct http_reply *reply, const struct err *err, void *arg);
static void metadata_token_read(
	struct metadata *metadata, const struct http_reply *reply);
static void metadata_fail(struct metadata *metadata, const struct err *cause);

static void metadata_fetch(struct source *source, source_fn fn, void *arg)
{
	static const struct http_header flavor = {FLAVOR, "Google"};
	struct metadata *metadata = (struct metadata *)source;
	const struct http_request request = {
		.url = metadata->url,
		.headers = &flavor,
		.n_headers = 1,
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.plain_ok = true,
		.no_proxy = true,
	};

	metadata->fn = fn;
	metadata->arg = arg;
	metadata->exchange = exchange_start(
		&metadata->head.env, &request, metadata_answered, metadata);
}

static bool is_google(const struct http_reply *reply)
{
	const char *flavor = http_reply_header(reply, FLAVOR);

	return flavor && strcmp(flavor, "Google") == 0;
}

static void metadata_answered(
	const struct http_reply *reply, const struct err *err, void *arg)
{
	struct metadata *metadata = arg;
	struct err stranger;

	metadata->exchange = NULL;
	if (reply && !is_google(reply)) {
		err_set(&stranger, ERR_AUTH,
			"HTTP %d without the header " FLAVOR
			": Google: that is not the metadata server",
			reply->status);
		metadata_fail(metadata, &stranger);
		return;
	}
	metadata->seen = metadata->seen || reply;
	if (err)
		metadata_fail(metadata, err);
	else
		metadata_token_read(metadata, reply);
}

static void metadata_token_read(
	struct metadata *metadata, const struct http_reply *reply)
{
	struct secret *token;
	int64_t life_s;
	struct err err;

	if (token_decode(reply->body, reply->body_len, &token, &life_s, &err) <
		0)
		metadata_fail(metadata, &err);
	else
		metadata->fn(token, life_s, NULL, metadata->arg);
}

static void metadata_fail(struct metadata *metadata, const struct err *cause)
{
	struct err err = *cause;

	if (metadata->is_guess && !metadata->seen) {
		source_not_found(&err, "there is no metadata server at %s (%s)",
			metadata->host, cause->text);
	} else {
		if (err.code == ERR_NOT_FOUND || err.code == ERR_DENIED)
			err_set(&err, ERR_AUTH,
				"%s: no service account is bound to this "
				"machine, pod or job; bind one",
				cause->text);
		err_wrap(&err, "%s%s", metadata->head.describe,
			metadata->is_guess ? "" : " (GCE_METADATA_HOST)");
	}
	metadata->fn(NULL, 0, &err, metadata->arg);
}

static void metadata_cancel(struct source *source)
{
	exchange_cancel(&((struct metadata *)source)->exchange);
}

static void metadata_free(struct source *source)
{
	struct metadata *metadata = (struct metadata *)source;

	xfree(&metadata->host);
	xfree(&metadata->url);
	free(metadata);
}

static const struct source_type source_metadata = {
	.name = "metadata server",
	.fetch = metadata_fetch,
	.cancel = metadata_cancel,
	.free = metadata_free,
};

struct source *source_metadata_new(const struct exchange_env *env,
	const char *host, bool is_guess, struct err *err_r)
{
	struct metadata *metadata;
	size_t len = strspn(host, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:[]");

	if (host[len] || !len || len > HOST_MAX) {
		err_set(err_r, ERR_AUTH,
			"GCE_METADATA_HOST is not a host or host:port");
		return NULL;
	}
	metadata = xcalloc(1, sizeof(*metadata));
	metadata->head.type = &source_metadata;
	metadata->head.env = *env;
	metadata->head.describe = xasprintf("the metadata server at %s", host);
	metadata->host = xstrdup(host);
	metadata->head.is_guess = metadata->is_guess = is_guess;
	metadata->url = xasprintf(
		"http://%s/computeMetadata/v1/instance/service-accounts/"
		"default/token?scopes=" GOOGLE_SCOPE,
		host);
	return &metadata->head;
}
