/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All kinds of mappings of a policy, found by going through the tables of keys:
 * what the schema and the table of keys are printed from. Private to them.
 */
#ifndef TIDEGATE_POLICY_POLICY_CATALOG_H
#define TIDEGATE_POLICY_POLICY_CATALOG_H

#include "policy/loader.h"

#define CATALOG_MAX 64

struct catalog {
	/* In the order of the file; each once, those of a base first. */
	const struct section *section[CATALOG_MAX];
	size_t n_sections;
	/* One key for each schema of a value that has a name of its own. */
	const struct key *value[CATALOG_MAX];
	size_t n_values;
};

void catalog_fill(struct catalog *catalog_r, const struct section *root);

#endif
