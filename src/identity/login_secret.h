/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one login is made of: all of it comes from 32 random bytes, which only
 * the browser that began it has, in a cookie. So nothing is kept here for
 * logins that never end. Pure but for the bytes.
 */
#ifndef TIDEGATE_IDENTITY_LOGIN_SECRET_H
#define TIDEGATE_IDENTITY_LOGIN_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

#define LOGIN_LIFE_S   600
#define LOGIN_NEXT_MAX 1024 /* bytes of the path to go to afterwards */
#define LOGIN_TEXT_MAX 44 /* of 32 bytes, with the NUL */
#define LOGIN_BYTES    32

struct login_secret {
	unsigned char bytes[LOGIN_BYTES];
	int issuer; /* which of those that are configured */
	int64_t expires_s;
	const char *next; /* a path of ours */
	/* Derived. */
	char state[LOGIN_TEXT_MAX], nonce[LOGIN_TEXT_MAX];
	char verifier[LOGIN_TEXT_MAX], challenge[LOGIN_TEXT_MAX];
};

/* Whether it is a path on this host: it begins with one slash, and no browser
 * takes it for the address of another host. */
bool login_next_is_ours(const char *next);

/* A new one; `next` is copied into the arena, "/" unless it is ours. */
void login_secret_make(struct login_secret *secret_r, int issuer,
	const char *next, int64_t now_s, struct arena *arena);
/* The cookie's value. */
void login_secret_print(const struct login_secret *secret, struct buf *out);
/* -1: it is none of ours, or over. */
MUST_CHECK int login_secret_parse(const char *value, size_t len, int64_t now_s,
	struct arena *arena, struct login_secret *secret_r);

#endif
