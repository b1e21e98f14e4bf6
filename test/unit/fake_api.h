/* SPDX-License-Identifier: Apache-2.0 */
/*
 * APIs that actions speak to, in one server on loopback: Slack, a receiver of
 * CloudEvents, PagerDuty, Secret Manager, Firebase Hosting. What the real ones
 * would refuse is refused, in their words.
 */
#ifndef TEST_FAKE_API_H
#define TEST_FAKE_API_H

#include <jansson.h>
#include <stdbool.h>

#define FAKE_ROUTING_KEY "0123456789abcdef0123456789abcdef"

struct loop;
struct server;

struct fake_api {
	struct server *server;
	/* Scripted: these many answers of `status` with `body` come first. */
	int n_scripted, status;
	const char *body, *retry_after;
	int requests;
	json_t *last; /* body of the last POST that was taken */
	char last_type[64], last_key[64]; /* its Content-Type and X-Key */
	char incident[256]; /* PagerDuty: the open one; "": none */
	/* Secret Manager: the latest version's data as base64, its number. */
	char data[256], crc[16];
	int version; /* 0: none yet */
	bool disabled, may_not_add, no_checksum;
	bool spoils; /* what is added is not what was sent */
	char old_data[256], old_crc[16]; /* of the version before */
	/* Firebase: what the list says; what was released last. */
	const char *releases;
	char released[128];
	bool no_type; /* refuses a release with a type */
};

void fake_api_init(struct fake_api *api, struct loop *loop);
void fake_api_fini(struct fake_api *api);
/* A version of the secret, as if somebody had added it. */
void fake_api_put(struct fake_api *api, int version, const char *value);
/* The caller frees it. */
char *fake_api_url(const struct fake_api *api, const char *path);

#endif
