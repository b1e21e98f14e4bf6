/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/openapi.json */
#include "serve/daemon.h"
#include "serve/handlers.h"
#include "serve/openapi.h"

void openapi_get(struct visit *visit)
{
	struct buf body;

	buf_init(&body, VISIT_ANSWER_MAX);
	openapi_print(daemon_config(visit->daemon)->public_url, &body);
	visit_answer(&visit, 200, VISIT_JSON, &body);
	buf_fini(&body);
}
