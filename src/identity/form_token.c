/* SPDX-License-Identifier: Apache-2.0 */
/* An HMAC of what it is bound to; see form_token.h. */
#include "identity/form_token.h"

#include <stdio.h>
#include <string.h>

#include "base/base64url.h"
#include "identity/identity_store.h"
#include "identity/mac.h"

void form_token_make(const unsigned char *key, const char *binding,
	char token_r[CALLER_FORM_MAX])
{
	unsigned char mac[MAC_BYTES];
	struct buf text;

	buf_init(&text, CALLER_FORM_MAX - 1);
	mac_make(key, OWN_KEY_BYTES,
		(const struct mac_part[]){
			{"form", 5}, {binding, strlen(binding)}, {NULL, 0}},
		mac);
	base64url_add(&text, mac, sizeof(mac));
	snprintf(token_r, CALLER_FORM_MAX, "%s", text.data);
	buf_fini(&text);
}
