/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials that hand out token-1, token-2, …, and id-1, id-2, … for an
 * audience: the next one after each that was rejected. Takes the place of
 * google/credentials.c in a program that links it.
 */
#ifndef TIDEGATE_TEST_FAKE_TOKEN_H
#define TIDEGATE_TEST_FAKE_TOKEN_H

#include "google/credentials.h"
#include "io/loop.h"

struct credentials {
	struct loop *loop;
	struct secret *token, *id_token;
	bool is_only; /* there is no other one than the first */
	int serial; /* of the token that is good; begin with 1 */
	bool cached; /* no turn is needed */
	bool hangs; /* no token comes */
	enum err_code fails; /* ERR_NONE: it does not */
	const char *quota_project;
	char audience[64]; /* the last that was asked for */
};

void fake_token_free(struct credentials *credentials);

#endif
