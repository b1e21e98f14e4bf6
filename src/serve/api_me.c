/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/me: who is asking, and what they may do somewhere. */
#include "base/jsonw.h"
#include "serve/daemon.h"
#include "serve/handlers.h"

void me_get(struct visit *visit)
{
	const struct visitor *visitor = visit->visitor;
	unsigned may =
		access_rights(&daemon_config(visit->daemon)->access, visitor);
	struct buf body;
	struct jsonw w = {.out = &body};

	buf_init(&body, VISIT_ANSWER_MAX);
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
	jsonw_end(&w, '}');
	buf_addc(&body, '\n');
	visit_answer(&visit, 200, VISIT_JSON, &body);
	buf_fini(&body);
}
