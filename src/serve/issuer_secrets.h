/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of the sources of identity: their files are read again while the daemon
 * runs, beside the loop. */
#ifndef TIDEGATE_SERVE_ISSUER_SECRETS_H
#define TIDEGATE_SERVE_ISSUER_SECRETS_H

#include <stddef.h>

struct desk;
struct issuer_config;
struct secret_list;

/* Puts what the files hold now into the issuers, later; a file that holds none
 * leaves the secret as it was, and the log says so. All is borrowed for as long as
 * the desk has jobs. */
void issuer_secrets_renew(struct desk *desk, struct issuer_config *issuers,
	size_t n, struct secret_list *list);

#endif
