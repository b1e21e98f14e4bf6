/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would hold the loop, before and after it is cut into pieces or done on a
 * thread:
 *
 *   turn_bench [ENTRIES [TARGETS]]
 *   default: 100000 2000
 *
 * A rollout's journal of so many entries is folded at once, as `status` does, and
 * read on a loop, as `resume` does; likewise for its report. A service with so many
 * traffic targets, each with a tag, is decoded at once and by a thread beside a
 * loop, and so is the longest list of a site's releases. A page of metrics is
 * printed of 10,000 rollouts, at once, since it has a bound. Prints the time of the
 * one and the longest turn of the other, both in processor time of the loop's
 * thread. $TMPDIR is where the state file is made.
 */
#define _GNU_SOURCE /* mkdtemp */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../unit/engine_fixture.h"
#include "action/site_codec.h"
#include "base/buf.h"
#include "cloudrun/service_codec.h"
#include "io/loop.h"
#include "io/worker.h"
#include "policy/policy_load.h"
#include "report/report.h"
#include "serve/metrics_page.h"
#include "store/event_codec.h"
#include "store/fold.h"
#include "store/walk.h"

#define ID      "shop-1"
#define SERVICE "projects/p/locations/r/services/shop"

#define RELEASES_BYTES (4 * 1024 * 1024)

static const char policy_text[] =
	"version: 1\n"
	"name: turns\n"
	"metrics: {url: 'http://127.0.0.1:9090'}\n"
	"steps: [{percent: 10, bake: 30d}, {percent: 100, bake: 1m}]\n"
	"slos:\n"
	"  - {name: a, max: 1%, query: "
	"'rate(a{revision=\"{{candidate}}\"}[2m])'}\n"
	"  - {name: b, max: 1%, query: "
	"'rate(b{revision=\"{{candidate}}\"}[2m])'}\n"
	"  - {name: c, max: 1%, query: "
	"'rate(c{revision=\"{{candidate}}\"}[2m])'}\n"
	"  - {name: d, max: 1%, query: "
	"'rate(d{revision=\"{{candidate}}\"}[2m])'}\n";

static void die(const char *what, const struct err *err)
{
	fprintf(stderr, "turn_bench: %s: %s\n", what, err->text);
	exit(1);
}

static double cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void print(const char *what, double at_once_ms, const struct loop *loop)
{
	printf("%-11s %.1f ms at once", what, at_once_ms);
	if (loop)
		printf(", longest turn %.1f ms",
			(double)loop_busiest_turn(loop).cpu_us / 1000);
	printf("\n");
}

static struct loop *loop_measured(void)
{
	struct err err;
	struct loop *loop = loop_new(&err);

	if (!loop)
		die("loop", &err);
	loop_measure_turns(loop);
	return loop;
}

/* ---- a journal ---- */

struct journaling {
	struct store *store;
	int64_t fence, seq, n;
};

static void append(struct journaling *j, const struct world *world,
	const char *name, bool is_note, struct buf *data)
{
	struct store_event entry = {.seq = ++j->seq,
		.time_ms = world->rollout.now_ms,
		.is_note = is_note,
		.name = name,
		.phase = phase_name(world->rollout.phase),
		.percent = world->rollout.traffic.serving.candidate,
		.data = data->data};
	struct err err;

	if (store_append(j->store, ID, j->fence, &entry, 1, "", false, &err) <
		0)
		die("append", &err);
	buf_clear(data);
}

static void fed(struct world *world, const struct event *event,
	const struct outcome_list *out)
{
	struct event_context context = {.policy = world->policy,
		.state = &world->rollout,
		.judgement =
			event->type == EVENT_CHECK ? &out->judgement : NULL,
		.query = {event->type == EVENT_CHECK ? "rate(a[2m])" : NULL}};
	struct buf data;

	buf_init(&data, STORE_EVENT_BYTES_MAX);
	event_encode(event, &context, &data);
	append(world->fed_arg, world, event_name(event->type), false, &data);
	for (size_t i = 0; i < out->n_notes; i++) {
		note_encode(&out->note[i], &context, &data);
		append(world->fed_arg, world, note_name(out->note[i].type),
			true, &data);
	}
	buf_fini(&data);
}

static void rollout_make(struct journaling *j)
{
	struct store_rollout rollout = {.id = ID,
		.service = SERVICE,
		.candidate = "shop-00002-new",
		.stable = "shop-00001-old",
		.policy_name = "turns",
		.policy_path = "turns.yaml",
		.policy_source = policy_text,
		.policy_digest = "",
		.options = "{}",
		.starter = "alice",
		.started_ms = 1,
		.reason = "",
		.phase = "preflight"};
	struct lease_watch watch = {0};
	struct store_lease lease;
	struct arena arena;
	struct err err;

	arena_init(&arena);
	if (store_rollout_create(j->store, &rollout, &err) < 0 ||
		store_lease_take(j->store, SERVICE, ID, &watch, &arena, &lease,
			&err) < 0)
		die("rollout", &err);
	j->fence = lease.fence;
	arena_fini(&arena);
}

static void journal_make(struct journaling *j, const struct policy *policy)
{
	static struct world world;
	struct err err;

	rollout_make(j);
	if (store_begin(j->store, &err) < 0)
		die("journal", &err);
	world_init(&world, policy);
	world.fed = fed;
	world.fed_arg = j;
	world_start(&world);
	while (j->seq < j->n && !phase_is_end(world.rollout.phase))
		world_run(&world, 60000);
	rollout_clear(&world.rollout);
	if (store_commit(j->store, &err) < 0)
		die("journal", &err);
}

/* ---- what is done with it ---- */

struct reading {
	const struct policy *policy;
	struct fold fold;
	struct report_reader *reader;
};

static int fold_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct reading *reading = arg;

	return fold_take(&reading->fold, reading->policy, entry, err_r);
}

static int report_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct reading *reading = arg;

	return report_reader_take(reading->reader, entry, err_r);
}

static void read_end(const struct err *err, void *arg)
{
	if (err)
		die("walk", err);
}

static void walk_measured(const char *what, double at_once_ms,
	struct store *store, store_event_fn entry, struct reading *reading)
{
	struct loop *loop = loop_measured();
	struct err err;

	walk_start(loop, store, ID, entry, read_end, reading);
	if (loop_run(loop, &err) < 0)
		die("loop", &err);
	print(what, at_once_ms, loop);
	loop_free(&loop);
}

static void fold_both(struct store *store, const struct policy *policy)
{
	static struct reading reading;
	static struct fold fold;
	double from_ms = cpu_ms(), at_once_ms;
	struct err err;

	if (fold_rollout(store, ID, policy, &fold, &err) < 0)
		die("fold", &err);
	at_once_ms = cpu_ms() - from_ms;
	reading.policy = policy;
	fold_init(&reading.fold);
	walk_measured("fold", at_once_ms, store, fold_entry, &reading);
	if (reading.fold.last_seq != fold.last_seq)
		exit(1);
	fold_fini(&fold);
	fold_fini(&reading.fold);
}

static void report_both(struct store *store, const struct policy *policy)
{
	double from_ms = cpu_ms(), at_once_ms;
	struct report *report;
	static struct reading reading;
	struct buf text;
	struct err err;

	report = report_load(store, ID, policy, &err);
	if (!report)
		die("report", &err);
	at_once_ms = cpu_ms() - from_ms;
	report_free(&report);
	reading.reader = report_reader_new(store, ID, policy, &err);
	if (!reading.reader)
		die("report", &err);
	walk_measured("report read", at_once_ms, store, report_entry, &reading);
	report = report_reader_finish(&reading.reader);
	buf_init(&text, REPORT_BYTES_MAX);
	from_ms = cpu_ms();
	report_write(report, PAGE_MARKDOWN, &text);
	print("report page", cpu_ms() - from_ms, NULL);
	buf_fini(&text);
	report_free(&report);
}

static int look_at_nothing(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	return 0;
}

/* What is looked for where a rollout is undone. */
static void named(struct store *store)
{
	double from_ms = cpu_ms();
	struct err err;

	if (store_each_event(store, ID, 0, look_at_nothing, NULL, &err) < 0)
		die("events", &err);
	print("all events", cpu_ms() - from_ms, NULL);
	from_ms = cpu_ms();
	if (store_each_named(store, ID, "action", look_at_nothing, NULL, &err) <
		0)
		die("actions", &err);
	print("actions", cpu_ms() - from_ms, NULL);
}

/* ---- a service ---- */

static void targets_add(struct buf *out, int n, bool with_uri)
{
	for (int i = 0; i < n; i++) {
		buf_addf(out,
			"%s{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_"
			"REVISION\",\"revision\":\"shop-%05d-abc\",\"percent\":"
			"%d,\"tag\":\"t%d\"",
			i ? "," : "", i, i ? 0 : 100, i);
		if (with_uri)
			buf_addf(out,
				",\"uri\":\"https://t%d---shop-abcdefghij-ew."
				"a.run.app\"",
				i);
		buf_adds(out, "}");
	}
}

static void service_make(struct buf *out, int n)
{
	buf_init(out, 64 * 1024 * 1024);
	buf_adds(out,
		"{\"name\":\"" SERVICE "\",\"generation\":\"1\","
		"\"observedGeneration\":\"1\",\"etag\":\"e\",\"traffic\":[");
	targets_add(out, n, false);
	buf_adds(out, "],\"trafficStatuses\":[");
	targets_add(out, n, true);
	buf_adds(out, "]}");
}

/* As long as it may be, in as many pieces as fit. */
static void releases_make(struct buf *out)
{
	buf_init(out, RELEASES_BYTES + 64);
	buf_adds(out, "{\"releases\":[{\"version\":{\"config\":{\"\":0");
	for (int i = 0; out->len < RELEASES_BYTES; i++)
		buf_addf(out, ",\"%x\":0", i);
	buf_adds(out, "}}}]}");
}

static void releases_run(void *arg)
{
	const struct buf *text = arg;
	struct site_list *list = site_list_decode(text->data, text->len);

	site_list_free(&list);
}

static void service_run(void *arg)
{
	const struct buf *text = arg;
	struct service *service;
	struct err err;

	service = service_decode(text->data, text->len, &err);
	if (!service)
		die("service", &err);
	service_free(&service);
}

static void decoded(void *arg)
{
}

static void decode_both(const char *what, void (*run)(void *arg), void *arg)
{
	struct loop *loop = loop_measured();
	struct err err;
	struct worker *worker = worker_new(loop, 1, &err);
	double from_ms = cpu_ms(), at_once_ms;

	run(arg);
	at_once_ms = cpu_ms() - from_ms;
	worker_start(worker, run, decoded, arg);
	if (loop_run(loop, &err) < 0)
		die("loop", &err);
	print(what, at_once_ms, loop);
	worker_free(&worker);
	loop_free(&loop);
}

static void decode_all(int targets)
{
	struct buf service, releases;

	service_make(&service, targets);
	decode_both("service", service_run, &service);
	buf_fini(&service);
	releases_make(&releases);
	decode_both("releases", releases_run, &releases);
	buf_fini(&releases);
}

/* ---- a page of metrics ---- */

#define ROLLOUTS 10000

static void metrics_of_many(const struct policy *policy)
{
	static struct metrics_rollout *rollout[ROLLOUTS];
	struct metrics_page *page = metrics_page_new();
	struct metrics_moment moment = {.wall_ms = 1};
	struct rollout *state = rollout_new(policy);
	struct store_event entry = {.time_ms = 1,
		.name = "check",
		.phase = "baking",
		.data = "{\"slo\": \"a\", \"outcome\": \"pass\", "
			"\"value\": 0.001, \"limit\": 0.01}"};
	struct buf out;
	char name[64];
	double began;

	for (int i = 0; i < ROLLOUTS; i++) {
		snprintf(name, sizeof(name), SERVICE "-%d", i);
		rollout[i] = metrics_rollout_new(page, name, name, policy);
		metrics_rollout_take(
			rollout[i], &entry, state, "shop-2", "shop-1");
	}
	buf_init(&out, METRICS_PAGE_MAX);
	began = cpu_ms();
	metrics_page_print(page, &moment, &out);
	printf("metrics     %d rollouts: %.1f ms, %zu bytes\n", ROLLOUTS,
		cpu_ms() - began, out.len);
	buf_fini(&out);
	for (int i = 0; i < ROLLOUTS; i++)
		metrics_rollout_end(&rollout[i]);
	metrics_page_free(&page);
	rollout_free(&state);
}

int main(int argc, char **argv)
{
	struct journaling j = {.n = argc > 1 ? atoi(argv[1]) : 100000};
	int targets = argc > 2 ? atoi(argv[2]) : 2000;
	const char *tmp = getenv("TMPDIR");
	char folder[128], path[160], command[160];
	struct buf problems;
	struct policy *policy;
	struct err err;

	snprintf(folder, sizeof(folder), "%.100s/turn-bench-XXXXXX",
		tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/state.db", folder);
	buf_init(&problems, 65536);
	policy = policy_parse("turns.yaml", policy_text, strlen(policy_text),
		&policy_env_real, &problems, &err);
	if (!policy)
		die(problems.data ? problems.data : "policy", &err);
	j.store = store_open(path, STORE_CREATE, &err);
	if (!j.store)
		die("store", &err);
	journal_make(&j, policy);
	printf("journal     %lld entries\n", (long long)j.seq);
	fold_both(j.store, policy);
	report_both(j.store, policy);
	named(j.store);
	decode_all(targets);
	metrics_of_many(policy);
	store_free(&j.store);
	policy_free(&policy);
	buf_fini(&problems);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) == 0 ? 0 : 1;
}
