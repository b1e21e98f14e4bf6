/* SPDX-License-Identifier: Apache-2.0 */
/* Goes through the tables of keys, see policy_catalog.h. */
#include "policy/policy_catalog.h"

#include <assert.h>
#include <string.h>

static void catalog_visit(
	struct catalog *catalog, const struct section *section);

static bool catalog_has(
	const struct catalog *catalog, const struct section *section)
{
	for (size_t i = 0; i < catalog->n_sections; i++)
		if (catalog->section[i] == section)
			return true;
	return false;
}

static void catalog_add(struct catalog *catalog, const struct key *key)
{
	for (size_t i = 0; i < catalog->n_values; i++)
		if (!strcmp(catalog->value[i]->reader->def, key->reader->def))
			return;
	assert(catalog->n_values < CATALOG_MAX);
	catalog->value[catalog->n_values++] = key;
}

static void catalog_keys(struct catalog *catalog, const struct section *section)
{
	const struct section *const *in;

	for (const struct key *key = section->keys; key->name; key++) {
		if (!key->reader)
			continue;
		if (key->reader->def)
			catalog_add(catalog, key);
		for (in = key->reader->sections; in && *in; in++)
			catalog_visit(catalog, *in);
	}
}

static void catalog_visit(
	struct catalog *catalog, const struct section *section)
{
	if (catalog_has(catalog, section))
		return;
	if (section->base)
		catalog_visit(catalog, section->base);
	assert(catalog->n_sections < CATALOG_MAX);
	catalog->section[catalog->n_sections++] = section;
	catalog_keys(catalog, section);
}

void catalog_fill(struct catalog *catalog_r, const struct section *root)
{
	*catalog_r = (struct catalog){0};
	catalog_visit(catalog_r, root);
}
