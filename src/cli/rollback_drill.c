/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tidegate rollback --drill`: everything that a rollback reads and probes,
 * and nothing that it writes. What would happen, and what is missing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/action.h"
#include "base/jsonw.h"
#include "base/xalloc.h"
#include "cli/context.h"
#include "cli/output.h"
#include "cli/rollback.h"
#include "cloudrun/cloudrun.h"
#include "io/loop.h"
#include "live/predecessor.h"

#define CELL_MAX       1024
#define STATUS_MISSING 4

struct drill {
	struct rollback *rollback;
	struct action_env env;
	struct template_values values;
	char *captured; /* for the action in turn; NULL: nothing was */
	struct table table;
	struct buf json;
	struct jsonw w;
	int missing;

	/* The answer that is waited for. */
	bool ready;
	char detail[CELL_MAX];
};

static void add(struct drill *d, const char *what, const char *name)
{
	const char *const cells[] = {
		what, name, d->ready ? "ready" : "MISSING", d->detail};

	d->missing += !d->ready;
	table_add(&d->table, cells);
	jsonw_object(&d->w, NULL);
	jsonw_text(&d->w, "what", what);
	jsonw_text(&d->w, "name", name);
	jsonw_bool(&d->w, "ready", d->ready);
	jsonw_text(&d->w, "detail", d->detail);
	jsonw_end(&d->w, '}');
}

/* ---- traffic ---- */

static void drill_traffic(struct drill *d)
{
	struct rollback *b = d->rollback;
	struct traffic_wish wish = {
		.candidate = b->candidate ? b->candidate : "",
		.stable = b->stable,
		.latest = b->found->latest_ready,
	};
	struct traffic wanted;
	struct buf text;
	struct err err;

	buf_init(&text, CELL_MAX);
	d->ready = traffic_plan(&b->found->spec, &wish, &b->arena, &wanted,
			   &err) == 0;
	if (d->ready) {
		traffic_print_line(&b->found->spec, &text);
		buf_adds(&text, " -> ");
		traffic_print_line(&wanted, &text);
	} else {
		buf_adds(&text, err.text);
	}
	snprintf(d->detail, sizeof(d->detail), "%s", text.data);
	add(d, "traffic", b->found->name);
	buf_fini(&text);
}

/* ---- the revision that would get it ---- */

static void drill_revision_read(
	const struct revision *revision, const struct err *err, void *arg)
{
	struct drill *d = arg;

	d->ready = revision && revision->ready;
	if (!revision)
		snprintf(d->detail, sizeof(d->detail), "%s", err->text);
	else if (!revision->ready)
		snprintf(d->detail, sizeof(d->detail), "it is not ready%s%s",
			revision->condition ? ": " : "",
			revision->condition ? revision->condition : "");
	loop_stop(d->rollback->foreground.world.loop);
}

static int drill_revision(struct drill *d, struct err *err_r)
{
	struct rollback *b = d->rollback;

	snprintf(d->detail, sizeof(d->detail), "would serve everything");
	/* One request: it is over when the loop ends. */
	(void)cloudrun_get_revision_start(b->foreground.world.cloudrun,
		b->service, b->stable, drill_revision_read, d);
	if (loop_run(b->foreground.world.loop, err_r) < 0)
		return -1;
	add(d, "revision", b->stable);
	return 0;
}

/* ---- actions ---- */

static void drill_action_ended(const struct action_end *end, void *arg)
{
	struct drill *d = arg;

	d->ready = end->result == ACTION_OK || end->result == ACTION_SKIPPED;
	snprintf(d->detail, sizeof(d->detail), "%s", end->detail);
	loop_stop(d->rollback->foreground.world.loop);
}

struct wanted {
	struct drill *drill;
	const char *name;
};

static void take_captured(const char *name, const char *text, void *arg)
{
	struct wanted *wanted = arg;

	if (strcmp(name, wanted->name) != 0)
		return;
	free(wanted->drill->captured);
	wanted->drill->captured = xstrdup(text);
}

/* As a rollback would: what the release that it undoes has captured. */
static int find_captured(
	struct drill *d, const struct action *action, struct err *err_r)
{
	struct wanted wanted = {d, action->name};

	xfree(&d->captured);
	return predecessor_each_captured(d->rollback->foreground.store,
		d->rollback->after, take_captured, &wanted, err_r);
}

static int drill_action(struct drill *d, enum action_list list,
	const struct action *action, struct err *err_r)
{
	struct action_order order = {
		.env = &d->env,
		.action = action,
		.values = &d->values,
		.job = JOB_DRILL,
	};

	if (find_captured(d, action, err_r) < 0)
		return -1;
	order.captured = d->captured;
	action_job_start(&order, drill_action_ended, d);
	if (loop_run(d->rollback->foreground.world.loop, err_r) < 0)
		return -1;
	add(d, action_list_name(list), action->name);
	return 0;
}

static int drill_lists(struct drill *d, struct err *err_r)
{
	static const enum action_list lists[] = {
		LIST_PREFLIGHT, LIST_ROLLBACK, LIST_HEALTH, LIST_ROLLED_BACK};
	const struct actions *actions;

	for (size_t k = 0; k < sizeof(lists) / sizeof(*lists); k++) {
		actions = &d->rollback->policy->lists[lists[k]];
		for (size_t i = 0; i < actions->n; i++)
			if (drill_action(
				    d, lists[k], &actions->item[i], err_r) < 0)
				return -1;
	}
	return 0;
}

/* ---- the result ---- */

static void print(struct drill *d)
{
	struct rollback *b = d->rollback;
	struct buf out;

	buf_init(&out, OUTPUT_BYTES_MAX);
	jsonw_end(&d->w, ']');
	jsonw_bool(&d->w, "ready", d->missing == 0);
	jsonw_int(&d->w, "missing", d->missing);
	jsonw_int(&d->w, "exit", d->missing ? STATUS_MISSING : 0);
	jsonw_end(&d->w, '}');
	if (b->foreground.format == FORMAT_JSON) {
		buf_addf(&out, "%s\n", d->json.data);
	} else {
		table_print(&d->table, &out);
		if (d->missing)
			buf_addf(&out, "not ready: %d of these %s missing\n",
				d->missing, d->missing == 1 ? "is" : "are");
		else
			buf_adds(&out, "ready; nothing was written\n");
	}
	output_write(stdout, &out);
	buf_fini(&out);
}

static void fill_values(struct drill *d)
{
	struct rollback *b = d->rollback;
	const char *slash = strrchr(b->service, '/');
	const char *url = NULL;

	if (b->candidate)
		url = traffic_uri(
			&b->found->statuses, b->candidate, b->policy->tag);
	d->values = (struct template_values){
		.candidate = b->candidate ? b->candidate : "",
		.stable = b->stable,
		.revision = b->candidate ? b->candidate : "",
		.candidate_url = url ? url : "",
		.service = slash ? slash + 1 : b->service,
		.project = b->foreground.project,
		.region = b->foreground.region,
		.window = "",
		.percent = "0",
		.rollout = "drill",
		.reason = "drill",
	};
}

int rollback_drill(struct rollback *b, struct err *err_r)
{
	static const char *const heads[] = {"WHAT", "NAME", "", "DETAIL"};
	struct drill d = {
		.rollback = b,
		.env = {.loop = b->foreground.world.loop,
			.http = b->foreground.world.http,
			.credentials = b->foreground.world.credentials,
			.policy = b->policy},
	};
	int status = -1;

	fill_values(&d);
	table_init(&d.table, 4);
	table_add(&d.table, heads);
	buf_init(&d.json, OUTPUT_BYTES_MAX);
	d.w.out = &d.json;
	jsonw_object(&d.w, NULL);
	jsonw_text(&d.w, "service", b->service);
	jsonw_text(&d.w, "candidate", d.values.candidate);
	jsonw_text(&d.w, "stable", b->stable);
	jsonw_array(&d.w, "drill");
	drill_traffic(&d);
	if (drill_revision(&d, err_r) == 0 && drill_lists(&d, err_r) == 0) {
		print(&d);
		status = d.missing ? STATUS_MISSING : 0;
	}
	xfree(&d.captured);
	buf_fini(&d.json);
	table_fini(&d.table);
	return status;
}
