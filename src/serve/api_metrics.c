/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: what the daemon counts, for Prometheus. */
#include "serve/daemon.h"
#include "serve/handlers.h"
#include "serve/meter.h"

void metrics_get(struct visit *visit)
{
	struct buf body;

	buf_init(&body, METRICS_PAGE_MAX);
	meter_print(daemon_meter(visit->daemon), &body);
	visit_answer(&visit, 200, METRICS_CONTENT_TYPE, &body);
	buf_fini(&body);
}
