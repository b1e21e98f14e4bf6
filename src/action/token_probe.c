/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a token can be had; see token_probe.h. */
#include "action/token_probe.h"

#include <stdlib.h>

#include "api/request.h"
#include "base/xalloc.h"
#include "google/credentials.h"
#include "policy/url.h"

struct token_probe {
	struct token_call *call;
};

static void probe_answered(
	const struct secret *token, const struct err *err, void *arg)
{
	struct action_run *run = arg;
	struct token_probe *probe = run->data;

	probe->call = NULL;
	buf_adds(&run->detail, token ? "a token can be had" : err->text);
	action_run_end(run, token ? ACTION_OK : ACTION_FAILED);
}

static void probe_id_token(
	struct action_run *run, const struct auth *auth, const char *url)
{
	struct token_probe *probe = run->data;
	struct err err;
	char *audience = auth->audience ? xstrdup(auth->audience)
					: url_audience(url, &err);

	if (audience) {
		probe->call = id_token_start(
			run->env->credentials, audience, probe_answered, run);
	} else {
		buf_adds(&run->detail, err.text);
		action_run_end_soon(run, ACTION_FAILED);
	}
	free(audience);
}

void token_probe_start(
	struct action_run *run, const struct auth *auth, const char *url)
{
	struct token_probe *probe;

	if (!request_wants_token(auth)) {
		action_run_end_soon(run, ACTION_OK);
		return;
	}
	probe = xcalloc(1, sizeof(*probe));
	run->data = probe;
	if (auth->type == AUTH_ID_TOKEN)
		probe_id_token(run, auth, url);
	else
		probe->call =
			token_start(run->env->credentials, probe_answered, run);
}

void token_probe_cancel(struct action_run *run)
{
	struct token_probe *probe = run->data;

	run->data = NULL;
	if (!probe)
		return;
	token_cancel(&probe->call);
	free(probe);
}
