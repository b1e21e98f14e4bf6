/*
 * The service's traffic: reads it for the engine and writes what the engine
 * wants over what was last read. Nothing is written that was not read first,
 * and a snapshot is written over once at most.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "live/driver.h"

#define READ_TIMEOUT_MS    10000
#define STALE_MS_MAX       30000
#define FOLLOW_MS_MAX      120000 /* of a write's operation */
#define FOLLOW_BACK_MS_MAX 30000 /* of a revert's */

static void read_done(
	struct service *service, const struct err *err, void *arg);
static void write_done(
	enum write_result result, const struct err *err, void *arg);
static void write_refused(void *arg);

/* ---- reads ---- */

/* Most reads find what the one before found: it is not decoded again. */
void live_read_start(struct live *live)
{
	struct cloudrun *cloudrun = live->world->cloudrun;

	cloudrun_cancel(&live->read);
	if (live->snapshot)
		live->read = cloudrun_look_again_start(cloudrun, live->snapshot,
			READ_TIMEOUT_MS, read_done, live);
	else
		live->read = cloudrun_get_service_start(cloudrun,
			live->release->service.full, READ_TIMEOUT_MS, read_done,
			live);
}

void live_take_service(
	struct live *live, struct service *service, struct event *event)
{
	if (live->snapshot != service)
		service_free(&live->snapshot);
	live->snapshot = service;
	live->generation = service->generation;
	live->stale_ms = 0;
	release_take_service(live->release, service, event);
}

void live_table(const struct live *live, struct buf *out)
{
	traffic_encode_array(&live->snapshot->spec, out);
}

/* Older than what was read before: not what is, and no drift. One that stays
 * so is another service of the same name. */
static bool is_stale(struct live *live, const struct service *service)
{
	if (service->generation >= live->generation)
		return false;
	if (!live->stale_ms)
		live->stale_ms = live_now(live);
	return live_now(live) - live->stale_ms < STALE_MS_MAX;
}

static void read_done(struct service *service, const struct err *err, void *arg)
{
	struct live *live = arg;
	struct event event = {.type = EVENT_TRAFFIC};
	struct event_context context = {0};
	struct err stale;
	struct buf table;

	live->read = NULL;
	if (!service && !err) {
		service = live->snapshot; /* still what it was */
		if (!service) { /* and was written over meanwhile */
			live_read_start(live);
			return;
		}
	} else if (service && is_stale(live, service)) {
		err_set(&stale, ERR_UNAVAILABLE,
			"the answer is older than the one before it "
			"(generation %lld after %lld)",
			(long long)service->generation,
			(long long)live->generation);
		service_free(&service);
		err = &stale;
	}
	if (!service) {
		event.type = EVENT_TRAFFIC_ERROR;
		event.text = err->text;
		event.retryable = err_is_retryable(err->code);
		event.retry_after_ms = err->retry_after_ms;
		live_event(live, &event, NULL);
		return;
	}
	live_take_service(live, service, &event);
	buf_init(&table, STORE_EVENT_BYTES_MAX / 2);
	live_table(live, &table);
	context.table = table.overflow ? NULL : table.data;
	live_event(live, &event, &context);
	buf_fini(&table);
}

/* ---- writes ---- */

/* An operation that does not end says nothing: the service is read instead.
 * Nobody waits long for it when users are being hurt. */
static int64_t write_patience(
	const struct live *live, const struct effect *effect)
{
	int64_t left = live->state.traffic.deadline_ms - live_now(live);
	int64_t most = effect->percent ? FOLLOW_MS_MAX : FOLLOW_BACK_MS_MAX;

	return left > 0 && left < most ? left : most;
}

static int plan(struct live *live, const struct effect *effect,
	struct arena *arena, struct traffic *plan_r, struct err *err_r)
{
	struct traffic_wish wish = {
		.candidate = live->release->candidate,
		.stable = live->release->stable,
		.latest = live->snapshot->latest_ready,
		.candidate_percent = effect->percent,
		.by_latest = effect->by_latest,
		.tag = live->release->policy->tag,
		.tag_change = effect->tag,
		.reassert = effect->reassert,
	};

	return traffic_plan(&live->snapshot->spec, &wish, arena, plan_r, err_r);
}

void live_write_start(struct live *live, const struct effect *effect)
{
	struct traffic wanted;
	struct arena arena;
	struct err err;

	if (!live->snapshot) {
		live_write_refuse(live, WRITE_CONFLICT,
			"the traffic has to be read before it is written");
		return;
	}
	arena_init(&arena);
	if (plan(live, effect, &arena, &wanted, &err) == 0)
		live->write = cloudrun_write_traffic_start(
			live->world->cloudrun, live->snapshot, &wanted,
			write_patience(live, effect), write_done, live);
	else
		live_write_refuse(live, WRITE_CONFLICT, err.text);
	arena_fini(&arena);
	service_free(&live->snapshot);
}

static void tell_written(struct live *live, enum write_result result,
	const char *text, int64_t retry_after_ms)
{
	struct event event = {
		.type = EVENT_WRITTEN,
		.result = result,
		.text = text,
		.retry_after_ms = retry_after_ms,
	};

	live_event(live, &event, NULL);
}

static void write_done(
	enum write_result result, const struct err *err, void *arg)
{
	struct live *live = arg;

	live->write = NULL;
	tell_written(live, result, err ? err->text : NULL,
		err ? err->retry_after_ms : 0);
}

void live_write_refuse(
	struct live *live, enum write_result result, const char *text)
{
	timer_cancel(&live->write_refused);
	free(live->refused_text);
	live->refused_text = xstrdup(text);
	live->refused_result = result;
	live->write_refused =
		timer_start(live_loop(live), 0, write_refused, live);
}

static void write_refused(void *arg)
{
	struct live *live = arg;

	live->write_refused = NULL;
	tell_written(live, live->refused_result, live->refused_text, 0);
}

void live_write_hurry(struct live *live)
{
	if (live->write)
		cloudrun_write_hurry(live->write);
}

void live_traffic_cancel(struct live *live)
{
	cloudrun_cancel(&live->read);
	cloudrun_cancel(&live->write);
	timer_cancel(&live->write_refused);
	free(live->refused_text);
	live->refused_text = NULL;
}
