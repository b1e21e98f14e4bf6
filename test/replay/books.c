/* Promises that always hold; see books.h. */
#include "books.h"

#include <string.h>

#include "scenario.h"

#define TURNS_MAX 1000 /* at one moment */

/* ---- what leaves ---- */

static void check_sum(const char *body)
{
	json_t *json = json_loads(body, 0, NULL), *entry, *list;
	int sum = 0;
	size_t i;

	list = json_object_get(json, "traffic");
	json_array_foreach(list, i, entry)
		sum += (int)json_integer_value(
			json_object_get(entry, "percent"));
	promise(sum == 100, "%d %% are written: %s", sum, body);
	json_decref(json);
}

/* But for a journal that cannot be written: a revert does not wait for it. */
static void check_durable(void)
{
	promise(journal_is_durable() || fake_store_is_in_trouble(),
		"a write is sent before its reason is durable");
}

static void look_at_request(const struct fake_request *request)
{
	if (strcmp(request->method, "PATCH") != 0)
		return;
	check_sum(request->body);
	check_durable();
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

/* ---- time ---- */

static void look(void)
{
	promise(fake_loop_turns_now() < TURNS_MAX, "time stands still");
}

void books_open(void)
{
	fake_http_on_send = look_at_request;
	fake_run.cloud.written = look_at_written;
	scenario_watch = look;
}
