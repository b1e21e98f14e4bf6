/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of error budgets as files: for Prometheus (YAML, with recording rules),
 * for Cloud Monitoring (an alert policy in each line, JSON; one has one condition
 * and there are no recording rules), and the tests of the former for promtool.
 * Pure.
 */
#ifndef TIDEGATE_SLO_SLO_PRINT_H
#define TIDEGATE_SLO_SLO_PRINT_H

#include "base/buf.h"
#include "slo/slo_rules.h"

#define SLO_TEXT_MAX (4 * 1024 * 1024)

/* What an alert says, in whichever format. */
enum slo_alert {
	SLO_ALERT_BURN, /* of a tier */
	SLO_ALERT_PART_MISSING,
	SLO_ALERT_TOTAL_MISSING,
};

const char *slo_alert_name(enum slo_alert alert, const struct slo_tier *tier);
const char *slo_alert_severity(
	enum slo_alert alert, const struct slo_tier *tier);
const char *slo_alert_for(enum slo_alert alert); /* "5m"; "0s" */
const char *slo_alert_summary(const struct slo_rules *rules,
	const struct slo_objective *objective, enum slo_alert alert,
	const struct slo_tier *tier, struct arena *arena);
const char *slo_alert_description(const struct slo_rules *rules,
	const struct slo_objective *objective, enum slo_alert alert,
	const struct slo_tier *tier, struct arena *arena);

void slo_print_prometheus(const struct slo_rules *rules, struct buf *out);
void slo_print_gcloud(const struct slo_rules *rules, struct buf *out);
/* The tests; rules that are not tested, since no series is found that their
 * selectors take, are named in a comment. */
void slo_print_tests(const struct slo_rules *rules, struct buf *out);

#endif
