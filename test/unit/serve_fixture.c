/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon over a sandbox; see serve_fixture.h. */
#include "serve_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "identity/api_token.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/http.h"
#include "io/loop.h"
#include "sandbox/sandbox.h"
#include "serve/driven.h"
#include "until.h"

#define EVERYTHING "read,start,operate,approve,metrics,admin"

/* ---- the sandbox ---- */

static void run_sandbox(int to)
{
	static const char *const revisions[] = {"backend-1", "backend-2"};
	const struct sandbox_options options = {.project = "acme",
		.region = "us-central1",
		.service = "backend",
		.revisions = revisions,
		.n_revisions = 2,
		.traffic = "backend-1=100",
		.operation_delay_ms = 1,
		.etag_is_strict = true,
		.seed = 1};
	struct sandbox *sandbox;
	struct loop *loop;
	struct buf line;
	struct err err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	loop = loop_new(&err);
	sandbox = loop ? sandbox_new(loop, &options, &err) : NULL;
	if (!sandbox)
		_exit(1);
	buf_init(&line, 4096);
	sandbox_print_ready(sandbox, &line);
	if (write(to, line.data, line.len) < 0 || loop_run(loop, &err) < 0)
		_exit(1);
	_exit(0);
}

static void start_sandbox(struct served *served)
{
	char line[4096];
	int fds[2];
	json_t *ready;
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	served->sandbox = fork();
	assert_true(served->sandbox >= 0);
	if (!served->sandbox)
		run_sandbox(fds[1]);
	close(fds[1]);
	n = read(fds[0], line, sizeof(line) - 1);
	assert_true(n > 0);
	close(fds[0]);
	ready = json_loadb(line, (size_t)n, 0, NULL);
	assert_non_null(ready);
	served->admin =
		xstrdup(json_string_value(json_object_get(ready, "admin")));
	json_decref(ready);
}

/* ---- the daemon ---- */

void served_write(
	const struct served *served, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", served->folder, name);
	struct buf bytes;
	struct err err;

	buf_init(&bytes, 65536);
	buf_adds(&bytes, text);
	assert_int_equal(file_replace(path, &bytes, &err), 0);
	buf_fini(&bytes);
	free(path);
}

static const char policy[] =
	"version: 1\n"
	"name: e2e\n"
	"target: {project: acme, region: us-central1, service: backend}\n"
	"metrics: {url: \"${PROMETHEUS_URL}\", timeout: 900ms}\n"
	"steps:\n"
	"  - {percent: 20, bake: 1s}\n"
	"  - {percent: 100, bake: 1s,\n"
	"     approval: {approvers: [owner, bob], timeout: 4h,\n"
	"                self_approval: true}}\n"
	"settle: 0s\n"
	"slos:\n"
	"  - {name: errors, query: 'x{revision=\"{{candidate}}\"}', max: 1,\n"
	"     window: 2s, interval: 1s, min_passes: 1}\n";

void served_start(struct served *served)
{
	struct buf text;
	struct err err;

	buf_init(&text, 65536);
	served->daemon = daemon_open(served->config, &text, &err);
	if (!served->daemon)
		fail_msg("%s%s", text.data, err.text);
	served->front = front_open(served->daemon, &err);
	if (!served->front)
		fail_msg("%s", err.text);
	buf_clear(&text);
	front_print_address(served->front, &text);
	served->address = buf_steal(&text);
	served->http = http_new(daemon_loop(served->daemon), &err);
	assert_non_null(served->http);
	buf_fini(&text);
}

void served_stop(struct served *served)
{
	http_free(&served->http);
	front_drain(served->front);
	daemon_drain(served->daemon);
	front_close(&served->front);
	daemon_close(&served->daemon);
	xfree(&served->address);
}

static const char *keep(struct served *served, const char *name)
{
	return arena_printf(
		&served->config->arena, "%s/%s", served->folder, name);
}

void served_open(struct served *served)
{
	/* In memory where there is some: a disk that others keep busy is late
	 * for minutes by a clock that tests move on. */
	bool has_memory = access("/dev/shm", W_OK) == 0;
	char *url;

	*served = (struct served){0};
	log_set_level(LOG_ERROR);
	buf_init(&served->body, 16 * 1024 * 1024);
	served->folder = xasprintf(
		"%s/tidegate-served-XXXXXX", has_memory ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(served->folder));
	start_sandbox(served);
	url = xasprintf("%s/prometheus", served->admin);
	setenv("PROMETHEUS_URL", url, 1);
	setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN", served->admin, 1);
	setenv("CLOUDSDK_AUTH_ACCESS_TOKEN", "a-token-of-the-sandbox", 1);
	free(url);
	served->config = serve_config_new("owner");
	served->config->listen = "127.0.0.1:0";
	served->config->state = keep(served, "state.db");
	served->config->policies = keep(served, "policies");
	served->config->identity.state = served->config->state;
	assert_int_equal(mkdir(served->config->policies, 0700), 0);
	served_write(served, "policies/e2e.yaml", policy);
	served_start(served);
	served_be(served, "owner", EVERYTHING);
}

void served_close(struct served *served)
{
	char *command = xasprintf("rm -r %s", served->folder);

	if (served->daemon)
		served_stop(served);
	kill(served->sandbox, SIGKILL);
	waitpid(served->sandbox, NULL, 0);
	serve_config_free(&served->config);
	assert_int_equal(system(command), 0);
	free(command);
	free(served->folder);
	free(served->admin);
	free(served->token);
	buf_fini(&served->body);
}

/* ---- asking ---- */

void served_be(struct served *served, const char *person, const char *rights)
{
	struct api_token token;
	struct secret *text = api_token_mint(&token);
	const struct store_token row = {.id = token.id,
		.hash = token.hash,
		.name = "test",
		.person = person ? person : "",
		.rights = rights,
		.created_by = "test",
		.created_ms = clock_wall_ms(),
		.expires_ms = clock_wall_ms() + 3600000};
	struct store *store;
	struct err err;

	store = store_open(served->config->state, STORE_EDIT, &err);
	assert_non_null(store);
	assert_int_equal(store_token_add(store, &row, &err), 0);
	store_free(&store);
	free(served->token);
	served->token = xasprintf("Bearer %s", secret_reveal(text));
	secret_free(&text);
}

static void take_reply(const struct http_reply *reply, void *arg)
{
	struct served *served = arg;
	const char *etag = http_reply_header(reply, "ETag");

	if (reply->err)
		fail_msg("%s", reply->err->text);
	served->status = reply->status;
	buf_clear(&served->body);
	buf_add(&served->body, reply->body, reply->body_len);
	snprintf(served->content_type, sizeof(served->content_type), "%s",
		reply->content_type);
	snprintf(served->etag, sizeof(served->etag), "%s", etag ? etag : "");
}

void served_send(struct served *served, const char *method, const char *path,
	const char *body, const char *content_type, const char *more)
{
	char *url = xasprintf("%s%s", served->address, path);
	char *names = xstrdup(more ? more : ""), *at = names, *line;
	struct http_header headers[8] = {{"Authorization", served->token}};
	struct http_request request = {
		.method = method,
		.url = url,
		.headers = headers,
		.n_headers = 1,
		.content_type = content_type,
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.body_max = 16 * 1024 * 1024,
		.timeout_ms = 60000,
	};

	while ((line = strsep(&at, "\n"))) {
		char *colon = strstr(line, ": ");

		if (!colon)
			continue;
		*colon = '\0';
		headers[request.n_headers++] =
			(struct http_header){line, colon + 2};
	}
	served->status = 0;
	http_start(served->http, &request, take_reply, served);
	free(names);
	free(url);
}

void served_ask_as(struct served *served, const char *method, const char *path,
	const char *body, const char *content_type, const char *more)
{
	served_send(served, method, path, body, content_type, more);
	RUN_UNTIL(daemon_loop(served->daemon), served->status);
}

void served_ask(struct served *served, const char *method, const char *path,
	const char *body, const char *more)
{
	served_ask_as(served, method, path, body,
		body ? "application/json" : NULL, more);
}

void served_expect(struct served *served, int status, const char *method,
	const char *path, const char *body)
{
	served_ask(served, method, path, body, NULL);
	if (served->status != status)
		fail_msg("%s %s: %d and not %d: %s", method, path,
			served->status, status, served->body.data);
}

static json_t *at(json_t *json, const char *pointer)
{
	char *copy = xstrdup(pointer), *rest = copy, *part;

	strsep(&rest, "/");
	while (json && (part = strsep(&rest, "/")))
		json = json_is_array(json)
			       ? json_array_get(json, (size_t)atoi(part))
			       : json_object_get(json, part);
	free(copy);
	return json;
}

char *served_text(const struct served *served, const char *pointer)
{
	json_t *root = json_loads(served->body.data, JSON_DECODE_ANY, NULL);
	json_t *found = root ? at(root, pointer) : NULL;
	char *dumped, *text;

	if (!found || json_is_null(found)) {
		text = xstrdup("");
	} else if (json_is_string(found)) {
		text = xstrdup(json_string_value(found));
	} else {
		dumped = json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT);
		text = xstrdup(dumped);
		free(dumped);
	}
	json_decref(root);
	return text;
}

bool served_has(const struct served *served, const char *text)
{
	return strstr(served->body.data, text) != NULL;
}

char *served_path(const char *pattern, const char *id)
{
	static const struct {
		const char *name, *value;
	} known[] = {
		{"{project}", "acme"},
		{"{region}", "us-central1"},
		{"{service}", "backend"},
	};
	struct buf path;
	size_t i;

	buf_init(&path, 4096);
	for (const char *p = pattern; *p; p++) {
		if (*p != '{') {
			buf_addc(&path, *p);
			continue;
		}
		for (i = 0; i < sizeof(known) / sizeof(*known); i++)
			if (!strncmp(p, known[i].name, strlen(known[i].name)))
				break;
		buf_adds(&path, i < sizeof(known) / sizeof(*known)
					? known[i].value
					: id);
		p += strcspn(p, "}");
	}
	return buf_steal(&path);
}

/* ---- rollouts ---- */

static bool phase_is(
	struct served *served, const char *rollout, const char *phase)
{
	const struct driven *driven =
		driven_find(daemon_driven(served->daemon), rollout);
	char *path, *now;
	bool is_it;

	/* Requests are counted: it is asked when it may be so. */
	if (driven &&
		strcmp(phase_name(driver_state(driven_driver(driven))->phase),
			phase) != 0)
		return false;
	path = xasprintf("/api/v1/rollouts/%s", rollout);
	served_ask(served, "GET", path, NULL, NULL);
	now = served_text(served, "/phase");
	is_it = !strcmp(now, phase);
	free(now);
	free(path);
	return is_it;
}

void served_wait_phase(
	struct served *served, const char *rollout, const char *phase)
{
	RUN_UNTIL(
		daemon_loop(served->daemon), phase_is(served, rollout, phase));
}

char *served_rollout(struct served *served, const char *phase)
{
	char *id;

	served_expect(served, 201, "POST", "/api/v1/rollouts",
		"{\"policy\": \"e2e\"}");
	id = served_text(served, "/rollout");
	assert_true(*id);
	served_wait_phase(served, id, phase);
	return id;
}

bool served_is_driven(const struct served *served, const char *rollout)
{
	return driven_find(daemon_driven(served->daemon), rollout) != NULL;
}
