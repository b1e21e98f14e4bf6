/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw counters on the virtual clock: a service with so many requests per
 * second, spread over its revisions as traffic is, each on two instances; and
 * stable's past. Part of the fake Prometheus of fake_metrics.h.
 */
#ifndef TIDEGATE_TEST_FAKE_COUNTERS_H
#define TIDEGATE_TEST_FAKE_COUNTERS_H

#include <stdbool.h>

/* An SLO "errors" of kind evidence, as part of a policy; its objective is 1 %.
 * Stable's past is an hour. */
extern const char slo_counted[];

/* From now on its queries are answered by what was counted. */
void fake_counters_open(double rate);

/* The share of a revision's requests that fails from now on; 0.1 % at first. */
void fake_counters_errors(const char *revision, double share);

/* All instances are new, and their counters begin at zero. */
void fake_counters_restart(const char *revision);
/* One instance is gone with its counters; the other has all the traffic. */
void fake_counters_stop_one(const char *revision);
/* Nothing scrapes them, but they grow. */
void fake_counters_hide(const char *revision, bool hidden);

/* Until it is false again its queries are answered by 503. */
void fake_counters_away(bool away);

#endif
