/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes of the service; see traffic_io.h. */
#include "live/traffic_io.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "live/release.h"
#include "live/world.h"
#include "store/event_codec.h"

#define MODIFIER_BYTES_MAX 2048
#define READ_TIMEOUT_MS    10000
#define FOLLOW_MS_MAX      120000 /* of a write's operation */
#define FOLLOW_BACK_MS_MAX 30000 /* of a revert's */

struct traffic_io {
	struct world *world;
	struct release *release;
	event_fn fn;
	void *arg;
	struct cloudrun_call *read, *write;
	struct service *snapshot; /* as last read; NULL after a write */
	struct service *before; /* what the write under way was built on */
	struct cloudrun_call *stable_read;
	bool stable_first; /* the service is read when that is answered */
	enum stable_state stable_state; /* as the engine was told */
	char *table; /* as journaled last; NULL: not yet */
	struct timer *write_refused; /* not carried out: told in a later turn */
	enum write_result refused_result;
	int write_attempt, refused_attempt;
	char *refused_text;
};

static void read_done(
	struct service *service, const struct err *err, void *arg);
static void stable_done(
	const struct revision *revision, const struct err *err, void *arg);
static void write_done(enum write_result result, int64_t generation,
	const struct err *err, void *arg);
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
	cloudrun_cancel(&io->stable_read);
	io->stable_first = false;
	cloudrun_cancel(&io->write);
	timer_cancel(&io->write_refused);
	xfree(&io->refused_text);
}

void traffic_io_cancel_read(struct traffic_io *io)
{
	cloudrun_cancel(&io->read);
	io->stable_first = false;
}

void traffic_io_free(struct traffic_io **io_p)
{
	struct traffic_io *io = *io_p;

	if (!io)
		return;
	traffic_io_cancel(io);
	service_free(&io->snapshot);
	service_free(&io->before);
	free(io->table);
	free(io);
	*io_p = NULL;
}

/* ---- reads ---- */

/* Most reads find what the one before found: it is not decoded again. */
static void service_read(struct traffic_io *io)
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

void traffic_io_read(struct traffic_io *io, const struct effect *effect)
{
	if (effect->stable_first) /* one that is out may tell of long ago */
		cloudrun_cancel(&io->stable_read);
	if (effect->look_at_stable && !io->stable_read && *io->release->stable)
		io->stable_read = cloudrun_get_revision_start(
			io->world->cloudrun, io->release->service.full,
			io->release->stable, stable_done, io);
	io->stable_first = effect->stable_first && io->stable_read;
	if (io->stable_first)
		cloudrun_cancel(&io->read);
	else
		service_read(io);
}

static void read_failed(
	struct traffic_io *io, const struct err *err, bool retryable)
{
	struct event event = {
		.type = EVENT_TRAFFIC_ERROR,
		.text = err->text,
		.retryable = retryable,
		.retry_after_ms = err->retry_after_ms,
	};

	io->fn(&event, NULL, io->arg);
}

/* Only a change is told: it is the same at nearly every look. */
static void stable_told(struct traffic_io *io, const struct revision *revision)
{
	struct event event = {.type = EVENT_STABLE};
	char text[ROLLOUT_TEXT_MAX];

	event.stable_state = !revision         ? STABLE_GONE
			     : revision->ready ? STABLE_READY
					       : STABLE_NOT_READY;
	snprintf(text, sizeof(text), "the stable revision %s is %s%s%s",
		io->release->stable, stable_state_name(event.stable_state),
		revision && revision->condition ? ": " : "",
		revision && revision->condition ? revision->condition : "");
	event.text = text;
	if (event.stable_state == io->stable_state ||
		(event.stable_state == STABLE_READY &&
			io->stable_state == STABLE_UNKNOWN))
		return;
	io->stable_state = event.stable_state;
	io->fn(&event, NULL, io->arg);
}

/* A read that is to find stable first has failed when nothing is known of it:
 * traffic does not go up then. Of the other looks the next one tells. */
static void stable_done(
	const struct revision *revision, const struct err *err, void *arg)
{
	struct traffic_io *io = arg;
	bool first = io->stable_first;
	bool known = revision || err->code == ERR_NOT_FOUND;

	io->stable_read = NULL;
	io->stable_first = false;
	if (first && known)
		service_read(io);
	if (known)
		stable_told(io, revision);
	else if (first)
		read_failed(io, err, true);
}

void traffic_io_take(
	struct traffic_io *io, struct service *service, struct event *event)
{
	if (io->snapshot != service)
		service_free(&io->snapshot);
	io->snapshot = service;
	release_take_service(io->release, service, event);
}

void traffic_io_print(const struct traffic_io *io, struct buf *out)
{
	if (io->snapshot)
		traffic_encode_array(&io->snapshot->spec, out);
}

/* From before the one that is kept. What is written builds on the newest one,
 * as what the engine decides does. */
static bool is_older(const struct traffic_io *io, const struct service *service)
{
	const struct service *kept = io->snapshot;

	return kept && service->generation < kept->generation &&
	       (!kept->uid || !service->uid ||
		       strcmp(kept->uid, service->uid) == 0);
}

static void read_old(struct traffic_io *io, struct service *service)
{
	struct event event = {.type = EVENT_TRAFFIC};

	release_take_service(io->release, service, &event);
	io->fn(&event, NULL, io->arg);
	service_free(&service);
}

/* Who changed the service last, for people: {"modifier": …}. */
static void add_modifier(const struct service *service, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	if (service->last_modifier)
		jsonw_text(&w, "modifier", service->last_modifier);
	jsonw_end(&w, '}');
}

static void read_new(struct traffic_io *io, struct service *service)
{
	struct event event = {.type = EVENT_TRAFFIC};
	struct event_context context = {0};
	struct buf table, extra;

	traffic_io_take(io, service, &event);
	buf_init(&table, STORE_EVENT_BYTES_MAX / 2);
	buf_init(&extra, MODIFIER_BYTES_MAX);
	traffic_io_print(io, &table);
	add_modifier(service, &extra);
	/* Only a list that changed is journaled: it may be long. */
	if (!table.overflow && (!io->table || strcmp(io->table, table.data))) {
		free(io->table);
		io->table = xstrdup(table.data);
		context.table = io->table;
		context.extra = extra.overflow ? NULL : extra.data;
	}
	io->fn(&event, &context, io->arg);
	buf_fini(&extra);
	buf_fini(&table);
}

static void read_done(struct service *service, const struct err *err, void *arg)
{
	struct traffic_io *io = arg;

	io->read = NULL;
	if (!service && !err)
		service = io->snapshot; /* still what it was */
	if (err)
		read_failed(io, err, err_is_retryable(err->code));
	else if (!service) /* and was written over meanwhile */
		service_read(io);
	else if (is_older(io, service))
		read_old(io, service);
	else
		read_new(io, service);
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
		.keep_tag =
			effect->keep_stable
				? traffic_keep_tag(io->release->service.name)
				: NULL,
	};

	return traffic_plan(&io->snapshot->spec, &wish, arena, plan_r, err_r);
}

void traffic_io_write(
	struct traffic_io *io, const struct effect *effect, int64_t left_ms)
{
	struct write_times times = {
		.patience_ms = write_patience(effect, left_ms),
		.answer_ms = effect->timeout_ms,
	};
	struct traffic wanted;
	struct arena arena;
	struct err err;

	/* The engine does not wait for the one before any more. */
	cloudrun_cancel(&io->write);
	timer_cancel(&io->write_refused);
	io->write_attempt = effect->attempt;
	if (!io->snapshot) {
		traffic_io_refuse(io, effect, WRITE_CONFLICT,
			"the traffic has to be read before it is written");
		return;
	}
	arena_init(&arena);
	if (plan(io, effect, &arena, &wanted, &err) == 0)
		io->write = cloudrun_write_traffic_start(io->world->cloudrun,
			io->snapshot, &wanted, &times, write_done, io);
	else
		traffic_io_refuse(io, effect, WRITE_CONFLICT, err.text);
	arena_fini(&arena);
	service_free(&io->before);
	io->before = io->snapshot;
	io->snapshot = NULL;
}

/* What was not done leaves the service as it was read. */
static void restore_snapshot(struct traffic_io *io, enum write_result result)
{
	bool not_done = result == WRITE_BUSY || result == WRITE_REJECTED;

	if (not_done && !io->snapshot) {
		io->snapshot = io->before;
		io->before = NULL;
	}
	service_free(&io->before);
}

static bool names(const char *text, const char *revision)
{
	size_t len = strlen(revision);

	for (; (text = strstr(text, revision)); text += len)
		if (!isalnum((unsigned char)text[len]) && text[len] != '-')
			return true;
	return false;
}

/* The entry of somebody else for a revision that the answer names; or NULL. */
static const struct target *find_broken(
	const struct traffic_io *io, const char *text)
{
	const struct traffic *list = &io->before->spec;

	for (size_t i = 0; i < list->n; i++) {
		const struct target *target = &list->item[i];

		if (target->type == TARGET_REVISION && target->tag &&
			strcmp(target->revision, io->release->candidate) != 0 &&
			strcmp(target->revision, io->release->stable) != 0 &&
			names(text, target->revision))
			return target;
	}
	return NULL;
}

/* The list is written as a whole: a tag of others on a revision that is broken
 * can make every write fail. It is not ours to leave out, so a person is told
 * what to do while there is still time. */
static void add_remedy(const struct traffic_io *io, struct err *err)
{
	const struct target *broken =
		io->before ? find_broken(io, err->text) : NULL;
	size_t len = strlen(err->text);

	if (broken)
		snprintf(err->text + len, sizeof(err->text) - len,
			"; the tag \"%s\" on %s is not ours to take away: "
			"gcloud "
			"run services update-traffic %s --remove-tags=%s, and "
			"the next try goes through",
			broken->tag, broken->revision,
			io->release->service.name, broken->tag);
}

static void write_done(enum write_result result, int64_t generation,
	const struct err *err, void *arg)
{
	struct traffic_io *io = arg;
	struct err told;
	struct event event = {
		.type = EVENT_WRITTEN,
		.write_attempt = io->write_attempt,
		.result = result,
		.generation = generation,
		.text = err ? err->text : NULL,
		.retry_after_ms = err ? err->retry_after_ms : 0,
	};

	io->write = NULL;
	if (result == WRITE_FAILED || result == WRITE_REJECTED) {
		told = *err;
		add_remedy(io, &told);
		event.text = told.text;
	}
	if (result == WRITE_CONFLICT && io->before)
		event.generation = io->before->generation;
	restore_snapshot(io, result);
	io->fn(&event, NULL, io->arg);
}

void traffic_io_refuse(struct traffic_io *io, const struct effect *effect,
	enum write_result result, const char *text)
{
	timer_cancel(&io->write_refused);
	io->refused_attempt = effect->attempt;
	free(io->refused_text);
	io->refused_text = xstrdup(text);
	io->refused_result = result;
	io->write_refused = timer_start(io->world->loop, 0, write_refused, io);
}

static void write_refused(void *arg)
{
	struct traffic_io *io = arg;

	struct event event = {
		.type = EVENT_WRITTEN,
		.write_attempt = io->refused_attempt,
		.result = io->refused_result,
		.text = io->refused_text,
	};

	io->write_refused = NULL;
	io->fn(&event, NULL, io->arg);
}

void traffic_io_hurry(struct traffic_io *io)
{
	if (io->write)
		cloudrun_write_hurry(io->write);
}
