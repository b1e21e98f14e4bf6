/* SPDX-License-Identifier: Apache-2.0 */
/* Of names that are ours, not strangers' (FNV-1a): for tables of them. */
#ifndef TIDEGATE_BASE_NAME_HASH_H
#define TIDEGATE_BASE_NAME_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline size_t name_bucket(const char *text, size_t buckets)
{
	uint32_t hash = 2166136261U;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619U;
	return hash % buckets;
}

#endif
