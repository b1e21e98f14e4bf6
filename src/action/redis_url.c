/* SPDX-License-Identifier: Apache-2.0 */
/* Where a Redis is, and as whom; see redis_url.h. */
#include "action/redis_url.h"

#include <stdlib.h>
#include <string.h>

#include "policy/url.h"

#define PORT 6379

static int hex(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	if (c >= '0' && c <= '9')
		return c - '0';
	return at && *at >= 'a' ? (int)(at - digits) : -1;
}

/* Copies a part of a URL, percent-decoded. */
static int decode(struct url_part part, const char *name, char *out,
	size_t size, struct err *err_r)
{
	size_t n = 0;

	for (size_t i = 0; i < part.len; i++) {
		char c = part.at[i];

		if (c == '%' && i + 2 < part.len && hex(part.at[i + 1]) >= 0 &&
			hex(part.at[i + 2]) >= 0) {
			c = (char)(hex(part.at[i + 1]) << 4 |
				   hex(part.at[i + 2]));
			i += 2;
		}
		if (!c)
			return err_set(err_r, ERR_POLICY,
				"the %s in its URL has a %%00, which cannot "
				"be sent",
				name);
		if (n + 1 == size)
			return err_set(err_r, ERR_POLICY,
				"the %s in its URL is longer than %zu bytes",
				name, size - 1);
		out[n++] = c;
	}
	out[n] = '\0';
	return 0;
}

/* "user:password", "password", ":password" */
static int take_userinfo(
	struct redis_url *to, struct url_part info, struct err *err_r)
{
	const char *colon = info.at ? memchr(info.at, ':', info.len) : NULL;
	struct url_part user = {info.at, 0}, password = info;

	if (!info.at)
		return 0;
	if (colon) {
		user.len = (size_t)(colon - info.at);
		password.at = colon + 1;
		password.len = info.len - user.len - 1;
	}
	if (decode(user, "user", to->user, sizeof(to->user), err_r) < 0)
		return -1;
	return decode(password, "password", to->password, sizeof(to->password),
		err_r);
}

/* Each connection begins in database 0: to ask for it is a right that the user
 * may not have. */
static int take_database(
	struct redis_url *to, struct url_part path, struct err *err_r)
{
	if (path.len < 2)
		return 0;
	path.at++;
	path.len--;
	if (decode(path, "database", to->database, sizeof(to->database),
		    err_r) < 0)
		return -1;
	if (atoi(to->database) == 0)
		to->database[0] = '\0';
	return 0;
}

int redis_url_read(const char *text, struct redis_url *to, struct err *err_r)
{
	struct url_part host;
	struct url url;

	if (url_parse_redis(text, &url, err_r) < 0)
		return -1;
	host = url.host;
	if (host.len && *host.at == '[') { /* an IPv6 address */
		host.at++;
		host.len -= 2;
	}
	if (decode(host, "host", to->host, sizeof(to->host), err_r) < 0 ||
		take_userinfo(to, url.userinfo, err_r) < 0 ||
		take_database(to, url.path, err_r) < 0)
		return -1;
	to->port = url.port.at ? atoi(url.port.at) : PORT;
	if (to->port < 1 || to->port > 65535)
		return err_set(err_r, ERR_POLICY,
			"the port %d is not from 1 to 65535", to->port);
	return 0;
}
