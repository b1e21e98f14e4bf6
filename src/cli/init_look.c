/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look at a service in the order of time; see init_look.h.
 *
 *   look_start ─ look_service_read ─ look_listed ─ look_bounds_listed ─
 *   look_gap_answered ─ look_week_read
 *
 * Without metrics of its own, Cloud Monitoring is asked for the week.
 */
#include "cli/init_look.h"

#include <stdlib.h>
#include <string.h>

#include "api/request.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "cli/init_ask.h"
#include "cli/init_week.h"
#include "cli/output.h"
#include "cloudrun/cloudrun.h"
#include "init/explain.h"
#include "io/http.h"
#include "io/loop.h"
#include "live/world.h"
#include "metrics/prometheus.h"

#define HOUR_MS     INT64_C(3600000)
#define DAY_MS      (24 * HOUR_MS)
#define FROM_MS_MIN (HOUR_MS)
#define FROM_MS_MAX (31 * DAY_MS)
#define TIMEOUT_MS  60000 /* of one query: it may be a day of many series */
#define TEXT_MAX    (64 * 1024)
#define VARIABLE    "PROMETHEUS_URL"

struct look {
	const struct init_wish *wish;
	const struct context_target *target;
	struct arena arena;
	struct world world;
	struct err credentials_err;
	struct policy *draft; /* owns what metrics points at */
	struct metrics metrics;
	struct prometheus *prometheus;
	struct cloudrun_call *reading;
	struct provider_call *call;
	struct init_week *week;
	struct timer *later;
	int64_t from_ms, to_ms;
	struct found found;
	struct proposal proposal;
	struct buf *told;
	struct err end; /* code ERR_NONE: all went well */
	bool is_wide; /* all series are listed, not only stable's */
	bool is_over; /* maybe before the loop ran */
};

static void look_service_read(
	struct service *service, const struct err *err, void *arg);
static void look_metrics(struct look *look);
static void look_listed(int status, const char *body, size_t len,
	const struct err *err, void *arg);
static void look_bounds_listed(int status, const char *body, size_t len,
	const struct err *err, void *arg);
static void look_gap_answered(int status, const char *body, size_t len,
	const struct err *err, void *arg);
static void look_managed(void *arg);
static void look_week_read(const struct err *err, void *arg);

static void look_end(struct look *look, const struct err *err)
{
	if (err)
		look->end = *err;
	look->is_over = true;
	loop_stop(look->world.loop);
}

/* ---- who is asked ---- */

/* As the policy will say it. Cut off from what was open before. */
static int open_metrics(struct look *look, struct err *err_r)
{
	const struct api api = {.loop = look->world.loop,
		.http = look->world.http,
		.credentials = look->world.credentials};
	struct proposal draft = look->proposal;
	struct buf text;

	prometheus_free(&look->prometheus);
	policy_free(&look->draft);
	if (!draft.counter)
		draft.counter = &proposal_cloud_counter;
	proposal_set_limits(&draft);
	buf_init(&text, TEXT_MAX);
	proposal_print(&draft, &text);
	look->draft = context_policy(
		"the proposed policy", text.data, look->target, err_r);
	buf_fini(&text);
	if (!look->draft)
		return err_set(err_r, ERR_USAGE,
			"%.200s cannot be asked by a policy: see above",
			draft.is_managed ? "Cloud Monitoring" : draft.url);
	look->metrics = prometheus_metrics(look->draft, look->target->project);
	look->metrics.timeout_ms = TIMEOUT_MS;
	look->prometheus = prometheus_new(&api, &look->metrics, err_r);
	return look->prometheus ? 0 : -1;
}

/* ---- the service ---- */

static int take_times(struct look *look, struct err *err_r)
{
	int64_t now_ms = loop_wall_ms(look->world.loop);

	look->to_ms = now_ms;
	if (timestamp_parse_point(
		    look->wish->from, now_ms, &look->from_ms, err_r) < 0)
		return err_wrap(err_r, "--from");
	if (look->from_ms > now_ms - FROM_MS_MIN ||
		look->from_ms < now_ms - FROM_MS_MAX)
		return err_set(err_r, ERR_USAGE,
			"--from %.40s is not between an hour and 31 days ago: "
			"write -7d",
			look->wish->from);
	return 0;
}

static int look_start(struct look *look, struct err *err_r)
{
	const struct world_options options = {
		.project = look->target->project,
		.region = look->target->region,
		.credentials_err_r = &look->credentials_err,
	};

	if (world_open(&look->world, &options, err_r) < 0 ||
		take_times(look, err_r) < 0)
		return -1;
	if (look->wish->stable) {
		look->proposal.stable = look->wish->stable;
		look_metrics(look);
		return 0;
	}
	if (!look->world.cloudrun) {
		*err_r = look->credentials_err;
		return err_wrap(err_r,
			"who serves %.160s could not be asked: log in, or name "
			"the revision, --stable REVISION",
			look->target->service);
	}
	look->reading = cloudrun_get_service_start(look->world.cloudrun,
		look->target->service, 0, look_service_read, look);
	return 0;
}

/* Who has most of the traffic. */
static const char *server_of(const struct service *service)
{
	const struct target *best = NULL, *target;

	for (size_t i = 0; i < service->statuses.n; i++) {
		target = &service->statuses.item[i];
		if (!best || target->percent > best->percent)
			best = target;
	}
	if (!best)
		return service->latest_ready;
	return best->revision ? best->revision : service->latest_ready;
}

static void look_service_read(
	struct service *service, const struct err *err, void *arg)
{
	struct look *look = arg;
	const char *stable = service ? server_of(service) : NULL;
	struct err trouble;

	look->reading = NULL;
	if (stable) {
		look->proposal.stable =
			arena_printf(&look->arena, "%s", stable);
		service_free(&service);
		look_metrics(look);
		return;
	}
	if (err)
		trouble = *err;
	else
		err_set(&trouble, ERR_NOT_FOUND,
			"no revision of %.160s serves: deploy it first",
			look->target->service);
	service_free(&service);
	look_end(look, &trouble);
}

/* ---- its metrics ---- */

static struct init_ask asking(struct look *look, prometheus_range_fn fn)
{
	return (struct init_ask){
		look->prometheus, &look->proposal, look->to_ms, fn, look};
}

static void ask_series(struct look *look)
{
	const struct init_ask ask = asking(look, look_listed);

	look->call = init_ask_series(&ask, &look->is_wide);
}

static void ask_bounds(struct look *look)
{
	const struct init_ask ask = asking(look, look_bounds_listed);

	look->call = init_ask_bounds(&ask, look->found.histogram);
}

static void ask_gap(struct look *look)
{
	const struct init_ask ask = asking(look, look_gap_answered);

	look->call = init_ask_samples(&ask, look->found.counter);
}

static void look_metrics(struct look *look)
{
	struct err err;

	if (look->proposal.is_managed) {
		look_managed(look);
		return;
	}
	if (open_metrics(look, &err) < 0) {
		look_end(look, &err);
		return;
	}
	ask_series(look);
}

/* What can be done about it. */
static void explain_trouble(const struct look *look, struct err *err)
{
	if (err->code == ERR_AUTH || err->code == ERR_DENIED)
		err_wrap(err,
			look->wish->token_file
				? "is the token in %.160s the right one"
				: "does it want a token, --token-file FILE%s",
			look->wish->token_file ? look->wish->token_file : "");
	else if (err->code == ERR_LIMIT)
		err_wrap(err, "narrow it with --selector 'job=\"…\"'");
	else
		err_wrap(err, "series could not be listed");
}

/* Two that are alike: only a person knows. */
static int refuse_twins(const struct found *found, struct err *err_r)
{
	const struct found_metric *one = found->counter,
				  *other = found->other_counter;
	const char *option = "counter";

	if (!other) {
		one = found->histogram;
		other = found->other_histogram;
		option = "histogram";
	}
	if (!other)
		return 0;
	return err_set(err_r, ERR_REFUSED,
		"both %.80s and %.80s may be the metric to ask: choose one, "
		"--%s %.80s",
		one->name, other->name, option, one->name);
}

static int check_wanted(const struct look *look, struct err *err_r)
{
	const struct init_wish *wish = look->wish;

	if (wish->counter && !look->found.counter)
		return err_set(err_r, ERR_NOT_FOUND,
			"--counter %.80s cannot be asked: see above",
			wish->counter);
	if (wish->histogram && !look->found.histogram)
		return err_set(err_r, ERR_NOT_FOUND,
			"--histogram %.80s cannot be asked: see above",
			wish->histogram);
	return refuse_twins(&look->found, err_r);
}

static int choose(
	struct look *look, const struct listing *listing, struct err *err_r)
{
	const struct find_what what = {.service = look->target->service,
		.stable = look->proposal.stable,
		.counter = look->wish->counter,
		.histogram = look->wish->histogram};

	find_metrics(listing, &what, &look->arena, &look->found);
	if (!look->found.counter && !look->is_wide)
		return 0;
	explain_found(&look->found, look->proposal.stable, look->told);
	return check_wanted(look, err_r);
}

static void look_listed(int status, const char *body, size_t len,
	const struct err *err, void *arg)
{
	const struct listing_reply reply = {status, body, len};
	struct look *look = arg;
	struct listing listing;
	struct err trouble;

	look->call = NULL;
	if (err)
		trouble = *err;
	if (err || listing_decode_series(
			   &reply, &look->arena, &listing, &trouble) < 0) {
		explain_trouble(look, &trouble);
		look_end(look, &trouble);
		return;
	}
	if (choose(look, &listing, &trouble) < 0) {
		look_end(look, &trouble);
		return;
	}
	look->proposal.counter = look->found.counter;
	look->proposal.histogram = look->found.histogram;
	if (!look->found.counter && !look->is_wide) {
		look->is_wide = true;
		ask_series(look);
	} else if (!look->found.counter) {
		explain_export(look->target->service, look->proposal.stable,
			look->told);
		/* Not from inside an answer: who gave it is closed. */
		look->later =
			timer_start(look->world.loop, 0, look_managed, look);
	} else if (look->found.histogram) {
		ask_bounds(look);
	} else {
		ask_gap(look);
	}
}

static void take_bounds(struct look *look, const char *const *value, size_t n)
{
	struct proposal *p = &look->proposal;
	double last = 0, bound;

	for (size_t i = 0; i < n; i++) {
		bound = strtod(value[i], NULL);
		if (bound < 1e300 && bound > last)
			last = bound;
	}
	p->unit = p->histogram->unit;
	if (!p->unit)
		p->unit = last >= 100 ? "ms" : "s";
	p->last_bound = strcmp(p->unit, "ms") == 0 ? last / 1000 : last;
}

static void look_bounds_listed(int status, const char *body, size_t len,
	const struct err *err, void *arg)
{
	const struct listing_reply reply = {status, body, len};
	struct look *look = arg;
	const char *const *value;
	struct err trouble;
	size_t n;

	look->call = NULL;
	if (err)
		trouble = *err;
	if (err || listing_decode_values(
			   &reply, &look->arena, &value, &n, &trouble) < 0) {
		look_end(look, &trouble);
		return;
	}
	take_bounds(look, value, n);
	ask_gap(look);
}

/* ---- the week ---- */

static void ask_week(struct look *look)
{
	const struct init_week_what what = {.prometheus = look->prometheus,
		.proposal = &look->proposal,
		.from_ms = look->from_ms,
		.to_ms = look->to_ms - look->metrics.delay_ms};

	look->week = init_week_start(&what, look_week_read, look);
}

/* What is scraped every 15.003 s is scraped every 15 s. */
static int64_t whole(int64_t gap_ms)
{
	int64_t unit = gap_ms < 1000 ? 50 : 1000;

	return (gap_ms + unit / 2) / unit * unit;
}

static void look_gap_answered(int status, const char *body, size_t len,
	const struct err *err, void *arg)
{
	const struct listing_reply reply = {status, body, len};
	struct look *look = arg;
	struct err trouble;
	int64_t gap_ms;

	look->call = NULL;
	if (err)
		trouble = *err;
	if (err || listing_decode_gap(&reply, &gap_ms, &trouble) < 0) {
		look_end(look, &trouble);
		return;
	}
	look->proposal.gap_ms = whole(gap_ms);
	ask_week(look);
}

/* Cloud Run's own metrics have names that are known. Where they cannot be asked
 * the policy is written all the same, with usual limits. */
static void look_managed(void *arg)
{
	struct look *look = arg;
	const struct pace_what pace = {
		.is_late = true, .is_evidence = look->wish->is_evidence};
	struct proposal *p = &look->proposal;
	struct err err = look->credentials_err;

	look->later = NULL;
	p->is_managed = true;
	pace_choose(&pace, &p->pace);
	p->counter = &proposal_cloud_counter;
	p->histogram = &proposal_cloud_histogram;
	p->unit = "ms";
	p->selector = "";
	if (look->world.credentials && open_metrics(look, &err) == 0)
		ask_week(look);
	else
		look_week_read(&err, look);
}

static void look_week_read(const struct err *err, void *arg)
{
	struct look *look = arg;
	struct err trouble;

	look->week = NULL;
	if (err && !look->proposal.is_managed) {
		trouble = *err;
		err_wrap(&trouble, "the week could not be read; a shorter one "
				   "may be, --from -1d");
		look_end(look, &trouble);
		return;
	}
	if (err)
		buf_addf(look->told,
			"Cloud Monitoring could not be asked: %s\n", err->text);
	look_end(look, NULL);
}

/* ---- all of it ---- */

static void begin(struct look *look)
{
	const struct init_wish *wish = look->wish;
	const char *variable = getenv(VARIABLE);
	struct proposal *p = &look->proposal;
	struct pace_what pace = {.is_evidence = wish->is_evidence};

	*p = (struct proposal){.project = look->target->project,
		.region = look->target->region,
		.service = look->target->service,
		.stable = "",
		.when = "",
		.url = wish->metrics,
		.token_file = wish->token_file,
		.selector = wish->selector ? wish->selector : "",
		.unit = "s",
		.is_evidence = wish->is_evidence,
		.path = wish->path};
	if (variable && *variable && (!p->url || strcmp(p->url, variable) == 0))
		p->url = "${" VARIABLE "}";
	p->is_managed = wish->is_managed || !p->url;
	pace_choose(&pace, &p->pace);
	p->quantile = proposal_quantile(0);
}

static void close_look(struct look *look)
{
	timer_cancel(&look->later);
	init_week_cancel(&look->week);
	provider_cancel(&look->call);
	cloudrun_cancel(&look->reading);
	prometheus_free(&look->prometheus);
	policy_free(&look->draft);
	world_close(&look->world);
	arena_fini(&look->arena);
}

static int finish(struct look *look, struct buf *policy, struct err *err_r)
{
	if (look->end.code) {
		*err_r = look->end;
		return -1;
	}
	proposal_set_limits(&look->proposal);
	explain_choice(&look->proposal, look->told);
	proposal_print(&look->proposal, policy);
	return 0;
}

int init_look(const struct init_wish *wish, const struct context_target *target,
	struct buf *policy, struct buf *told, struct err *err_r)
{
	struct look look = {.wish = wish, .target = target, .told = told};
	char stamp[TIMESTAMP_TEXT_MAX];
	int rc = -1;

	arena_init(&look.arena);
	begin(&look);
	if (look.proposal.is_managed && !wish->is_managed)
		buf_adds(
			told, "neither --metrics nor $" VARIABLE " is given\n");
	if (look_start(&look, err_r) == 0 &&
		(look.is_over || loop_run(look.world.loop, err_r) == 0)) {
		timestamp_print(look.to_ms, stamp);
		stamp[10] = '\0';
		look.proposal.when = stamp;
		rc = finish(&look, policy, err_r);
	}
	close_look(&look);
	return rc;
}
