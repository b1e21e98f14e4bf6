/* SPDX-License-Identifier: Apache-2.0 */
/* Files of federated identities: what is accepted is whole, and tokens go to
 * Google's token services only. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/xalloc.h"
#include "google/external_codec.h"
#include "google/iam_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_subject(const struct subject_source *subject)
{
	size_t i;

	switch (subject->kind) {
	case SUBJECT_FILE:
		assert(subject->file && *subject->file);
		break;
	case SUBJECT_URL:
		assert(subject->url && *subject->url);
		assert(subject->n_headers <= SUBJECT_HEADERS_MAX);
		for (i = 0; i < subject->n_headers; i++)
			assert(subject->headers[i].name &&
				subject->headers[i].value);
		break;
	case SUBJECT_EXECUTABLE:
		assert(subject->argv[0]);
		assert(subject->timeout_ms >= SUBJECT_TIMEOUT_MS_MIN &&
			subject->timeout_ms <= SUBJECT_TIMEOUT_MS_MAX);
		break;
	}
}

static void try_words(const char *line)
{
	char *words[4 + 1];
	struct err err;
	size_t i;
	int rc = words_split(line, words, 4, &err);

	assert(rc < 0 || words[0]);
	for (i = 0; words[i]; i++) {
		assert(i < 4);
		xfree(&words[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct external_account account;
	char *text = xmemdup0(data, size);
	struct err err;

	try_words(text);
	if (external_decode(text, size, &account, &err) < 0) {
		assert(err.code == ERR_AUTH && !account.audience);
		assert(!strpbrk(err.text, "\n\r\x1b"));
	} else {
		assert(*account.audience && *account.subject_type);
		assert(strncmp(account.token_url, "https://sts.", 12) == 0);
		assert(!strpbrk(account.token_url, " @\\?#"));
		assert(!account.impersonated ||
			iam_account_is_valid(account.impersonated));
		assert(account.life_s >= IAM_LIFE_S_MIN);
		assert(!account.client_id == !account.client_secret);
		check_subject(&account.subject);
	}
	external_fini(&account);
	xfree(&text);
	return 0;
}
