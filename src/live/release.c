/* SPDX-License-Identifier: Apache-2.0 */
/* The facts of one release; see release.h. */
#include "live/release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cloudrun/service_codec.h"

struct release *release_new(const struct policy *policy, const char *service,
	const char *starter, const struct release_wish *wish, struct err *err_r)
{
	struct release *release = xcalloc(1, sizeof(*release));
	struct arena *arena = &release->arena;

	arena_init(arena);
	release->policy = policy;
	release->starter = arena_strdup(arena, starter);
	release->wish = (struct release_wish){
		.candidate = arena_strdup(arena, wish->candidate),
		.adopt = wish->adopt,
		.again = wish->again,
		.committed_ms = wish->committed_ms,
		.rollback_reason = arena_strdup(arena, wish->rollback_reason),
		.stable = arena_strdup(arena, wish->stable),
		.rollback_of = arena_strdup(arena, wish->rollback_of),
		.anew = wish->anew,
		.newest = arena_strdup(arena, wish->newest),
		.why = arena_strdup(arena, wish->why),
		.once = arena_strdup(arena, wish->once),
	};
	release->candidate = xstrdup("");
	release->stable = xstrdup("");
	release->candidate_url = xstrdup("");
	if (service_name_parse(&release->service, service, arena, err_r) < 0)
		release_free(&release);
	return release;
}

void release_free(struct release **release_p)
{
	struct release *release = *release_p;

	if (!release)
		return;
	arena_fini(&release->arena);
	free(release->candidate);
	free(release->stable);
	free(release->candidate_url);
	free(release->uid);
	free(release->created);
	free(release);
	*release_p = NULL;
}

bool release_goes_back(const struct release *release)
{
	return release->wish.rollback_reason != NULL;
}

/* ---- what is learnt ---- */

/* Most of what is learnt was known: the text is left where it is then. */
static void set_text(char **text, const char *value)
{
	char *before = *text;

	if (!strcmp(before, value))
		return;
	*text = xstrdup(value);
	free(before);
}

void release_set_candidate(struct release *release, const char *candidate)
{
	set_text(&release->candidate, candidate);
}

void release_set_stable(struct release *release, const char *stable)
{
	set_text(&release->stable, stable);
}

void release_take_url(struct release *release, const struct service *service)
{
	const char *url = traffic_uri(
		&service->statuses, release->candidate, release->policy->tag);

	set_text(&release->candidate_url, url ? url : "");
}

/* Whether the newest revision is another one than at the read before. */
static bool note_created(struct release *release, const char *created)
{
	bool deployed = release->created && created &&
			strcmp(release->created, created) != 0;

	if (created && (deployed || !release->created)) {
		free(release->created);
		release->created = xstrdup(created);
	}
	return deployed;
}

void release_take_service(struct release *release,
	const struct service *service, struct event *event)
{
	const char *tag = release->policy->tag, *latest = service->latest_ready;
	const char *keep = traffic_keep_tag(release->service.name);

	event->anew = release->uid && service->uid &&
		      strcmp(release->uid, service->uid) != 0;
	if (event->anew || service->generation >= release->generation) {
		release->generation = service->generation;
		release_take_url(release, service);
		event->deployed =
			note_created(release, service->latest_created);
	}
	event->spec = traffic_split(
		&service->spec, release->candidate, release->stable, latest);
	event->serving = traffic_split(&service->statuses, release->candidate,
		release->stable, latest);
	event->generation = service->generation;
	event->reconciling = service->reconciling;
	event->moving = service_is_moving(service);
	event->by_latest = traffic_has_latest(&service->spec);
	event->candidate_is_latest =
		latest && !strcmp(latest, release->candidate);
	event->tagged =
		tag && traffic_has_tag(&service->spec, tag, release->candidate);
	event->stable_kept =
		keep && traffic_has_tag(&service->spec, keep, release->stable);
	event->text = service_broken(service);
	if (!release->uid && service->uid)
		release->uid = xstrdup(service->uid);
}

/* ---- templates ---- */

void release_values(const struct release *release, const struct rollout *state,
	const char *revision, int64_t window_ms, struct release_values *out)
{
	snprintf(out->percent, sizeof(out->percent), "%d",
		state->traffic.serving.candidate);
	out->window[0] = '\0';
	if (window_ms)
		duration_print(window_ms, out->window);
	out->values = (struct template_values){
		.candidate = release->candidate,
		.stable = release->stable,
		.revision = revision,
		.candidate_url = release->candidate_url,
		.service = release->service.name,
		.project = release->service.project,
		.region = release->service.region,
		.window = out->window,
		.percent = out->percent,
		.rollout = release->id,
		.reason = state->reason,
	};
}
