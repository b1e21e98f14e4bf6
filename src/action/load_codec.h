/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said between tidegate and the program that makes a load
 * (tidegate-workbench, src/load): one object of JSON there, on its standard
 * input, so that no token is in an argument; lines of JSON back. Pure.
 *
 * It ends with LOAD_PASSED or LOAD_MISSED when it has judged; every other
 * status says that the load could not be done.
 */
#ifndef TIDEGATE_ACTION_LOAD_CODEC_H
#define TIDEGATE_ACTION_LOAD_CODEC_H

#include "base/buf.h"
#include "policy/policy.h"
#include "policy/template.h"

#define LOAD_PASSED      0
#define LOAD_MISSED      5
#define LOAD_STOPPED     6
#define LOAD_ORDER_MAX   (512 * 1024) /* bytes of the order */
#define LOAD_SUMMARY_MAX (16 * 1024) /* bytes of its last line */

/* Appends the order, one line, with `values` in its templates. It may hold
 * secrets: wipe it. `live`: a line each second is wanted, too. */
void load_order_print(struct buf *out, const struct action_load *load,
	const struct template_values *values, bool live);
void k6_order_print(struct buf *out, const struct action_k6 *k6, bool live);

/* What the last line of its output says for people, into `detail`; false: there
 * is no such line. */
bool load_summary_read(const char *output, size_t len, struct buf *detail);

#endif
