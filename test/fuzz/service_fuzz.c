/* SPDX-License-Identifier: Apache-2.0 */
/* Services and revisions: what is accepted can be planned with, and written
 * lists are read back the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cloudrun/service_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODY_MAX (4 * 1024 * 1024)

static bool has_unknown(const struct traffic *traffic)
{
	size_t i;

	for (i = 0; i < traffic->n; i++)
		if (traffic->item[i].type == TARGET_UNKNOWN)
			return true;
	return false;
}

static void write_and_read(
	const struct service *service, const struct traffic *traffic)
{
	struct service *again;
	struct buf body;
	struct err err;

	buf_init(&body, BODY_MAX);
	traffic_encode(service->name, service->etag, traffic, &body);
	again = service_decode(body.data, body.len, &err);
	assert(again && traffic_equal(traffic, &again->spec));
	assert(strcmp(service->name, again->name) == 0);
	assert(!service->etag || strcmp(service->etag, again->etag) == 0);
	service_free(&again);
	buf_fini(&body);
}

static void try_plan(const struct service *service)
{
	struct traffic_wish wish = {.candidate = "candidate",
		.latest = service->latest_ready,
		.candidate_percent = 10};
	struct traffic plan;
	struct arena arena;
	struct err err;

	arena_init(&arena);
	if (traffic_find_stable(&service->spec, service->latest_ready,
		    wish.candidate, true, &wish.stable, &err) == 0 &&
		traffic_plan(&service->spec, &wish, &arena, &plan, &err) == 0)
		write_and_read(service, &plan);
	arena_fini(&arena);
}

static void try_revision(const char *bytes, size_t len)
{
	struct revision revision;
	struct err err;

	if (revision_decode(bytes, len, &revision, &err) < 0)
		return;
	assert(revision.name[0] && revision.ready == !revision.condition);
	revision_fini(&revision);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct service *service;
	struct err err;

	try_revision(bytes, size);
	service = service_decode(bytes, size, &err);
	if (!service)
		return 0;
	if (!has_unknown(&service->spec))
		write_and_read(service, &service->spec);
	try_plan(service);
	service_free(&service);
	return 0;
}
