/* SPDX-License-Identifier: Apache-2.0 */
/* Where a Redis is, and as whom one speaks to it. Pure. */
#ifndef TIDEGATE_ACTION_REDIS_URL_H
#define TIDEGATE_ACTION_REDIS_URL_H

#include "base/err.h"

#define REDIS_PART_MAX 8192 /* bytes of user or password with the NUL */
#define REDIS_HOST_MAX 256

/* Texts without percent-encoding; wipe it, there is a password in it. */
struct redis_url {
	char user[REDIS_PART_MAX], password[REDIS_PART_MAX];
	char host[REDIS_HOST_MAX];
	int port;
	char database[8]; /* "": the one that each connection begins in, 0 */
};

/* "redis://user:password@host:port/database"; nothing of it is cut. */
MUST_CHECK int redis_url_read(
	const char *text, struct redis_url *to, struct err *err_r);

#endif
