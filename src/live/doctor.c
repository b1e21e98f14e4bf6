/* In which order the doctor looks; see doctor.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "google/credentials.h"
#include "io/loop.h"
#include "live/doctor_parts.h"

static void report(struct doctor *doctor)
{
	struct doctor_report end = {
		.finding = doctor->finding,
		.n = doctor->n,
		.candidate = doctor->release->candidate,
		.stable = doctor->release->stable,
	};

	for (size_t i = 0; i < doctor->n; i++)
		end.counts[doctor->finding[i].kind]++;
	doctor->fn(&end, doctor->arg);
}

static void look(void *arg)
{
	static void (*const parts[])(struct doctor *) = {
		doctor_google,
		doctor_permissions,
		doctor_service,
		doctor_slos,
		doctor_actions,
		doctor_local,
		report,
	};
	struct doctor *doctor = arg;

	doctor->next = NULL;
	if (doctor->part < sizeof(parts) / sizeof(*parts))
		parts[doctor->part++](doctor);
}

struct doctor *doctor_start(struct world *world, const struct policy *policy,
	const struct doctor_options *options, doctor_fn fn, void *arg,
	struct err *err_r)
{
	struct release_wish wish = {
		.candidate = options->candidate,
		.adopt = options->adopt,
		.again = options->again,
	};
	struct release *release = release_new(
		policy, options->service, options->starter, &wish, err_r);
	struct doctor *doctor;

	if (!release)
		return NULL;
	snprintf(release->id, sizeof(release->id), "check");
	doctor = xcalloc(1, sizeof(*doctor));
	doctor->world = world;
	doctor->release = release;
	rollout_init(&doctor->state);
	doctor->options = *options;
	doctor->look = look;
	doctor->fn = fn;
	doctor->arg = arg;
	doctor->cut_off = options->credentials_err != NULL;
	arena_init(&doctor->arena);
	doctor_next(doctor);
	return doctor;
}

void doctor_free(struct doctor **doctor_p)
{
	struct doctor *doctor = *doctor_p;

	if (!doctor)
		return;
	timer_cancel(&doctor->next);
	token_cancel(&doctor->token);
	cloudrun_cancel(&doctor->call);
	doctor_slos_cancel(doctor);
	doctor_actions_cancel(doctor);
	service_free(&doctor->snapshot);
	release_free(&doctor->release);
	arena_fini(&doctor->arena);
	free(doctor->finding);
	free(doctor);
	*doctor_p = NULL;
}
