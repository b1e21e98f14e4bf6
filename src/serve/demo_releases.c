/* SPDX-License-Identifier: Apache-2.0 */
/* One release after the other; see demo_releases.h. */
#include "serve/demo_releases.h"

#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/log.h"
#include "base/service_name.h"
#include "base/xalloc.h"
#include "io/http.h"
#include "io/loop.h"
#include "live/world.h"
#include "serve/daemon.h"
#include "serve/driven.h"
#include "serve/shelf.h"

#define LOOK_MS      250
#define FIRST_MS     1500 /* until the first: there is something to see */
#define PAUSE_MS     5000 /* between two */
#define RELEASES_MAX 900 /* the sandbox has room for a thousand revisions */
#define STARTER      "demo"

/* By turns. */
static const struct {
	const char *ending, *profile;
} kinds[] = {
	{"good", "\"latency\": \"40ms\", \"sigma\": 0.3"},
	{"bad", "\"latency\": \"40ms\", \"sigma\": 0.3, \"errors\": \"20%\""},
	{"good", "\"latency\": \"35ms\", \"sigma\": 0.3"},
	{"slow", "\"latency\": \"900ms\", \"sigma\": 0.2"},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct demo_releases {
	struct daemon *daemon;
	char *deploy_url;
	struct timer *timer;
	struct http_call *call; /* a deployment on its way */
	char *candidate; /* what it deploys */
	int64_t due_ms;
	unsigned n;
};

/* ---- the release ---- */

static void releases_begun(
	const char *rollout, const struct err *err, void *arg)
{
	(void)arg;
	if (err)
		log_line(LOG_ERROR, "event=demo error=\"%s\"", err->text);
	else
		log_line(LOG_INFO, "event=demo rollout=%s", rollout);
}

static int start_rollout(struct demo_releases *releases, struct err *err_r)
{
	char *service = xasprintf(
		SERVICE_NAME_FORMAT, "sandbox", "us-central1", DEMO_SERVICE);
	const struct driver_options options = {
		.service = service,
		.starter = STARTER,
		.wish = {.candidate = releases->candidate},
		.wait_ms = -1,
	};
	struct daemon *daemon = releases->daemon;
	const struct policy *policy =
		shelf_take(daemon_shelf(daemon), DEMO_POLICY, err_r);
	int rc = -1;

	/* The callback may come when we are gone: it knows nothing of us. */
	if (policy)
		rc = driven_start(daemon_driven(daemon), policy, &options,
			releases_begun, NULL, err_r);
	free(service);
	return rc;
}

static void releases_deployed(const struct http_reply *reply, void *arg)
{
	struct demo_releases *releases = arg;
	struct err err;

	releases->call = NULL;
	if (daemon_is_draining(releases->daemon))
		return;
	if (!http_status_is_success(reply->status))
		log_line(LOG_ERROR,
			"event=demo status=%d error=\"the sandbox takes no new "
			"revision\"",
			reply->status);
	else if (start_rollout(releases, &err) < 0)
		log_line(LOG_ERROR, "event=demo error=\"%s\"", err.text);
}

/* ---- when ---- */

static void releases_deploy(struct demo_releases *releases)
{
	size_t kind = releases->n++ % KINDS;
	struct http_request request = {.url = releases->deploy_url,
		.content_type = "application/json"};
	char *body;

	free(releases->candidate);
	releases->candidate = xasprintf(
		DEMO_SERVICE "-%05u-%s", releases->n + 1, kinds[kind].ending);
	body = xasprintf("{\"revision\": \"%s\", %s}", releases->candidate,
		kinds[kind].profile);
	request.body = body;
	request.body_len = strlen(body);
	releases->call = http_start(daemon_world(releases->daemon)->http,
		&request, releases_deployed, releases);
	free(body);
}

static void releases_look(void *arg)
{
	struct demo_releases *releases = arg;
	struct daemon *daemon = releases->daemon;
	struct loop *loop = daemon_loop(daemon);
	bool is_busy = releases->call || driven_count(daemon_driven(daemon));

	releases->timer = timer_start(loop, LOOK_MS, releases_look, releases);
	if (is_busy)
		releases->due_ms = loop_now(loop) + PAUSE_MS;
	else if (loop_now(loop) >= releases->due_ms &&
		 releases->n < RELEASES_MAX && !daemon_is_draining(daemon))
		releases_deploy(releases);
}

struct demo_releases *demo_releases_new(
	struct daemon *daemon, const char *admin)
{
	struct demo_releases *releases = xcalloc(1, sizeof(*releases));
	struct loop *loop = daemon_loop(daemon);

	releases->daemon = daemon;
	releases->deploy_url = xasprintf("%s/sandbox/deploy", admin);
	releases->due_ms = loop_now(loop) + FIRST_MS;
	releases->timer = timer_start(loop, LOOK_MS, releases_look, releases);
	return releases;
}

void demo_releases_free(struct demo_releases **releases_p)
{
	struct demo_releases *releases = *releases_p;

	if (!releases)
		return;
	timer_cancel(&releases->timer);
	http_cancel(&releases->call);
	free(releases->candidate);
	free(releases->deploy_url);
	free(releases);
	*releases_p = NULL;
}
