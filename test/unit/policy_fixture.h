/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of tests, given as text. */
#ifndef TIDEGATE_TEST_POLICY_FIXTURE_H
#define TIDEGATE_TEST_POLICY_FIXTURE_H

#include "base/buf.h"
#include "policy/policy_load.h"

/* The policy that a text makes, to be freed by the caller; a problem in it
 * fails the test. NULL for `env`: variables and files have no value. */
struct policy *policy_given(const struct policy_env *env, const char *format,
	...) __attribute__((format(printf, 2, 3)));

#endif
