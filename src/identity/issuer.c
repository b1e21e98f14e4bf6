/* SPDX-License-Identifier: Apache-2.0 */
/* Issuers one by one; see issuer.h. Whom claims speak of is told by numbers
 * that never change hands; names and addresses are to be shown. */
#include "identity/issuer.h"

#include <ctype.h>
#include <string.h>

#include "base/printable.h"

#define GOOGLE_ISSUER "https://accounts.google.com"
#define GOOGLE_SHORT  "accounts.google.com"
#define GITHUB_ISSUER "https://token.actions.githubusercontent.com"
#define IAP_ISSUER    "https://cloud.google.com/iap"
#define IAP_SUBJECT   "accounts.google.com:"
#define MACHINE_MAIL  ".gserviceaccount.com"

#define DAY_S  INT64_C(86400)
#define HOUR_S INT64_C(3600)

static const char *keys_url_of(const struct issuer_config *config)
{
	if (config->keys_url && config->kind != ISSUER_OIDC)
		return config->keys_url;
	switch (config->kind) {
	case ISSUER_IAP:
		return "https://www.gstatic.com/iap/verify/public_key-jwk";
	case ISSUER_GOOGLE:
		return "https://www.googleapis.com/oauth2/v3/certs";
	default:
		return NULL; /* the discovery document says it */
	}
}

static void make_rule(const struct issuer_config *config, struct jwt_rule *rule)
{
	rule->audience = config->audience;
	rule->algs = JWT_ALG_BIT(JWT_RS256);
	switch (config->kind) {
	case ISSUER_IAP:
		rule->algs = JWT_ALG_BIT(JWT_ES256);
		rule->issuers[0] = IAP_ISSUER;
		rule->life_s_max = 600 + 2 * JWT_SKEW_S;
		return;
	case ISSUER_GITHUB:
		rule->issuers[0] =
			config->issuer ? config->issuer : GITHUB_ISSUER;
		rule->life_s_max = HOUR_S;
		return;
	case ISSUER_OIDC:
		rule->algs |= JWT_ALG_BIT(JWT_ES256);
		rule->issuers[0] = config->issuer;
		rule->audience = config->client_id;
		rule->wants_azp = true;
		break;
	default:
		rule->issuers[0] = GOOGLE_ISSUER;
		break;
	}
	if (strcmp(rule->issuers[0], GOOGLE_ISSUER) == 0)
		rule->issuers[1] = GOOGLE_SHORT;
	rule->life_s_max = DAY_S;
}

bool issuer_signs(enum issuer_kind kind)
{
	return kind == ISSUER_IAP || kind == ISSUER_GOOGLE ||
	       kind == ISSUER_GITHUB || kind == ISSUER_OIDC;
}

void issuer_init(struct issuer *issuer, const struct api *api,
	const struct issuer_config *config)
{
	struct key_source source = {.keys_url = keys_url_of(config)};

	*issuer = (struct issuer){.config = config};
	make_rule(config, &issuer->rule);
	source.issuer = issuer->rule.issuers[0];
	issuer->keys = key_set_new(api, &source);
}

void issuer_fini(struct issuer *issuer)
{
	key_set_free(&issuer->keys);
}

/* ---- what claims say ---- */

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static bool is_one_address(const char *email)
{
	const char *at = strchr(email, '@');

	return at && at != email && at[1] && !strchr(at + 1, '@') &&
	       !strpbrk(email, " \t\r\n:,;<>\"");
}

/* In lower case, which is how people write it in lists. */
static const char *email_of(struct ask *ask, const struct jwt_claims *claims)
{
	char *email;

	if (!claims->email || !is_one_address(claims->email) ||
		(claims->has_email_verified && !claims->email_verified))
		return NULL;
	email = arena_strdup(&ask->arena, claims->email);
	for (char *p = email; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return email;
}

static bool is_domain_ours(
	const struct issuer_config *config, const char *domain)
{
	for (size_t i = 0; domain && i < config->n_domains; i++) {
		if (strcmp(config->domains[i], domain) == 0)
			return true;
	}
	return false;
}

static void accept_person(struct ask *ask, const char *email)
{
	if (email) {
		ask_key(ask, "email:%s", email);
		ask->caller.label = email;
		ask->caller.is_machine = ends_with(email, MACHINE_MAIL);
	}
}

static int need_sub(struct ask *ask, const struct jwt_claims *claims)
{
	if (claims->sub && *claims->sub)
		return 0;
	return refuse(&ask->refusal, REFUSAL_CLAIM, "sub is missing");
}

/* IAP has let in only whom it was told to. It says nothing of email_verified. */
static int accept_iap(struct ask *ask, const struct jwt_claims *claims)
{
	const char *sub = claims->sub;

	if (strncmp(sub, IAP_SUBJECT, strlen(IAP_SUBJECT)) == 0 &&
		sub[strlen(IAP_SUBJECT)])
		ask_key(ask, "google:%s", sub + strlen(IAP_SUBJECT));
	else
		ask_key(ask, "iap:%s", sub);
	accept_person(ask, email_of(ask, claims));
	ask->caller.is_vetted = true;
	ask->is_ambient = true;
	return 0;
}

/* Anybody has an account at Google, and any account may ask for a token for
 * us: hd is the domain that owns it. */
static int accept_google(const struct issuer *issuer, struct ask *ask,
	const struct jwt_claims *claims)
{
	ask_key(ask, "google:%s", claims->sub);
	if (claims->email_verified)
		accept_person(ask, email_of(ask, claims));
	ask->caller.is_vetted = is_domain_ours(issuer->config, claims->hd);
	return 0;
}

/* ---- GitHub's workflows ---- */

static bool is_number(const char *text)
{
	return text && *text && strspn(text, "0123456789") == strlen(text);
}

static void workflow_key(struct ask *ask, const char *name, const char *value)
{
	if (value && *value)
		ask_key(ask, "github:%s=%s", name, value);
}

/* `sub` has had two forms and can be set to anything: it is never read. A pull
 * request's workflow is what a stranger has written. */
static int accept_github(struct ask *ask, const struct jwt_claims *claims)
{
	const char *event = claims->event_name;

	if (!is_number(claims->repository_id) ||
		!is_number(claims->repository_owner_id) || !event ||
		(claims->actor_id && !is_number(claims->actor_id)))
		return refuse(&ask->refusal, REFUSAL_CLAIM,
			"repository_id, repository_owner_id, event_name or "
			"actor_id is not what GitHub says");
	workflow_key(ask, "repository_id", claims->repository_id);
	workflow_key(ask, "repository_owner_id", claims->repository_owner_id);
	workflow_key(ask, "ref", claims->ref);
	workflow_key(ask, "environment", claims->environment);
	workflow_key(ask, "workflow_ref", claims->workflow_ref);
	workflow_key(ask, "job_workflow_ref", claims->job_workflow_ref);
	workflow_key(ask, "event_name", event);
	workflow_key(ask, "runner_environment", claims->runner_environment);
	ask->caller.is_machine = true;
	ask->caller.label = claims->repository;
	if (claims->actor_id)
		ask->caller.actor = arena_printf(
			&ask->arena, "github:%s", claims->actor_id);
	if (strcmp(event, "pull_request") == 0 ||
		strcmp(event, "pull_request_target") == 0)
		return refuse(&ask->refusal, REFUSAL_EVENT,
			"a workflow of a %s decides nothing here", event);
	return 0;
}

/* ---- our own login ---- */

static bool is_google(const struct issuer *issuer)
{
	return issuer->rule.issuers[1] != NULL;
}

/* The domain of the address counts only where it was verified. */
static int accept_oidc(const struct issuer *issuer, struct ask *ask,
	const struct jwt_claims *claims)
{
	const char *email =
		claims->email_verified ? email_of(ask, claims) : NULL;
	const char *domain = is_google(issuer) ? claims->hd
			     : email           ? strchr(email, '@') + 1
					       : NULL;

	if (issuer->config->n_domains &&
		!is_domain_ours(issuer->config, domain))
		return refuse(&ask->refusal, REFUSAL_DOMAIN,
			"the account is of %s, which is no domain of ours",
			domain ? domain : "no domain that was verified");
	if (is_google(issuer))
		ask_key(ask, "google:%s", claims->sub);
	else
		ask_key(ask, "oidc:%s|%s", issuer->config->issuer, claims->sub);
	accept_person(ask, email);
	/* An issuer of ours knows ours alone; Google knows everybody. */
	ask->caller.is_vetted = issuer->config->n_domains || !is_google(issuer);
	return 0;
}

int issuer_accept(const struct issuer *issuer, struct ask *ask,
	const struct jwt_claims *claims)
{
	static const char *const methods[] = {
		[ISSUER_IAP] = "iap",
		[ISSUER_GOOGLE] = "google",
		[ISSUER_GITHUB] = "github",
		[ISSUER_OIDC] = "oidc",
	};

	if (need_sub(ask, claims) < 0)
		return -1;
	ask->caller.method = methods[issuer->config->kind];
	ask->caller.issuer = issuer->rule.issuers[0];
	ask->caller.expires_ms = claims->exp_s * 1000;
	if (claims->jti)
		printable_copy(ask->caller.proof, sizeof(ask->caller.proof),
			claims->jti);
	switch (issuer->config->kind) {
	case ISSUER_IAP:
		return accept_iap(ask, claims);
	case ISSUER_GOOGLE:
		return accept_google(issuer, ask, claims);
	case ISSUER_GITHUB:
		return accept_github(ask, claims);
	default:
		return accept_oidc(issuer, ask, claims);
	}
}
