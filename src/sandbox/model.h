/* SPDX-License-Identifier: Apache-2.0 */
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
 *   ├─> bad (a revision is missing or not ready, or a fault): the operation
 *   │   ends with an error, the old split goes on serving, and the service
 *   │   is failed until a good write
 *   deployment ──> generation + 1, reconciling ──(takes_ms)──┐
 *   ┌────────────────────────────────────────────────────────┘
 *   ├─> ready: LATEST follows it, observedGeneration = generation
 *   └─> broken: observedGeneration, latestReadyRevision and trafficStatuses
 *       stay, the service is failed until a deployment is good
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

#define MODEL_REVISIONS_MAX  1000 /* then the oldest without a part goes */
#define MODEL_OPERATIONS_MAX 256 /* the oldest is forgotten */
#define MODEL_SNAPSHOTS_MAX  64
#define MODEL_ID_MAX         37 /* a UUID with its NUL */
#define MODEL_WHO_MAX        128
#define MODEL_NEVER          INT64_MAX

/* Where the real one is not known, or differs from service to service. False
 * is what is more likely. */
struct model_rules {
	bool uris_absent; /* uri, urls and the uri of tags are left out */
	bool routes_condition_absent; /* conditions lack RoutesReady */
	/* While the newest revision is broken, a good write of traffic … */
	bool broken_stays_behind; /* … leaves observedGeneration as it is */
	bool broken_fails_writes; /* … serves, but its operation fails */
	bool idle_targets_unchecked; /* at 0 % they may be gone or broken */
	bool busy_refuses; /* a write during another one is a conflict */
	bool same_write_counts; /* one that changes nothing is a generation */
	bool failed_write_is_final; /* the same list again changes nothing */
	bool fields_do_not_count; /* writes without traffic are none */
};

struct model_config {
	const char *project, *region, *service; /* copied */
	const char *uri; /* of the front door, without a slash at the end */
	int64_t operation_delay_ms;
	uint64_t seed;
	struct model_rules rules;
};

struct model_revision {
	char name[ROUTE_NAME_MAX + 1];
	char uid[MODEL_ID_MAX];
	char image[ROUTE_NAME_MAX + 32];
	char failure[256]; /* why it is not ready */
	char creator[MODEL_WHO_MAX];
	unsigned number; /* counts from 1, in the order they were made */
	int64_t create_ms, change_ms;
	bool ready;
	bool becomes_ready; /* when its deployment ends */
	int64_t due_ms; /* MODEL_NEVER: it is deployed */
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
	struct model_rules rules; /* to be changed by model_set_rules */
	struct rng rng;
	bool deleted; /* until it is made anew */

	struct model_revision *revision[MODEL_REVISIONS_MAX]; /* oldest first */
	uint32_t name_hash[MODEL_REVISIONS_MAX]; /* of the same */
	size_t n_revisions, n_deploying;
	unsigned revisions_made;
	struct model_revision *latest_created, *latest_ready; /* or NULL */

	struct routes spec, served;
	json_t *spec_json, *served_json; /* as lists; shared by all readers */
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
		int64_t at_ms, generation;
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

struct model_operation *model_find_operation(
	const struct model *model, const char *id);

void model_set_rules(
	struct model *model, const struct model_rules *rules, int64_t now_ms);

/* The service is gone; nothing leads to it. */
void model_delete(struct model *model, int64_t now_ms);
/* It is made anew, at generation 1 with another uid: the same names, the same
 * traffic, and revisions as ready as they were. */
void model_recreate(struct model *model, int64_t now_ms);

/* Makes routes serve at once, without an operation: the start of the world. */
void model_set_routes(
	struct model *model, const struct routes *routes, int64_t now_ms);

/* ---- model_revision.c ---- */

struct model_deployment {
	const char *name; /* NULL: one is made */
	bool fails;
	const char *failure; /* what is said then; NULL: the usual */
	int64_t takes_ms; /* 0: it is over at once */
	const char *by; /* NULL: whoever was the last */
};

/* A new revision. NULL: see the error. When there are too many, the oldest
 * that nothing leads to goes, as at the real one. */
struct model_revision *model_deploy_as(struct model *model,
	const struct model_deployment *deployment, int64_t now_ms,
	struct rpc_error *error);
/* The same at once. */
struct model_revision *model_deploy(struct model *model, const char *name,
	bool ready, int64_t now_ms, struct rpc_error *error);

/* A revision goes that has no traffic, no tag and is not the latest. `force`:
 * one that has no traffic. Its entries in `traffic` stay. */
MUST_CHECK int model_remove(struct model *model, const char *name, bool force,
	int64_t now_ms, struct rpc_error *error);
/* A deployment that is under way ends by it. `failure` NULL: the usual. */
void model_set_ready(struct model *model, struct model_revision *revision,
	bool ready, const char *failure, int64_t now_ms);

struct model_revision *model_find_revision(
	const struct model *model, const char *name);
/* The revision that serves each of 100 equal parts of the traffic, and how
 * many parts have one (0 or 100). */
size_t model_split(
	const struct model *model, const struct model_revision *part_r[100]);
/* The revision that a tag leads to, or NULL. */
const struct model_revision *model_find_tag(
	const struct model *model, const char *tag);

/* ---- model_state.c ---- */

/* The service as it was answered at a time in the past, or so many generations
 * ago; new references, not to be changed. */
json_t *model_service_at(const struct model *model, int64_t at_ms);
json_t *model_service_before(const struct model *model, int64_t generations);

/* ---- model_json.c ---- */

/* Whether the newest revision was deployed and is not ready. */
bool model_is_broken(const struct model *model);

/* proto3 JSON, new references, not to be changed. */
json_t *model_service_json(const struct model *model);
json_t *model_revision_json(
	const struct model *model, const struct model_revision *revision);
json_t *model_operation_json(
	const struct model *model, const struct model_operation *operation);

#endif
