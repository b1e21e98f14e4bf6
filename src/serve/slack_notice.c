/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message in Slack; see slack_notice.h. A turn:
 *
 *   slack_notice_start ─ notice_seen ─ not wanted: notice_end
 *        ├ it has no row: notice_begin ─ notice_begun ─ notice_look
 *        ├ where it is is not known: notice_find ─ notice_found
 *        │        ├ found: notice_posted ─ notice_begun
 *        │        └ not found: notice_begin_again ─ notice_begun
 *        └ notice_send ─ notice_sent ─ notice_posted ─ notice_done
 */
#include "serve/slack_notice.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/random.h"
#include "serve/desk.h"
#include "serve/slack_api.h"
#include "serve/slack_message.h"
#include "serve/views.h"
#include "store/store_notice.h"

#define MARK_BYTES 16
#define TS_MAX     32
#define SKEW_MS    300000 /* between Slack's clock and ours */
#define FIND_PAGE  50 /* messages */
#define FIND_PAGES 20
#define CURSOR_MAX 256
#define QUERY_MAX  1024

struct slack_notice {
	struct desk_job job;
	struct slack_notice_parts parts;
	const struct notify_row *row;
	const char *place;
	char *rollout;
	slack_turn_fn fn; /* NULL: no turn, or stopped */
	void *arg;
	bool has_called;
	bool is_kept; /* it has a row in the state file */
	bool is_unsure; /* it may be there: it is looked for first */
	bool is_over; /* what was sent, or stands in the row, is the last */
	bool has_ended; /* its rollout, as it was looked at last */
	char mark[2 * MARK_BYTES + 1];
	char ts[TS_MAX]; /* "": not known */
	int64_t begun_ms; /* as the row has it, or is to have it */
	struct view_ask *ask;
	struct slack_call *call;
	struct buf body;
	char cursor[CURSOR_MAX];
	int pages;
};

static void notice_look(struct slack_notice *notice);
static void notice_seen(
	const struct view *view, const struct err *err, void *arg);
static int notice_begin(
	struct desk_job *job, struct store *store, struct err *err_r);
static void notice_begun(struct desk_job *job, const struct err *err);
static void notice_find(struct slack_notice *notice);
static void notice_found(const struct slack_reply *reply, void *arg);
static int notice_begin_again(
	struct desk_job *job, struct store *store, struct err *err_r);
static void notice_send(struct slack_notice *notice);
static void notice_sent(const struct slack_reply *reply, void *arg);
static int notice_posted(
	struct desk_job *job, struct store *store, struct err *err_r);
static void notice_done(struct desk_job *job, const struct err *err);

static void mark_make(char mark[2 * MARK_BYTES + 1])
{
	unsigned char bytes[MARK_BYTES];

	random_bytes(bytes, sizeof(bytes));
	for (int i = 0; i < MARK_BYTES; i++)
		snprintf(mark + 2 * i, 3, "%02x", bytes[i]);
}

struct slack_notice *slack_notice_new(const struct slack_notice_parts *parts,
	const struct notify_row *row, const char *place, const char *rollout)
{
	struct slack_notice *notice = xcalloc(1, sizeof(*notice));

	notice->parts = *parts;
	notice->row = row;
	notice->place = place;
	notice->rollout = xstrdup(rollout);
	mark_make(notice->mark);
	return notice;
}

void slack_notice_free(struct slack_notice **notice_p)
{
	struct slack_notice *notice = *notice_p;

	*notice_p = NULL;
	if (!notice)
		return;
	slack_notice_stop(notice);
	free(notice->rollout);
	free(notice);
}

const char *slack_notice_rollout(const struct slack_notice *notice)
{
	return notice->rollout;
}

bool slack_notice_goes_on(const struct slack_notice *notice)
{
	return notice->is_kept && !notice->is_over && !notice->has_ended;
}

void slack_notice_know(
	struct slack_notice *notice, const struct store_notice *row)
{
	notice->is_kept = true;
	snprintf(notice->mark, sizeof(notice->mark), "%s", row->mark);
	snprintf(notice->ts, sizeof(notice->ts), "%s", row->message);
	notice->begun_ms = row->begun_ms;
	notice->is_unsure = !*row->message;
	notice->is_over = row->over;
}

/* ---- a turn ---- */

void slack_notice_start(
	struct slack_notice *notice, slack_turn_fn fn, void *arg)
{
	notice->fn = fn;
	notice->arg = arg;
	notice->has_called = false;
	notice->pages = 0;
	notice->cursor[0] = '\0';
	notice_look(notice);
}

void slack_notice_stop(struct slack_notice *notice)
{
	notice->fn = NULL;
	views_cancel(&notice->ask);
	slack_call_cancel(&notice->call);
	buf_fini(&notice->body);
}

/* The notice may be gone afterwards. */
static void notice_tell(
	struct slack_notice *notice, const struct slack_turn *turn)
{
	slack_turn_fn fn = notice->fn;

	slack_notice_stop(notice);
	fn(turn, notice->arg);
}

static void notice_end(struct slack_notice *notice, enum slack_turn_end end)
{
	notice_tell(notice, &(struct slack_turn){.end = end,
				    .has_called = notice->has_called});
}

static void notice_later(struct slack_notice *notice, int64_t pause_ms,
	const char *what, const char *why)
{
	struct slack_turn turn = {.end = SLACK_TURN_LATER,
		.has_called = true,
		.pause_ms = pause_ms};
	struct err err;

	(void)!err_set(&err, ERR_UNAVAILABLE, "%s: %s", what, why);
	turn.err = &err;
	notice_tell(notice, &turn);
}

static void notice_later_by(struct slack_notice *notice, const char *what,
	const struct slack_reply *reply)
{
	notice_later(notice, reply->result == SLACK_LATER ? reply->pause_ms : 0,
		what, reply->word);
}

static void notice_give(struct slack_notice *notice,
	int (*run)(struct desk_job *, struct store *, struct err *),
	void (*done)(struct desk_job *, const struct err *))
{
	notice->job.run = run;
	notice->job.done = done;
	desk_give(notice->parts.desk, &notice->job);
}

/* ---- what there is ---- */

static void notice_look(struct slack_notice *notice)
{
	notice->ask = views_ask(
		notice->parts.views, notice->rollout, notice_seen, notice);
}

/* What a phase alone says. */
static unsigned happened_by(enum phase phase)
{
	switch (phase) {
	case PHASE_AWAITING_APPROVAL:
		return NOTIFY_BIT(NOTIFY_APPROVAL);
	case PHASE_HELD:
		return NOTIFY_BIT(NOTIFY_HELD);
	case PHASE_PROMOTED:
		return NOTIFY_BIT(NOTIFY_PROMOTED);
	case PHASE_ROLLED_BACK:
		return NOTIFY_BIT(NOTIFY_ROLLED_BACK);
	case PHASE_ROLLBACK_FAILED:
		return NOTIFY_BIT(NOTIFY_ROLLBACK_FAILED);
	case PHASE_STOPPED:
		return NOTIFY_BIT(NOTIFY_STOPPED);
	default:
		return 0;
	}
}

/* What can be said to have happened, as the rollout is now. */
static unsigned happened(const struct rollout *r)
{
	unsigned events = happened_by(r->phase);

	if (r->begun)
		events |= NOTIFY_BIT(NOTIFY_STARTED);
	if (r->begun && r->cause == CAUSE_SLO)
		events |= NOTIFY_BIT(NOTIFY_BREACH);
	return events;
}

bool slack_notice_may_begin(const struct notify_row *row, const char *name)
{
	const unsigned begun =
		NOTIFY_BIT(NOTIFY_STARTED) | NOTIFY_BIT(NOTIFY_BREACH);
	enum phase phase = phase_find(name);

	if (phase == PHASE_PREFLIGHT || phase == PHASE_REFUSED)
		return false;
	return row->on & (begun | happened_by(phase));
}

static void message_make(struct slack_notice *notice, const struct view *view)
{
	struct slack_message message = {
		.channel = notice->row->channel,
		.ts = *notice->ts ? notice->ts : NULL,
		.mark = notice->mark,
		.public_url = notice->parts.public_url,
	};
	struct arena arena;

	arena_init(&arena);
	message.summary = rollout_snapshot_summary(
		view->snapshot, view->driver, view->now_ms, NULL, &arena);
	buf_init(&notice->body, SLACK_MESSAGE_MAX);
	slack_message_print(&message, &notice->body);
	notice->has_ended = view->snapshot->row.ended_ms != 0;
	notice->is_over = notice->has_ended;
	arena_fini(&arena);
}

static void notice_seen(
	const struct view *view, const struct err *err, void *arg)
{
	struct slack_notice *notice = arg;

	notice->ask = NULL;
	if (err && err->code == ERR_NOT_FOUND) {
		notice->is_over = true;
		notice_end(notice, SLACK_TURN_OVER);
	} else if (err) {
		notice_later(notice, 0, "the rollout", err->text);
	} else if (!notice->is_kept &&
		   !(happened(&view->snapshot->fold.state) & notice->row->on)) {
		notice_end(notice, SLACK_TURN_OVER);
	} else if (!notice->is_kept) {
		notice->begun_ms = view->now_ms;
		notice_give(notice, notice_begin, notice_begun);
	} else if (notice->is_unsure) {
		notice_find(notice);
	} else {
		message_make(notice, view);
		notice_send(notice);
	}
}

/* ---- its row ---- */

static struct store_notice row_of(const struct slack_notice *notice)
{
	return (struct store_notice){
		.rollout = notice->rollout,
		.place = notice->place,
		.mark = notice->mark,
		.begun_ms = notice->begun_ms,
	};
}

/* On the desk's thread: the loop leaves a notice with a job alone. */
static int notice_begin(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct slack_notice *notice = (struct slack_notice *)job;
	struct store_notice row = row_of(notice), known;
	struct arena arena;
	int is_new;

	arena_init(&arena);
	is_new = store_notice_begin(store, &row, &arena, &known, err_r);
	if (is_new == 0)
		slack_notice_know(notice, &known);
	notice->is_kept = is_new >= 0;
	arena_fini(&arena);
	return is_new < 0 ? -1 : 0;
}

static void notice_begun(struct desk_job *job, const struct err *err)
{
	struct slack_notice *notice = (struct slack_notice *)job;

	if (!notice->fn)
		return; /* stopped */
	if (err && err->code == ERR_NOT_FOUND)
		notice_end(notice, SLACK_TURN_OVER);
	else if (err)
		notice_later(notice, 0, "the state file", err->text);
	else if (notice->is_over)
		notice_end(notice, SLACK_TURN_OVER);
	else
		notice_look(notice);
}

/* ---- whether it is there ---- */

static void notice_find(struct slack_notice *notice)
{
	char query[QUERY_MAX];

	snprintf(query, sizeof(query),
		"channel=%s&include_all_metadata=true&limit=%d&inclusive=true"
		"&oldest=%" PRId64 ".000000&latest=%" PRId64 ".000000%s%s",
		notice->row->channel, FIND_PAGE,
		(notice->begun_ms - SKEW_MS) / 1000,
		(notice->begun_ms + SKEW_MS) / 1000,
		*notice->cursor ? "&cursor=" : "", notice->cursor);
	notice->has_called = true;
	notice->call = slack_read_start(notice->parts.slack,
		"conversations.history", query, notice_found, notice);
}

static const char *text_at(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static bool is_ours(const json_t *message, const struct slack_notice *notice)
{
	const json_t *metadata = json_object_get(message, "metadata");
	const json_t *payload = json_object_get(metadata, "event_payload");

	return !strcmp(text_at(metadata, "event_type"), SLACK_EVENT_TYPE) &&
	       !strcmp(text_at(payload, "mark"), notice->mark);
}

/* A cursor is base64; what is not goes nowhere. */
static bool take_cursor(struct slack_notice *notice, const json_t *answer)
{
	const char *cursor = text_at(
		json_object_get(answer, "response_metadata"), "next_cursor");
	size_t n = 0;

	notice->cursor[0] = '\0';
	if (!*cursor || strlen(cursor) > CURSOR_MAX / 3 - 1 ||
		cursor[strspn(cursor, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
				      "nopqrstuvwxyz0123456789-_=")])
		return false;
	for (; *cursor; cursor++)
		n += (size_t)snprintf(notice->cursor + n, CURSOR_MAX - n,
			*cursor == '=' ? "%%3D" : "%c", *cursor);
	return ++notice->pages < FIND_PAGES;
}

static bool ts_take(struct slack_notice *notice, const char *ts)
{
	size_t len = strlen(ts);

	if (!len || len >= TS_MAX || strspn(ts, "0123456789.") != len)
		return false;
	memcpy(notice->ts, ts, len + 1);
	notice->is_unsure = false;
	return true;
}

/* Among the messages of this page. */
static bool is_found(struct slack_notice *notice, const json_t *answer)
{
	const json_t *messages = json_object_get(answer, "messages"), *message;
	size_t i;

	json_array_foreach(messages, i, message) {
		if (is_ours(message, notice))
			return ts_take(notice, text_at(message, "ts"));
	}
	return false;
}

static void post_again(struct slack_notice *notice)
{
	notice->begun_ms = loop_wall_ms(notice->parts.loop);
	notice_give(notice, notice_begin_again, notice_begun);
}

static void notice_found(const struct slack_reply *reply, void *arg)
{
	struct slack_notice *notice = arg;

	notice->call = NULL;
	if (reply->result == SLACK_DONE && is_found(notice, reply->answer)) {
		notice_give(notice, notice_posted, notice_begun);
	} else if (reply->result == SLACK_DONE &&
		   take_cursor(notice, reply->answer)) {
		notice_find(notice);
	} else if (reply->result == SLACK_DONE) {
		post_again(notice);
	} else if (reply->result == SLACK_REFUSED) {
		log_line(LOG_WARN,
			"rollout=%s event=slack channel=%s error=\"whether "
			"its message is there cannot be seen (%s): it is "
			"posted once more\" remedy=\"%s\"",
			notice->rollout, notice->row->channel, reply->word,
			reply->remedy);
		post_again(notice);
	} else {
		notice_later_by(notice, "looking for the message", reply);
	}
}

/* From now on it is looked for from here on. */
static int notice_begin_again(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct slack_notice *notice = (struct slack_notice *)job;
	struct store_notice row = row_of(notice);

	if (store_notice_begin_again(store, &row, err_r) < 0)
		return -1;
	notice->is_unsure = false;
	return 0;
}

/* ---- sending ---- */

static void notice_send(struct slack_notice *notice)
{
	notice->has_called = true;
	notice->call = slack_call_start(notice->parts.slack,
		*notice->ts ? "chat.update" : "chat.postMessage", &notice->body,
		notice_sent, notice);
}

static void notice_taken(struct slack_notice *notice, const json_t *answer)
{
	bool is_new = !*notice->ts;

	if (is_new && !ts_take(notice, text_at(answer, "ts"))) {
		notice->is_unsure = true;
		notice_later(notice, 0, "posting", "no ts came back");
	} else if (is_new || notice->is_over) {
		notice_give(notice, notice_posted, notice_done);
	} else {
		notice_end(notice, SLACK_TURN_DONE);
	}
}

/* What was deleted is not posted anew, and an end that could not be told is not
 * told years later. A message that stands there is tried again by the next life:
 * somebody may have put things right. */
static bool is_given_up(
	const struct slack_notice *notice, const struct slack_reply *reply)
{
	static const char *const gone[] = {"message_not_found",
		"cant_update_message", "edit_window_closed", "is_archived",
		"channel_not_found"};

	if (!*notice->ts)
		return notice->is_over;
	for (size_t i = 0; i < sizeof(gone) / sizeof(*gone); i++)
		if (!strcmp(reply->word, gone[i]))
			return true;
	return false;
}

static void notice_refused(
	struct slack_notice *notice, const struct slack_reply *reply)
{
	log_line(LOG_ERROR,
		"rollout=%s event=slack channel=%s error=\"%s was refused: "
		"%s\" remedy=\"%s\"",
		notice->rollout, notice->row->channel,
		*notice->ts ? "changing the message" : "posting", reply->word,
		reply->remedy);
	notice->is_over = is_given_up(notice, reply);
	if (notice->is_over)
		notice_give(notice, notice_posted, notice_done);
	else
		notice_end(notice, SLACK_TURN_OVER);
}

static void notice_sent(const struct slack_reply *reply, void *arg)
{
	struct slack_notice *notice = arg;
	bool is_new = !*notice->ts;

	notice->call = NULL;
	if (reply->result == SLACK_DONE) {
		notice_taken(notice, reply->answer);
		return;
	}
	if (reply->result == SLACK_REFUSED) {
		notice_refused(notice, reply);
		return;
	}
	notice->is_over = false;
	notice->is_unsure = is_new && reply->result == SLACK_UNKNOWN;
	notice_later_by(notice, is_new ? "posting" : "changing", reply);
}

static int notice_posted(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct slack_notice *notice = (struct slack_notice *)job;

	if (store_notice_posted(store, notice->rollout, notice->place,
		    notice->ts, err_r) < 0)
		return -1;
	return notice->is_over ? store_notice_over(store, notice->rollout,
					 notice->place, err_r)
			       : 0;
}

/* What the state file does not know is looked for at the next start. */
static void notice_done(struct desk_job *job, const struct err *err)
{
	struct slack_notice *notice = (struct slack_notice *)job;

	if (!notice->fn)
		return; /* stopped */
	if (err)
		log_line(LOG_WARN,
			"rollout=%s event=slack channel=%s error=\"where its "
			"message is could not be kept: %s\"",
			notice->rollout, notice->row->channel, err->text);
	notice_end(notice, notice->is_over ? SLACK_TURN_OVER : SLACK_TURN_DONE);
}
