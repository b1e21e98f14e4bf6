/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cloud Run Admin API v2 resources: pure JSON text <-> struct. Strict where a
 * misreading could move traffic, open where the API may grow: proto3 JSON
 * leaves defaults out (percent, done, reconciling), int64 are strings, unknown
 * fields and enum values are ignored.
 */
#ifndef TIDEGATE_CLOUDRUN_SERVICE_CODEC_H
#define TIDEGATE_CLOUDRUN_SERVICE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "engine/traffic.h"
#include "io/digest.h"

/* Longer answers are not compared with the one before. */
#define SERVICE_COMPARED_MAX (64 * 1024) /* bytes */

/* The condition of the routes, where it is given. */
enum routes_state {
	ROUTES_UNKNOWN,
	ROUTES_READY,
	ROUTES_MOVING,
	ROUTES_FAILED
};

/* All in one arena, made by service_decode, freed by service_free. */
struct service {
	struct arena arena;
	const char *name; /* full */
	const char *etag; /* opaque; NULL: none */
	const char *uri; /* NULL: none */
	int64_t generation, observed_generation;
	bool reconciling;
	const char *uid; /* another one: the service was made anew; NULL */
	enum routes_state routes;
	bool green; /* terminalCondition is Ready and succeeded */
	const char *condition; /* its message, NULL: none */
	const char *latest_ready, *latest_created; /* short, NULL: none */
	const char *last_modifier; /* NULL: not said */
	bool multi_region;
	const char *ingress; /* "internal-only", …; NULL: everybody */
	bool uri_disabled; /* run.app URLs do not lead anywhere */
	bool iap; /* Identity-Aware Proxy is in front */
	struct traffic spec; /* `traffic`; empty means 100 % LATEST: made so */
	struct traffic statuses; /* `trafficStatuses`, LATEST resolved */
	/* Of what it was decoded from. */
	unsigned char digest[DIGEST_BYTES];
	size_t digested; /* its length; 0: too long to be compared */
};

MUST_CHECK struct service *service_decode(
	const char *bytes, size_t len, struct err *err_r);
void service_free(struct service **service);
/* A change of the traffic is under way, as far as the service says. A
 * generation that lags without `reconciling` is a change that failed. */
bool service_is_moving(const struct service *service);
/* What the service says is broken, for people; NULL: nothing. It says nothing
 * of the traffic. */
const char *service_broken(const struct service *service);

struct revision {
	char *name; /* short */
	char *service; /* short */
	bool ready; /* condition Ready succeeded; Active is never asked for */
	char *condition; /* why not, or NULL */
	char *creator; /* an address; NULL: not said */
	int64_t created_ms; /* of the wall clock over there; 0: not said */
};

MUST_CHECK int revision_decode(const char *bytes, size_t len,
	struct revision *revision_r, struct err *err_r);
void revision_fini(struct revision *revision);

/* The body of PATCH …?updateMask=traffic. */
void traffic_encode(const char *service_name, const char *etag,
	const struct traffic *traffic, struct buf *out);
/* The entries alone as a JSON array, for the journal. */
void traffic_encode_array(const struct traffic *traffic, struct buf *out);

struct operation {
	char *name; /* "" when there is none to follow */
	bool done;
	bool failed; /* done with an error; err says which */
	int64_t generation; /* of the service that it made; 0: not said */
};

/* A failed operation is decoded well: look at `failed`; its text is in err_r.
 * A retryable code there says nothing about what was done. */
MUST_CHECK int operation_decode(const char *bytes, size_t len,
	struct operation *operation_r, struct err *err_r);
void operation_fini(struct operation *operation);

/* Turns the body of a non-2xx answer (google.rpc JSON, HTML, nothing) into a
 * code and a message that names the permission, quota or field it is about. */
void google_error_decode(int status, const char *bytes, size_t len,
	int64_t retry_after_ms, struct err *err_r);

#endif
