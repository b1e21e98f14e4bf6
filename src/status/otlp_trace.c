/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout as a trace; see otlp_trace.h. */
#include "config.h"

#include "status/otlp_trace.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"

#define PHASES_MAX    256
#define TRACE_DIGITS  32
#define TEXT_MAX      128 /* of an event's; ours are shorter */
#define EVENTS_BYTES  (OTLP_BYTES_MAX / 2) /* of all, nearly */
#define SPAN_DIGITS   16
#define KIND_INTERNAL 1
#define KIND_SERVER   2
#define STATUS_OK     1
#define STATUS_ERROR  2
/* Nanoseconds are of 64 bits without a sign: until 2554. */
#define TIME_MS_MAX INT64_C(18446744073709)

struct traced_phase {
	enum phase phase;
	int64_t begin_ms, end_ms;
	int percent;
	struct buf events; /* JSON, with commas between */
	int n_events, dropped;
};

struct otlp_trace {
	struct traced_phase phase[PHASES_MAX];
	size_t n;
	size_t bytes; /* of all events */
};

struct otlp_trace *otlp_trace_new(void)
{
	return xcalloc(1, sizeof(struct otlp_trace));
}

void otlp_trace_free(struct otlp_trace **trace)
{
	for (size_t i = 0; *trace && i < (*trace)->n; i++)
		buf_fini(&(*trace)->phase[i].events);
	free(*trace);
	*trace = NULL;
}

/* ---- pieces ---- */

static void add_time(struct jsonw *w, const char *key, int64_t ms)
{
	char text[JSONW_NUMBER_MAX];

	snprintf(text, sizeof(text), "%" PRId64 "000000", ms);
	jsonw_text(w, key, text);
}

static void add_text(struct jsonw *w, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	jsonw_object(w, NULL);
	jsonw_text(w, "key", key);
	jsonw_object(w, "value");
	jsonw_text(w, "stringValue", value);
	jsonw_end(w, '}');
	jsonw_end(w, '}');
}

static void add_number(struct jsonw *w, const char *key, double value)
{
	jsonw_object(w, NULL);
	jsonw_text(w, "key", key);
	jsonw_object(w, "value");
	jsonw_number(w, "doubleValue", value);
	jsonw_end(w, '}');
	jsonw_end(w, '}');
}

/* A journal may come from anybody. */
static int64_t time_bounded(int64_t ms)
{
	return ms < 0 ? 0 : ms > TIME_MS_MAX ? TIME_MS_MAX : ms;
}

/* FNV-1a: the same rollout has the same trace, whoever tells it. */
static uint64_t hash_of(const char *text, uint64_t hash)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return hash;
}

/* ---- entries ---- */

/* NULL: there is none, or nobody of ours wrote it. */
static const char *short_text(const json_t *root, const char *key)
{
	const char *text = json_string_value(json_object_get(root, key));

	return text && strlen(text) < TEXT_MAX ? text : NULL;
}

static void add_check(
	struct traced_phase *phase, const struct store_event *entry)
{
	json_t *root = json_loads(entry->data, JSON_REJECT_DUPLICATES, NULL);
	struct jsonw w = {.out = &phase->events};
	const json_t *value = json_object_get(root, "value");

	if (phase->n_events)
		buf_addc(&phase->events, ',');
	phase->n_events++;
	jsonw_object(&w, NULL);
	add_time(&w, "timeUnixNano", time_bounded(entry->time_ms));
	jsonw_text(&w, "name", "check");
	jsonw_array(&w, "attributes");
	add_text(&w, "tidegate.slo", short_text(root, "slo"));
	add_text(&w, "tidegate.outcome", short_text(root, "outcome"));
	if (json_is_number(value))
		add_number(&w, "tidegate.value", json_number_value(value));
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	json_decref(root);
}

void otlp_trace_take(struct otlp_trace *trace, const struct store_event *entry)
{
	struct traced_phase *last =
		trace->n ? &trace->phase[trace->n - 1] : NULL;
	enum phase phase = phase_find(entry->phase);

	int64_t time_ms = time_bounded(entry->time_ms);

	if (last) {
		if (last->end_ms < time_ms)
			last->end_ms = time_ms;
		last->percent = entry->percent;
	}
	if (phase != PHASES && (!last || last->phase != phase) &&
		trace->n < PHASES_MAX) {
		last = &trace->phase[trace->n++];
		*last = (struct traced_phase){.phase = phase,
			.begin_ms = time_ms,
			.end_ms = time_ms,
			.percent = entry->percent};
		buf_init(&last->events, OTLP_BYTES_MAX);
	}
	if (!last || entry->is_note || event_find(entry->name) != EVENT_CHECK)
		return;
	if (last->n_events == OTLP_EVENTS_MAX || trace->bytes > EVENTS_BYTES) {
		last->dropped++;
		return;
	}
	trace->bytes -= last->events.len;
	add_check(last, entry);
	trace->bytes += last->events.len;
}

/* ---- the trace ---- */

/* What came of it, in the words for pipelines. */
static const char *result_of(const struct rollout *state)
{
	switch (state->phase) {
	case PHASE_PROMOTED:
		return "success";
	case PHASE_REFUSED:
		return "skip";
	case PHASE_ROLLBACK_FAILED:
		return "error";
	case PHASE_STOPPED:
		return "cancellation";
	default:
		break;
	}
	switch (state->cause) {
	case CAUSE_PERSON:
	case CAUSE_INTERRUPT:
	case CAUSE_DRIFT:
		return "cancellation";
	case CAUSE_APPROVAL:
	case CAUSE_UNDECIDED:
		return "timeout";
	case CAUSE_WRITE:
	case CAUSE_HOOK:
		return "error";
	default:
		return "failure";
	}
}

/* The next part of a traceparent: so many digits, not all of them zero (W3C,
 * Trace Context), and what follows them. NULL: it is none. */
static const char *part_end(const char *text, size_t n, char after)
{
	if (!text || strspn(text, "0123456789abcdef") != n ||
		strspn(text, "0") == n || text[n] != after)
		return NULL;
	return text + n + 1;
}

/* "00-TRACE-PARENT-01", of the job. */
static bool read_parent(const char *text, char trace[TRACE_DIGITS + 1],
	char parent[SPAN_DIGITS + 1])
{
	const char *own = text && !strncmp(text, "00-", 3) ? text + 3 : NULL;
	const char *of = part_end(own, TRACE_DIGITS, '-');
	const char *flags = part_end(of, SPAN_DIGITS, '-');

	if (!flags || strlen(flags) != 2 ||
		strspn(flags, "0123456789abcdef") != 2)
		return false;
	snprintf(trace, TRACE_DIGITS + 1, "%.*s", TRACE_DIGITS, own);
	snprintf(parent, SPAN_DIGITS + 1, "%.*s", SPAN_DIGITS, of);
	return true;
}

static void begin_span(struct jsonw *w, const char *trace, uint64_t id,
	const char *parent, const char *name)
{
	char text[SPAN_DIGITS + 1];

	snprintf(text, sizeof(text), "%016" PRIx64, id);
	jsonw_object(w, NULL);
	jsonw_text(w, "traceId", trace);
	jsonw_text(w, "spanId", text);
	if (*parent)
		jsonw_text(w, "parentSpanId", parent);
	jsonw_text(w, "name", name);
}

static void end_span(struct jsonw *w, bool is_error)
{
	jsonw_object(w, "status");
	jsonw_int(w, "code", is_error ? STATUS_ERROR : STATUS_OK);
	jsonw_end(w, '}');
	jsonw_end(w, '}');
}

/* No phase ends after the rollout does. */
static int64_t end_of(const struct otlp_trace *trace)
{
	int64_t end_ms = 0;

	for (size_t i = 0; i < trace->n; i++)
		if (trace->phase[i].end_ms > end_ms)
			end_ms = trace->phase[i].end_ms;
	return end_ms;
}

static void add_root(struct jsonw *w, const struct otlp_trace *trace,
	const struct otlp_subject *s, const char *id, uint64_t root,
	const char *parent)
{
	const char *result = result_of(s->state);

	begin_span(w, id, root, parent, "rollout");
	jsonw_int(w, "kind", KIND_SERVER);
	add_time(w, "startTimeUnixNano",
		trace->n ? trace->phase[0].begin_ms : 0);
	add_time(w, "endTimeUnixNano", end_of(trace));
	jsonw_array(w, "attributes");
	add_text(w, "cicd.pipeline.name", s->policy);
	add_text(w, "cicd.pipeline.run.id", s->rollout);
	add_text(w, "cicd.pipeline.result", result);
	add_text(w, "cloud.platform", "gcp_cloud_run");
	add_text(w, "cloud.resource_id", s->service);
	add_text(w, "tidegate.candidate", s->candidate);
	add_text(w, "tidegate.stable", s->stable);
	add_text(w, "tidegate.outcome", phase_name(s->state->phase));
	add_text(w, "tidegate.reason", s->state->reason);
	jsonw_end(w, ']');
	end_span(w, !strcmp(result, "failure") || !strcmp(result, "error"));
}

static void add_phase(struct jsonw *w, const struct traced_phase *phase,
	const char *id, uint64_t span, const char *parent)
{
	begin_span(w, id, span, parent, phase_name(phase->phase));
	jsonw_int(w, "kind", KIND_INTERNAL);
	add_time(w, "startTimeUnixNano", phase->begin_ms);
	add_time(w, "endTimeUnixNano", phase->end_ms);
	jsonw_array(w, "attributes");
	add_number(w, "tidegate.percent", phase->percent);
	jsonw_end(w, ']');
	jsonw_array(w, "events");
	buf_add(w->out, phase->events.data, phase->events.len);
	jsonw_end(w, ']');
	jsonw_int(w, "droppedEventsCount", phase->dropped);
	end_span(w, phase->phase == PHASE_ROLLBACK_FAILED);
}

static void add_spans(struct jsonw *w, const struct otlp_trace *trace,
	const struct otlp_subject *s)
{
	uint64_t root = hash_of(s->rollout, UINT64_C(14695981039346656037));
	char id[TRACE_DIGITS + 1], parent[SPAN_DIGITS + 1] = "";
	char own[SPAN_DIGITS + 1];

	if (!read_parent(s->traceparent, id, parent))
		snprintf(id, sizeof(id), "%016" PRIx64 "%016" PRIx64, root,
			hash_of(s->service, root));
	add_root(w, trace, s, id, root, parent);
	snprintf(own, sizeof(own), "%016" PRIx64, root);
	for (size_t i = 0; i < trace->n; i++)
		if (!phase_is_end(trace->phase[i].phase))
			add_phase(w, &trace->phase[i], id, root + i + 1, own);
}

void otlp_trace_print(const struct otlp_trace *trace,
	const struct otlp_subject *subject, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_array(&w, "resourceSpans");
	jsonw_object(&w, NULL);
	jsonw_object(&w, "resource");
	jsonw_array(&w, "attributes");
	add_text(&w, "service.name", PACKAGE_NAME);
	add_text(&w, "service.version", PACKAGE_VERSION);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	jsonw_array(&w, "scopeSpans");
	jsonw_object(&w, NULL);
	jsonw_object(&w, "scope");
	jsonw_text(&w, "name", PACKAGE_NAME);
	jsonw_end(&w, '}');
	jsonw_array(&w, "spans");
	add_spans(&w, trace, subject);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}
