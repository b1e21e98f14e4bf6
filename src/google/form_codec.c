/* SPDX-License-Identifier: Apache-2.0 */
/* Forms; see form_codec.h. Leaves no copy of a value behind. */
#include "google/form_codec.h"

#include <ctype.h>

void form_init(struct buf *form)
{
	buf_init_secret(form, FORM_BYTES_MAX);
}

void form_add(struct buf *form, const char *name, const char *value)
{
	if (form->len)
		buf_addc(form, '&');
	buf_adds(form, name);
	buf_addc(form, '=');
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		if (c < 0x80 && (isalnum(c) || c == '-' || c == '.' ||
					c == '_' || c == '~'))
			buf_addc(form, *value);
		else
			buf_addf(form, "%%%02X", c);
	}
}

void form_add_secret(
	struct buf *form, const char *name, const struct secret *value)
{
	form_add(form, name, secret_reveal(value));
}

struct secret *form_finish(struct buf *form)
{
	struct secret *body = secret_hold(form->data, form->len);

	buf_wipe(form);
	buf_fini(form);
	return body;
}
