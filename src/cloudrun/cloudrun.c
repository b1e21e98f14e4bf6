/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Cloud Run Admin API: the client object, and reading. Writing is in
 * cloudrun_write.c. Must not retry: what a failure means is the engine's.
 */
#include "cloudrun/cloudrun.h"

#include <stdlib.h>
#include <string.h>

#include "base/service_name.h"
#include "base/xalloc.h"
#include "cloudrun/cloudrun_call.h"
#include "cloudrun/json_get.h"

#define ENDPOINT_DEFAULT         "https://run.googleapis.com"
#define REVISION_READ_TIMEOUT_MS 10000

/* The endpoint with its path prefix, "v2/" and nothing else. */
static char *base_url(const char *instead, struct err *err_r)
{
	char *endpoint = request_endpoint(instead, ENDPOINT_DEFAULT);
	char *url = NULL;

	if (strpbrk(endpoint, "?#@"))
		err_set(err_r, ERR_USAGE,
			"the endpoint is to be a URL without user, query and "
			"fragment, such as " ENDPOINT_DEFAULT);
	else if (http_url_check(endpoint, false, err_r) < 0)
		err_wrap(err_r, "endpoint");
	else
		url = xasprintf("%s/v2/", endpoint);
	free(endpoint);
	return url;
}

struct cloudrun *cloudrun_new(const struct api *api,
	const struct cloudrun_config *config, struct err *err_r)
{
	char *base = base_url(config->endpoint, err_r);
	struct cloudrun *cloudrun;

	if (!base)
		return NULL;
	cloudrun = xcalloc(1, sizeof(*cloudrun));
	cloudrun->api = *api;
	cloudrun->base = base;
	cloudrun->project = xstrdup(config->project);
	cloudrun->region = xstrdup(config->region);
	LIST_INIT(&cloudrun->calls);
	return cloudrun;
}

void cloudrun_free(struct cloudrun **cloudrun)
{
	if (!*cloudrun)
		return;
	while (!LIST_EMPTY(&(*cloudrun)->calls))
		cloudrun_call_free(LIST_FIRST(&(*cloudrun)->calls));
	xfree(&(*cloudrun)->base);
	xfree(&(*cloudrun)->project);
	xfree(&(*cloudrun)->region);
	free(*cloudrun);
	*cloudrun = NULL;
}

void cloudrun_cancel(struct cloudrun_call **call)
{
	if (*call)
		cloudrun_call_free(*call);
	*call = NULL;
}

char *cloudrun_service_name(
	const struct cloudrun *cloudrun, const char *service)
{
	if (strchr(service, '/'))
		return xstrdup(service);
	return xasprintf(SERVICE_NAME_FORMAT,
		cloudrun->project ? cloudrun->project : "",
		cloudrun->region ? cloudrun->region : "", service);
}

int cloudrun_check_service(const char *name, struct err *err_r)
{
	if (resource_name_is(name, "services"))
		return 0;
	return err_set(err_r, ERR_USAGE,
		"%s does not name a service: project, region and service are "
		"needed, in letters, digits and '-'",
		name);
}

/* A service with thousands of tags is of some megabytes. */
struct service_answer {
	struct service *service; /* NULL: `err` says why */
	struct err err;
};

static void *service_answer_decode(const struct http_reply *reply)
{
	struct service_answer *answer = xcalloc(1, sizeof(*answer));

	answer->service =
		service_decode(reply->body, reply->body_len, &answer->err);
	return answer;
}

static void service_answer_discard(void *decoded)
{
	struct service_answer *answer = decoded;

	service_free(&answer->service);
	free(answer);
}

static const struct decoder service_decoder = {
	service_answer_decode, service_answer_discard};

static void get_service_read(
	struct cloudrun_call *call, const struct http_reply *reply);
static void get_service_finish(struct cloudrun_call *call,
	struct service *service, const struct err *err);

struct cloudrun_call *cloudrun_get_service_start(struct cloudrun *cloudrun,
	const char *service, int64_t timeout_ms, cloudrun_service_fn fn,
	void *arg)
{
	char *name = cloudrun_service_name(cloudrun, service);
	struct cloudrun_call *call = cloudrun_call_new(cloudrun, name, arg);
	struct err err;

	call->fn.service = fn;
	call->decoder = &service_decoder;
	if (cloudrun_check_service(name, &err) < 0)
		cloudrun_call_refuse(call, &err, get_service_read);
	else
		cloudrun_call_send(call, "GET", xstrdup(name), NULL, timeout_ms,
			get_service_read);
	return call;
}

struct cloudrun_call *cloudrun_look_again_start(struct cloudrun *cloudrun,
	const struct service *known, int64_t timeout_ms, cloudrun_service_fn fn,
	void *arg)
{
	struct cloudrun_call *call = cloudrun_get_service_start(
		cloudrun, known->name, timeout_ms, fn, arg);

	memcpy(call->known, known->digest, sizeof(call->known));
	call->known_len = known->digested;
	return call;
}

static bool is_no_news(
	const struct cloudrun_call *call, const struct http_reply *reply)
{
	unsigned char digest[DIGEST_BYTES];

	if (!call->known_len || call->known_len != reply->body_len)
		return false;
	digest_bytes(reply->body, reply->body_len, digest);
	return memcmp(call->known, digest, sizeof(digest)) == 0;
}

static void get_service_read(
	struct cloudrun_call *call, const struct http_reply *reply)
{
	struct service_answer *answer;
	struct service *service;
	struct err err;

	if (reply->err || is_no_news(call, reply)) {
		get_service_finish(call, NULL, reply->err);
		return;
	}
	answer = request_decoded(reply, &service_decoder);
	service = answer->service;
	err = answer->err;
	free(answer);
	if (service && !service_name_is_alike(call->name, service->name)) {
		err_set(&err, ERR_PROTOCOL,
			"the answer is about another service: %s",
			service->name);
		service_free(&service);
	}
	get_service_finish(call, service, service ? NULL : &err);
}

static void get_service_finish(struct cloudrun_call *call,
	struct service *service, const struct err *err)
{
	cloudrun_service_fn fn = call->fn.service;
	void *arg = call->arg;
	struct err told;

	err = cloudrun_call_err(call, "reading", err, &told);
	cloudrun_call_free(call);
	fn(service, err, arg);
}

/* A revision with many containers may be long, too. */
struct revision_answer {
	int rc;
	struct revision revision;
	struct err err;
};

static void *revision_answer_decode(const struct http_reply *reply)
{
	struct revision_answer *answer = xcalloc(1, sizeof(*answer));

	answer->rc = revision_decode(
		reply->body, reply->body_len, &answer->revision, &answer->err);
	return answer;
}

static void revision_answer_discard(void *decoded)
{
	struct revision_answer *answer = decoded;

	if (answer->rc == 0)
		revision_fini(&answer->revision);
	free(answer);
}

static const struct decoder revision_decoder = {
	revision_answer_decode, revision_answer_discard};

static void get_revision_read(
	struct cloudrun_call *call, const struct http_reply *reply);
static void get_revision_finish(struct cloudrun_call *call,
	const struct revision *revision, const struct err *err);

static int check_revision_name(
	const char *service, const char *revision, struct err *err_r)
{
	if (cloudrun_check_service(service, err_r) < 0)
		return -1;
	if (resource_is_label(revision))
		return 0;
	return err_set(err_r, ERR_USAGE,
		"\"%s\" is not the name of a revision, such as shop-00042-def",
		revision);
}

struct cloudrun_call *cloudrun_get_revision_start(struct cloudrun *cloudrun,
	const char *service, const char *revision, cloudrun_revision_fn fn,
	void *arg)
{
	char *parent = cloudrun_service_name(cloudrun, service);
	char *name = xasprintf(
		"%s/revisions/%s", parent, resource_short_name(revision));
	struct cloudrun_call *call = cloudrun_call_new(cloudrun, name, arg);
	struct err err;

	call->fn.revision = fn;
	call->decoder = &revision_decoder;
	if (check_revision_name(parent, resource_short_name(revision), &err) <
		0)
		cloudrun_call_refuse(call, &err, get_revision_read);
	else
		cloudrun_call_send(call, "GET", xstrdup(name), NULL,
			REVISION_READ_TIMEOUT_MS, get_revision_read);
	xfree(&parent);
	return call;
}

static void get_revision_read(
	struct cloudrun_call *call, const struct http_reply *reply)
{
	struct revision_answer *answer;

	if (reply->err) {
		get_revision_finish(call, NULL, reply->err);
		return;
	}
	answer = request_decoded(reply, &revision_decoder);
	if (answer->rc < 0) {
		get_revision_finish(call, NULL, &answer->err);
	} else if (strcmp(answer->revision.name,
			   resource_short_name(call->name)) == 0) {
		get_revision_finish(call, &answer->revision, NULL);
	} else {
		err_set(&answer->err, ERR_PROTOCOL,
			"the answer is about another revision: %s",
			answer->revision.name);
		get_revision_finish(call, NULL, &answer->err);
	}
	revision_answer_discard(answer);
}

static void get_revision_finish(struct cloudrun_call *call,
	const struct revision *revision, const struct err *err)
{
	cloudrun_revision_fn fn = call->fn.revision;
	void *arg = call->arg;
	struct err told;

	err = cloudrun_call_err(call, "reading", err, &told);
	cloudrun_call_free(call);
	fn(revision, err, arg);
}
