/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Selectors of raw counters, taken apart and put together again: without the
 * matchers by which one revision is told, since an error budget is the service's.
 * Pure. Texts have passed promql_is_selector.
 */
#ifndef TIDEGATE_SLO_SLO_SELECTOR_H
#define TIDEGATE_SLO_SLO_SELECTOR_H

#include "base/arena.h"
#include "policy/template.h"

#define SELECTOR_MATCHERS_MAX 24

enum slo_relation {
	MATCHER_EQUALS,
	MATCHER_DIFFERS,
	MATCHER_LIKE,
	MATCHER_UNLIKE,
};

struct slo_matcher {
	const char *label;
	enum slo_relation relation;
	const char *value; /* without quotes and escapes */
};

struct selector {
	const char *metric; /* "": it has none */
	struct slo_matcher matcher[SELECTOR_MATCHERS_MAX];
	size_t n;
};

/* With `values` put in. Matchers with {{revision}}, {{candidate}} or {{stable}}
 * are left out. Fails when a template has no value, or there are too many
 * matchers. Texts live in `arena`. */
MUST_CHECK int selector_parse(struct selector *selector_r, const char *text,
	const struct template_values *values, struct arena *arena,
	struct err *err_r);

MUST_CHECK int selector_add(struct selector *selector,
	const struct slo_matcher *matcher, struct err *err_r);

bool selector_has(const struct selector *selector, const char *label);

/* metric{label="value",…} */
const char *selector_print(
	const struct selector *selector, struct arena *arena);

/* Labels of a series that it selects, and, when `not` is given, that `not` does
 * not: by a value that one of the matchers of `not` alone refuses. They are
 * EQUALS matchers of `labels_r`. False: none is found, as for a regular
 * expression that no usual value of such labels matches. */
bool selector_example(const struct selector *selector,
	const struct selector *also, const struct selector * not,
	struct selector *labels_r);

#endif
