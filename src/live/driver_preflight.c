/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EFFECT_PREFLIGHT: what preflight found becomes the event that lets a rollout
 * begin or refuses it, naming all that fails at once.
 */
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/printable.h"
#include "base/xalloc.h"
#include "engine/evidence_memory.h"
#include "live/driver_parts.h"
#include "live/keepalive.h"
#include "live/preflight.h"
#include "live/traffic_io.h"

#define TRIES_MAX    4 /* of each request */
#define TEXT_MAX     (16 * 1024)
#define WARNINGS_MAX 16
#define CAPTURES_MAX (96 * 1024) /* of all actions of a policy */

static void preflight_ended(const struct preflight_report *report, void *arg);

void driver_preflight(struct driver *driver)
{
	struct release *release = driver->release;
	bool back = release_goes_back(release);
	struct preflight_what what = {
		.parts = back ? PREFLIGHT_OF_ROLLBACK : PREFLIGHT_OF_RELEASE,
		.release = release,
		.state = driver->state,
		.tries_max = TRIES_MAX,
	};

	if (back)
		what.patient_until_ms = driver->state->started_ms +
					release->policy->revert_timeout_ms -
					driver->ahead_ms;
	preflight_free(&driver->preflight);
	driver->preflight =
		preflight_start(driver->world, &what, preflight_ended, driver);
}

static void add_problems(
	struct buf *problems, const struct preflight_report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		if (report->finding[i].kind != FINDING_FAIL)
			continue;
		buf_adds(problems, problems->len ? "; " : "");
		buf_adds(problems, report->finding[i].refusal);
	}
}

/* What a person should know before there are users to be hurt. */
static void add_warnings(
	struct buf *warnings, const struct preflight_report *report)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n; i++) {
		const struct finding *finding = &report->finding[i];

		if (finding->kind != FINDING_WARN || n++ == WARNINGS_MAX)
			continue;
		buf_adds(warnings, warnings->len ? "\n" : "");
		printable_add(warnings, finding->refusal);
		buf_addf(warnings, ": %s", finding->remedy);
	}
}

/* The service, its revisions and the captures, for the journal. */
static void print_facts(const struct driver *driver,
	const struct preflight_report *report, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_text(&w, "candidate", driver->release->candidate);
	jsonw_text(&w, "stable", driver->release->stable);
	if (driver->release->uid)
		jsonw_text(&w, "uid", driver->release->uid);
	if (report->n_captures) {
		jsonw_object(&w, "kept");
		for (size_t i = 0; i < report->n_captures; i++)
			jsonw_text(&w, report->capture[i].action->name,
				report->capture[i].text);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, '}');
}

/* They outlive the preflight. */
static struct slo_history *take_histories(const struct preflight_report *report)
{
	size_t n = report->n_histories;
	struct slo_history *histories = xcalloc(n + 1, sizeof(*histories));

	if (n)
		memcpy(histories, report->histories, n * sizeof(*histories));
	return histories;
}

static void preflight_ended(const struct preflight_report *report, void *arg)
{
	struct driver *driver = arg;
	struct service *service = preflight_take_service(driver->preflight);
	struct event event = {.type = EVENT_PREFLIGHT};
	struct slo_history *histories;
	struct event_context context = {0};
	struct buf text, table, facts;

	buf_init(&text, TEXT_MAX);
	buf_init(&table, STORE_EVENT_BYTES_MAX / 2);
	buf_init(&facts, 1024 + CAPTURES_MAX);
	for (size_t i = 0; i < report->n_captures; i++)
		keepalive_capture(driver->keepalive, report->capture[i].action,
			report->capture[i].text);
	/* A refusal shows the traffic, too. */
	if (service)
		traffic_io_take(driver->traffic, service, &event);
	add_problems(&text, report);
	event.ok = text.len == 0;
	if (event.ok)
		add_warnings(&text, report);
	event.text = text.data;
	if (event.ok)
		journal_revisions(driver->writer, driver->release->candidate,
			driver->release->stable);
	print_facts(driver, report, &facts);
	traffic_io_print(driver->traffic, &table);
	histories = take_histories(report);
	event.histories = histories;
	event.n_histories = report->n_histories;
	context.extra = facts.data;
	context.table = table.len && !table.overflow ? table.data : NULL;
	preflight_free(&driver->preflight);
	driver->answered(&event, &context, driver);
	free(histories);
	buf_fini(&text);
	buf_fini(&table);
	buf_fini(&facts);
}
