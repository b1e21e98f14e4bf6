/*
 * The doctor's look at the service: its state, its traffic, who is candidate
 * and who is stable, and whether the latter stays there. By the rules that
 * preflight refuses by. See doctor_parts.h.
 *
 *   doctor_service -> service_read -> candidate_read -> stable_read
 *     -> stable_dated
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "google/credentials.h"
#include "io/loop.h"
#include "live/doctor_parts.h"
#include "live/fit.h"

#define READ_TIMEOUT_MS    15000
#define CLOCK_WARN_MS      10000
#define CLOCK_FAIL_MS      300000 /* from then on Google takes no assertions */
#define REVISIONS_LEFT_MIN 100

static void service_read(
	struct service *service, const struct err *err, void *arg);
static void candidate_look(struct doctor *doctor);
static void candidate_read(
	const struct revision *revision, const struct err *err, void *arg);
static void stable_look(struct doctor *doctor);
static void stable_read(
	const struct revision *revision, const struct err *err, void *arg);
static void stable_dated(int newer, const struct err *err, void *arg);

static struct cloudrun *cloudrun_of(const struct doctor *doctor)
{
	return doctor->world->cloudrun;
}

static const struct service *service_of(const struct doctor *doctor)
{
	return doctor->snapshot;
}

void doctor_service(struct doctor *doctor)
{
	struct release *release = doctor->release;

	if (doctor->cut_off) {
		doctor_tell(doctor, FINDING_SKIP, "service",
			release->service.name, NULL,
			"not read: it takes credentials that are accepted");
		doctor_next(doctor);
		return;
	}
	doctor->call = cloudrun_get_service_start(cloudrun_of(doctor),
		release->service.full, READ_TIMEOUT_MS, service_read, doctor);
}

/* ---- the clock ---- */

static void look_at_clock(struct doctor *doctor)
{
	static const char remedy[] =
		"set the clock by the network: timedatectl set-ntp true, or "
		"install chrony";
	int64_t ahead_ms, off_ms;
	enum finding_kind kind;

	if (!cloudrun_clock(cloudrun_of(doctor), &ahead_ms) &&
		!credentials_clock(doctor->world->credentials, &ahead_ms))
		return;
	off_ms = ahead_ms < 0 ? -ahead_ms : ahead_ms;
	kind = off_ms >= CLOCK_FAIL_MS   ? FINDING_FAIL
	       : off_ms >= CLOCK_WARN_MS ? FINDING_WARN
					 : FINDING_OK;
	if (off_ms <= CREDENTIALS_CLOCK_MS_EXACT)
		doctor_tell(doctor, kind, "clock", "", NULL,
			"as Google's, to two seconds");
	else
		doctor_tell(doctor, kind, "clock", "",
			kind == FINDING_OK ? NULL : remedy,
			"%" PRId64 " s %s Google's", off_ms / 1000,
			ahead_ms > 0 ? "ahead of" : "behind");
}

/* ---- the service itself ---- */

static const char *cannot_read_remedy(struct doctor *doctor, enum err_code code)
{
	if (code == ERR_NOT_FOUND)
		return arena_printf(&doctor->arena,
			"name one of: gcloud run services list%s",
			doctor_place(doctor));
	if (code == ERR_DENIED)
		return "the permissions above say which role is missing; or "
		       "the project is another one: --project";
	if (code == ERR_AUTH)
		return "log in anew; see the token above";
	return "try again; is the network up, and "
	       "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN right or unset?";
}

static void tell_state(struct doctor *doctor)
{
	const struct service *service = service_of(doctor);
	const char *name = doctor->release->service.name;
	struct err err;

	if (fit_service(service, &err) < 0)
		doctor_tell(doctor, FINDING_FAIL, "service", name,
			"release a service of one region", "%s", err.text);
	else if (!service_is_settled(service))
		doctor_tell(doctor, FINDING_WARN, "service", name,
			"wait until the change that is under way has ended, "
			"and look again",
			"it is being changed (generation %" PRId64
			", observed %" PRId64 ")",
			service->generation, service->observed_generation);
	else if (!service->green)
		doctor_tell(doctor, FINDING_WARN, "service", name,
			"look at the last deployment: it failed",
			"its condition Ready is not met%s%s",
			service->condition ? ": " : "",
			service->condition ? service->condition : "");
	else
		doctor_tell(doctor, FINDING_OK, "service", name, NULL,
			"settled at generation %" PRId64 ", changed by %s",
			service->generation,
			service->last_modifier ? service->last_modifier
					       : "nobody knows");
}

/* ---- the traffic ---- */

static const struct target *largest(const struct traffic *traffic)
{
	const struct target *best = NULL;

	for (size_t i = 0; i < traffic->n; i++)
		if (!best || traffic->item[i].percent > best->percent)
			best = &traffic->item[i];
	return best;
}

static const char *name_of(
	const struct target *target, const struct service *service)
{
	const char *name = target->type == TARGET_LATEST ? service->latest_ready
							 : target->revision;

	return name ? name : "REVISION";
}

static const char *pin_remedy(struct doctor *doctor)
{
	const struct service *service = service_of(doctor);

	return arena_printf(&doctor->arena,
		"gcloud run services update-traffic %s%s "
		"--to-revisions=%s=100",
		doctor->release->service.name, doctor_place(doctor),
		name_of(largest(&service->spec), service));
}

static void tell_split(struct doctor *doctor, const struct err *err)
{
	struct buf line;

	buf_init(&line, ERR_TEXT_MAX);
	traffic_print_line(&service_of(doctor)->spec, &line);
	if (err)
		doctor_tell(doctor, FINDING_FAIL, "traffic", "",
			pin_remedy(doctor), "%s: %.*s", line.data,
			(int)strcspn(err->text, ";"), err->text);
	else
		doctor_tell(doctor, FINDING_OK, "traffic", "", NULL, "%s",
			line.data);
	buf_fini(&line);
}

static const char *deploy_remedy(struct doctor *doctor)
{
	return arena_printf(&doctor->arena,
		"deploy a revision that gets no traffic yet: gcloud run deploy "
		"%s%s --image IMAGE --no-traffic; or name one with --candidate",
		doctor->release->service.name, doctor_place(doctor));
}

/* The one deployed last is not what would be released. */
static const char *latest_note(struct doctor *doctor)
{
	const struct service *service = service_of(doctor);
	const char *created = service->latest_created;

	if (!created || !service->latest_ready ||
		!strcmp(created, service->latest_ready))
		return "";
	return arena_printf(&doctor->arena,
		"; %s was deployed later and is not ready", created);
}

/* Who is who, as in preflight; false: no candidate to look at. */
static bool tell_revisions(struct doctor *doctor)
{
	const struct service *service = service_of(doctor);
	struct release *release = doctor->release;
	const char *candidate = NULL, *stable = NULL;
	struct err err;
	int rc;

	doctor->asked = name_of(largest(&service->spec), service);
	if (fit_candidate(service, release->wish.candidate, &candidate, &err) <
		0)
		doctor_tell(doctor, FINDING_FAIL, "candidate", "",
			deploy_remedy(doctor), "%s", err.text);
	rc = fit_stable(service, candidate, release->wish.adopt, &stable, &err);
	tell_split(doctor, rc < 0 ? &err : NULL);
	if (rc == 0) {
		release_set_stable(release, stable);
		doctor->asked = release->stable;
	}
	if (!candidate)
		return false;
	if (rc == 0 && fit_to_release(candidate, stable, &err) < 0) {
		doctor_tell(doctor, FINDING_FAIL, "candidate", candidate,
			deploy_remedy(doctor), "%s%s", err.text,
			latest_note(doctor));
		return false;
	}
	release_set_candidate(release, candidate);
	return true;
}

/* ---- the tag and the URL ---- */

static void look_at_tag(struct doctor *doctor)
{
	struct release *release = doctor->release;
	const char *tag = release->policy->tag;
	struct err err;

	if (!tag)
		return;
	if (fit_tag_length(tag, release->service.name, &err) < 0)
		doctor_tell(doctor, FINDING_FAIL, "tag", tag,
			"choose a shorter tag in the policy", "%s", err.text);
	else if (fit_tag_free(doctor->snapshot, tag, release->candidate, &err) <
		 0)
		doctor_tell(doctor, FINDING_FAIL, "tag", tag,
			arena_printf(&doctor->arena,
				"gcloud run services update-traffic %s%s "
				"--remove-tags=%s",
				release->service.name, doctor_place(doctor),
				tag),
			"%s", err.text);
	else
		doctor_tell(doctor, FINDING_OK, "tag", tag, NULL, "%s",
			doctor_has_url(doctor)
				? "on the candidate already"
				: "free: the first write gives it to the "
				  "candidate");
}

/* Why a probe from here may not get through; NULL: nothing says so. */
static const char *in_the_way(const struct service *service)
{
	if (service->iap)
		return "Identity-Aware Proxy is in front of it";
	if (service->uri_disabled)
		return "its run.app URLs are disabled";
	if (service->ingress)
		return "its ingress lets only some in";
	return NULL;
}

static void look_at_url(struct doctor *doctor)
{
	const struct service *service = service_of(doctor);
	const char *why = in_the_way(service);
	const char *url = service->uri ? service->uri : "no URL";
	bool wanted = doctor_wants_url(doctor);

	if (why && wanted)
		doctor_tell(doctor, FINDING_WARN, "url", "",
			"run tidegate where the service can be reached, or "
			"take {{candidate_url}} out of the policy",
			"%s: %s%s%s, and actions ask {{candidate_url}}", url,
			why, service->ingress ? ": " : "",
			service->ingress ? service->ingress : "");
	else
		doctor_tell(doctor, FINDING_OK, "url", "", NULL, "%s%s%s%s",
			url, why ? ": " : "", why ? why : "",
			why ? "; no action asks there" : "");
}

/* ---- read ---- */

static void service_read(
	struct service *service, const struct err *err, void *arg)
{
	struct doctor *doctor = arg;
	struct event ignored = {.type = EVENT_PREFLIGHT};
	bool found;

	doctor->call = NULL;
	look_at_clock(doctor);
	if (!service) {
		doctor_tell(doctor, FINDING_FAIL, "service",
			doctor->release->service.name,
			cannot_read_remedy(doctor, err->code), "%s", err->text);
		doctor_next(doctor);
		return;
	}
	doctor->snapshot = service;
	release_take_service(doctor->release, service, &ignored);
	tell_state(doctor);
	found = tell_revisions(doctor);
	look_at_tag(doctor);
	look_at_url(doctor);
	if (found)
		candidate_look(doctor);
	else
		stable_look(doctor);
}

/* ---- the candidate ---- */

static void candidate_look(struct doctor *doctor)
{
	struct release *release = doctor->release;

	doctor->call = cloudrun_get_revision_start(cloudrun_of(doctor),
		release->service.full, release->candidate, candidate_read,
		doctor);
}

static void tell_candidate(
	struct doctor *doctor, const struct revision *revision)
{
	struct release *release = doctor->release;
	struct store *store = doctor->world->store;
	const char *note = release->wish.candidate ? "" : latest_note(doctor);
	struct err err;

	if (fit_owner(revision, release->service.name, &err) < 0 ||
		fit_ready(revision, &err) < 0)
		doctor_tell(doctor, FINDING_FAIL, "candidate",
			release->candidate, deploy_remedy(doctor), "%s",
			err.text);
	else if (store && !release->wish.again &&
		 fit_history(store, release->service.full, release->candidate,
			 &err) < 0)
		doctor_tell(doctor, FINDING_FAIL, "candidate",
			release->candidate,
			"deploy a new revision, or insist with --again", "%s",
			err.text);
	else
		doctor_tell(doctor, *note ? FINDING_WARN : FINDING_OK,
			"candidate", release->candidate,
			*note ? "mend the one deployed last, or name the "
				"candidate with --candidate"
			      : NULL,
			"ready%s", note);
}

static void candidate_read(
	const struct revision *revision, const struct err *err, void *arg)
{
	struct doctor *doctor = arg;

	doctor->call = NULL;
	if (revision)
		tell_candidate(doctor, revision);
	else
		doctor_tell(doctor, FINDING_FAIL, "candidate",
			doctor->release->candidate, deploy_remedy(doctor), "%s",
			err->text);
	stable_look(doctor);
}

/* ---- stable ---- */

static void stable_look(struct doctor *doctor)
{
	struct release *release = doctor->release;

	if (*release->stable)
		doctor->call = cloudrun_get_revision_start(cloudrun_of(doctor),
			release->service.full, release->stable, stable_read,
			doctor);
	else
		doctor_next(doctor);
}

static void stable_read(
	const struct revision *revision, const struct err *err, void *arg)
{
	static const char remedy[] =
		"it serves now, but there would be nothing to go back to: give "
		"another revision 100 % first";
	struct doctor *doctor = arg;
	struct release *release = doctor->release;
	struct err unfit;

	doctor->call = NULL;
	if (!revision || fit_ready(revision, &unfit) < 0) {
		doctor_tell(doctor, FINDING_FAIL, "stable", release->stable,
			remedy, "%s", revision ? unfit.text : err->text);
		doctor_next(doctor);
		return;
	}
	doctor->call = cloudrun_count_newer_start(cloudrun_of(doctor),
		release->service.full, release->stable, stable_dated, doctor);
}

static void stable_dated(int newer, const struct err *err, void *arg)
{
	struct doctor *doctor = arg;
	const char *stable = doctor->release->stable;
	int left = REVISIONS_KEPT - newer - 1;

	doctor->call = NULL;
	if (err)
		doctor_tell(doctor, FINDING_WARN, "stable", stable,
			"grant run.revisions.list (it is in "
			"roles/run.developer)",
			"ready; for how long it is kept is not known: %s",
			err->text);
	else if (newer < 0 || left < REVISIONS_LEFT_MIN)
		doctor_tell(doctor, FINDING_WARN, "stable", stable,
			"delete revisions that are older, or deploy it anew",
			"ready, but it is not among the newest %d of the %d "
			"that Cloud Run keeps",
			REVISIONS_KEPT - REVISIONS_LEFT_MIN, REVISIONS_KEPT);
	else
		doctor_tell(doctor, FINDING_OK, "stable", stable, NULL,
			"ready; %d newer, %d more before Cloud Run may remove "
			"it",
			newer, left);
	doctor_next(doctor);
}
