/* A pull scanner for JSON; see scan.h. */
#include "sim/scan.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/printable.h"
#include "base/timestamp.h"

#define NUMBER_BYTES_MAX 64
#define SHOWN_MAX        200

void scan_init(struct scan *s, const char *path, const char *bytes, size_t len,
	struct err *err_r)
{
	*s = (struct scan){.path = path,
		.begin = bytes,
		.p = bytes,
		.end = bytes + len,
		.depth_max = 32,
		.err = err_r};
}

bool scan_fail(struct scan *s, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	const char *q, *line = s->begin;
	int n = 1;
	va_list args;

	if (s->failed)
		return false;
	s->failed = true;
	for (q = s->begin; q < s->p; q++) {
		if (*q == '\n') {
			n++;
			line = q + 1;
		}
	}
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	err_set(s->err, ERR_POLICY, "%s:%d:%d: %s", s->path, n,
		(int)(s->p - line) + 1, text);
	s->err->pos = (struct srcpos){s->path, n, (int)(s->p - line) + 1};
	return false;
}

static inline void skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' ||
					*s->p == '\t' || *s->p == '\r'))
		s->p++;
}

char scan_peek(struct scan *s)
{
	if (s->failed)
		return 0;
	skip_space(s);
	if (s->p == s->end)
		return 0;
	if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9'))
		return '0';
	return strchr("{[\"tfn", *s->p) ? *s->p : 0;
}

static inline bool take(struct scan *s, char c)
{
	if (s->failed)
		return false;
	skip_space(s);
	if (s->p < s->end && *s->p == c) {
		s->p++;
		return true;
	}
	return false;
}

static bool expect(struct scan *s, char c)
{
	if (take(s, c))
		return true;
	if (s->p >= s->end)
		return scan_fail(s, "the file ends where '%c' is expected", c);
	return scan_fail(s, "'%c' is expected here", c);
}

bool scan_open(struct scan *s, char bracket)
{
	if (!expect(s, bracket))
		return false;
	if (++s->depth > s->depth_max)
		return scan_fail(
			s, "it is nested deeper than %d levels", s->depth_max);
	return true;
}

bool scan_item(struct scan *s, char close, bool *first)
{
	if (s->failed)
		return false;
	if (take(s, close)) {
		s->depth--;
		return false;
	}
	if (!*first && !expect(s, ','))
		return false;
	*first = false;
	return true;
}

/* Four hex digits of \uXXXX; -1 when they are not. */
static int hex4(struct scan *s)
{
	int value = 0, i, c;

	if (s->end - s->p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		c = (unsigned char)s->p[i];
		if (c >= '0' && c <= '9')
			c -= '0';
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			c = (c | 32) - 'a' + 10;
		else
			return -1;
		value = value << 4 | c;
	}
	s->p += 4;
	return value;
}

static void add_utf8(struct buf *out, int c)
{
	if (c < 0x80) {
		buf_addc(out, (char)c);
	} else if (c < 0x800) {
		buf_addc(out, (char)(0xc0 | c >> 6));
		buf_addc(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_addc(out, (char)(0xe0 | c >> 12));
		buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(out, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_addc(out, (char)(0xf0 | c >> 18));
		buf_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* What follows "\u": a character, from one or two escapes. */
static bool unescape_unicode(struct scan *s, struct buf *out)
{
	int c = hex4(s), low;

	if (c >= 0xd800 && c < 0xdc00 && s->end - s->p >= 2 &&
		s->p[0] == '\\' && s->p[1] == 'u') {
		s->p += 2;
		low = hex4(s);
		if (low < 0xdc00 || low > 0xdfff)
			return scan_fail(s, "half a surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c <= 0 || (c >= 0xd800 && c < 0xe000)) {
		return scan_fail(s, "this \\u escape is no character");
	}
	add_utf8(out, c);
	return true;
}

static bool unescape(struct scan *s, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	char c;

	if (s->p == s->end)
		return scan_fail(s, "the file ends in a string");
	c = *s->p++;
	if (c == 'u')
		return unescape_unicode(s, out);
	at = c ? strchr(from, c) : NULL;
	if (!at)
		return scan_fail(s, "an unknown escape in a string");
	buf_addc(out, to[at - from]);
	return true;
}

/* Adds a string's bytes to `out`, which may be too small for them. */
static bool read_string(struct scan *s, struct buf *out)
{
	const char *run;

	if (!expect(s, '"'))
		return false;
	for (;;) {
		run = s->p;
		while (s->p < s->end && *s->p != '"' && *s->p != '\\' &&
			(unsigned char)*s->p >= 0x20)
			s->p++;
		buf_add(out, run, (size_t)(s->p - run));
		if (s->p == s->end)
			return scan_fail(s, "the file ends in a string");
		if ((unsigned char)*s->p < 0x20)
			return scan_fail(s, "a control character in a string");
		if (*s->p++ == '"')
			return true;
		if (!unescape(s, out))
			return false;
	}
}

bool scan_key(struct scan *s, char *key, size_t size)
{
	struct buf out;
	bool ok;

	buf_init(&out, size * 16);
	ok = read_string(s, &out);
	if (ok)
		snprintf(key, size, "%s", out.overflow ? "" : out.data);
	buf_fini(&out);
	return ok && expect(s, ':');
}

bool scan_text(
	struct scan *s, struct arena *arena, size_t max, const char **text_r)
{
	struct buf out;
	bool ok;

	buf_init(&out, max);
	ok = read_string(s, &out);
	if (ok && out.overflow)
		ok = scan_fail(s, "this text is longer than %zu bytes", max);
	if (ok)
		*text_r = arena_strndup(arena, out.data, out.len);
	buf_fini(&out);
	return ok;
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * A decimal number between p and end. Up to 15 digits and powers of ten up to
 * 22 are exact in doubles (W. D. Clinger, 1990); all else is strtod's. The
 * program never leaves the C locale, so that strtod reads a point.
 */
static const char *read_decimal(const char *p, const char *end, double *value_r)
{
	static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7,
		1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
		1e19, 1e20, 1e21, 1e22};
	char copy[NUMBER_BYTES_MAX + 1];
	const char *start = p;
	int64_t mantissa = 0;
	int digits = 0, scale = 0, exponent = 0;
	bool negative = p < end && *p == '-', minus = false;

	p += negative;
	for (; p < end && is_digit(*p); p++, digits++)
		mantissa = digits < 18 ? mantissa * 10 + (*p - '0') : mantissa;
	if (p < end && *p == '.') {
		for (p++; p < end && is_digit(*p); p++, digits++, scale++)
			mantissa = digits < 18 ? mantissa * 10 + (*p - '0')
					       : mantissa;
		if (!is_digit(p[-1]))
			return NULL;
	}
	if (!digits)
		return NULL;
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			minus = *p++ == '-';
		if (p == end || !is_digit(*p))
			return NULL;
		for (; p < end && is_digit(*p); p++)
			exponent = exponent < 10000 ? exponent * 10 + (*p - '0')
						    : exponent;
	}
	exponent = (minus ? -exponent : exponent) - scale;
	if (digits <= 15 && exponent >= -22 && exponent <= 22) {
		*value_r = exponent < 0 ? (double)mantissa / tens[-exponent]
					: (double)mantissa * tens[exponent];
		if (negative)
			*value_r = -*value_r;
		return p;
	}
	if (p - start > NUMBER_BYTES_MAX)
		return NULL;
	memcpy(copy, start, (size_t)(p - start));
	copy[p - start] = '\0';
	*value_r = strtod(copy, NULL);
	return p;
}

bool scan_number(struct scan *s, double *value_r)
{
	const char *p;

	if (scan_peek(s) != '0')
		return scan_fail(s, "a number is expected here");
	p = read_decimal(s->p, s->end, value_r);
	if (!p)
		return scan_fail(s, "this is not a number");
	s->p = p;
	return true;
}

bool scan_seconds(struct scan *s, int64_t *ms_r)
{
	const char *p;
	int64_t seconds = 0;
	double value;

	if (s->failed)
		return false;
	skip_space(s);
	/* Nearly always: up to 12 digits and nothing else. */
	for (p = s->p; p < s->end && is_digit(*p) && p - s->p < 12; p++)
		seconds = seconds * 10 + (*p - '0');
	if (p > s->p && p < s->end &&
		(*p == ',' || *p == '}' || *p == ']' || *p == ' ')) {
		*ms_r = seconds * 1000;
		if (*ms_r > TIMESTAMP_MS_MAX)
			return scan_fail(s, "this time is after year 9999");
		s->p = p;
		return true;
	}
	if (!scan_number(s, &value))
		return false;
	if (!(value >= (double)TIMESTAMP_MS_MIN / 1000 &&
		    value <= (double)TIMESTAMP_MS_MAX / 1000))
		return scan_fail(
			s, "this time is not between years 1 and 9999");
	*ms_r = (int64_t)llround(value * 1000);
	return true;
}

static bool is_word(const struct scan *s, const char *word, size_t len)
{
	return (size_t)(s->end - s->p) > len && memcmp(s->p, word, len) == 0 &&
	       s->p[len] == '"';
}

bool scan_sample(struct scan *s, double *value_r)
{
	static const struct {
		const char *word;
		size_t len;
		double value;
	} words[] = {{"NaN", 3, NAN}, {"+Inf", 4, INFINITY},
		{"-Inf", 4, -INFINITY}, {"Inf", 3, INFINITY}};
	const char *p;
	size_t i;

	if (!expect(s, '"'))
		return false;
	p = s->p < s->end && *s->p == '+' ? NULL
					  : read_decimal(s->p, s->end, value_r);
	if (p && p < s->end && *p == '"') {
		s->p = p + 1;
		return true;
	}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (is_word(s, words[i].word, words[i].len)) {
			*value_r = words[i].value;
			s->p += words[i].len + 1;
			return true;
		}
	}
	return scan_fail(
		s, "this is not a sample (\"0.5\", \"NaN\", \"+Inf\")");
}

static bool skip_word(struct scan *s)
{
	static const char *const words[] = {"true", "false", "null"};
	size_t i, len;

	for (i = 0; i < 3; i++) {
		len = strlen(words[i]);
		if ((size_t)(s->end - s->p) >= len &&
			memcmp(s->p, words[i], len) == 0) {
			s->p += len;
			return true;
		}
	}
	return scan_fail(s, "a value is expected here");
}

static bool skip_string(struct scan *s)
{
	struct buf none;
	bool ok;

	buf_init(&none, 0);
	ok = read_string(s, &none);
	buf_fini(&none);
	return ok;
}

bool scan_skip(struct scan *s)
{
	char open = scan_peek(s), key[8];
	bool first = true;
	double number;

	switch (open) {
	case '{':
	case '[':
		if (!scan_open(s, open))
			return false;
		while (scan_item(s, open == '{' ? '}' : ']', &first)) {
			if (open == '{' && !scan_key(s, key, sizeof(key)))
				return false;
			if (!scan_skip(s))
				return false;
		}
		return !s->failed;
	case '"':
		return skip_string(s);
	case '0':
		return scan_number(s, &number);
	case 0:
		return scan_fail(s, "a value is expected here");
	default:
		return skip_word(s);
	}
}

bool scan_at_end(struct scan *s)
{
	if (s->failed)
		return false;
	skip_space(s);
	if (s->p != s->end)
		return scan_fail(s, "something follows the end of the value");
	return true;
}
