/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sandbox: a small Cloud Run on loopback, for trying policies and for the
 * tests. One admin port (the admin API, its own controls, metrics) and one
 * front door. Nothing else of the program knows that it exists.
 */
#ifndef TIDEGATE_SANDBOX_SANDBOX_H
#define TIDEGATE_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct loop;
struct sandbox;

struct sandbox_options {
	int port, front_port; /* 0: the kernel chooses */
	int load; /* requests a second to its own front door */
	const char *project, *region, *service;
	const char *const
		*revisions; /* "NAME[:latency=50ms,…]", oldest first */
	size_t n_revisions; /* 0: one is made */
	const char *const *broken; /* newest of all, not ready: as if their
				    * deployments had failed */
	size_t n_broken;
	int old_revisions, old_tags; /* so many before them, at 0 % */
	const char *const *set; /* NAME=VALUE: see sandbox_options.c */
	size_t n_set;
	const char *const *faults; /* JSON: see control_api.c */
	size_t n_faults;
	const char *traffic; /* "NAME=90,OTHER=10", LATEST is a name too; NULL:
			      * all to the oldest, by LATEST when it is alone */
	int64_t operation_delay_ms;
	bool etag_is_strict;
	const char *token; /* NULL: any bearer that is not empty */
	uint64_t seed;
	int metrics_names; /* enum metrics_names of sandbox_metrics.h */
};

/* Whether project, region and service are names: they go into URLs and shells. */
MUST_CHECK int sandbox_check(
	const struct sandbox_options *options, struct err *err_r);

/* Listens. The options are copied; the loop outlives the sandbox. */
MUST_CHECK struct sandbox *sandbox_new(struct loop *loop,
	const struct sandbox_options *options, struct err *err_r);
void sandbox_free(struct sandbox **sandbox);

/* Where it listens and what it is, as one line of JSON. */
void sandbox_print_ready(const struct sandbox *sandbox, struct buf *out);

/* The configuration of a Prometheus that scrapes it every second. */
void sandbox_print_scrape(const struct sandbox *sandbox, struct buf *out);

/* Lines for a shell, after which tidegate finds the sandbox with these options:
 * its port is given. */
void sandbox_print_env(const struct sandbox_options *options, struct buf *out);

#endif
