/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential files of type external_account (workload identity federation):
 * JSON text -> struct. Pure. They may come from elsewhere, and name hosts: a
 * token goes to Google's token services only.
 */
#ifndef TIDEGATE_GOOGLE_EXTERNAL_CODEC_H
#define TIDEGATE_GOOGLE_EXTERNAL_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

#define SUBJECT_HEADERS_MAX    16
#define SUBJECT_WORDS_MAX      64
#define SUBJECT_TIMEOUT_MS_MIN 5000
#define SUBJECT_TIMEOUT_MS_MAX 120000
#define SUBJECT_TIMEOUT_MS     30000

enum subject_kind { SUBJECT_FILE, SUBJECT_URL, SUBJECT_EXECUTABLE };

struct subject_header {
	char *name;
	struct secret *value;
	struct secret *masked; /* what of it is secret; NULL: too short */
};

/* "credential_source": where the subject token comes from. */
struct subject_source {
	enum subject_kind kind;
	char *file; /* file; executable: output_file or NULL */
	char *url;
	bool url_plain_ok; /* a metadata server's address */
	struct subject_header headers[SUBJECT_HEADERS_MAX];
	size_t n_headers;
	char *field; /* of JSON; NULL: the text is the token */
	char *argv[SUBJECT_WORDS_MAX + 1]; /* NULL-terminated */
	int64_t timeout_ms;
};

struct external_account {
	char *audience, *subject_type, *token_url;
	char *impersonated; /* a service account; NULL: none */
	int64_t life_s; /* of its tokens */
	char *client_id; /* NULL: the exchange is without a client */
	struct secret *client_secret;
	char *user_project; /* of a workforce pool; may be NULL */
	char *quota_project; /* may be NULL */
	struct subject_source subject;
};

/* ERR_AUTH. */
MUST_CHECK int external_decode(const char *bytes, size_t len,
	struct external_account *account_r, struct err *err_r);
void external_fini(struct external_account *account); /* wipes */

/* Whether a token may be exchanged there: STS or a region's. ERR_AUTH. */
MUST_CHECK int sts_url_check(const char *url, struct err *err_r);

/* As a shell makes words of a line, with '…', "…" and \, and nothing else.
 * The words are the caller's. */
MUST_CHECK int words_split(
	const char *line, char *words_r[], size_t max, struct err *err_r);

#endif
