/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: what the daemon counts, for Prometheus. */
#include "base/accept.h"
#include "io/server.h"
#include "serve/daemon.h"
#include "serve/handlers.h"
#include "serve/meter.h"

/* Who names both forms has what they would rather have, and OpenMetrics when
 * that is the same to them; who names none has text. */
static bool wants_open(const struct visit *visit)
{
	const char *accept = request_header(visit->request, "Accept");
	int open;

	if (!accept)
		return false;
	open = accept_weight(accept, "application/openmetrics-text", "1.0.0");
	return open && open >= accept_weight(accept, "text/plain", "0.0.4");
}

void metrics_get(struct visit *visit)
{
	bool is_open = wants_open(visit);
	struct buf body;

	buf_init(&body, METRICS_PAGE_MAX);
	meter_print(daemon_meter(visit->daemon), is_open, &body);
	request_set_header(visit->request, "Vary", "Accept");
	visit_answer(&visit, 200,
		is_open ? METRICS_OPEN_TYPE : METRICS_CONTENT_TYPE, &body);
	buf_fini(&body);
}
