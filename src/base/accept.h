/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which form of an answer is asked for: the header Accept (RFC 9110, 12.5.1), as
 * far as types are named in full. Ranges with * ask for nothing in particular.
 * Pure.
 */
#ifndef TIDEGATE_BASE_ACCEPT_H
#define TIDEGATE_BASE_ACCEPT_H

#define ACCEPT_MAX 1000 /* the greatest weight, "q=1" */

/* The weight in thousandths that `type` ("text/plain") is named with, at most of
 * all places; 0: it is not named, or not wanted. Where a place says a version,
 * it has to be this one. What is malformed is passed over. */
int accept_weight(const char *accept, const char *type, const char *version);

#endif
