/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that no parser likes; see json_numbers.h. */
#include "base/json_numbers.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define LARGEST "1.7976931348623157e308"

static bool is_integer(const char *number)
{
	return !number[strspn(number, "-0123456789")];
}

/* False: it can be read as it is. */
static bool tame_one(const char *number, struct buf *out)
{
	bool integer = is_integer(number);
	double value;

	errno = 0;
	if (integer)
		(void)!strtoll(number, NULL, 10);
	if (integer && !errno)
		return false;
	value = strtod(number, NULL);
	if (!integer && isfinite(value))
		return false;
	if (isfinite(value))
		buf_addf(out, "%se0", number);
	else
		buf_adds(out, value < 0 ? "-" LARGEST : LARGEST);
	return true;
}

/* The end of the string that begins at `at`. */
static const char *skip_string(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		at += *at == '\\';
	return at < end ? at + 1 : end;
}

static const char *skip_number(const char *at, const char *end)
{
	while (at < end && *at && strchr("+-.0123456789eE", *at))
		at++;
	return at;
}

static bool begins_number(char c)
{
	return c == '-' || (c >= '0' && c <= '9');
}

bool json_numbers_tame(const char *bytes, size_t len, struct buf *out)
{
	const char *at = bytes, *end = bytes + len, *next;
	bool any = false, tamed;
	char *number;

	while (at < end) {
		next = at + 1;
		tamed = false;
		if (*at == '"') {
			next = skip_string(at, end);
		} else if (begins_number(*at)) {
			next = skip_number(at, end);
			number = xmemdup0(at, (size_t)(next - at));
			tamed = tame_one(number, out);
			free(number);
		}
		if (!tamed)
			buf_add(out, at, (size_t)(next - at));
		any |= tamed;
		at = next;
	}
	return any;
}
