/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advice about the service: is the clock right, can its URL be asked, and how
 * long is stable kept. See preflight_parts.h.
 *
 *   preflight_stable -> stable_read -> stable_dated
 */
#include <inttypes.h>

#include "google/credentials.h"
#include "live/preflight_parts.h"
#include "live/preflight_rules.h"

#define CLOCK_WARN_MS      10000
#define CLOCK_FAIL_MS      300000 /* from then on Google takes no assertions */
#define REVISIONS_LEFT_MIN 100

static void stable_read(
	const struct revision *revision, const struct err *err, void *arg);
static void stable_dated(int newer, const struct err *err, void *arg);

/* ---- the clock ---- */

void preflight_clock(struct preflight *preflight)
{
	static const char remedy[] =
		"set the clock by the network: timedatectl set-ntp true, or "
		"install chrony";
	int64_t ahead_ms, off_ms;
	enum finding_kind kind;

	if (!cloudrun_clock(preflight->world->cloudrun, &ahead_ms) &&
		!credentials_clock(preflight->world->credentials, &ahead_ms))
		return;
	off_ms = ahead_ms < 0 ? -ahead_ms : ahead_ms;
	kind = off_ms >= CLOCK_FAIL_MS   ? FINDING_FAIL
	       : off_ms >= CLOCK_WARN_MS ? FINDING_WARN
					 : FINDING_OK;
	if (off_ms <= CREDENTIALS_CLOCK_MS_EXACT)
		finding_tell(preflight, kind, "clock", "", NULL,
			"as Google's, to two seconds");
	else
		finding_tell(preflight, kind, "clock", "",
			kind == FINDING_OK ? NULL : remedy,
			"%" PRId64 " s %s Google's", off_ms / 1000,
			ahead_ms > 0 ? "ahead of" : "behind");
}

/* ---- the URL ---- */

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

void preflight_url(struct preflight *preflight)
{
	const struct service *service = preflight->snapshot;
	const char *why = in_the_way(service);
	const char *url = service->uri ? service->uri : "no URL";
	bool wanted = preflight_wants_url(preflight);

	if (why && wanted)
		finding_tell(preflight, FINDING_WARN, "url", "",
			"run tidegate where the service can be reached, or "
			"take {{candidate_url}} out of the policy",
			"%s: %s%s%s, and actions ask {{candidate_url}}", url,
			why, service->ingress ? ": " : "",
			service->ingress ? service->ingress : "");
	else
		finding_tell(preflight, FINDING_OK, "url", "", NULL, "%s%s%s%s",
			url, why ? ": " : "", why ? why : "",
			why ? "; no action asks there" : "");
}

/* ---- stable ---- */

void preflight_stable(struct preflight *preflight)
{
	struct release *release = preflight->release;

	if (*release->stable)
		preflight->call = cloudrun_get_revision_start(
			preflight->world->cloudrun, release->service.full,
			release->stable, stable_read, preflight);
	else
		preflight_next(preflight);
}

static void stable_read(
	const struct revision *revision, const struct err *err, void *arg)
{
	static const char remedy[] =
		"it serves now, but there would be nothing to go back to: give "
		"another revision 100 % first";
	struct preflight *preflight = arg;
	struct release *release = preflight->release;
	struct err unfit;

	preflight->call = NULL;
	if (!revision || rule_ready(revision, &unfit) < 0) {
		finding_tell(preflight, FINDING_FAIL, "stable", release->stable,
			remedy, "%s", revision ? unfit.text : err->text);
		preflight_next(preflight);
		return;
	}
	preflight->call = cloudrun_count_newer_start(preflight->world->cloudrun,
		release->service.full, release->stable, stable_dated,
		preflight);
}

static void stable_dated(int newer, const struct err *err, void *arg)
{
	struct preflight *preflight = arg;
	const char *stable = preflight->release->stable;
	int left = REVISIONS_KEPT - newer - 1;

	preflight->call = NULL;
	if (err)
		finding_tell(preflight, FINDING_WARN, "stable", stable,
			"grant run.revisions.list (it is in "
			"roles/run.developer)",
			"ready; for how long it is kept is not known: %s",
			err->text);
	else if (newer < 0 || left < REVISIONS_LEFT_MIN)
		finding_tell(preflight, FINDING_WARN, "stable", stable,
			"delete revisions that are older, or deploy it anew",
			"ready, but it is not among the newest %d of the %d "
			"that Cloud Run keeps",
			REVISIONS_KEPT - REVISIONS_LEFT_MIN, REVISIONS_KEPT);
	else
		finding_tell(preflight, FINDING_OK, "stable", stable, NULL,
			"ready; %d newer, %d more before Cloud Run may remove "
			"it",
			newer, left);
	preflight_next(preflight);
}
