/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/v1/rollouts/ID/decisions: somebody decides. */
#include <stdlib.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "engine/rollout.h"
#include "serve/daemon.h"
#include "serve/decision.h"
#include "serve/handlers.h"
#include "serve/once.h"
#include "serve/rollout_json.h"

enum { BODY_VERB, BODY_STEP, BODY_CANDIDATE, BODY_COMMENT };

/* In the order of enum verb. */
static const char *const verbs[] = {
	"approve", "reject", "pause", "continue", "abort", NULL};

const struct field rollout_decide_body[] = {
	[BODY_VERB] = {"verb", FIELD_CHOICE, true, .choices = verbs,
		.about = "What is decided"},
	[BODY_STEP] = {"step", FIELD_WHOLE, .max = 1000,
		.about = "The step that was seen, as the rollout has it; not "
			 "given when it has none"},
	[BODY_CANDIDATE] = {"candidate", FIELD_TEXT, true, .max = 256,
		.about = "The candidate that was seen; empty while it is not "
			 "known",
		.may_be_empty = true},
	[BODY_COMMENT] = {"comment", FIELD_TEXT, .max = STORE_COMMENT_MAX,
		.about = "Why; needed for reject, abort, and continue over a "
			 "breach"},
	{0},
};

struct deciding {
	struct visit *visit;
	struct store_once once;
	bool has_key;
};

static void print_taken(const struct decision_answer *answer, struct buf *out)
{
	const struct store_command *c = answer->command;
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_text(&w, "rollout", c->rollout);
	jsonw_text(&w, "command", c->verb);
	jsonw_text(&w, "who", c->who);
	jsonw_text(&w, "comment", c->comment);
	jsonw_text(&w, "state",
		answer->result == DECIDED_TAKEN ? "taken" : "waiting");
	jsonw_bool(&w, "driven", answer->is_driven);
	jsonw_int(&w, "command_id", c->id);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

static void answer_taken(
	struct deciding *deciding, const struct decision_answer *answer)
{
	struct buf body;

	buf_init(&body, VISIT_ANSWER_MAX);
	print_taken(answer, &body);
	if (deciding->has_key && answer->result == DECIDED_TAKEN)
		once_keep(daemon_desk(deciding->visit->daemon),
			deciding->once.key, 202, body.data);
	visit_answer(&deciding->visit, 202, VISIT_JSON, &body);
	buf_fini(&body);
}

static void answer_not_taken(
	struct deciding *deciding, const struct decision_answer *answer)
{
	struct visit *visit = deciding->visit;
	struct buf state;

	buf_init(&state, VISIT_ANSWER_MAX);
	/* What is, for those who may see it. */
	if (answer->may_see && answer->result != DECIDED_DENIED)
		rollout_json_print(daemon_access(visit->daemon), visit->visitor,
			answer->view, &state);
	visit_problem_with(&deciding->visit, decision_status(answer->result),
		decision_code(answer->result), answer->text,
		state.len ? state.data : NULL);
	buf_fini(&state);
}

static void rollout_decided(const struct decision_answer *answer, void *arg)
{
	struct deciding *deciding = arg;

	if (answer->command)
		answer_taken(deciding, answer);
	else if (answer->result == DECIDED_BEFORE)
		once_answer_again(
			&deciding->visit, &deciding->once, answer->known);
	else
		answer_not_taken(deciding, answer);
	free(deciding);
}

void rollout_decide(struct visit *visit)
{
	struct deciding *deciding = xcalloc(1, sizeof(*deciding));
	struct field_value value[FIELDS_MAX];
	struct decision_order order;
	struct err err;
	int keyed = -1;

	deciding->visit = visit;
	if (fields_of_body(visit, rollout_decide_body, value, &err) == 0)
		keyed = once_of(visit, &deciding->once, &err);
	if (keyed < 0) {
		visit_fail(&visit, &err);
		free(deciding);
		return;
	}
	deciding->has_key = keyed;
	order = (struct decision_order){
		.rollout = visit->part[0],
		.verb = (enum verb)value[BODY_VERB].number,
		.step = (int)value[BODY_STEP].number,
		.candidate = value[BODY_CANDIDATE].text,
		.comment = value[BODY_COMMENT].text ? value[BODY_COMMENT].text
						    : "",
		.once = keyed ? &deciding->once : NULL,
	};
	decision_make(visit->daemon, visit->visitor, &order, rollout_decided,
		deciding);
}
