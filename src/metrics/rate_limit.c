/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for whom; see rate_limit.h. */
#define _GNU_SOURCE /* explicit_bzero */
#include "metrics/rate_limit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/xalloc.h"
#include "io/clock.h"
#include "io/http.h"
#include "metrics/rate_limit_headers.h"

struct rate_limit {
	TAILQ_ENTRY(rate_limit) link;
	const struct json_source *source;
	char *place; /* beginning of the address */
	int64_t until_ms;
	int strikes; /* 429 in a row that said nothing */
};

struct rate_limits {
	TAILQ_HEAD(, rate_limit) list; /* the oldest first */
	size_t n;
};

struct rate_limits *rate_limits_new(void)
{
	struct rate_limits *limits = xcalloc(1, sizeof(*limits));

	TAILQ_INIT(&limits->list);
	return limits;
}

static void drop(struct rate_limits *limits, struct rate_limit *limit)
{
	TAILQ_REMOVE(&limits->list, limit, link);
	limits->n--;
	explicit_bzero(limit->place, strlen(limit->place));
	free(limit->place);
	free(limit);
}

void rate_limits_free(struct rate_limits **limits)
{
	struct rate_limit *limit;

	if (!*limits)
		return;
	while ((limit = TAILQ_FIRST(&(*limits)->list)))
		drop(*limits, limit);
	free(*limits);
	*limits = NULL;
}

/* ---- who ---- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_secret(const struct secret *a, const struct secret *b)
{
	return a && b ? secret_is_same(a, b) : a == b;
}

static bool same_headers(
	const struct json_source *a, const struct json_source *b)
{
	if (a->n_headers != b->n_headers)
		return false;
	for (size_t i = 0; i < a->n_headers; i++)
		if (strcmp(a->headers[i].name, b->headers[i].name) != 0 ||
			!same_secret(a->headers[i].value, b->headers[i].value))
			return false;
	return true;
}

bool source_is_alike(const struct json_source *a, const struct json_source *b)
{
	return a == b ||
	       (a->auth.type == b->auth.type &&
		       same_text(a->auth.username, b->auth.username) &&
		       same_secret(a->auth.secret, b->auth.secret) &&
		       same_text(a->tls.ca_file, b->tls.ca_file) &&
		       same_text(a->tls.cert_file, b->tls.cert_file) &&
		       same_text(a->tls.key_file, b->tls.key_file) &&
		       same_headers(a, b));
}

/* Bytes of the address that say who is asked. */
static size_t place_len(const struct json_source *source, const char *url)
{
	const char *host = strstr(url, "://");

	if (source->by_path || !host)
		return strcspn(url, "?");
	host += 3;
	return (size_t)(host - url) + strcspn(host, "/?");
}

static struct rate_limit *find(const struct rate_limits *limits,
	const struct json_source *source, const char *url)
{
	size_t len = place_len(source, url);
	struct rate_limit *limit;

	TAILQ_FOREACH(limit, &limits->list, link) {
		if (strlen(limit->place) == len &&
			!memcmp(limit->place, url, len) &&
			source_is_alike(limit->source, source))
			return limit;
	}
	return NULL;
}

/* ---- until when ---- */

int64_t rate_limits_left_ms(const struct rate_limits *limits,
	const struct json_source *source, const char *url, int64_t now_ms)
{
	const struct rate_limit *limit = find(limits, source, url);

	return limit && limit->until_ms > now_ms ? limit->until_ms - now_ms : 0;
}

static struct rate_limit *add(struct rate_limits *limits,
	const struct json_source *source, const char *url)
{
	struct rate_limit *limit = xcalloc(1, sizeof(*limit));

	if (limits->n == RATE_LIMITS_MAX)
		drop(limits, TAILQ_FIRST(&limits->list));
	limit->source = source;
	limit->place = xmemdup0(url, place_len(source, url));
	TAILQ_INSERT_TAIL(&limits->list, limit, link);
	limits->n++;
	return limit;
}

static const char *reply_header(const char *name, const void *arg)
{
	return http_reply_header(arg, name);
}

static int64_t unsaid_ms(struct rate_limit *limit)
{
	int64_t ms = RATE_LIMIT_MS_MIN;

	for (int i = 0; i < limit->strikes && ms < RATE_LIMIT_MS_UNSAID; i++)
		ms *= 2;
	limit->strikes++;
	return ms < RATE_LIMIT_MS_UNSAID ? ms : RATE_LIMIT_MS_UNSAID;
}

int64_t rate_limits_take(struct rate_limits *limits,
	const struct json_source *source, const char *url,
	const struct http_reply *reply, int64_t now_ms)
{
	int64_t date_ms = http_reply_date_ms(reply), wait_ms;
	const struct rate_limit_answer answer = {
		.status = reply->status,
		.retry_after_ms = reply->retry_after_ms,
		.clock_ms = date_ms ? date_ms : clock_wall_ms(),
		.header = reply_header,
		.arg = reply,
	};
	struct rate_limit *limit = find(limits, source, url);

	wait_ms = rate_limit_wait_ms(&answer);
	if (!wait_ms && reply->status != 429) {
		if (limit)
			drop(limits, limit);
		return 0;
	}
	if (!limit)
		limit = add(limits, source, url);
	if (!wait_ms)
		wait_ms = unsaid_ms(limit);
	limit->until_ms = now_ms + wait_ms;
	return wait_ms;
}
