/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold before a release may start, rule by rule. The parts of
 * preflight ask the world and apply them. Each returns 0, or -1 with what is
 * wrong and what to do.
 */
#ifndef TIDEGATE_LIVE_PREFLIGHT_RULES_H
#define TIDEGATE_LIVE_PREFLIGHT_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct policy;
struct revision;
struct service;
struct store;

MUST_CHECK int rule_service(const struct service *service, struct err *err_r);

/* `wanted` NULL: the latest ready revision. Both results are borrowed. */
MUST_CHECK int rule_candidate(const struct service *service, const char *wanted,
	const char **candidate_r, struct err *err_r);
/* Who holds all traffic. It may be the candidate: see rule_candidate_is_new. */
MUST_CHECK int rule_stable(const struct service *service, const char *candidate,
	bool adopt, const char **stable_r, struct err *err_r);
MUST_CHECK int rule_candidate_is_new(
	const char *candidate, const char *stable, struct err *err_r);

/* The policy's tag with the short name of the service in one host name. */
MUST_CHECK int rule_tag_name(
	const char *tag, const char *service, struct err *err_r);
MUST_CHECK int rule_tag_free(const struct service *service, const char *tag,
	const char *candidate, struct err *err_r);

/* It was not rolled back before. `service` is its full name. */
MUST_CHECK int rule_history(struct store *store, const char *service,
	const char *candidate, struct err *err_r);

/* No other rollout of the service was left without an end. `own`: the id of the
 * one that asks, "" when it has none. */
MUST_CHECK int rule_unfinished(struct store *store, const char *service,
	const char *own, struct err *err_r);

/* It is one of the service (short name), and it is ready. */
MUST_CHECK int rule_owner(const struct revision *revision, const char *service,
	struct err *err_r);
MUST_CHECK int rule_ready(const struct revision *revision, struct err *err_r);

/* The gate before the step, if it has one, can be passed. */
MUST_CHECK int rule_gate(const struct policy *policy, size_t step,
	const char *starter, struct err *err_r);

#endif
