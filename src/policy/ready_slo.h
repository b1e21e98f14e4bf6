/*
 * SLOs that are ready to be used: `use: cloud-run/error-rate` and its kin.
 * Each is a row of ready_slo.def: PromQL with parameters, and the keys of an
 * SLO with the values that make sense for it. Pure.
 */
#ifndef TIDEGATE_POLICY_READY_SLO_H
#define TIDEGATE_POLICY_READY_SLO_H

#include "base/arena.h"
#include "base/err.h"

#define READY_PARAMS_MAX 8 /* of one row, with the NULL at the end */

/* What a parameter may be, and how it is put into the query. */
enum ready_kind {
	READY_METRIC, /* a metric's name */
	READY_LABEL, /* a label's name */
	READY_VALUE, /* inside the quotes of a matcher; escaped */
	READY_SELECTOR, /* more matchers, a="b",c=~"d"; put after a comma */
	READY_UNIT, /* of a duration: s or ms; made into seconds */
};

struct ready_param {
	const char *name; /* NULL ends a list */
	enum ready_kind kind;
	const char *value; /* when it is not given */
};

struct ready_slo {
	const char *use; /* what the policy calls it */
	const char *about; /* one line for the plan */
	struct ready_param params[READY_PARAMS_MAX];
	const char *query, *requests; /* with <param>s; NULL: no requests */
	const char *keys; /* YAML: what is not said in the policy */
	const char *compare; /* the same when it is compared; NULL: it cannot be
			      */
};

extern const struct ready_slo ready_slos[]; /* ends with use NULL */

/* NULL: there is none. */
const struct ready_slo *ready_slo_find(const char *use);
/* The name of an SLO that does not say its own: what follows the "/". */
const char *ready_slo_name(const char *use);

/* Whether a parameter may have this value; templates count as text. */
MUST_CHECK int ready_param_check(
	const struct ready_param *param, const char *value, struct err *err_r);

/* `text` of a row with its parameters put in; value[i] is that of params[i],
 * NULL: its default. All have passed ready_param_check. */
const char *ready_slo_expand(struct arena *arena, const struct ready_slo *slo,
	const char *text, const char *const value[READY_PARAMS_MAX]);

#endif
