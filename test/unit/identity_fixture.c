/* SPDX-License-Identifier: Apache-2.0 */
/* The world of identity; see identity_fixture.h. */
#include "identity_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/request.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "identity/api_token.h"
#include "identity/slack_codec.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/server.h"
#include "until.h"

/* ---- the daemon ---- */

struct answering {
	struct identity_world *w;
	struct server_request *request;
};

static void note_caller(struct identity_world *w, const struct caller *caller)
{
	snprintf(w->method, sizeof(w->method), "%s", caller->method);
	snprintf(w->person, sizeof(w->person), "%s",
		caller->person ? caller->person : "");
	snprintf(w->actor, sizeof(w->actor), "%s",
		caller->actor ? caller->actor : "");
	snprintf(w->label, sizeof(w->label), "%s",
		caller->label ? caller->label : "");
	snprintf(w->proof, sizeof(w->proof), "%s", caller->proof);
	snprintf(
		w->form_token, sizeof(w->form_token), "%s", caller->form_token);
	w->is_machine = caller->is_machine;
	w->is_vetted = caller->is_vetted;
	w->rights = caller->rights;
	for (size_t i = 0; i < caller->n_keys; i++) {
		strncat(w->keys, caller->keys[i],
			sizeof(w->keys) - strlen(w->keys) - 1);
		strncat(w->keys, " ", sizeof(w->keys) - strlen(w->keys) - 1);
	}
}

static void note_refusal(
	struct identity_world *w, const struct refusal *refusal)
{
	snprintf(w->code, sizeof(w->code), "%s", refusal_name(refusal->code));
	snprintf(w->reason, sizeof(w->reason), "%s", refusal->reason);
	w->retry_after_ms = refusal->retry_after_ms;
}

static void on_told(const struct identity_answer *answer, void *arg)
{
	struct answering *own = arg;
	struct identity_world *w = own->w;
	int status = 200;

	assert_true(!answer->caller != !answer->refusal);
	if (answer->caller) {
		note_caller(w, answer->caller);
	} else {
		note_refusal(w, answer->refusal);
		status = refusal_status(answer->refusal->code);
	}
	if (answer->caller && answer->action)
		snprintf(w->button, sizeof(w->button), "%s",
			answer->action->value ? answer->action->value : "");
	request_answer(own->request, status, "text/plain", "x", 1);
	free(own);
}

static void on_page(struct server_request *request,
	const struct refusal *refusal, void *arg)
{
	note_refusal(arg, refusal);
	request_answer(
		request, refusal_status(refusal->code), "text/plain", "x", 1);
}

static void on_request(struct server_request *request, void *arg)
{
	struct identity_world *w = arg;
	const char *path = request_path(request);
	struct answering *own;

	if (strcmp(path, "/login") == 0) {
		identity_login(w->identity, request);
		return;
	}
	if (strcmp(path, "/callback") == 0) {
		identity_callback(w->identity, request);
		return;
	}
	if (strcmp(path, "/logout") == 0) {
		identity_logout(w->identity, request);
		return;
	}
	own = xcalloc(1, sizeof(*own));
	own->w = w;
	own->request = request;
	if (strcmp(path, "/slack/actions") == 0)
		identity_ask_slack(w->identity, request, on_told, own);
	else
		identity_ask(w->identity, request, on_told, own);
}

/* ---- who asks ---- */

static void on_answer(const struct http_reply *reply, void *arg)
{
	struct identity_world *w = arg;
	const char *location = http_reply_header(reply, "Location");
	const char *cookie = http_reply_header(reply, "Set-Cookie");

	if (!reply->status)
		fail_msg("%s", reply->err->text);
	w->status = reply->status;
	snprintf(w->location, sizeof(w->location), "%s",
		location ? location : "");
	snprintf(w->cookie, sizeof(w->cookie), "%s", cookie ? cookie : "");
	w->answered = true;
}

static void forget(struct identity_world *w)
{
	w->status = 0;
	w->answered = w->is_machine = w->is_vetted = false;
	w->rights = 0;
	w->retry_after_ms = 0;
	*w->code = *w->reason = *w->method = *w->keys = *w->person = '\0';
	*w->actor = *w->label = *w->proof = *w->form_token = '\0';
	*w->location = *w->cookie = *w->button = '\0';
}

void identity_world_ask_soon(
	struct identity_world *w, const struct identity_ask_spec *spec)
{
	const struct http_header all[] = {
		{"Cookie", spec->cookie},
		{"X-Goog-IAP-JWT-Assertion", spec->assertion},
		{"X-Tidegate-Token", spec->own_token},
		{"Origin", spec->origin},
		{"Sec-Fetch-Site", spec->fetch_site},
		{"X-Forwarded-For", spec->forwarded},
		{"X-Slack-Request-Timestamp", spec->slack_time},
		{"X-Slack-Signature", spec->slack_signature},
		{"Authorization", spec->bearer},
		spec->header,
	};
	struct http_header headers[sizeof(all) / sizeof(*all)];
	struct http_request request = {
		.method = spec->method,
		.headers = headers,
		.content_type = spec->content_type,
		.body = spec->body,
		.body_len = spec->body ? strlen(spec->body) : 0,
	};
	char *authorization = spec->bearer && !strchr(spec->bearer, ' ')
				      ? xasprintf("Bearer %s", spec->bearer)
				      : NULL;
	const char *path = spec->path ? spec->path : "/who";
	char *url = xasprintf("%s%s", *path == '/' ? w->url : "", path);

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (all[i].value)
			headers[request.n_headers++] = all[i];
		if (all[i].value && all[i].value == spec->bearer &&
			authorization)
			headers[request.n_headers - 1].value = authorization;
	}
	request.url = url;
	forget(w);
	(void)http_start(w->http, &request, on_answer, w);
	free(authorization);
	free(url);
}

void identity_world_ask(
	struct identity_world *w, const struct identity_ask_spec *spec)
{
	identity_world_ask_soon(w, spec);
	RUN_UNTIL(w->loop, w->answered);
}

static void on_unix_answer(int fd, int what, void *arg)
{
	struct identity_world *w = arg;
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof(bytes) - 1);

	assert_true(n > 0);
	bytes[n] = '\0';
	assert_int_equal(sscanf(bytes, "HTTP/1.1 %d", &w->status), 1);
	w->answered = true;
}

void identity_world_ask_unix(struct identity_world *w)
{
	static const char text[] =
		"GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct watch *watch;

	snprintf(to.sun_path, sizeof(to.sun_path), "%s/s", w->folder);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	forget(w);
	watch = watch_start(w->loop, fd, WATCH_READ, on_unix_answer, w);
	RUN_UNTIL(w->loop, w->answered);
	watch_cancel(&watch);
	close(fd);
}

void identity_world_refused(struct identity_world *w,
	const struct identity_ask_spec *spec, const char *code)
{
	identity_world_ask(w, spec);
	if (strcmp(w->code, code) != 0)
		fail_msg("%d \"%s\" (%s) %s instead of %s", w->status, w->code,
			w->reason, w->keys, code);
	assert_true(w->status >= 400);
	assert_string_equal(w->keys, "");
}

char *identity_world_cookie(const struct identity_world *w)
{
	return xmemdup0(w->cookie, strcspn(w->cookie, ";"));
}

/* ---- its life ---- */

static void configure(struct identity_world *w)
{
	static const char secret[] = FAKE_RP_SECRET, signing[] = SLACK_SECRET;
	static char keys_url[96];

	snprintf(keys_url, sizeof(keys_url), "%s/keys", w->issuer.url);
	w->client_secret = secret_new(secret, strlen(secret));
	w->signing_secret = secret_new(signing, strlen(signing));
	w->domains[0] = "example.com";
	w->issuers[0] = (struct issuer_config){.kind = ISSUER_TOKEN};
	w->issuers[1] = (struct issuer_config){.kind = ISSUER_IAP,
		.audience = IAP_AUDIENCE,
		.keys_url = keys_url};
	w->issuers[2] = (struct issuer_config){.kind = ISSUER_GOOGLE,
		.audience = WORLD_URL,
		.domains = w->domains,
		.n_domains = 1,
		.keys_url = keys_url};
	w->issuers[3] = (struct issuer_config){.kind = ISSUER_GITHUB,
		.audience = WORLD_URL,
		.issuer = w->issuer.url};
	w->issuers[4] = (struct issuer_config){.kind = ISSUER_OIDC,
		.issuer = w->issuer.url,
		.client_id = FAKE_RP_ID,
		.client_secret = w->client_secret,
		.domains = w->domains,
		.n_domains = 1};
	w->issuers[5] = (struct issuer_config){.kind = ISSUER_SLACK,
		.app = "A1",
		.team = "T1",
		.signing_secret = w->signing_secret};
	w->config = (struct identity_config){.issuers = w->issuers,
		.n_issuers = 6,
		.public_url = WORLD_URL,
		.state = w->state};
}

static void open_identity(struct identity_world *w)
{
	struct api api = {.loop = w->loop, .http = w->http};
	struct err err;

	w->identity = identity_new(&api, &w->config, &err);
	if (!w->identity)
		fail_msg("%s", err.text);
	identity_set_page(w->identity, on_page, w);
}

static void socket_listen(struct identity_world *w)
{
	char *address = xasprintf("unix:%s/s", w->folder);
	struct server_options options = {.address = address};
	struct err err;

	w->unix_server = server_listen(w->loop, &options, on_request, w, &err);
	if (!w->unix_server)
		fail_msg("%s", err.text);
	free(address);
}

void identity_world_init(struct identity_world *w, EVP_PKEY *rsa, EVP_PKEY *ec)
{
	struct err err;

	*w = (struct identity_world){0};
	log_set_sink(NULL, NULL);
	snprintf(w->folder, sizeof(w->folder), "/tmp/identity-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->state, sizeof(w->state), "%s/t.db", w->folder);
	w->loop = loop_new(&err);
	w->http = http_new(w->loop, &err);
	w->server = server_new(w->loop, 0, on_request, w, &err);
	assert_non_null(w->server);
	snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d",
		server_port(w->server));
	socket_listen(w);
	fake_issuer_init(&w->issuer, w->loop, rsa, ec);
	w->issuer.redirect_uri = WORLD_URL "/callback";
	configure(w);
	open_identity(w);
}

void identity_world_restart(struct identity_world *w)
{
	identity_free(&w->identity);
	open_identity(w);
}

void identity_world_fini(struct identity_world *w)
{
	static const char *const ends[] = {
		"/t.db", "/t.db-wal", "/t.db-shm", "/s"};
	char *path;

	identity_free(&w->identity);
	fake_issuer_fini(&w->issuer);
	server_free(&w->server);
	server_free(&w->unix_server);
	http_free(&w->http);
	loop_free(&w->loop);
	secret_free(&w->client_secret);
	secret_free(&w->signing_secret);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		path = xasprintf("%s%s", w->folder, ends[i]);
		unlink(path);
		free(path);
	}
	rmdir(w->folder);
}

char *identity_world_token(struct identity_world *w, const char *name,
	const char *person, const char *rights, int64_t life_ms)
{
	struct err err;
	struct store *store = store_open(w->state, STORE_EDIT, &err);
	struct api_token token;
	struct secret *text = api_token_mint(&token);
	struct store_token row = {.id = token.id,
		.hash = token.hash,
		.name = name,
		.person = person,
		.rights = rights,
		.created_by = "test",
		.created_ms = clock_wall_ms(),
		.expires_ms = clock_wall_ms() + life_ms};
	char *copy = xstrdup(secret_reveal(text));

	assert_non_null(store);
	assert_int_equal(store_token_add(store, &row, &err), 0);
	store_free(&store);
	secret_free(&text);
	return copy;
}
