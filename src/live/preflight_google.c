/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google's view of us: which credentials, do they give a token, and what may it
 * do. See preflight_parts.h.
 *
 *   preflight_google -> google_token
 *   preflight_permissions -> permissions_held
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "google/credentials.h"
#include "io/loop.h"
#include "live/preflight_parts.h"

static void google_token(
	const struct secret *token, const struct err *err, void *arg);
static void permissions_held(unsigned held, const struct err *err, void *arg);

/* ---- credentials ---- */

static const char find_remedy[] =
	"log in with \"gcloud auth application-default login\", set "
	"GOOGLE_APPLICATION_CREDENTIALS to a file, or run where there is a "
	"metadata server; in GitHub Actions use google-github-actions/auth";

static struct credentials *credentials_of(const struct preflight *preflight)
{
	return preflight->world->credentials;
}

static void tell_credentials(struct preflight *preflight)
{
	struct credentials_about about;

	credentials_about(credentials_of(preflight), &about);
	finding_tell(preflight, FINDING_OK, "credentials", about.type, NULL,
		"%s%s%s%s%s%s",
		about.account ? about.account : "whose they are is not said",
		about.origin ? "; found by " : "",
		about.origin ? about.origin : "", about.path ? " (" : "",
		about.path ? about.path : "", about.path ? ")" : "");
}

void preflight_google(struct preflight *preflight)
{
	if (preflight->what.credentials_err) {
		finding_tell(preflight, FINDING_FAIL, "credentials", "",
			find_remedy, "%s",
			preflight->what.credentials_err->text);
		preflight_next(preflight);
		return;
	}
	tell_credentials(preflight);
	preflight->token =
		token_start(credentials_of(preflight), google_token, preflight);
}

static const char *new_token_remedy(const struct preflight *preflight)
{
	struct credentials_about about;

	credentials_about(credentials_of(preflight), &about);
	if (!strcmp(about.type, "ready token"))
		return "put what gcloud auth print-access-token prints into "
		       "CLOUDSDK_AUTH_ACCESS_TOKEN; better, unset it where "
		       "other credentials are found: those are renewed";
	if (about.is_guess)
		return find_remedy;
	return "the step that failed is named: mend it there, or log in anew";
}

static void google_token(
	const struct secret *token, const struct err *err, void *arg)
{
	struct preflight *preflight = arg;
	struct loop *loop = preflight->world->loop;
	int64_t end_ms =
		token ? token_expires_ms(credentials_of(preflight)) : 0;
	char text[TIMESTAMP_TEXT_MAX];

	preflight->token = NULL;
	if (!token) {
		preflight->cut_off = true;
		finding_tell(preflight, FINDING_FAIL, "token", "",
			new_token_remedy(preflight), "%s", err->text);
	} else if (end_ms == INT64_MAX) {
		finding_tell(preflight, FINDING_OK, "token", "", NULL,
			"given as it is: when it ends nobody says, and it is "
			"not renewed");
	} else {
		finding_tell(preflight, FINDING_OK, "token", "", NULL,
			"until %s, %" PRId64 " min from now; then renewed",
			timestamp_print(
				loop_wall_ms(loop) + end_ms - loop_now(loop),
				text),
			(end_ms - loop_now(loop)) / 60000);
	}
	preflight_next(preflight);
}

/* ---- permissions ---- */

static const char *const permissions[] = {"run.services.get",
	"run.services.update", "run.revisions.get", "run.operations.get", NULL};
#define CAN_DO_WITHOUT 3 /* from here on: the service is followed instead */

void preflight_permissions(struct preflight *preflight)
{
	if (preflight->cut_off) {
		preflight_next(preflight);
		return;
	}
	preflight->call = cloudrun_test_permissions_start(
		preflight->world->cloudrun, preflight->release->service.full,
		permissions, permissions_held, preflight);
}

static const char *grant_remedy(struct preflight *preflight)
{
	struct credentials_about about;
	const char *kind, *who;

	credentials_about(credentials_of(preflight), &about);
	who = about.account ? about.account : "WHO";
	kind = !about.account || strchr(who, ':')    ? ""
	       : strstr(who, ".gserviceaccount.com") ? "serviceAccount:"
						     : "user:";
	return arena_printf(&preflight->arena,
		"gcloud run services add-iam-policy-binding %s%s "
		"--member=%s%s --role=roles/run.developer",
		preflight->release->service.name, preflight_place(preflight),
		kind, who);
}

static void tell_permissions(struct preflight *preflight, unsigned held)
{
	for (int i = 0; permissions[i]; i++) {
		bool has = held >> i & 1;

		if (has)
			finding_tell(preflight, FINDING_OK, "permission",
				permissions[i], NULL, "held");
		else if (i < CAN_DO_WITHOUT)
			finding_tell(preflight, FINDING_FAIL, "permission",
				permissions[i], grant_remedy(preflight),
				"not held");
		else
			finding_tell(preflight, FINDING_WARN, "permission",
				permissions[i], grant_remedy(preflight),
				"not held: why a write fails will not be told");
	}
}

static void permissions_held(unsigned held, const struct err *err, void *arg)
{
	struct preflight *preflight = arg;

	preflight->call = NULL;
	if (!err) {
		tell_permissions(preflight, held);
	} else if (err->code == ERR_AUTH) {
		preflight->cut_off = true;
		finding_tell(preflight, FINDING_FAIL, "token", "refused",
			new_token_remedy(preflight), "%s", err->text);
	} else if (err->code != ERR_NOT_FOUND) { /* the service is told of */
		finding_tell(preflight, FINDING_WARN, "permission", "",
			"look again when the API answers; what can be read is "
			"told below",
			"not known: %s", err->text);
	}
	preflight_next(preflight);
}
