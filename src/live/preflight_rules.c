/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold, rule by rule; see preflight_rules.h. */
#include "live/preflight_rules.h"

#include <string.h>

#include "base/arena.h"
#include "cloudrun/service_codec.h"
#include "policy/policy.h"
#include "store/store.h"

#define TAG_SERVICE_MAX 46 /* a tag and its service share one DNS label */

/* ---- the service ---- */

static const char *short_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

int rule_service(const struct service *service, struct err *err_r)
{
	if (!service->multi_region)
		return 0;
	return err_set(err_r, ERR_REFUSED,
		"multi-region services are not supported: their regions "
		"cannot be moved one by one");
}

int rule_candidate(const struct service *service, const char *wanted,
	const char **candidate_r, struct err *err_r)
{
	*candidate_r = wanted ? wanted : service->latest_ready;
	if (*candidate_r)
		return 0;
	return err_set(err_r, ERR_REFUSED,
		"%s has no ready revision to release",
		short_name(service->name));
}

int rule_stable(const struct service *service, const char *candidate,
	bool adopt, const char **stable_r, struct err *err_r)
{
	const struct traffic *serving =
		service->statuses.n ? &service->statuses : &service->spec;

	if (!traffic_agrees(&service->spec, serving, service->latest_ready) &&
		!adopt)
		return traffic_refuse_difference(
			&service->spec, serving, err_r);
	return traffic_find_stable(serving, service->latest_ready, candidate,
		adopt, stable_r, err_r);
}

int rule_candidate_is_new(
	const char *candidate, const char *stable, struct err *err_r)
{
	if (strcmp(candidate, stable) != 0)
		return 0;
	return err_set(err_r, ERR_REFUSED,
		"%s holds all traffic already: there is nothing to release",
		candidate);
}

/* ---- the tag ---- */

int rule_tag_name(const char *tag, const char *service, struct err *err_r)
{
	size_t len = strlen(tag) + strlen(service);

	if (traffic_is_keep_tag(tag))
		return err_set(err_r, ERR_REFUSED,
			"tag \"%s\" is the one that keeps stable while the "
			"candidate holds 100 %%: choose another one",
			tag);
	if (len <= TAG_SERVICE_MAX)
		return 0;
	return err_set(err_r, ERR_REFUSED,
		"tag \"%s\" and service \"%s\" have %zu characters together, "
		"at most %d fit into a host name",
		tag, service, len, TAG_SERVICE_MAX);
}

int rule_tag_free(const struct service *service, const char *tag,
	const char *candidate, struct err *err_r)
{
	if (!traffic_tag_is_taken(&service->spec, tag, candidate))
		return 0;
	return err_set(err_r, ERR_REFUSED,
		"tag \"%s\" is on another revision: remove it there or choose "
		"another one",
		tag);
}

/* ---- the candidate ---- */

int rule_history(struct store *store, const char *service,
	const char *candidate, struct err *err_r)
{
	struct arena arena;
	const char *before;
	int found;

	arena_init(&arena);
	found = store_was_rolled_back(
		store, service, candidate, &arena, &before, err_r);
	if (found > 0)
		err_set(err_r, ERR_REFUSED,
			"%s was rolled back before by %s: deploy a new "
			"revision, or insist with --again",
			candidate, before);
	arena_fini(&arena);
	return found ? -1 : 0;
}

int rule_unfinished(struct store *store, const char *service, const char *own,
	struct err *err_r)
{
	struct store_filter filter = {.service = service, .unfinished = true};
	struct store_rollout *rollouts;
	struct arena arena;
	size_t n = 0;
	int rc;

	arena_init(&arena);
	rc = store_rollout_list(store, &filter, &arena, &rollouts, &n, err_r);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (strcmp(rollouts[i].id, own) != 0)
			rc = err_set(err_r, ERR_REFUSED,
				"%s was left while it was %s: go on with it by "
				"\"tidegate resume %s\", or take it back by "
				"\"tidegate abort %s\" and that",
				rollouts[i].id, rollouts[i].phase,
				rollouts[i].id, rollouts[i].id);
	arena_fini(&arena);
	return rc;
}

int rule_owner(
	const struct revision *revision, const char *service, struct err *err_r)
{
	if (strcmp(revision->service, service) == 0)
		return 0;
	return err_set(err_r, ERR_REFUSED, "%s is a revision of %s, not of %s",
		revision->name, revision->service, service);
}

int rule_ready(const struct revision *revision, struct err *err_r)
{
	if (revision->ready)
		return 0;
	return err_set(err_r, ERR_REFUSED, "%s is not ready%s%s",
		revision->name, revision->condition ? ": " : "",
		revision->condition ? revision->condition : "");
}

/* ---- people ---- */

/* Nobody can decide under another name: see context_who, and the people of the
 * daemon's configuration. */
static bool is_person(const char *name)
{
	const unsigned char *p = (const unsigned char *)name;

	while (*p > ' ' && *p != 0x7f)
		p++;
	return *name && !*p;
}

static int count_able(const struct approval *approval, const char *starter,
	const char **nobody_r)
{
	int n = 0;

	*nobody_r = NULL;
	for (size_t i = 0; i < approval->n_approvers; i++) {
		if (!is_person(approval->approvers[i]))
			*nobody_r = approval->approvers[i];
		else
			n += approval->self_approval ||
			     strcmp(approval->approvers[i], starter) != 0;
	}
	return n;
}

/* Too few people who may approve are found now, not after the first step. */
int rule_gate(const struct policy *policy, size_t step, const char *starter,
	struct err *err_r)
{
	const struct approval *approval = policy->steps[step].approval;
	const char *nobody = NULL;
	int able = approval ? count_able(approval, starter, &nobody) : 0;

	if (!approval || able >= approval->minimum)
		return 0;
	if (nobody)
		return err_set(err_r, ERR_REFUSED,
			"step %zu needs %d approval%s and only %d of its "
			"approvers may give one: nobody can decide as "
			"\"%.63s\", since names of people have no blanks; "
			"write the name as it comes by --as, TIDEGATE_USER or "
			"the login",
			step + 1, approval->minimum,
			approval->minimum == 1 ? "" : "s", able, nobody);
	return err_set(err_r, ERR_REFUSED,
		"step %zu needs %d approval%s and only %d of its approvers may "
		"give one (%s started the rollout and self_approval is not "
		"set)",
		step + 1, approval->minimum, approval->minimum == 1 ? "" : "s",
		able, starter);
}
