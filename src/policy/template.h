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
};

/* -1 with the offset of the bad "{{" in *at_r. */
MUST_CHECK int template_check(
	const char *text, size_t *at_r, struct err *err_r);

/* Appends to `out`; the text has passed template_check. */
void template_render(struct buf *out, const char *text,
	const struct template_values *values, enum template_escape escape);

/* Whether `text` uses {{name}}. */
bool template_uses(const char *text, const char *name);

#endif
