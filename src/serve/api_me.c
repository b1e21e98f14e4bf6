/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/me: who is asking, what they may do somewhere, their sessions. */
#include <stdlib.h>

#include "base/jsonw.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "serve/daemon.h"
#include "serve/desk.h"
#include "serve/handlers.h"
#include "serve/own_sessions.h"

struct me_ask {
	struct desk_job job;
	struct visit *visit;
	struct own_sessions_wish wish;
	struct own_session *list;
	size_t n;
};

/* ---- what is told ---- */

static void print_sessions(struct jsonw *w, const struct me_ask *ask)
{
	char text[TIMESTAMP_TEXT_MAX];

	jsonw_array(w, "sessions");
	for (size_t i = 0; i < ask->n; i++) {
		const struct me_session *s = &ask->list[i].seen;

		jsonw_object(w, NULL);
		jsonw_text(w, "session", s->name);
		jsonw_text(w, "method", s->method);
		jsonw_text(w, "begun", timestamp_print(s->begun_ms, text));
		jsonw_text(w, "last_used", timestamp_print(s->used_ms, text));
		jsonw_text(w, "ends", timestamp_print(s->ends_ms, text));
		jsonw_bool(w, "this", s->is_this);
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
}

static void print_me(const struct me_ask *ask, struct buf *out)
{
	const struct visitor *visitor = ask->visit->visitor;
	unsigned may =
		access_rights(daemon_access(ask->visit->daemon), visitor);
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_text(&w, "name", visitor->name);
	if (visitor->is_person)
		jsonw_text(&w, "person", visitor->name);
	else
		jsonw_null(&w, "person");
	jsonw_bool(&w, "machine", visitor->caller.is_machine);
	jsonw_text(&w, "method", visitor->caller.method);
	jsonw_array(&w, "keys");
	for (size_t i = 0; i < visitor->caller.n_keys; i++)
		jsonw_text(&w, NULL, visitor->caller.keys[i]);
	jsonw_end(&w, ']');
	jsonw_array(&w, "rights");
	for (int right = 0; right < RIGHTS; right++)
		if (may & RIGHT_BIT(right))
			jsonw_text(&w, NULL, right_names[right]);
	jsonw_end(&w, ']');
	print_sessions(&w, ask);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

/* ---- on its way ---- */

static int me_run(struct desk_job *job, struct store *store, struct err *err_r)
{
	struct me_ask *ask = (struct me_ask *)job;

	return own_sessions_find(store, &ask->wish, &ask->visit->arena,
		&ask->list, &ask->n, err_r);
}

static void me_done(struct desk_job *job, const struct err *err)
{
	struct me_ask *ask = (struct me_ask *)job;
	struct buf body;

	if (err) {
		visit_fail(&ask->visit, err);
	} else {
		buf_init(&body, VISIT_ANSWER_MAX);
		print_me(ask, &body);
		visit_answer(&ask->visit, 200, VISIT_JSON, &body);
		buf_fini(&body);
	}
	free(ask);
}

void me_get(struct visit *visit)
{
	struct me_ask *ask = xcalloc(1, sizeof(*ask));

	ask->job.run = me_run;
	ask->job.done = me_done;
	ask->visit = visit;
	ask->wish = own_sessions_wish(visit);
	desk_give(daemon_desk(visit->daemon), &ask->job);
}
