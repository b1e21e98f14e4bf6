/* The findings of the doctor, and in which order it looks; see doctor.h. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "google/credentials.h"
#include "io/loop.h"
#include "live/doctor_parts.h"

#define DETAIL_MAX (4 * 1024) /* bytes */

const char *finding_name(enum finding_kind kind)
{
	static const char *const names[FINDING_KINDS] = {
		[FINDING_OK] = "ok",
		[FINDING_WARN] = "warn",
		[FINDING_FAIL] = "fail",
		[FINDING_SKIP] = "skip",
	};

	return names[kind];
}

/* ---- findings ---- */

struct finding *doctor_add(struct doctor *doctor, enum finding_kind kind,
	const char *what, const char *name, const char *remedy)
{
	struct finding *finding;

	if (doctor->n == doctor->size) {
		doctor->size = doctor->size ? 2 * doctor->size : 32;
		doctor->finding = xrealloc(doctor->finding, doctor->size,
			sizeof(*doctor->finding));
	}
	finding = &doctor->finding[doctor->n++];
	*finding = (struct finding){
		.kind = kind,
		.what = what,
		.name = arena_strdup(&doctor->arena, name),
		.detail = "",
		.remedy = remedy ? arena_strdup(&doctor->arena, remedy) : "",
	};
	return finding;
}

struct finding *doctor_tell(struct doctor *doctor, enum finding_kind kind,
	const char *what, const char *name, const char *remedy, const char *fmt,
	...)
{
	struct finding *finding = doctor_add(doctor, kind, what, name, remedy);
	struct buf text;
	va_list args;

	buf_init(&text, DETAIL_MAX);
	va_start(args, fmt);
	buf_addv(&text, fmt, args);
	va_end(args);
	finding->detail = arena_strdup(&doctor->arena, text.data);
	buf_fini(&text);
	return finding;
}

const char *doctor_place(struct doctor *doctor)
{
	return arena_printf(&doctor->arena, " --project %s --region %s",
		doctor->live->release->service.project,
		doctor->live->release->service.region);
}

/* ---- in order ---- */

static void report(struct doctor *doctor)
{
	struct doctor_report end = {
		.finding = doctor->finding,
		.n = doctor->n,
		.candidate = doctor->live->release->candidate,
		.stable = doctor->live->release->stable,
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

void doctor_next(struct doctor *doctor)
{
	doctor->next = timer_start(live_loop(doctor->live), 0, look, doctor);
}

struct doctor *doctor_start(struct hub *hub, const struct policy *policy,
	const struct doctor_options *options, doctor_fn fn, void *arg,
	struct err *err_r)
{
	struct live_options wanted = {
		.service = options->service,
		.starter = options->starter,
		.wish = {.candidate = options->candidate,
			.adopt = options->adopt,
			.again = options->again},
		.wait_ms = -1,
	};
	struct live *live = live_look_on(hub, policy, &wanted, err_r);
	struct doctor *doctor;

	if (!live)
		return NULL;
	doctor = xcalloc(1, sizeof(*doctor));
	doctor->live = live;
	doctor->options = *options;
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
	live_free(&doctor->live);
	arena_fini(&doctor->arena);
	free(doctor->finding);
	free(doctor);
	*doctor_p = NULL;
}
