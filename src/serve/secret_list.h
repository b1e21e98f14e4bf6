/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that were put in one after the other: those before stay valid, since
 * what is under way may borrow one. */
#ifndef TIDEGATE_SERVE_SECRET_LIST_H
#define TIDEGATE_SERVE_SECRET_LIST_H

#include "base/secret.h"

struct secret_list;

struct secret_list *secret_list_new(void);
void secret_list_free(struct secret_list **list); /* and all secrets in it */

/* Makes `place` a copy of the secret, unless it is the same; NULL: it stays. */
void secret_list_put(struct secret_list *list, const struct secret **place,
	const struct secret *secret);

#endif
