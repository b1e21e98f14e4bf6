/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of SLOs for people: as the policy spells their limits ("5 %", "500 ms",
 * a plain number), or with the unit that it names. Pure.
 */
#ifndef TIDEGATE_POLICY_UNIT_H
#define TIDEGATE_POLICY_UNIT_H

#include "policy/policy.h"

#define UNIT_NAME_MAX 16 /* of one that the policy names */
#define UNIT_TEXT_MAX 64 /* of a value with its unit, with the NUL */

/* "%", "ms", "s", "min", "h", "d", what the policy says; "": plain. */
const char *unit_name(const struct slo *slo);

/* A limit that says its unit itself: "5%", "500ms". */
bool unit_is_spelled(const char *limit);

/* Three significant digits, fewer when the value has fewer: "14.8 %"; returns
 * `text`, which is "" for NAN. */
const char *unit_print(
	const struct slo *slo, double value, char text[UNIT_TEXT_MAX]);

/* A number of the policy's, with all its digits. */
const char *unit_print_given(
	const struct slo *slo, double value, char text[UNIT_TEXT_MAX]);

/* Two that are compared, the second with all its digits if it is the policy's
 * own: with so many digits that what differs looks different. */
void unit_print_both(const struct slo *slo, double value, double limit,
	bool is_given, char value_text[UNIT_TEXT_MAX],
	char limit_text[UNIT_TEXT_MAX]);

/* A number of requests: whole ones, as soon as there are some. */
const char *unit_print_count(double count, char text[UNIT_TEXT_MAX]);

#endif
