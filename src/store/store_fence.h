/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the store only: leases in a transaction of the journal's. An error there
 * may have ended the transaction, so that none may be passed over.
 */
#ifndef TIDEGATE_STORE_STORE_FENCE_H
#define TIDEGATE_STORE_STORE_FENCE_H

#include "store/store.h"

/* As store_lease_drop. */
MUST_CHECK int store_lease_end(struct store *store, const char *service,
	int64_t fence, struct err *err_r);
/* -1 with ERR_LEASE when it is not ours any more. */
MUST_CHECK int store_lease_check(struct store *store, const char *service,
	int64_t fence, struct err *err_r);

#endif
