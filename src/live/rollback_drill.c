/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A drill: everything that a rollback reads and probes, and nothing that it
 * writes. What would happen, and what is missing.
 *
 *   rollback_drill_start ─ drill_revision_read ─ drill_action_ended … ─ tell
 */
#include <stdlib.h>
#include <string.h>

#include "action/action.h"
#include "base/service_name.h"
#include "base/xalloc.h"
#include "cloudrun/cloudrun.h"
#include "live/action_io.h"
#include "live/predecessor.h"
#include "live/rollback.h"
#include "live/world.h"

#define LINE_MAX_BYTES 1024

/* In the order of a rollback. */
static const enum action_list drill_lists[] = {
	LIST_PREFLIGHT, LIST_ROLLBACK, LIST_HEALTH, LIST_ROLLED_BACK};
#define DRILL_LISTS (sizeof(drill_lists) / sizeof(*drill_lists))

struct captured {
	struct captured *next;
	const char *name, *text;
};

struct rollback_drill {
	struct world *world;
	struct rollback *rollback;
	struct arena arena; /* of the items */
	struct service_name service;
	struct action_env env;
	struct template_values values;
	struct drill_item *item;
	size_t n, n_missing;
	/* What is being looked at. */
	struct cloudrun_call *call;
	struct action_run *run;
	size_t list, index;
	rollback_drill_fn fn;
	void *arg;
};

static void drill_revision_read(
	const struct revision *revision, const struct err *err, void *arg);
static void drill_next(struct rollback_drill *d);
static void drill_action_ended(const struct action_end *end, void *arg);

/* ---- what the rollout that is undone captured ---- */

static void recall(const char *name, const char *text, void *arg)
{
	struct rollback *b = arg;
	struct captured *captured = arena_alloc(&b->arena, sizeof(*captured));

	captured->name = arena_strdup(&b->arena, name);
	captured->text = arena_strdup(&b->arena, text);
	captured->next = b->captured;
	b->captured = captured;
}

int rollback_recall(struct rollback *b, struct store *store, struct err *err_r)
{
	return predecessor_each_captured(store, b->after, recall, b, err_r);
}

static const char *captured_by(
	const struct rollback *b, const struct action *action)
{
	const struct captured *captured = b->captured;

	while (captured && strcmp(captured->name, action->name) != 0)
		captured = captured->next;
	return captured ? captured->text : NULL;
}

/* ---- the result ---- */

static void add(struct rollback_drill *d, const char *what, const char *name,
	bool is_ready, const char *detail)
{
	d->item = xrealloc(d->item, d->n + 1, sizeof(*d->item));
	d->item[d->n++] = (struct drill_item){
		.what = what,
		.name = name,
		.is_ready = is_ready,
		.detail = arena_strdup(&d->arena, detail),
	};
	d->n_missing += !is_ready;
}

void rollback_drill_cancel(struct rollback_drill **drill)
{
	struct rollback_drill *d = *drill;

	if (!d)
		return;
	cloudrun_cancel(&d->call);
	action_cancel(&d->run);
	free(d->item);
	arena_fini(&d->arena);
	free(d);
	*drill = NULL;
}

static void tell(struct rollback_drill *d)
{
	const struct drill_report report = {
		.service = d->rollback->service,
		.candidate = d->values.candidate,
		.stable = d->rollback->stable,
		.item = d->item,
		.n = d->n,
		.n_missing = d->n_missing,
	};

	d->fn(&report, d->arg);
	rollback_drill_cancel(&d);
}

/* ---- what would be ended before ---- */

static void drill_unbegun(struct rollback_drill *d)
{
	if (d->rollback->unbegun)
		add(d, "rollout", d->rollback->unbegun, true,
			"has moved nothing yet, and would be aborted first");
}

/* ---- traffic ---- */

static void drill_traffic(struct rollback_drill *d)
{
	const struct rollback *b = d->rollback;
	const struct traffic_wish wish = {
		.candidate = d->values.candidate,
		.stable = b->stable,
		.latest = b->found->latest_ready,
	};
	struct traffic wanted;
	struct buf text;
	struct err err;
	bool is_ready;

	buf_init(&text, LINE_MAX_BYTES);
	is_ready = traffic_plan(&b->found->spec, &wish, &d->arena, &wanted,
			   &err) == 0;
	if (is_ready) {
		traffic_print_line(&b->found->spec, &text);
		buf_adds(&text, " -> ");
		traffic_print_line(&wanted, &text);
	} else {
		buf_adds(&text, err.text);
	}
	add(d, "traffic", b->found->name, is_ready, text.data);
	buf_fini(&text);
}

/* ---- the revision that would get it ---- */

static void drill_revision(struct rollback_drill *d)
{
	d->call = cloudrun_get_revision_start(d->world->cloudrun,
		d->rollback->service, d->rollback->stable, drill_revision_read,
		d);
}

static void drill_revision_read(
	const struct revision *revision, const struct err *err, void *arg)
{
	struct rollback_drill *d = arg;
	const char *detail = "would serve everything";

	d->call = NULL;
	if (!revision)
		detail = err->text;
	else if (!revision->ready)
		detail = arena_printf(&d->arena, "it is not ready%s%s",
			revision->condition ? ": " : "",
			revision->condition ? revision->condition : "");
	add(d, "revision", d->rollback->stable, revision && revision->ready,
		detail);
	drill_next(d);
}

/* ---- actions ---- */

static const struct action *drill_action(struct rollback_drill *d)
{
	const struct actions *actions;

	for (; d->list < DRILL_LISTS; d->list++, d->index = 0) {
		actions = &d->rollback->policy->lists[drill_lists[d->list]];
		if (d->index < actions->n)
			return &actions->item[d->index];
	}
	return NULL;
}

static void drill_next(struct rollback_drill *d)
{
	const struct action *action = drill_action(d);
	const struct action_order order = {
		.env = &d->env,
		.action = action,
		.values = &d->values,
		.job = JOB_DRILL,
		.captured = action ? captured_by(d->rollback, action) : NULL,
	};

	if (action)
		d->run = action_job_start(&order, drill_action_ended, d);
	else
		tell(d);
}

static void drill_action_ended(const struct action_end *end, void *arg)
{
	struct rollback_drill *d = arg;

	d->run = NULL;
	add(d, action_list_name(drill_lists[d->list]), drill_action(d)->name,
		end->result == ACTION_OK || end->result == ACTION_SKIPPED,
		end->detail);
	d->index++;
	drill_next(d);
}

/* ---- the beginning ---- */

static void fill_values(struct rollback_drill *d)
{
	const struct rollback *b = d->rollback;
	const char *candidate = b->candidate ? b->candidate : "";
	const char *url = NULL;

	if (b->candidate)
		url = traffic_uri(
			&b->found->statuses, b->candidate, b->policy->tag);
	d->values = (struct template_values){
		.candidate = candidate,
		.stable = b->stable,
		.revision = candidate,
		.candidate_url = url ? url : "",
		.service = d->service.name,
		.project = d->service.project,
		.region = d->service.region,
		.window = "",
		.percent = "0",
		.rollout = "drill",
		.reason = "drill",
	};
}

struct rollback_drill *rollback_drill_start(struct world *world,
	struct rollback *b, rollback_drill_fn fn, void *arg, struct err *err_r)
{
	struct rollback_drill *d = xcalloc(1, sizeof(*d));

	arena_init(&d->arena);
	d->world = world;
	d->rollback = b;
	d->fn = fn;
	d->arg = arg;
	d->env = action_io_env(world, b->policy);
	if (service_name_parse(&d->service, b->service, &d->arena, err_r) < 0) {
		rollback_drill_cancel(&d);
		return NULL;
	}
	fill_values(d);
	drill_unbegun(d);
	drill_traffic(d);
	drill_revision(d);
	return d;
}
