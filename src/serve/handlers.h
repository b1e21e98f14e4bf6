/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that answer requests, one for each row of routes.def, and the
 * tables of what they take. Each answers its visit exactly once, also later. */
#ifndef TIDEGATE_SERVE_HANDLERS_H
#define TIDEGATE_SERVE_HANDLERS_H

#include "serve/fields.h"
#include "serve/metrics_page.h"
#include "serve/visit.h"

extern const struct field no_fields[];

#define R(method, path, door, handler, query, body, status, answer, summary) \
	void handler(struct visit *visit);                                   \
	extern const struct field query[], body[];
#include "serve/routes.def"
#undef R

/* Whoever could not log in is told so by a page. */
void login_pages(struct daemon *daemon);

#endif
