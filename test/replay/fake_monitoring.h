/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cloud Monitoring's request counts of Cloud Run on the virtual clock: growth by
 * the minute, which is there only when it is minutes old. A service with so many
 * requests per second, spread over its revisions as traffic is. Part of the fake
 * Prometheus of fake_metrics.h.
 */
#ifndef TIDEGATE_TEST_FAKE_MONITORING_H
#define TIDEGATE_TEST_FAKE_MONITORING_H

/* From now on its queries are answered; 0.1 % of the requests fail. Stable has
 * served alone for a day. */
void fake_monitoring_open(double rate);

/* The share of a revision's requests that fails from now on. */
void fake_monitoring_errors(const char *revision, double share);

#endif
