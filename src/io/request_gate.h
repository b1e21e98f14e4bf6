/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that each request passes before anything else looks at it: which
 * hosts, which methods, headers that must not be given twice, how long a body
 * is. Pure.
 */
#ifndef TIDEGATE_IO_REQUEST_GATE_H
#define TIDEGATE_IO_REQUEST_GATE_H

#include <stdbool.h>
#include <stddef.h>

#include "io/request_head.h"
#include "io/request_uri.h"

#define GATE_HEAD_MAX (16 * 1024) /* bytes of a request line and headers */
#define GATE_BODY_MAX (64 * 1024) /* it is read before anybody is asked who */

struct gate_rules {
	/* false, for the sandbox: any host, method and form of a path; what
	 * frames a request is as strict. */
	bool strict;
	size_t head_max, body_max;
	/* "name", with any port, or "name:port"; NULL-terminated. NULL: any. */
	const char *const *hosts;
	/* Paths of probes, which know addresses only: any host. */
	const char *const *open_paths;
};

/* What a request that may pass is. */
struct gate_pass {
	struct request_uri uri;
	size_t body_len;
	bool continues; /* it waits for "100 Continue" */
	bool closes; /* the connection ends with the answer */
};

/* `pass_r` is to be finished in any case. */
MUST_CHECK enum gate_refusal gate_check(const struct gate_rules *rules,
	const struct request_head *head, struct gate_pass *pass_r);

#endif
