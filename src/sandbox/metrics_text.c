/* The exposition format; see metrics_text.h. Pure. */
#include "sandbox/metrics_text.h"

void metrics_escape(struct buf *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n') {
			buf_adds(out, "\\n");
			continue;
		}
		if (*value == '\\' || *value == '"')
			buf_addc(out, '\\');
		buf_addc(out, *value);
	}
}
