/* SPDX-License-Identifier: Apache-2.0 */
/* Time to restore; see recovery.h. */
#include "status/recovery.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/store.h"

/* As a journal has them. In a text of JSON no quote stands alone, so that none
 * of these is found inside one. */
#define SLO    "\"slo\":\""
#define BREACH "\"outcome\":\"breach\""
#define PASS   "\"outcome\":\"pass\""

struct recovery_slo {
	char *name;
	int64_t bad_ms; /* since when; 0: it passes */
};

void recovery_fini(struct recovery *recovery)
{
	for (size_t i = 0; i < recovery->n_slos; i++)
		free(recovery->slo[i].name);
	free(recovery->slo);
	*recovery = (struct recovery){0};
}

/* NULL: it has not been bad, and is not now. */
static struct recovery_slo *slo_of(
	struct recovery *recovery, const char *data, bool is_bad)
{
	const char *name = strstr(data, SLO);
	struct recovery_slo *slo;
	size_t len;

	if (!name)
		return NULL;
	name += strlen(SLO);
	len = strcspn(name, "\"");
	for (size_t i = 0; i < recovery->n_slos; i++) {
		slo = &recovery->slo[i];
		if (strlen(slo->name) == len && !memcmp(slo->name, name, len))
			return slo;
	}
	if (!is_bad)
		return NULL;
	recovery->slo = xrealloc(
		recovery->slo, recovery->n_slos + 1, sizeof(*recovery->slo));
	slo = &recovery->slo[recovery->n_slos++];
	*slo = (struct recovery_slo){.name = xmemdup0(name, len)};
	return slo;
}

/* Since when the SLO is bad; 0: it is not. */
static int64_t take_check(
	struct recovery *recovery, const struct store_event *entry)
{
	bool is_bad = strstr(entry->data, BREACH) != NULL;
	struct recovery_slo *slo = slo_of(recovery, entry->data, is_bad);

	if (!slo)
		return 0;
	if (is_bad && !slo->bad_ms)
		slo->bad_ms = entry->time_ms;
	else if (strstr(entry->data, PASS))
		slo->bad_ms = 0;
	return slo->bad_ms;
}

/* People may have acted on what was bad before the engine did. */
static int64_t first_bad(const struct recovery *recovery)
{
	int64_t first_ms = 0;

	for (size_t i = 0; i < recovery->n_slos; i++)
		if (recovery->slo[i].bad_ms &&
			(!first_ms || recovery->slo[i].bad_ms < first_ms))
			first_ms = recovery->slo[i].bad_ms;
	return first_ms;
}

void recovery_take(struct recovery *recovery, const struct store_event *entry)
{
	enum phase phase = phase_find(entry->phase), before = recovery->phase;
	int64_t bad_ms = 0;

	if (!entry->is_note && !strcmp(entry->name, event_name(EVENT_CHECK)))
		bad_ms = take_check(recovery, entry);
	recovery->phase = phase;
	if (phase == PHASE_REVERTING && before != PHASE_REVERTING)
		recovery->bad_ms = bad_ms ? bad_ms : first_bad(recovery);
	if (before == PHASE_REVERTING && !recovery->restored_ms &&
		(phase == PHASE_ROLLING_BACK || phase == PHASE_ROLLED_BACK))
		recovery->restored_ms = entry->time_ms;
}

int64_t recovery_ms(const struct recovery *recovery)
{
	return recovery->bad_ms && recovery->restored_ms
		       ? recovery->restored_ms - recovery->bad_ms
		       : -1;
}
