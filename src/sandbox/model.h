/*
 * One Cloud Run service as the admin API sees it: revisions, the traffic that
 * was asked for and the traffic that serves, generations, etags, operations
 * that take time. No I/O and no clock: the time (milliseconds since 1970) is
 * an argument and never goes back.
 *
 *   write ──> generation + 1, reconciling ──(operation_delay_ms)──┐
 *     a later write preempts the one under way (ABORTED)          │
 *   ┌─────────────────────────────────────────────────────────────┘
 *   ├─> good: what was asked for serves, observedGeneration = generation
 *   └─> bad (a revision is missing or not ready, or a fault): the operation
 *       ends with an error, the old split goes on serving, and the service
 *       is failed until a good write
 */
#ifndef TIDEGATE_SANDBOX_MODEL_H
#define TIDEGATE_SANDBOX_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "sandbox/routes.h"
#include "sandbox/rpc_error.h"

#define MODEL_REVISIONS_MAX  256
#define MODEL_OPERATIONS_MAX 256 /* the oldest is forgotten */
#define MODEL_SNAPSHOTS_MAX  64
#define MODEL_ID_MAX         37 /* a UUID with its NUL */
#define MODEL_WHO_MAX        128
#define MODEL_NEVER          INT64_MAX

struct model_config {
	const char *project, *region, *service; /* copied */
	const char *uri; /* of the front door, without a slash at the end */
	int64_t operation_delay_ms;
	uint64_t seed;
};

struct model_revision {
	char name[ROUTE_NAME_MAX + 1];
	char uid[MODEL_ID_MAX];
	char image[ROUTE_NAME_MAX + 32];
	unsigned number; /* counts from 1, in the order they were made */
	int64_t create_ms;
	bool ready;
};

/* What a fault makes of the operation of a write. */
enum model_fate {
	FATE_GOOD,
	FATE_FAILS, /* ends with an error, nothing changed */
	FATE_FAILS_APPLIED, /* ends with an error although it was done */
	FATE_STUCK, /* never ends, nothing changed */
	FATE_STUCK_APPLIED, /* never ends although it was done */
};

struct model_operation {
	char id[MODEL_ID_MAX];
	int64_t make_ms, due_ms; /* due: MODEL_NEVER for the stuck */
	bool done;
	enum model_fate fate;
	enum rpc_code fate_code;
	char fate_text[256];
	struct rpc_error *error; /* NULL unless it failed */
	json_t *metadata, *response; /* a Service each; response may be NULL */
};

struct model {
	char *project, *region, *service, *uri, *name; /* name: full */
	char uid[MODEL_ID_MAX];
	int64_t operation_delay_ms;
	struct rng rng;

	struct model_revision *revision[MODEL_REVISIONS_MAX]; /* oldest first */
	size_t n_revisions;
	unsigned revisions_made;
	struct model_revision *latest_created, *latest_ready; /* or NULL */

	struct routes spec, served;
	json_t *fields; /* the other writable fields, by name */
	int64_t generation, observed_generation;
	uint64_t version; /* what the etag stands for */
	char etag[32];
	int64_t create_ms, update_ms, routes_ms, configuration_ms;
	char creator[MODEL_WHO_MAX], last_modifier[MODEL_WHO_MAX];
	char route_failure[256]; /* "": the routes are as asked for */

	struct model_operation *operation[MODEL_OPERATIONS_MAX]; /* as made */
	size_t n_operations;
	struct model_operation *pending; /* reconciling; NULL: not */

	struct model_snapshot {
		int64_t at_ms;
		json_t *service;
	} snapshot[MODEL_SNAPSHOTS_MAX]; /* oldest first */
	size_t n_snapshots;
};

struct model *model_new(const struct model_config *config, int64_t now_ms);
void model_free(struct model **model);

/* Does what is due; true when something changed. Call it before looking. */
bool model_advance(struct model *model, int64_t now_ms);
int64_t model_next_ms(const struct model *model); /* MODEL_NEVER: nothing */

struct model_write {
	const struct routes *routes; /* NULL: as they are */
	json_t *fields; /* borrowed; NULL: as they are */
	const char *modifier;
	enum model_fate fate;
	enum rpc_code fate_code;
	const char *fate_text; /* may be NULL */
};

/* The operation is borrowed. A write that changes nothing is done at once. */
struct model_operation *model_write(
	struct model *model, const struct model_write *write, int64_t now_ms);

/* Makes routes serve at once, without an operation: the start of the world. */
void model_set_routes(
	struct model *model, const struct routes *routes, int64_t now_ms);

/* A new revision, there at once. `name` NULL: one is made. NULL: see error. */
struct model_revision *model_deploy(struct model *model, const char *name,
	bool ready, int64_t now_ms, struct rpc_error *error);
MUST_CHECK int model_remove(struct model *model, const char *name,
	int64_t now_ms, struct rpc_error *error);
void model_set_ready(struct model *model, struct model_revision *revision,
	bool ready, int64_t now_ms);

struct model_revision *model_find_revision(
	const struct model *model, const char *name);
struct model_operation *model_find_operation(
	const struct model *model, const char *id);

/* The revision that serves each of 100 equal parts of the traffic, and how
 * many parts have one (0 or 100). */
size_t model_split(
	const struct model *model, const struct model_revision *part_r[100]);
/* The revision that a tag leads to, or NULL. */
const struct model_revision *model_find_tag(
	const struct model *model, const char *tag);

/* The service as it was answered at a time in the past; a new reference. */
json_t *model_service_at(const struct model *model, int64_t at_ms);

/* model_json.c: proto3 JSON, new references. */
json_t *model_service_json(const struct model *model);
json_t *model_revision_json(
	const struct model *model, const struct model_revision *revision);
json_t *model_operation_json(
	const struct model *model, const struct model_operation *operation);

#endif
