/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks what a client of the admin API sends, as strictly as the real one or
 * more so: unknown names, wrong types, values out of range. It knows names and
 * types; what the values mean together is for routes.c and service_patch.c.
 *
 * All problems of a body are gathered (up to RPC_VIOLATIONS_MAX). The error
 * must start out zeroed. Each returns 0, or -1 with the error filled in.
 */
#ifndef TIDEGATE_SANDBOX_ADMIN_CHECK_H
#define TIDEGATE_SANDBOX_ADMIN_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/rpc_error.h"
#include "sandbox/service_schema.h"

#define ADMIN_PARAMS_MAX 16
#define ADMIN_VALUE_MAX  1024 /* bytes of a decoded parameter */

/* The bytes of a request as one JSON object; duplicate names are refused. */
MUST_CHECK int admin_check_json(const char *bytes, size_t len, json_t **body_r,
	struct rpc_error *error);

/* `at` is what the object is called in messages: "service". */
MUST_CHECK int admin_check_message(const struct field *fields,
	const json_t *body, const char *at, struct rpc_error *error);

/* The query of a request target, decoded. */
struct admin_query {
	size_t n;
	struct admin_param {
		char name[64];
		char value[ADMIN_VALUE_MAX];
	} param[ADMIN_PARAMS_MAX];
};

/* `known` is a list of names with one blank between two; the parameters that
 * every Google API takes are known too. Names given twice are refused. */
MUST_CHECK int admin_query_read(const char *target, const char *known,
	struct admin_query *query_r, struct rpc_error *error);

const char *admin_query_get(const struct admin_query *query, const char *name);
MUST_CHECK int admin_query_bool(const struct admin_query *query,
	const char *name, bool *value_r, struct rpc_error *error);

/* A page: 1 to `max` rows, `max` when nothing is asked for. The token is only
 * good for the same list with the same other parameters. */
struct admin_page {
	size_t from, size;
	uint32_t key;
};
MUST_CHECK int admin_page_read(const struct admin_query *query, const char *of,
	size_t max, struct admin_page *page_r, struct rpc_error *error);
json_t *admin_page_token(const struct admin_page *page);

/* "30s", "3.5s": at most nine digits of fraction, never negative. */
MUST_CHECK int admin_duration_read(const char *text, int64_t *ms_r);

/* True when `word` is one of the words of `list`, one blank between two. */
bool admin_word_in(const char *word, size_t len, const char *list);

#endif
