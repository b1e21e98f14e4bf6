/*
 * The world for a policy that is only looked at or simulated: no secret is
 * needed, what is not set gets a value of the right form.
 */
#ifndef TIDEGATE_CLI_BARE_WORLD_H
#define TIDEGATE_CLI_BARE_WORLD_H

#include "policy/policy_load.h"

/* `source`: the policy's text, borrowed as long as the world is used. */
struct policy_world bare_world(char *source);

#endif
