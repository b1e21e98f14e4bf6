/* SPDX-License-Identifier: Apache-2.0 */
/* What a rollout leaves for a person; see report.h. */
#include <string.h>

#include "report/report.h"

#define ITEM_BYTES_MAX 4096

static void item(struct page *page, const char *fmt, ...) PRINTFLIKE(2, 3);

static void item(struct page *page, const char *fmt, ...)
{
	struct buf text;
	va_list args;

	buf_init(&text, ITEM_BYTES_MAX);
	va_start(args, fmt);
	buf_addv(&text, fmt, args);
	va_end(args);
	page_item(page, text.overflow ? "(too long to be shown)" : text.data);
	buf_fini(&text);
}

static const char *short_service(const struct report *report)
{
	const char *slash = strrchr(report->row.service, '/');

	return slash ? slash + 1 : report->row.service;
}

/* A later attempt or run of the same action ended well. */
static bool was_repaired(const struct report *report, size_t i)
{
	const struct report_action *failed = &report->actions.item[i], *later;

	for (size_t k = i + 1; k < report->actions.n; k++) {
		later = &report->actions.item[k];
		if (later->list == failed->list &&
			!strcmp(later->name, failed->name))
			return true; /* it speaks for itself */
	}
	return false;
}

static void todo_actions(const struct report *report, struct page *page)
{
	for (size_t i = 0; i < report->actions.n; i++) {
		const struct report_action *a = &report->actions.item[i];

		if (was_repaired(report, i))
			continue;
		if (a->list == LIST_PREFLIGHT && a->result != ACTION_OK)
			continue; /* the reason of the refusal names it */
		if (a->result == ACTION_FAILED)
			item(page,
				"%s (%s) failed: do by hand what it was for. "
				"%.2000s",
				a->name, action_list_name(a->list), a->detail);
		else if (a->result == ACTION_UNKNOWN)
			item(page,
				"nobody knows whether %s (%s) has done its "
				"work: look, and finish it. %.2000s",
				a->name, action_list_name(a->list), a->detail);
		else if (a->result == ACTION_SKIPPED &&
			 a->list == LIST_ROLLBACK)
			item(page,
				"%s was skipped: decide whether it is needed. "
				"%.2000s",
				a->name, a->detail);
	}
}

static void todo_unfinished(const struct report *report,
	const struct summary *summary, struct page *page)
{
	size_t i;

	item(page,
		"it has not ended, this is how it stood at the last entry: "
		"tidegate status %s",
		report->row.id);
	for (i = 0; i < summary->n_remedies; i++)
		item(page, "%s: %s", summary->remedies[i].line,
			summary->remedies[i].says);
}

static void todo_traffic(const struct report *report,
	const struct summary *summary, struct page *page)
{
	const struct rollout *state = &report->fold.state;
	const char *service = short_service(report);

	switch (state->phase) {
	case PHASE_ROLLBACK_FAILED:
		if (state->traffic.serving.candidate > 0)
			item(page,
				"the candidate still serves %d %%: give stable "
				"its traffic back by hand: gcloud run services "
				"update-traffic %s --to-revisions=%s=100",
				state->traffic.serving.candidate, service,
				report->row.stable);
		item(page, "the rollback failed: %s", state->reason);
		break;
	case PHASE_STOPPED:
		item(page,
			"somebody else changed the traffic and tidegate let go "
			"of it: see who serves what, gcloud run services "
			"describe %s",
			service);
		break;
	case PHASE_ROLLED_BACK:
		item(page,
			"%s is pinned: new deployments get no traffic until "
			"the next rollout, or gcloud run services "
			"update-traffic %s --to-latest",
			report->row.stable, service);
		item(page,
			"find out what was wrong with %s; it is not released "
			"again unless --again says so",
			report->row.candidate);
		break;
	case PHASE_REFUSED:
		item(page,
			"remove what preflight found, then start again; "
			"nothing was moved: %s",
			state->reason);
		break;
	case PHASE_PROMOTED:
		if (!state->traffic.by_latest)
			item(page,
				"%s is pinned: new deployments get no traffic "
				"by themselves",
				report->row.candidate);
		break;
	default:
		todo_unfinished(report, summary, page);
		break;
	}
}

void report_todo(const struct report *report, const struct summary *summary,
	struct page *page)
{
	page_list_begin(page);
	todo_traffic(report, summary, page);
	todo_actions(report, page);
	page_list_end(page);
}
