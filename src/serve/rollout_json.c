/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout for somebody; see rollout_json.h. */
#include "serve/rollout_json.h"

#include "base/jsonw.h"
#include "serve/rulings.h"
#include "serve/shelf.h"
#include "serve/views.h"
#include "status/status_json.h"

#define STATUS_MAX (8 * 1024 * 1024)

static void print_verbs(struct jsonw *w, const struct ruling_case *about)
{
	struct ruling ruling;

	jsonw_array(w, "verbs");
	for (int verb = 0; verb < VERBS; verb++) {
		ruling = ruling_of(about, (enum verb)verb);
		jsonw_object(w, NULL);
		jsonw_text(w, "verb", verb_name((enum verb)verb));
		jsonw_bool(w, "allowed", ruling.why == RULING_ALLOWED);
		if (ruling.why != RULING_ALLOWED)
			jsonw_text(w, "why", ruling.text);
		else
			jsonw_bool(w, "comment_needed",
				ruling_needs_comment(about->rollout->phase,
					about->rollout->cause,
					rollout_is_frozen(about->rollout),
					(enum verb)verb));
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
}

void rollout_json_print(const struct access *access,
	const struct visitor *visitor, const struct view *view, struct buf *out)
{
	const struct rollout_snapshot *s = view->snapshot;
	char policy[SHELF_NAME_MAX];
	const struct ruling_case about = {
		.access = access,
		.visitor = visitor,
		.policy = s->policy,
		.rollout = &s->fold.state,
		.service = s->row.service,
		.policy_name = shelf_name_of(s->row.policy_path, policy),
	};
	struct jsonw w = {.out = out};
	struct buf status;

	buf_init(&status, STATUS_MAX);
	status_json_print(s, view->driver, view->now_ms, &status);
	jsonw_object(&w, NULL);
	jsonw_members(&w, status.data);
	print_verbs(&w, &about);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
	buf_fini(&status);
}
