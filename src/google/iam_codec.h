/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IAM Credentials API, by which one identity acts as a service account:
 * pure JSON text <-> struct.
 */
#ifndef TIDEGATE_GOOGLE_IAM_CODEC_H
#define TIDEGATE_GOOGLE_IAM_CODEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

#define IAM_LIFE_S     3600 /* asked for unless a file says otherwise */
#define IAM_LIFE_S_MIN 600
#define IAM_LIFE_S_MAX 43200
#define DELEGATES_MAX  16

/* Whether this is the name of a service account: visible, fit for a URL. */
bool iam_account_is_valid(const char *email);

/* The account in ".../serviceAccounts/ACCOUNT:generateAccessToken"; the URL
 * must be IAM Credentials' own. ERR_AUTH. */
MUST_CHECK int iam_target_decode(
	const char *url, char **email_r, struct err *err_r);

/* Bodies; `delegates` are NULL-terminated, or NULL. The caller frees them. */
char *iam_access_encode(
	const char *scope, int64_t life_s, char *const *delegates);
char *iam_id_encode(const char *audience, char *const *delegates);

/* "accessToken" and "expireTime"; `now_s` is the sender's time. */
MUST_CHECK int iam_access_decode(const char *bytes, size_t len, int64_t now_s,
	struct secret **token_r, int64_t *life_s_r, struct err *err_r);

#endif
