/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of file holds the state, and whose it is. */
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "store/store_file.h"

bool store_is_in_memory(const struct store *store)
{
	return store_file_is_in_memory(store_path(store));
}

bool store_is_owned_by_us(const struct store *store)
{
	struct stat st;

	return stat(store_path(store), &st) == 0 && st.st_uid == geteuid();
}
