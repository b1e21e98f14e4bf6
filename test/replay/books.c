/* SPDX-License-Identifier: Apache-2.0 */
/* Promises that always hold; see books.h. */
#include "books.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/http.h"
#include "scenario.h"
#include "store/journal.h"

#define CHECK_SLACK_MS  SECOND
#define REVERT_MS_MAX   (2 * SECOND)
#define HEARD_MS_MAX    500 /* it is known what to write */
#define ASK_SLACK_MS    100
#define LOOKED_MS_MAX   (5 * SECOND) /* a slow read, and a slow disk */
#define RETRY_AFTER_MAX (10 * SECOND)
#define SERVICE_TARGET  "/v2/" FAKE_SERVICE
#define WALL_KEY        "\"wall_ms\":"
#define COUNTED         "http_requests_total" /* by SLOs of kind evidence */

static struct {
	int64_t asked_ms[POLICY_SLOS_MAX]; /* about the candidate; -1: never */
	int64_t exposed_ms; /* since when it has users by our doing; -1 */
	bool given; /* a write of ours gave it some */
	int highest; /* percent that was written */
	int64_t told_ms; /* an answer told of the service as it is, last; -1 */
	size_t noted; /* entries up to the note of the last write */
	int64_t unready_ms; /* since when stable is not ready; -1 */

	/* A revert. */
	int64_t decided_ms; /* -1: none is */
	bool revert_sent;
	int64_t heard_ms; /* the first time that … */
	bool heard; /* by this process since its last write, of what is to be
		     * reverted */
	int64_t process_ms; /* … which is up since then */
	int64_t ask_by_ms; /* after a bad answer, nothing asked since; -1 */
} books;

/* The revision that the rollout goes back to. */
static const char *stable(void)
{
	const char *rollout = fake_store_newest();
	const char *name = rollout ? fake_store_stable(rollout) : "";

	return *name ? name : FAKE_STABLE;
}

/* ---- what leaves ---- */

static int64_t max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Since when the process has driven without a break. */
static int64_t driven_ms(void)
{
	return max(in_charge_ms(), fake_loop_stood_until());
}

/* Queries begin with their SLO's name. */
static void ask_sent(const struct fake_request *request)
{
	const struct policy *policy = policy_given();
	const char *query = strstr(request->body, "query=");

	if (!query || !strstr(query, FAKE_NEW))
		return;
	for (size_t i = 0; i < policy->n_slos; i++)
		if (strncmp(query + 6, policy->slos[i].name,
			    strlen(policy->slos[i].name)) == 0 ||
			(policy->slos[i].kind == SLO_EVIDENCE &&
				strstr(query, COUNTED)))
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

static bool is_shift_to(const struct fake_entry *entry, int percent)
{
	char value[32];

	snprintf(value, sizeof(value), "\"value\":%d,", percent);
	return entry->is_note && strcmp(entry->name, "shift") == 0 &&
	       strstr(entry->data, value);
}

/* The note of the write, newer than that of the write before. */
static bool is_noted(int percent)
{
	for (size_t i = fake_store_entries(); i > books.noted; i--) {
		struct fake_entry entry = fake_store_entry(i - 1);

		if (!is_shift_to(&entry, percent))
			continue;
		books.noted = i;
		return true;
	}
	return false;
}

/* ---- what raises ---- */

/* The last entry of that name that has `part`; false: none since a process took
 * the rollout up, or none at all when `any_process`. */
static bool find_entry(const char *name, const char *part, bool any_process,
	struct fake_entry *entry_r)
{
	for (size_t i = fake_store_entries(); i-- > 0;) {
		*entry_r = fake_store_entry(i);
		if (strcmp(entry_r->name, name) == 0 &&
			strstr(entry_r->data, part))
			return true;
		if (!any_process &&
			(strcmp(entry_r->name, "resumed") == 0 ||
				strcmp(entry_r->name, "started") == 0))
			return false;
	}
	return false;
}

static bool passes(const struct slo *slo, const char *check)
{
	return strstr(check, "\"outcome\":\"pass\"") ||
	       (slo->no_data == NO_DATA_PASS &&
		       strstr(check, "\"outcome\":\"no-data\""));
}

static int64_t latency_of(const char *check)
{
	const char *at = strstr(check, "\"latency_ms\":");

	return at ? strtoll(at + strlen("\"latency_ms\":"), NULL, 10) : 0;
}

static void check_evidence(int percent, const struct slo *slo)
{
	struct fake_entry check;
	int64_t asked_ms;
	char part[80];
	bool found;

	snprintf(part, sizeof(part), "\"slo\":\"%s\"", slo->name);
	found = find_entry("check", part, false, &check);
	promise(found, "%d %% are written, and this process did not ask %s",
		percent, slo->name);
	promise(passes(slo, check.data), "%d %% are written although: %s",
		percent, check.data);
	asked_ms = entry_made_ms(&check) - latency_of(check.data);
	promise(asked_ms + 2 * slo->interval_ms >= fake_now(),
		"%d %% are written on a pass of %s that is %lld ms old",
		percent, slo->name, (long long)(fake_now() - asked_ms));
}

/* A command that was not refused: the note of that follows it. */
static bool is_refused(size_t i)
{
	for (i++; i < fake_store_entries() && fake_store_entry(i).is_note; i++)
		if (strcmp(fake_store_entry(i).name, "command-refused") == 0)
			return true;
	return false;
}

static void check_people(int percent, const struct step *step)
{
	struct fake_entry entry;
	int wanted = step->approval ? step->approval->minimum : 0, given = 0;
	bool knows_pause = false;

	for (size_t i = fake_store_entries(); i-- > 0;) {
		entry = fake_store_entry(i);
		if (strcmp(entry.name, "command") != 0 || is_refused(i))
			continue;
		if (!knows_pause && strstr(entry.data, "\"pause\""))
			promise(false, "%d %% are written while paused",
				percent);
		knows_pause = knows_pause || strstr(entry.data, "\"continue\"");
		given += wanted && strstr(entry.data, "\"approve\"") &&
			 entry_made_ms(&entry) + step->approval->timeout_ms >
				 fake_now();
	}
	promise(given >= wanted, "%d %% are written, and %d of %d approved",
		percent, given, wanted);
}

/* A process has seen the candidate serving. */
static bool was_seen(void)
{
	static const char key[] = "\"serving\":{\"candidate\":";
	struct fake_entry entry;
	const char *at;

	for (size_t i = fake_store_entries(); i-- > 0;) {
		entry = fake_store_entry(i);
		at = strstr(entry.data, key);
		if (strcmp(entry.name, "traffic") == 0 && at &&
			strtol(at + strlen(key), NULL, 10) > 0)
			return true;
	}
	return false;
}

static const struct step *step_of(int percent)
{
	const struct policy *policy = policy_given();

	for (size_t i = 0; i < policy->n_steps; i++)
		if (policy->steps[i].percent == percent)
			return &policy->steps[i];
	promise(false, "%d %% are written, and no step has that", percent);
	return NULL;
}

/* It is looked at before the service is read, upon which the write builds. */
static void check_stable(int percent)
{
	promise(books.unready_ms < 0 ||
			fake_now() <= books.unready_ms + LOOKED_MS_MAX,
		"%d %% are written, and stable is not ready for %lld ms",
		percent, (long long)(fake_now() - books.unready_ms));
}

/* By the wall clock, which the journal says of when it is not the rollout's. */
static bool is_frozen_at(size_t entry)
{
	int64_t lead_ms = 0, time_ms = fake_store_entry(entry).time_ms;
	struct fake_entry said;
	const char *wall = NULL;

	for (size_t i = entry + 1; i-- > 0 && !wall;) {
		said = fake_store_entry(i);
		wall = said.is_note ? NULL : strstr(said.data, WALL_KEY);
		if (wall)
			lead_ms = strtoll(wall + strlen(WALL_KEY), NULL, 10) -
				  FAKE_EPOCH_MS - said.time_ms;
	}
	return freeze_until_ms(
		&policy_given()->freeze, FAKE_EPOCH_MS + time_ms + lead_ms);
}

/* A write that was decided before the freeze and never answered may have left,
 * for all that a later process knows, and the service is asked for its list:
 * that others did that is not seen. */
static bool may_be_begun(int percent)
{
	struct fake_entry entry;

	if (fake_run_wants(FAKE_NEW) != percent)
		return false;
	for (size_t i = books.noted - 1; i-- > 0;) {
		entry = fake_store_entry(i);
		if (strcmp(entry.name, "written") == 0 &&
			!strstr(entry.data, "\"unknown\""))
			return false;
		if (is_shift_to(&entry, percent))
			return !is_frozen_at(i);
	}
	return false;
}

/* A step that was written before may be written again. */
static void check_freeze(int percent)
{
	struct fake_entry overruled;

	if (percent <= books.highest || !books.noted)
		return;
	promise(!is_frozen_at(books.noted - 1) || may_be_begun(percent) ||
			find_entry("warning", "the freeze is overruled", true,
				&overruled),
		"%d %% are written in a freeze", percent);
	books.highest = percent;
}

/* What is known against it counts before its first users, too. */
static void check_nothing_is_against(int percent, const struct slo *slo)
{
	struct fake_entry check;
	char part[80];

	snprintf(part, sizeof(part), "\"slo\":\"%s\"", slo->name);
	promise(!find_entry("check", part, true, &check) ||
			!strstr(check.data, "\"outcome\":\"breach\""),
		"%d %% are written although: %s", percent, check.data);
}

static void check_raise(int percent)
{
	const struct policy *policy = policy_given();
	const struct step *step = step_of(percent);

	check_people(percent, step);
	check_freeze(percent);
	check_stable(percent);
	for (size_t i = 0; i < policy->n_slos; i++)
		if (step == &policy->steps[0] && !was_seen())
			check_nothing_is_against(percent, &policy->slos[i]);
		else
			check_evidence(percent, &policy->slos[i]);
}

/* For less than is told of: a journal that nobody wrote looks like one that
 * hangs. */
static bool has_just_stood(void)
{
	int64_t until_ms = fake_loop_stood_until();

	return until_ms && fake_now() - until_ms < SECOND;
}

/* Back to the first step, to ask stable. */
static bool is_stepping_back(void)
{
	return phase_now() == PHASE_SHIFTING && fake_store_newest() &&
	       strstr(fake_store_reason(fake_store_newest()), "to ask stable");
}

/* Nothing but a revert leaves before a journal that cannot be written, or that
 * was given up when it could not. */
static void write_sent(const struct fake_request *request)
{
	int percent = candidate_percent(request->body);
	bool noted = is_noted(percent);

	promise(noted || (percent == 0 &&
				 (fake_store_is_in_trouble() ||
					 has_just_stood() ||
					 (is_driven() &&
						 journal_is_given_up()))),
		"%d %% are written before the reason is durable", percent);
	/* What nobody told it of cannot be known. */
	if (percent > fake_run_serves(FAKE_NEW) &&
		fake_run.foreign_ms < books.told_ms)
		check_raise(percent);
	if (percent > 0)
		books.given = true;
	else
		books.revert_sent = true;
	if (is_stepping_back() && percent == policy_given()->steps[0].percent)
		books.revert_sent = true;
	promise(percent > 0 || !fake_load_is_made(),
		"a load is still made as the revert is written");
	books.heard = false;
}

static void look_at_request(const struct fake_request *request)
{
	if (strcmp(request->method, "PATCH") == 0)
		write_sent(request);
	else if (strstr(request->target, "/query"))
		ask_sent(request);
	else if (strcmp(request->target, SERVICE_TARGET) == 0)
		books.ask_by_ms = -1;
}

/* The split is ours to take back, and has not been. */
static bool is_to_be_reverted(void)
{
	int kept = is_stepping_back() ? policy_given()->steps[0].percent : 0;

	return fake_run_wants(FAKE_NEW) > kept &&
	       fake_run_wants(FAKE_NEW) + fake_run_wants(stable()) == 100;
}

/* It shows the service as it is, not as it was. Nothing else in it has a member of
 * that name, and to parse it took a fifth of the time. */
static bool is_of_now(const struct http_reply *reply)
{
	char member[48];

	snprintf(member, sizeof(member), "\"generation\":\"%lld\"",
		(long long)fake_run.cloud.model->generation);
	return strstr(reply->body, member) != NULL;
}

static void good_answer(const struct http_reply *reply)
{
	if (!is_of_now(reply))
		return;
	books.told_ms = fake_now();
	if (!books.heard)
		books.heard_ms = fake_now();
	books.heard = is_to_be_reverted();
}

/* A question is asked when its entry is durable, which may have to wait for the
 * commit before. */
static int64_t ask_slack_ms(void)
{
	return ASK_SLACK_MS + 2 * fake_worker_job_ms_max();
}

static void bad_answer(const struct http_reply *reply)
{
	int64_t wait_ms = max(SECOND, reply->retry_after_ms);

	if (wait_ms > RETRY_AFTER_MAX)
		wait_ms = RETRY_AFTER_MAX;
	books.ask_by_ms = fake_now() + wait_ms + ask_slack_ms();
}

static void look_at_answer(
	const char *method, const char *target, const struct http_reply *reply)
{
	/* What the write was built on is not the newest any more. */
	if (strcmp(method, "PATCH") == 0 && reply->status == 409)
		books.told_ms = fake_now();
	if (strcmp(method, "GET") != 0 || strcmp(target, SERVICE_TARGET) != 0)
		return;
	if (reply->status == 200)
		good_answer(reply);
	else
		bad_answer(reply);
}

/* ---- what is lost ---- */

static bool is_of_others(const struct route *route)
{
	return strncmp(route->tag, BOOKS_TAG_OF_OTHERS,
		       strlen(BOOKS_TAG_OF_OTHERS)) == 0 ||
	       (strcmp(route->revision, FAKE_NEW) != 0 &&
		       strcmp(route->revision, stable()) != 0 &&
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

static void look_at_exposure(void)
{
	const struct policy *policy = policy_given();
	int64_t since_ms;

	if (fake_run_serves(FAKE_NEW) == 0 || !books.given)
		books.exposed_ms = -1;
	else if (books.exposed_ms < 0)
		books.exposed_ms = fake_now();
	if (books.exposed_ms < 0 || in_charge_ms() > fake_now() ||
		!is_driven() || !is_watched_phase(phase_now()))
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

static void look_at_stable(void)
{
	if (fake_run_is_ready(stable()))
		books.unready_ms = -1;
	else if (books.unready_ms < 0)
		books.unready_ms = fake_now();
}

static void look_at_revert(void)
{
	int64_t since_ms;

	if (books.process_ms != process_up_ms())
		books.heard = false; /* it was another one's */
	books.process_ms = process_up_ms();
	if (in_charge_ms() > fake_now() || !is_driven() ||
		(phase_now() != PHASE_REVERTING && !is_stepping_back())) {
		books.decided_ms = -1;
		books.revert_sent = false;
		return;
	}
	if (books.decided_ms < 0)
		books.decided_ms = fake_now();
	if (books.revert_sent || !is_to_be_reverted())
		return;
	since_ms = max(books.decided_ms, driven_ms());
	since_ms = max(since_ms, fake_run.foreign_ms);
	promise(!books.heard ||
			fake_now() <= max(since_ms + REVERT_MS_MAX,
					      books.heard_ms + HEARD_MS_MAX),
		"a revert was not sent for %lld ms",
		(long long)(fake_now() - since_ms));
	since_ms = max(since_ms + SECOND, books.ask_by_ms);
	if (fake_store_is_in_trouble())
		since_ms += JOURNAL_PATIENCE_MS; /* then it does not wait */
	promise(books.heard || books.ask_by_ms < 0 || fake_now() <= since_ms,
		"nothing is known of the service, and it is not asked");
}

static void look(void)
{
	look_at_stable();
	look_at_exposure();
	look_at_revert();
}

int64_t books_told_ms(void)
{
	return books.told_ms;
}

void books_open(void)
{
	memset(&books, 0, sizeof(books));
	for (int i = 0; i < POLICY_SLOS_MAX; i++)
		books.asked_ms[i] = -1;
	books.exposed_ms = books.unready_ms = books.decided_ms = -1;
	books.ask_by_ms = books.told_ms = -1;
	fake_http_on_answer = look_at_answer;
	fake_http_on_send = look_at_request;
	fake_run.cloud.written = look_at_written;
	scenario_watch = look;
}
