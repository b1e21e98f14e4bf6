/* Reads and writes of the service; see traffic_io.h. */
#include "live/traffic_io.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "live/release.h"
#include "live/world.h"
#include "store/event_codec.h"

#define READ_TIMEOUT_MS    10000
#define STALE_MS_MAX       30000
#define FOLLOW_MS_MAX      120000 /* of a write's operation */
#define FOLLOW_BACK_MS_MAX 30000 /* of a revert's */

struct traffic_io {
	struct world *world;
	struct release *release;
	event_fn fn;
	void *arg;
	struct cloudrun_call *read, *write;
	struct service *snapshot; /* as last read; NULL after a write */
	int64_t generation; /* the highest that was read */
	int64_t stale_ms; /* since when only older ones are; 0: they are not */
	struct timer *write_refused; /* not carried out: told in a later turn */
	enum write_result refused_result;
	char *refused_text;
};

static void read_done(
	struct service *service, const struct err *err, void *arg);
static void write_done(
	enum write_result result, const struct err *err, void *arg);
static void write_refused(void *arg);

struct traffic_io *traffic_io_new(
	struct world *world, struct release *release, event_fn fn, void *arg)
{
	struct traffic_io *io = xcalloc(1, sizeof(*io));

	io->world = world;
	io->release = release;
	io->fn = fn;
	io->arg = arg;
	return io;
}

void traffic_io_cancel(struct traffic_io *io)
{
	cloudrun_cancel(&io->read);
	cloudrun_cancel(&io->write);
	timer_cancel(&io->write_refused);
	xfree(&io->refused_text);
}

void traffic_io_free(struct traffic_io **io_p)
{
	struct traffic_io *io = *io_p;

	if (!io)
		return;
	traffic_io_cancel(io);
	service_free(&io->snapshot);
	free(io);
	*io_p = NULL;
}

/* ---- reads ---- */

/* Most reads find what the one before found: it is not decoded again. */
void traffic_io_read(struct traffic_io *io)
{
	struct cloudrun *cloudrun = io->world->cloudrun;

	cloudrun_cancel(&io->read);
	if (io->snapshot)
		io->read = cloudrun_look_again_start(
			cloudrun, io->snapshot, READ_TIMEOUT_MS, read_done, io);
	else
		io->read = cloudrun_get_service_start(cloudrun,
			io->release->service.full, READ_TIMEOUT_MS, read_done,
			io);
}

void traffic_io_take(
	struct traffic_io *io, struct service *service, struct event *event)
{
	if (io->snapshot != service)
		service_free(&io->snapshot);
	io->snapshot = service;
	io->generation = service->generation;
	io->stale_ms = 0;
	release_take_service(io->release, service, event);
}

void traffic_io_print(const struct traffic_io *io, struct buf *out)
{
	if (io->snapshot)
		traffic_encode_array(&io->snapshot->spec, out);
}

/* The answer is older than the one before it: it is no drift. When all answers
 * stay older, another service has taken the name. */
static bool is_stale(struct traffic_io *io, const struct service *service)
{
	if (service->generation >= io->generation)
		return false;
	if (!io->stale_ms)
		io->stale_ms = loop_now(io->world->loop);
	return loop_now(io->world->loop) - io->stale_ms < STALE_MS_MAX;
}

static void read_done(struct service *service, const struct err *err, void *arg)
{
	struct traffic_io *io = arg;
	struct event event = {.type = EVENT_TRAFFIC};
	struct event_context context = {0};
	struct err stale;
	struct buf table;

	io->read = NULL;
	if (!service && !err) {
		service = io->snapshot; /* still what it was */
		if (!service) { /* and was written over meanwhile */
			traffic_io_read(io);
			return;
		}
	} else if (service && is_stale(io, service)) {
		err_set(&stale, ERR_UNAVAILABLE,
			"the answer is older than the one before it "
			"(generation %lld after %lld)",
			(long long)service->generation,
			(long long)io->generation);
		service_free(&service);
		err = &stale;
	}
	if (!service) {
		event.type = EVENT_TRAFFIC_ERROR;
		event.text = err->text;
		event.retryable = err_is_retryable(err->code);
		event.retry_after_ms = err->retry_after_ms;
		io->fn(&event, NULL, io->arg);
		return;
	}
	traffic_io_take(io, service, &event);
	buf_init(&table, STORE_EVENT_BYTES_MAX / 2);
	traffic_io_print(io, &table);
	context.table = table.overflow ? NULL : table.data;
	io->fn(&event, &context, io->arg);
	buf_fini(&table);
}

/* ---- writes ---- */

/* An operation that does not end says nothing: the service is read instead.
 * A revert waits a shorter time, since users are being hurt. */
static int64_t write_patience(const struct effect *effect, int64_t left_ms)
{
	int64_t most = effect->percent ? FOLLOW_MS_MAX : FOLLOW_BACK_MS_MAX;

	return left_ms > 0 && left_ms < most ? left_ms : most;
}

static int plan(struct traffic_io *io, const struct effect *effect,
	struct arena *arena, struct traffic *plan_r, struct err *err_r)
{
	struct traffic_wish wish = {
		.candidate = io->release->candidate,
		.stable = io->release->stable,
		.latest = io->snapshot->latest_ready,
		.candidate_percent = effect->percent,
		.by_latest = effect->by_latest,
		.tag = io->release->policy->tag,
		.tag_change = effect->tag,
		.reassert = effect->reassert,
	};

	return traffic_plan(&io->snapshot->spec, &wish, arena, plan_r, err_r);
}

void traffic_io_write(
	struct traffic_io *io, const struct effect *effect, int64_t left_ms)
{
	struct traffic wanted;
	struct arena arena;
	struct err err;

	if (!io->snapshot) {
		traffic_io_refuse(io, WRITE_CONFLICT,
			"the traffic has to be read before it is written");
		return;
	}
	arena_init(&arena);
	if (plan(io, effect, &arena, &wanted, &err) == 0)
		io->write = cloudrun_write_traffic_start(io->world->cloudrun,
			io->snapshot, &wanted, write_patience(effect, left_ms),
			write_done, io);
	else
		traffic_io_refuse(io, WRITE_CONFLICT, err.text);
	arena_fini(&arena);
	service_free(&io->snapshot);
}

static void tell_written(struct traffic_io *io, enum write_result result,
	const char *text, int64_t retry_after_ms)
{
	struct event event = {
		.type = EVENT_WRITTEN,
		.result = result,
		.text = text,
		.retry_after_ms = retry_after_ms,
	};

	io->fn(&event, NULL, io->arg);
}

static void write_done(
	enum write_result result, const struct err *err, void *arg)
{
	struct traffic_io *io = arg;

	io->write = NULL;
	tell_written(io, result, err ? err->text : NULL,
		err ? err->retry_after_ms : 0);
}

void traffic_io_refuse(
	struct traffic_io *io, enum write_result result, const char *text)
{
	timer_cancel(&io->write_refused);
	free(io->refused_text);
	io->refused_text = xstrdup(text);
	io->refused_result = result;
	io->write_refused = timer_start(io->world->loop, 0, write_refused, io);
}

static void write_refused(void *arg)
{
	struct traffic_io *io = arg;

	io->write_refused = NULL;
	tell_written(io, io->refused_result, io->refused_text, 0);
}

void traffic_io_hurry(struct traffic_io *io)
{
	if (io->write)
		cloudrun_write_hurry(io->write);
}
