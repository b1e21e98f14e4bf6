/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a revision behaves: a latency with a log-normal spread, a share of
 * requests that fail, or a real process behind it. Pure.
 */
#ifndef TIDEGATE_SANDBOX_REVISION_PROFILE_H
#define TIDEGATE_SANDBOX_REVISION_PROFILE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"

#define PROFILE_CODES_MAX      16
#define PROFILE_LATENCY_MS_MAX 60000
#define PROFILE_SIGMA_MAX      3.0
#define PROFILE_URL_MAX        256

struct revision_profile {
	int64_t latency_ms; /* the median */
	double sigma; /* of the logarithm; 0: always the median */
	struct profile_code {
		int code;
		double share; /* 0 to 1; together at most 1 */
	} code[PROFILE_CODES_MAX];
	size_t n_codes;
	char proxy[PROFILE_URL_MAX]; /* "": answers by itself */
};

/* "latency=50ms,sigma=0.4,errors=0.1%,503=1%,proxy=http://127.0.0.1:1" over
 * what the profile holds already. */
MUST_CHECK int revision_profile_parse(
	const char *text, struct revision_profile *profile, struct err *err_r);

/* {"latency": "80ms", "sigma": 0.5, "errors": "5%", "codes": {"503": "1%"},
 * "proxy": "http://…" or ""}: what is absent stays as it is. "errors" is the
 * share of 500; it and "codes" each replace all codes there were. Other names
 * are refused, except those in `also` (one blank between two). */
MUST_CHECK int revision_profile_read(const json_t *body, const char *also,
	struct revision_profile *profile, struct err *err_r);

json_t *revision_profile_json(const struct revision_profile *profile);

/* What one request meets. */
int64_t revision_profile_latency_ms(
	const struct revision_profile *profile, struct rng *rng);
int revision_profile_code(
	const struct revision_profile *profile, struct rng *rng);

#endif
