/* SPDX-License-Identifier: Apache-2.0 */
/* All keys of a policy as a table for people, printed from the tables. */
#include <assert.h>
#include <string.h>

#include "policy/policy_catalog.h"

static void table_default(struct buf *out, const char *value)
{
	buf_adds(out, "; default ");
	for (; *value; value++)
		if (*value != '\'') /* see policy_schema.c */
			buf_addc(out, *value);
}

/* "use", or "provider=google" as one would write it. */
static void table_condition(struct buf *out, const char *unless)
{
	const char *equals = strchr(unless, '=');

	if (equals)
		buf_addf(out, "%.*s: %s", (int)(equals - unless), unless,
			equals + 1);
	else
		buf_adds(out, unless);
}

static void table_need(
	struct buf *out, const struct key *key, const struct section *section)
{
	if (key->need == KEY_OPTIONAL)
		return;
	buf_adds(out, key->need == KEY_ONLY_WITH ? "; only" : "; required");
	if (key->need == KEY_REQUIRED || !section->unless)
		return;
	buf_adds(out, key->need == KEY_ONLY_WITH ? " with " : " without ");
	table_condition(out, section->unless);
}

static void table_key(
	struct buf *out, const struct key *key, const struct section *section)
{
	assert(key->about);
	buf_addf(out, "  %s: ", key->name);
	if (key->reader->add_what)
		key->reader->add_what(out, key);
	else
		buf_adds(out, key->reader->what);
	table_need(out, key, section);
	if (key->value)
		table_default(out, key->value);
	buf_addf(out, "\n      %s\n", key->about);
}

void policy_print_keys(struct buf *out)
{
	struct catalog catalog;

	catalog_fill(&catalog, &policy_section);
	for (size_t i = 0; i < catalog.n_sections; i++) {
		const struct section *section = catalog.section[i];

		buf_addf(out, "%s%s: %s\n", i ? "\n" : "", section->what,
			section->about);
		for (const struct key *key = section->keys; key->name; key++)
			if (key->reader)
				table_key(out, key, section);
	}
}
