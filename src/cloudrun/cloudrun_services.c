/* SPDX-License-Identifier: Apache-2.0 */
/* Which services of a region have a label: all pages of one list. See
 * cloudrun.h. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cloudrun/cloudrun_call.h"
#include "cloudrun/json_get.h"
#include "cloudrun/services_codec.h"

#define LIST_TIMEOUT_MS 15000
#define PAGE_SIZE       100
#define PAGES_MAX       50 /* five times what a region may have */
#define FIELDS                                                       \
	"nextPageToken,services/name,services/labels,services/etag," \
	"services/generation,services/observedGeneration,"           \
	"services/reconciling,services/latestReadyRevision,"         \
	"services/latestCreatedRevision,services/traffic,"           \
	"services/trafficStatuses,services/terminalCondition,"       \
	"services/conditions,services/multiRegionSettings"

/* A label's services, found so far. */
struct cloudrun_listing {
	char *label;
	struct listed_service *list;
	size_t n;
	int pages, n_bad;
};

struct list_answer {
	struct services_page page;
	struct err err;
	bool failed;
};

static void list_send(struct cloudrun_call *call, const char *token);
static void list_read(
	struct cloudrun_call *call, const struct http_reply *reply);
static void list_finish(struct cloudrun_call *call, const struct err *err);
static void listing_free(struct cloudrun_listing *listing);

/* A page of a hundred services is long: it is decoded by a thread. */
static void *list_answer_decode(const struct http_reply *reply)
{
	struct list_answer *answer = xcalloc(1, sizeof(*answer));

	answer->failed = services_page_decode(reply->body, reply->body_len,
				 &answer->page, &answer->err) < 0;
	return answer;
}

static void list_answer_discard(void *decoded)
{
	struct list_answer *answer = decoded;

	if (!answer->failed)
		services_page_fini(&answer->page);
	free(answer);
}

static const struct decoder page_decoder = {
	list_answer_decode, list_answer_discard};

struct cloudrun_call *cloudrun_list_services_start(struct cloudrun *cloudrun,
	const char *project, const char *region, const char *label,
	cloudrun_services_fn fn, void *arg)
{
	char *name =
		xasprintf("projects/%s/locations/%s/services", project, region);
	struct cloudrun_call *call = cloudrun_call_new(cloudrun, name, arg);

	call->fn.services = fn;
	call->decoder = &page_decoder;
	call->listing = xcalloc(1, sizeof(*call->listing));
	call->listing->label = xstrdup(label);
	call->listing_free = listing_free;
	list_send(call, NULL);
	return call;
}

static void list_send(struct cloudrun_call *call, const char *token)
{
	char *escaped = token ? http_escape(token) : NULL;

	call->listing->pages++;
	cloudrun_call_send(call, "GET",
		xasprintf("%s?pageSize=%d&fields=" FIELDS "%s%s", call->name,
			PAGE_SIZE, escaped ? "&pageToken=" : "",
			escaped ? escaped : ""),
		NULL, LIST_TIMEOUT_MS, list_read);
	free(escaped);
}

/* Those with the label change hands. */
static void list_take(
	struct cloudrun_listing *listing, struct services_page *page)
{
	const char *value;

	listing->list = xrealloc(listing->list, listing->n + page->n + 1,
		sizeof(*listing->list));
	for (size_t i = 0; i < page->n; i++) {
		value = labelled_get(&page->list[i], listing->label);
		if (!value)
			continue;
		listing->list[listing->n++] = (struct listed_service){
			page->list[i].service, xstrdup(value)};
		page->list[i].service = NULL;
	}
	listing->n_bad += page->n_bad;
}

static void list_read(
	struct cloudrun_call *call, const struct http_reply *reply)
{
	struct list_answer *answer;
	struct err err;

	if (reply->err) {
		list_finish(call, reply->err);
		return;
	}
	answer = request_decoded(reply, &page_decoder);
	if (answer->failed) {
		err = answer->err;
		list_answer_discard(answer);
		list_finish(call, &err);
		return;
	}
	list_take(call->listing, &answer->page);
	if (!answer->page.next) {
		list_finish(call, NULL);
	} else if (call->listing->pages == PAGES_MAX) {
		err_set(&err, ERR_LIMIT, "it has more than %d pages",
			PAGES_MAX);
		list_finish(call, &err);
	} else {
		list_send(call, answer->page.next);
	}
	list_answer_discard(answer);
}

static void list_finish(struct cloudrun_call *call, const struct err *err)
{
	struct cloudrun_listing *listing = call->listing;
	const struct services_listed listed = {
		err ? NULL : listing->list, listing->n, listing->n_bad};
	cloudrun_services_fn fn = call->fn.services;
	void *arg = call->arg;
	struct err told;

	call->listing = NULL;
	err = cloudrun_call_err(call, "listing", err, &told);
	cloudrun_call_free(call);
	fn(err ? NULL : &listed, err, arg);
	listing_free(listing);
}

static void listing_free(struct cloudrun_listing *listing)
{
	for (size_t i = 0; i < listing->n; i++) {
		if (listing->list[i].service)
			service_free(&listing->list[i].service);
		free(listing->list[i].label);
	}
	free(listing->list);
	free(listing->label);
	free(listing);
}
