/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may come in: what the configuration file says of it, loaded and checked
 * by src/serve. All texts are borrowed for as long as the identity lives;
 * what is absent is NULL, 0 or false.
 */
#ifndef TIDEGATE_IDENTITY_IDENTITY_CONFIG_H
#define TIDEGATE_IDENTITY_IDENTITY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"

#define IDENTITY_ISSUERS_MAX 16
#define IDENTITY_DOMAINS_MAX 16 /* of one issuer */

enum issuer_kind {
	ISSUER_IAP, /* audience */
	ISSUER_GOOGLE, /* audience; domains: accounts of these are ours */
	ISSUER_GITHUB, /* audience; issuer: of an Enterprise Server */
	ISSUER_OIDC, /* issuer, client_id, client_secret, domains */
	ISSUER_TOKEN, /* static tokens of the state file */
	ISSUER_SLACK, /* app, team, signing_secret; bot_token */
};

struct issuer_config {
	enum issuer_kind kind;
	const char *audience; /* compared byte by byte; needed where named */
	const char *issuer; /* of OIDC; of GitHub NULL: github.com's */
	const char *client_id;
	const struct secret *client_secret; /* as the two below */
	/* E-mail domains, of which an account has to be; none: of OIDC all that
	 * the issuer knows are let in, of Google nobody is vetted. */
	const char *const *domains;
	size_t n_domains;
	const char *app, *team; /* Slack: A0…, T0… */
	const struct secret *signing_secret;
	/* With which src/serve posts there; NULL: it does not. All secrets may
	 * be others from one turn to the next. */
	const struct secret *bot_token;
	/* Where they are. */
	const char *client_secret_file, *signing_secret_file, *bot_token_file;
	/* Where its API is instead, and answers to buttons go; NULL: Slack's. */
	const char *api_url;
	/* Where keys are fetched instead (not of OIDC); loopback may be http. */
	const char *keys_url;
};

struct identity_config {
	const struct issuer_config *issuers;
	size_t n_issuers;
	/* "https://tidegate.example.com/ops": origin and base path. https, or
	 * http of a loopback host. NULL: browsers come from this machine alone,
	 * and log in by invitations. */
	const char *public_url;
	const char *state; /* path of the state file */
	/* Callers on a Unix socket are the OS user at its other end. */
	bool unix_peers;
	/* All requests come by one proxy, which adds to X-Forwarded-For: wrong
	 * proofs are counted by the address that it tells. */
	bool behind_proxy;
	/* 0: 8 h and 24 h. */
	int64_t session_idle_ms, session_life_ms;
};

#endif
