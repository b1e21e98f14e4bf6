/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request on its way through the daemon: who asks, what for, and how it is
 * answered. It is answered exactly once, by one of the calls below, which also
 * frees it.
 */
#ifndef TIDEGATE_SERVE_VISIT_H
#define TIDEGATE_SERVE_VISIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "serve/access.h"
#include "serve/visitor.h"

#define VISIT_PARTS_MAX  4 /* {names} in a route's pattern */
#define VISIT_ANSWER_MAX (16 * 1024 * 1024)
#define VISIT_JSON       "application/json"
#define VISIT_JSON_LINES "application/jsonl"
#define VISIT_HTML       "text/html; charset=utf-8"

struct daemon;
struct route;
struct server_request;

struct visit;
/* Answers with what went wrong. */
typedef void (*visit_problem_fn)(
	struct visit **visit, int status, const char *detail);

struct visit {
	struct arena arena; /* freed with it */
	struct daemon *daemon;
	struct server_request *request;
	struct visitor *visitor; /* NULL: the route is open to anybody */
	const struct route *route;
	const char *path; /* of the request, without that of `public_url` */
	/* What stands in the path for the {names} of the pattern. */
	const char *part[VISIT_PARTS_MAX];
	visit_problem_fn problem; /* instead of JSON; NULL: JSON it is */
};

struct visit *visit_new(struct daemon *daemon, struct server_request *request);
/* Without an answer: the request is somebody else's now. */
void visit_free(struct visit **visit);

void visit_answer(struct visit **visit, int status, const char *content_type,
	const struct buf *body);
/* application/problem+json (RFC 9457): `code` is for programs and stays. */
void visit_problem(struct visit **visit, int status, const char *code,
	const char *fmt, ...) PRINTFLIKE(4, 5);
/* The same with a member "state": what there is now, a JSON object. */
void visit_problem_with(struct visit **visit, int status, const char *code,
	const char *detail, const char *state);
/* The same with members of its own: `more`, a JSON object. */
void visit_problem_more(struct visit **visit, int status, const char *code,
	const char *detail, const char *more);
/* The same out of an error, whose code says which. */
void visit_fail(struct visit **visit, const struct err *err);

/* Whether the visitor may do this; if not, it is answered with 403. */
bool visit_may(struct visit **visit, enum right right, const char *service,
	const char *policy);

#endif
