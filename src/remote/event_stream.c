/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events; see event_stream.h. */
#include "remote/event_stream.h"

#include <stdio.h>
#include <string.h>

#define LINE_BYTES_MAX (EVENT_STREAM_DATA_MAX + 64)

void event_stream_init(struct event_stream *stream)
{
	*stream = (struct event_stream){0};
	buf_init(&stream->line, LINE_BYTES_MAX);
	buf_init(&stream->data, EVENT_STREAM_DATA_MAX);
}

void event_stream_fini(struct event_stream *stream)
{
	buf_fini(&stream->line);
	buf_fini(&stream->data);
}

void event_stream_restart(struct event_stream *stream)
{
	buf_clear(&stream->line);
	buf_clear(&stream->data);
	stream->name[0] = '\0';
	stream->has_data = stream->after_cr = false;
}

static void take_data(struct event_stream *stream, const char *value)
{
	if (stream->has_data)
		buf_addc(&stream->data, '\n');
	buf_adds(&stream->data, value);
	stream->has_data = true;
}

/* Fields that are not known are not ours; one that is too long is none. */
static void take_field(
	struct event_stream *stream, const char *key, const char *value)
{
	if (!strcmp(key, "data"))
		take_data(stream, value);
	else if (!strcmp(key, "event") && strlen(value) < sizeof(stream->name))
		snprintf(stream->name, sizeof(stream->name), "%s", value);
	else if (!strcmp(key, "id") && strlen(value) < sizeof(stream->place))
		snprintf(stream->place, sizeof(stream->place), "%s", value);
}

static bool take_line(
	struct event_stream *stream, event_stream_fn fn, void *arg)
{
	char *line = stream->line.data, *colon = strchr(line, ':');
	bool goes_on = true;

	if (!*line) {
		if (stream->has_data)
			goes_on = fn(stream->name, stream->data.data,
				stream->data.len, arg);
		buf_clear(&stream->data);
		stream->name[0] = '\0';
		stream->has_data = false;
	} else if (colon != line) {
		if (colon)
			*colon++ = '\0';
		take_field(stream, line, !colon ? "" : colon + (*colon == ' '));
	}
	buf_clear(&stream->line);
	return goes_on && !stream->data.overflow;
}

bool event_stream_feed(struct event_stream *stream, const char *bytes,
	size_t len, event_stream_fn fn, void *arg)
{
	const char *end = bytes + len, *at;

	for (; bytes < end; bytes = at + 1) {
		for (at = bytes; at < end && *at != '\n' && *at != '\r'; at++)
			if (!*at)
				return false;
		if (at > bytes)
			stream->after_cr = false;
		buf_add(&stream->line, bytes, (size_t)(at - bytes));
		if (stream->line.overflow)
			return false;
		if (at == end)
			break;
		if (*at == '\n' && stream->after_cr) {
			stream->after_cr = false; /* the end of that line */
			continue;
		}
		stream->after_cr = *at == '\r';
		if (!take_line(stream, fn, arg))
			return false;
	}
	return true;
}
