/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tidegate export`: follows a rollout from outside, and tells systems of
 * metrics and traces of it while no Prometheus scrapes who drives it. A process
 * of its own, which only reads the state file: however slow the other side is,
 * the rollout does not wait for it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/service_name.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exporter.h"
#include "cli/output.h"
#include "io/clock.h"
#include "io/http.h"
#include "io/loop.h"
#include "serve/metrics_page.h"
#include "status/otlp_trace.h"
#include "status/rollout_snapshot.h"

#define LOOK_MS     200 /* between looks at the state file */
#define PUSH_MS     5000 /* between pushes of what has not changed */
#define TIMEOUT_MS  3000 /* of a request */
#define ALONE_MS    20000 /* that nobody has driven it */
#define HEADERS_MAX 8

struct export_args {
	const char *state, *push, *otlp;
};

#define MEMBER(m) offsetof(struct export_args, m)

static const struct option_spec options[] = {
	{.name = "push-metrics",
		.type = OPTION_TEXT,
		.offset = MEMBER(push),
		.value = "URL",
		.help = "of a Pushgateway; the rollout's group is deleted at "
			"its end"},
	{.name = "otlp",
		.type = OPTION_TEXT,
		.offset = MEMBER(otlp),
		.value = "URL",
		.help = "of a receiver of OTLP over HTTP: the rollout as a "
			"trace, at its end"},
	OPTION_STATE(struct export_args),
	{0},
};

struct exporter {
	const struct export_args *args;
	struct store *store;
	struct rollout_snapshot *snapshot;
	struct loop *loop;
	struct http *http;
	struct metrics_page *page;
	struct metrics_rollout *rollout;
	struct otlp_trace *trace;
	char *group; /* URL of the Pushgateway's group; NULL: none is wanted */
	enum phase pushed; /* phase that was told last; PHASES: none */
	int64_t pushed_ms, driven_ms;
	bool told; /* that it fails */
	bool failed; /* the request that was answered last */
	bool missed; /* something was told */
	struct err err; /* of the request that was answered last */
};

/* ---- requests, one after the other ---- */

static void answered(const struct http_reply *reply, void *arg)
{
	struct exporter *e = arg;

	e->failed = reply->err || reply->status / 100 != 2;
	if (reply->err)
		e->err = *reply->err;
	else if (e->failed)
		(void)!err_set(&e->err, ERR_PROTOCOL, "HTTP %d", reply->status);
	loop_stop(e->loop);
}

/* Told once: it is nothing that a rollout depends on. */
static void tell_failure(struct exporter *e, const char *what)
{
	struct buf line;

	if (!e->failed || e->told)
		return;
	e->told = e->missed = true;
	buf_init(&line, OUTPUT_BYTES_MAX);
	buf_addf(&line, "tidegate: export: %s: %s\n", what, e->err.text);
	output_write(stderr, &line);
	buf_fini(&line);
}

static int send(struct exporter *e, const struct http_request *request,
	const char *what, struct err *err_r)
{
	(void)http_start(e->http, request, answered, e);
	if (loop_run(e->loop, err_r) < 0)
		return -1;
	tell_failure(e, what);
	return 0;
}

/* ---- the Pushgateway ---- */

static int push(struct exporter *e, struct err *err_r)
{
	const struct metrics_moment moment = {.wall_ms = clock_wall_ms()};
	struct http_request request = {.method = "PUT",
		.url = e->group,
		.content_type = METRICS_CONTENT_TYPE,
		.timeout_ms = TIMEOUT_MS};
	struct buf body;
	int rc;

	buf_init(&body, METRICS_PAGE_MAX);
	metrics_page_print_services(e->page, &moment, &body);
	request.body = body.data;
	request.body_len = body.len;
	rc = send(e, &request, "pushing metrics", err_r);
	buf_fini(&body);
	e->pushed = e->snapshot->fold.state.phase;
	e->pushed_ms = clock_boot_ms();
	return rc;
}

/* Else one that is over would run for ever, for whoever looks there. */
static int delete_group(struct exporter *e, struct err *err_r)
{
	const struct http_request request = {
		.method = "DELETE", .url = e->group, .timeout_ms = TIMEOUT_MS};

	return e->group ? send(e, &request, "deleting metrics", err_r) : 0;
}

static int find_group(struct exporter *e, struct err *err_r)
{
	struct service_name name;
	struct arena arena;
	struct buf url;
	int rc;

	if (!e->args->push)
		return 0;
	arena_init(&arena);
	rc = service_name_parse(&name, e->snapshot->row.service, &arena, err_r);
	if (rc == 0) {
		buf_init(&url, HTTP_URL_MAX);
		buf_addf(&url,
			"%s%smetrics/job/tidegate/project/%s/region/%s/"
			"service/%s",
			e->args->push,
			e->args->push[strlen(e->args->push) - 1] == '/' ? ""
									: "/",
			name.project, name.region, name.name);
		e->group = buf_steal(&url);
		buf_fini(&url);
	}
	arena_fini(&arena);
	return rc;
}

/* ---- OTLP ---- */

/* In place, with no blanks around it. false: it is no value of a header. */
static bool decode_value(char *text)
{
	char *plain = http_unescape(text), *end;
	const char *begin;
	bool is_good = plain != NULL;

	for (const char *c = plain; is_good && *c; c++)
		is_good = (unsigned char)*c >= ' ' && *c != 0x7f;
	if (is_good) {
		begin = plain + strspn(plain, " ");
		end = plain + strlen(plain);
		while (end > begin && end[-1] == ' ')
			end--;
		memcpy(text, begin, (size_t)(end - begin));
		text[end - begin] = '\0';
	}
	free(plain);
	return is_good;
}

/* "name=value,name=value" as other programs take it, with %20 in a value for a
 * blank; cut apart in place. */
static size_t read_headers(char *text, struct http_header *headers)
{
	size_t n = 0;
	char *item, *rest, *value;

	for (item = strtok_r(text, ",", &rest); item && n < HEADERS_MAX;
		item = strtok_r(NULL, ",", &rest)) {
		value = strchr(item, '=');
		if (!value)
			continue;
		*value++ = '\0';
		if (decode_value(value))
			headers[n++] = (struct http_header){
				item + strspn(item, " "), value};
	}
	return n;
}

static int send_trace(struct exporter *e, struct err *err_r)
{
	const struct rollout_snapshot *s = e->snapshot;
	const struct otlp_subject subject = {.rollout = s->row.id,
		.service = s->row.service,
		.policy = s->row.policy_name,
		.candidate = s->row.candidate,
		.stable = s->row.stable,
		.traceparent = getenv("TRACEPARENT"),
		.state = &s->fold.state};
	const char *more = getenv("OTEL_EXPORTER_OTLP_HEADERS");
	struct http_header headers[HEADERS_MAX];
	char given[4096] = "";
	struct http_request request = {.method = "POST",
		.content_type = "application/json",
		.headers = headers,
		.timeout_ms = TIMEOUT_MS};
	struct buf body, url;
	int rc;

	if (!e->args->otlp)
		return 0;
	if (more && strlen(more) < sizeof(given))
		strcpy(given, more);
	request.n_headers = read_headers(given, headers);
	buf_init(&url, HTTP_URL_MAX);
	buf_init(&body, OTLP_BYTES_MAX);
	buf_addf(&url, "%s%sv1/traces", e->args->otlp,
		e->args->otlp[strlen(e->args->otlp) - 1] == '/' ? "" : "/");
	otlp_trace_print(e->trace, &subject, &body);
	request.url = url.data;
	request.body = body.data;
	request.body_len = body.len;
	e->told = false;
	rc = send(e, &request, "sending the trace", err_r);
	buf_fini(&url);
	buf_fini(&body);
	return rc;
}

/* ---- following ---- */

static int take(const struct store_event *entry, void *arg, struct err *err_r)
{
	struct exporter *e = arg;

	(void)err_r;
	metrics_rollout_take(e->rollout, entry, &e->snapshot->fold.state,
		e->snapshot->row.candidate, e->snapshot->row.stable);
	otlp_trace_take(e->trace, entry);
	return 0;
}

/* 1: nobody drives it any more. */
static int is_left(struct exporter *e, struct err *err_r)
{
	struct store_lease lease;
	int held =
		rollout_snapshot_driver(e->snapshot, e->store, &lease, err_r);

	if (held > 0)
		e->driven_ms = clock_boot_ms();
	return held < 0 ? -1 : clock_boot_ms() - e->driven_ms > ALONE_MS;
}

/* 1 when it has ended, or was left. */
static int look(struct exporter *e, struct err *err_r)
{
	struct rollout_snapshot *s = e->snapshot;

	if (rollout_snapshot_follow(s, e->store, take, e, err_r) ||
		rollout_snapshot_reload_row(s, e->store, err_r))
		return -1;
	if (e->group &&
		(s->fold.state.phase != e->pushed ||
			clock_boot_ms() - e->pushed_ms > PUSH_MS) &&
		push(e, err_r) < 0)
		return -1;
	return phase_is_end(s->fold.state.phase) ? 1 : is_left(e, err_r);
}

static int follow(struct exporter *e, struct err *err_r)
{
	int ended;

	e->driven_ms = clock_boot_ms();
	while ((ended = look(e, err_r)) == 0)
		context_pause(LOOK_MS);
	if (ended < 0 || delete_group(e, err_r) < 0 || send_trace(e, err_r) < 0)
		return -1;
	return e->missed ? 1 : 0;
}

/* ---- all of it ---- */

static int open_exporter(
	struct exporter *e, const char *name, struct err *err_r)
{
	e->store = context_store(e->args->state, STORE_LOOK, err_r);
	if (!e->store)
		return -1;
	e->snapshot = rollout_snapshot_open(
		e->store, name, SNAPSHOT_UNFINISHED, err_r);
	if (!e->snapshot || find_group(e, err_r) < 0)
		return -1;
	e->loop = loop_new(err_r);
	if (!e->loop)
		return -1;
	e->http = http_new(e->loop, err_r);
	if (!e->http)
		return -1;
	e->page = metrics_page_new();
	e->trace = otlp_trace_new();
	e->rollout = metrics_rollout_new(e->page, e->snapshot->row.service,
		e->snapshot->row.id, e->snapshot->policy);
	return 0;
}

static void close_exporter(struct exporter *e)
{
	metrics_rollout_end(&e->rollout);
	metrics_page_free(&e->page);
	otlp_trace_free(&e->trace);
	if (e->http)
		http_free(&e->http);
	if (e->loop)
		loop_free(&e->loop);
	rollout_snapshot_free(&e->snapshot);
	store_free(&e->store);
	free(e->group);
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct export_args args = {0};
	struct exporter e = {.args = &args, .pushed = PHASES};
	struct exporter_wish wish;
	int status = -1;

	if (args_parse(options, &args, &argc, argv, err_r) < 0 ||
		args_count(argc, argv, "[ROLLOUT]", 0, 1, err_r) < 0)
		return -1;
	if ((!args.push || !*args.push) && (!args.otlp || !*args.otlp))
		return err_set(err_r, ERR_USAGE,
			"where to? give --push-metrics or --otlp");
	wish = (struct exporter_wish){.push = args.push, .otlp = args.otlp};
	if (exporter_check(&wish, err_r) < 0)
		return -1;
	if (open_exporter(&e, argc > 1 ? argv[1] : NULL, err_r) == 0)
		status = follow(&e, err_r);
	close_exporter(&e);
	return status;
}

const struct command workbench_export = {
	.name = "export",
	.usage = "[ROLLOUT] --push-metrics URL | --otlp URL",
	.summary = COMMAND_EXPORT_SUMMARY,
	.options = options,
	.run = run,
	.details = "For a rollout that a CI job drives, which no Prometheus "
		   "can scrape. Start it\n"
		   "beside `tidegate run`, as often as you like: it reads the "
		   "state file alone, and\n"
		   "the rollout never waits for it. It ends with the rollout, "
		   "or when nobody drives\n"
		   "that any more. $OTEL_EXPORTER_OTLP_HEADERS and "
		   "$TRACEPARENT are honoured.\n",
};
