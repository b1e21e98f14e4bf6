/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world for the Admin API's client: a strict fake on loopback that follows a
 * script, credentials that hand out token-1, token-2, …, and what the client
 * said last. A request that is not the next one of the script, or not made as
 * it must be, fails the test.
 */
#ifndef TIDEGATE_TEST_CLOUDRUN_FIXTURE_H
#define TIDEGATE_TEST_CLOUDRUN_FIXTURE_H

#include "api/request.h"
#include "cloudrun/cloudrun.h"
#include "fake_token.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/server.h"

#define NAME      "projects/acme/locations/europe-west1/services/shop"
#define OPERATION "projects/acme/locations/europe-west1/operations/op-1"
#define GET       "GET /v2/" NAME
#define PATCH     "PATCH /v2/" NAME "?updateMask=traffic"
#define WAIT      "POST /v2/" OPERATION ":wait"
#define POLL      "GET /v2/" OPERATION
#define RUNNING   "{\"name\":\"" OPERATION "\"}"
#define DONE      "{\"name\":\"" OPERATION "\",\"done\":true}"
#define ERROR(n)  "{\"done\":true,\"error\":{\"code\":" n ",\"message\":\"m\"}}"
#define STATUS(s) "{\"error\":{\"status\":\"" s "\",\"message\":\"m\"}}"

#define TEST_MS    60000 /* no test takes longer */
#define SCRIPT_MAX 8
#define CROWD      11 /* writes at a time */

enum { RESET = -1, SILENCE = -2 };

struct turn {
	const char *expect; /* method and target */
	int status; /* or RESET, SILENCE */
	const char *body;
	const char *retry_after;
};

/* The fake, the client, and what the client said last. */
struct world {
	struct loop *loop;
	struct http *http;
	struct server *server;
	struct credentials credentials;
	struct cloudrun *cloudrun;
	struct timer *alarm;

	const struct turn *script;
	size_t n_turns, at;
	struct server_request *silent[CROWD];
	size_t n_silent;
	bool crowd; /* no script: writes whose operations never end */
	int polls; /* of the crowd */
	char complaint[512]; /* of the fake: the first one */

	int said; /* callbacks */
	enum err_code code;
	char text[ERR_TEXT_MAX];
	int64_t retry_after_ms;
	enum write_result result;
	unsigned held;
	int newer;
	char etag[32], revision[64];
};

int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Makes the client anew, for an endpoint with this path. */
void fixture_connect(struct world *w, const char *prefix);
/* Begins a script: up to SCRIPT_MAX turns, the last one followed by {0}. */
void fixture_script(struct world *w, const struct turn *turns);
/* Runs until the client has said something; the script must be at its end. */
void fixture_run(struct world *w);
/* For the client's callbacks. */
void fixture_heard(struct world *w, const struct err *err);
/* No callback came in time; also what a test may wait for. */
void fixture_late(void *arg);

#endif
