/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon without its doors; see daemon.h. Decides nothing about a rollout. */
#include "serve/daemon.h"

#include <stdlib.h>

#include "api/request.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "identity/identity.h"
#include "io/clock.h"
#include "io/file_system.h"
#include "io/worker.h"
#include "live/fleet.h"
#include "live/world.h"
#include "serve/adopt.h"
#include "serve/changes.h"
#include "serve/desk.h"
#include "serve/drills.h"
#include "serve/driven.h"
#include "serve/issuer_secrets.h"
#include "serve/meter.h"
#include "serve/once.h"
#include "serve/own_service.h"
#include "serve/retention.h"
#include "serve/shelf.h"
#include "serve/shelf_reload.h"
#include "serve/slack_api.h"
#include "serve/slack_notices.h"
#include "serve/views.h"
#include "serve/watch.h"
#include "serve/who.h"
#include "store/store.h"

#define RELOAD_PROBLEMS_MAX (64 * 1024)
#define DAEMON_WHO          "tidegate-serve" /* in journals */
#define READ_END_MS         2000 /* for all that is being read at the end */

struct daemon {
	const struct serve_config *config; /* borrowed */
	struct who *who;
	struct store *store;
	struct world world;
	struct fleet *fleet;
	struct shelf *shelf;
	/* What is read again while it works, side by side: each may hang. */
	struct shelf_reload *reload; /* of policies; NULL: none is under way */
	struct worker *people_reader, *secret_reader;
	bool secrets_read; /* are being */
	bool policies_again, people_again, secrets_again; /* after that */
	void (*reload_done)(void *arg);
	void *reload_arg;
	struct desk *desk, *last_desk; /* of those that wait at the end */
	struct own_service *own; /* NULL: this is none */
	struct driven_set *driven;
	struct adopt *adopt;
	struct views *views;
	struct identity *identity;
	struct retention *retention;
	struct meter *meter;
	struct drills *drills;
	struct changes *changes;
	struct slack_api *slack; /* NULL: nothing is posted there */
	struct slack_notices *notices;
	LIST_HEAD(, daemon_waiter) waiters;
	struct once_works once_works;
	struct watch *watch;
	int n_visits;
	bool draining;
};

static void open_slack(struct daemon *daemon, const struct api *api)
{
	const struct serve_config *config = daemon->config;
	struct slack_notice_parts parts;

	if (!config->notify.app)
		return;
	daemon->slack = slack_api_new(api, config->notify.app);
	parts = (struct slack_notice_parts){
		.loop = daemon->world.loop,
		.desk = daemon->desk,
		.views = daemon->views,
		.slack = daemon->slack,
		.public_url = config->public_url,
	};
	daemon->notices =
		slack_notices_new(&parts, daemon->changes, &config->notify);
}

/* What needs descriptors for its threads. */
static int open_desks(struct daemon *daemon, struct err *err_r)
{
	struct loop *loop = daemon->world.loop;
	const char *path = store_path(daemon->store);

	daemon->fleet = fleet_new(&daemon->world, err_r);
	if (!daemon->fleet)
		return -1;
	daemon->desk = desk_new(loop, path, err_r);
	if (!daemon->desk)
		return -1;
	daemon->last_desk = desk_new(loop, path, err_r);
	if (!daemon->last_desk)
		return -1;
	daemon->people_reader = worker_new(loop, 1, err_r);
	if (!daemon->people_reader)
		return -1;
	daemon->secret_reader = worker_new(loop, 1, err_r);
	return daemon->secret_reader ? 0 : -1;
}

static int open_parts(struct daemon *daemon, struct err *err_r)
{
	const struct world_options options = {
		/* Services are named in full. */
		.project = "",
		.region = "",
		.store = daemon->store,
	};
	struct adopt_parts parts;
	struct watch_parts watch;
	struct api api;

	if (world_open(&daemon->world, &options, err_r) < 0)
		return -1;
	api = (struct api){.loop = daemon->world.loop,
		.http = daemon->world.http,
		.worker = daemon->world.worker};
	daemon->identity = identity_new(&api, &daemon->config->identity, err_r);
	if (!daemon->identity)
		return -1;
	if (open_desks(daemon, err_r) < 0)
		return -1;
	daemon->retention = retention_new(daemon->world.loop, daemon->desk,
		daemon->config->keep_ended_ms);
	daemon->driven = driven_new(daemon->fleet, daemon->shelf);
	daemon->own = own_service_new(daemon->world.http);
	driven_own(daemon->driven, daemon->own);
	daemon->meter =
		meter_new(daemon->world.loop, daemon->fleet, daemon->driven);
	daemon->drills = drills_new(
		daemon->world.loop, daemon->desk, meter_page(daemon->meter));
	daemon->changes = changes_new(daemon->world.loop, daemon->driven);
	daemon->views = views_new(daemon->world.loop, daemon->store);
	parts = (struct adopt_parts){
		.loop = daemon->world.loop,
		.store = daemon->store,
		.desk = daemon->desk,
		.shelf = daemon->shelf,
		.driven = daemon->driven,
		.who = DAEMON_WHO,
		.changes = daemon->changes,
	};
	daemon->adopt = adopt_new(&parts);
	watch = (struct watch_parts){
		.config = daemon->config,
		.who = daemon->who,
		.loop = daemon->world.loop,
		.cloudrun = daemon->world.cloudrun,
		.desk = daemon->desk,
		.driven = daemon->driven,
		.shelf = daemon->shelf,
	};
	daemon->watch = watch_new(&watch);
	open_slack(daemon, &api);
	return 0;
}

struct daemon *daemon_open(const struct serve_config *config,
	struct buf *problems, struct err *err_r)
{
	struct daemon *daemon = xcalloc(1, sizeof(*daemon));

	daemon->config = config;
	daemon->who = who_new(config);
	daemon->shelf = shelf_new(config->policies);
	if (file_system_check(config->state, err_r) == 0 &&
		shelf_load(daemon->shelf, problems, err_r) == 0)
		daemon->store = store_open(config->state, STORE_CREATE, err_r);
	if (!daemon->store || open_parts(daemon, err_r) < 0)
		daemon_close(&daemon);
	return daemon;
}

static void cancel_waiters(struct daemon *daemon)
{
	struct daemon_waiter *waiter;

	while ((waiter = LIST_FIRST(&daemon->waiters)))
		waiter->cancel(waiter);
}

/* What becomes of those that wait is kept by a desk of its own: the other may be
 * left behind with a job that hangs. */
static void end_waiters(struct daemon *daemon)
{
	desk_free(&daemon->desk);
	daemon->desk = daemon->last_desk;
	daemon->last_desk = NULL;
	cancel_waiters(daemon);
	if (daemon->driven)
		driven_stop(daemon->driven);
	desk_free(&daemon->desk);
}

static int64_t left_until(int64_t end_ms)
{
	int64_t left_ms = end_ms - clock_boot_ms();

	return left_ms > 0 ? left_ms : 0;
}

/* A disk that hangs keeps what its thread uses. */
static void end_reader(struct worker **worker, int64_t end_ms)
{
	if (*worker)
		(void)worker_wait(*worker, left_until(end_ms));
	(void)worker_free(worker);
}

/* All that hang together are waited for as long as one. */
static void end_reading(struct daemon *daemon)
{
	int64_t end_ms = clock_boot_ms() + READ_END_MS;

	daemon->reload_done = NULL;
	daemon->secrets_again = false;
	who_reload_cancel(daemon->who);
	shelf_reload_cancel(&daemon->reload, left_until(end_ms));
	end_reader(&daemon->people_reader, end_ms);
	end_reader(&daemon->secret_reader, end_ms);
}

void daemon_close(struct daemon **daemon_p)
{
	struct daemon *daemon = *daemon_p;

	if (!daemon)
		return;
	end_reading(daemon);
	identity_free(&daemon->identity);
	if (daemon->adopt)
		adopt_stop(daemon->adopt);
	if (daemon->watch)
		watch_stop(daemon->watch);
	if (daemon->retention)
		retention_stop(daemon->retention);
	if (daemon->drills)
		drills_stop(daemon->drills);
	if (daemon->notices)
		slack_notices_stop(daemon->notices);
	end_waiters(daemon);
	slack_notices_free(&daemon->notices);
	slack_api_free(&daemon->slack);
	retention_free(&daemon->retention);
	drills_free(&daemon->drills);
	adopt_free(&daemon->adopt);
	views_free(&daemon->views);
	changes_free(&daemon->changes);
	own_service_free(&daemon->own);
	watch_free(&daemon->watch);
	driven_free(&daemon->driven); /* turns the loop once more */
	fleet_free(&daemon->fleet);
	meter_free(&daemon->meter);
	world_close(&daemon->world);
	shelf_free(&daemon->shelf);
	store_free(&daemon->store);
	who_free(&daemon->who);
	free(daemon);
	*daemon_p = NULL;
}

static void reload_policies(struct daemon *daemon);
static void reload_people(struct daemon *daemon);
static void reload_secrets(struct daemon *daemon);

static void reload_ended(struct daemon *daemon)
{
	if (!daemon_is_reloading(daemon) && daemon->reload_done)
		daemon->reload_done(daemon->reload_arg);
}

static void people_reloaded(void *arg)
{
	struct daemon *daemon = arg;

	if (daemon->people_again)
		reload_people(daemon);
	else
		reload_ended(daemon);
}

/* What was changed while they are read may be missed by it: they are read once
 * more, as are policies. */
static void reload_people(struct daemon *daemon)
{
	daemon->people_again = who_is_reading(daemon->who);
	if (!daemon->people_again && daemon->config->file)
		who_reload(daemon->who, daemon->people_reader, people_reloaded,
			daemon);
}

static void secrets_renewed(void *arg)
{
	struct daemon *daemon = arg;

	daemon->secrets_read = false;
	if (daemon->secrets_again)
		reload_secrets(daemon);
	else
		reload_ended(daemon);
}

static void reload_secrets(struct daemon *daemon)
{
	const struct serve_config *config = daemon->config;
	const struct issuer_secrets secrets = {
		.issuers = config->renewable,
		.n = config->identity.n_issuers,
		.list = config->renewed,
	};

	daemon->secrets_again = daemon->secrets_read;
	if (daemon->secrets_again || !config->renewable)
		return;
	daemon->secrets_read = true;
	issuer_secrets_renew(
		&secrets, daemon->secret_reader, secrets_renewed, daemon);
}

static void daemon_reloaded(const struct err *err, void *arg)
{
	struct daemon *daemon = arg;

	daemon->reload = NULL;
	if (err)
		log_line(LOG_ERROR,
			"event=reload error=\"%s\" text=\"what is wrong "
			"stays as it was\"",
			err->text);
	else
		log_line(LOG_INFO,
			"event=reload text=\"all policies are read\"");
	if (daemon->policies_again)
		reload_policies(daemon);
	else
		reload_ended(daemon);
}

static void reload_policies(struct daemon *daemon)
{
	struct err err;

	daemon->policies_again = daemon->reload;
	if (daemon->policies_again)
		return;
	daemon->reload = shelf_reload_start(daemon->world.loop, daemon->shelf,
		daemon_reloaded, daemon, &err);
	if (!daemon->reload)
		daemon_reloaded(&err, daemon);
}

void daemon_reload(struct daemon *daemon, void (*done)(void *arg), void *arg)
{
	daemon->reload_done = done;
	daemon->reload_arg = arg;
	reload_secrets(daemon);
	reload_people(daemon);
	reload_policies(daemon);
}

bool daemon_is_reloading(const struct daemon *daemon)
{
	return daemon->reload || daemon->secrets_read ||
	       who_is_reading(daemon->who);
}

void daemon_drain(struct daemon *daemon)
{
	daemon->draining = true;
	adopt_stop(daemon->adopt);
	watch_stop(daemon->watch);
	changes_end(daemon->changes);
}

bool daemon_is_draining(const struct daemon *daemon)
{
	return daemon->draining;
}

const char *daemon_unready(const struct daemon *daemon)
{
	if (daemon->draining)
		return "draining";
	return adopt_can_look(daemon->adopt) ? NULL : "state file";
}

const struct serve_config *daemon_config(const struct daemon *daemon)
{
	return daemon->config;
}

const struct people *daemon_people(const struct daemon *daemon)
{
	return who_people(daemon->who);
}

const struct access *daemon_access(const struct daemon *daemon)
{
	return who_access(daemon->who);
}

struct loop *daemon_loop(const struct daemon *daemon)
{
	return daemon->world.loop;
}

struct store *daemon_store(const struct daemon *daemon)
{
	return daemon->store;
}

struct desk *daemon_desk(const struct daemon *daemon)
{
	return daemon->desk;
}

struct shelf *daemon_shelf(const struct daemon *daemon)
{
	return daemon->shelf;
}

struct driven_set *daemon_driven(const struct daemon *daemon)
{
	return daemon->driven;
}

struct once_works *daemon_once_works(struct daemon *daemon)
{
	return &daemon->once_works;
}

struct identity *daemon_identity(const struct daemon *daemon)
{
	return daemon->identity;
}

struct changes *daemon_changes(const struct daemon *daemon)
{
	return daemon->changes;
}

struct slack_api *daemon_slack(const struct daemon *daemon)
{
	return daemon->slack;
}

void daemon_touch(struct daemon *daemon, const char *rollout)
{
	if (daemon->notices)
		slack_notices_touch(daemon->notices, rollout);
}

struct views *daemon_views(const struct daemon *daemon)
{
	return daemon->views;
}

struct drills *daemon_drills(const struct daemon *daemon)
{
	return daemon->drills;
}

struct watch *daemon_watch(const struct daemon *daemon)
{
	return daemon->watch;
}

struct meter *daemon_meter(const struct daemon *daemon)
{
	return daemon->meter;
}

struct world *daemon_world(struct daemon *daemon)
{
	return &daemon->world;
}

void daemon_wait_begins(struct daemon *daemon, struct daemon_waiter *waiter)
{
	LIST_INSERT_HEAD(&daemon->waiters, waiter, link);
	waiter->waits = true;
}

void daemon_wait_ends(struct daemon_waiter *waiter)
{
	if (waiter->waits)
		LIST_REMOVE(waiter, link);
	waiter->waits = false;
}

void daemon_visit_begins(struct daemon *daemon)
{
	daemon->n_visits++;
}

void daemon_visit_ends(struct daemon *daemon)
{
	daemon->n_visits--;
}

int daemon_visits(const struct daemon *daemon)
{
	return daemon->n_visits;
}
