/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon that only says who asks, its state file, an issuer and a browser or
 * program that asks: one process, one loop.
 */
#ifndef TEST_IDENTITY_FIXTURE_H
#define TEST_IDENTITY_FIXTURE_H

#include "fake_issuer.h"
#include "identity/identity.h"
#include "io/http.h"

#define WORLD_ORIGIN "https://tidegate.example.com"
#define WORLD_URL    WORLD_ORIGIN "/ops"
#define IAP_AUDIENCE "/projects/123/locations/us-central1/services/tidegate"
#define SLACK_SECRET "8f742231b10e8888abcd99yyyzzz85a5"

struct identity_world {
	struct loop *loop;
	struct http *http;
	struct server *server, *unix_server;
	struct identity *identity;
	struct fake_issuer issuer;
	char folder[64], state[96];
	char url[64];
	struct issuer_config issuers[8];
	struct identity_config config;
	const char *domains[2];
	struct secret *client_secret, *signing_secret;
	/* The last answer: what was said of the caller, or the refusal. */
	int status;
	bool answered;
	char code[64]; /* of a refusal */
	char reason[REFUSAL_REASON_MAX];
	int64_t retry_after_ms;
	char method[32], keys[1024], person[64], actor[64], label[128];
	char proof[CALLER_PROOF_MAX], form_token[CALLER_FORM_MAX];
	char location[2048], cookie[2048]; /* of the answer */
	char button[256]; /* Slack's value */
	bool is_machine, is_vetted;
	unsigned rights;
};

/* All kinds of identity are configured; keys of the issuer are used for all. */
void identity_world_init(struct identity_world *w, EVP_PKEY *rsa, EVP_PKEY *ec);
void identity_world_fini(struct identity_world *w);
/* As after a restart of the daemon. */
void identity_world_restart(struct identity_world *w);

struct identity_ask_spec {
	const char *method; /* NULL: GET */
	const char *path; /* NULL: "/who" */
	const char *bearer, *cookie, *assertion, *own_token;
	const char *origin, *fetch_site, *content_type, *body, *forwarded;
	const char *slack_time, *slack_signature;
	struct http_header header; /* any other */
};

/* Asks and waits for the answer. */
void identity_world_ask(
	struct identity_world *w, const struct identity_ask_spec *spec);
/* The same, and does not wait: RUN_UNTIL w->answered. */
void identity_world_ask_soon(
	struct identity_world *w, const struct identity_ask_spec *spec);
/* Asks, and fails unless it is refused with that code. */
void identity_world_refused(struct identity_world *w,
	const struct identity_ask_spec *spec, const char *code);

/* The same by a Unix socket, GET /who without any header. */
void identity_world_ask_unix(struct identity_world *w);

/* A token of the state file; the caller frees it. */
char *identity_world_token(struct identity_world *w, const char *name,
	const char *person, const char *rights, int64_t life_ms);

/* "name=value" of the answer's Set-Cookie; the caller frees it. */
char *identity_world_cookie(const struct identity_world *w);

#endif
