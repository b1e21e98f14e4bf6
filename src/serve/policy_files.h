/* SPDX-License-Identifier: Apache-2.0 */
/* The policies of a folder as files: NAME.yaml each. Keeps nothing, and may be
 * called on any thread. */
#ifndef TIDEGATE_SERVE_POLICY_FILES_H
#define TIDEGATE_SERVE_POLICY_FILES_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"

#define POLICY_FILES_MAX 10000 /* of a folder; more are not seen */

/* The names without their ending, in order; texts are in the arena. */
MUST_CHECK int policy_files_list(const char *folder, struct arena *arena,
	const char ***names_r, size_t *n_r, struct err *err_r);

/* Adds the content; at most POLICY_BYTES_MAX. */
MUST_CHECK int policy_file_read(
	const char *path, struct buf *out, struct err *err_r);

/* NAME of "NAME.yaml", in the arena; NULL: it is no policy's. */
const char *policy_file_name(const char *file, struct arena *arena);

#endif
