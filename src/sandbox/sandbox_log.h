/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests that reached the admin API, so that a test can count writes: a
 * ring of bounded size. Headers are never kept.
 */
#ifndef TIDEGATE_SANDBOX_SANDBOX_LOG_H
#define TIDEGATE_SANDBOX_SANDBOX_LOG_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define SANDBOX_LOG_MAX      4096 /* entries; the oldest are dropped */
#define SANDBOX_LOG_START    16
#define SANDBOX_LOG_BODY_MAX 2048 /* bytes of a body that are kept */
#define SANDBOX_LOG_LINE_MAX 1024 /* the same of a target */

struct sandbox_log_entry {
	uint64_t seq; /* counts from 1 */
	int64_t at_ms;
	char method[16];
	char *target, *body; /* body: NULL when there was none */
	int status; /* 0: no answer yet, or none at all */
	int64_t done_ms; /* 0: not yet */
};

struct sandbox_log {
	struct sandbox_log_entry *entry;
	size_t size; /* of them; SANDBOX_LOG_MAX at most */
	uint64_t made, from; /* `from`: the first that was not cleared */
};

void sandbox_log_init(struct sandbox_log *log);
void sandbox_log_fini(struct sandbox_log *log);

/* Returns the entry's number, for sandbox_log_done. */
uint64_t sandbox_log_add(struct sandbox_log *log, int64_t now_ms,
	const char *method, const char *target, const char *body, size_t len);
void sandbox_log_done(
	struct sandbox_log *log, uint64_t seq, int status, int64_t now_ms);
void sandbox_log_clear(struct sandbox_log *log);

/* {"entries": […], "last": N}: those after `after`, of `method` (NULL: all). */
json_t *sandbox_log_json(
	const struct sandbox_log *log, uint64_t after, const char *method);

#endif
