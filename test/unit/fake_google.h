/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google as far as credentials see it: the token endpoint of people and service
 * accounts, the Security Token Service, IAM Credentials, a metadata server; and
 * GitHub, which gives the subject tokens. As strict as the real ones.
 */
#ifndef TEST_FAKE_GOOGLE_H
#define TEST_FAKE_GOOGLE_H

#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

struct loop;
struct server;

#define FAKE_EMAIL "ci@acme.iam.gserviceaccount.com"
#define FAKE_KID   "0123456789abcdef"

#define FAKE_CLIENT  "client.apps.googleusercontent.com"
#define FAKE_SECRET  "client-s3cr3t"
#define FAKE_REFRESH "1//refresh-s3cr3t"

/* Federation: the provider, whose condition is that repository, the account
 * its identities may act as, and a delegate on the way to it. */
#define FAKE_PROVIDER                                                \
	"iam.googleapis.com/projects/123456789012/locations/global/" \
	"workloadIdentityPools/gh/providers/github"
#define FAKE_ISSUER     "https://token.actions.githubusercontent.com"
#define FAKE_REPOSITORY "acme/shop"
#define FAKE_DEPLOYER   "deploy@acme.iam.gserviceaccount.com"
#define FAKE_DELEGATE   "between@acme.iam.gserviceaccount.com"
#define FAKE_REQUEST    "r3quest-t0ken" /* GitHub's ACTIONS_ID_TOKEN_… */
#define FAKE_WORKFORCE                                                \
	"//iam.googleapis.com/locations/global/workforcePools/staff/" \
	"providers/corp"

/* One scripted answer; status 0: an honest one. */
struct fake_answer {
	int status;
	const char *body;
};

struct fake_google {
	struct server *server;
	struct loop *loop;
	EVP_PKEY *key; /* whose signatures are taken */
	int64_t clock_ahead_s; /* of the fake's own clock */
	const char *life; /* JSON of expires_in */
	const struct fake_answer *script; /* one each, then honest */
	int n_script;
	bool no_flavor; /* the metadata server is somebody else */
	int64_t delay_ms; /* before each answer */
	struct late *lates; /* they wait, or waited, for it */
	bool long_tokens; /* of more than the 12,288 bytes that are told */
	bool no_life; /* an exchange does not tell expires_in */
	bool wants_client, wants_delegate, wants_project; /* at STS, IAM */
	bool denies; /* acting as the account */
	int64_t id_life_s; /* of ID tokens and subject tokens */
	const char *audience; /* of subject tokens instead of the provider */
	const char *repository; /* of subject tokens instead of the right one */
	const char *rotated; /* the refresh token that replaces the first */
	int subjects; /* subject tokens that were made */
	int exchanges; /* of tokens at STS */
	char *subject; /* the last one that was exchanged */
	int requests; /* so far */
	int tokens; /* handed out: the last is "ya29.<tokens>" */
};

EVP_PKEY *fake_key_new(int bits);
/* The text of a key file; the caller frees it. */
char *fake_key_file(EVP_PKEY *key, const char *token_uri);

/* Whether `jwt` is signed RS256 by `key`; the parts belong to the caller. */
bool fake_jwt_verify(
	EVP_PKEY *key, const char *jwt, json_t **header_r, json_t **claims_r);

/* A field of a form, decoded; the caller frees it. NULL: not there. */
char *fake_form_field(const char *form, const char *name);

/* A JWT signed by the key; takes the claims over. The caller frees it. */
char *fake_jwt_new(EVP_PKEY *key, json_t *claims);
/* The subject token that GitHub would give now; the caller frees it. */
char *fake_subject_new(struct fake_google *google);

/* The text of token number `n`; the caller frees it. */
char *fake_token(const struct fake_google *google, int n);

/* For fake_identity.c: answers; whether a part's member is that text. */
struct server_request;
void fake_answer(struct server_request *request, int status, const char *body);
void fake_refuse(struct server_request *request, const char *error,
	const char *description);
void fake_hand_out(struct fake_google *google, struct server_request *request);
void fake_give_id(struct server_request *request, const char *name, char *jwt);
char *fake_id_token(const struct fake_google *google, const char *audience);
bool fake_is(const json_t *part, const char *name, const char *wanted);
bool fake_identity(struct fake_google *google, struct server_request *request);

void fake_google_init(
	struct fake_google *google, struct loop *loop, EVP_PKEY *key);
void fake_google_fini(struct fake_google *google);
char *fake_google_url(const struct fake_google *google, const char *path);

#endif
