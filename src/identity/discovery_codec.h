/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an OpenID issuer says of itself in ISSUER/.well-known/
 * openid-configuration. Pure.
 */
#ifndef TIDEGATE_IDENTITY_DISCOVERY_CODEC_H
#define TIDEGATE_IDENTITY_DISCOVERY_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define DISCOVERY_BYTES_MAX (64 * 1024)
#define DISCOVERY_PATH      "/.well-known/openid-configuration"

struct discovery {
	char *keys_url;
	char *authorization_url, *token_url; /* NULL: it has no login */
	/* client_secret_post: it does not take client_secret_basic. */
	bool posts_secret;
};

/* ERR_PROTOCOL: it is of another issuer, or lacks where the keys are. URLs are
 * https, or http of a loopback host. */
MUST_CHECK int discovery_decode(const char *bytes, size_t len,
	const char *issuer, struct discovery *discovery_r, struct err *err_r);
void discovery_fini(struct discovery *discovery);

#endif
