/* SPDX-License-Identifier: Apache-2.0 */
/* What a drill has looked at, as JSON; see rollback.h. Pure. */
#include "base/jsonw.h"
#include "live/rollback.h"

void drill_report_print(const struct drill_report *report, struct jsonw *w)
{
	jsonw_text(w, "service", report->service);
	jsonw_text(w, "candidate", report->candidate);
	jsonw_text(w, "stable", report->stable);
	jsonw_array(w, "drill");
	for (size_t i = 0; i < report->n; i++) {
		jsonw_object(w, NULL);
		jsonw_text(w, "what", report->item[i].what);
		jsonw_text(w, "name", report->item[i].name);
		jsonw_bool(w, "ready", report->item[i].is_ready);
		jsonw_text(w, "detail", report->item[i].detail);
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
	jsonw_bool(w, "ready", report->n_missing == 0);
	jsonw_int(w, "missing", (int64_t)report->n_missing);
}
