/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging in by a browser: OpenID Connect, authorization code with PKCE, and
 * one-time invitations. The requests of these three paths are answered here.
 */
#ifndef TIDEGATE_IDENTITY_LOGIN_H
#define TIDEGATE_IDENTITY_LOGIN_H

#include "identity/issuer.h"
#include "identity/session.h"

struct login;

struct login_setup {
	struct ask_common *common;
	struct http *http;
	struct issuer *const *issuers; /* of kind ISSUER_OIDC; copied */
	size_t n_issuers;
	const char *public_url; /* borrowed; NULL: nobody can log in */
	struct session_rule rule;
};

struct login *login_new(const struct login_setup *setup);
/* Cancels what is asked of issuers; who waits is refused later. */
void login_stop(struct login *login);
/* When nobody is under way any more. */
void login_free(struct login **login);

void login_set_page(struct login *login, identity_page_fn page, void *arg);

/* GET …/login?next=/path&issuer=0&invite=CODE */
void login_begin(struct login *login, struct server_request *request);
/* GET …/callback?code=…&state=… */
void login_callback(struct login *login, struct server_request *request);
/* POST …/logout, whose caller has passed identity_ask. */
void login_end(struct login *login, struct server_request *request);

/* Answers that somebody could not log in, or out. */
void login_show_refusal(struct login *login, struct server_request *request,
	const struct refusal *refusal);

/* What lets one person in, once, within life_ms. */
struct secret *login_invite(
	struct login *login, const char *person, int64_t life_ms);

#endif
