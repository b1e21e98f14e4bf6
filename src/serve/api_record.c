/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /api/v1/rollouts/ID/record: what the state file has of a rollout beside
 * its journal. With that and its events a command line elsewhere shows it as one
 * beside the state file does.
 */
#include <stdlib.h>

#include "base/jsonw.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "serve/daemon.h"
#include "serve/desk.h"
#include "serve/driven.h"
#include "serve/handlers.h"
#include "serve/readable.h"
#include "status/load_live.h"
#include "status/rollout_row.h"
#include "store/store.h"

struct record {
	struct desk_job job;
	struct visit *visit;
	struct store_rollout row;
	struct store_lease lease;
	struct store_command *waiting;
	size_t n_waiting;
	bool is_held;
};

/* The one of those that may be seen whose id begins as was asked; NULL: none,
 * or with err_r more than one. */
static const char *find_begun(const struct visit *visit,
	const struct store_rollout *list, size_t n, struct err *err_r)
{
	const char *id = NULL;

	err_set(err_r, ERR_NOT_FOUND, "there is no rollout \"%.160s\"",
		visit->part[0]);
	for (size_t i = 0; i < n; i++) {
		if (!readable_row(visit, &list[i]))
			continue;
		if (id) {
			err_set(err_r, ERR_USAGE, STORE_AMBIGUOUS,
				visit->part[0], id, list[i].id);
			return NULL;
		}
		id = list[i].id;
	}
	return id;
}

/* An id is known to who asks for it; of beginnings they hear nothing that they
 * may not see. */
static int record_find(
	struct record *record, struct store *store, struct err *err_r)
{
	struct visit *visit = record->visit;
	const char *id = visit->part[0];
	struct store_rollout *list;
	size_t n;
	int found = store_rollout_find(
		store, id, &visit->arena, &record->row, err_r);

	if (found)
		return found < 0 ? -1 : 0;
	if (store_rollouts_beginning(
		    store, id, &visit->arena, &list, &n, err_r) < 0)
		return -1;
	id = find_begun(visit, list, n, err_r);
	if (!id)
		return -1;
	found = store_rollout_find(
		store, id, &visit->arena, &record->row, err_r);
	return found > 0    ? 0
	       : found == 0 ? err_set(err_r, ERR_NOT_FOUND,
				      "there is no rollout \"%.160s\"", id)
			    : -1;
}

static int record_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct record *record = (struct record *)job;
	struct arena *arena = &record->visit->arena;
	int held;

	if (record_find(record, store, err_r) < 0)
		return -1;
	held = store_lease_look(
		store, record->row.service, arena, &record->lease, err_r);
	record->is_held = held > 0;
	if (held < 0)
		return -1;
	return store_commands_waiting(store, record->row.id, arena,
		&record->waiting, &record->n_waiting, err_r);
}

static void print_lease(struct jsonw *w, const struct record *record)
{
	const struct store_lease *lease = &record->lease;
	char time[TIMESTAMP_TEXT_MAX];

	if (!record->is_held) {
		jsonw_null(w, "lease");
		return;
	}
	jsonw_object(w, "lease");
	jsonw_text(w, "holder", lease->holder);
	jsonw_text(w, "rollout", lease->rollout);
	jsonw_int(w, "fence", lease->fence);
	jsonw_text(w, "renewed", timestamp_print(lease->renewed_ms, time));
	jsonw_bool(w, "alive", lease->alive);
	jsonw_end(w, '}');
}

static void print_waiting(struct jsonw *w, const struct record *record)
{
	const struct store_command *command;
	char time[TIMESTAMP_TEXT_MAX];

	jsonw_array(w, "waiting");
	for (size_t i = 0; i < record->n_waiting; i++) {
		command = &record->waiting[i];
		jsonw_object(w, NULL);
		jsonw_int(w, "command_id", command->id);
		jsonw_text(w, "command", command->verb);
		jsonw_text(w, "who", command->who);
		jsonw_text(w, "comment", command->comment);
		if (command->step >= 0)
			jsonw_int(w, "step", command->step + 1);
		else
			jsonw_null(w, "step");
		jsonw_text(w, "time", timestamp_print(command->time_ms, time));
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
}

static void print(const struct record *record, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	rollout_row_add(&w, "row", &record->row);
	jsonw_int(&w, "seq", record->row.last_seq);
	jsonw_text(&w, "policy_path", record->row.policy_path);
	jsonw_text(&w, "policy_source", record->row.policy_source);
	jsonw_text(&w, "policy_digest", record->row.policy_digest);
	print_lease(&w, record);
	print_waiting(&w, record);
	load_live_put(&w, "load",
		driven_load(
			daemon_driven(record->visit->daemon), record->row.id));
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

static void record_done(struct desk_job *job, const struct err *err)
{
	struct record *record = (struct record *)job;
	struct buf body;

	if (err) {
		visit_fail(&record->visit, err);
	} else if (visit_may(&record->visit, RIGHT_READ, record->row.service,
			   NULL)) {
		buf_init(&body, VISIT_ANSWER_MAX);
		print(record, &body);
		visit_answer(&record->visit, 200, VISIT_JSON, &body);
		buf_fini(&body);
	}
	free(record);
}

void rollout_record(struct visit *visit)
{
	struct record *record = xcalloc(1, sizeof(*record));

	record->visit = visit;
	record->job.run = record_run;
	record->job.done = record_done;
	desk_give(daemon_desk(visit->daemon), &record->job);
}
