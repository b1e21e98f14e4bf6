/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Presets of SLOs, to be named by `use`: cloud-run/error-rate and its kin.
 * Each is a row of slo_preset.def: PromQL with parameters, and the keys of an
 * SLO with the values that make sense for it. Pure.
 */
#ifndef TIDEGATE_POLICY_SLO_PRESET_H
#define TIDEGATE_POLICY_SLO_PRESET_H

#include "base/arena.h"
#include "base/err.h"

#define PRESET_PARAMS_MAX 8 /* of one row, with the NULL at the end */

/* What a parameter may be, and how it is put into the query. */
enum preset_param_kind {
	PRESET_METRIC, /* a metric's name */
	PRESET_LABEL, /* a label's name */
	PRESET_VALUE, /* inside the quotes of a matcher; escaped */
	PRESET_SELECTOR, /* more matchers, a="b",c=~"d"; put after a comma */
	PRESET_UNIT, /* of a duration: s or ms; made into seconds */
};

struct preset_param {
	const char *name; /* NULL ends a list */
	enum preset_param_kind kind;
	const char *value; /* when it is not given */
	const char *about; /* one line */
};

/* Of kind evidence: raw counters, with <param>s, and the keys of such an SLO. */
struct preset_counts {
	const char *total, *bad; /* both, or … */
	const char *buckets; /* … this */
	const char *keys; /* YAML; NULL: it cannot be of that kind */
};

struct slo_preset {
	const char *use; /* what the policy calls it */
	const char *about; /* one line for the plan */
	struct preset_param params[PRESET_PARAMS_MAX];
	const char *query, *requests; /* with <param>s; NULL: no requests */
	const char *keys; /* YAML: what is not said in the policy */
	const char *compare; /* the same when it is compared; NULL: it cannot be
			      */
	struct preset_counts counts;
};

extern const struct slo_preset slo_presets[]; /* ends with use NULL */

/* NULL: there is none. */
const struct slo_preset *slo_preset_find(const char *use);
/* The name of an SLO that does not say its own: what follows the "/". */
const char *slo_preset_name(const char *use);

/* Whether a parameter may have this value; templates count as text. */
MUST_CHECK int preset_param_check(
	const struct preset_param *param, const char *value, struct err *err_r);

/* `text` of a row with its parameters put in; value[i] is that of params[i],
 * NULL: its default. All have passed preset_param_check. */
const char *slo_preset_expand(struct arena *arena, const struct slo_preset *slo,
	const char *text, const char *const value[PRESET_PARAMS_MAX]);

#endif
