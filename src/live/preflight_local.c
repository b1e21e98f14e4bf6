/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This side: who may approve, who is told, the state file and the lease in it.
 * Makes no request. See preflight_parts.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "action/action.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "live/preflight_parts.h"
#include "live/preflight_rules.h"

/* ---- people ---- */

static void add_names(const struct approval *approval, struct buf *out)
{
	for (size_t i = 0; i < approval->n_approvers; i++)
		buf_addf(out, "%s%s", i ? ", " : "", approval->approvers[i]);
}

static void look_at_gate(struct preflight *preflight, size_t step)
{
	const struct policy *policy = preflight->release->policy;
	const struct approval *approval = policy->steps[step].approval;
	const char *name =
		arena_printf(&preflight->arena, "step %zu", step + 1);
	struct buf names;
	struct err err;

	if (rule_gate(policy, step, preflight->release->starter, &err) < 0) {
		finding_tell(preflight, FINDING_FAIL, "approval", name,
			"let somebody else start it (--as, TIDEGATE_USER), add "
			"approvers to the step, or set self_approval: true "
			"there",
			"%s", err.text);
		return;
	}
	buf_init(&names, ERR_TEXT_MAX);
	add_names(approval, &names);
	finding_tell(preflight, FINDING_OK, "approval", name, NULL,
		"%d of %s; %s would start it", approval->minimum, names.data,
		preflight->release->starter);
	buf_fini(&names);
}

void preflight_people(struct preflight *preflight)
{
	const struct policy *policy = preflight->release->policy;

	for (size_t i = 0; i < policy->n_steps; i++)
		if (policy->steps[i].approval)
			look_at_gate(preflight, i);
	preflight_next(preflight);
}

/* ---- who is told ---- */

static void look_at_notifications(struct preflight *preflight)
{
	static const enum action_list lists[] = {
		LIST_ROLLBACK, LIST_ROLLED_BACK};
	const struct policy *policy = preflight->release->policy;
	const struct actions *actions;
	struct buf names;

	buf_init(&names, ERR_TEXT_MAX);
	for (size_t k = 0; k < sizeof(lists) / sizeof(*lists); k++) {
		actions = &policy->lists[lists[k]];
		for (size_t i = 0; i < actions->n; i++)
			if (action_type_of(actions->item[i].kind)->tells_people)
				buf_addf(&names, "%s%s", names.len ? ", " : "",
					actions->item[i].name);
	}
	if (names.len)
		finding_tell(preflight, FINDING_OK, "notify", "rollback", NULL,
			"told by %s", names.data);
	else
		finding_tell(preflight, FINDING_WARN, "notify", "rollback",
			"add an action of type slack, webhook or pagerduty to "
			"hooks.rolled_back",
			"nobody is told of a rollback");
	buf_fini(&names);
}

/* ---- the state file ---- */

/* The first folder above `path` that is there, in the arena. */
static const char *folder_of(struct preflight *preflight, const char *path)
{
	char *folder = arena_strdup(&preflight->arena, path);
	char *slash;

	do {
		slash = strrchr(folder, '/');
		if (!slash)
			return ".";
		*slash = '\0';
	} while (*folder && access(folder, F_OK) != 0);
	return *folder ? folder : "/";
}

static void look_at_file(struct preflight *preflight)
{
	static const char remedy[] =
		"give another --state, or let its owner run tidegate";
	const char *path = preflight->what.state_path;
	const char *folder = folder_of(preflight, path);
	bool there = preflight->world->store != NULL;

	if (preflight->what.state_err)
		finding_tell(preflight, FINDING_FAIL, "state", path,
			"give another --state", "%s",
			preflight->what.state_err->text);
	else if (access(folder, W_OK | X_OK) != 0)
		finding_tell(preflight, FINDING_FAIL, "state", path, remedy,
			"the folder %s cannot be written: %s", folder,
			strerror(errno));
	else if (there && access(path, W_OK) != 0)
		finding_tell(preflight, FINDING_FAIL, "state", path, remedy,
			"it cannot be written: %s", strerror(errno));
	else
		finding_tell(preflight, FINDING_OK, "state", path, NULL, "%s",
			there ? "can be written"
			      : "not there yet: the first rollout makes it");
}

/* A rollout of the service has begun and no process drives it. */
static void look_for_unfinished(
	struct preflight *preflight, struct arena *arena)
{
	struct release *release = preflight->release;
	struct store_filter filter = {.service = release->service.full,
		.unfinished = true,
		.limit = 1};
	struct store_rollout *rows;
	struct err err;
	size_t n;

	if (store_rollout_list(preflight->world->store, &filter, arena, &rows,
		    &n, &err) < 0)
		finding_tell(preflight, FINDING_FAIL, "lease",
			release->service.name, "give another --state", "%s",
			err.text);
	else if (n)
		finding_tell(preflight, FINDING_WARN, "lease",
			release->service.name,
			arena_printf(arena, "tidegate resume %s", rows[0].id),
			"free, but rollout %s has not ended and nobody drives "
			"it",
			rows[0].id);
	else
		finding_tell(preflight, FINDING_OK, "lease",
			release->service.name, NULL, "free");
}

static void look_at_lease(struct preflight *preflight)
{
	struct release *release = preflight->release;
	struct store *store = preflight->world->store;
	char time[TIMESTAMP_TEXT_MAX];
	struct store_lease lease;
	struct arena arena;
	struct err err;
	int rc;

	if (!store)
		return;
	arena_init(&arena);
	rc = store_lease_look(
		store, release->service.full, &arena, &lease, &err);
	if (rc == 0)
		look_for_unfinished(preflight, &arena);
	else if (rc < 0)
		finding_tell(preflight, FINDING_FAIL, "lease",
			release->service.name, "give another --state", "%s",
			err.text);
	else
		finding_tell(preflight,
			lease.alive ? FINDING_FAIL : FINDING_WARN, "lease",
			release->service.name,
			*lease.rollout
				? arena_printf(&arena,
					  "wait for it (tidegate watch %s), or "
					  "end it: tidegate abort %s",
					  lease.rollout, lease.rollout)
				: "wait for it",
			"held by %s%s%s, renewed at %s by its clock%s",
			lease.holder, *lease.rollout ? ", rollout " : "",
			lease.rollout, timestamp_print(lease.renewed_ms, time),
			lease.alive ? ""
				    : "; if it does not live any more, run "
				      "takes it over after 15 s");
	arena_fini(&arena);
}

void preflight_local(struct preflight *preflight)
{
	look_at_notifications(preflight);
	look_at_file(preflight);
	look_at_lease(preflight);
	preflight_next(preflight);
}
