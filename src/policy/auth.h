/* SPDX-License-Identifier: Apache-2.0 */
/* How tidegate identifies itself to a server. Part of the model. */
#ifndef TIDEGATE_POLICY_AUTH_H
#define TIDEGATE_POLICY_AUTH_H

#include "base/secret.h"

enum auth_type {
	AUTH_NONE,
	AUTH_BASIC,
	AUTH_BEARER,
	AUTH_GOOGLE,
	AUTH_ID_TOKEN
};

struct auth {
	enum auth_type type;
	const char *username; /* basic */
	struct secret *secret; /* basic: password, bearer: token */
	const char *audience; /* id-token; NULL: where the URL leads */
};

struct tls {
	const char *ca_file, *cert_file, *key_file; /* NULL: system's, none */
};

struct header {
	const char *name;
	struct secret *value; /* headers may carry secrets, so all of them do */
};

#endif
