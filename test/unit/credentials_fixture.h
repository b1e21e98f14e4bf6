/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials against the fake Google: a loop, a folder that is also $HOME, a
 * clean environment, and who asks for tokens. Shared by the tests of sources.
 */
#ifndef TEST_CREDENTIALS_FIXTURE_H
#define TEST_CREDENTIALS_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "fake_google.h"
#include "google/credentials.h"

#define DEADLINE_MS 60000
#define BACKOFF_MS  20
#define URI         "https://oauth2.googleapis.com/token"

extern EVP_PKEY *key_pair;

struct world {
	struct loop *loop;
	struct http *http;
	struct fake_google google;
	struct credentials *credentials;
	struct timer *deadline;
	char folder[32]; /* also $HOME */
	char *key_path;
};

struct token_answer {
	struct world *world;
	int calls;
	char token[32]; /* "" when there was none */
	struct err err;
	struct credentials *again; /* asked from inside the callback */
	struct token_call **victim; /* cancelled from inside the callback */
	bool rejects, stops;
};

int make_key(void **state); /* of the whole program */
int drop_key(void **state);
int set_up(void **state);
int tear_down(void **state);

void write_file(const char *path, const char *text);
void run(struct world *world); /* until something stops the loop */

void ignore(const struct secret *token, const struct err *err, void *arg);
void answered(const struct secret *token, const struct err *err, void *arg);
struct token_answer ask(struct world *world); /* for an access token */

void open_found(struct world *world);
void open_key(struct world *world);
void open_metadata(struct world *world);
/* Files of credentials, with the addresses of Google pointed at the fake; they
 * are written over the key's, taken over and opened. */
#define JWT_TYPE "urn:ietf:params:oauth:token-type:jwt"
#define ACT_AS(who)                                            \
	"https://iamcredentials.googleapis.com/v1/projects/-/" \
	"serviceAccounts/" who ":generateAccessToken"
void use_fake(struct world *world, const char *token_path);
void write_json(struct world *world, json_t *file);
void open_json(struct world *world, json_t *file);
/* As google-github-actions/auth writes it. */
json_t *github_file(struct world *world);
/* The same without an account, and with another credential_source. */
json_t *direct_file(struct world *world, json_t *source);
json_t *user_file(void);
json_t *impersonated_file(json_t *source);

/* No token, for reasons with all these texts and no secret in them. */
void expect_failure(struct world *world, const char *const texts[]);
#define EXPECT_FAILURE(world, ...) \
	expect_failure(world, (const char *const[]){__VA_ARGS__, NULL})
void forget_token(struct world *world); /* an API refused it */

/* The credentials cannot be used, and the reason has this text. */
void expect_refused(struct world *world, const char *text);

#endif
