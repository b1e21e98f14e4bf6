/* SPDX-License-Identifier: Apache-2.0 */
/* Gives a request of the admin port its answer, as JSON. */
#ifndef TIDEGATE_SANDBOX_SANDBOX_ANSWER_H
#define TIDEGATE_SANDBOX_SANDBOX_ANSWER_H

#include <jansson.h>
#include <stdbool.h>

#include "sandbox/rpc_error.h"

struct server_request;

void sandbox_answer_json(struct server_request *request, int status,
	const json_t *body, bool is_indented);
void sandbox_answer_error(
	struct server_request *request, const struct rpc_error *error);

#endif
