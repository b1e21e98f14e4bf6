/* SPDX-License-Identifier: Apache-2.0 */
/* URLs taken apart; see url.h. */
#define _GNU_SOURCE /* memrchr */
#include "config.h"

#include "policy/url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/loopback.h"

#define CANDIDATE_URL "{{candidate_url}}"
#define PORT_MAX      65535

static int bad(struct err *err_r, const char *why)
{
	return err_set(err_r, ERR_INVALID,
		"this is not a URL that can be used: %s", why);
}

static bool part_is(const struct url_part *part, const char *text)
{
	return part->len == strlen(text) &&
	       !strncasecmp(part->at, text, part->len);
}

static bool is_loopback(const struct url_part *host)
{
	return loopback_host(host->at, host->len);
}

static int check_bytes(const char *text, struct err *err_r)
{
	if (strlen(text) > URL_BYTES_MAX)
		return bad(err_r, "it is longer than 8 KiB");
	for (const char *p = text; *p; p++) {
		if (!strncmp(p, "{{", 2) && strstr(p, "}}")) {
			p = strstr(p, "}}") + 1;
			continue;
		}
		if ((unsigned char)*p <= 0x20 || *p == 0x7f)
			return bad(err_r, "it has a blank or control character "
					  "in it, write %20 for a blank");
		if (*p == '#')
			return bad(err_r,
				"what follows \"#\" is never sent, remove it");
		if (*p == '\\')
			return bad(err_r, "it has a backslash in it");
	}
	return 0;
}

/* Of digits only. */
static bool is_port(const struct url_part *part)
{
	int port = 0;

	for (size_t i = 0; i < part->len && port <= PORT_MAX; i++)
		port = 10 * port + (part->at[i] - '0');
	return port > 0 && port <= PORT_MAX;
}

/* Host and port out of what stands between "//" and the path. */
static int split_authority(
	const char *at, size_t len, struct url *url, struct err *err_r)
{
	const char *end = at + len, *p;

	p = memrchr(at, '@', len);
	if (p) {
		url->userinfo = (struct url_part){at, (size_t)(p - at)};
		at = p + 1;
	}
	p = at;
	if (p < end && *p == '[')
		p = memchr(p, ']', (size_t)(end - p));
	if (!p)
		return bad(err_r, "a \"]\" is missing after the address");
	p = memchr(p, ':', (size_t)(end - p));
	url->host = (struct url_part){at, (size_t)((p ? p : end) - at)};
	if (p)
		url->port = (struct url_part){p + 1, (size_t)(end - p - 1)};
	if (!url->host.len)
		return bad(err_r, "the host is missing");
	for (size_t i = 0; i < url->port.len; i++)
		if (!isdigit((unsigned char)url->port.at[i]))
			return bad(err_r, "the port is not a number");
	if (p && !is_port(&url->port))
		return bad(err_r, "the port is not from 1 to 65535");
	return 0;
}

static void split_path(const char *at, struct url *url)
{
	size_t len = strcspn(at, "?");

	url->path = (struct url_part){at, len};
	if (at[len])
		url->query =
			(struct url_part){at + len + 1, strlen(at + len + 1)};
}

int url_parse(const char *text, struct url *url_r, struct err *err_r)
{
	const char *at;
	size_t len;

	*url_r = (struct url){0};
	if (check_bytes(text, err_r) < 0)
		return -1;
	if (!strncmp(text, CANDIDATE_URL, strlen(CANDIDATE_URL))) {
		split_path(text, url_r);
		return 0;
	}
	at = strstr(text, "://");
	if (!at)
		return bad(err_r, "it does not start with https:// (or "
				  "http:// for a loopback host)");
	url_r->scheme = (struct url_part){text, (size_t)(at - text)};
	if (!part_is(&url_r->scheme, "http") &&
		!part_is(&url_r->scheme, "https"))
		return bad(err_r, "its scheme is neither https nor http");
	at += 3;
	len = strcspn(at, "/?");
	if (split_authority(at, len, url_r, err_r) < 0)
		return -1;
	split_path(at + len, url_r);
	if (part_is(&url_r->scheme, "http") && !is_loopback(&url_r->host))
		return bad(err_r, "plain http is for loopback hosts only "
				  "(localhost, 127.0.0.1, [::1]), use https");
	return 0;
}

static bool is_database(const struct url_part *path)
{
	if (path->len > 6)
		return false;
	for (size_t i = 1; i < path->len; i++)
		if (!isdigit((unsigned char)path->at[i]))
			return false;
	return true;
}

bool url_is_rediss(const char *text)
{
	return !strncasecmp(text, "rediss://", 9);
}

int url_parse_redis(const char *text, struct url *url_r, struct err *err_r)
{
	size_t len = strlen("redis");

	*url_r = (struct url){0};
	if (check_bytes(text, err_r) < 0)
		return -1;
	if (url_is_rediss(text)) {
#ifndef HAVE_HIREDIS_SSL
		return bad(err_r,
			"TLS to Redis is not supported by this build: let a "
			"proxy on this host (stunnel) do it and write "
			"redis://");
#endif
		len++;
	} else if (strncasecmp(text, "redis://", 8) != 0) {
		return bad(err_r, "it does not start with redis://");
	}
	url_r->scheme = (struct url_part){text, len};
	text += len + strlen("://");
	len = strcspn(text, "/?");
	if (split_authority(text, len, url_r, err_r) < 0)
		return -1;
	split_path(text + len, url_r);
	if (url_r->query.at)
		return bad(err_r, "a Redis URL has no query, remove it");
	if (!is_database(&url_r->path))
		return bad(err_r, "the database is a number, \"/0\"");
	return 0;
}

bool url_takes_access_tokens(const struct url *url)
{
	static const char google[] = ".googleapis.com";
	const size_t len = sizeof(google) - 1;
	const struct url_part *host = &url->host;

	if (!host->at)
		return false;
	return is_loopback(host) ||
	       (host->len > len &&
		       !strncasecmp(host->at + host->len - len, google, len));
}

/* "canary---shop-abc-uc.a.run.app" is shop-abc-uc.a.run.app's: what is left of
 * the dashes is a tag. */
static size_t tag_len(const struct url_part *host)
{
	static const char zone[] = ".run.app", mark[] = "---";
	size_t zone_len = strlen(zone), mark_len = strlen(mark), i;

	if (host->len <= zone_len ||
		strncasecmp(host->at + host->len - zone_len, zone, zone_len) !=
			0)
		return 0;
	for (i = 0; i + mark_len + zone_len < host->len; i++) {
		if (strncmp(host->at + i, mark, mark_len) == 0)
			return i + mark_len;
	}
	return 0;
}

char *url_audience(const char *text, struct err *err_r)
{
	struct buf out;
	struct url url;
	size_t skip;

	if (url_parse(text, &url, err_r) < 0)
		return NULL;
	skip = tag_len(&url.host);
	buf_init(&out, URL_BYTES_MAX);
	buf_add(&out, url.scheme.at, url.scheme.len);
	buf_adds(&out, "://");
	buf_add(&out, url.host.at + skip, url.host.len - skip);
	if (url.port.at) {
		buf_addc(&out, ':');
		buf_add(&out, url.port.at, url.port.len);
	}
	return buf_steal(&out);
}

void url_show(const struct url *url, struct buf *out)
{
	if (url->scheme.at) {
		buf_add(out, url->scheme.at, url->scheme.len);
		buf_adds(out, "://");
		buf_add(out, url->host.at, url->host.len);
	}
	if (url->port.at) {
		buf_addc(out, ':');
		buf_add(out, url->port.at, url->port.len);
	}
	buf_add(out, url->path.at, url->path.len);
}
