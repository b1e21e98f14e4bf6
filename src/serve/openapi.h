/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI document of what routes.def serves to programs. */
#ifndef TIDEGATE_SERVE_OPENAPI_H
#define TIDEGATE_SERVE_OPENAPI_H

#include <stdbool.h>

#include "base/buf.h"

struct route;

/* Pages and logins are for browsers and are not in it. */
bool openapi_has(const struct route *route);

/* OpenAPI 3.1; `server` is the public URL, NULL: it is not known. */
void openapi_print(const char *server, struct buf *out);

#endif
