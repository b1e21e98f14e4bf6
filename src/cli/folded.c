/* A rollout out of the state file; see folded.h. */
#include "cli/folded.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cli/placeholder_env.h"
#include "policy/policy_load.h"

#define NAMED_MAX          5 /* rollouts named when several are meant */
#define PROBLEMS_BYTES_MAX 65536

/* ---- which one ---- */

static int several(
	const struct store_rollout *list, size_t n, struct err *err_r)
{
	struct buf names;
	size_t i;

	buf_init(&names, ERR_TEXT_MAX / 2);
	for (i = 0; i < n && i < NAMED_MAX; i++)
		buf_addf(&names, "%s%s", i ? ", " : "", list[i].id);
	err_set(err_r, ERR_USAGE,
		"%zu rollouts are unfinished, name the one that is meant: "
		"%s%s",
		n, names.data, n > NAMED_MAX ? ", …" : "");
	buf_fini(&names);
	return -1;
}

static int find_unnamed(struct store *store, enum folded_default otherwise,
	struct arena *arena, const char **name_r, struct err *err_r)
{
	struct store_filter unfinished = {.unfinished = true};
	struct store_filter newest = {.limit = 1};
	struct store_rollout *list;
	size_t n;

	if (store_rollout_list(store, &unfinished, arena, &list, &n, err_r))
		return -1;
	if (n == 0 && otherwise == FOLDED_NEWEST &&
		store_rollout_list(store, &newest, arena, &list, &n, err_r))
		return -1;
	if (n == 0)
		return err_set(err_r, ERR_NOT_FOUND,
			"no rollout in %s is unfinished: name one, tidegate "
			"list shows them",
			store_path(store));
	if (n > 1)
		return several(list, n, err_r);
	*name_r = list[0].id;
	return 0;
}

static int find(struct folded *folded, struct store *store, const char *name,
	enum folded_default otherwise, struct err *err_r)
{
	int found;

	if (!name &&
		find_unnamed(store, otherwise, &folded->arena, &name, err_r))
		return -1;
	found = store_rollout_get(
		store, name, &folded->arena, &folded->row, err_r);
	if (found == 0)
		return err_set(err_r, ERR_NOT_FOUND,
			"there is no rollout \"%.160s\" in %s: tidegate list "
			"shows them",
			name, store_path(store));
	return found < 0 ? -1 : 0;
}

/* ---- its policy ---- */

static int parse(struct folded *folded, struct err *err_r)
{
	char *source = arena_strdup(&folded->arena, folded->row.policy_source);
	const struct policy_env env = placeholder_env(source);
	struct buf problems;

	buf_init(&problems, PROBLEMS_BYTES_MAX);
	folded->policy = policy_parse(folded->row.policy_path, source,
		strlen(source), &env, &problems, err_r);
	buf_fini(&problems);
	if (!folded->policy)
		return err_wrap(err_r,
			"the policy kept with %s cannot be read by this "
			"version",
			folded->row.id);
	return 0;
}

/* ---- together ---- */

struct folded *folded_load(struct store *store, const char *name,
	enum folded_default otherwise, struct err *err_r)
{
	struct folded *folded = xcalloc(1, sizeof(*folded));

	arena_init(&folded->arena);
	fold_init(&folded->fold);
	if (find(folded, store, name, otherwise, err_r) ||
		parse(folded, err_r) || folded_update(folded, store, err_r))
		folded_free(&folded);
	return folded;
}

int folded_update(struct folded *folded, struct store *store, struct err *err_r)
{
	if (fold_more(store, folded->row.id, folded->policy, &folded->fold,
		    err_r))
		return err_wrap(err_r, "%s", folded->row.id);
	return 0;
}

int folded_reload_row(
	struct folded *folded, struct store *store, struct err *err_r)
{
	return find(folded, store, folded->row.id, FOLDED_UNFINISHED, err_r);
}

void folded_free(struct folded **folded)
{
	if (!*folded)
		return;
	policy_free(&(*folded)->policy);
	arena_fini(&(*folded)->arena);
	free(*folded);
	*folded = NULL;
}

int folded_driver(struct folded *folded, struct store *store,
	struct store_lease *lease_r, struct err *err_r)
{
	int held = store_lease_look(
		store, folded->row.service, &folded->arena, lease_r, err_r);

	/* The service may be in the hands of a later rollout. */
	if (held > 0 && strcmp(lease_r->rollout, folded->row.id) != 0)
		return 0;
	return held;
}
