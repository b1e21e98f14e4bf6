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
#define SPAN_DIGITS   16
#define KIND_INTERNAL 1
#define KIND_SERVER   2
#define STATUS_OK     1
#define STATUS_ERROR  2

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

/* FNV-1a: the same rollout has the same trace, whoever tells it. */
static uint64_t hash_of(const char *text, uint64_t hash)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return hash;
}

/* ---- entries ---- */

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
	add_time(&w, "timeUnixNano", entry->time_ms);
	jsonw_text(&w, "name", "check");
	jsonw_array(&w, "attributes");
	add_text(&w, "tidegate.slo",
		json_string_value(json_object_get(root, "slo")));
	add_text(&w, "tidegate.outcome",
		json_string_value(json_object_get(root, "outcome")));
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

	if (last) {
		last->end_ms = entry->time_ms;
		last->percent = entry->percent;
	}
	if (phase != PHASES && (!last || last->phase != phase) &&
		trace->n < PHASES_MAX) {
		last = &trace->phase[trace->n++];
		*last = (struct traced_phase){.phase = phase,
			.begin_ms = entry->time_ms,
			.end_ms = entry->time_ms,
			.percent = entry->percent};
		buf_init(&last->events, OTLP_BYTES_MAX / 4);
	}
	if (!last || entry->is_note || event_find(entry->name) != EVENT_CHECK)
		return;
	if (last->n_events < OTLP_EVENTS_MAX)
		add_check(last, entry);
	else
		last->dropped++;
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

/* "00-TRACE-PARENT-01", of the job. */
static bool read_parent(const char *text, char trace[TRACE_DIGITS + 1],
	char parent[SPAN_DIGITS + 1])
{
	static const char digits[] = "0123456789abcdef";

	if (!text || strncmp(text, "00-", 3) != 0 ||
		strspn(text + 3, digits) != TRACE_DIGITS ||
		text[3 + TRACE_DIGITS] != '-' ||
		strspn(text + 4 + TRACE_DIGITS, digits) != SPAN_DIGITS)
		return false;
	snprintf(trace, TRACE_DIGITS + 1, "%.*s", TRACE_DIGITS, text + 3);
	snprintf(parent, SPAN_DIGITS + 1, "%.*s", SPAN_DIGITS,
		text + 4 + TRACE_DIGITS);
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

static void add_root(struct jsonw *w, const struct otlp_trace *trace,
	const struct otlp_subject *s, const char *id, uint64_t root,
	const char *parent)
{
	const char *result = result_of(s->state);

	begin_span(w, id, root, parent, "rollout");
	jsonw_int(w, "kind", KIND_SERVER);
	add_time(w, "startTimeUnixNano",
		trace->n ? trace->phase[0].begin_ms : 0);
	add_time(w, "endTimeUnixNano",
		trace->n ? trace->phase[trace->n - 1].end_ms : 0);
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
