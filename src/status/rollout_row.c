/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout's row as JSON; see rollout_row.h. */
#include "status/rollout_row.h"

#include "base/jsonw.h"
#include "base/timestamp.h"
#include "store/store.h"

static void print_time(struct jsonw *w, const char *key, int64_t ms)
{
	char text[TIMESTAMP_TEXT_MAX];

	if (ms > 0)
		jsonw_text(w, key, timestamp_print(ms, text));
	else
		jsonw_null(w, key);
}

void rollout_row_add(
	struct jsonw *w, const char *key, const struct store_rollout *rollout)
{
	jsonw_object(w, key);
	jsonw_text(w, "rollout", rollout->id);
	jsonw_text(w, "service", rollout->service);
	jsonw_text(w, "candidate", rollout->candidate);
	jsonw_text(w, "stable", rollout->stable);
	jsonw_text(w, "policy", rollout->policy_name);
	jsonw_text(w, "phase", rollout->phase);
	jsonw_text(w, "reason", rollout->reason);
	jsonw_text(w, "starter", rollout->starter);
	print_time(w, "started", rollout->started_ms);
	print_time(w, "ended", rollout->ended_ms);
	jsonw_end(w, '}');
}

void rollout_row_print(struct jsonw *w, const struct store_rollout *rollout)
{
	rollout_row_add(w, NULL, rollout);
}
