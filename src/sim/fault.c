/* SPDX-License-Identifier: Apache-2.0 */
/* Faults as people write them: "metrics-down@12m+5m", "drift@15m". */
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "sim/sim.h"

static const struct {
	const char *name;
	bool lasts; /* needs "+duration" */
	bool may_last;
} faults[FAULTS] = {
	[FAULT_METRICS_DOWN] = {"metrics-down", true, true},
	[FAULT_PATCH_503] = {"patch-503", true, true},
	[FAULT_PATCH_LOST] = {"patch-lost", true, true},
	[FAULT_DRIFT] = {"drift", false, false},
	[FAULT_CRASH] = {"crash", false, true},
};

static int find(const char *text, size_t len, struct err *err_r)
{
	int i;

	for (i = 0; i < FAULTS; i++) {
		if (strlen(faults[i].name) == len &&
			memcmp(faults[i].name, text, len) == 0)
			return i;
	}
	return err_set(err_r, ERR_USAGE,
		"\"%.60s\" is not a fault: write metrics-down@12m+5m, "
		"patch-503@20m+2m, patch-lost@20m+2m, drift@15m or crash@18m",
		text);
}

static int duration_of(
	const char *text, size_t len, int64_t *ms_r, struct err *err_r)
{
	char copy[DURATION_TEXT_MAX];

	snprintf(copy, sizeof(copy), "%.*s", (int)len, text);
	if (duration_parse(copy, ms_r, err_r) == 0)
		return 0;
	err_r->code = ERR_USAGE;
	return -1;
}

int fault_parse(const char *text, struct fault *fault_r, struct err *err_r)
{
	size_t len = strcspn(text, "@");
	const char *at = text + len, *plus;
	int type = find(text, len, err_r);

	if (type < 0)
		return -1;
	if (!*at)
		return err_set(err_r, ERR_USAGE,
			"\"%.60s\" does not say when: write %s@12m", text,
			faults[type].name);
	plus = strchr(++at, '+');
	fault_r->type = (enum fault_type)type;
	fault_r->for_ms = 0;
	if (duration_of(at, plus ? (size_t)(plus - at) : strlen(at),
		    &fault_r->at_ms, err_r) < 0)
		return -1;
	if (plus && !faults[type].may_last)
		return err_set(err_r, ERR_USAGE,
			"\"%.60s\": %s happens at once and does not last", text,
			faults[type].name);
	if (!plus && faults[type].lasts)
		return err_set(err_r, ERR_USAGE,
			"\"%.60s\" does not say how long: write %s@12m+5m",
			text, faults[type].name);
	return plus ? duration_of(plus + 1, strlen(plus + 1), &fault_r->for_ms,
			      err_r)
		    : 0;
}
