/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/rollouts: what the state file has, newest first. */
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "serve/daemon.h"
#include "serve/desk.h"
#include "serve/handlers.h"
#include "serve/readable.h"
#include "status/rollout_row.h"
#include "store/store.h"

#define LIMIT_MAX     200
#define LIMIT_DEFAULT 50

enum { QUERY_STATE, QUERY_SERVICE, QUERY_SINCE, QUERY_LIMIT, QUERY_CURSOR };

/* In the order of enum store_state. */
static const char *const states[] = {"any", "active", "waiting", "ended", NULL};

const struct field rollouts_list_query[] = {
	[QUERY_STATE] = {"state", FIELD_CHOICE, .choices = states,
		.about = "Which ones; waiting: for people"},
	[QUERY_SERVICE] = {"service", FIELD_TEXT, .max = 256,
		.about = "Only those of this service, by its short or full "
			 "name"},
	[QUERY_SINCE] = {"since", FIELD_TIME,
		.about = "Only those that were started at this time or later"},
	[QUERY_LIMIT] = {"limit", FIELD_WHOLE, .max = LIMIT_MAX,
		.about = "How many at most; 50 when it is not given"},
	[QUERY_CURSOR] = {"cursor", FIELD_TEXT, .max = STORE_ROLLOUT_ID_MAX,
		.about = "Go on after a list that gave this as its cursor"},
	{0},
};

struct listing {
	struct desk_job job;
	struct visit *visit;
	struct store_filter filter;
	struct store_rollout *list;
	size_t n;
};

static int listing_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct listing *listing = (struct listing *)job;

	return readable_list(listing->visit, store, &listing->filter,
		&listing->list, &listing->n, err_r);
}

static void print(const struct listing *listing, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_array(&w, "rollouts");
	for (size_t i = 0; i < listing->n; i++)
		rollout_row_print(&w, &listing->list[i]);
	jsonw_end(&w, ']');
	if (listing->n == (size_t)listing->filter.limit)
		jsonw_text(&w, "cursor", listing->list[listing->n - 1].id);
	else
		jsonw_null(&w, "cursor");
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

static void listing_done(struct desk_job *job, const struct err *err)
{
	struct listing *listing = (struct listing *)job;
	struct buf body;

	if (err) {
		visit_fail(&listing->visit, err);
	} else {
		buf_init(&body, VISIT_ANSWER_MAX);
		print(listing, &body);
		visit_answer(&listing->visit, 200, VISIT_JSON, &body);
		buf_fini(&body);
	}
	free(listing);
}

void rollouts_list(struct visit *visit)
{
	struct field_value value[FIELDS_MAX];
	struct listing *listing;
	struct err err;

	if (fields_of_query(visit, rollouts_list_query, value, &err) < 0) {
		visit_fail(&visit, &err);
		return;
	}
	listing = xcalloc(1, sizeof(*listing));
	listing->visit = visit;
	listing->job.run = listing_run;
	listing->job.done = listing_done;
	listing->filter = (struct store_filter){
		.state = (enum store_state)value[QUERY_STATE].number,
		.service = value[QUERY_SERVICE].text,
		.since_ms = value[QUERY_SINCE].number,
		.after = value[QUERY_CURSOR].text,
		.limit = value[QUERY_LIMIT].number
				 ? (int)value[QUERY_LIMIT].number
				 : LIMIT_DEFAULT,
	};
	desk_give(daemon_desk(visit->daemon), &listing->job);
}
