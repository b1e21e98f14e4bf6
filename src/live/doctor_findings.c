/*
 * The findings of the doctor, and what its parts want to know of each other;
 * see doctor_parts.h. Calls none of the parts by name.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
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
		doctor->release->service.project,
		doctor->release->service.region);
}

void doctor_next(struct doctor *doctor)
{
	doctor->next =
		timer_start(doctor->world->loop, 0, doctor->look, doctor);
}

/* ---- {{candidate_url}} ---- */

bool doctor_asks_url(const struct action *action)
{
	return action->kind == ACTION_HTTP &&
	       template_uses(
		       secret_reveal(action->u.http.url), "candidate_url");
}

bool doctor_wants_url(const struct doctor *doctor)
{
	const struct actions *actions;

	for (int list = 0; list < ACTION_LISTS; list++) {
		actions = &doctor->release->policy->lists[list];
		for (size_t i = 0; i < actions->n; i++)
			if (doctor_asks_url(&actions->item[i]))
				return true;
	}
	return false;
}

bool doctor_has_url(const struct doctor *doctor)
{
	const char *tag = doctor->release->policy->tag;

	return tag && doctor->snapshot &&
	       traffic_has_tag(&doctor->snapshot->spec, tag,
		       doctor->release->candidate);
}
