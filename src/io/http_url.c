/* SPDX-License-Identifier: Apache-2.0 */
/* URLs: what is accepted, and where it leads; see http_url.h and http.h. */
#include "io/http_url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/loopback.h"
#include "base/xalloc.h"
#include "io/http.h"
#include "io/http_text.h"

void origin_fini(struct origin *o)
{
	curl_free(o->scheme);
	curl_free(o->host);
	curl_free(o->port);
	curl_url_cleanup(o->url);
}

static bool origin_read(struct origin *o)
{
	return !curl_url_get(o->url, CURLUPART_SCHEME, &o->scheme, 0) &&
	       !curl_url_get(o->url, CURLUPART_HOST, &o->host, 0) &&
	       !curl_url_get(
		       o->url, CURLUPART_PORT, &o->port, CURLU_DEFAULT_PORT);
}

static int origin_rules(
	const struct origin *o, bool plain_ok, struct err *err_r)
{
	if (!o->plain && strcasecmp(o->scheme, "https"))
		return err_set(err_r, ERR_INVALID,
			"the URL of %.100s has the scheme \"%.20s\": write "
			"https:// (or http:// for this machine)",
			o->host, o->scheme);
	if (o->plain && !plain_ok && !o->loopback)
		return err_set(err_r, ERR_INVALID,
			"the URL of %.100s is plain http, which is accepted "
			"for loopback hosts only: write https://",
			o->host);
	if (strlen(o->host) > ORIGIN_HOST_MAX)
		return err_set(err_r, ERR_INVALID,
			"the URL's host is longer than %d bytes",
			ORIGIN_HOST_MAX);
	return 0;
}

int origin_init(
	struct origin *o, const char *url, bool plain_ok, struct err *err_r)
{
	CURLUcode rc;

	*o = (struct origin){0};
	if (strlen(url) > HTTP_URL_MAX)
		return err_set(err_r, ERR_INVALID,
			"the URL has %zu bytes, at most %d are accepted",
			strlen(url), HTTP_URL_MAX);
	o->url = curl_url();
	if (!o->url)
		abort(); /* memory */
	rc = curl_url_set(o->url, CURLUPART_URL, url, 0);
	if (rc || !origin_read(o)) {
		err_set(err_r, ERR_INVALID, "the URL cannot be parsed: %s",
			curl_url_strerror(rc ? rc : CURLUE_NO_HOST));
		goto bad;
	}
	o->plain = !strcasecmp(o->scheme, "http");
	o->loopback = loopback_host(o->host, strlen(o->host));
	if (origin_rules(o, plain_ok, err_r))
		goto bad;
	return 0;
bad:
	origin_fini(o);
	return -1;
}

int http_url_check(const char *url, bool plain_ok, struct err *err_r)
{
	struct origin o;

	if (origin_init(&o, url, plain_ok, err_r))
		return -1;
	origin_fini(&o);
	return 0;
}

char *http_unescape(const char *text)
{
	int len;
	char *decoded = curl_easy_unescape(NULL, text, 0, &len), *copy = NULL;

	if (decoded && strlen(decoded) == (size_t)len)
		copy = xstrdup(decoded);
	curl_free(decoded);
	return copy;
}
