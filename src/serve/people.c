/* SPDX-License-Identifier: Apache-2.0 */
/* People and their keys; see people.h. */
#include "serve/people.h"

#include <stdbool.h>
#include <string.h>

static bool has_key(const struct person *person, const char *key)
{
	for (size_t i = 0; i < person->n_keys; i++)
		if (!strcmp(person->keys[i], key))
			return true;
	return false;
}

const struct person *people_find(
	const struct people *people, const char *const *keys, size_t n_keys)
{
	for (size_t k = 0; k < n_keys; k++)
		for (size_t i = 0; i < people->n; i++)
			if (has_key(&people->list[i], keys[k]))
				return &people->list[i];
	return NULL;
}
