/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as people write them; see quantity.h. */
#define _GNU_SOURCE /* strtod_l */
#include "policy/quantity.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"

#define WHOLE_DIGITS_MAX  9
#define DECIMAL_BYTES_MAX 400 /* 1e308 without an exponent fits */

static const char *digits(const char *p)
{
	while (isdigit((unsigned char)*p))
		p++;
	return p;
}

/* The end of a decimal number that starts at `text`; NULL: there is none. */
static const char *number_end(const char *text)
{
	const char *p = text, *start;

	if (*p == '-' || *p == '+')
		p++;
	start = p;
	p = digits(p);
	if (p == start)
		return NULL;
	if (*p == '.') {
		start = ++p;
		p = digits(p);
		if (p == start)
			return NULL;
	}
	if (*p == 'e' || *p == 'E') {
		start = p + 1 + (p[1] == '-' || p[1] == '+');
		if (digits(start) == start)
			return NULL;
		p = digits(start);
	}
	return p;
}

int quantity_parse(const char *text, double *value_r, struct err *err_r)
{
	const char *end = number_end(text);
	double value;
	int64_t ms;

	if (end && (!*end || !strcmp(end, "%"))) {
		value = strtod(text, NULL);
		if (!isfinite(value))
			return err_set(err_r, ERR_INVALID,
				"\"%.40s\" is too large", text);
		*value_r = *end ? value / 100 : value;
		return 0;
	}
	if (duration_parse(text, &ms, err_r) < 0)
		return err_set(err_r, ERR_INVALID,
			"\"%.40s\" is not a number: write 0.01, 1%% or, where "
			"a query gives seconds, 500ms",
			text);
	*value_r = (double)ms / 1000;
	return 0;
}

int whole_parse(const char *text, int *value_r, struct err *err_r)
{
	const char *end = digits(text);

	if (end == text || *end || end - text > WHOLE_DIGITS_MAX)
		return err_set(err_r, ERR_INVALID,
			"\"%.40s\" is not a whole number", text);
	*value_r = atoi(text);
	return 0;
}

static size_t count_digits(const char *at)
{
	return strspn(at, "0123456789");
}

/* digits [. digits] [e [sign] digits], all of it. */
static bool is_decimal(const char *at, const char *end)
{
	size_t n;

	at += *at == '-';
	if (!(n = count_digits(at)))
		return false;
	at += n;
	if (*at == '.') {
		if (!(n = count_digits(at + 1)))
			return false;
		at += 1 + n;
	}
	if (*at == 'e' || *at == 'E') {
		at += 1 + (at[1] == '+' || at[1] == '-');
		if (!(n = count_digits(at)))
			return false;
		at += n;
	}
	return at == end;
}

static locale_t c_locale;

static void make_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Threads read numbers, too. */
static double decimal_value(const char *text)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_locale);
	return c_locale ? strtod_l(text, NULL, c_locale) : strtod(text, NULL);
}

int decimal_parse(const char *text, size_t len, double *value_r)
{
	double value;

	if (len > DECIMAL_BYTES_MAX || !is_decimal(text, text + len))
		return -1;
	value = decimal_value(text);
	if (!isfinite(value))
		return -1;
	*value_r = value;
	return 0;
}
