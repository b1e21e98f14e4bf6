/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cloud Run on the virtual clock: the sandbox's, behind a fake server. Also what else is asked in a scenario: metrics, and
 * what actions do. Counts what it was asked; decides nothing.
 */
#ifndef TIDEGATE_TEST_FAKE_RUN_H
#define TIDEGATE_TEST_FAKE_RUN_H

#include "sandbox/cloud.h"

#define FAKE_PROJECT "p"
#define FAKE_REGION  "r"
#define FAKE_SERVICE "projects/p/locations/r/services/shop"
#define FAKE_STABLE  "shop-1"
#define FAKE_NEW     "shop-2" /* the candidate of most scenarios */

#define FAKE_RUN_ORIGIN "http://127.0.0.1:8080"

struct fake_run {
	struct cloud cloud; /* may be changed between two requests */
	int gets, patches; /* of the service, that arrived */
	int64_t patched_ms; /* the last one */
	int64_t foreign_ms; /* somebody else wrote for the last time */
	int64_t generation; /* up to which it is known who wrote */
	/* Told whenever what serves may have changed. */
	void (*on_change)(void);
};

extern struct fake_run fake_run;

/* A service with FAKE_STABLE at 100 % and FAKE_NEW, ready, at 0 %. */
void fake_run_open(void);
void fake_run_close(void);

/* What serves, or is asked for: the percent of a revision. */
int fake_run_serves(const char *revision);
int fake_run_wants(const char *revision);

/* A fault as POST /sandbox/faults takes it, as JSON with ' for ". */
void fake_run_fault(const char *json);
void fake_run_heal(void); /* no faults any more */
/* An option as PATCH /sandbox takes it: "uris=absent". */
void fake_run_option(const char *text);

/* A traffic table is written "shop-1=90 shop-2=10 shop-0=0#debug LATEST=0". */

/* Somebody else writes the traffic. */
void fake_run_foreign(const char *table);
/* The same, and its operation ends in an error: it is asked for and does not
 * serve. */
void fake_run_foreign_failing(const char *table);
/* Somebody else writes just before our next PATCH arrives. */
void fake_run_foreign_before_write(const char *table);
/* Somebody else's deployment fails: a new revision that is not ready. */
void fake_run_failed_deployment(void);
void fake_run_set_traffic(const char *table); /* serves at once */
void fake_run_deploy(const char *revision); /* ready, at 0 % */
void fake_run_set_ready(const char *revision, bool ready);
bool fake_run_is_ready(const char *revision);
bool fake_run_remove(const char *revision); /* false: it is in use */
/* Whether a revision stands in what is asked for, with that tag or any. */
bool fake_run_refers_to(const char *revision, const char *tag);

#endif
