/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment of a policy that is only looked at, decided upon or
 * simulated: no secret is needed. A variable that is not set and every file get
 * a placeholder, whose form the loader does not judge.
 */
#ifndef TIDEGATE_POLICY_PLACEHOLDER_ENV_H
#define TIDEGATE_POLICY_PLACEHOLDER_ENV_H

#include "policy/policy_load.h"

extern const struct policy_env placeholder_env;

#endif
