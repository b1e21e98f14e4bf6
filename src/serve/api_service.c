/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/services, and one of them: who serves, releases, delivery. */
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "serve/daemon.h"
#include "serve/desk.h"
#include "serve/handlers.h"
#include "serve/service_facts.h"
#include "serve/watch.h"
#include "status/rollout_row.h"

#define LIST_MAX    1000 /* newest rollouts that are looked at for services */
#define SERVICES    200
#define RELEASES    20 /* told of a service */
#define DAYS(weeks) ((weeks)*7)

struct asking {
	struct desk_job job;
	struct visit *visit;
	struct store_filter filter;
	struct store_rollout *list;
	size_t n;
	struct service_facts facts; /* of one; its full name NULL: all */
	int64_t now_ms;
};

static int asking_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct asking *asking = (struct asking *)job;

	if (store_rollout_list(store, &asking->filter, &asking->visit->arena,
		    &asking->list, &asking->n, err_r) < 0)
		return -1;
	if (!asking->facts.view.service.full)
		return 0;
	asking->facts.arena = &asking->visit->arena;
	asking->facts.list = asking->list;
	asking->facts.n = asking->n;
	return service_facts_read(&asking->facts, store, asking->now_ms, err_r);
}

/* ---- the watch ---- */

static void print_watch(struct jsonw *w, const struct watched *watched)
{
	struct watch_status status;
	char text[TIMESTAMP_TEXT_MAX];

	if (!watched) {
		jsonw_null(w, "watch");
		return;
	}
	watch_status_of(watched, &status);
	jsonw_object(w, "watch");
	jsonw_text(w, "policy", status.policy);
	jsonw_text(w, "state", watch_state_name(status.state));
	jsonw_text(w, "text", status.text);
	jsonw_text(w, "revision", status.ready ? status.ready : "");
	jsonw_text(w, "waiting", status.waiting);
	jsonw_text(w, "skipped", status.skipped);
	jsonw_text(w, "skipped_for", status.skipped_for);
	jsonw_text(w, "time", timestamp_print(status.seen_ms, text));
	jsonw_end(w, '}');
}

/* ---- all ---- */

static bool is_first(const struct asking *asking, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(asking->list[k].service, asking->list[i].service))
			return false;
	return true;
}

static bool is_listed(const struct asking *asking, const char *service)
{
	for (size_t i = 0; i < asking->n; i++)
		if (!strcmp(asking->list[i].service, service))
			return true;
	return false;
}

/* Watched services that had no rollout yet. */
static void print_unreleased(
	const struct asking *asking, struct jsonw *w, int n)
{
	const struct daemon *daemon = asking->visit->daemon;
	const struct access *access = daemon_access(daemon);
	const struct watched *watched = watch_first(daemon_watch(daemon));
	struct watch_status status;

	for (; watched && n < SERVICES; watched = watch_next(watched)) {
		watch_status_of(watched, &status);
		if (is_listed(asking, status.service) ||
			!access_may(access, asking->visit->visitor, RIGHT_READ,
				status.service, NULL, NULL))
			continue;
		n++;
		jsonw_object(w, NULL);
		jsonw_text(w, "service", status.service);
		jsonw_bool(w, "running", false);
		print_watch(w, watched);
		jsonw_array(w, "rollouts");
		jsonw_end(w, ']');
		jsonw_end(w, '}');
	}
}

/* The newest rollout stands for each. */
static void print_services(const struct asking *asking, struct buf *out)
{
	const struct access *access = daemon_access(asking->visit->daemon);
	const struct watch *watch = daemon_watch(asking->visit->daemon);
	struct jsonw w = {.out = out};
	int n = 0;

	jsonw_object(&w, NULL);
	jsonw_array(&w, "services");
	for (size_t i = 0; i < asking->n && n < SERVICES; i++) {
		if (!is_first(asking, i) ||
			!access_may(access, asking->visit->visitor, RIGHT_READ,
				asking->list[i].service, NULL, NULL))
			continue;
		n++;
		jsonw_object(&w, NULL);
		jsonw_text(&w, "service", asking->list[i].service);
		jsonw_bool(&w, "running", !asking->list[i].ended_ms);
		print_watch(&w, watch_find(watch, asking->list[i].service));
		jsonw_array(&w, "rollouts");
		rollout_row_print(&w, &asking->list[i]);
		jsonw_end(&w, ']');
		jsonw_end(&w, '}');
	}
	print_unreleased(asking, &w, n);
	jsonw_end(&w, ']');
	jsonw_text(&w, "trouble", watch_trouble(watch));
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

/* ---- one ---- */

static void print_traffic(struct jsonw *w, const struct service_view *view)
{
	char text[TIMESTAMP_TEXT_MAX];

	jsonw_array(w, "traffic");
	for (size_t i = 0; i < view->n_traffic; i++) {
		jsonw_object(w, NULL);
		jsonw_text(w, "revision", view->traffic[i].revision);
		jsonw_int(w, "percent", view->traffic[i].percent);
		jsonw_text(w, "role", view->traffic[i].role);
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
	if (view->traffic_ms)
		jsonw_text(w, "traffic_time",
			timestamp_print(view->traffic_ms, text));
	else
		jsonw_null(w, "traffic_time");
}

static void print_rejected(struct jsonw *w, const struct service_view *view)
{
	char text[TIMESTAMP_TEXT_MAX];

	jsonw_array(w, "rejected");
	for (size_t i = 0; i < view->n_rejected; i++) {
		jsonw_object(w, NULL);
		jsonw_text(w, "revision", view->rejected[i].revision);
		jsonw_text(w, "rollout", view->rejected[i].rollout);
		jsonw_text(w, "reason", view->rejected[i].reason);
		jsonw_text(w, "time",
			timestamp_print(view->rejected[i].time_ms, text));
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
}

static void print_times(struct jsonw *w, const struct service_times *times,
	const char *median, const char *p90)
{
	if (!times->n) {
		jsonw_null(w, median);
		jsonw_null(w, p90);
		return;
	}
	jsonw_int(w, median, times->median_ms);
	jsonw_int(w, p90, times->p90_ms);
}

static void print_delivery(struct jsonw *w, const struct service_facts *facts)
{
	int moved = facts->n_promoted + facts->n_failed;

	jsonw_object(w, "delivery");
	jsonw_int(w, "days", DAYS(SERVICE_WEEKS));
	jsonw_int(w, "promoted", facts->n_promoted);
	jsonw_int(w, "failed", facts->n_failed);
	jsonw_number(w, "deployments_per_day",
		(double)facts->n_promoted / DAYS(SERVICE_WEEKS));
	if (moved)
		jsonw_number(w, "change_failure_rate",
			(double)facts->n_failed / moved);
	else
		jsonw_null(w, "change_failure_rate");
	if (facts->n_promoted)
		jsonw_int(w, "median_duration_ms", facts->median_ms);
	else
		jsonw_null(w, "median_duration_ms");
	print_times(w, &facts->lead, "median_lead_time_ms", "p90_lead_time_ms");
	print_times(w, &facts->restore, "median_restore_ms", "p90_restore_ms");
	jsonw_end(w, '}');
}

static void print_service(struct asking *asking, struct buf *out)
{
	struct service_facts *facts = &asking->facts;
	struct jsonw w = {.out = out};

	facts->driven = daemon_driven(asking->visit->daemon);
	service_facts_find(facts, asking->now_ms);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "service", facts->view.service.full);
	print_watch(&w, watch_find(daemon_watch(asking->visit->daemon),
				facts->view.service.full));
	print_traffic(&w, &facts->view);
	jsonw_array(&w, "rollouts");
	for (size_t i = 0; i < asking->n && i < RELEASES; i++)
		rollout_row_print(&w, &asking->list[i]);
	jsonw_end(&w, ']');
	print_rejected(&w, &facts->view);
	print_delivery(&w, facts);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

/* ---- together ---- */

static void asking_done(struct desk_job *job, const struct err *err)
{
	struct asking *asking = (struct asking *)job;
	struct buf body;

	if (err) {
		visit_fail(&asking->visit, err);
		free(asking);
		return;
	}
	buf_init(&body, VISIT_ANSWER_MAX);
	if (asking->facts.view.service.full)
		print_service(asking, &body);
	else
		print_services(asking, &body);
	visit_answer(&asking->visit, 200, VISIT_JSON, &body);
	buf_fini(&body);
	free(asking);
}

static struct asking *asking_new(struct visit *visit, int limit)
{
	struct asking *asking = xcalloc(1, sizeof(*asking));

	asking->visit = visit;
	asking->job.run = asking_run;
	asking->job.done = asking_done;
	asking->filter.limit = limit;
	asking->now_ms = loop_wall_ms(daemon_loop(visit->daemon));
	return asking;
}

void services_list(struct visit *visit)
{
	desk_give(
		daemon_desk(visit->daemon), &asking_new(visit, LIST_MAX)->job);
}

void service_get(struct visit *visit)
{
	const char *full = arena_printf(&visit->arena, SERVICE_NAME_FORMAT,
		visit->part[0], visit->part[1], visit->part[2]);
	struct service_name name;
	struct asking *asking;
	struct err err;

	if (service_name_parse(&name, full, &visit->arena, &err) < 0) {
		visit_fail(&visit, &err);
		return;
	}
	if (!visit_may(&visit, RIGHT_READ, full, NULL))
		return;
	asking = asking_new(visit, SERVICE_RELEASES_MAX);
	asking->facts.view.service = name;
	asking->filter.service = name.full;
	desk_give(daemon_desk(visit->daemon), &asking->job);
}
