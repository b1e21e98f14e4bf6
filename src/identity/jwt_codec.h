/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signed token (JWT in compact form) taken apart, strictly: nothing of it is
 * believed yet. Pure.
 */
#ifndef TIDEGATE_IDENTITY_JWT_CODEC_H
#define TIDEGATE_IDENTITY_JWT_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "identity/refusal.h"

#define JWT_BYTES_MAX     (16 * 1024)
#define JWT_SIGNATURE_MAX 1024 /* bytes: RSA of 8192 bits */
#define JWT_WORD_MAX      512 /* bytes of one claim's text */
#define JWT_KID_MAX       256
#define JWT_AUDIENCES_MAX 16

/* What is absent is NULL or 0; texts live in the arena. */
struct jwt_claims {
	const char *iss, *sub, *azp, *nonce, *jti;
	const char *aud[JWT_AUDIENCES_MAX];
	size_t n_aud;
	int64_t exp_s, iat_s, nbf_s; /* exp and iat are always there */
	const char *email, *hd; /* of Google and others */
	bool has_email_verified, email_verified;
	/* Of GitHub's workflows; numbers are texts of digits there. */
	const char *repository, *repository_id, *repository_owner_id;
	const char *ref, *environment, *workflow_ref, *job_workflow_ref;
	const char *event_name, *actor, *actor_id, *run_id, *runner_environment;
};

struct jwt {
	const char *alg, *kid;
	const char *signed_text; /* the bytes as they came */
	size_t signed_len;
	const unsigned char *signature;
	size_t signature_len;
	struct jwt_claims claims;
};

/* `text` stays as it is for as long as the result is used. */
MUST_CHECK int jwt_decode(const char *text, size_t len, struct arena *arena,
	struct jwt *jwt_r, struct refusal *refusal_r);

#endif
