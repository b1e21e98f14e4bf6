/* SPDX-License-Identifier: Apache-2.0 */
/* Base64url, strict; see base64url.h. */
#include "base/base64url.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_add(struct buf *out, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	unsigned bits = 0;
	int held = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		bits = (bits << 8 | p[i]) & 0xffff;
		for (held += 8; held >= 6;) {
			held -= 6;
			buf_addc(out, digits[bits >> held & 63]);
		}
	}
	if (held)
		buf_addc(out, digits[bits << (6 - held) & 63]);
}

static int digit_of(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

int base64url_decode(const char *text, size_t len, struct buf *out)
{
	unsigned bits = 0;
	int held = 0, digit;
	size_t i;

	if (len % 4 == 1)
		return -1;
	for (i = 0; i < len; i++) {
		digit = digit_of(text[i]);
		if (digit < 0)
			return -1;
		bits = (bits << 6 | (unsigned)digit) & 0xffff;
		held += 6;
		if (held >= 8) {
			held -= 8;
			buf_addc(out, (char)(bits >> held & 0xff));
		}
	}
	if (bits & ((1U << held) - 1))
		return -1;
	return out->overflow ? -1 : 0;
}
