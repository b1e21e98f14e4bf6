/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of the sandbox's own to its front door, evenly spaced, so that there
 * is something to measure.
 */
#ifndef TIDEGATE_SANDBOX_LOAD_H
#define TIDEGATE_SANDBOX_LOAD_H

#define LOAD_RATE_MAX 1000 /* requests a second */

struct http;
struct load;
struct loop;

/* `rate` requests a second, from now on. All arguments outlive it but `url`. */
struct load *load_new(
	struct loop *loop, struct http *http, const char *url, int rate);
void load_free(struct load **load); /* NULL inside is accepted */

#endif
