/* SPDX-License-Identifier: Apache-2.0 */
/* Writes what the journal's thread is given; see journal_batch.h. */
#include "store/journal_batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/store_fence.h"

/* ---- parts ---- */

void journal_part_init(struct journal_part *part, struct journal_writer *writer,
	const struct journal_whose *whose)
{
	*part = (struct journal_part){.writer = writer, .whose = whose};
	STAILQ_INIT(&part->entries);
}

void journal_part_move(struct journal_part *to, struct journal_part *from)
{
	to->create = from->create;
	to->candidate = from->candidate;
	to->stable = from->stable;
	to->reason = from->reason;
	to->renew = from->renew;
	to->drop = from->drop;
	STAILQ_CONCAT(&to->entries, &from->entries);
	from->create = NULL;
	from->candidate = from->stable = from->reason = NULL;
	from->renew = from->drop = false;
}

size_t journal_part_bytes(const struct journal_part *part)
{
	const struct journal_entry *entry;
	size_t bytes = 0;

	STAILQ_FOREACH(entry, &part->entries, link)
		bytes += entry->bytes;
	return bytes;
}

int64_t journal_part_seq(const struct journal_part *part)
{
	const struct journal_entry *entry;
	int64_t seq = 0;

	STAILQ_FOREACH(entry, &part->entries, link)
		if (entry->event.name)
			seq = entry->event.seq;
	return seq;
}

bool journal_part_settles(const struct journal_part *part, int64_t command_id)
{
	const struct journal_entry *entry;

	STAILQ_FOREACH(entry, &part->entries, link)
		if (entry->ack.command_id == command_id)
			return true;
	return false;
}

void journal_part_clear(struct journal_part *part)
{
	struct journal_entry *entry;

	while ((entry = STAILQ_FIRST(&part->entries))) {
		STAILQ_REMOVE_HEAD(&part->entries, link);
		free(entry);
	}
	free(part->create);
	free(part->candidate);
	free(part->stable);
	free(part->reason);
	free(part->lost);
	part->create = NULL;
	part->candidate = part->stable = part->reason = NULL;
	part->lost = NULL;
	part->renew = part->drop = false;
}

/* ---- copies ---- */

static const char *text_take(char **at, const char *text)
{
	size_t len = strlen(text) + 1;
	char *copy = memcpy(*at, text, len);

	*at += len;
	return copy;
}

struct store_rollout *journal_row_copy(const struct store_rollout *row)
{
	struct store_rollout copy = *row, *block;
	const char **const texts[] = {&copy.id, &copy.service, &copy.candidate,
		&copy.stable, &copy.policy_name, &copy.policy_path,
		&copy.policy_source, &copy.policy_digest, &copy.options,
		&copy.starter, &copy.phase, &copy.reason, &copy.once};
	size_t n = sizeof(texts) / sizeof(*texts), bytes = 0;
	char *at;

	for (size_t i = 0; i < n; i++)
		bytes += *texts[i] ? strlen(*texts[i]) + 1 : 0;
	block = xcalloc(1, sizeof(*block) + bytes);
	at = (char *)(block + 1);
	for (size_t i = 0; i < n; i++)
		if (*texts[i])
			*texts[i] = text_take(&at, *texts[i]);
	*block = copy;
	return block;
}

struct journal_entry *journal_entry_new(
	const struct store_event *event, const struct command_ack *ack)
{
	const char *answer = ack ? ack->answer : "";
	const char *data = event ? event->data : "";
	size_t bytes = sizeof(struct journal_entry) + strlen(data) + 1 +
		       strlen(answer) + 1;
	struct journal_entry *entry = xcalloc(1, bytes);
	char *at = (char *)(entry + 1);

	entry->bytes = bytes;
	if (event)
		entry->event = *event;
	if (ack)
		entry->ack = *ack;
	entry->event.data = text_take(&at, data);
	entry->ack.answer = text_take(&at, answer);
	return entry;
}

/* ---- on the journal's thread ---- */

/* Another process has acknowledged the command already: no error. */
static int ack_write(
	struct store *store, const struct command_ack *ack, struct err *err_r)
{
	if (!ack->command_id || store_command_settle(store, ack->command_id,
					ack->refused, ack->answer, err_r) == 0)
		return 0;
	return err_r->code == ERR_CONFLICT ? 0 : -1;
}

static int events_write(struct store *store, const struct journal_part *part,
	bool *ended_r, struct err *err_r)
{
	struct store_event *events;
	const struct journal_entry *entry;
	size_t n = 0;
	int rc = 0;

	STAILQ_FOREACH(entry, &part->entries, link)
		n++;
	events = xcalloc(n + 1, sizeof(*events));
	n = 0;
	STAILQ_FOREACH(entry, &part->entries, link) {
		if (entry->event.name)
			events[n++] = entry->event;
		*ended_r = *ended_r || entry->ended;
	}
	if (n)
		rc = store_append(store, part->whose->rollout,
			part->whose->fence, events, n, part->reason, *ended_r,
			err_r);
	free(events);
	return rc;
}

static int entries_write(
	struct store *store, const struct journal_part *part, struct err *err_r)
{
	const struct journal_entry *entry;
	bool ended = false;

	if (events_write(store, part, &ended, err_r) < 0)
		return -1;
	STAILQ_FOREACH(entry, &part->entries, link)
		if (ack_write(store, &entry->ack, err_r) < 0)
			return -1;
	return ended ? store_commands_refuse(store, part->whose->rollout,
			       "the rollout has ended", err_r)
		     : 0;
}

static int part_write(
	struct store *store, const struct journal_part *part, struct err *err_r)
{
	const struct journal_whose *whose = part->whose;

	/* What an entry does by itself, before what comes without one. */
	if ((part->create || part->candidate) &&
		store_lease_check(store, whose->service, whose->fence, err_r))
		return -1;
	if (part->create && store_rollout_create(store, part->create, err_r))
		return -1;
	if (part->candidate &&
		store_rollout_set_revisions(store, whose->rollout,
			part->candidate, part->stable, err_r) < 0)
		return -1;
	if (entries_write(store, part, err_r) < 0)
		return -1;
	if (part->drop)
		return store_lease_end(
			store, whose->service, whose->fence, err_r);
	if (part->renew)
		return store_lease_renew(
			store, whose->service, whose->fence, err_r);
	return 0;
}

/* Writers who lost their lease are told so; the others go on. */
static int parts_write(
	struct store *store, struct journal_parts *parts, struct err *err_r)
{
	struct journal_part *part;

	TAILQ_FOREACH(part, parts, link) {
		free(part->lost); /* of a try before this one */
		part->lost = NULL;
		if (part_write(store, part, err_r) == 0)
			continue;
		if (err_r->code != ERR_LEASE)
			return -1;
		part->lost = xcalloc(1, sizeof(*part->lost));
		*part->lost = *err_r;
	}
	return store_commit(store, err_r);
}

int journal_batch_write(
	struct store *store, struct journal_parts *parts, struct err *err_r)
{
	if (store_begin(store, err_r) < 0)
		return -1;
	if (parts_write(store, parts, err_r) == 0)
		return 0;
	store_rollback(store);
	return -1;
}
