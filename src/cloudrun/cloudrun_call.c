/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of calls; see cloudrun_call.h. Knows no resource of the API. */
#include "cloudrun/cloudrun_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/xalloc.h"

#define SHORT_BODY_MAX (128 * 1024)

struct cloudrun_call *cloudrun_call_new(
	struct cloudrun *cloudrun, char *name, void *arg)
{
	struct cloudrun_call *call = xcalloc(1, sizeof(*call));

	call->cloudrun = cloudrun;
	call->name = name;
	call->arg = arg;
	LIST_INSERT_HEAD(&cloudrun->calls, call, entry);
	return call;
}

void cloudrun_call_free(struct cloudrun_call *call)
{
	LIST_REMOVE(call, entry);
	call->cloudrun->waits -= call->follow.waiting;
	request_cancel(&call->request);
	timer_cancel(&call->timer);
	timer_cancel(&call->deadline);
	xfree(&call->follow.operation);
	xfree(&call->look.revision);
	if (call->listing)
		call->listing_free(call->listing);
	xfree(&call->name);
	free(call->err);
	free(call);
}

static void call_refused(void *arg)
{
	struct cloudrun_call *call = arg;
	struct err err = *call->err;
	struct http_reply reply = {.body = "", .content_type = "", .err = &err};

	call->timer = NULL;
	call->replied(call, &reply);
}

void cloudrun_call_refuse(
	struct cloudrun_call *call, const struct err *err, reply_fn fn)
{
	call->err = xcalloc(1, sizeof(*err));
	*call->err = *err;
	call->replied = fn;
	call->timer =
		timer_start(call->cloudrun->api.loop, 0, call_refused, call);
}

static void call_replied(const struct http_reply *got, void *arg)
{
	struct cloudrun_call *call = arg;
	struct http_reply reply = *got;
	struct err err;

	call->request = NULL;
	http_clock_take(&call->cloudrun->clock, got);
	if (got->status && !http_status_is_success(got->status)) {
		google_error_decode(got->status, got->body, got->body_len,
			got->retry_after_ms, &err);
		reply.err = &err;
	}
	call->replied(call, &reply);
}

void cloudrun_call_send(struct cloudrun_call *call, const char *method,
	char *path, char *body, int64_t timeout_ms, reply_fn fn)
{
	char *url = xasprintf("%s%s", call->cloudrun->base, path);
	const struct request_spec spec = {
		.method = method,
		.url = url,
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.auth = &request_google,
		.timeout_ms = timeout_ms,
		.decoder = call->decoder,
		.body_max = call->decoder ? 0 : SHORT_BODY_MAX,
		.urgent = strcmp(method, "PATCH") == 0,
	};

	call->replied = fn;
	call->request =
		request_start(&call->cloudrun->api, &spec, call_replied, call);
	free(url);
	free(path);
	free(body);
}

/* "services/backend": project and region are known to whoever reads it, and
 * what Cloud Run said needs the room. */
static const char *name_in_region(const char *name)
{
	static const char locations[] = "/locations/";
	const char *region = strstr(name, locations), *slash;

	slash = region ? strchr(region + sizeof(locations) - 1, '/') : NULL;
	return slash ? slash + 1 : name;
}

const struct err *cloudrun_call_err(const struct cloudrun_call *call,
	const char *doing, const struct err *err, struct err *err_r)
{
	if (!err)
		return NULL;
	*err_r = *err;
	err_wrap(err_r, "%s %s", doing, name_in_region(call->name));
	return err_r;
}
