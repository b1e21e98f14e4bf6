/* SPDX-License-Identifier: Apache-2.0 */
/* Who comes in, and by which door; see front.h. */
#include "serve/front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "identity/identity.h"
#include "io/http.h"
#include "io/server.h"
#include "policy/url.h"
#include "serve/daemon.h"
#include "serve/handlers.h"
#include "serve/meter.h"
#include "serve/page_visit.h"
#include "serve/route.h"
#include "serve/visit.h"

#define HOSTS         5 /* with the NULL */
#define HOST_MAX      256
#define INVITATION_MS INT64_C(600000)

struct front {
	struct daemon *daemon;
	struct server *server;
};

static void front_request(struct server_request *request, void *arg);

/* ---- listening ---- */

/* Under which names it may be asked for: the public one, and this machine's for
 * who is on it. NULL: there is no public one. */
static const char *const *hosts_of(
	const struct serve_config *config, const char *hosts[HOSTS], char *name)
{
	static const char *const local[] = {"localhost", "127.0.0.1", "[::1]"};
	struct err err;
	struct url url;

	if (!config->public_url ||
		url_parse(config->public_url, &url, &err) < 0 ||
		url.host.len >= HOST_MAX)
		return NULL;
	memcpy(name, url.host.at, url.host.len);
	name[url.host.len] = '\0';
	hosts[0] = name;
	for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
		hosts[i + 1] = local[i];
	hosts[HOSTS - 1] = NULL;
	return hosts;
}

static int listen_at(struct front *front, const struct serve_config *config,
	struct err *err_r)
{
	static const char *const open_paths[] = {"/healthz", "/readyz", NULL};
	const char *hosts[HOSTS];
	char name[HOST_MAX];
	const struct server_options options = {
		.address = config->listen,
		.hosts = hosts_of(config, hosts, name),
		.open_paths = open_paths,
		.behind_proxy = config->public_url != NULL,
	};

	front->server = server_listen(daemon_loop(front->daemon), &options,
		front_request, front, err_r);
	return front->server ? 0 : -1;
}

struct front *front_open(struct daemon *daemon, struct err *err_r)
{
	const struct serve_config *config = daemon_config(daemon);
	struct front *front = xcalloc(1, sizeof(*front));

	front->daemon = daemon;
	login_pages(daemon);
	if (listen_at(front, config, err_r) < 0)
		front_close(&front);
	return front;
}

void front_drain(struct front *front)
{
	server_drain(front->server);
}

void front_close(struct front **front)
{
	if (!*front)
		return;
	server_free(&(*front)->server);
	free(*front);
	*front = NULL;
}

void front_print_address(const struct front *front, struct buf *out)
{
	const char *listen = daemon_config(front->daemon)->listen;
	const char *colon = strrchr(listen, ':');
	int port = server_port(front->server);

	if (port && !strncmp(listen, "systemd", strlen("systemd")))
		buf_addf(out, "http://127.0.0.1:%d", port);
	else if (port && colon)
		buf_addf(out, "http://%.*s:%d", (int)(colon - listen), listen,
			port);
	else
		buf_adds(out, listen);
}

/* Where who started the daemon comes in with a browser, by flags alone and on
 * this machine. */
void front_print_invitation(const struct front *front, struct buf *out)
{
	const struct serve_config *config = daemon_config(front->daemon);
	struct secret *code;

	if (config->file || !server_port(front->server))
		return;
	code = identity_invite(daemon_identity(front->daemon),
		config->access.rows[0].who[0], INVITATION_MS);
	front_print_address(front, out);
	buf_addf(out, "/login?invite=%s", secret_reveal(code));
	secret_free(&code);
}

/* ---- what is refused ---- */

static void refuse_path(struct visit **visit, const char *allowed)
{
	if (!*allowed) {
		visit_problem(visit, 404, "not-found", "nothing is here");
		return;
	}
	request_set_header((*visit)->request, "Allow", allowed);
	visit_problem(visit, 405, "method-not-allowed",
		"here there is %s alone", allowed);
}

/* Who asks by a browser is told of what went wrong by a page. */
static bool is_for_people(const struct visit *visit)
{
	const char *accepts = request_header(visit->request, "Accept");

	if (visit->route)
		return !strcmp(visit->route->answer, VISIT_HTML);
	return accepts && strstr(accepts, "text/html");
}

/* A script of ours is told, and asks its reader. */
static bool is_navigation(const struct visit *visit)
{
	const char *to = request_header(visit->request, "Sec-Fetch-Dest");

	return is_for_people(visit) && !strcmp(visit->route->method, "GET") &&
	       (!to || !strcmp(to, "document"));
}

/* Where a browser is sent to log in, and back from there. */
static void send_to_login(struct visit **visit)
{
	struct server_request *request = (*visit)->request;
	char *next = http_escape((*visit)->path);
	int folders = -1;
	struct buf to;

	buf_init(&to, 16 * 1024);
	for (const char *p = (*visit)->path; *p; p++)
		folders += *p == '/';
	for (; folders > 0; folders--)
		buf_adds(&to, "../");
	buf_addf(&to, "login?next=%s", next);
	request_set_header(request, "Location", to.data);
	buf_clear(&to);
	visit_answer(visit, 303, "text/plain", &to);
	buf_fini(&to);
	free(next);
}

static void refuse_caller(struct visit **visit, const struct refusal *refusal)
{
	const struct identity *identity = daemon_identity((*visit)->daemon);
	const char *issuers[IDENTITY_LOGINS_MAX];
	int status = refusal_status(refusal->code);
	char seconds[24];

	if (status == 401 && is_navigation(*visit) &&
		identity_logins(identity, issuers) == 1) {
		send_to_login(visit);
		return;
	}
	if (status == 401)
		request_set_header(
			(*visit)->request, "WWW-Authenticate", "Bearer");
	if (refusal->retry_after_ms) {
		snprintf(seconds, sizeof(seconds), "%lld",
			(long long)(refusal->retry_after_ms + 999) / 1000);
		request_set_header((*visit)->request, "Retry-After", seconds);
	}
	/* Why is in the log; who asks is told what it is called there. */
	visit_problem(visit, status, refusal_name(refusal->code),
		status == 401 ? "who asks must prove who they are: a token, "
				"Authorization: Bearer …, or a login"
			      : "this proof of who asks is not taken here");
}

/* ---- where they go ---- */

/* Who may do this with no service at all need not be told of any. */
static bool may_enter(struct visit **visit)
{
	enum door door = (*visit)->route->door;

	return door >= DOOR_ANYBODY ||
	       visit_may(visit, (enum right)door, NULL, NULL);
}

/* Programs are told what is not known here; pages are lenient. */
static bool is_understood(struct visit **visit)
{
	const struct route *route = (*visit)->route;
	struct err err;

	if (strncmp(route->pattern, "/api/", 5) != 0 ||
		fields_check_query(*visit, route->query, &err) == 0)
		return true;
	visit_fail(visit, &err);
	return false;
}

static void front_known(const struct identity_answer *answer, void *arg)
{
	struct visit *visit = arg;

	if (answer->refusal) {
		refuse_caller(&visit, answer->refusal);
		return;
	}
	visit->visitor =
		visitor_new(answer->caller, daemon_people(visit->daemon));
	if (may_enter(&visit) && is_understood(&visit))
		visit->route->handle(visit);
}

static void front_request(struct server_request *request, void *arg)
{
	struct front *front = arg;
	struct visit *visit = visit_new(front->daemon, request);
	char allowed[64];

	metrics_server(meter_page(daemon_meter(front->daemon)),
		server_counts(front->server));
	visit->route = route_find(
		visit, request_method(request), visit->path, allowed);
	if (is_for_people(visit))
		visit->problem = page_problem;
	if (!visit->route)
		refuse_path(&visit, allowed);
	else if (visit->route->door == DOOR_OPEN)
		visit->route->handle(visit);
	else
		identity_ask(daemon_identity(front->daemon), request,
			front_known, visit);
}
