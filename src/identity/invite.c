/* SPDX-License-Identifier: Apache-2.0 */
/* Invitations; see invite.h. */
#include "identity/invite.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/base64url.h"
#include "base/xalloc.h"
#include "io/random.h"

#define CODE_BYTES 32

struct secret *invites_add(
	struct invites *invites, const char *person, int64_t until_ms)
{
	struct invite *invite =
		&invites->list[invites->n_added++ % INVITES_MAX];
	unsigned char bytes[CODE_BYTES];
	struct secret *code;
	struct buf text;

	random_bytes(bytes, sizeof(bytes));
	buf_init_secret(&text, BASE64URL_LEN(CODE_BYTES));
	base64url_add(&text, bytes, sizeof(bytes));
	code = secret_new(text.data, text.len);
	xfree(&invite->person);
	invite->person = xstrdup(person);
	invite->until_ms = until_ms;
	digest_bytes(text.data, text.len, invite->hash);
	buf_wipe(&text);
	buf_fini(&text);
	return code;
}

char *invites_take(struct invites *invites, const char *code, int64_t now_ms)
{
	unsigned char hash[DIGEST_BYTES];
	char *person = NULL;

	digest_bytes(code, strlen(code), hash);
	for (int i = 0; i < INVITES_MAX; i++) {
		struct invite *invite = &invites->list[i];

		if (CRYPTO_memcmp(invite->hash, hash, sizeof(hash)) == 0 &&
			invite->person && now_ms < invite->until_ms) {
			person = invite->person;
			*invite = (struct invite){0};
		}
	}
	return person;
}

void invites_clear(struct invites *invites)
{
	for (int i = 0; i < INVITES_MAX; i++)
		xfree(&invites->list[i].person);
}
