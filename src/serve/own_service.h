/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Cloud Run service that this process is itself, where it is one: the daemon
 * never releases that. $K_SERVICE says its name, the metadata server where it is.
 */
#ifndef TIDEGATE_SERVE_OWN_SERVICE_H
#define TIDEGATE_SERVE_OWN_SERVICE_H

#include <stdbool.h>

#include "base/err.h"

struct http;
struct own_service;

/* NULL: this is no Cloud Run service. Asks where it is. */
struct own_service *own_service_new(struct http *http);
void own_service_free(struct own_service **own);

/* -1 with ERR_REFUSED: it is this process itself, or may be: as long as it is
 * not known where that is, each service of its name counts. `own` NULL: 0. */
MUST_CHECK int own_service_check(
	const struct own_service *own, const char *service, struct err *err_r);

/* The same of plain facts, "" not being known. Pure. */
bool own_service_is(const char *name, const char *project, const char *number,
	const char *region, const char *service);

#endif
