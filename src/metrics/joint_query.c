/* Several queries for counters as one; see joint_query.h. */
#include "metrics/joint_query.h"

#include "metrics/labels.h"

/* A query may be anything that yields series: an `or` of its own stays within
 * the parentheses, and a comment that it ends with within its line. */
void joint_query_print(
	const struct joint_part *parts, size_t n, struct buf *out)
{
	size_t i;

	for (i = 0; i < n; i++)
		buf_addf(out,
			"%slabel_replace((%s\n), \"" LABEL_ROLE
			"\", \"%s\", \"\", \"\")",
			i ? " or " : "", parts[i].text, parts[i].role);
}
