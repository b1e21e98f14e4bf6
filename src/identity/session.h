/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of browsers: a random cookie, of which the state file has the hash
 * alone. They end when they were not used for a while, or a day after they
 * began, and outlive the daemon.
 */
#ifndef TIDEGATE_IDENTITY_SESSION_H
#define TIDEGATE_IDENTITY_SESSION_H

#include "identity/ask.h"

#define SESSION_IDLE_MS INT64_C(28800000) /* 8 h */
#define SESSION_LIFE_MS INT64_C(86400000) /* 24 h */
#define SESSION_NOTE_MS \
	INT64_C(60000) /* the last use is written no more often */

/* For how long they live. */
struct session_rule {
	int64_t idle_ms, life_ms;
};

/* The cookie's value out of the request; 1, 0: there is none, -1: not ours. */
MUST_CHECK int session_cookie(const struct server_request *request,
	const char **value_r, size_t *len_r);

/* A question with the cookie of a session. */
void ask_session_start(struct ask *ask, const struct session_rule *rule);

/* Begins one for the caller: `fn` is told whether it is in the state file; the
 * request's answer gets its cookie now. A session that the request has is
 * ended. */
void session_start(struct identity_store *store, struct server_request *request,
	const struct caller *caller, const struct session_rule *rule,
	int64_t now_ms, stored_fn fn, void *arg);

/* Ends the request's session, if it has one: `fn` is told. */
void session_end(struct identity_store *store, struct server_request *request,
	stored_fn fn, void *arg);

#endif
