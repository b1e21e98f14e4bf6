/* SPDX-License-Identifier: Apache-2.0 */
/* What was found, what was chosen of it and why, for people. Pure. */
#ifndef TIDEGATE_INIT_EXPLAIN_H
#define TIDEGATE_INIT_EXPLAIN_H

#include "init/proposal.h"

/* The metrics, each with what it is used for or what speaks against it. */
void explain_found(
	const struct found *found, const char *stable, struct buf *out);

/* What to export, where there is nothing to ask. */
void explain_export(const char *service, const char *stable, struct buf *out);

/* Traffic, pace and limits in a few lines. */
void explain_choice(const struct proposal *proposal, struct buf *out);

#endif
