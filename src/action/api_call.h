/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of actions: those of api/request within the action's time, and what
 * an answer that is no success makes of a run. For the types that speak to an
 * API.
 */
#ifndef TIDEGATE_ACTION_API_CALL_H
#define TIDEGATE_ACTION_API_CALL_H

#include "action/action.h"
#include "api/request.h"

/* Bytes that are parsed between two turns of the loop: a secret has 64 KiB. */
#define API_CALL_ANSWER_MAX (256 * 1024)

/* Starts it with the run as the callback's argument, and asks again while the
 * other side says "later" and the action's time allows it. The spec's times
 * and tries are not looked at; an answer may have API_CALL_ANSWER_MAX unless it
 * says more. */
struct request *api_call_start(
	struct action_run *run, const struct request_spec *spec, http_fn fn);

/* What can be known beforehand: URL, files of `tls`, credentials. `auth` and
 * `tls` may be NULL. */
MUST_CHECK int api_call_check(const struct action_env *env, const char *url,
	const struct auth *auth, const struct tls *tls, struct err *err_r);

struct api api_call_with(const struct action_env *env);

/* The endpoint in the environment variable, as gcloud has it, else the default;
 * then the path, which begins with a slash. The caller frees it. */
char *api_call_google_url(
	const char *variable, const char *endpoint, const char *path);

/* ---- answers ---- */

bool api_call_succeeded(const struct http_reply *reply); /* any 2xx */

/* Perhaps no success, and yet it may have been done: no answer, a failure of
 * the server's, a 2xx that does not say what it should. */
bool api_call_may_be_done(const struct http_reply *reply);

/* Appends what came instead of a success; `why` (may be NULL) stands for the
 * body. */
void api_call_describe(
	struct buf *out, const struct http_reply *reply, const char *why);

/* Ends the run with what came instead of a success. A lost answer to what may
 * not be repeated is unknown. */
void api_call_failed(struct action_run *run, const struct http_reply *reply,
	const char *why);

#endif
