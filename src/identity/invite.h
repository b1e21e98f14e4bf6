/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-time invitations: a code that lets one person in, for those who started
 * the daemon and see what it prints. Kept in memory, as hashes. Pure but for
 * the bytes.
 */
#ifndef TIDEGATE_IDENTITY_INVITE_H
#define TIDEGATE_IDENTITY_INVITE_H

#include <stdint.h>

#include "base/secret.h"
#include "io/digest.h"

#define INVITES_MAX 16 /* the oldest is forgotten */

struct invites {
	struct invite {
		char *person; /* NULL: nobody's */
		int64_t until_ms;
		unsigned char hash[DIGEST_BYTES];
	} list[INVITES_MAX];
	unsigned n_added;
};

/* The code; times are of any one clock. */
struct secret *invites_add(
	struct invites *invites, const char *person, int64_t until_ms);
/* Whose it is, owned by the caller, and it is used; NULL: it is none. */
char *invites_take(struct invites *invites, const char *code, int64_t now_ms);
void invites_clear(struct invites *invites);

#endif
