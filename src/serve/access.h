/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody may do: rights, and the rows that grant them. What no row
 * grants is denied; all rows that match count together. Pure.
 */
#ifndef TIDEGATE_SERVE_ACCESS_H
#define TIDEGATE_SERVE_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "engine/rollout.h"
#include "identity/right.h"

struct visitor;

/* Which right a verb needs. */
enum right right_of_verb(enum verb verb);

/* Anybody who has proven to belong to us. */
#define ACCESS_ANYONE "anyone-signed-in"

struct access_row {
	/* Names of people, keys of callers, ACCESS_ANYONE. */
	const char *const *who;
	size_t n_who;
	unsigned may; /* RIGHT_BITs */
	/* "project/region/service" with * in each part; none: all services */
	const char *const *services;
	size_t n_services;
	const char *const *policies; /* names; none: all, and whole texts */
	size_t n_policies;
	/* Whole texts may use what is the daemon's: sent_policy.h. */
	bool trust_sent;
};

struct access {
	const struct access_row *rows;
	size_t n_rows;
};

/*
 * Whether the visitor has the right. `service` is a full name
 * (projects/P/locations/R/services/S), NULL: for any service at all; `policy`
 * is a policy's name, NULL: it does not matter which, "": a policy that has
 * none since it is brought along. When not, why_r (may be NULL) is
 * ERR_DENIED and says what is missing.
 */
bool access_may(const struct access *access, const struct visitor *visitor,
	enum right right, const char *service, const char *policy,
	struct err *why_r);

/* Whether one of the rows that give the right trusts what the visitor sends;
 * `service` as above. */
bool access_trusts_sent(const struct access *access,
	const struct visitor *visitor, enum right right, const char *service);

/* All that the visitor may do with some service: RIGHT_BITs. */
unsigned access_rights(
	const struct access *access, const struct visitor *visitor);

/* Whether the row is about the visitor. */
bool access_row_is_of(
	const struct access_row *row, const struct visitor *visitor);

/* Whether "project/region/service" with * matches the full name. */
bool access_service_matches(const char *pattern, const char *service);

#endif
