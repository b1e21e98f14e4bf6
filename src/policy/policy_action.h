/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model of actions: what a policy says of each, by type. Plain structs; see
 * policy.h for what all of the model has in common.
 */
#ifndef TIDEGATE_POLICY_POLICY_ACTION_H
#define TIDEGATE_POLICY_POLICY_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "policy/auth.h"

/* ---- types ---- */

/* All of them: the kind, the name of struct and files, the spelling in the
 * policy. A policy_action_NAME.c reads its keys, an action/action_NAME.c does
 * its work. */
/* clang-format off */
#define ACTION_TYPES(TYPE) \
	TYPE(HTTP, http, "http") \
	TYPE(EXEC, exec, "exec") \
	TYPE(SILENCE, silence, "alertmanager-silence") \
	TYPE(REDIS, redis, "redis") \
	TYPE(DATABASE, database, "database") \
	TYPE(SLACK, slack, "slack") \
	TYPE(WEBHOOK, webhook, "webhook") \
	TYPE(PAGERDUTY, pagerduty, "pagerduty") \
	TYPE(SECRET, secret, "secret") \
	TYPE(FIREBASE, firebase, "firebase-hosting") \
	TYPE(KUBERNETES, kubernetes, "kubernetes") \
	TYPE(REPORT, report, "report") \
	TYPE(LOAD, load, "load") \
	TYPE(K6, k6, "k6")
/* clang-format on */

#define TYPE(kind, name, text) ACTION_##kind,
enum action_kind { ACTION_TYPES(TYPE) ACTION_KINDS };
#undef TYPE

const char *action_kind_name(enum action_kind kind); /* as in the file */

/* `expect` of an http action. */
enum json_relation { JSON_EQUALS, JSON_LESS, JSON_GREATER };

struct json_expect {
	const char *pointer; /* RFC 6901 */
	bool exists; /* true: it must be there, `value` is not used */
	const char *value; /* JSON text it must equal, or … */
	enum json_relation relation; /* … the number it is compared with */
};

struct http_expect {
	const int *statuses; /* none: any 2xx */
	size_t n_statuses;
	const char *body; /* PCRE2 pattern; NULL: any */
	const struct json_expect *json;
	size_t n_json;
	int64_t max_latency_ms; /* 0: any */
};

struct env_var {
	const char *name;
	struct secret *value;
};

struct action_http {
	const char *method;
	struct secret *url; /* with templates; may hold userinfo or a token */
	const struct header *headers;
	size_t n_headers;
	const char *body; /* with templates; NULL: none */
	struct auth auth;
	struct tls tls;
	struct http_expect expect;
	int attempts; /* tries inside one run of the action, to wait for health */
	int64_t every_ms; /* between them */
};

struct action_exec {
	const char **command; /* argv, NULL-terminated, with templates */
	size_t n_command;
	const struct env_var *env;
	size_t n_env;
	const char *cwd; /* NULL: the policy file's folder */
};

struct matcher {
	const char *name;
	const char *value; /* with templates */
	bool is_regex, is_equal;
};

struct action_silence {
	struct secret *url;
	struct auth auth;
	struct tls tls;
	const struct matcher *matchers;
	size_t n_matchers;
	int64_t lease_ms;
	const char *comment; /* with templates; NULL: a default */
};

struct action_redis {
	struct secret *url; /* redis://user:password@host:port/database */
	struct tls tls; /* of rediss:// */
	const char **patterns; /* globs with templates */
	size_t n_patterns;
};

struct action_database {
	struct action_exec exec; /* what takes the schema back */
	const char **guard; /* argv as `exec.command`; NULL: none */
	size_t n_guard;
};

struct action_slack {
	struct secret *webhook; /* the URL is the secret */
	const char *text; /* with templates; NULL: the reason */
};

struct action_webhook {
	struct secret *url;
	const struct header *headers;
	size_t n_headers;
	struct auth auth;
	struct tls tls;
};

struct action_pagerduty {
	struct secret *routing_key;
	struct secret *url; /* NULL: PagerDuty's own, in the US */
	const char *severity;
};

struct action_secret {
	const char *project; /* NULL: the service's */
	const char *secret;
	struct secret *value; /* with templates; NULL when it is to … */
	bool restore; /* … get back what it held in preflight */
};

struct action_firebase {
	const char *site;
};

struct action_kubernetes {
	const char *resource; /* deployment/NAME */
	const char *namespace, *context; /* NULL: kubectl's own */
};

struct action_report {
	const char *path; /* with templates */
};

/* What of a whole load is to hold; 0: anything. */
struct load_limits {
	int64_t p50_ms, p95_ms, p99_ms, max_ms;
	double failed; /* share that may fail, dropped ones among them */
	int min_requests;
};

/* Of each answer, and of all of them. */
struct load_expect {
	struct http_expect answer;
	struct load_limits limits;
};

struct load_request {
	const char *method; /* NULL: GET, with a body POST */
	struct secret *url; /* with templates */
	const struct header *headers;
	size_t n_headers;
	const char *body; /* with templates; NULL: none */
	int weight; /* how often, beside the others */
};

/* From where the one before ended (at first: from 0), in a straight line. */
struct load_stage {
	int64_t for_ms;
	int to; /* users, or requests per second */
};

struct action_load {
	const struct load_request *requests;
	size_t n_requests;
	struct load_request only; /* of the action itself, without a list */
	struct auth auth;
	struct tls tls;
	const struct load_stage *stages;
	size_t n_stages;
	bool by_rate; /* an open model: stages are requests per second */
	/* Of a closed one: from a user's request to the same user's next. */
	int64_t think_ms;
	int64_t warmup_ms; /* what is sent in it is not judged */
	int64_t request_timeout_ms;
	struct load_expect expect;
	bool writes; /* methods that change something are meant */
	const char *allow_host; /* beside the candidate's own; NULL: none */
};

#define LOAD_USERS_MAX      2000 /* at a time, connections as well */
#define LOAD_PER_SECOND_MAX 5000 /* requests per second */

int64_t load_duration_ms(const struct action_load *load);
int load_peak(const struct action_load *load); /* users, or requests/s */
double load_requests(const struct action_load *load); /* in all, about */
bool load_asks_candidate(
	const struct action_load *load); /* {{candidate_url}} */

struct action_k6 {
	const char *script; /* a path */
	const struct env_var *env;
	size_t n_env;
	struct load_expect expect; /* beside its thresholds; no `answer` */
};

/* ---- an action ---- */

/* What an action in the rollback sequence is meant for: a set of bits. */
enum when {
	WHEN_SLO = 1 << 0,
	WHEN_ABORT = 1 << 1,
	WHEN_INTERRUPT = 1 << 2,
	WHEN_TIMEOUT = 1 << 3,
	WHEN_ALL = (1 << 4) - 1,
};

struct action {
	const char *name;
	enum action_kind kind;
	int64_t timeout_ms;
	int retries;
	bool stop_on_failure;
	bool idempotent;
	unsigned when; /* bits of enum when */
	struct srcpos pos;
#define TYPE(kind, name, text) struct action_##name name;
	union {
		ACTION_TYPES(TYPE)
	} u;
#undef TYPE
};

#endif
