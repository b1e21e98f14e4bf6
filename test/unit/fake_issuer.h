/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OpenID issuer of tokens, as strict as the real ones: discovery document,
 * keys, authorization and token endpoint with PKCE.
 */
#ifndef TEST_FAKE_ISSUER_H
#define TEST_FAKE_ISSUER_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

struct loop;
struct server;
struct server_request;

#define FAKE_RP_ID     "client:1/2" /* has to be escaped twice */
#define FAKE_RP_SECRET "s3cr3t+of us"

struct fake_issuer {
	struct server *server;
	struct loop *loop;
	char url[64];
	EVP_PKEY *rsa, *ec; /* borrowed */
	const char *rsa_kid, *ec_kid; /* "r1" and "e1" */
	const char *cache_control; /* of the keys */
	const char *says; /* another issuer in the discovery document */
	int keys_status; /* 0: an honest answer */
	bool holds_keys; /* they are answered by fake_issuer_release */
	struct server_request *held[8];
	int n_held;
	bool posts_secret; /* takes client_secret_post alone */
	const char *redirect_uri; /* that is registered */
	const char *claims; /* more members of the ID token */
	const char *nonce; /* another one in the ID token */
	/* Of the login under way. */
	char *code, *given_nonce, *challenge;
	int keys_asked, discovery_asked, tokens_asked;
};

void fake_issuer_init(struct fake_issuer *issuer, struct loop *loop,
	EVP_PKEY *rsa, EVP_PKEY *ec);
void fake_issuer_fini(struct fake_issuer *issuer);
void fake_issuer_release(struct fake_issuer *issuer);

/* A token of it; `claims` come after iss, iat and exp (in life_s). The caller
 * frees it. */
char *fake_issuer_token(
	const struct fake_issuer *issuer, int64_t life_s, const char *claims);

#endif
