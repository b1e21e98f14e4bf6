/* SPDX-License-Identifier: Apache-2.0 */
/* Several queries for counters as one; see joint_query.h. */
#include "metrics/joint_query.h"

#include "metrics/labels.h"

/* A query may be anything that yields series: an `or` of its own stays within
 * the parentheses, and a comment that it ends with within its line. */
void joint_query_print(
	const struct joint_part *parts, size_t n, struct buf *out)
{
	size_t i;

	for (i = 0; i < n; i++) {
		buf_adds(out, i ? " or label_replace((" : "label_replace((");
		buf_adds(out, parts[i].text);
		buf_adds(out, "\n), \"" LABEL_ROLE "\", \"");
		buf_adds(out, parts[i].role);
		buf_adds(out, "\", \"\", \"\")");
	}
}
