/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Sentry and a JSON API of nobody's in one server on loopback. The Sentry is
 * as strict as the documented one: token, trailing slash, what each endpoint
 * must and may be asked, headers that count the rate. What it would refuse is
 * refused, in its words.
 */
#ifndef TEST_FAKE_SENTRY_H
#define TEST_FAKE_SENTRY_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_SENTRY_TOKEN "sntrys_0123456789abcdef"
#define FAKE_JSON_TOKEN   "json-token-0123456789"

struct loop;
struct server;

struct fake_sentry {
	struct loop *loop;
	struct server *server;
	int requests;
	char last[2048]; /* target of the last one */
	char method[8], body[512], header[64]; /* of it; header: X-Tenant */
	int64_t times_ms[64]; /* when they came */

	/* What Sentry has. */
	const char *release; /* the one that has sessions; NULL: none has */
	const char *crash_free; /* as JSON: "0.99", "null" */
	int sessions, errors, issues;

	/* Limits of the rate: so many requests are answered with 429. */
	int n_limited;
	const char *retry_after; /* NULL: the header is not sent */
	int64_t reset_in_s; /* of the Reset header; 0: not sent */
	const char *remaining; /* of the Remaining header; NULL: "39" */

	/* The JSON API's. */
	int status; /* 0: 200 */
	const char *answer, *location;
	int64_t delay_ms; /* of its answers */
};

void fake_sentry_init(struct fake_sentry *fake, struct loop *loop);
void fake_sentry_fini(struct fake_sentry *fake);
int fake_sentry_port(const struct fake_sentry *fake);

#endif
