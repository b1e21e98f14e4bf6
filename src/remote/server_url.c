/* SPDX-License-Identifier: Apache-2.0 */
/* Where a daemon is; see server_url.h. */
#include "remote/server_url.h"

#include <string.h>
#include <sys/un.h>

#include "io/http.h"

#define UNIX_PREFIX "unix:"

static int bad_url(const char *text, const char *rule, struct err *err_r)
{
	return err_set(err_r, ERR_USAGE,
		"the server is \"%.*s\": %s; write https://HOST[/PATH], "
		"http://127.0.0.1:PORT or unix:/PATH",
		(int)strcspn(text, "?#@"), text, rule);
}

static int parse_unix(
	const char *text, struct server_url *url, struct err *err_r)
{
	const char *path = text + strlen(UNIX_PREFIX);

	if (*path != '/')
		return bad_url(text, "a socket's path begins with /", err_r);
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return bad_url(
			text, "a socket's path has at most 107 bytes", err_r);
	url->unix_socket = path;
	url->base = "http://localhost";
	url->is_plain = true;
	return 0;
}

static int check_characters(const char *text, struct err *err_r)
{
	for (const char *p = text; *p; p++) {
		if (*p <= ' ' || *p > '~' || strchr("\"<>\\^`{|}", *p))
			return bad_url(text,
				"it has characters that no URL has", err_r);
		if (strchr("?#@", *p))
			return bad_url(text,
				"it may have neither user, query nor fragment",
				err_r);
	}
	return 0;
}

int server_url_parse(const char *text, struct arena *arena,
	struct server_url *url_r, struct err *err_r)
{
	size_t len = strlen(text);
	struct err err;

	*url_r = (struct server_url){.said = arena_strdup(arena, text)};
	text = url_r->said;
	if (!strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)))
		return parse_unix(text, url_r, err_r);
	if (check_characters(text, err_r) < 0)
		return -1;
	if (http_url_check(text, false, &err) < 0)
		return err_set(err_r, ERR_USAGE, "the server: %s", err.text);
	while (len && text[len - 1] == '/')
		len--;
	url_r->base = arena_strndup(arena, text, len);
	url_r->is_plain = !strncmp(text, "http:", 5);
	return 0;
}
