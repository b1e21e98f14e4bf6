/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout as JSON for somebody: as `status --format json` has it, with what
 * they may decide now. */
#ifndef TIDEGATE_SERVE_ROLLOUT_JSON_H
#define TIDEGATE_SERVE_ROLLOUT_JSON_H

#include "base/buf.h"

struct access;
struct view;
struct visitor;

/* One object and a newline. */
void rollout_json_print(const struct access *access,
	const struct visitor *visitor, const struct view *view,
	struct buf *out);

#endif
