/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service: its state, its traffic, who is candidate and who is stable. See
 * preflight_parts.h.
 *
 *   preflight_service -> service_read -> candidate_read
 *                                     -> given_read, of a rollback
 */
#include <inttypes.h>
#include <string.h>

#include "io/loop.h"
#include "live/preflight_parts.h"
#include "live/preflight_rules.h"

#define READ_TIMEOUT_MS 15000

static void service_read(
	struct service *service, const struct err *err, void *arg);
static void look_at_release(struct preflight *preflight);
static void candidate_look(void *arg);
static void stable_look(void *arg);
static void stable_read(
	const struct revision *revision, const struct err *err, void *arg);
static void candidate_read(
	const struct revision *revision, const struct err *err, void *arg);
static void take_given(struct preflight *preflight);
static void given_look(void *arg);
static void given_read(
	const struct revision *revision, const struct err *err, void *arg);

static struct cloudrun *cloudrun_of(const struct preflight *preflight)
{
	return preflight->world->cloudrun;
}

static const struct service *service_of(const struct preflight *preflight)
{
	return preflight->snapshot;
}

/* Of a release nothing else can be looked at. */
static void stop(struct preflight *preflight)
{
	preflight->is_stopped = !preflight_gives_advice(preflight);
	preflight_next(preflight);
}

static void service_look(void *arg)
{
	struct preflight *preflight = arg;

	preflight->again = NULL;
	preflight->call = cloudrun_get_service_start(cloudrun_of(preflight),
		preflight->release->service.full, READ_TIMEOUT_MS, service_read,
		preflight);
}

void preflight_service(struct preflight *preflight)
{
	if (preflight->cut_off) {
		finding_tell(preflight, FINDING_SKIP, "service",
			preflight->release->service.name, NULL,
			"not read: it takes credentials that are accepted");
		preflight_next(preflight);
		return;
	}
	service_look(preflight);
}

/* ---- the service itself ---- */

static const char *cannot_read_remedy(
	struct preflight *preflight, enum err_code code)
{
	if (code == ERR_NOT_FOUND)
		return arena_printf(&preflight->arena,
			"name one of: gcloud run services list%s",
			preflight_place(preflight));
	if (code == ERR_DENIED)
		return "the permissions above say which role is missing; or "
		       "the project is another one: --project";
	if (code == ERR_AUTH)
		return "log in anew; see the token above";
	return "try again; is the network up, and "
	       "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN right or unset?";
}

static void tell_state(struct preflight *preflight)
{
	const struct service *service = service_of(preflight);
	const char *name = preflight->release->service.name;
	struct err err;

	if (rule_service(service, &err) < 0)
		finding_tell(preflight, FINDING_FAIL, "service", name,
			"release a service of one region", "%s", err.text);
	else if (service->reconciling)
		finding_tell(preflight, FINDING_WARN, "service", name,
			"wait until the change that is under way has ended, "
			"and look again",
			"it is being changed (generation %" PRId64
			", observed %" PRId64 ")",
			service->generation, service->observed_generation);
	else if (!service->green)
		finding_tell(preflight, FINDING_WARN, "service", name,
			"look at the last deployment: it failed",
			"its condition Ready is not met%s%s",
			service->condition ? ": " : "",
			service->condition ? service->condition : "");
	else
		finding_tell(preflight, FINDING_OK, "service", name, NULL,
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

static const char *pin_remedy(struct preflight *preflight)
{
	const struct service *service = service_of(preflight);

	return arena_printf(&preflight->arena,
		"gcloud run services update-traffic %s%s "
		"--to-revisions=%s=100",
		preflight->release->service.name, preflight_place(preflight),
		name_of(largest(&service->spec), service));
}

static void tell_split(struct preflight *preflight, const struct err *err)
{
	struct finding *finding;
	struct buf line;

	buf_init(&line, ERR_TEXT_MAX);
	traffic_print_line(&service_of(preflight)->spec, &line);
	if (err) {
		finding = finding_tell(preflight, FINDING_FAIL, "traffic", "",
			pin_remedy(preflight), "%s: %.*s", line.data,
			(int)strcspn(err->text, ";"), err->text);
		finding_refuse(preflight, finding, "%s", err->text);
	} else
		finding_tell(preflight, FINDING_OK, "traffic", "", NULL, "%s",
			line.data);
	buf_fini(&line);
}

static const char *deploy_remedy(struct preflight *preflight)
{
	return arena_printf(&preflight->arena,
		"deploy a revision that gets no traffic yet: gcloud run deploy "
		"%s%s --image IMAGE --no-traffic; or name one with --candidate",
		preflight->release->service.name, preflight_place(preflight));
}

/* The one deployed last is not what would be released. */
static const char *latest_note(struct preflight *preflight)
{
	const struct service *service = service_of(preflight);
	const char *created = service->latest_created;

	if (!created || !service->latest_ready ||
		!strcmp(created, service->latest_ready))
		return "";
	return arena_printf(&preflight->arena,
		"; %s was deployed later and is not ready", created);
}

/* Who is who; false: no candidate to look at. */
static bool tell_revisions(struct preflight *preflight)
{
	const struct service *service = service_of(preflight);
	struct release *release = preflight->release;
	const char *candidate = NULL, *stable = NULL;
	struct finding *finding;
	struct err err;
	int rc;

	preflight->asked = name_of(largest(&service->spec), service);
	if (rule_candidate(service, release->wish.candidate, &candidate, &err) <
		0)
		finding_tell(preflight, FINDING_FAIL, "candidate", "",
			deploy_remedy(preflight), "%s", err.text);
	rc = rule_stable(
		service, candidate, release->wish.adopt, &stable, &err);
	tell_split(preflight, rc < 0 ? &err : NULL);
	if (rc == 0) {
		release_set_stable(release, stable);
		preflight->asked = release->stable;
	}
	if (!candidate)
		return false;
	if (rc == 0 && rule_candidate_is_new(candidate, stable, &err) < 0) {
		finding = finding_tell(preflight, FINDING_FAIL, "candidate",
			candidate, deploy_remedy(preflight), "%s%s", err.text,
			latest_note(preflight));
		finding_refuse(preflight, finding, "%s", err.text);
		return false;
	}
	release_set_candidate(release, candidate);
	release_take_url(release, service);
	return rc == 0 || preflight_gives_advice(preflight);
}

/* ---- the tag and the URL ---- */

static void look_at_own_tag(struct preflight *preflight)
{
	struct release *release = preflight->release;

	if (!release->policy->asks_candidate_url || *release->candidate_url)
		return;
	finding_tell(preflight, FINDING_FAIL, "tag", "",
		arena_printf(&preflight->arena,
			"add \"tag: candidate\" to the policy, or give it one: "
			"gcloud run services update-traffic %s%s "
			"--update-tags=candidate=%s",
			release->service.name, preflight_place(preflight),
			release->candidate),
		"actions ask {{candidate_url}}, and %s has no tag that would "
		"give it a URL",
		release->candidate);
}

/* A tag gives a URL where the service has one itself. While the service is
 * changed, a URL may be away for a moment. */
static bool tag_gives_no_url(const struct preflight *preflight)
{
	const struct service *service = preflight->snapshot;

	return !*preflight->release->candidate_url && !service->reconciling &&
	       (!service->uri || preflight_has_tag(preflight));
}

static void look_at_tag_url(struct preflight *preflight)
{
	const char *name = preflight->release->service.name;

	if (!preflight_wants_url(preflight) || !tag_gives_no_url(preflight))
		return;
	finding_tell(preflight, FINDING_FAIL, "url", "",
		arena_printf(&preflight->arena,
			"gcloud run services update %s%s --default-url; or "
			"take {{candidate_url}} out of the policy",
			name, preflight_place(preflight)),
		"actions ask {{candidate_url}}, and a tag of %s has no URL",
		name);
}

static void look_at_tag(struct preflight *preflight)
{
	struct release *release = preflight->release;
	const char *tag = release->policy->tag;
	struct err err;

	if (!tag) {
		look_at_own_tag(preflight);
		return;
	}
	if (rule_tag_name(tag, release->service.name, &err) < 0)
		finding_tell(preflight, FINDING_FAIL, "tag", tag,
			"choose another tag in the policy", "%s", err.text);
	else if (rule_tag_free(preflight->snapshot, tag, release->candidate,
			 &err) < 0)
		finding_tell(preflight, FINDING_FAIL, "tag", tag,
			arena_printf(&preflight->arena,
				"gcloud run services update-traffic %s%s "
				"--remove-tags=%s",
				release->service.name,
				preflight_place(preflight), tag),
			"%s", err.text);
	else
		finding_tell(preflight, FINDING_OK, "tag", tag, NULL, "%s",
			preflight_has_tag(preflight)
				? "on the candidate already"
				: "free: the first write gives it to the "
				  "candidate");
	look_at_tag_url(preflight);
}

/* ---- read ---- */

static void tell_unread(struct preflight *preflight, const struct err *err)
{
	struct finding *finding = finding_tell(preflight, FINDING_FAIL,
		"service", preflight->release->service.name,
		cannot_read_remedy(preflight, err->code), "%s", err->text);

	finding_refuse(preflight, finding, "the service cannot be read: %s",
		err->text);
}

/* While the traffic is being changed, trafficStatuses shows an old state: a
 * release reads again a few times before it judges. */
static bool waits_for_change(
	struct preflight *preflight, const struct service *service)
{
	struct err err;

	if (preflight_gives_advice(preflight) ||
		release_goes_back(preflight->release) ||
		preflight->release->wish.adopt || !service->reconciling ||
		!service->statuses.n ||
		traffic_agrees(&service->spec, &service->statuses,
			service->latest_ready))
		return false;
	err_set(&err, ERR_UNAVAILABLE, "its traffic is being changed");
	return preflight_try_again(preflight, &err, service_look);
}

static void service_read(
	struct service *service, const struct err *err, void *arg)
{
	struct preflight *preflight = arg;
	struct event ignored = {.type = EVENT_PREFLIGHT};

	preflight->call = NULL;
	if (preflight_gives_advice(preflight))
		preflight_clock(preflight);
	if (!service) {
		if (preflight_try_again(preflight, err, service_look))
			return;
		tell_unread(preflight, err);
		stop(preflight);
		return;
	}
	if (waits_for_change(preflight, service)) {
		service_free(&service);
		return;
	}
	preflight->tries = 0;
	preflight->snapshot = service;
	release_take_service(preflight->release, service, &ignored);
	tell_state(preflight);
	if (release_goes_back(preflight->release))
		take_given(preflight);
	else
		look_at_release(preflight);
}

/* First of all, since a split that another rollout left is explained by it. */
static void look_at_unfinished(struct preflight *preflight)
{
	struct release *release = preflight->release;
	struct store *store = preflight->world->store;
	struct err err;

	if (store && rule_unfinished(store, release->service.full, release->id,
			     &err) < 0)
		finding_tell(preflight, FINDING_FAIL, "rollout", "",
			"tidegate resume, or tidegate abort and then resume",
			"%s", err.text);
}

static void look_at_release(struct preflight *preflight)
{
	bool found;

	look_at_unfinished(preflight);
	found = tell_revisions(preflight);

	if (found || preflight_gives_advice(preflight))
		look_at_tag(preflight);
	if (preflight_gives_advice(preflight))
		preflight_url(preflight);
	if (found)
		candidate_look(preflight);
	else
		stop(preflight);
}

/* ---- the candidate ---- */

static void candidate_look(void *arg)
{
	struct preflight *preflight = arg;
	struct release *release = preflight->release;

	preflight->again = NULL;
	preflight->call = cloudrun_get_revision_start(cloudrun_of(preflight),
		release->service.full, release->candidate, candidate_read,
		preflight);
}

/* What a rule found wrong with a revision, if anything. */
static void tell_rule(struct preflight *preflight, int rule, const char *what,
	const char *remedy, const struct err *err)
{
	const struct release *release = preflight->release;
	const char *name = strcmp(what, "stable") == 0 ? release->stable
						       : release->candidate;

	if (rule < 0)
		finding_tell(preflight, FINDING_FAIL, what, name, remedy, "%s",
			err->text);
}

static void look_at_history(struct preflight *preflight)
{
	struct release *release = preflight->release;
	struct store *store = preflight->world->store;
	struct err err;

	if (store && !release->wish.again)
		tell_rule(preflight,
			rule_history(store, release->service.full,
				release->candidate, &err),
			"candidate",
			"deploy a new revision, or insist with --again", &err);
}

static void tell_candidate(
	struct preflight *preflight, const struct revision *revision)
{
	struct release *release = preflight->release;
	const char *note =
		release->wish.candidate ? "" : latest_note(preflight);
	const char *remedy = deploy_remedy(preflight);
	size_t n_fails = preflight->n_fails;
	struct err err;

	look_at_history(preflight);
	tell_rule(preflight, rule_owner(revision, release->service.name, &err),
		"candidate", remedy, &err);
	tell_rule(preflight, rule_ready(revision, &err), "candidate", remedy,
		&err);
	if (preflight->n_fails > n_fails)
		return;
	finding_tell(preflight, *note ? FINDING_WARN : FINDING_OK, "candidate",
		release->candidate,
		*note ? "mend the one deployed last, or name the candidate "
			"with --candidate"
		      : NULL,
		"ready%s", note);
}

static void tell_no_revision(struct preflight *preflight, const char *what,
	const char *name, const struct err *err)
{
	struct finding *finding = finding_tell(preflight, FINDING_FAIL, what,
		name, deploy_remedy(preflight), "%s", err->text);

	finding_refuse(preflight, finding, "revision %s cannot be read: %s",
		name, err->text);
}

static void candidate_read(
	const struct revision *revision, const struct err *err, void *arg)
{
	struct preflight *preflight = arg;

	preflight->call = NULL;
	if (revision) {
		tell_candidate(preflight, revision);
	} else if (preflight_try_again(preflight, err, candidate_look)) {
		return;
	} else {
		look_at_history(preflight);
		tell_no_revision(preflight, "candidate",
			preflight->release->candidate, err);
	}
	if (*preflight->release->stable)
		stable_look(preflight);
	else
		preflight_next(preflight);
}

/* ---- stable, the way back ---- */

static void stable_look(void *arg)
{
	struct preflight *preflight = arg;
	struct release *release = preflight->release;

	preflight->again = NULL;
	preflight->call = cloudrun_get_revision_start(cloudrun_of(preflight),
		release->service.full, release->stable, stable_read, preflight);
}

static void stable_read(
	const struct revision *revision, const struct err *err, void *arg)
{
	static const char remedy[] = "give a revision that is ready 100 % "
				     "first, or deploy this one again";
	struct preflight *preflight = arg;
	struct err rule;

	preflight->call = NULL;
	if (revision)
		tell_rule(preflight, rule_ready(revision, &rule), "stable",
			remedy, &rule);
	else if (preflight_try_again(preflight, err, stable_look))
		return;
	else
		tell_no_revision(
			preflight, "stable", preflight->release->stable, err);
	preflight_next(preflight);
}

/* ---- a rollback: both revisions are given ---- */

static void take_given(struct preflight *preflight)
{
	struct release *release = preflight->release;
	struct split split;

	release_set_candidate(release, release->wish.candidate);
	release_set_stable(release, release->wish.stable);
	split = traffic_split(&preflight->snapshot->spec, release->candidate,
		release->stable, preflight->snapshot->latest_ready);
	if (split.other)
		finding_tell(preflight, FINDING_FAIL, "traffic", "",
			pin_remedy(preflight),
			"%d %% of the traffic are with revisions that are "
			"neither %s nor %s: somebody else put them in charge",
			split.other, release->candidate, release->stable);
	given_look(preflight);
}

static void given_look(void *arg)
{
	struct preflight *preflight = arg;
	struct release *release = preflight->release;

	preflight->again = NULL;
	preflight->call = cloudrun_get_revision_start(cloudrun_of(preflight),
		release->service.full, release->stable, given_read, preflight);
}

static void given_read(
	const struct revision *revision, const struct err *err, void *arg)
{
	static const char remedy[] =
		"name another revision to go back to: --to";
	struct preflight *preflight = arg;
	struct release *release = preflight->release;
	struct err rule;

	preflight->call = NULL;
	if (revision) {
		tell_rule(preflight,
			rule_owner(revision, release->service.name, &rule),
			"stable", remedy, &rule);
		tell_rule(preflight, rule_ready(revision, &rule), "stable",
			remedy, &rule);
	} else if (preflight_try_again(preflight, err, given_look)) {
		return;
	} else {
		tell_no_revision(preflight, "stable", release->stable, err);
	}
	preflight_next(preflight);
}
