/*
 * What only `check --live` asks the world for. A rollout that does so has taken
 * the wrong way: it fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloudrun/cloudrun.h"
#include "google/credentials.h"

bool cloudrun_clock(const struct cloudrun *cloudrun, int64_t *ahead_ms_r)
{
	fail_msg("a rollout asked for advice");
	return false;
}

struct cloudrun_call *cloudrun_test_permissions_start(struct cloudrun *cloudrun,
	const char *service, const char *const *permissions,
	cloudrun_permissions_fn fn, void *arg)
{
	fail_msg("a rollout asked for advice");
	return NULL;
}

struct cloudrun_call *cloudrun_count_newer_start(struct cloudrun *cloudrun,
	const char *service, const char *revision, cloudrun_newer_fn fn,
	void *arg)
{
	fail_msg("a rollout asked for advice");
	return NULL;
}

void credentials_about(
	const struct credentials *credentials, struct credentials_about *about)
{
	fail_msg("a rollout asked for advice");
}

bool credentials_clock(
	const struct credentials *credentials, int64_t *ahead_ms_r)
{
	fail_msg("a rollout asked for advice");
	return false;
}

int64_t token_expires_ms(const struct credentials *credentials)
{
	fail_msg("a rollout asked for advice");
	return 0;
}

struct token_call *token_start(
	struct credentials *credentials, token_fn fn, void *arg)
{
	fail_msg("a rollout asked for advice");
	return NULL;
}

void token_cancel(struct token_call **call)
{
	assert_null(*call);
}
