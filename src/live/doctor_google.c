/*
 * The doctor's look at Google's side of us: which credentials, do they give a
 * token, what may it do, and what time is it there. See doctor_parts.h.
 *
 *   doctor_google -> google_token
 *   doctor_permissions -> permissions_held
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "google/credentials.h"
#include "io/loop.h"
#include "live/doctor_parts.h"

static void google_token(
	const struct secret *token, const struct err *err, void *arg);
static void permissions_held(unsigned held, const struct err *err, void *arg);

/* ---- credentials ---- */

static const char find_remedy[] =
	"log in with \"gcloud auth application-default login\", set "
	"GOOGLE_APPLICATION_CREDENTIALS to a file, or run where there is a "
	"metadata server; in GitHub Actions use google-github-actions/auth";

static struct credentials *credentials_of(const struct doctor *doctor)
{
	return doctor->world->credentials;
}

static void tell_credentials(struct doctor *doctor)
{
	struct credentials_about about;

	credentials_about(credentials_of(doctor), &about);
	doctor_tell(doctor, FINDING_OK, "credentials", about.type, NULL,
		"%s%s%s%s%s%s",
		about.account ? about.account : "whose they are is not said",
		about.origin ? "; found by " : "",
		about.origin ? about.origin : "", about.path ? " (" : "",
		about.path ? about.path : "", about.path ? ")" : "");
}

void doctor_google(struct doctor *doctor)
{
	if (doctor->options.credentials_err) {
		doctor_tell(doctor, FINDING_FAIL, "credentials", "",
			find_remedy, "%s",
			doctor->options.credentials_err->text);
		doctor_next(doctor);
		return;
	}
	tell_credentials(doctor);
	doctor->token =
		token_start(credentials_of(doctor), google_token, doctor);
}

static const char *new_token_remedy(const struct doctor *doctor)
{
	struct credentials_about about;

	credentials_about(credentials_of(doctor), &about);
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
	struct doctor *doctor = arg;
	struct loop *loop = doctor->world->loop;
	int64_t end_ms = token ? token_expires_ms(credentials_of(doctor)) : 0;
	char text[TIMESTAMP_TEXT_MAX];

	doctor->token = NULL;
	if (!token) {
		doctor->cut_off = true;
		doctor_tell(doctor, FINDING_FAIL, "token", "",
			new_token_remedy(doctor), "%s", err->text);
	} else if (end_ms == INT64_MAX) {
		doctor_tell(doctor, FINDING_OK, "token", "", NULL,
			"given as it is: when it ends nobody says, and it is "
			"not renewed");
	} else {
		doctor_tell(doctor, FINDING_OK, "token", "", NULL,
			"until %s, %" PRId64 " min from now; then renewed",
			timestamp_print(
				loop_wall_ms(loop) + end_ms - loop_now(loop),
				text),
			(end_ms - loop_now(loop)) / 60000);
	}
	doctor_next(doctor);
}

/* ---- permissions ---- */

static const char *const permissions[] = {"run.services.get",
	"run.services.update", "run.revisions.get", "run.operations.get", NULL};
#define CAN_DO_WITHOUT 3 /* from here on: the service is followed instead */

void doctor_permissions(struct doctor *doctor)
{
	if (doctor->cut_off) {
		doctor_next(doctor);
		return;
	}
	doctor->call = cloudrun_test_permissions_start(doctor->world->cloudrun,
		doctor->release->service.full, permissions, permissions_held,
		doctor);
}

static const char *grant_remedy(struct doctor *doctor)
{
	struct credentials_about about;
	const char *kind, *who;

	credentials_about(credentials_of(doctor), &about);
	who = about.account ? about.account : "WHO";
	kind = !about.account || strchr(who, ':')    ? ""
	       : strstr(who, ".gserviceaccount.com") ? "serviceAccount:"
						     : "user:";
	return arena_printf(&doctor->arena,
		"gcloud run services add-iam-policy-binding %s%s "
		"--member=%s%s --role=roles/run.developer",
		doctor->release->service.name, doctor_place(doctor), kind, who);
}

static void tell_permissions(struct doctor *doctor, unsigned held)
{
	for (int i = 0; permissions[i]; i++) {
		bool has = held >> i & 1;

		if (has)
			doctor_tell(doctor, FINDING_OK, "permission",
				permissions[i], NULL, "held");
		else if (i < CAN_DO_WITHOUT)
			doctor_tell(doctor, FINDING_FAIL, "permission",
				permissions[i], grant_remedy(doctor),
				"not held");
		else
			doctor_tell(doctor, FINDING_WARN, "permission",
				permissions[i], grant_remedy(doctor),
				"not held: why a write fails will not be told");
	}
}

static void permissions_held(unsigned held, const struct err *err, void *arg)
{
	struct doctor *doctor = arg;

	doctor->call = NULL;
	if (!err) {
		tell_permissions(doctor, held);
	} else if (err->code == ERR_AUTH) {
		doctor->cut_off = true;
		doctor_tell(doctor, FINDING_FAIL, "token", "refused",
			new_token_remedy(doctor), "%s", err->text);
	} else if (err->code != ERR_NOT_FOUND) { /* the service is told of */
		doctor_tell(doctor, FINDING_WARN, "permission", "",
			"look again when the API answers; what can be read is "
			"told below",
			"not known: %s", err->text);
	}
	doctor_next(doctor);
}
