/* SPDX-License-Identifier: Apache-2.0 */
/*
 * {{templates}} inside a policy's texts. Pure.
 *
 * The known names are fixed here; an unknown one is a policy error found when
 * the policy is loaded, so that rendering cannot fail at minute eleven.
 */
#ifndef TIDEGATE_POLICY_TEMPLATE_H
#define TIDEGATE_POLICY_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"

/* One text per name; NULL is rendered as nothing. All borrowed. */
struct template_values {
	const char *candidate, *stable;
	const char *revision; /* the arm being asked: candidate, then stable */
	const char *candidate_url, *service, *project, *region;
	const char *window; /* a PromQL duration such as 2m */
	const char *percent, *rollout, *reason;
};

enum template_escape {
	ESCAPE_NONE,
	ESCAPE_PROMQL, /* as a label value inside double quotes */
	ESCAPE_URL, /* percent-encoding, for {{…}} inside a URL's path or query;
		     * {{candidate_url}} is inserted as it is */
	ESCAPE_JSON, /* inside a JSON string */
	ESCAPE_FORM, /* a value of application/x-www-form-urlencoded */
	ESCAPE_XML, /* inside an element or a quoted attribute, HTML as well */
	ESCAPE_GLOB, /* of Redis: the value matches itself only */
	ESCAPE_PATH, /* one part of a file's path */
};

/* How values go into a body of this Content-Type. */
enum template_escape template_escape_of(const char *content_type);

/* Called for each problem, with the offset of its "{{". */
typedef void (*template_problem_fn)(
	size_t at, const struct err *err, void *arg);

/* How many problems there are; `fn` may be NULL. */
size_t template_check(const char *text, template_problem_fn fn, void *arg);

/* Appends what is rendered as these very bytes, whatever they look like. */
void template_add_literal(struct buf *out, const char *bytes, size_t len);

/* Appends to `out`; the text has passed template_check, but for literals. */
void template_render(struct buf *out, const char *text,
	const struct template_values *values, enum template_escape escape);

/* Whether `text` uses {{name}}. */
bool template_uses(const char *text, const char *name);
/* Whether its first bytes are {{name}}. */
bool template_starts_with(const char *text, const char *name);

#endif
