/* Who waits for whom; see pause.h. */
#define _GNU_SOURCE /* explicit_bzero */
#include "jsonapi/pause.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/xalloc.h"
#include "io/clock.h"
#include "io/http.h"
#include "jsonapi/rate.h"

struct pause {
	TAILQ_ENTRY(pause) link;
	const struct json_source *source;
	char *place; /* beginning of the address */
	int64_t until_ms;
	int strikes; /* 429 in a row that said nothing */
};

struct pauses {
	TAILQ_HEAD(, pause) list; /* the oldest first */
	size_t n;
};

struct pauses *pauses_new(void)
{
	struct pauses *pauses = xcalloc(1, sizeof(*pauses));

	TAILQ_INIT(&pauses->list);
	return pauses;
}

static void drop(struct pauses *pauses, struct pause *pause)
{
	TAILQ_REMOVE(&pauses->list, pause, link);
	pauses->n--;
	explicit_bzero(pause->place, strlen(pause->place));
	free(pause->place);
	free(pause);
}

void pauses_free(struct pauses **pauses)
{
	struct pause *pause;

	if (!*pauses)
		return;
	while ((pause = TAILQ_FIRST(&(*pauses)->list)))
		drop(*pauses, pause);
	free(*pauses);
	*pauses = NULL;
}

/* ---- who ---- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_secret(const struct secret *a, const struct secret *b)
{
	return a && b ? secret_len(a) == secret_len(b) &&
				!strcmp(secret_reveal(a), secret_reveal(b))
		      : a == b;
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

static struct pause *find(const struct pauses *pauses,
	const struct json_source *source, const char *url)
{
	size_t len = place_len(source, url);
	struct pause *pause;

	TAILQ_FOREACH(pause, &pauses->list, link) {
		if (strlen(pause->place) == len &&
			!memcmp(pause->place, url, len) &&
			source_is_alike(pause->source, source))
			return pause;
	}
	return NULL;
}

/* ---- until when ---- */

int64_t pauses_left_ms(const struct pauses *pauses,
	const struct json_source *source, const char *url, int64_t now_ms)
{
	const struct pause *pause = find(pauses, source, url);

	return pause && pause->until_ms > now_ms ? pause->until_ms - now_ms : 0;
}

static struct pause *add(struct pauses *pauses,
	const struct json_source *source, const char *url)
{
	struct pause *pause = xcalloc(1, sizeof(*pause));

	if (pauses->n == PAUSES_MAX)
		drop(pauses, TAILQ_FIRST(&pauses->list));
	pause->source = source;
	pause->place = xmemdup0(url, place_len(source, url));
	TAILQ_INSERT_TAIL(&pauses->list, pause, link);
	pauses->n++;
	return pause;
}

static const char *reply_header(const char *name, const void *arg)
{
	return http_reply_header(arg, name);
}

static int64_t unsaid_ms(struct pause *pause)
{
	int64_t ms = PAUSE_MS_MIN;

	for (int i = 0; i < pause->strikes && ms < PAUSE_MS_UNSAID; i++)
		ms *= 2;
	pause->strikes++;
	return ms < PAUSE_MS_UNSAID ? ms : PAUSE_MS_UNSAID;
}

int64_t pauses_take(struct pauses *pauses, const struct json_source *source,
	const char *url, const struct http_reply *reply, int64_t now_ms)
{
	int64_t date_ms = http_reply_date_ms(reply), wait_ms;
	const struct rate_answer answer = {
		.status = reply->status,
		.retry_after_ms = reply->retry_after_ms,
		.clock_ms = date_ms ? date_ms : clock_wall_ms(),
		.header = reply_header,
		.arg = reply,
	};
	struct pause *pause = find(pauses, source, url);

	wait_ms = rate_wait_ms(&answer);
	if (!wait_ms && reply->status != 429) {
		if (pause)
			drop(pauses, pause);
		return 0;
	}
	if (!pause)
		pause = add(pauses, source, url);
	if (!wait_ms)
		wait_ms = unsaid_ms(pause);
	pause->until_ms = now_ms + wait_ms;
	return wait_ms;
}
