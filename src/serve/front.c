/* Who comes in, and by which door; see front.h. */
#include "serve/front.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/xalloc.h"
#include "io/server.h"
#include "policy/policy_load.h"
#include "policy/url.h"
#include "serve/daemon.h"
#include "serve/page_visit.h"
#include "serve/route.h"
#include "serve/visit.h"

#define TOKEN_MAX 4096
#define HOSTS     5 /* with the NULL */
#define HOST_MAX  256

struct front {
	struct daemon *daemon;
	struct server *server;
	struct secret *token; /* NULL: nobody comes in by one */
	char *owner, *owner_key; /* whose token it is */
};

static void front_request(struct server_request *request, void *arg);

/* ---- listening ---- */

static int read_token(struct front *front, const char *path, struct err *err_r)
{
	struct buf text;
	size_t len;
	int rc;

	if (!path)
		return 0;
	buf_init_secret(&text, TOKEN_MAX);
	rc = policy_env_real.read_file(path, &text, err_r, NULL);
	len = strcspn(text.data, "\r\n");
	if (!rc && len < 16)
		rc = err_set(err_r, ERR_USAGE,
			"the token in %s has %zu characters: it must have 16 "
			"at least",
			path, len);
	if (!rc)
		front->token = secret_new(text.data, len);
	buf_wipe(&text);
	buf_fini(&text);
	return rc;
}

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
	front->owner = xstrdup(config->access.rows[0].who[0]);
	front->owner_key = xasprintf("os:%s", front->owner);
	if (read_token(front, config->token_file, err_r) < 0 ||
		listen_at(front, config, err_r) < 0)
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
	secret_free(&(*front)->token);
	free((*front)->owner);
	free((*front)->owner_key);
	free(*front);
	*front = NULL;
}

void front_print_address(const struct front *front, struct buf *out)
{
	const char *listen = daemon_config(front->daemon)->listen;
	const char *colon = strrchr(listen, ':');
	int port = server_port(front->server);

	if (port && colon)
		buf_addf(out, "http://%.*s:%d", (int)(colon - listen), listen,
			port);
	else
		buf_adds(out, listen);
}

/* ---- who it is ---- */

/* Takes as long wherever they differ. */
static bool is_equal(const char *a, size_t a_len, const struct secret *b)
{
	const char *text = secret_reveal(b);
	unsigned char differs = a_len != secret_len(b);

	for (size_t i = 0; i < a_len && i < secret_len(b); i++)
		differs |= (unsigned char)(a[i] ^ text[i]);
	return !differs;
}

static struct visitor *visitor_of(
	const struct front *front, const struct server_request *request)
{
	static const char bearer[] = "Bearer ";
	const char *given = request_header(request, "Authorization");
	const struct caller caller = {
		.method = "token",
		.issuer = "",
		.keys = (const char *const *)&front->owner_key,
		.n_keys = 1,
		.person = front->owner,
		.is_vetted = true,
		.rights = RIGHTS_ALL,
		.peer = "127.0.0.1",
	};

	if (!front->token || !given ||
		strncmp(given, bearer, sizeof(bearer) - 1) != 0)
		return NULL;
	given += sizeof(bearer) - 1;
	if (!is_equal(given, strlen(given), front->token))
		return NULL;
	return visitor_new(&caller, &daemon_config(front->daemon)->people);
}

/* ---- where they go ---- */

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

static void refuse_stranger(struct visit **visit)
{
	log_line(LOG_WARN, "event=unauthenticated path=\"%s\"",
		(*visit)->route->pattern);
	request_set_header((*visit)->request, "WWW-Authenticate", "Bearer");
	visit_problem(visit, 401, "unauthenticated",
		"a token is needed: Authorization: Bearer …");
}

/* Who may do this with no service at all need not be told of any. */
static bool may_enter(struct visit **visit)
{
	enum door door = (*visit)->route->door;

	return door >= DOOR_ANYBODY ||
	       visit_may(visit, (enum right)door, NULL, NULL);
}

/* Who asks by a browser is told of what went wrong by a page. */
static bool is_for_people(const struct visit *visit)
{
	const char *accepts = request_header(visit->request, "Accept");

	if (visit->route)
		return !strcmp(visit->route->answer, VISIT_HTML);
	return accepts && strstr(accepts, "text/html");
}

static void front_request(struct server_request *request, void *arg)
{
	struct front *front = arg;
	struct visit *visit = visit_new(front->daemon, request);
	char allowed[64];

	visit->route = route_find(
		visit, request_method(request), request_path(request), allowed);
	if (is_for_people(visit))
		visit->problem = page_problem;
	if (!visit->route) {
		refuse_path(&visit, allowed);
		return;
	}
	if (visit->route->door != DOOR_OPEN) {
		visit->visitor = visitor_of(front, request);
		if (!visit->visitor) {
			refuse_stranger(&visit);
			return;
		}
		if (!may_enter(&visit))
			return;
	}
	visit->route->handle(visit);
}
