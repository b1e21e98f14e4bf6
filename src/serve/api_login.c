/* SPDX-License-Identifier: Apache-2.0 */
/* Logging in by a browser; identity/login.h answers these. */
#include "identity/identity.h"
#include "serve/daemon.h"
#include "serve/handlers.h"
#include "serve/page_visit.h"

const struct field login_query[] = {
	{"next", FIELD_TEXT, .max = 4096, .about = "Where to go from there"},
	{"issuer", FIELD_WHOLE, .max = IDENTITY_LOGINS_MAX,
		.about = "Which one, when there are several"},
	{"invite", FIELD_TEXT, .max = 256,
		.about = "What the daemon has printed to let its owner in"},
	{0},
};

typedef void (*login_fn)(
	struct identity *identity, struct server_request *request);

static void hand_over(struct visit *visit, login_fn fn)
{
	struct identity *identity = daemon_identity(visit->daemon);
	struct server_request *request = visit->request;

	visit_free(&visit);
	fn(identity, request);
}

void login_get(struct visit *visit)
{
	hand_over(visit, identity_login);
}

void login_callback_get(struct visit *visit)
{
	hand_over(visit, identity_callback);
}

void logout_post(struct visit *visit)
{
	hand_over(visit, identity_logout);
}

static void login_refused(struct server_request *request,
	const struct refusal *refusal, void *arg)
{
	struct visit *visit = visit_new(arg, request);

	page_login_problem(&visit, refusal);
}

void login_pages(struct daemon *daemon)
{
	identity_set_page(daemon_identity(daemon), login_refused, daemon);
}
