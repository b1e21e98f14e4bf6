/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "KEY=VALUE" texts put over a policy's tree before it is read, so that every
 * rule and message of the loader holds for them too. KEY is a path of keys
 * with dots between; an entry of a list is meant by its `name` or by its
 * number, from 1. VALUE is YAML; null takes the key or the entry away.
 */
#ifndef TIDEGATE_POLICY_OVERRIDE_H
#define TIDEGATE_POLICY_OVERRIDE_H

#include "policy/policy_load.h"
#include "policy/yaml_doc.h"

#define OVERRIDE_BYTES_MAX 65536 /* of one text */

/* The texts become the end of problems->source; what is wrong with them is a
 * problem there. */
void override_apply(struct arena *arena, struct problems *problems,
	struct node *root, const struct policy_env *env);

#endif
