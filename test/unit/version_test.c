/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets, sites and Deployments that go back to an earlier version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "action/site_codec.h"
#include "action/version_codec.h"
#include "action_fixture.h"
#include "api/request.h"
#include "base/crc32c.h"
#include "base/xalloc.h"
#include "fake_api.h"
#include "google/credentials.h"
#include "io/worker.h"

static struct credentials *credentials;
static struct fake_api api;
static char folder[] = "/tmp/version_test.XXXXXX";

static int setup(void **state)
{
	struct err err;
	char *url;

	fixture_open();
	setenv("CLOUDSDK_AUTH_ACCESS_TOKEN", "unit-token", 1);
	credentials = credentials_new(loop, http, &err);
	assert_non_null(credentials);
	fake_api_init(&api, loop);
	url = fake_api_url(&api, "/");
	setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", url, 1);
	setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_FIREBASEHOSTING", url, 1);
	free(url);
	env.credentials = credentials;
	action.idempotent = true;
	return 0;
}

static int teardown(void **state)
{
	if (action.kind == ACTION_SECRET)
		secret_free(&action.u.secret.value);
	fake_api_fini(&api);
	credentials_free(&credentials);
	fixture_close();
	return 0;
}

/* ---- secrets ---- */

static void set_secret(const char *value)
{
	action.kind = ACTION_SECRET;
	action.u.secret = (struct action_secret){
		.secret = "flag", .value = secret_hold(value, strlen(value))};
}

static void the_checksum_is_castagnoli_s(void **state)
{
	assert_int_equal(crc32c("123456789", 9), 0xe3069283u);
	assert_int_equal(crc32c("", 0), 0);
}

static void a_value_is_added_once(void **state)
{
	struct err err;

	fake_api_put(&api, 41, "on");
	set_secret("off for {{service}}");
	assert_int_equal(action_check(&env, &action, &err), 0);
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "added version 42 of flag; before it: 41");
	assert_string_equal(end.captured, "41");
	assert_string_equal(api.data, "b2ZmIGZvciBzaG9w");
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "version 42 holds the value already");
	assert_int_equal(api.version, 42);
	assert_null(strstr(end.detail, "off for"));
}

static void a_secret_without_a_readable_version_gets_one(void **state)
{
	set_secret("on");
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "added version 1 of flag; before it: not known");
	api.disabled = true;
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "added version 2");
}

static void a_version_that_is_broken_is_told(void **state)
{
	fake_api_put(&api, 3, "on");
	snprintf(api.data, sizeof(api.data), "b24"); /* no padding */
	set_secret("on");
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "version 3 holds the value already");
	/* Also when it is another value that is there. */
	snprintf(api.crc, sizeof(api.crc), "1");
	secret_free(&action.u.secret.value);
	set_secret("off");
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "does not fit its own checksum");
	snprintf(api.data, sizeof(api.data), "b24=x");
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "are not base64");
	assert_int_equal(api.version, 3);
}

static void a_checksum_that_nobody_looked_at_is_told(void **state)
{
	fake_api_put(&api, 41, "on");
	set_secret("off");
	api.no_checksum = true;
	run_job(JOB_RUN, NULL); /* it is there, and reads back well */
	expect(ACTION_OK, "added version 42 of flag; before it: 41");
	api.spoils = true;
	secret_free(&action.u.secret.value);
	set_secret("on");
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "answered 200: the answer does not say that the "
			      "checksum was looked at");
}

static void preflight_records_the_version_and_asks_for_the_right(void **state)
{
	fake_api_put(&api, 41, "on");
	set_secret("off");
	run_job(JOB_CAPTURE, NULL);
	expect(ACTION_OK, "is at version 41");
	assert_string_equal(end.captured, "41");
	api.may_not_add = true;
	run_job(JOB_CAPTURE, NULL);
	expect(ACTION_FAILED, "need secretmanager.versions.add");
	run_job(JOB_DRILL, NULL);
	expect(ACTION_FAILED, "need secretmanager.versions.add");
	assert_int_equal(api.version, 41);
}

static void a_secret_gets_back_what_it_held_in_preflight(void **state)
{
	action.kind = ACTION_SECRET;
	action.u.secret =
		(struct action_secret){.secret = "flag", .restore = true};
	run_job(JOB_CAPTURE, NULL);
	expect(ACTION_FAILED, "answered 404"); /* nothing to go back to */
	fake_api_put(&api, 41, "on");
	run_job(JOB_CAPTURE, NULL);
	expect(ACTION_OK, "is at version 41");
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "recorded no version to go back to");
	fake_api_put(&api, 42, "off");
	run_job(JOB_DRILL, "41");
	expect(ACTION_OK, "would add a version to flag, after version 42");
	run_job(JOB_RUN, "41");
	expect(ACTION_OK, "added version 43 of flag; before it: 42");
	assert_string_equal(api.data, "b24=");
	assert_null(strstr(end.detail, "b24="));
}

static void google_s_refusal_is_told(void **state)
{
	set_secret("on");
	action.u.secret.project = "other";
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "answered 404: ");
}

static void a_drill_adds_no_version(void **state)
{
	fake_api_put(&api, 7, "off");
	set_secret("on");
	run_job(JOB_DRILL, NULL);
	expect(ACTION_OK, "would add a version to flag, after version 7");
	assert_int_equal(api.version, 7);
}

static void without_credentials_it_is_found_before_a_rollout(void **state)
{
	struct err err;

	set_secret("on");
	env.credentials = NULL;
	assert_int_equal(action_check(&env, &action, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
}

/* ---- sites ---- */

#define RELEASE(type, time, message, version, status)             \
	"{\"type\":\"" type "\",\"releaseTime\":\"" time          \
	"\",\"message\":\"" message                               \
	"\",\"version\":{\"name\":\"sites/shop/versions/" version \
	"\",\"status\":\"" status "\"}}"
#define RELEASES(list) "{\"releases\":[" list "]}"

static void set_site(const char *releases)
{
	api.releases = releases;
	action.kind = ACTION_FIREBASE;
	action.u.firebase.site = "shop";
}

#define SITE(version) "sites/shop/versions/" version
#define AT_TWO        SITE("two") " 2026-01-02T10:00:00.000Z"

static void a_site_goes_back_to_what_was_live_in_preflight(void **state)
{
	/* Not in order; one whose content is gone. */
	set_site(RELEASES(RELEASE("DEPLOY", "2026-01-01T10:00:00Z", "", "one",
		"FINALIZED") "," RELEASE("DEPLOY", "2026-01-02T10:00:00Z", "",
		"two", "FINALIZED") "," RELEASE("DEPLOY",
		"2026-01-01T12:00:00Z", "", "three", "EXPIRED")));
	run_job(JOB_CAPTURE, NULL);
	expect(ACTION_OK, SITE("two") " is live");
	assert_string_equal(end.captured, AT_TWO);
	run_job(JOB_DRILL, AT_TWO);
	expect(ACTION_OK, SITE("two") " is live: nothing to do");
	set_site(RELEASES(RELEASE("DEPLOY", "2026-01-02T10:00:00Z", "", "two",
		"FINALIZED") "," RELEASE("DEPLOY", "2026-01-04T10:00:00.5Z", "",
		"four", "FINALIZED") "," RELEASE("DEPLOY",
		"2026-01-03T10:00:00Z", "", "three", "FINALIZED")));
	run_job(JOB_DRILL, AT_TWO);
	expect(ACTION_OK, "would release " SITE(
				  "two") " again in place of " SITE("four"));
	assert_string_equal(api.released, "");
	run_job(JOB_RUN, AT_TWO);
	expect(ACTION_OK,
		"released " SITE("two") " again in place of " SITE("four"));
	assert_string_equal(api.released, SITE("two"));
	assert_non_null(
		strstr(json_string_value(json_object_get(api.last, "message")),
			"shop-20260101-000000-aaaa"));
}

static void without_a_record_a_version_that_was_rolled_back_is_no_choice(
	void **state)
{
	set_site(RELEASES(RELEASE("DEPLOY", "2026-01-05T10:00:00Z", "", "five",
		"FINALIZED") "," RELEASE("ROLLBACK", "2026-01-04T10:00:00Z", "",
		"one", "FINALIZED") "," RELEASE("DEPLOY",
		"2026-01-03T10:00:00Z", "", "bad",
		"FINALIZED") "," RELEASE("SITE_DISABLE", "2026-01-02T10:00:00Z",
		"", "x", "FINALIZED") "," RELEASE("DEPLOY",
		"2026-01-01T10:00:00Z", "", "one", "FINALIZED")));
	run_job(JOB_DRILL, NULL);
	expect(ACTION_OK, "would release " SITE("one") " again");
	/* A rollback of ours that had to go without its type. */
	set_site(RELEASES(RELEASE("DEPLOY", "2026-01-05T10:00:00Z",
		"tidegate rollback x-1", "one",
		"FINALIZED") "," RELEASE("DEPLOY", "2026-01-04T10:00:00Z", "",
		"bad", "FINALIZED")));
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, SITE("one") " is live since a rollback: nothing");
	assert_string_equal(api.released, "");
}

static void what_somebody_decided_about_a_site_since_stays(void **state)
{
	static const struct {
		const char *releases, *said;
	} rows[] = {
		{RELEASES(RELEASE("ROLLBACK", "2026-01-05T10:00:00Z", "", "one",
			 "FINALIZED") "," RELEASE("DEPLOY",
			 "2026-01-04T10:00:00Z", "", "bad", "FINALIZED")),
			"somebody has rolled the site back to " SITE("one")},
		{RELEASES(RELEASE("SITE_DISABLE", "2026-01-05T10:00:00Z", "",
			 "x", "FINALIZED") "," RELEASE("DEPLOY",
			 "2026-01-04T10:00:00Z", "", "bad", "FINALIZED")),
			"somebody has taken the site down: that stays"},
		{RELEASES(RELEASE("DEPLOY", "2026-01-06T10:00:00Z", "", "fix",
			 "FINALIZED") "," RELEASE("ROLLBACK",
			 "2026-01-05T10:00:00Z", "tidegate rollback other",
			 "two", "FINALIZED") "," RELEASE("DEPLOY",
			 "2026-01-04T10:00:00Z", "", "bad", "FINALIZED")),
			SITE("fix") " has been released since tidegate went"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		set_site(rows[i].releases);
		run_job(JOB_RUN, AT_TWO);
		expect(ACTION_SKIPPED, rows[i].said);
	}
	assert_string_equal(api.released, "");
}

static void a_type_that_is_refused_is_left_out(void **state)
{
	set_site(RELEASES(RELEASE("DEPLOY", "2026-01-04T10:00:00Z", "", "b",
		"FINALIZED") "," RELEASE("DEPLOY", "2026-01-01T10:00:00Z", "",
		"a", "FINALIZED")));
	api.no_type = true;
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "released " SITE("a") " again");
	assert_null(json_object_get(api.last, "type"));
}

static void a_site_with_nothing_to_go_back_to_is_told(void **state)
{
	set_site(RELEASES(RELEASE(
		"DEPLOY", "2026-01-04T10:00:00Z", "", "b", "FINALIZED")));
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "nothing to go back to");
	set_site(RELEASES(RELEASE("DEPLOY", "2026-01-04T10:00:00Z", "", "b",
		"FINALIZED") "," RELEASE("DEPLOY", "2026-01-02T10:00:00Z", "",
		"two", "EXPIRED")));
	run_job(JOB_RUN, AT_TWO);
	expect(ACTION_FAILED, "the content of " SITE("two") " is not kept");
	set_site("{}");
	run_job(JOB_CAPTURE, NULL);
	expect(ACTION_FAILED, "nothing is live at the site shop, so there is "
			      "nothing to go back to");
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "nothing to go back to");
	set_site("[");
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "is no list of releases");
	set_site(RELEASES(RELEASE(
		"DEPLOY", "2026-01-04T10:00:00Z", "", "../../x", "FINALIZED")));
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "names a version that is none");
}

/* ---- Deployments ---- */

/* Takes what kubectl takes; the cluster is two files: the revision that is
 * current and its template. Revision 7 has image 1, revision 8 image 2. */
static const char kubectl[] =
	"#!/bin/sh\n"
	"cd \"${0%/*}\" || exit 1\n"
	"echo \"$@\" >>calls\n"
	"[ \"$1 $2 $3 $4\" = '--context prod --namespace jobs' ] || exit 1\n"
	"shift 4\n"
	"case \"$*\" in\n"
	"'get deployment/w -o jsonpath={.metadata.annotations."
	"deployment\\.kubernetes\\.io/"
	"revision}{'\"'\\\\n'}{.spec.paused}{' '}"
	"{.spec.revisionHistoryLimit}{'\\\\n'}{.spec.template}\")\n"
	"	cat revision flags; cat template ;;\n"
	"'get replicasets -o jsonpath={range '*)\n"
	"	cat replicasets ;;\n"
	"'auth can-i patch deployment/w'|'auth can-i list replicasets.apps')\n"
	"	cat \"may-$3\" ;;\n"
	"'rollout undo deployment/w --to-revision=7')\n"
	"	[ ! -e gone ] || { echo 'error: unable to find specified "
	"revision 7 in history' >&2; exit 1; }\n"
	"	echo 9 >revision; echo '{\"image\":1}' >template; touch gone\n"
	"	echo 'deployment.apps/w rolled back' ;;\n"
	"'rollout status deployment/w --timeout='*s)\n"
	"	[ ! -e stuck ] || { echo 'error: timed out' >&2; exit 1; }\n"
	"	echo 'deployment \"w\" successfully rolled out' ;;\n"
	"*) echo \"error: unknown command: $*\" >&2; exit 1 ;;\n"
	"esac\n";

static void put(const char *name, const char *text, mode_t mode)
{
	char *path = xasprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
	free(path);
}

static int kubernetes_setup(void **state)
{
	char *path;

	snprintf(folder, sizeof(folder), "/tmp/version_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	put("kubectl", kubectl, 0755);
	put("revision", "8\n", 0644);
	put("flags", " 10\n", 0644);
	put("replicasets", "w,,7\nw,,8\nother,7,9\n", 0644);
	put("may-patch", "yes\n", 0644);
	put("may-list", "yes\n", 0644);
	path = xasprintf("%s:%s", folder, getenv("PATH"));
	setenv("PATH", path, 1);
	free(path);
	setup(state);
	action.kind = ACTION_KUBERNETES;
	action.idempotent = false;
	action.u.kubernetes =
		(struct action_kubernetes){"deployment/w", "jobs", "prod"};
	return 0;
}

static int kubernetes_teardown(void **state)
{
	char *command = xasprintf("rm -rf %s", folder);
	int rc = system(command);

	free(command);
	teardown(state);
	return rc;
}

/* How often kubectl was called for it. */
static int calls(const char *what)
{
	char *path = xasprintf("%s/calls", folder), line[512];
	FILE *file = fopen(path, "r");
	int n = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		n += strstr(line, what) != NULL;
	fclose(file);
	free(path);
	return n;
}

static void a_deployment_goes_back_to_what_preflight_saw(void **state)
{
	char kept[ACTION_CAPTURED_MAX];
	struct err err;

	assert_int_equal(action_check(&env, &action, &err), 0);
	put("revision", "7\n", 0644);
	put("template", "{\"image\":1}\n", 0644);
	run_job(JOB_CAPTURE, NULL);
	expect(ACTION_OK, "is at revision 7");
	assert_int_equal(strncmp(end.captured, "7 ", 2), 0);
	snprintf(kept, sizeof(kept), "%s", end.captured);
	run_job(JOB_RUN, kept);
	expect(ACTION_OK, "already at what revision 7 was: done: exit 0");
	put("revision", "8\n", 0644);
	put("template", "{\"image\":2}\n", 0644);
	run_job(JOB_DRILL, kept);
	expect(ACTION_OK, "would go from revision 8 to 7");
	run_job(JOB_RUN, kept);
	expect(ACTION_OK, "revision 8 to 7: done: exit 0: deployment \"w\" "
			  "successfully rolled out");
	assert_int_equal(calls("rollout undo"), 1);
	run_job(JOB_RUN, kept); /* it is there, by another number */
	expect(ACTION_OK, "already at what revision 7 was: done: exit 0");
	run_job(JOB_DRILL, kept);
	expect(ACTION_OK, "already at what revision 7 was");
	put("stuck", "", 0644);
	run_job(JOB_RUN, kept);
	expect(ACTION_FAILED, "but not settled: exit 1: error: timed out");
	assert_int_equal(calls("rollout undo"), 1);
}

static void what_kubectl_would_always_refuse_is_found_in_preflight(void **state)
{
	static const struct {
		const char *file, *text, *said;
	} rows[] = {
		{"flags", "true 10\n", "it is paused, and kubectl takes no "},
		{"flags", " 0\n", "it keeps no earlier revisions"},
		{"may-patch", "no\n",
			"may not patch deployment/w: give its account"},
		{"may-list", "Warning: a group is missing\nno - RBAC: denied\n",
			"may not list replicasets.apps: give its account"},
	};

	put("template", "{\"image\":2}\n", 0644);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		put(rows[i].file, rows[i].text, 0644);
		run_job(JOB_CAPTURE, NULL);
		expect(ACTION_FAILED, rows[i].said);
		run_job(JOB_DRILL, "7");
		expect(ACTION_FAILED, rows[i].said);
		put("flags", " 10\n", 0644);
		put("may-patch", "error: not everybody may ask\n", 0644);
		put("may-list", "yes\n", 0644);
		run_job(JOB_CAPTURE, NULL);
		expect(ACTION_OK, "is at revision 8");
	}
	put("flags", "true 10\n", 0644);
	run_job(JOB_RUN, "7");
	expect(ACTION_FAILED, "revision 8 to 7: it is paused");
	run_job(JOB_RUN, "8"); /* nothing has to be done */
	expect(ACTION_OK, "already at what revision 8 was: done");
}

static void what_somebody_decided_about_a_deployment_since_stays(void **state)
{
	put("template", "{\"image\":3}\n", 0644);
	put("revision", "10\n", 0644);
	put("replicasets", "other,5,10\nw,,8\nw,3,11,7,9\nw,,10\n", 0644);
	run_job(JOB_RUN, "7");
	expect(ACTION_SKIPPED,
		"it was gone back to already, as revision 9, and revision 10 "
		"has replaced it since: that stays");
	put("replicasets", "w,,7\nw,,8\nw,5,10\n", 0644);
	run_job(JOB_RUN, "7");
	expect(ACTION_SKIPPED,
		"somebody has gone back to what revision 5 was: that stays");
	assert_int_equal(calls("rollout undo"), 0);
	put("replicasets", "w,2,7\nw,,8\nw,,10\n", 0644);
	run_job(JOB_RUN, "7");
	expect(ACTION_OK, "revision 10 to 7: done");
}

static void what_kubectl_cannot_do_is_told(void **state)
{
	put("template", "{\"image\":2}\n", 0644);
	put("gone", "", 0644);
	run_job(JOB_RUN, "7"); /* by an older tidegate, without a checksum */
	expect(ACTION_FAILED, "unable to find specified revision 7");
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "recorded no revision");
	run_job(JOB_DRILL, NULL);
	expect(ACTION_OK, "without a rollout it stays");
	put("revision", "no such thing\n", 0644);
	run_job(JOB_CAPTURE, NULL);
	expect(ACTION_FAILED, "kubectl named no revision");
	action.u.kubernetes.context = NULL;
	run_job(JOB_CAPTURE, NULL);
	expect(ACTION_FAILED, "its revision cannot be read: exit 1");
}

static void a_list_that_is_null_is_empty(void **state)
{
	static const char permissions[] = "{\"permissions\":null}";
	static const char releases[] = "{\"releases\":null}";
	struct site_list *list = site_list_decode(releases, strlen(releases));
	struct site_releases found;
	bool granted = true;
	struct err err;

	assert_int_equal(granted_decode(permissions, strlen(permissions),
				 "a.b.c", &granted, &err),
		0);
	assert_false(granted);
	assert_int_equal(site_list_look(list, "shop", NULL, &found, &err), 0);
	assert_string_equal(found.live.version, "");
	site_list_free(&list);
}

/* Each release has its version's configuration in it, and so a list may be as
 * long as this; what is left of it is the same. */
static void a_long_list_is_read_by_a_thread(void **state)
{
	struct buf long_list;

	buf_init(&long_list, 1024 * 1024);
	buf_adds(&long_list, "{\"configuration\":[");
	while (long_list.len < 2 * REQUEST_LONG_BYTES)
		buf_adds(&long_list, "{\"glob\":\"**\"},");
	buf_adds(&long_list,
		"0],\"releases\":[" RELEASE("DEPLOY", "2026-01-02T10:00:00Z",
			"", "two", "FINALIZED") "]}");
	env.worker = worker_new(loop, 1, &(struct err){0});
	set_site(long_list.data);
	run_job(JOB_CAPTURE, NULL);
	expect(ACTION_OK, SITE("two") " is live");
	assert_string_equal(end.captured, AT_TWO);
	assert_true(worker_free(&env.worker));
	buf_fini(&long_list);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_checksum_is_castagnoli_s),
		TEST(a_value_is_added_once),
		TEST(a_secret_without_a_readable_version_gets_one),
		TEST(a_version_that_is_broken_is_told),
		TEST(a_checksum_that_nobody_looked_at_is_told),
		TEST(preflight_records_the_version_and_asks_for_the_right),
		TEST(a_secret_gets_back_what_it_held_in_preflight),
		TEST(google_s_refusal_is_told),
		TEST(a_drill_adds_no_version),
		TEST(without_credentials_it_is_found_before_a_rollout),
		TEST(a_site_goes_back_to_what_was_live_in_preflight),
		TEST(without_a_record_a_version_that_was_rolled_back_is_no_choice),
		TEST(what_somebody_decided_about_a_site_since_stays),
		TEST(a_type_that_is_refused_is_left_out),
		TEST(a_site_with_nothing_to_go_back_to_is_told),
		TEST(a_list_that_is_null_is_empty),
		TEST(a_long_list_is_read_by_a_thread),
		cmocka_unit_test_setup_teardown(
			a_deployment_goes_back_to_what_preflight_saw,
			kubernetes_setup, kubernetes_teardown),
		cmocka_unit_test_setup_teardown(
			what_kubectl_would_always_refuse_is_found_in_preflight,
			kubernetes_setup, kubernetes_teardown),
		cmocka_unit_test_setup_teardown(
			what_somebody_decided_about_a_deployment_since_stays,
			kubernetes_setup, kubernetes_teardown),
		cmocka_unit_test_setup_teardown(what_kubectl_cannot_do_is_told,
			kubernetes_setup, kubernetes_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
