/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody may do; see access.h. */
#include "serve/access.h"

#include <string.h>

#include "serve/visitor.h"

#define PARTS 3 /* project, region, service */

enum right right_of_verb(enum verb verb)
{
	return verb == VERB_APPROVE ? RIGHT_APPROVE : RIGHT_OPERATE;
}

/* ---- services ---- */

struct part {
	const char *at;
	size_t len;
};

/* `skip` words between the parts are passed over: projects, locations, … */
static bool split(const char *text, bool skip, struct part part[PARTS])
{
	for (int i = 0; i < PARTS; i++) {
		if (skip) {
			text += strcspn(text, "/");
			text += *text == '/';
		}
		part[i] = (struct part){text, strcspn(text, "/")};
		text += part[i].len;
		if (i + 1 < PARTS && *text++ != '/')
			return false;
	}
	return !*text;
}

/* A * stands for any bytes of the part. Linear but for the last *. */
static bool part_matches(struct part glob, struct part text)
{
	size_t g = 0, t = 0, star = SIZE_MAX, from = 0;

	while (t < text.len) {
		if (g < glob.len && glob.at[g] == '*') {
			star = g++;
			from = t;
		} else if (g < glob.len && glob.at[g] == text.at[t]) {
			g++;
			t++;
		} else if (star != SIZE_MAX) {
			g = star + 1;
			t = ++from;
		} else {
			return false;
		}
	}
	while (g < glob.len && glob.at[g] == '*')
		g++;
	return g == glob.len;
}

bool access_service_matches(const char *pattern, const char *service)
{
	struct part glob[PARTS], name[PARTS];

	if (!split(pattern, false, glob) || !split(service, true, name))
		return false;
	for (int i = 0; i < PARTS; i++)
		if (!part_matches(glob[i], name[i]))
			return false;
	return true;
}

/* ---- rows ---- */

bool access_row_is_of(
	const struct access_row *row, const struct visitor *visitor)
{
	for (size_t i = 0; i < row->n_who; i++)
		if (!strcmp(row->who[i], ACCESS_ANYONE)
				? visitor->caller.is_vetted
				: visitor_is(visitor, row->who[i]))
			return true;
	return false;
}

static bool row_has_service(const struct access_row *row, const char *service)
{
	if (!service || !row->n_services)
		return true;
	for (size_t i = 0; i < row->n_services; i++)
		if (access_service_matches(row->services[i], service))
			return true;
	return false;
}

static bool row_has_policy(const struct access_row *row, const char *policy)
{
	if (!policy || !row->n_policies)
		return true;
	for (size_t i = 0; i < row->n_policies; i++)
		if (!strcmp(row->policies[i], policy))
			return true;
	return false;
}

/* What the way in leaves of the rights that rows grant. */
static unsigned rights_left(const struct visitor *visitor)
{
	unsigned left = visitor->caller.rights;

	if (visitor->caller.is_machine || !visitor->is_person)
		left &= ~RIGHT_BIT(RIGHT_APPROVE);
	return left;
}

unsigned access_rights(
	const struct access *access, const struct visitor *visitor)
{
	unsigned may = 0;

	for (size_t i = 0; i < access->n_rows; i++)
		if (access_row_is_of(&access->rows[i], visitor))
			may |= access->rows[i].may;
	return may & rights_left(visitor);
}

static void say_why(const struct visitor *visitor, enum right right,
	bool granted, const char *service, struct err *why_r)
{
	if (!why_r)
		return;
	if (right == RIGHT_APPROVE && visitor->caller.is_machine)
		err_set(why_r, ERR_DENIED,
			"%.100s is a machine, and a machine never approves",
			visitor->name);
	else if (right == RIGHT_APPROVE && !visitor->is_person)
		err_set(why_r, ERR_DENIED,
			"%.100s is nobody among the people that may approve",
			visitor->name);
	else if (granted)
		err_set(why_r, ERR_DENIED,
			"%.100s came in with a token that does not have the "
			"right \"%s\"",
			visitor->name, right_names[right]);
	else
		err_set(why_r, ERR_DENIED,
			"%.100s does not have the right \"%s\"%s%.160s",
			visitor->name, right_names[right],
			service ? " for " : "", service ? service : "");
}

bool access_trusts_sent(const struct access *access,
	const struct visitor *visitor, enum right right, const char *service)
{
	const struct access_row *row;

	for (size_t i = 0; i < access->n_rows; i++) {
		row = &access->rows[i];
		if (row->trust_sent && (row->may & RIGHT_BIT(right)) &&
			!row->n_policies && access_row_is_of(row, visitor) &&
			row_has_service(row, service))
			return true;
	}
	return false;
}

bool access_may(const struct access *access, const struct visitor *visitor,
	enum right right, const char *service, const char *policy,
	struct err *why_r)
{
	const struct access_row *row;
	bool granted = false;

	for (size_t i = 0; i < access->n_rows && !granted; i++) {
		row = &access->rows[i];
		granted = (row->may & RIGHT_BIT(right)) &&
			  access_row_is_of(row, visitor) &&
			  row_has_service(row, service) &&
			  row_has_policy(row, policy);
	}
	if (granted && (rights_left(visitor) & RIGHT_BIT(right)))
		return true;
	say_why(visitor, right, granted, service, why_r);
	return false;
}
