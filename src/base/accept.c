/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the header Accept; see accept.h. */
#include "base/accept.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* A part of the header. */
struct slice {
	const char *at;
	size_t len;
};

static struct slice trimmed(const char *at, size_t len)
{
	while (len && strchr(BLANKS, *at)) {
		at++;
		len--;
	}
	while (len && strchr(BLANKS, at[len - 1]))
		len--;
	return (struct slice){at, len};
}

static bool slice_is(struct slice slice, const char *text)
{
	return slice.len == strlen(text) &&
	       !strncasecmp(slice.at, text, slice.len);
}

/* What stands before the next `end` that is not in quotes; `*rest` is what
 * follows it, NULL: nothing. */
static struct slice next_part(struct slice *rest, char end)
{
	struct slice part = *rest;
	bool quoted = false;
	size_t i;

	for (i = 0; i < part.len; i++) {
		if (quoted && part.at[i] == '\\' && i + 1 < part.len)
			i++;
		else if (part.at[i] == '"')
			quoted = !quoted;
		else if (part.at[i] == end && !quoted)
			break;
	}
	if (i == part.len)
		*rest = (struct slice){NULL, 0};
	else
		*rest = (struct slice){part.at + i + 1, part.len - i - 1};
	return trimmed(part.at, i);
}

/* "0.75" in thousandths; -1: it is no weight. */
static int weight_of(struct slice text)
{
	int weight = 0, unit = ACCEPT_MAX / 10;

	if (!text.len || text.len > 5 || (*text.at != '0' && *text.at != '1') ||
		(text.len > 1 && text.at[1] != '.'))
		return -1;
	if (*text.at == '1')
		weight = ACCEPT_MAX;
	for (size_t i = 2; i < text.len; i++, unit /= 10) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return -1;
		weight += (text.at[i] - '0') * unit;
	}
	return weight <= ACCEPT_MAX ? weight : -1;
}

static struct slice unquoted(struct slice text)
{
	if (text.len >= 2 && *text.at == '"' && text.at[text.len - 1] == '"')
		return (struct slice){text.at + 1, text.len - 2};
	return text;
}

/* Of one place: 0 also when it is another version. */
static int weight_of_place(struct slice rest, const char *version)
{
	int weight = ACCEPT_MAX;

	while (rest.at) {
		struct slice value = next_part(&rest, ';');
		struct slice name = next_part(&value, '=');

		if (value.at)
			value = trimmed(value.at, value.len);
		if (slice_is(name, "q"))
			weight = weight_of(value);
		else if (slice_is(name, "version") &&
			 !slice_is(unquoted(value), version))
			return 0;
	}
	return weight > 0 ? weight : 0;
}

int accept_weight(const char *accept, const char *type, const char *version)
{
	struct slice rest = {accept, strlen(accept)};
	int greatest = 0, weight;

	while (rest.at) {
		struct slice place = next_part(&rest, ',');

		if (!slice_is(next_part(&place, ';'), type))
			continue;
		weight = weight_of_place(place, version);
		if (weight > greatest)
			greatest = weight;
	}
	return greatest;
}
