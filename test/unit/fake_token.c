/* SPDX-License-Identifier: Apache-2.0 */
/* The credentials; see fake_token.h. */
#include "fake_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"

struct token_call {
	struct credentials *credentials;
	struct timer *timer; /* NULL: it hangs */
	bool is_id;
	token_fn fn;
	void *arg;
};

static struct secret *token_make(const char *kind, int serial)
{
	char text[32];

	snprintf(text, sizeof(text), "%s-%d", kind, serial);
	return secret_new(text, strlen(text));
}

const char *credentials_quota_project(const struct credentials *credentials)
{
	return credentials->quota_project;
}

const struct secret *token_cached(struct credentials *credentials)
{
	return credentials->cached ? credentials->token : NULL;
}

static void token_ready(void *arg)
{
	struct token_call *call = arg, copy = *call;
	struct credentials *credentials = call->credentials;
	struct secret **token =
		call->is_id ? &credentials->id_token : &credentials->token;
	struct err err;

	free(call);
	if (credentials->fails) {
		err_set(&err, credentials->fails, "no token today");
		copy.fn(NULL, &err, copy.arg);
		return;
	}
	if (!*token)
		*token = token_make(
			copy.is_id ? "id" : "token", credentials->serial);
	copy.fn(*token, NULL, copy.arg);
}

static struct token_call *call_start(
	struct credentials *credentials, bool is_id, token_fn fn, void *arg)
{
	struct token_call *call = xcalloc(1, sizeof(*call));

	call->credentials = credentials;
	call->is_id = is_id;
	call->fn = fn;
	call->arg = arg;
	if (!credentials->hangs)
		call->timer =
			timer_start(credentials->loop, 0, token_ready, call);
	return call;
}

struct token_call *token_start(
	struct credentials *credentials, token_fn fn, void *arg)
{
	return call_start(credentials, false, fn, arg);
}

struct token_call *id_token_start(struct credentials *credentials,
	const char *audience, token_fn fn, void *arg)
{
	snprintf(credentials->audience, sizeof(credentials->audience), "%s",
		audience);
	return call_start(credentials, true, fn, arg);
}

void token_cancel(struct token_call **call)
{
	if (*call) {
		timer_cancel(&(*call)->timer);
		free(*call);
	}
	*call = NULL;
}

unsigned token_serial(const struct credentials *credentials)
{
	return (unsigned)credentials->serial;
}

unsigned id_token_serial(
	const struct credentials *credentials, const char *audience)
{
	return (unsigned)credentials->serial;
}

int token_reject(
	struct credentials *credentials, unsigned serial, struct err *err_r)
{
	assert_int_equal(serial, credentials->serial);
	if (credentials->is_only)
		return err_set(err_r, ERR_AUTH, "there is no other token");
	credentials->cached = false;
	fake_token_free(credentials);
	credentials->serial++;
	return 0;
}

void id_token_reject(
	struct credentials *credentials, const char *audience, unsigned serial)
{
	struct err err;

	assert_string_equal(audience, credentials->audience);
	assert_int_equal(token_reject(credentials, serial, &err), 0);
}

void fake_token_free(struct credentials *credentials)
{
	secret_free(&credentials->token);
	secret_free(&credentials->id_token);
}
