/* SPDX-License-Identifier: Apache-2.0 */
/* The service that this process is; see own_service.h. */
#include "serve/own_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/service_name.h"
#include "base/xalloc.h"
#include "io/http.h"

#define HOST       "metadata.google.internal"
#define FLAVOR     "Metadata-Flavor"
#define TIMEOUT_MS 5000
#define TRIES_MAX  5
#define FACT_MAX   128

/* What is asked for, and what is in front of its answer. */
enum { OWN_PROJECT, OWN_REGION, OWN_FACTS };
static const char *const paths[OWN_FACTS] = {
	[OWN_PROJECT] = "project/project-id",
	[OWN_REGION] = "instance/region", /* projects/NUMBER/regions/REGION */
};

struct own_service {
	struct http *http;
	struct http_call *call;
	const char *name; /* the environment's */
	int fact, tries;
	char value[OWN_FACTS][FACT_MAX]; /* "": not known */
	char number[FACT_MAX]; /* of the project */
};

static void own_ask(struct own_service *own);

static const char *env_text(const char *name)
{
	const char *text = getenv(name);

	return text && *text ? text : NULL;
}

struct own_service *own_service_new(struct http *http)
{
	const char *name = env_text("K_SERVICE");
	struct own_service *own;

	if (!name)
		return NULL;
	own = xcalloc(1, sizeof(*own));
	own->http = http;
	own->name = name;
	own_ask(own);
	return own;
}

void own_service_free(struct own_service **own)
{
	if (!*own)
		return;
	http_cancel(&(*own)->call);
	free(*own);
	*own = NULL;
}

/* ---- where it is ---- */

static void own_take(struct own_service *own, const char *text, size_t len)
{
	static const char projects[] = "projects/", regions[] = "/regions/";
	char *value = own->value[own->fact], *region;

	if (len >= FACT_MAX || strlen(text) != len)
		return;
	memcpy(value, text, len + 1);
	value[strcspn(value, " \r\n")] = '\0';
	if (own->fact != OWN_REGION)
		return;
	region = strstr(value, regions);
	if (!region || strncmp(value, projects, strlen(projects)) != 0) {
		*value = '\0';
		return;
	}
	*region = '\0';
	snprintf(own->number, sizeof(own->number), "%s",
		value + strlen(projects));
	memmove(value, region + strlen(regions),
		strlen(region + strlen(regions)) + 1);
}

static void own_answered(const struct http_reply *reply, void *arg)
{
	struct own_service *own = arg;
	const char *flavor = http_reply_header(reply, FLAVOR);

	own->call = NULL;
	if (reply->status == 200 && flavor && !strcmp(flavor, "Google"))
		own_take(own, reply->body, reply->body_len);
	if (*own->value[own->fact]) {
		own->fact++;
		own->tries = 0;
	} else if (++own->tries == TRIES_MAX) {
		log_line(LOG_WARN,
			"event=own-service service=%s text=\"where this "
			"service is could not be learnt: no service of its "
			"name is released\"",
			own->name);
		return;
	}
	if (own->fact < OWN_FACTS)
		own_ask(own);
}

static void own_ask(struct own_service *own)
{
	static const struct http_header flavor = {FLAVOR, "Google"};
	const char *host = env_text("GCE_METADATA_HOST");
	char *url = xasprintf("http://%s/computeMetadata/v1/%s",
		host ? host : HOST, paths[own->fact]);
	const struct http_request request = {
		.url = url,
		.headers = &flavor,
		.n_headers = 1,
		.timeout_ms = TIMEOUT_MS,
		.plain_ok = true,
		.no_proxy = true,
	};

	own->call = http_start(own->http, &request, own_answered, own);
	free(url);
}

/* ---- whether it is that ---- */

static bool is_or_may_be(const char *fact, const char *part, size_t len)
{
	return !*fact || (strlen(fact) == len && !strncmp(fact, part, len));
}

bool own_service_is(const char *name, const char *project, const char *number,
	const char *region, const char *service)
{
	const char *in = service + strlen("projects/"), *at, *short_name;
	size_t len;

	short_name = strrchr(service, '/');
	if (!short_name || strcmp(short_name + 1, name) != 0)
		return false;
	len = strcspn(in, "/");
	if (!is_or_may_be(project, in, len) &&
		(!*number || !is_or_may_be(number, in, len)))
		return false;
	at = in + len + strlen("/locations/");
	return is_or_may_be(region, at, strcspn(at, "/"));
}

int own_service_check(
	const struct own_service *own, const char *service, struct err *err_r)
{
	if (!own || !resource_name_is(service, "services") ||
		!own_service_is(own->name, own->value[OWN_PROJECT], own->number,
			own->value[OWN_REGION], service))
		return 0;
	return err_set(err_r, ERR_REFUSED,
		"%.100s is what this daemon runs as: it never releases itself; "
		"use `tidegate run` in a job, or another daemon",
		own->name);
}
