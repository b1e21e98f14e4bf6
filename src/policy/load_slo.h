/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that read SLOs share: the keys of every SLO, and what the
 * providers' own files do. Private to the loader.
 */
#ifndef TIDEGATE_POLICY_LOAD_SLO_H
#define TIDEGATE_POLICY_LOAD_SLO_H

#include "policy/loader.h"

/* ---- policy_slo_keys.c ---- */

/* Those of every SLO beside its name, whoever is asked. The struct that is read
 * into begins with a struct slo. */
extern const struct section every_slo_section;

extern const struct choice slo_kinds[];
extern const struct rule slo_rules[];
extern const struct duration_range slo_timeout_range;
extern const struct reader query_reader; /* const char * */
/* A number of requests, 1 or more. */
extern const struct reader requests_min_reader; /* struct slo */

/* ---- policy_warn.c ---- */

/* A key whose value says what is asked. */
struct asked_key {
	const char *name;
	/* A ${VAR} in it may well hold the candidate. */
	bool may_be_variable;
};

/* Of an SLO with no problems, with all that its `use` stands for; `keys` are its
 * provider's. */
void warn_of_slo(struct loader *loader, const struct node *node,
	const struct slo *slo, const struct asked_key *keys);
/* Of a policy with SLOs of kind evidence. */
void warn_of_control(struct loader *loader);
/* Of steps in which it has nothing to count. */
void warn_of_no_users(struct loader *loader);

/* ---- policy_slo_json.c ---- */

#define PARAMS_MAX 32 /* of one request */

/* A params mapping or list of parameters while it is put together. */
struct params {
	struct param param[PARAMS_MAX];
	size_t n;
};

void params_add(struct params *params, const char *name, struct secret *value,
	const char *shown);
void params_end(struct loader *loader, const struct params *params,
	struct json_question *question);
/* The request for people: method, URL and parameters without secrets, and
 * where the number stands. */
const char *json_question_text(
	struct loader *loader, const struct json_question *question);
/* auth google sends what opens everything: to Google's APIs only. */
void check_auth_host(struct loader *loader, const struct node *where,
	const struct auth *auth, const struct secret *url);

/* ---- providers ---- */

/* What the policy knows of one provider. */
struct policy_slo {
	struct section section;
	/* One of them has to name the candidate. The first one is shown when
	 * none does; one without a name ends them. */
	const struct asked_key *asked;
	/* Reads all of an SLO; what ties its values together is checked for
	 * all providers alike. */
	void (*read)(struct loader *loader, const struct node *node,
		struct slo *slo);
};

/* ---- policy_slo_evidence.c ---- */

extern const struct section evidence_slo_section, evidence_section;
void read_evidence_slo(
	struct loader *loader, const struct node *node, struct slo *slo);

#define TYPE(provider, name, text, asked) \
	extern const struct policy_slo policy_slo_##name;
SLO_PROVIDER_TYPES(TYPE)
#undef TYPE

#endif
