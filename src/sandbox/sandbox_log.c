/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of requests; see sandbox_log.h. Pure. */
#include "sandbox/sandbox_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/xalloc.h"

void sandbox_log_init(struct sandbox_log *log)
{
	*log = (struct sandbox_log){.entry = NULL};
}

void sandbox_log_fini(struct sandbox_log *log)
{
	size_t i;

	for (i = 0; i < log->size; i++) {
		free(log->entry[i].target);
		free(log->entry[i].body);
	}
	free(log->entry);
	log->entry = NULL;
}

/* The ring grows until it is SANDBOX_LOG_MAX long and turns only then. */
static void log_grow(struct sandbox_log *log)
{
	size_t size = log->size ? 2 * log->size : SANDBOX_LOG_START;

	if (log->made + 1 < log->size || log->size == SANDBOX_LOG_MAX)
		return;
	log->entry = xrealloc(log->entry, size, sizeof(*log->entry));
	memset(log->entry + log->size, 0,
		(size - log->size) * sizeof(*log->entry));
	log->size = size;
}

static struct sandbox_log_entry *slot(
	const struct sandbox_log *log, uint64_t seq)
{
	return &log->entry[seq % SANDBOX_LOG_MAX];
}

uint64_t sandbox_log_add(struct sandbox_log *log, int64_t now_ms,
	const char *method, const char *target, const char *body, size_t len)
{
	struct sandbox_log_entry *entry;

	log_grow(log);
	entry = slot(log, ++log->made);
	free(entry->target);
	free(entry->body);
	memset(entry, 0, sizeof(*entry));
	entry->seq = log->made;
	entry->at_ms = now_ms;
	snprintf(entry->method, sizeof(entry->method), "%s", method);
	entry->target = xmemdup0(target, strnlen(target, SANDBOX_LOG_LINE_MAX));
	if (len > SANDBOX_LOG_BODY_MAX)
		len = SANDBOX_LOG_BODY_MAX;
	entry->body = len ? xmemdup0(body, len) : NULL;
	return entry->seq;
}

void sandbox_log_done(
	struct sandbox_log *log, uint64_t seq, int status, int64_t now_ms)
{
	struct sandbox_log_entry *entry = slot(log, seq);

	if (entry->seq != seq)
		return; /* pushed out meanwhile */
	entry->status = status;
	entry->done_ms = now_ms;
}

void sandbox_log_clear(struct sandbox_log *log)
{
	log->from = log->made;
}

/* A body is shown as JSON when it is JSON; what is not even text is not. */
static json_t *body_json(const char *body)
{
	json_t *value = json_loads(body, JSON_DECODE_ANY, NULL);

	if (!value)
		value = json_string(body);
	return value ? value : json_string("(not text)");
}

static json_t *entry_json(const struct sandbox_log_entry *entry)
{
	char text[TIMESTAMP_TEXT_MAX];
	json_t *target = json_string(entry->target);
	json_t *row = json_pack("{s:I, s:s, s:s, s:o, s:i}", "seq",
		(json_int_t)entry->seq, "time",
		timestamp_print(entry->at_ms, text), "method", entry->method,
		"target", target ? target : json_string("(not text)"), "status",
		entry->status);

	if (entry->done_ms)
		json_object_set_new(
			row, "ms", json_integer(entry->done_ms - entry->at_ms));
	if (entry->body)
		json_object_set_new(row, "body", body_json(entry->body));
	return row;
}

json_t *sandbox_log_json(
	const struct sandbox_log *log, uint64_t after, const char *method)
{
	json_t *list = json_array();
	uint64_t seq = after > log->from ? after : log->from;

	if (log->made > SANDBOX_LOG_MAX && seq < log->made - SANDBOX_LOG_MAX)
		seq = log->made - SANDBOX_LOG_MAX;
	for (seq++; seq <= log->made; seq++) {
		const struct sandbox_log_entry *entry = slot(log, seq);

		if (!method || strcmp(entry->method, method) == 0)
			json_array_append_new(list, entry_json(entry));
	}
	return json_pack(
		"{s:o, s:I}", "entries", list, "last", (json_int_t)log->made);
}
