/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of the sources of identity: their files are read again while the daemon
 * runs, on a thread that nothing else waits for: they may hang. */
#ifndef TIDEGATE_SERVE_ISSUER_SECRETS_H
#define TIDEGATE_SERVE_ISSUER_SECRETS_H

#include <stddef.h>

struct issuer_config;
struct secret_list;
struct worker;

/* Puts what the files hold now into the issuers, later; a file that holds none
 * leaves the secret as it was, and the log says so. The worker has one thread, so
 * that what was asked for last counts; the rest is borrowed until its jobs are done
 * or it is freed. */
void issuer_secrets_renew(struct worker *worker, struct issuer_config *issuers,
	size_t n, struct secret_list *list);

#endif
