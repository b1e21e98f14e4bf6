/* SPDX-License-Identifier: Apache-2.0 */
/* Values with their units; see unit.h. */
#include "policy/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS       3
#define DIGITS_GIVEN 12 /* a double that was written by a person has fewer */
#define DIGITS_MAX   15
#define WHOLE_MIN    100 /* requests */
#define PLAIN_MIN    1e-6 /* outside of these a number has an exponent */
#define PLAIN_MAX    1e15

struct unit {
	const char *name;
	double times; /* so many of the unit are 1 of the value */
};

static const struct unit percent = {"%", 100};
static const struct unit plain = {"", 1};

/* By the last unit of a duration: "1m30s" is counted in seconds. */
static const struct unit *find_spelled(const char *text)
{
	static const struct unit lengths[] = {{"ms", 1000}, {"s", 1},
		{"m", 1.0 / 60}, {"h", 1.0 / 3600}, {"d", 1.0 / 86400}};
	size_t len = strlen(text), n, i;

	if (len && text[len - 1] == '%')
		return &percent;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		n = strlen(lengths[i].name);
		if (len > n && !strcmp(text + len - n, lengths[i].name))
			return &lengths[i];
	}
	return &plain;
}

bool unit_is_spelled(const char *limit)
{
	return find_spelled(limit) != &plain;
}

static struct unit find_unit(const struct slo *slo)
{
	const struct slo_texts *t = &slo->texts;
	const char *const texts[] = {
		t->max, t->min, t->critical, t->max_increase};
	size_t i;

	if (slo->unit)
		return (struct unit){slo->unit, 1};
	if (slo->kind == SLO_EVIDENCE)
		return percent;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i])
			return *find_spelled(texts[i]);
	}
	return plain;
}

/* The unit of a length "m" is not a metre. */
static const char *name_of(struct unit unit)
{
	return strcmp(unit.name, "m") != 0 || unit.times == 1 ? unit.name
							      : "min";
}

const char *unit_name(const struct slo *slo)
{
	return name_of(find_unit(slo));
}

static void strip_zeros(char *text)
{
	size_t len = strlen(text);

	if (!strchr(text, '.'))
		return;
	while (text[len - 1] == '0')
		text[--len] = '\0';
	if (text[len - 1] == '.')
		text[len - 1] = '\0';
}

/* As %g does, but with an exponent only where nobody could read it. */
static void print_number(double value, int digits, char text[UNIT_TEXT_MAX])
{
	char scientific[UNIT_TEXT_MAX];
	double rounded, size;
	int decimals;

	if (isinf(value)) {
		snprintf(text, UNIT_TEXT_MAX, "%sinfinite",
			value < 0 ? "-" : "");
		return;
	}
	snprintf(scientific, sizeof(scientific), "%.*e", digits - 1, value);
	rounded = strtod(scientific, NULL);
	size = fabs(rounded);
	if (size != 0 && (size < PLAIN_MIN || size >= PLAIN_MAX)) {
		snprintf(text, UNIT_TEXT_MAX, "%.*g", digits, value);
		return;
	}
	decimals =
		digits - 1 - (int)strtol(strchr(scientific, 'e') + 1, NULL, 10);
	snprintf(text, UNIT_TEXT_MAX, "%.*f", decimals > 0 ? decimals : 0,
		rounded == 0 ? 0 : rounded);
	strip_zeros(text);
}

static void print_with(
	struct unit unit, double value, int digits, char text[UNIT_TEXT_MAX])
{
	const char *name = name_of(unit);
	size_t len;

	if (isnan(value)) {
		text[0] = '\0';
		return;
	}
	print_number(value * unit.times, digits, text);
	len = strlen(text);
	if (*name)
		snprintf(text + len, UNIT_TEXT_MAX - len, " %s", name);
}

const char *unit_print(
	const struct slo *slo, double value, char text[UNIT_TEXT_MAX])
{
	print_with(find_unit(slo), value, DIGITS, text);
	return text;
}

const char *unit_print_given(
	const struct slo *slo, double value, char text[UNIT_TEXT_MAX])
{
	print_with(find_unit(slo), value, DIGITS_GIVEN, text);
	return text;
}

void unit_print_both(const struct slo *slo, double value, double limit,
	bool is_given, char value_text[UNIT_TEXT_MAX],
	char limit_text[UNIT_TEXT_MAX])
{
	struct unit unit = find_unit(slo);
	int digits = DIGITS;

	for (;; digits++) {
		print_with(unit, value, digits, value_text);
		print_with(unit, limit, is_given ? DIGITS_GIVEN : digits,
			limit_text);
		if (digits >= DIGITS_MAX || value == limit ||
			strcmp(value_text, limit_text) != 0)
			return;
	}
}

const char *unit_print_count(double count, char text[UNIT_TEXT_MAX])
{
	print_with(plain, count >= WHOLE_MIN ? round(count) : count,
		count >= WHOLE_MIN ? DIGITS_MAX : DIGITS, text);
	return text;
}
