/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors as Google's APIs tell them: a canonical code, a message, details.
 * A value on the caller's stack, like struct err; the sandbox answers with
 * them, so that a client meets the bodies it meets at the real one.
 */
#ifndef TIDEGATE_SANDBOX_RPC_ERROR_H
#define TIDEGATE_SANDBOX_RPC_ERROR_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define RPC_MESSAGE_MAX    1024 /* bytes with the NUL; longer texts are cut */
#define RPC_FIELD_MAX      128
#define RPC_VIOLATIONS_MAX 8 /* more are counted, not told */

enum rpc_code {
#define R(constant, number, name, http) constant = number,
#include "sandbox/rpc_error.def"
#undef R
	RPC_CODES
};

struct rpc_violation {
	char field[RPC_FIELD_MAX]; /* "service.traffic[0].percent" */
	char text[256];
};

struct rpc_error {
	enum rpc_code code;
	int http; /* 0: the code's own status */
	int64_t retry_ms; /* Retry-After and RetryInfo; 0: none */
	char permission[64]; /* the one that was missing; "": none */
	char message[RPC_MESSAGE_MAX];
	size_t n_violations;
	struct rpc_violation violation[RPC_VIOLATIONS_MAX];
};

/* Each returns -1. */
int rpc_error_set(struct rpc_error *error, enum rpc_code code, const char *fmt,
	...) PRINTFLIKE(3, 4);

/* INVALID_ARGUMENT about one field; many are gathered into one error, which
 * must start out zeroed. */
int rpc_error_field(struct rpc_error *error, const char *field, const char *fmt,
	...) PRINTFLIKE(3, 4);

int rpc_error_http(const struct rpc_error *error);

/* The code that goes with an HTTP status that somebody asked for. */
enum rpc_code rpc_code_of_http(int http);

/* {"error": {code, message, status, details}}: the body of an answer. */
json_t *rpc_error_body(const struct rpc_error *error);

/* {code, message}: what a failed operation carries, with the number of gRPC. */
json_t *rpc_error_status(const struct rpc_error *error);

#endif
