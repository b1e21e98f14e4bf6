/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cloud Run Admin API v2, asynchronous. Knows how to ask and what the answers
 * mean; decides nothing: that is the engine's. Each *_start returns a handle
 * whose callback runs exactly once, later, never after cloudrun_cancel.
 */
#ifndef TIDEGATE_CLOUDRUN_CLOUDRUN_H
#define TIDEGATE_CLOUDRUN_CLOUDRUN_H

#include "cloudrun/service_codec.h"
#include "engine/rollout.h"

struct api;
struct cloudrun;
struct cloudrun_call;

struct cloudrun_config {
	const char *endpoint; /* NULL, "": https://run.googleapis.com/ */
	const char *project, *region; /* copied */
};

MUST_CHECK struct cloudrun *cloudrun_new(const struct api *api,
	const struct cloudrun_config *config, struct err *err_r);
void cloudrun_free(struct cloudrun **cloudrun);
void cloudrun_cancel(struct cloudrun_call **call);

/* Full name of a service given short or full; caller owns it. */
char *cloudrun_service_name(
	const struct cloudrun *cloudrun, const char *service);

/* service NULL: err says why. The callback owns `service`. */
typedef void (*cloudrun_service_fn)(
	struct service *service, const struct err *err, void *arg);
struct cloudrun_call *cloudrun_get_service_start(struct cloudrun *cloudrun,
	const char *service, int64_t timeout_ms, cloudrun_service_fn fn,
	void *arg);

/* Looks whether the service is still what was read as `known`: if its answer
 * is the same to the byte, `service` and `err` are both NULL. */
struct cloudrun_call *cloudrun_look_again_start(struct cloudrun *cloudrun,
	const struct service *known, int64_t timeout_ms, cloudrun_service_fn fn,
	void *arg);

/* revision NULL: err says why. Borrowed. */
typedef void (*cloudrun_revision_fn)(
	const struct revision *revision, const struct err *err, void *arg);
struct cloudrun_call *cloudrun_get_revision_start(struct cloudrun *cloudrun,
	const char *service, const char *revision, cloudrun_revision_fn fn,
	void *arg);

/* Bit i: permissions[i] (at most 32, ended by NULL, borrowed) is held on the
 * service. With an error nothing is known. */
typedef void (*cloudrun_permissions_fn)(
	unsigned held, const struct err *err, void *arg);
struct cloudrun_call *cloudrun_test_permissions_start(struct cloudrun *cloudrun,
	const char *service, const char *const *permissions,
	cloudrun_permissions_fn fn, void *arg);

/* How many revisions of the service were made after this one: Cloud Run keeps
 * the newest REVISIONS_KEPT. -1: it is not among those that are listed. */
#define REVISIONS_KEPT 1000
typedef void (*cloudrun_newer_fn)(int newer, const struct err *err, void *arg);
struct cloudrun_call *cloudrun_count_newer_start(struct cloudrun *cloudrun,
	const char *service, const char *revision, cloudrun_newer_fn fn,
	void *arg);

/* The services of a region that have this label. `listed` is borrowed but for a
 * service that is taken out and replaced by NULL; NULL: err says why. */
struct listed_service {
	struct service *service;
	char *label; /* its value */
};
struct services_listed {
	struct listed_service *list;
	size_t n;
	int n_bad; /* services whose answer could not be read */
};
typedef void (*cloudrun_services_fn)(
	const struct services_listed *listed, const struct err *err, void *arg);
struct cloudrun_call *cloudrun_list_services_start(struct cloudrun *cloudrun,
	const char *project, const char *region, const char *label,
	cloudrun_services_fn fn, void *arg);

/* How far the clock of this machine was ahead of the API's at its last answer;
 * false: none has told the time yet. Whole seconds are told. */
bool cloudrun_clock(const struct cloudrun *cloudrun, int64_t *ahead_ms_r);

struct write_times {
	int64_t patience_ms; /* for all of it */
	int64_t answer_ms; /* for the PATCH alone; 0: as Google's clients */
};

/* Writes `traffic` over the service as read (its etag), follows the operation
 * to its end and says which of the write_results it was; `generation` is that
 * of the service after it, 0 when it was not told; err is NULL for WRITE_DONE. Where operations may not
 * be read, WRITE_DONE is said when the write was accepted: the engine reads
 * the service back anyhow. One refresh and repeat on 401. */
typedef void (*cloudrun_write_fn)(enum write_result result, int64_t generation,
	const struct err *err, void *arg);
struct cloudrun_call *cloudrun_write_traffic_start(struct cloudrun *cloudrun,
	const struct service *service, const struct traffic *traffic,
	const struct write_times *times, cloudrun_write_fn fn, void *arg);

/* Something more urgent waits for the write to be out of the way. Its
 * operation is not followed: WRITE_UNKNOWN is said in a later turn, or as soon
 * as the write is accepted. A PATCH that is under way is waited for: one that
 * is abandoned might still arrive after what is to replace it. */
void cloudrun_write_hurry(struct cloudrun_call *call);

#endif
