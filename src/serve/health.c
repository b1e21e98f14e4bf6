/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the process lives, and whether it can work: for probes, without any
 * detail. A live answer asks nothing of the state file: a restart would lose
 * armed watches.
 */
#include "serve/daemon.h"
#include "serve/handlers.h"
#include "serve/visit.h"

static void answer_word(struct visit *visit, int status, const char *word)
{
	struct buf body;

	buf_init(&body, 64);
	buf_addf(&body, "%s\n", word);
	visit_answer(&visit, status, "text/plain; charset=utf-8", &body);
	buf_fini(&body);
}

void health_live(struct visit *visit)
{
	answer_word(visit, 200, "ok");
}

void health_ready(struct visit *visit)
{
	bool ready = !daemon_unready(visit->daemon);

	answer_word(visit, ready ? 200 : 503, ready ? "ok" : "not ready");
}
