/* Numbers as people write them; see quantity.h. */
#include "policy/quantity.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"

#define WHOLE_DIGITS_MAX 9

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
