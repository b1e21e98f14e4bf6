/*
 * A token of tidegate's own that a request carries: an access token for
 * Google's APIs, or an ID token for a Cloud Run service that wants to know its
 * caller. For the types that send requests.
 */
#ifndef TIDEGATE_ACTION_BEARER_H
#define TIDEGATE_ACTION_BEARER_H

#include "action/action.h"
#include "google/credentials.h"

struct bearer;

/* Whether there is something to fetch; `auth` may be NULL. */
bool bearer_is_fetched(const struct auth *auth);

/* For a request to `url`, with the run's credentials. `auth` is borrowed. */
struct bearer *bearer_new(
	struct action_run *run, const struct auth *auth, const char *url);
void bearer_free(struct bearer **bearer);

/* The callback runs once, later. What it is given is borrowed for it. */
void bearer_fetch(struct bearer *bearer, token_fn fn, void *arg);

/* The request was answered so. True, once: the token was refused, another one
 * is on its way to the same callback. */
bool bearer_renews(struct bearer *bearer, int status);

/* Ends the run with whether a token can be had; nothing else is asked. It is
 * the run's data until then. */
void bearer_probe(
	struct action_run *run, const struct auth *auth, const char *url);

#endif
