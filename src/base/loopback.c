/* SPDX-License-Identifier: Apache-2.0 */
/* This machine; see loopback.h. */
#include "base/loopback.h"

#include <string.h>
#include <strings.h>

static bool is_text(const char *host, size_t len, const char *text)
{
	return len == strlen(text) && !strncasecmp(host, text, len);
}

/* 0 to 255 without a needless 0 in front, which some read as octal. */
static bool take_octet(const char **at, const char *end, int *octet_r)
{
	const char *begin = *at;
	int octet = 0;

	while (*at < end && **at >= '0' && **at <= '9' && octet <= 255)
		octet = octet * 10 + (*(*at)++ - '0');
	*octet_r = octet;
	return *at > begin && octet <= 255 &&
	       (*begin != '0' || *at == begin + 1);
}

static bool is_loopback_v4(const char *host, size_t len)
{
	const char *at = host, *end = host + len;
	int octet[4];

	for (int i = 0; i < 4; i++) {
		if (i > 0 && (at == end || *at++ != '.'))
			return false;
		if (!take_octet(&at, end, &octet[i]))
			return false;
	}
	return at == end && octet[0] == 127;
}

bool loopback_host(const char *host, size_t len)
{
	return is_text(host, len, "localhost") || is_text(host, len, "[::1]") ||
	       is_loopback_v4(host, len);
}
