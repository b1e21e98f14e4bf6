/* SPDX-License-Identifier: Apache-2.0 */
/* The rollouts that this daemon drives; see driven.h. */
#include "serve/driven.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/name_hash.h"
#include "base/xalloc.h"
#include "live/fleet.h"
#include "serve/own_service.h"
#include "serve/shelf.h"

#define BUCKETS       4096
#define LISTENERS_MAX 4

struct driven {
	LIST_ENTRY(driven) by_id, by_service;
	TAILQ_ENTRY(driven) link; /* newest last */
	struct driven_set *set;
	struct driver *driver;
	const struct policy *policy; /* of the shelf */
	char *service, *starter;
	driven_begun_fn begun; /* NULL: told, or nobody asked */
	void *begun_arg;
};

LIST_HEAD(driven_bucket, driven);
TAILQ_HEAD(driven_list, driven);

struct driven_set {
	struct fleet *fleet;
	struct shelf *shelf;
	const struct own_service *own; /* NULL: it is none */
	struct driven_list all;
	struct driven_bucket by_id[BUCKETS], by_service[BUCKETS];
	size_t n;
	struct driven_listener listeners[LISTENERS_MAX];
	size_t n_listeners;
};

struct driven_set *driven_new(struct fleet *fleet, struct shelf *shelf)
{
	struct driven_set *set = xcalloc(1, sizeof(*set));

	set->fleet = fleet;
	set->shelf = shelf;
	TAILQ_INIT(&set->all);
	return set;
}

void driven_own(struct driven_set *set, const struct own_service *own)
{
	set->own = own;
}

void driven_listen(
	struct driven_set *set, const struct driven_listener *listener)
{
	if (set->n_listeners == LISTENERS_MAX)
		abort(); /* ours to raise */
	set->listeners[set->n_listeners++] = *listener;
}

/* ---- finding ---- */

static size_t bucket_of(const char *text)
{
	return name_bucket(text, BUCKETS);
}

const struct driven *driven_find(
	const struct driven_set *set, const char *rollout)
{
	const struct driven *driven;

	LIST_FOREACH(driven, &set->by_id[bucket_of(rollout)], by_id)
		if (!strcmp(driver_id(driven->driver), rollout))
			return driven;
	return NULL;
}

const struct driven *driven_of_service(
	const struct driven_set *set, const char *service)
{
	const struct driven *driven;

	LIST_FOREACH(driven, &set->by_service[bucket_of(service)], by_service)
		if (!strcmp(driven->service, service))
			return driven;
	return NULL;
}

const struct driven *driven_first(const struct driven_set *set)
{
	return TAILQ_FIRST(&set->all);
}

const struct driven *driven_next(const struct driven *driven)
{
	return TAILQ_NEXT(driven, link);
}

size_t driven_count(const struct driven_set *set)
{
	return set->n;
}

size_t driven_count_of(const struct driven_set *set, const char *starter)
{
	const struct driven *driven;
	size_t n = 0;

	TAILQ_FOREACH(driven, &set->all, link)
		n += !strcmp(driven->starter, starter);
	return n;
}

const struct load_live *driven_load(
	const struct driven_set *set, const char *rollout)
{
	const struct driven *driven = driven_find(set, rollout);

	return driven ? driver_load(driven->driver) : NULL;
}

const struct driver *driven_driver(const struct driven *driven)
{
	return driven->driver;
}

const char *driven_service(const struct driven *driven)
{
	return driven->service;
}

/* ---- members ---- */

static struct driven *member_new(struct driven_set *set,
	const struct policy *policy, const char *service, const char *starter)
{
	struct driven *driven = xcalloc(1, sizeof(*driven));

	driven->set = set;
	driven->policy = policy;
	driven->service = xstrdup(service);
	driven->starter = xstrdup(starter);
	return driven;
}

static void member_free(struct driven *driven)
{
	struct driven_set *set = driven->set;

	if (driven->driver) {
		LIST_REMOVE(driven, by_id);
		LIST_REMOVE(driven, by_service);
		TAILQ_REMOVE(&set->all, driven, link);
		set->n--;
		fleet_drop(set->fleet, &driven->driver);
	}
	shelf_give_back(set->shelf, &driven->policy);
	free(driven->service);
	free(driven->starter);
	free(driven);
}

static int member_join(struct driven *driven)
{
	struct driven_set *set = driven->set;

	if (!driven->driver) {
		member_free(driven);
		return -1;
	}
	LIST_INSERT_HEAD(&set->by_id[bucket_of(driver_id(driven->driver))],
		driven, by_id);
	LIST_INSERT_HEAD(&set->by_service[bucket_of(driven->service)], driven,
		by_service);
	TAILQ_INSERT_TAIL(&set->all, driven, link);
	set->n++;
	return 0;
}

/* Once, since it is forgotten before. */
static void tell_begun(struct driven *driven, const struct err *err)
{
	driven_begun_fn fn = driven->begun;

	driven->begun = NULL;
	if (fn)
		fn(driver_id(driven->driver), err, driven->begun_arg);
}

/* ---- what its driver tells ---- */

static void member_entry(
	struct driver *driver, const struct store_event *entry, void *arg)
{
	struct driven *driven = arg;
	const struct driven_set *set = driven->set;

	(void)driver;
	tell_begun(driven, NULL);
	for (size_t i = 0; i < set->n_listeners; i++)
		if (set->listeners[i].entry)
			set->listeners[i].entry(
				driven, entry, set->listeners[i].arg);
}

static void member_end(struct driver *driver, int exit_status,
	const struct err *err, void *arg)
{
	struct driven *driven = arg;
	const struct driven_set *set = driven->set;

	log_line(err ? LOG_WARN : LOG_INFO,
		"rollout=%s phase=%s event=driven-no-more exit=%d text=\"%s\"",
		driver_id(driver), phase_name(driver_state(driver)->phase),
		exit_status, err ? err->text : "");
	tell_begun(driven, err);
	for (size_t i = 0; i < set->n_listeners; i++)
		if (set->listeners[i].end)
			set->listeners[i].end(
				driven, err, set->listeners[i].arg);
	member_free(driven);
}

/* ---- beginning ---- */

static struct observer observer_of(struct driven *driven)
{
	return (struct observer){member_entry, member_end, driven};
}

int driven_start(struct driven_set *set, const struct policy *policy,
	const struct driver_options *options, driven_begun_fn fn, void *arg,
	struct err *err_r)
{
	struct driven *driven =
		member_new(set, policy, options->service, options->starter);
	const struct observer observer = observer_of(driven);

	driven->begun = fn;
	driven->begun_arg = arg;
	if (own_service_check(set->own, options->service, err_r) == 0)
		driven->driver = fleet_run(
			set->fleet, policy, options, &observer, err_r);
	return member_join(driven);
}

int driven_resume(struct driven_set *set, const struct policy *policy,
	const struct driven_left *left, const char *who, struct err *err_r)
{
	struct driven *driven =
		member_new(set, policy, left->service, left->starter);
	const struct observer observer = observer_of(driven);
	const struct driver_options options = {.starter = who, .wait_ms = -1};

	if (own_service_check(set->own, left->service, err_r) == 0)
		driven->driver = fleet_resume(set->fleet, policy, left->rollout,
			&options, &observer, err_r);
	return member_join(driven);
}

void driven_hurry(struct driven_set *set)
{
	fleet_hurry(set->fleet);
}

/* ---- the end ---- */

void driven_stop(struct driven_set *set)
{
	struct driven *driven, *next;
	struct err err;

	set->n_listeners = 0;
	err_set(&err, ERR_UNAVAILABLE, "the daemon is being stopped");
	for (driven = TAILQ_FIRST(&set->all); driven; driven = next) {
		next = TAILQ_NEXT(driven, link);
		/* An entry is written at the end, if it is not yet. */
		tell_begun(driven, driver_seq(driven->driver) ? NULL : &err);
		if (!driver_quit(driven->driver))
			member_free(driven);
	}
}

void driven_free(struct driven_set **set_p)
{
	struct driven_set *set = *set_p;

	if (!set)
		return;
	driven_stop(set);
	if (!TAILQ_EMPTY(&set->all))
		fleet_let_end(set->fleet);
	while (!TAILQ_EMPTY(&set->all))
		member_free(TAILQ_FIRST(&set->all));
	free(set);
	*set_p = NULL;
}
