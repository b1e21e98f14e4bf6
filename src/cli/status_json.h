/* `tidegate status --format json`: one object. Pure. */
#ifndef TIDEGATE_CLI_STATUS_JSON_H
#define TIDEGATE_CLI_STATUS_JSON_H

#include "base/buf.h"
#include "cli/folded.h"

/* `driver` NULL: nobody drives it. */
void status_json_print(const struct folded *folded,
	const struct store_lease *driver, int64_t now_ms, struct buf *out);

#endif
