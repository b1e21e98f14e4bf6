/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults on request: which admin requests go wrong, how, how often. Pure: the
 * time is an argument; carrying them out is for cloud.c.
 */
#ifndef TIDEGATE_SANDBOX_SANDBOX_FAULTS_H
#define TIDEGATE_SANDBOX_SANDBOX_FAULTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/model.h"

#define FAULTS_MAX            64
#define FAULT_PATTERN_MAX     256
#define FAULT_TIMES_MAX       1000000
#define FAULT_DELAY_MS_MAX    600000
#define FAULT_GENERATIONS_MAX 16

/* A request to the admin API; all is borrowed. */
struct admin_request {
	const char *method, *path, *target; /* target: raw, with the query */
	const char *authorization; /* NULL: none */
	const char *body;
	size_t body_len;
};

enum fault_kind {
	FAULT_STATUS, /* answers `status`, as a broken proxy with `body` */
	FAULT_RESET, /* breaks the connection */
	FAULT_HANG, /* no answer for `delay_ms`, then a reset */
	FAULT_SLOW, /* the answer comes `delay_ms` later */
	FAULT_OPERATION_ERROR, /* the write's operation fails */
	FAULT_OPERATION_STUCK, /* the write's operation never ends */
	FAULT_STALE, /* reads show the service as it was `delay_ms` or so many
		      * generations ago */
	FAULT_DRIFT, /* somebody else writes in between */
	FAULT_KINDS
};

struct fault {
	unsigned id;
	enum fault_kind kind;
	char method[8]; /* "": all */
	char path[FAULT_PATTERN_MAX]; /* a shell pattern; "": all */
	bool after; /* the effect happens before the fault does */
	int64_t skip; /* so many matching requests go well first */
	int64_t left; /* so many more go wrong; -1: no limit */
	int64_t until_ms; /* MODEL_NEVER: no limit */
	int status; /* FAULT_STATUS */
	int64_t retry_ms; /* Retry-After; 0: none */
	int64_t delay_ms;
	enum rpc_code code; /* of the operation's error */
	char text[256];
	char body[512]; /* FAULT_STATUS: instead of JSON; "": none */
	int64_t generations; /* FAULT_STALE: how many ago; 0: by delay_ms */
	json_t *writing; /* {"shop-1": 100}: only a PATCH that asks for this
			  * split; NULL: all */
	json_t *drift; /* of FAULT_DRIFT: see foreign.h */
	int64_t hits;
};

/* What one request meets: at most one fault of each sort, copied, since the
 * list may change before the request is answered. id 0: none. */
enum fault_slot {
	SLOT_ANSWER, /* status, reset or hang */
	SLOT_SLOW,
	SLOT_OPERATION,
	SLOT_STALE,
	SLOT_DRIFT_BEFORE,
	SLOT_DRIFT_AFTER,
	FAULT_SLOTS
};

struct fault_plan {
	struct fault slot[FAULT_SLOTS];
};

struct sandbox_faults {
	struct fault *fault[FAULTS_MAX]; /* oldest first */
	size_t n;
	unsigned made;
};

void sandbox_faults_fini(struct sandbox_faults *faults);

/* The body of POST /sandbox/faults; the new fault's id, or -1. */
MUST_CHECK int sandbox_faults_add(struct sandbox_faults *faults,
	const json_t *body, int64_t now_ms, struct rpc_error *error);
/* id 0: all of them. False when there is none of that id. */
bool sandbox_faults_remove(struct sandbox_faults *faults, unsigned id);

/* Finds what this request meets, counts it, and forgets what is used up.
 * The plan is freed by fault_plan_fini. */
void sandbox_faults_match(struct sandbox_faults *faults,
	const struct admin_request *request, int64_t now_ms,
	struct fault_plan *plan_r);
void fault_plan_fini(struct fault_plan *plan);

json_t *sandbox_faults_json(const struct sandbox_faults *faults);

#endif
