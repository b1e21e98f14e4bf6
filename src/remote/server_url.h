/* SPDX-License-Identifier: Apache-2.0 */
/* Where a daemon is, as --server says it. Pure. */
#ifndef TIDEGATE_REMOTE_SERVER_URL_H
#define TIDEGATE_REMOTE_SERVER_URL_H

#include "base/arena.h"

struct server_url {
	const char *said; /* for messages */
	const char *base; /* what paths are put behind, no "/" at its end */
	const char *unix_socket; /* NULL: none */
	bool is_plain; /* http to this machine, or a Unix socket */
};

/* https://HOST[:PORT][/PATH], http:// of a loopback host, unix:/PATH; texts live
 * in the arena. ERR_USAGE. */
MUST_CHECK int server_url_parse(const char *text, struct arena *arena,
	struct server_url *url_r, struct err *err_r);

#endif
