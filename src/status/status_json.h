/* SPDX-License-Identifier: Apache-2.0 */
/* `tidegate status --format json`: one object. Pure. */
#ifndef TIDEGATE_STATUS_STATUS_JSON_H
#define TIDEGATE_STATUS_STATUS_JSON_H

#include "base/buf.h"
#include "status/rollout_snapshot.h"

/* `driver` NULL: nobody drives it. */
void status_json_print(const struct rollout_snapshot *snapshot,
	const struct store_lease *driver, int64_t now_ms, struct buf *out);

#endif
