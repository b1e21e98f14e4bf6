/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon with a Slack; see slack_fixture.h. */
#include "slack_fixture.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/xalloc.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/server.h"
#include "until.h"

#define URL "https://tidegate.example/ops"

static const char *const owner_keys[] = {"slack:T1/U1", "slack:T1/U2"};
static const char *const bob_keys[] = {"slack:T1/U3"};
static const char *const carol_keys[] = {"slack:T1/U4"};
static const char *const everybody[] = {"owner", "bob", "carol"};
static const struct access_row rows[] = {
	{.who = everybody, .n_who = 3, .may = RIGHTS_ALL}};

static void configure(struct slacked *s)
{
	struct serve_config *config = s->served.config;

	s->token = secret_new(FAKE_SLACK_TOKEN, strlen(FAKE_SLACK_TOKEN));
	s->secret = secret_new(FAKE_SLACK_SECRET, strlen(FAKE_SLACK_SECRET));
	s->issuers[0] = (struct issuer_config){.kind = ISSUER_TOKEN};
	s->issuers[1] = (struct issuer_config){.kind = ISSUER_SLACK,
		.app = FAKE_SLACK_APP,
		.team = FAKE_SLACK_TEAM,
		.signing_secret = s->secret,
		.api_url = s->url,
		.bot_token = s->token};
	s->rows[0] = (struct notify_row){
		FAKE_SLACK_CHANNEL, NOTIFY_BIT(NOTIFY_EVENTS) - 1};
	s->people[0] = (struct person){"owner", owner_keys, 2};
	s->people[1] = (struct person){"bob", bob_keys, 1};
	config->identity.issuers = s->issuers;
	config->identity.n_issuers = 2;
	s->people[2] = (struct person){"carol", carol_keys, 1};
	config->people = (struct people){s->people, 3};
	config->access = (struct access){rows, 1};
	config->notify = (struct notify_config){s->rows, 1, &s->issuers[1]};
	config->public_url = URL;
	config->identity.public_url = URL;
}

void slacked_start(struct slacked *s)
{
	served_start(&s->served);
	fake_slack_open(&s->slack, daemon_loop(s->served.daemon), s->port);
}

void slacked_stop(struct slacked *s)
{
	fake_slack_close(&s->slack);
	served_stop(&s->served);
}

/* Returns when the sandbox, which does one thing at a time, has come to this. */
static void await_sandbox(const struct slacked *s)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char answer[4096];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port;

	assert_int_equal(
		sscanf(s->served.admin, "http://127.0.0.1:%d", &port), 1);
	to.sin_port = htons((uint16_t)port);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	while (read(fd, answer, sizeof(answer)) > 0)
		;
	close(fd);
}

void slacked_later(struct slacked *s, int64_t ms)
{
	await_sandbox(s);
	until_later(daemon_loop(s->served.daemon), ms);
}

static const char policy[] =
	"version: 1\n"
	"name: two\n"
	"target: {project: acme, region: us-central1, service: backend}\n"
	"metrics: {url: \"${PROMETHEUS_URL}\", timeout: 900ms}\n"
	"steps:\n"
	"  - {percent: 20, bake: 1s}\n"
	"  - {percent: 100, bake: 1s,\n"
	"     approval: {approvers: [owner, bob, carol], minimum: 2,\n"
	"                timeout: 4h}}\n"
	"settle: 0s\n"
	"slos:\n"
	"  - {name: errors, query: 'x{revision=\"{{candidate}}\"}', max: 1,\n"
	"     window: 2s, interval: 1s, min_passes: 1}\n";

void slacked_open(struct slacked *s)
{
	*s = (struct slacked){0};
	served_open(&s->served);
	fake_slack_open(&s->slack, daemon_loop(s->served.daemon), 0);
	s->port = server_port(s->slack.server);
	s->url = fake_slack_url(&s->slack);
	slacked_stop(s);
	configure(s);
	served_write(&s->served, "policies/two.yaml", policy);
	slacked_start(s);
}

void slacked_close(struct slacked *s)
{
	if (s->slack.server)
		fake_slack_close(&s->slack);
	served_close(&s->served);
	fake_slack_fini(&s->slack);
	xfree(&s->url);
	secret_free(&s->token);
	secret_free(&s->secret);
}

void slacked_decide(struct slacked *s, const char *rollout, const char *verb,
	const char *comment)
{
	char *path = xasprintf("/api/v1/rollouts/%s/decisions", rollout);
	char *body = xasprintf("{\"verb\": \"%s\", \"step\": 2, \"candidate\": "
			       "\"backend-2\", \"comment\": \"%s\"}",
		verb, comment);

	served_expect(&s->served, 202, "POST", path, body);
	free(body);
	free(path);
}

char *slacked_rollout(struct slacked *s)
{
	const struct fake_post *post;
	char *id;

	served_expect(&s->served, 201, "POST", "/api/v1/rollouts",
		"{\"policy\": \"two\"}");
	id = served_text(&s->served, "/rollout");
	served_wait_phase(&s->served, id, "awaiting-approval");
	SLACKED_UNTIL(
		s, (post = fake_slack_post(&s->slack, FAKE_SLACK_CHANNEL, 0)) &&
			   fake_post_button(post, "approve"));
	return id;
}

char *slacked_told(struct slacked *s, int n)
{
	SLACKED_UNTIL(s, s->slack.answers >= n);
	return xstrdup(
		json_string_value(json_object_get(s->slack.answer, "text")));
}

void slacked_send(struct slacked *s, const char *body)
{
	char *headers = fake_slack_sign(body, clock_wall_ms() / 1000);

	served_send(&s->served, "POST", "/slack/actions", body,
		"application/x-www-form-urlencoded", headers);
	free(headers);
}

void slacked_press(struct slacked *s, const struct fake_press *press)
{
	char *body = fake_slack_payload(press);

	slacked_send(s, body);
	RUN_UNTIL(daemon_loop(s->served.daemon), s->served.status);
	free(body);
}

void slacked_push(struct slacked *s, const char *user, const char *verb)
{
	const char *value = fake_post_button(
		fake_slack_post(&s->slack, FAKE_SLACK_CHANNEL, 0), verb);
	char *url = xasprintf("http://127.0.0.1:%d/api/response/1", s->port);

	assert_non_null(value);
	slacked_press(s, &(struct fake_press){.user = user,
				 .verb = verb,
				 .value = value,
				 .answer_url = url});
	free(url);
}
