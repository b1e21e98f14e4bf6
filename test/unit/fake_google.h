/*
 * Google as far as credentials see it: a token endpoint that takes nothing but
 * a well-signed assertion, and a metadata server. As strict as the real ones.
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

/* One scripted answer; status 0: an honest one. */
struct fake_answer {
	int status;
	const char *body;
};

struct fake_google {
	struct server *server;
	EVP_PKEY *key; /* whose signatures are taken */
	int64_t clock_ahead_s; /* of the fake's own clock */
	const char *life; /* JSON of expires_in */
	const struct fake_answer *script; /* one each, then honest */
	int n_script;
	bool no_flavor; /* the metadata server is somebody else */
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

void fake_google_init(
	struct fake_google *google, struct loop *loop, EVP_PKEY *key);
void fake_google_fini(struct fake_google *google);
char *fake_google_url(const struct fake_google *google, const char *path);

#endif
