/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon answers to the command line: records, or one line why not. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "remote/event_stream.h"
#include "remote/journal_copy.h"
#include "remote/remote_codec.h"
#include "status/journal_print.h"

#define ROLLOUT "backend-20261129-141722-ppzn"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(int rc, const struct err *err)
{
	if (rc < 0)
		assert(*err->text && !strpbrk(err->text, "\n\r\x1b"));
}

static void try_rows(const char *bytes, size_t len)
{
	static struct remote_page page;
	static struct remote_record record;
	struct arena arena;
	struct err err;
	int rc;

	arena_init(&arena);
	rc = remote_page_decode(bytes, len, &arena, &page, &err);
	check_error(rc, &err);
	for (size_t i = 0; rc == 0 && i < page.n; i++)
		assert(*page.row[i].id && !strpbrk(page.row[i].id, " \n\x1b/"));
	rc = remote_record_decode(bytes, len, &arena, &record, &err);
	check_error(rc, &err);
	if (rc == 0)
		assert(record.row.policy_source && record.row.last_seq >= 0);
	arena_fini(&arena);
}

static void try_answers(const char *bytes, size_t len)
{
	struct store_command command;
	struct remote_problem problem;
	struct remote_rollback back;
	struct buf places;
	char id[STORE_ROLLOUT_ID_MAX], name[REMOTE_PERSON_MAX];
	struct arena arena;
	struct err err;

	arena_init(&arena);
	check_error(remote_decided_decode(bytes, len, &arena, &command, &err),
		&err);
	check_error(
		remote_rollback_decode(bytes, len, &arena, &back, &err), &err);
	check_error(remote_started_decode(bytes, len, id, &err), &err);
	check_error(remote_me_decode(bytes, len, name, &err), &err);
	remote_problem_decode(bytes, len, &problem);
	assert(!strpbrk(problem.detail, "\n\r\x1b"));
	buf_init(&places, 1 << 20);
	remote_places_print(bytes, len, "p.yaml", &places);
	assert(!strpbrk(places.data, "\r\x1b"));
	buf_fini(&places);
	arena_fini(&arena);
}

static bool is_ascii(const char *bytes, size_t len)
{
	size_t i = 0;

	while (i < len && bytes[i] >= ' ' && bytes[i] < 0x7f)
		i++;
	return i == len;
}

/* An entry that is taken prints as the line that it came in; what is hidden in
 * it is shown. */
static void try_entry(const char *bytes, size_t len)
{
	struct store_event entry;
	struct arena arena;
	struct err err;
	struct buf line;

	arena_init(&arena);
	buf_init(&line, 4 * STORE_EVENT_BYTES_MAX);
	if (remote_entry_decode(bytes, len, ROLLOUT, &arena, &entry, &err) <
		0) {
		check_error(-1, &err);
	} else {
		journal_print_json(ROLLOUT, &entry, &line);
		assert(!is_ascii(bytes, len) ||
			(line.len == len + 1 &&
				!memcmp(line.data, bytes, len)));
	}
	buf_fini(&line);
	arena_fini(&arena);
}

static void try_journal(const char *bytes, size_t len)
{
	struct journal_copy copy = {0};
	struct err err;
	size_t added;

	journal_copy_choose(&copy, ROLLOUT);
	check_error(
		journal_copy_add_lines(&copy, bytes, len, &added, &err), &err);
	for (size_t i = 0; i < copy.n; i++)
		assert(copy.entry[i]->seq == (int64_t)i + 1);
	journal_copy_fini(&copy);
}

static bool count(const char *name, const char *data, size_t len, void *arg)
{
	size_t *sum = arg;

	assert(strlen(name) < EVENT_STREAM_NAME_MAX && strlen(data) == len);
	*sum += len + 1;
	return true;
}

/* However it is cut. */
static void try_stream(const char *bytes, size_t len)
{
	struct event_stream stream;
	size_t whole = 0, cut = 0, i = 0;
	bool good, good_cut = true;

	event_stream_init(&stream);
	good = event_stream_feed(&stream, bytes, len, count, &whole);
	event_stream_fini(&stream);
	event_stream_init(&stream);
	for (; good_cut && i < len; i++)
		good_cut =
			event_stream_feed(&stream, bytes + i, 1, count, &cut);
	event_stream_fini(&stream);
	assert(good == good_cut && (!good || whole == cut));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;

	try_rows(bytes, size);
	try_answers(bytes, size);
	try_entry(bytes, size);
	try_journal(bytes, size);
	try_stream(bytes, size);
	return 0;
}
