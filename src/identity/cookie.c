/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies; see cookie.h. */
#include "identity/cookie.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

static bool is_ours(const char *value, size_t len)
{
	static const char bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-_.";

	for (size_t i = 0; i < len; i++) {
		if (!value[i] || !strchr(bytes, value[i]))
			return false;
	}
	return len > 0 && len <= COOKIE_VALUE_MAX;
}

int cookie_find(const char *header, const char *name, const char **value_r,
	size_t *len_r)
{
	size_t name_len = strlen(name), len;
	int found = 0;

	if (strlen(header) > COOKIE_HEADER_MAX)
		return -1;
	for (const char *at = header; *at; at += len + (at[len] == ';')) {
		at += strspn(at, " ");
		len = strcspn(at, ";");
		if (len <= name_len || at[name_len] != '=' ||
			memcmp(at, name, name_len) != 0)
			continue;
		*value_r = at + name_len + 1;
		*len_r = len - name_len - 1;
		if (found++ || !is_ours(*value_r, *len_r))
			return -1;
	}
	return found;
}

void cookie_print(
	struct buf *out, const char *name, const char *value, int64_t max_age_s)
{
	buf_addf(out, "%s=%s; Path=/; Secure; HttpOnly; SameSite=Lax", name,
		value);
	if (max_age_s >= 0)
		buf_addf(out, "; Max-Age=%" PRId64, max_age_s);
}
