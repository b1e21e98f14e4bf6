/*
 * The environment of a policy that is only looked at or simulated: no secret is
 * needed, what is not set gets a value of the right form.
 */
#ifndef TIDEGATE_POLICY_PLACEHOLDER_ENV_H
#define TIDEGATE_POLICY_PLACEHOLDER_ENV_H

#include "policy/policy_load.h"

/* `source`: the policy's text, borrowed as long as the environment is used. */
struct policy_env placeholder_env(char *source);

#endif
