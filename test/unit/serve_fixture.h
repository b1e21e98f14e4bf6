/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon in this process, with its doors, over a sandbox in a child: what
 * tests of requests share. Everything is gone when it is closed.
 */
#ifndef TEST_SERVE_FIXTURE_H
#define TEST_SERVE_FIXTURE_H

#include "base/buf.h"
#include "serve/daemon.h"
#include "serve/front.h"

struct http;

#define SERVED_SERVICE "projects/acme/locations/us-central1/services/backend"

struct served {
	char *folder; /* policies/NAME.yaml, state.db, token */
	int sandbox; /* its pid */
	char *admin; /* the sandbox's address */
	struct serve_config *config;
	struct daemon *daemon;
	struct front *front;
	char *address;
	struct http *http; /* the tests' own */
	char *token; /* of whoever asks */
	/* The last answer. */
	int status;
	struct buf body;
	char content_type[128], etag[80];
};

/* backend-1 serves, backend-2 waits; policies/e2e.yaml has a gate before its
 * last step. Queries are answered with 0. `people` are approvers. */
void served_open(struct served *served);
void served_close(struct served *served);
/* The daemon alone, as if it had been killed between two commits, or drained;
 * and another one over the same state. */
void served_stop(struct served *served);
void served_start(struct served *served);

/* From now on it is this person who asks, or a machine when it is NULL; `rights`
 * as in "read,operate". */
void served_be(struct served *served, const char *person, const char *rights);

/* A file of the folder. */
void served_write(
	const struct served *served, const char *name, const char *text);

/* Sends a request with the token and waits for the answer. `more` are headers,
 * "Name: value\nName: value"; NULL: none. */
void served_ask(struct served *served, const char *method, const char *path,
	const char *body, const char *more);
/* The same with a body of another type; NULL: there is none. */
void served_ask_as(struct served *served, const char *method, const char *path,
	const char *body, const char *content_type, const char *more);
/* The same, and is not waited for: `status` is 0 until it is answered. */
void served_send(struct served *served, const char *method, const char *path,
	const char *body, const char *content_type, const char *more);
/* The same, and it is answered with this status. */
void served_expect(struct served *served, int status, const char *method,
	const char *path, const char *body);
/* A text of the last answer, at a JSON pointer such as "/rollouts/0/phase"; "":
 * there is none. Caller owns it. */
char *served_text(const struct served *served, const char *pointer);
bool served_has(const struct served *served, const char *text);

/* A route's pattern with the service of the fixture for its {names}, and `id` for
 * any other. Caller owns it. */
char *served_path(const char *pattern, const char *id);

/* Starts a rollout and waits until it is in this phase. Caller owns its id. */
char *served_rollout(struct served *served, const char *phase);
void served_wait_phase(
	struct served *served, const char *rollout, const char *phase);
/* Whether the daemon drives it. */
bool served_is_driven(const struct served *served, const char *rollout);

#endif
