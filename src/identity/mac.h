/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA256 over several pieces, one after the other. */
#ifndef TIDEGATE_IDENTITY_MAC_H
#define TIDEGATE_IDENTITY_MAC_H

#include <stdbool.h>
#include <stddef.h>

#define MAC_BYTES 32

struct mac_part {
	const void *bytes; /* NULL ends the list */
	size_t len;
};

void mac_make(const void *key, size_t key_len, const struct mac_part *parts,
	unsigned char mac_r[MAC_BYTES]);

/* In the same time wherever they differ. */
bool mac_is_same(
	const unsigned char a[MAC_BYTES], const unsigned char b[MAC_BYTES]);

#endif
