/*
 * One request of an action and its patience: a token first when it needs one,
 * a refused token fetched anew once, and asked again while the other side says
 * "later" and the action's time allows it. For the types that speak to an API.
 */
#ifndef TIDEGATE_ACTION_ERRAND_H
#define TIDEGATE_ACTION_ERRAND_H

#include "action/action.h"
#include "io/http.h"

#define ERRAND_TRIES_MAX 10

struct errand;

struct errand_spec {
	const char *method; /* NULL: GET, or POST with a body; static */
	const char *url; /* copied */
	const char *body; /* copied; NULL: none */
	size_t body_len;
	const char *content_type; /* static; NULL: application/json */
	const struct header *headers; /* the policy's */
	size_t n_headers;
	const struct auth *auth; /* the policy's; NULL: none */
	const struct tls *tls; /* the policy's; NULL: the system's */
	size_t body_max; /* of the answer; 0: HTTP_BODY_MAX_DEFAULT */
	/* It does no harm twice: 5xx and lost answers are asked again too. */
	bool repeatable;
};

extern const struct auth errand_google; /* an access token of ours */

/* A reply as http_fn has it, also when no token could be had. The errand is
 * over: another may be started, or the run be ended. */
typedef void (*errand_fn)(
	struct action_run *run, const struct http_reply *reply);

struct errand *errand_start(
	struct action_run *run, const struct errand_spec *spec, errand_fn fn);
void errand_cancel(struct errand **errand);

/* What can be known beforehand: URL, files of `tls`, credentials. `tls` may be
 * NULL. */
MUST_CHECK int errand_check(const struct action_env *env, const char *url,
	const struct auth *auth, const struct tls *tls, struct err *err_r);

/* The endpoint in the environment variable, as gcloud has it, else the default;
 * then the path. The caller frees it. */
char *errand_google_url(
	const char *variable, const char *endpoint, const char *path);

/* No success, and yet it may have been done: no answer, a failure of the
 * server's, a success that does not say what it should. */
bool errand_may_be_done(const struct http_reply *reply);

/* Appends what came instead of a success; `why` (may be NULL) stands for the
 * body. */
void errand_describe(
	struct buf *out, const struct http_reply *reply, const char *why);

/* Ends the run with what came instead of a success; `why` (may be NULL) stands
 * for the body. A lost answer to what may not be repeated is unknown. */
void errand_failed(struct action_run *run, const struct http_reply *reply,
	const char *why);

#endif
