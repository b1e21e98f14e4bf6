/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential files of people: authorized_user (gcloud auth application-default
 * login), external_account_authorized_user (the same with workforce identity
 * federation), and impersonated_service_account, which acts as a service
 * account by way of another file inside of it. JSON text -> struct. Pure.
 */
#ifndef TIDEGATE_GOOGLE_USER_CODEC_H
#define TIDEGATE_GOOGLE_USER_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"
#include "google/iam_codec.h"

struct user_key {
	char *client_id;
	struct secret *client_secret, *refresh_token;
	char *token_url; /* NULL: the one for all people of Google's */
	char *account; /* an e-mail, or a provider; may be NULL */
	char *quota_project; /* may be NULL */
};

/* `federated`: external_account_authorized_user. ERR_AUTH. */
MUST_CHECK int user_decode(const char *bytes, size_t len, bool federated,
	struct user_key *key_r, struct err *err_r);
void user_fini(struct user_key *key); /* wipes */

struct impersonated_key {
	char *email; /* whom to act as */
	char *delegates[DELEGATES_MAX + 1]; /* NULL-terminated */
	struct secret *source; /* the text of the file inside */
	char *source_type;
	char *quota_project; /* may be NULL */
};

MUST_CHECK int impersonated_decode(const char *bytes, size_t len,
	struct impersonated_key *key_r, struct err *err_r);
void impersonated_fini(struct impersonated_key *key); /* wipes */

#endif
