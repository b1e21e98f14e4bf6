/* SPDX-License-Identifier: Apache-2.0 */
/* What alerts on error budgets are called and say; see slo_print.h. */
#include "base/duration.h"
#include "base/jsonw.h"
#include "slo/slo_print.h"

#define MINUTE_MS INT64_C(60000)

const char *slo_alert_name(enum slo_alert alert, const struct slo_tier *tier)
{
	switch (alert) {
	case SLO_ALERT_BURN:
		return tier->pages ? "SLOBurnFast" : "SLOBurnSlow";
	case SLO_ALERT_PART_MISSING:
		return "SLOCountMissing";
	case SLO_ALERT_TOTAL_MISSING:
		break;
	}
	return "SLONoData";
}

const char *slo_alert_severity(
	enum slo_alert alert, const struct slo_tier *tier)
{
	if (alert == SLO_ALERT_BURN)
		return tier->pages ? "critical" : "warning";
	return alert == SLO_ALERT_PART_MISSING ? "critical" : "warning";
}

/* The windows are what makes a burn sure. */
const char *slo_alert_for(enum slo_alert alert)
{
	return alert == SLO_ALERT_BURN ? "0s" : "10m";
}

/* A constant text, so that what is grouped shares it. */
const char *slo_alert_summary(const struct slo_rules *rules,
	const struct slo_objective *o, enum slo_alert alert,
	const struct slo_tier *tier, struct arena *arena)
{
	const char *service = rules->wish.service;

	switch (alert) {
	case SLO_ALERT_BURN:
		return arena_printf(arena,
			"%s spends the error budget of %s %s.", service,
			o->name, tier->pages ? "fast" : "slowly but steadily");
	case SLO_ALERT_PART_MISSING:
		return arena_printf(arena,
			"%s has requests, but no counter of the good ones of "
			"%s.",
			service, o->name);
	case SLO_ALERT_TOTAL_MISSING:
		break;
	}
	return arena_printf(
		arena, "There is no counter of %s for %s.", service, o->name);
}

static const char *say_bad(const struct slo_objective *o, struct arena *arena)
{
	char bound[DURATION_TEXT_MAX];

	if (!o->is_latency)
		return "bad";
	if (!(o->bound > 0))
		return "slower than the bound";
	return arena_printf(arena, "slower than %s",
		duration_print((int64_t)(o->bound * 1e3 + 0.5), bound));
}

static const char *say_burn(const struct slo_rules *rules,
	const struct slo_objective *o, const struct slo_tier *tier,
	struct arena *arena)
{
	char factor[JSONW_NUMBER_MAX], period[DURATION_TEXT_MAX];
	char left[DURATION_TEXT_MAX];
	int64_t gone_ms =
		(int64_t)((double)rules->wish.period_ms / tier->factor);

	return arena_printf(arena,
		"In the last %s, and in the last %s as well, more than %s%s "
		"requests were %s as the objective of %s in %s allows: at this "
		"pace a whole budget lasts %s.",
		tier->window, tier->brief,
		tier->factor == 1 ? "as many"
				  : jsonw_print_number(tier->factor, factor),
		tier->factor == 1 ? "" : " times as many", say_bad(o, arena),
		slo_share_print(o->target, arena),
		duration_print(rules->wish.period_ms, period),
		duration_print(gone_ms / MINUTE_MS * MINUTE_MS, left));
}

const char *slo_alert_description(const struct slo_rules *rules,
	const struct slo_objective *o, enum slo_alert alert,
	const struct slo_tier *tier, struct arena *arena)
{
	switch (alert) {
	case SLO_ALERT_BURN:
		return say_burn(rules, o, tier, arena);
	case SLO_ALERT_PART_MISSING:
		if (o->is_latency)
			return arena_printf(arena,
				"%s selects nothing while there are requests: "
				"there is no bucket with this bound, or none "
				"is faster. Until it is mended nobody is told "
				"of slow requests.",
				selector_print(&o->part, arena));
		return arena_printf(arena,
			"%s selects nothing while there are requests: all of "
			"them fail, or the selector is wrong. Until it is "
			"mended nobody is told of failures.",
			selector_print(&o->part, arena));
	case SLO_ALERT_TOTAL_MISSING:
		break;
	}
	return arena_printf(arena,
		"%s has had no sample for 30m: the service is not scraped, or "
		"the selector is wrong. Until it is mended nobody is told of "
		"failures.",
		selector_print(&o->total, arena));
}
