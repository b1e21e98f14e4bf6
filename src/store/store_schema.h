/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema: entry N brings a file of version N to version N + 1, inside one
 * transaction. An entry that was released is never changed.
 */
#ifndef TIDEGATE_STORE_STORE_SCHEMA_H
#define TIDEGATE_STORE_STORE_SCHEMA_H

#include "store/store.h"

#define STORE_APPLICATION_ID 0x54644774 /* "TdGt", for file(1) */

extern const char *const store_migrations[STORE_VERSION];

#endif
