/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is it? One question for all of the daemon, asked of a request before
 * anything is done for it; every kind of proof is judged behind it.
 *
 * A request brings one proof. Which one counts, the first that is there:
 *   1. a token of ours ("tgt_…"), as Authorization: Bearer, or in
 *      X-Tidegate-Token where Authorization is Cloud Run's
 *   2. x-goog-iap-jwt-assertion, where IAP is configured
 *   3. another Authorization: Bearer: an ID token of Google or GitHub
 *   4. the session's cookie
 *   5. the OS user at the other end of a Unix socket
 * A proof that is wrong is refused; no other one is looked at then. What a
 * browser sends by itself (2 and 4) is taken for a request that changes
 * something only when our own page has sent it (request_origin.h).
 */
#ifndef TIDEGATE_IDENTITY_IDENTITY_H
#define TIDEGATE_IDENTITY_IDENTITY_H

#include "identity/caller.h"
#include "identity/identity_config.h"
#include "identity/refusal.h"

struct api;
struct identity;
struct server_request;
struct slack_action;

/* One of the first two is set; valid during the call. */
struct identity_answer {
	const struct caller *caller;
	const struct refusal *refusal;
	const struct slack_action *action; /* of identity_ask_slack */
};

typedef void (*identity_fn)(const struct identity_answer *answer, void *arg);

/* Opens the state file, which waits. `api` is copied; its credentials are not
 * used. */
MUST_CHECK struct identity *identity_new(const struct api *api,
	const struct identity_config *config, struct err *err_r);
/* Who still waits is refused first. */
void identity_free(struct identity **identity);

/* `fn` is told once, later, never inside this call. The request must stay
 * unanswered until then. A refusal has been logged. */
void identity_ask(struct identity *identity, struct server_request *request,
	identity_fn fn, void *arg);

/* The same of a request that Slack sends, with what somebody pressed there.
 * Each is taken once. */
void identity_ask_slack(struct identity *identity,
	struct server_request *request, identity_fn fn, void *arg);

/*
 * Logging in with a browser. These answer their requests themselves:
 *   GET  …/login?next=/path[&issuer=N][&invite=CODE]
 *   GET  …/callback      where the issuer sends the browser back to
 *   POST …/logout
 */
void identity_login(struct identity *identity, struct server_request *request);
void identity_callback(
	struct identity *identity, struct server_request *request);
void identity_logout(struct identity *identity, struct server_request *request);

/* Answers such a request that was refused, with the refusal's status. */
typedef void (*identity_page_fn)(struct server_request *request,
	const struct refusal *refusal, void *arg);
/* Without it a line of text does. */
void identity_set_page(
	struct identity *identity, identity_page_fn page, void *arg);

#define IDENTITY_LOGINS_MAX 10
/* The issuers with which one can log in, in the order of their numbers. */
size_t identity_logins(const struct identity *identity,
	const char *issuers_r[IDENTITY_LOGINS_MAX]);

/* A code for /login?invite=…, which lets in that OS user, once, within
 * life_ms. It is a secret. */
struct secret *identity_invite(
	struct identity *identity, const char *user, int64_t life_ms);

#endif
