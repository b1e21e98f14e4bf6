/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/rollouts/ID/report: what happened in a rollout, for people. */
#include "report/report.h"
#include "serve/daemon.h"
#include "serve/handlers.h"
#include "serve/views.h"

enum { QUERY_FORMAT };

/* In the order of enum page_format. */
static const char *const formats[] = {"md", "html", NULL};

const struct field rollout_report_query[] = {
	[QUERY_FORMAT] = {"format", FIELD_CHOICE, .choices = formats,
		.about = "Markdown, or a page that fetches nothing"},
	{0},
};

static void report_seen(
	const struct view *view, const struct err *err, void *arg)
{
	static const char *const types[] = {
		[PAGE_MARKDOWN] = "text/markdown; charset=utf-8",
		[PAGE_HTML] = VISIT_HTML,
	};
	struct field_value value[FIELDS_MAX];
	struct visit *visit = arg;
	struct err why;
	struct buf body;

	if (err) {
		visit_fail(&visit, err);
		return;
	}
	if (!visit_may(&visit, RIGHT_READ, view->snapshot->row.service, NULL))
		return;
	if (fields_of_query(visit, rollout_report_query, value, &why) < 0) {
		visit_fail(&visit, &why);
		return;
	}
	buf_init(&body, REPORT_BYTES_MAX);
	report_write(view->report, (enum page_format)value[QUERY_FORMAT].number,
		&body);
	visit_answer(&visit, 200, types[value[QUERY_FORMAT].number], &body);
	buf_fini(&body);
}

void rollout_report(struct visit *visit)
{
	(void)views_ask_whole(daemon_views(visit->daemon), visit->part[0],
		report_seen, visit);
}
