/* SPDX-License-Identifier: Apache-2.0 */
/* A source and those before it; see source_slot.h. */
#include "google/source_slot.h"

#include "base/log.h"
#include "google/source.h"

void source_slot_init(struct source_slot *slot, struct source *source)
{
	slot->now = source;
	SLIST_INIT(&slot->older);
}

/* Those by which nothing is fetched any more. */
static void forget_older(struct source_slot *slot)
{
	struct source_list kept = SLIST_HEAD_INITIALIZER(kept);
	struct source *source;

	while ((source = SLIST_FIRST(&slot->older))) {
		SLIST_REMOVE_HEAD(&slot->older, older);
		if (source->n_fetches)
			SLIST_INSERT_HEAD(&kept, source, older);
		else
			source_free(&source);
	}
	slot->older = kept;
}

void source_slot_fini(struct source_slot *slot)
{
	forget_older(slot);
	source_free(&slot->now);
}

struct source *source_slot_renew(struct source_slot *slot)
{
	struct source *newer;
	struct err err;
	int rc = source_open_again(slot->now, &newer, &err);

	if (rc < 0)
		log_line(LOG_ERROR,
			"event=credentials file=\"%s\" error=\"%s\" "
			"text=\"the credentials stay as they were\"",
			slot->now->path, err.text);
	if (rc <= 0)
		return slot->now;
	log_line(LOG_INFO, "event=credentials file=\"%s\" text=\"%s is read\"",
		newer->path, newer->describe);
	SLIST_INSERT_HEAD(&slot->older, slot->now, older);
	slot->now = newer;
	forget_older(slot);
	return newer;
}
