/* SPDX-License-Identifier: Apache-2.0 */
/* What an HTTP status means: one table for all that speak HTTP. Pure. */
#ifndef TIDEGATE_BASE_HTTP_STATUS_H
#define TIDEGATE_BASE_HTTP_STATUS_H

#include <stdbool.h>

#include "base/err.h"

/* Any 2xx: what exactly an answer has to carry is its reader's to say. */
bool http_status_is_success(int status);

/* The code of what is no success. An API that says more in its body is
 * believed rather than its status; who refuses by a status alone is not. */
enum err_code http_status_code(int status);

/* Its name, "Not Found"; of one that has none, its class's. */
const char *http_status_reason(int status);

#endif
