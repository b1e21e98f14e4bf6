/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the same service is released under another name: its project may be given
 * by its id or by its number, and each name has a lease of its own. What tells is
 * the service's uid, which is known when it has been read. See preflight_parts.h.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "live/captured_codec.h"
#include "live/preflight_parts.h"

static int take_uid(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	char **uid = arg;

	free(*uid);
	*uid = entry->is_note ? NULL : captured_uid(entry->data);
	return *uid != NULL;
}

/* One that is in preflight itself has told no uid yet: it may be the same. */
static bool may_be_it(
	const struct preflight *preflight, const struct store_rollout *row)
{
	char *uid = NULL;
	struct err err;
	bool is_it;

	if (store_each_named(preflight->world->store, row->id,
		    event_name(EVENT_PREFLIGHT), take_uid, &uid, &err) < 0)
		return false;
	is_it = !uid || !strcmp(uid, preflight->snapshot->uid);
	free(uid);
	return is_it;
}

static void tell_rival(
	struct preflight *preflight, const struct store_rollout *row)
{
	const char *id = row->id;

	finding_tell(preflight, FINDING_FAIL, "lease",
		preflight->release->service.name,
		arena_printf(&preflight->arena,
			"wait for it (tidegate watch %s), or end it: tidegate "
			"abort %s; and give the project always by its id",
			id, id),
		"the same service is being released as %s, rollout %s",
		row->service, id);
}

static void look_for_rival(struct preflight *preflight, struct arena *arena)
{
	const struct service_name *name = &preflight->release->service;
	bool by_number = isdigit((unsigned char)*name->project);
	struct store_rollout *list;
	struct err err;
	size_t n;

	if (store_rollouts_named(preflight->world->store,
		    strstr(name->full, "/locations/"), !by_number, arena, &list,
		    &n, &err) < 0)
		return; /* what it journals itself tells of that */
	for (size_t i = 0; i < n; i++) {
		if (!may_be_it(preflight, &list[i]))
			continue;
		tell_rival(preflight, &list[i]);
		return;
	}
}

/* Who goes back is not kept from it. */
void preflight_rival(struct preflight *preflight)
{
	struct arena arena;

	if (preflight->world->store && preflight->snapshot &&
		preflight->snapshot->uid &&
		!release_goes_back(preflight->release)) {
		arena_init(&arena);
		look_for_rival(preflight, &arena);
		arena_fini(&arena);
	}
	preflight_next(preflight);
}
