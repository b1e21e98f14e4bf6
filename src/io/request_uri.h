/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request's target says: path and query, decoded. Pure.
 *
 * Strictly, for hostile networks: what a proxy and we could read differently is
 * refused. Leniently, for the sandbox: what cannot be read is empty, and of a
 * parameter that is given twice the first counts.
 */
#ifndef TIDEGATE_IO_REQUEST_URI_H
#define TIDEGATE_IO_REQUEST_URI_H

#include <stdbool.h>

#include "io/request_head.h"

#define GATE_PARAMETERS_MAX 32

struct request_uri {
	char *path;
	char *query; /* what the parameters point into */
	struct request_field parameters[GATE_PARAMETERS_MAX];
	int n_parameters;
};

MUST_CHECK enum gate_refusal request_uri_parse(
	struct request_uri *uri, const char *text, bool strict);
void request_uri_fini(struct request_uri *uri);

/* NULL: not given. */
const char *request_uri_parameter(
	const struct request_uri *uri, const char *name);

/* Decodes "a=b&c=d" in place, `+` being a space: a query, a posted form. */
MUST_CHECK enum gate_refusal parameters_parse(char *text, bool strict,
	struct request_field parameters[GATE_PARAMETERS_MAX], int *n_r);

#endif
