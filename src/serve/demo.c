/* SPDX-License-Identifier: Apache-2.0 */
/* The world of a demo; see demo.h. */
#include "serve/demo.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/jsonw.h"
#include "base/xalloc.h"
#include "io/companion.h"
#include "io/file.h"
#include "io/temp_folder.h"
#include "serve/demo_releases.h"
#include "serve/serve_config.h"

#define LINE_MAX_BYTES   4096
#define POLICY_MAX_BYTES (64 * 1024)
#define READY_MS         20000 /* of the sandbox */

struct demo {
	char *folder; /* policies/demo.yaml, state.db */
	struct companion *sandbox;
	char *admin, *control; /* its addresses */
	struct demo_releases *releases; /* NULL: not begun, or ended */
};

static void hold_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(how, &set, NULL);
}

/* ---- the sandbox ---- */

static char *text_of(const json_t *ready, const char *name)
{
	const char *text = json_string_value(json_object_get(ready, name));

	return text ? xstrdup(text) : NULL;
}

static int start_sandbox(
	struct demo *demo, const char *program, struct err *err_r)
{
	const char *const argv[] = {program, "--service", DEMO_SERVICE,
		"--revision", DEMO_FIRST, "--traffic", "shop-00001-old=100",
		"--load", "100", "--operation-delay", "500ms", NULL};
	struct buf line;
	json_t *ready;

	buf_init(&line, LINE_MAX_BYTES);
	demo->sandbox = companion_start(argv, READY_MS, &line, err_r);
	if (demo->sandbox) {
		ready = json_loadb(line.data, line.len, 0, NULL);
		demo->admin = text_of(ready, "admin");
		demo->control = text_of(ready, "control");
		json_decref(ready);
		if (!demo->admin || !demo->control)
			err_set(err_r, ERR_IO,
				"%s does not say where it listens", program);
	}
	buf_fini(&line);
	return demo->admin && demo->control ? 0 : -1;
}

/* ---- the policy ---- */

/* Windows and bakes of seconds: for somebody who looks on. */
static const char policy_head[] =
	"# Of the demo; windows of a few seconds see noise, not quality.\n"
	"version: 1\n"
	"name: " DEMO_POLICY "\n"
	"target: {project: sandbox, region: us-central1, "
	"service: " DEMO_SERVICE "}\n"
	"steps:\n"
	"  - {percent: 10, bake: 6s}\n"
	"  - percent: 50\n"
	"    bake: 6s\n"
	"    approval: {approvers: [";
static const char policy_steps[] = "], timeout: 10m}\n"
				   "  - {percent: 100, bake: 6s}\n"
				   "slos:\n";
static const char policy_slo[] =
	"  - name: %s\n"
	"    provider: json\n"
	"    url: %s/recent\n"
	"    params: {revision: \"{{revision}}\", window: \"{{window}}\"}\n"
	"    pointer: %s\n"
	"    requests: {pointer: /requests, min: 20}\n"
	"    window: 5s\n"
	"    interval: 1s\n"
	"    timeout: 900ms\n"
	"    fail_after: {breaches: 3, of: 4}\n"
	"    min_passes: 3\n"
	"    max: %s\n";
static const char policy_tail[] = "settle: 1s\n"
				  "on_breach: rollback\n"
				  "on_undecided: hold\n"
				  "hold_timeout: 1m\n";

static int write_policy(const struct demo *demo, const char *folder,
	const char *owner, struct err *err_r)
{
	char *path = xasprintf("%s/" DEMO_POLICY ".yaml", folder);
	struct buf text;
	struct jsonw name = {.out = &text};
	int rc;

	buf_init(&text, POLICY_MAX_BYTES);
	buf_adds(&text, policy_head);
	jsonw_text(&name, NULL, owner);
	buf_adds(&text, policy_steps);
	buf_addf(&text, policy_slo, "error-rate", demo->control, "/errorRatio",
		"5%");
	buf_addf(&text, policy_slo, "latency-p95", demo->control, "/p95",
		"500ms");
	buf_adds(&text, policy_tail);
	rc = file_replace(path, &text, err_r);
	buf_fini(&text);
	free(path);
	return rc;
}

/* ---- all of it ---- */

static int configure(struct demo *demo, const char *owner,
	struct serve_config *config, struct err *err_r)
{
	config->state =
		arena_printf(&config->arena, "%s/state.db", demo->folder);
	config->policies =
		arena_printf(&config->arena, "%s/policies", demo->folder);
	config->identity.state = config->state;
	if (mkdir(config->policies, 0700))
		return err_set(err_r, ERR_IO, "cannot make %s: %s",
			config->policies, strerror(errno));
	setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN", demo->admin, 1);
	/* Any will do; it is masked wherever it is shown, so it is nothing
	 * else. */
	setenv("CLOUDSDK_AUTH_ACCESS_TOKEN", "none-is-needed-here", 1);
	return write_policy(demo, config->policies, owner, err_r);
}

struct demo *demo_open(const char *sandbox, const char *owner,
	struct serve_config *config, struct err *err_r)
{
	struct demo *demo = xcalloc(1, sizeof(*demo));

	hold_signals(SIG_BLOCK);
	demo->folder = temp_folder_make("tidegate-demo", err_r);
	if (!demo->folder || start_sandbox(demo, sandbox, err_r) < 0 ||
		configure(demo, owner, config, err_r) < 0)
		demo_close(&demo);
	return demo;
}

void demo_close(struct demo **demo_p)
{
	struct demo *demo = *demo_p;

	if (!demo)
		return;
	hold_signals(SIG_BLOCK); /* a second Ctrl-C leaves nothing either */
	companion_stop(&demo->sandbox);
	temp_folder_remove(&demo->folder);
	free(demo->admin);
	free(demo->control);
	free(demo);
	*demo_p = NULL;
	hold_signals(SIG_UNBLOCK);
}

void demo_begin(struct demo *demo, struct daemon *daemon)
{
	hold_signals(SIG_UNBLOCK);
	demo->releases = demo_releases_new(daemon, demo->admin);
}

void demo_end(struct demo *demo)
{
	demo_releases_free(&demo->releases);
}

const char *demo_control(const struct demo *demo)
{
	return demo->control;
}
