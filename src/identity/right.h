/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody may do. Who may what is told by src/serve; a token tells the
 * most that its bearer may. Pure. */
#ifndef TIDEGATE_IDENTITY_RIGHT_H
#define TIDEGATE_IDENTITY_RIGHT_H

#include "base/buf.h"
#include "base/err.h"

enum right {
	RIGHT_READ,
	RIGHT_START,
	RIGHT_OPERATE, /* pause, continue, abort, reject, rollback */
	RIGHT_APPROVE,
	RIGHT_METRICS,
	RIGHT_ADMIN, /* tokens, configuration */
	RIGHTS
};

#define RIGHT_BIT(right) (1U << (right))
#define RIGHTS_ALL       ((1U << RIGHTS) - 1)

extern const char *const right_names[RIGHTS + 1]; /* "read"; ends with NULL */

/* RIGHTS: there is none of this name. */
enum right right_find(const char *name);

/* "read,operate": names with commas between them, each once. ERR_USAGE. */
MUST_CHECK int rights_parse(
	const char *text, unsigned *rights_r, struct err *err_r);
void rights_print(struct buf *out, unsigned rights);

#endif
