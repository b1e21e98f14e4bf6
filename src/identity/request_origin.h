/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a request that a browser authenticates by itself comes from a page of
 * ours: sites that others wrote can make a browser send one, too. What reads
 * (GET, HEAD) changes nothing and may come from anywhere. Pure.
 */
#ifndef TIDEGATE_IDENTITY_REQUEST_ORIGIN_H
#define TIDEGATE_IDENTITY_REQUEST_ORIGIN_H

#include <stdbool.h>

#include "identity/refusal.h"

#define REQUEST_FORM_TYPE "application/x-www-form-urlencoded"

struct request_origin {
	const char *method;
	/* Headers; NULL: not there. */
	const char *fetch_site, *origin, *content_type;
	const char *own_origin; /* "https://tidegate.example.com" */
	bool is_machine; /* software, which sends neither of the first two */
};

bool request_changes(const char *method); /* anything but GET and HEAD */

/* Whether the type is this one, whatever its parameters. */
bool request_type_is(const char *content_type, const char *type);

/* A form has to bring its token besides: *wants_form_token_r. */
MUST_CHECK int request_origin_check(const struct request_origin *request,
	bool *wants_form_token_r, struct refusal *refusal_r);

#endif
