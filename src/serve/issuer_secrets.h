/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of the sources of identity: their files are read again while the daemon
 * runs, on a thread that nothing else waits for: they may hang. */
#ifndef TIDEGATE_SERVE_ISSUER_SECRETS_H
#define TIDEGATE_SERVE_ISSUER_SECRETS_H

#include <stddef.h>

struct issuer_config;
struct secret_list;
struct worker;

struct issuer_secrets {
	struct issuer_config *issuers; /* all are borrowed */
	size_t n;
	struct secret_list *list;
};

/* Puts what the files hold now into the issuers, later, and calls `done`; a file
 * that holds none leaves the secret as it was, and the log says so. What is borrowed
 * is until then, or until the worker is freed. */
void issuer_secrets_renew(const struct issuer_secrets *secrets,
	struct worker *worker, void (*done)(void *arg), void *arg);

#endif
