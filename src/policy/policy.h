/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy: how to release. A plain struct without I/O; policy_load.c makes
 * it from YAML or JSON, engine and adapters read it and never change it.
 *
 * Everything in it lives in one arena and is freed in one call. Texts that may
 * hold {{templates}} are kept as written; template.h renders them. Values that
 * may be secret are `struct secret`. Times are milliseconds, ratios are plain
 * numbers (1% is 0.01, 500ms is 0.5: durations become seconds where a query's
 * value is compared with them).
 */
#ifndef TIDEGATE_POLICY_POLICY_H
#define TIDEGATE_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"
#include "policy/auth.h"
#include "policy/freeze.h"
#include "policy/policy_action.h"

#define POLICY_BYTES_MAX     (1024 * 1024)
#define POLICY_STEPS_MAX     32
#define POLICY_SLOS_MAX      32
#define POLICY_ACTIONS_MAX   32 /* in one list */
#define POLICY_APPROVERS_MAX 64
#define POLICY_FAIL_OF_MAX   64 /* the M of "N breaches of M checks" */
#define POLICY_NAME_MAX      63 /* characters of a name of ours */

/* What to do when something is wrong. Spellings are those of the file. */
enum on_breach { ON_BREACH_ROLLBACK, ON_BREACH_HOLD, ON_BREACH_OBSERVE };
enum on_undecided { ON_UNDECIDED_HOLD, ON_UNDECIDED_ROLLBACK };
enum on_drift { ON_DRIFT_STOP, ON_DRIFT_REASSERT };
enum on_interrupt { ON_INTERRUPT_ROLLBACK, ON_INTERRUPT_LEAVE };
/* When a step is left: after its bake, or when the evidence is there. */
enum step_pace { PACE_FIXED, PACE_EVIDENCE };
/* What evidence against a candidate leads to where stable has no traffic. */
enum without_control { WITHOUT_STEP_BACK, WITHOUT_REVERT, WITHOUT_HOLD };
enum finish { FINISH_AS_FOUND, FINISH_PINNED, FINISH_LATEST };
enum no_data { NO_DATA_WAIT, NO_DATA_PASS, NO_DATA_BREACH };
enum partial { PARTIAL_NO_DATA, PARTIAL_ACCEPT };
/* Who is asked for an SLO's values: the provider, the name of its file
 * policy_slo_NAME.c, its spelling in the policy, and the provider_NAME.c of
 * metrics that asks. */
/* clang-format off */
#define SLO_PROVIDER_TYPES(TYPE) \
	TYPE(PROMETHEUS, prometheus, "prometheus", prometheus) \
	TYPE(JSON, json, "json", json) \
	TYPE(SENTRY, sentry, "sentry", json)
/* clang-format on */

#define TYPE(provider, name, text, asked) SLO_##provider,
enum slo_provider { SLO_PROVIDER_TYPES(TYPE) SLO_PROVIDERS };
#undef TYPE

const char *slo_provider_name(enum slo_provider provider); /* as in the file */

/* What the policy's metrics are: any Prometheus, or Cloud Monitoring. */
enum metrics_provider { METRICS_PROMETHEUS, METRICS_GOOGLE };
/* What it means that the candidate has a value and the baseline has none. */
enum no_baseline { NO_BASELINE_NO_DATA, NO_BASELINE_SKIP };

struct approval {
	const char **approvers;
	size_t n_approvers;
	int minimum;
	int64_t timeout_ms;
	bool self_approval;
};

struct step {
	int percent; /* 0 to 100 */
	int64_t bake_ms;
	const struct approval *approval; /* NULL: no gate before this step */
	int load; /* its action in LIST_LOAD, from 1; 0: it has none */
	struct srcpos pos;
};

/*
 * SLOs that ask a JSON API. One request gives one document, and a number
 * stands in it.
 */
struct param {
	const char *name;
	struct secret *value; /* with templates; may hold a ${VAR} */
	const char *shown; /* as the file has it: without its secrets */
};

/* What an answer must look like beside the pointer. */
enum json_shape {
	SHAPE_ANY,
	SHAPE_COUNT, /* the number is 0 or more */
	SHAPE_RELEASE_SHARE, /* Sentry's sessions of `release`: a share … */
	SHAPE_RELEASE_COUNT, /* … or a count */
	SHAPE_ISSUES, /* a list of Sentry's issues: their number */
};

struct json_question {
	struct secret *url; /* with templates; NULL: not asked */
	const char *url_shown; /* without userinfo and query */
	const struct param *params; /* added to the URL's query */
	size_t n_params;
	const char *body; /* with templates; NULL: GET, otherwise POST */
	const char *pointer; /* RFC 6901 */
	enum json_shape shape;
	struct secret *release; /* with templates; NULL: none */
	double scale; /* the number counts these */
};

struct json_source {
	struct auth auth;
	struct tls tls;
	const struct header *headers;
	size_t n_headers;
	bool by_path; /* limits of the rate are each path's own */
	struct json_question value, baseline, requests;
};

/* Limits as the file has them, "1%" or "500ms", for people; NULL: not there. */
struct slo_texts {
	const char *max, *min, *critical, *max_ratio, *max_increase;
};

/* How answers become a verdict; see engine/check.h. */
enum slo_kind { SLO_THRESHOLD, SLO_EVIDENCE, SLO_KINDS };

/* Whom it judges. */
enum slo_scope { SCOPE_CANDIDATE, SCOPE_SERVICE };

/* What an error budget is counted by: selectors of raw counters, with templates.
 * `total` with `good` or `bad`, or `buckets` alone; NULL: not said. */
struct slo_counters {
	const char *total, *good, *bad, *buckets;
	/* Of `buckets`: slower is bad, in seconds and in the unit of the label
	 * le. */
	double bound, bound_le;
};

struct slo {
	const char *name;
	enum slo_kind kind;
	const char *use; /* the preset it was made of; NULL: none */
	enum slo_provider provider;
	/* PromQL, or the request for people; with templates. */
	const char *query;
	const char *baseline; /* the query of the baseline; NULL: none */
	bool compare_stable; /* ask `query` again with {{revision}} = stable */
	const char *requests; /* query that counts requests; NULL: none */
	double requests_min;
	bool has_max, has_min, has_critical, has_max_ratio, has_max_increase;
	double max, min, critical, max_ratio, max_increase;
	struct slo_texts texts;
	const char
		*unit; /* of the query's value, for people; NULL: see unit.h */
	/* Kind evidence: raw counters, with templates; `buckets`, or the two. */
	const char *total, *bad, *buckets;
	double objective; /* share of bad requests that may be */
	double bound; /* of `buckets`: slower is bad, in seconds … */
	double bound_le; /* … and in the unit of the label le */
	double tolerance, floor; /* below 0: the usual ones */
	double requests_needed; /* of the candidate, before a step is left */
	struct slo_counters counters; /* of either kind: for `tidegate slo` */
	const struct json_source *json; /* what is asked; NULL: the metrics */
	int64_t window_ms, interval_ms, timeout_ms;
	int fail_breaches, fail_of; /* latch at N breaches of the last M */
	int min_passes;
	enum no_data no_data;
	enum partial partial; /* that of `metrics`, which it asks */
	enum no_baseline no_baseline;
	enum slo_scope scope;
	struct srcpos pos;
};

/* Its metrics are Google's own, which are no counters but have a number of
 * events for each minute. */
bool slo_counts_by_the_minute(const struct slo *slo);

/* The lists of actions; the order is that of a rollout's life. */
enum action_list {
	LIST_PREFLIGHT,
	LIST_STARTED,
	LIST_STEP_PASSED,
	LIST_PROMOTED,
	LIST_ROLLBACK,
	LIST_HEALTH,
	LIST_ROLLED_BACK,
	LIST_STOPPED,
	LIST_LOAD, /* not one after the other: each is of a step */
	ACTION_LISTS
};

const char *action_list_name(enum action_list list); /* as in the file */

struct actions {
	const struct action *item;
	size_t n;
};

struct metrics {
	enum metrics_provider provider;
	struct secret *url; /* may hold userinfo or a token; NULL: Google's */
	const char *url_shown; /* the same without them */
	const char *project; /* Google's: whose; NULL: the service's */
	const char *quota_project; /* NULL: that of the credentials */
	/* Samples may be so late: queries are asked as of so long ago. */
	int64_t delay_ms;
	int64_t resolution_ms; /* from one sample to the next; 0: not said */
	enum partial partial; /* what an incomplete answer counts as */
	struct auth auth;
	struct tls tls;
	const struct header *headers;
	size_t n_headers;
	int64_t timeout_ms;
};

/* Of evidence: a step takes so long at least, … */
#define POLICY_DWELL_MS (120 * 1000)
/* … and above this percent stable has too few requests to compare with. */
#define POLICY_CONTROL_PERCENT_MAX 98

/* What all SLOs of kind evidence share. */
struct evidence_policy {
	double alpha; /* chance that a good release is taken back */
	double harm; /* bad requests that a step may cost unseen */
	enum without_control without_control;
	int64_t history_ms; /* of stable, before the rollout */
};

struct policy {
	struct arena arena;
	const char *path; /* as given; messages name it */
	const char *folder; /* where it lies: exec actions run there */
	char *source; /* the file's bytes as read, before ${VAR} */
	size_t source_len;

	const char *name;
	const char *project, *region, *service; /* NULL: flags give them */
	struct metrics metrics;
	struct step *steps;
	size_t n_steps;
	struct slo *slos;
	size_t n_slos;
	struct actions lists[ACTION_LISTS];
	struct freezes freeze; /* nothing goes forward then */

	int64_t settle_ms, hold_timeout_ms, revert_timeout_ms;
	enum step_pace pace;
	struct evidence_policy evidence;
	enum on_breach on_breach;
	enum on_undecided on_undecided;
	enum on_drift on_drift;
	enum on_interrupt on_interrupt;
	enum finish finish;
	const char *tag; /* NULL: no tag */
	bool asks_candidate_url; /* some action does */
	bool gameday_allowed; /* bad revisions may be released on purpose */

	struct secret **secrets; /* all of them, to be wiped at the end */
	size_t n_secrets;
	bool has_secret_files; /* some of them stand in files of their own */

	size_t n_warnings; /* of what is hardly meant; told while loading */
};

/* The list that holds this very action; ACTION_LISTS: none of them. */
enum action_list policy_list_of(
	const struct policy *policy, const struct action *action);

/* How far back the check looks that looks furthest. */
int64_t policy_look_ms_max(const struct policy *policy);
/* What a step's load adds to its time, with the look after it; 0: it has none.
 * At least: how long a script of k6 takes only the script knows. */
int64_t policy_load_ms(const struct policy *policy, const struct step *step);

/* Of two that were made of one text: what came from outside is the same. */
bool policy_has_same_secrets(const struct policy *a, const struct policy *b);

void policy_free(struct policy **policy);

#endif
