/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP/1 request out of bytes, strictly: lines end with CR LF,
 * nothing is folded, names are tokens. What two readers could read differently
 * is refused. Pure; what the headers mean is request_gate.h's.
 */
#ifndef TIDEGATE_IO_REQUEST_HEAD_H
#define TIDEGATE_IO_REQUEST_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define GATE_HEADERS_MAX 100
#define GATE_LINE_MAX    (8 * 1024) /* bytes of a request line */

enum gate_refusal {
	GATE_PASSED = 0,
#define G(constant, status, code, instead) constant,
#include "io/gate.def"
#undef G
	GATE_REFUSALS
};

struct gate_row {
	int status;
	const char *code;
	const char *instead;
};

const struct gate_row *gate_row(enum gate_refusal refusal);

/* How far the bytes of a head have been looked at; zeroed for the next one. */
struct head_scan {
	size_t at;
	size_t line; /* where the line that is being read begins */
	int n_lines;
	size_t head_len; /* with the empty line at its end; 0: not there yet */
};

/* `bytes` is all that has arrived of it, and more than before. */
MUST_CHECK enum gate_refusal head_scan(
	struct head_scan *scan, const char *bytes, size_t len, size_t head_max);

struct request_field {
	const char *name;
	const char *value; /* without spaces around it */
};

struct request_head {
	char *text; /* what all others point into */
	const char *method;
	const char *target;
	int minor; /* of HTTP/1 */
	struct request_field headers[GATE_HEADERS_MAX];
	int n_headers;
};

/* Of a head that was scanned to its end. To be finished in any case. */
MUST_CHECK enum gate_refusal request_head_parse(
	struct request_head *head, const char *bytes, size_t head_len);
void request_head_fini(struct request_head *head);

/* The first of that name, NULL; `*n_r`: how many there are. */
const char *request_head_find(
	const struct request_head *head, const char *name, int *n_r);

/* RFC 9110's token. */
bool http_token_is(const char *text);

#endif
