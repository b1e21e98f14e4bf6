/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a key that are tried; see simulate.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/simulate.h"

static int wrong(const char *text, const char *why, struct err *err_r)
{
	return err_set(err_r, ERR_USAGE,
		"--sweep is \"%.80s\": %s; write KEY=FROM..TO:N, such as "
		"evidence.alpha=1%%..10%%:5",
		text, why);
}

/* "1%" is 1 and its unit; false: there is no number. */
static bool read_amount(const char *text, size_t len, double *number_r,
	char unit_r[AXIS_UNIT_MAX])
{
	char copy[64], *end;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	*number_r = strtod(copy, &end);
	if (*copy < '0' || *copy > '9' || !isfinite(*number_r) ||
		strlen(end) >= AXIS_UNIT_MAX)
		return false;
	strcpy(unit_r, end);
	return true;
}

int axis_parse(const char *text, struct axis *axis_r, struct err *err_r)
{
	const char *from = strchr(text, '='), *to, *n;
	char unit[AXIS_UNIT_MAX], *end;

	if (!from || from == text ||
		(size_t)(from - text) >= sizeof(axis_r->key))
		return wrong(text, "it has no key", err_r);
	memcpy(axis_r->key, text, (size_t)(from - text));
	axis_r->key[from - text] = '\0';
	to = strstr(++from, "..");
	n = to ? strchr(to, ':') : NULL;
	if (!to || !n)
		return wrong(text, "it has no range", err_r);
	if (!read_amount(from, (size_t)(to - from), &axis_r->from, unit) ||
		!read_amount(to + 2, (size_t)(n - to - 2), &axis_r->to,
			axis_r->unit))
		return wrong(text, "FROM or TO is no number", err_r);
	if (strcmp(unit, axis_r->unit) != 0)
		return wrong(text, "FROM and TO have different units", err_r);
	axis_r->n = strtoul(n + 1, &end, 10);
	if (n[1] < '0' || n[1] > '9' || *end || axis_r->n < 2 ||
		axis_r->n > AXIS_VALUES_MAX)
		return wrong(text, "N is a number of values, 2 to 100", err_r);
	return 0;
}

double axis_number(const struct axis *axis, size_t i)
{
	double step = (axis->to - axis->from) / (double)(axis->n - 1);

	return axis->from + step * (double)i;
}

const char *axis_print(
	const struct axis *axis, double number, char text[AXIS_TEXT_MAX])
{
	snprintf(text, AXIS_TEXT_MAX, "%.6g%s", number, axis->unit);
	return text;
}

double axis_grain(const struct axis *axis)
{
	double step = fabs(axis->to - axis->from) / (double)(axis->n - 1);
	double most = fmax(axis->from, axis->to);
	double grain, finest;

	if (!(step > 0))
		return 1;
	grain = pow(10, floor(log10(most)) - 2);
	finest = pow(10, floor(log10(most)) - 5);
	return fmax(fmin(grain, pow(10, floor(log10(step)) - 1)), finest);
}

const char *axis_value(
	const struct axis *axis, size_t i, char text[AXIS_TEXT_MAX])
{
	return axis_print(axis, axis_number(axis, i), text);
}
