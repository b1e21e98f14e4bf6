/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the daemon is to be: where it listens, where its state and policies are,
 * who may come in, who its people are and what they may do. Out of a file that
 * is loaded and reported like a policy, or by flags alone.
 *
 *   serve_config.c        flags; what both have in common
 *   serve_config_load.c   the file: its keys, and what it says as a whole
 *   serve_config_who.c    … people, access
 *   serve_config_identity.c  … identity
 *   serve_config_watch.c  … what releases itself
 *   serve_config_notify.c … who is told
 */
#ifndef TIDEGATE_SERVE_SERVE_CONFIG_H
#define TIDEGATE_SERVE_SERVE_CONFIG_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "identity/identity_config.h"
#include "serve/access.h"
#include "serve/notify_config.h"
#include "serve/people.h"
#include "serve/watch_config.h"

struct policy;
struct secret_list;

struct serve_config {
	struct arena arena; /* of texts that are no file's */
	struct policy *file; /* owns those that are; NULL: flags alone */
	const char *listen; /* of server_options.address */
	const char *public_url; /* NULL: none */
	const char *state; /* the state file */
	const char *policies; /* a folder with NAME.yaml each */
	struct identity_config identity;
	struct people people;
	struct access access;
	struct watch_config watch;
	int rollouts_max, person_rollouts_max; /* at a time */
	int64_t keep_ended_ms; /* 0: for ever */
	struct notify_config notify;
	/* Of issuer_secrets_renew: the issuers, whose secrets it puts in, and
	 * those it has put in. */
	struct issuer_config *renewable; /* NULL: flags alone */
	struct secret_list *renewed;
};

#define SERVE_ROLLOUTS_MAX        10000
#define SERVE_PERSON_ROLLOUTS_MAX 50

/* What flags alone give: whoever is `owner` may do everything, and nobody else
 * anything. The other members are the caller's to set. */
struct serve_config *serve_config_new(const char *owner);
void serve_config_free(struct serve_config **config);

struct policy_env;

/* Reads the file; on failure `problems` holds all of them for a person, err_r a
 * summary. */
MUST_CHECK struct serve_config *serve_config_load(const char *path,
	const struct policy_env *env, struct buf *problems, struct err *err_r);
MUST_CHECK struct serve_config *serve_config_parse(const char *path,
	const char *bytes, size_t len, const struct policy_env *env,
	struct buf *problems, struct err *err_r);

/* For people: what there is and who may do what. */
void serve_config_print(const struct serve_config *config, struct buf *out);
/* A JSON schema, policies/serve.schema.json. */
void serve_config_schema(struct buf *out);

#endif
