/* SPDX-License-Identifier: Apache-2.0 */
/* How a load goes; see load_live.h. */
#include "status/load_live.h"

#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "base/duration.h"
#include "base/jsonw.h"
#include "base/timestamp.h"

#define LINE_MAX_BYTES 1024
#define SECOND         1000

/* -1: it is not there, or beyond any that is meant. */
static double number_of(const json_t *root, const char *key, double most)
{
	const json_t *value = json_object_get(root, key);
	double number = json_number_value(value);

	return json_is_number(value) && number >= 0 && number <= most ? number
								      : -1;
}

static bool is_whole(const struct load_live *live)
{
	return live->at_ms >= 0 && live->total_ms > 0 && live->users >= 0 &&
	       live->rate >= 0 && live->p95_ms >= 0 && live->failed >= 0 &&
	       live->dropped >= 0;
}

bool load_live_take(const struct json_t *member, struct load_live *live_r)
{
	*live_r = (struct load_live){
		.at_ms = (int64_t)number_of(member, "at_ms", INT_MAX),
		.total_ms = (int64_t)number_of(member, "total_ms", INT_MAX),
		.users = (int)number_of(member, "users", INT_MAX),
		.rate = number_of(member, "rate", INT_MAX),
		.p95_ms = number_of(member, "p95_ms", INT_MAX),
		.failed = number_of(member, "failed_share", 1),
		.dropped =
			(int64_t)number_of(member, "dropped", INT64_C(1) << 53),
	};
	return is_whole(live_r);
}

bool load_live_read(const char *line, size_t len, struct load_live *live_r)
{
	json_t *root =
		len > LINE_MAX_BYTES
			? NULL
			: json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_string_value(json_object_get(root, "type"));
	bool is_live = type && strcmp(type, "live") == 0 &&
		       load_live_take(root, live_r);

	json_decref(root);
	return is_live;
}

static void put(struct jsonw *w, const struct load_live *live)
{
	jsonw_int(w, "at_ms", live->at_ms);
	jsonw_int(w, "total_ms", live->total_ms);
	jsonw_int(w, "users", live->users);
	jsonw_number(w, "rate", live->rate);
	jsonw_number(w, "p95_ms", live->p95_ms);
	jsonw_number(w, "failed_share", live->failed);
	jsonw_int(w, "dropped", live->dropped);
	jsonw_end(w, '}');
}

void load_live_put(
	struct jsonw *w, const char *key, const struct load_live *live)
{
	if (!live) {
		jsonw_null(w, key);
		return;
	}
	jsonw_object(w, key);
	put(w, live);
}

void load_live_print(const struct load_live *live, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_text(&w, "type", "live");
	put(&w, live);
	buf_addc(out, '\n');
}

void load_live_print_json(const struct journal_place *place, int64_t now_ms,
	const struct load_live *live, struct buf *out)
{
	struct jsonw w = {.out = out};

	journal_place_begin(&w, place, now_ms, "load");
	put(&w, live);
	buf_addc(out, '\n');
}

void load_live_add(const struct load_live *live, struct buf *out)
{
	buf_addf(out, "%d users, %.4g/s, p95 %.4g ms, %.3g %% failed",
		live->users, live->rate, live->p95_ms, 100 * live->failed);
	if (live->dropped)
		buf_addf(out, ", %lld not sent in time",
			(long long)live->dropped);
}

void load_live_add_course(const struct load_live *live, struct buf *out)
{
	duration_add(out, live->at_ms / SECOND * SECOND);
	buf_adds(out, " of ");
	duration_add(out, live->total_ms);
	buf_adds(out, ": ");
	load_live_add(live, out);
}

void load_live_print_text(
	int64_t now_ms, const struct load_live *live, struct buf *out)
{
	char time[TIMESTAMP_TEXT_MAX];

	buf_addf(out, "%s  load ", timestamp_print_clock(now_ms, time));
	load_live_add_course(live, out);
	buf_addc(out, '\n');
}
