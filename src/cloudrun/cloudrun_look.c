/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions that change nothing and that only a look at the whole asks: which
 * permissions are held, how old a revision is. See cloudrun.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cloudrun/cloudrun_call.h"
#include "cloudrun/json_get.h"
#include "cloudrun/list_codec.h"

#define LOOK_TIMEOUT_MS 15000
#define PAGE_SIZE       100
#define PAGES_MAX       20 /* more revisions than a service can have */
#define REQUEST_MAX     (8 * 1024)

bool cloudrun_clock(const struct cloudrun *cloudrun, int64_t *ahead_ms_r)
{
	*ahead_ms_r = cloudrun->clock.ahead_ms;
	return cloudrun->clock.known;
}

/* ---- permissions ---- */

static void permissions_read(
	struct cloudrun_call *call, const struct http_reply *reply);
static void permissions_finish(
	struct cloudrun_call *call, unsigned held, const struct err *err);

struct cloudrun_call *cloudrun_test_permissions_start(struct cloudrun *cloudrun,
	const char *service, const char *const *permissions,
	cloudrun_permissions_fn fn, void *arg)
{
	char *name = cloudrun_service_name(cloudrun, service);
	struct cloudrun_call *call = cloudrun_call_new(cloudrun, name, arg);
	struct buf body;
	struct err err;

	call->fn.permissions = fn;
	call->look.permissions = permissions;
	if (cloudrun_check_service(name, &err) < 0) {
		cloudrun_call_refuse(call, &err, permissions_read);
		return call;
	}
	buf_init(&body, REQUEST_MAX);
	permissions_encode(permissions, &body);
	cloudrun_call_send(call, "POST",
		xasprintf("%s:testIamPermissions", name), buf_steal(&body),
		LOOK_TIMEOUT_MS, permissions_read);
	return call;
}

static void permissions_read(
	struct cloudrun_call *call, const struct http_reply *reply)
{
	unsigned held = 0;
	struct err err;

	if (reply->err)
		permissions_finish(call, 0, reply->err);
	else if (permissions_decode(reply->body, reply->body_len,
			 call->look.permissions, &held, &err) < 0)
		permissions_finish(call, 0, &err);
	else
		permissions_finish(call, held, NULL);
}

static void permissions_finish(
	struct cloudrun_call *call, unsigned held, const struct err *err)
{
	cloudrun_permissions_fn fn = call->fn.permissions;
	void *arg = call->arg;
	struct err told;

	err = cloudrun_call_err(call, "testing permissions on", err, &told);
	cloudrun_call_free(call);
	fn(held, err, arg);
}

/* ---- the age of a revision ---- */

static void newer_send(struct cloudrun_call *call, const char *token);
static void newer_read(
	struct cloudrun_call *call, const struct http_reply *reply);
static void newer_finish(
	struct cloudrun_call *call, int newer, const struct err *err);

struct cloudrun_call *cloudrun_count_newer_start(struct cloudrun *cloudrun,
	const char *service, const char *revision, cloudrun_newer_fn fn,
	void *arg)
{
	char *name = cloudrun_service_name(cloudrun, service);
	struct cloudrun_call *call = cloudrun_call_new(cloudrun, name, arg);
	struct err err;

	call->fn.newer = fn;
	call->look.revision = xstrdup(revision);
	if (cloudrun_check_service(name, &err) < 0)
		cloudrun_call_refuse(call, &err, newer_read);
	else
		newer_send(call, NULL);
	return call;
}

static void newer_send(struct cloudrun_call *call, const char *token)
{
	char *escaped = token ? http_escape(token) : NULL;

	call->look.pages++;
	cloudrun_call_send(call, "GET",
		xasprintf("%s/revisions?pageSize=%d&fields=nextPageToken,"
			  "revisions/name%s%s",
			call->name, PAGE_SIZE, escaped ? "&pageToken=" : "",
			escaped ? escaped : ""),
		NULL, LOOK_TIMEOUT_MS, newer_read);
	free(escaped);
}

static void newer_read(
	struct cloudrun_call *call, const struct http_reply *reply)
{
	struct revisions_page page;
	struct err err;

	if (reply->err) {
		newer_finish(call, -1, reply->err);
		return;
	}
	if (revisions_page_decode(reply->body, reply->body_len,
		    call->look.revision, &page, &err) < 0) {
		newer_finish(call, -1, &err);
		return;
	}
	call->look.newer += page.newer;
	if (!page.found && page.next && call->look.pages < PAGES_MAX)
		newer_send(call, page.next);
	else
		newer_finish(call, page.found ? call->look.newer : -1, NULL);
	revisions_page_fini(&page);
}

static void newer_finish(
	struct cloudrun_call *call, int newer, const struct err *err)
{
	cloudrun_newer_fn fn = call->fn.newer;
	void *arg = call->arg;
	struct err told;

	err = cloudrun_call_err(call, "listing revisions of", err, &told);
	cloudrun_call_free(call);
	fn(newer, err, arg);
}
