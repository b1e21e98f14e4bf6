/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of a load, read: what action/load_codec.h prints. Comes from
 * another process and is believed in nothing. Pure.
 */
#ifndef TIDEGATE_LOAD_SPEC_CODEC_H
#define TIDEGATE_LOAD_SPEC_CODEC_H

#include "base/arena.h"
#include "base/err.h"
#include "policy/policy_action.h"

struct load_spec_request {
	const char *method, *url;
	const char *const *headers; /* names and values, in turn */
	size_t n_headers; /* pairs */
	const char *body, *content_type; /* NULL: none */
	int weight;
};

struct load_spec {
	struct arena arena;
	bool live; /* a line each second */
	const char *k6; /* the script; NULL: requests of our own */
	struct load_spec_request *requests;
	size_t n_requests;
	int weights; /* of all requests */
	struct auth auth;
	struct tls tls;
	bool by_rate;
	struct load_stage *stages;
	size_t n_stages;
	int64_t think_ms, warmup_ms, request_timeout_ms;
	struct load_expect expect;
};

/* NULL: ERR_INVALID says what is wrong. */
MUST_CHECK struct load_spec *load_spec_parse(
	const char *text, size_t len, struct err *err_r);
void load_spec_free(struct load_spec **spec);

#endif
