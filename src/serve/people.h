/* SPDX-License-Identifier: Apache-2.0 */
/*
 * People and their keys: one person may come in several ways, and is the same
 * person. Pure.
 */
#ifndef TIDEGATE_SERVE_PEOPLE_H
#define TIDEGATE_SERVE_PEOPLE_H

#include <stddef.h>

struct person {
	const char *name; /* as approvers of policies are named */
	const char *const *keys;
	size_t n_keys;
};

struct people {
	const struct person *list;
	size_t n;
};

/* The person with one of these keys; NULL: nobody has one. */
const struct person *people_find(
	const struct people *people, const char *const *keys, size_t n_keys);

#endif
