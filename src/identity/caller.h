/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is asking, as far as a proof tells: keys, of which a person may have
 * several, and what the proof itself bounds. Which person has which key, and
 * who may what, is told by src/serve.
 *
 * Keys are "google:1078…" (the `sub` of Google and IAP), "oidc:ISSUER|SUB" of
 * other issuers, "email:alice@example.com" (verified, in lower case),
 * "token:NAME", "os:alice",
 * "slack:TEAM/USER". Of a GitHub workflow each claim that a rule may ask for is
 * a key of its own, "github:repository_id=123456", "github:ref=refs/heads/main"
 * (caller_has_all answers a rule with several of them).
 */
#ifndef TIDEGATE_IDENTITY_CALLER_H
#define TIDEGATE_IDENTITY_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identity/right.h"

#define CALLER_KEYS_MAX  24
#define CALLER_KEY_MAX   512 /* bytes with the NUL */
#define CALLER_FORM_MAX  44 /* of a form's token, with the NUL */
#define CALLER_PROOF_MAX 65 /* of a proof's name, with the NUL */

/* Borrowed from the call that tells of it. */
struct caller {
	/* "unix" "token" "oidc" "google" "github" "iap" "slack" "invite" */
	const char *method;
	const char *issuer; /* of a signed token; else "" */
	const char *const *keys; /* the first is the one to show and journal */
	size_t n_keys;
	const char *label; /* for people: an address, a repository; NULL */
	/* A token's or an OS user's own name; NULL: people decide. */
	const char *person;
	bool is_machine; /* software: it never approves */
	/* Only who belongs to us can have such a proof: a token of ours, an OS
	 * user, who IAP let in, an account of a domain of ours. Otherwise
	 * anybody on earth can, and counts by the keys alone: "anyone who
	 * signed in" does not mean them. */
	bool is_vetted;
	/* "github:583231": whose deed made a workflow run; NULL: none. It counts
	 * as who started a rollout, beside the caller, and gives no right: a
	 * workflow of strangers may have been set off by one of us. */
	const char *actor;
	/* The most that this proof may be used for; RIGHTS_ALL: it says nothing
	 * about that. */
	unsigned rights;
	int64_t expires_ms; /* of the wall clock; 0: never */
	/* Of an event that is kept: which proof it was, a token's id or a
	 * session's short hash; never the proof. */
	char proof[CALLER_PROOF_MAX];
	const char *peer; /* address, for the journal */
	/* What a form of ours has to bring back in its field "form_token"; "":
	 * this caller's requests come by no browser. */
	char form_token[CALLER_FORM_MAX];
};

/* Whether the caller has the key. */
bool caller_has(const struct caller *caller, const char *key);

/* "github:repository_id=1,ref=refs/heads/main" asks for both; any other text
 * is one key. False for a rule that rule_check refuses. */
bool caller_has_all(const struct caller *caller, const char *rule);

/* Whether this can be somebody's key, or a rule about workflows, which has to
 * say whose they are: repository_id or repository_owner_id. ERR_INVALID. */
MUST_CHECK int caller_rule_check(const char *rule, struct err *err_r);

#endif
