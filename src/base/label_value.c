/* SPDX-License-Identifier: Apache-2.0 */
/* Values of labels; see label_value.h. */
#include "base/label_value.h"

void label_value_add(struct buf *out, const char *value)
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
