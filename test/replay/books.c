/* Promises that always hold; see books.h. */
#include "books.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "scenario.h"

#define CHECK_SLACK_MS SECOND
#define TURNS_MAX      1000 /* at one moment */

static struct {
	int64_t asked_ms[POLICY_SLOS_MAX]; /* about the candidate; -1: never */
	int64_t exposed_ms; /* since when it has users by our doing; -1 */
	bool given; /* a write of ours gave it some */
	int64_t process_ms; /* since when this process is up, and … */
	int64_t driven_ms; /* … drives; -1: it does not yet */
	size_t noted; /* entries up to the note of the last write */
} books;

/* ---- what leaves ---- */

/* Queries begin with their SLO's name. */
static void ask_sent(const struct fake_request *request)
{
	const struct policy *policy = policy_given();
	const char *query = strstr(request->body, "query=");

	if (!query || !strstr(query, FAKE_NEW))
		return;
	for (size_t i = 0; i < policy->n_slos; i++)
		if (strncmp(query + 6, policy->slos[i].name,
			    strlen(policy->slos[i].name)) == 0)
			books.asked_ms[i] = fake_now();
}

/* The candidate's percent in a table that is written; -1: no such table. */
static int candidate_percent(const char *body)
{
	json_t *json = json_loads(body, 0, NULL), *entry, *list;
	int sum = 0, candidate = 0;
	size_t i;

	list = json_object_get(json, "traffic");
	json_array_foreach(list, i, entry) {
		const char *name =
			json_string_value(json_object_get(entry, "revision"));
		int percent = (int)json_integer_value(
			json_object_get(entry, "percent"));

		if (!name) /* LATEST is the candidate in these scenarios */
			name = FAKE_NEW;
		sum += percent;
		if (strstr(name, FAKE_NEW))
			candidate += percent;
	}
	promise(!json || sum == 100, "%d %% are written: %s", sum, body);
	json_decref(json);
	return candidate;
}

/* The note of the write, newer than that of the write before. */
static bool is_noted(int percent)
{
	char value[32];

	snprintf(value, sizeof(value), "\"value\":%d,", percent);
	for (size_t i = fake_store_entries(); i > books.noted; i--) {
		struct fake_entry entry = fake_store_entry(i - 1);

		if (!entry.is_note || strcmp(entry.name, "shift") != 0 ||
			!strstr(entry.data, value))
			continue;
		books.noted = i;
		return true;
	}
	return false;
}

/* But for a journal that cannot be written: a revert does not wait for it. */
static void write_sent(const struct fake_request *request)
{
	int percent = candidate_percent(request->body);

	promise(is_noted(percent) || fake_store_is_in_trouble(),
		"%d %% are written before the reason is durable", percent);
	if (percent > 0)
		books.given = true;
}

static void look_at_request(const struct fake_request *request)
{
	if (strcmp(request->method, "PATCH") == 0)
		write_sent(request);
	else if (strstr(request->target, "/query"))
		ask_sent(request);
}

/* ---- what is lost ---- */

static bool is_of_others(const struct route *route)
{
	return strncmp(route->tag, BOOKS_TAG_OF_OTHERS,
		       strlen(BOOKS_TAG_OF_OTHERS)) == 0 ||
	       (strcmp(route->revision, FAKE_NEW) != 0 &&
		       strcmp(route->revision, FAKE_STABLE) != 0 &&
		       route->type == ROUTE_REVISION);
}

static bool is_kept(const struct route *route)
{
	const struct routes *spec = &fake_run.cloud.model->spec;

	for (size_t i = 0; i < spec->n; i++)
		if (strcmp(spec->item[i].revision, route->revision) == 0 &&
			strcmp(spec->item[i].tag, route->tag) == 0)
			return true;
	return false;
}

/* Where an etag was no guard, what somebody wrote in between is lost: the
 * drift must be noticed, which is another promise. */
static void look_at_written(const struct routes *before)
{
	if (!fake_run.cloud.rules.etag_is_strict)
		return;
	for (size_t i = 0; i < before->n; i++) {
		const struct route *route = &before->item[i];

		if (!is_of_others(route))
			continue;
		promise(is_kept(route), "the entry %s#%s of others is lost",
			route->revision, route->tag);
	}
}

/* ---- what is late ---- */

static bool is_watched_phase(enum phase phase)
{
	return phase == PHASE_SHIFTING || phase == PHASE_BAKING ||
	       phase == PHASE_AWAITING_APPROVAL || phase == PHASE_HELD ||
	       phase == PHASE_PAUSED;
}

static int64_t max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The process may have waited for the store before it took the rollout up. */
static void look_who_drives(void)
{
	if (books.process_ms != process_up_ms())
		books.driven_ms = -1;
	books.process_ms = process_up_ms();
	if (books.driven_ms < 0 && is_watched_phase(phase_now()))
		books.driven_ms = fake_now();
}

/* Since when the process has driven without a break. */
static int64_t driven_ms(void)
{
	return max(books.driven_ms, fake_loop_stood_until());
}

static void look_at_exposure(void)
{
	const struct policy *policy = policy_given();
	int64_t since_ms;

	if (fake_run_serves(FAKE_NEW) == 0 || !books.given)
		books.exposed_ms = -1;
	else if (books.exposed_ms < 0)
		books.exposed_ms = fake_now();
	if (books.exposed_ms < 0 || !is_driven() ||
		!is_watched_phase(phase_now()))
		return;
	for (size_t i = 0; i < policy->n_slos; i++) {
		const struct slo *slo = &policy->slos[i];

		since_ms = max(
			books.asked_ms[i], max(books.exposed_ms, driven_ms()));
		promise(fake_now() <=
				since_ms + slo->interval_ms + CHECK_SLACK_MS,
			"the candidate has users, and %s was not asked for "
			"%lld ms",
			slo->name, (long long)(fake_now() - since_ms));
	}
}

static void look(void)
{
	promise(fake_loop_turns_now() < TURNS_MAX, "time stands still");
	look_who_drives();
	look_at_exposure();
}

void books_open(void)
{
	memset(&books, 0, sizeof(books));
	for (int i = 0; i < POLICY_SLOS_MAX; i++)
		books.asked_ms[i] = -1;
	books.exposed_ms = books.process_ms = books.driven_ms = -1;
	fake_http_on_send = look_at_request;
	fake_run.cloud.written = look_at_written;
	scenario_watch = look;
}
