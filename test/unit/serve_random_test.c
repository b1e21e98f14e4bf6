/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon with all that belongs to it hears what no client of ours would say:
 * noise, requests of the table of routes with values that do not belong there,
 * and the same with bytes changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/xalloc.h"
#include "serve/route.h"
#include "serve_fixture.h"
#include "server_peer.h"
#include "until.h"

#define N_RANDOM  10000
#define N_AT_ONCE 50
#define BYTES_MAX 4096

/* Who has failed to come in so often is not heard any more: that is last. */
#define N_LOGIN 1000

static struct served served;
static char *rollout; /* waits for approval, at first */
static size_t n_answered[6]; /* by the status's first digit */
static bool knows_login;

static const char *any_of(struct rng *rng, const char *const *texts, size_t n)
{
	return texts[rng_below(rng, n)];
}

#define ANY_OF(rng, texts) any_of(rng, texts, sizeof(texts) / sizeof(*(texts)))

/* As JSON: what a field may be, and what it must not be. */
static void add_value(struct rng *rng, const struct field *f, struct buf *out)
{
	static const char *const values[] = {"\"e2e\"", "\"backend-2\"", "\"\"",
		"0", "2", "-1", "1e400", "99999999999999999999", "true", "null",
		"[]", "{\"a\":[{}]}", "\"\\u0000\"", "\"\\ud800\"",
		"\"../../etc/passwd\"", "\"%s%n\"", "\"2026-11-29T10:00:00Z\"",
		"\"version: 1\\nsteps: [{percent: 100}]\\n\"",
		"\"a: &a [*a]\\n\"", "\"\\u00e9\\n'\\\"<b>\""};
	size_t n = 0;

	while (f->choices && f->choices[n])
		n++;
	if (n && rng_below(rng, 2))
		buf_addf(out, "\"%s\"", any_of(rng, f->choices, n));
	else
		buf_adds(out, ANY_OF(rng, values));
}

static void add_body(struct rng *rng, const struct route *r, struct buf *out)
{
	const char *comma = "";

	buf_addc(out, '{');
	for (const struct field *f = r->body; f->name; f++) {
		if (rng_below(rng, f->required ? 8 : 2) == 0)
			continue;
		buf_addf(out, "%s\"%s\":", comma, f->name);
		add_value(rng, f, out);
		comma = ",";
	}
	buf_addc(out, '}');
}

static void add_query(struct rng *rng, const struct route *r, struct buf *out)
{
	static const char *const values[] = {"", "0", "7", "-1", "active",
		"html", "%00", "%ff", "x", "2026-11-29T10:00:00Z", "1e9"};
	char sign = '?';

	for (const struct field *f = r->query; f->name; f++) {
		if (rng_below(rng, 2))
			continue;
		buf_addf(out, "%c%s=%s", sign, f->name, ANY_OF(rng, values));
		sign = '&';
	}
}

/* A row of the table, with values of all kinds. */
static void add_request(struct rng *rng, struct buf *out)
{
	static const char *const ids[] = {"", "x", "..", "%2e%2e%2f", "%00",
		"backend-20200101-000000-none", "pages.css"};
	static const char *const more[] = {"Accept: text/event-stream\r\n",
		"Accept: text/html\r\n", "Last-Event-ID: 7\r\n",
		"Idempotency-Key: k\r\n", "Cookie: tidegate=x\r\n",
		"If-None-Match: \"x\"\r\n", "Sec-Fetch-Site: same-origin\r\n",
		"Content-Type: application/x-www-form-urlencoded\r\n", "", ""};
	size_t n = 0;
	const struct route *r;
	struct buf body;
	char *path;

	while (routes[n].method)
		n++;
	do
		r = &routes[rng_below(rng, n)];
	while (!knows_login && !strncmp(r->name, "log", 3));
	path = served_path(
		r->pattern, rng_below(rng, 4) ? rollout : ANY_OF(rng, ids));
	buf_init(&body, BYTES_MAX);
	if (r->body->name)
		add_body(rng, r, &body);
	else if (!strcmp(r->method, "POST"))
		buf_adds(&body, "verb=pause&step=2&candidate=backend-2");
	buf_addf(out, "%s %s", r->method, path);
	add_query(rng, r, out);
	buf_addf(out, " HTTP/1.1\r\nHost: localhost\r\n%s", ANY_OF(rng, more));
	if (r->body->name)
		buf_adds(out, "Content-Type: application/json\r\n");
	buf_addf(out, "Authorization: %s\r\nContent-Length: %zu\r\n\r\n",
		served.token, body.len);
	buf_add(out, body.data, body.len);
	buf_fini(&body);
	free(path);
}

/* Not in the proof: who has failed to give one often is not heard any more. */
static void change_bytes(struct rng *rng, struct buf *bytes)
{
	char *proof = strstr(bytes->data, "Authorization");
	size_t len = strlen("Authorization: ") + strlen(served.token);

	for (uint64_t n = 1 + rng_below(rng, 3); n; n--) {
		char *at = bytes->data + rng_below(rng, bytes->len);

		if (at < proof - 2 || at >= proof + len + 2)
			*at = (char)rng_below(rng, 256);
	}
}

static void make_bytes(struct rng *rng, struct buf *bytes)
{
	uint64_t kind = rng_below(rng, 4);

	buf_clear(bytes);
	if (kind) {
		add_request(rng, bytes);
		if (kind == 1)
			change_bytes(rng, bytes);
	} else {
		for (uint64_t n = 1 + rng_below(rng, 512); n; n--)
			buf_addc(bytes, (char)rng_below(rng, 256));
	}
}

/* A stream goes on for as long as somebody reads. */
static bool is_over(struct peer *peer)
{
	return peer_ended(peer) || strstr(peer->got.data, "event-stream");
}

static void look_at_answer(const struct peer *peer, const struct buf *asked)
{
	const char *got = peer->got.data;

	if (!peer->got.len)
		return;
	if (strncmp(got, "HTTP/1.1 ", 9) != 0 || got[9] < '1' || got[9] > '5' ||
		!strncmp(got + 9, "500", 3))
		fail_msg("%s\nwas answered with %.200s", asked->data, got);
	n_answered[got[9] - '0']++;
}

static void random_round(struct rng *rng, int port)
{
	struct peer peers[N_AT_ONCE];
	struct buf asked[N_AT_ONCE];

	for (int i = 0; i < N_AT_ONCE; i++) {
		buf_init(&asked[i], BYTES_MAX);
		make_bytes(rng, &asked[i]);
		peer_connect(&peers[i], daemon_loop(served.daemon), port);
		peer_say_bytes(&peers[i], asked[i].data, asked[i].len);
		shutdown(peers[i].fd, SHUT_WR);
	}
	for (int i = 0; i < N_AT_ONCE; i++) {
		RUN_UNTIL(daemon_loop(served.daemon), is_over(&peers[i]));
		look_at_answer(&peers[i], &asked[i]);
		peer_fini(&peers[i]);
		buf_fini(&asked[i]);
	}
}

static void ten_thousand_random_requests_leave_it_well(void **state)
{
	const char *text = getenv("TIDEGATE_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 10) : 7;
	int port = atoi(strrchr(served.address, ':') + 1);
	struct rng rng;

	print_message("seed %llu\n", (unsigned long long)seed);
	rng_init(&rng, seed);
	for (int i = 0; i < N_RANDOM; i += N_AT_ONCE) {
		knows_login = i >= N_RANDOM - N_LOGIN;
		random_round(&rng, port);
	}
	/* Some were good, and most were not. */
	assert_true(n_answered[2] > N_RANDOM / 10);
	assert_true(n_answered[4] > N_RANDOM / 10);
	RUN_UNTIL(daemon_loop(served.daemon), !daemon_visits(served.daemon));
	served_expect(&served, 200, "GET", "/readyz", NULL);
}

static int setup(void **state)
{
	served_open(&served);
	rollout = served_rollout(&served, "awaiting-approval");
	return 0;
}

static int teardown(void **state)
{
	free(rollout);
	served_close(&served);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_random_requests_leave_it_well),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
