/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type load: many requests by the clock, and what all of their
 * answers have to be. How much that is follows from the stages alone, so that
 * the plan can say it.
 */
#include <string.h>
#include <strings.h>

#include "base/duration.h"
#include "policy/load_action.h"
#include "policy/policy_plan.h"
#include "policy/quantity.h"
#include "policy/template.h"
#include "policy/url.h"

#define REQUESTS_MAX   32
#define STAGES_MAX     64
#define WEIGHT_MAX     1000
#define REQUEST_MS_MAX (5 * MS_MINUTE)
#define DURATION_LIMIT (6 * MS_HOUR)
#define SPARE_MS       (30 * MS_SECOND) /* to start, for the last answers */
#define CANDIDATE_URL  "{{candidate_url}}"

#define AT(member) offsetof(struct action, u.load.member)

/* ---- how much it is ---- */

int load_peak(const struct action_load *load)
{
	int peak = 0;

	for (size_t i = 0; i < load->n_stages; i++)
		if (load->stages[i].to > peak)
			peak = load->stages[i].to;
	return peak;
}

double load_requests(const struct action_load *load)
{
	double sum = 0, each_ms = load->by_rate ? 1000 : (double)load->think_ms;
	int from = 0;

	for (size_t i = 0; i < load->n_stages; i++) {
		sum += (double)load->stages[i].for_ms *
		       (from + load->stages[i].to) / 2;
		from = load->stages[i].to;
	}
	return sum / each_ms;
}

bool load_asks_candidate(const struct action_load *load)
{
	const struct load_request *one = &load->only;
	bool asks = one->url &&
		    template_uses(secret_reveal(one->url), "candidate_url");

	for (size_t i = 0; i < load->n_requests; i++)
		asks |= template_uses(
			secret_reveal(load->requests[i].url), "candidate_url");
	return asks;
}

/* ---- expect ---- */

static void read_share(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);
	struct err err;
	double share;

	if (!text)
		return;
	if (quantity_parse(text, &share, &err) < 0 || share < 0 || share > 1)
		problem_at(loader, value,
			"\"%.40s\" is no share of the requests: write 0%% to "
			"100%%, such as 1%%",
			text);
	else
		*(double *)((char *)into + key->offset) = share;
}

static const struct reader share_reader = {
	read_share, "a share", LIMIT_SCHEMA, .def = "limit"};

static const struct duration_range limit_range = {1, MS_HOUR};
static const struct whole_range count_range = {1, 100000000};

#define LIMIT(name_, about_)                                             \
	{                                                                \
#name_, &duration_reader,                                \
			offsetof(struct load_expect, limits.name_##_ms), \
			&limit_range, .about = about_                    \
	}

static const struct key limit_keys[] = {
	LIMIT(p50, "Half of the answers are as fast"),
	LIMIT(p95, "95 % of them are"),
	LIMIT(p99, "99 % of them are"),
	LIMIT(max, "All of them are"),
	{"failed", &share_reader, offsetof(struct load_expect, limits.failed),
		.value = "1%",
		.about = "At most, with those that could not be sent in time"},
	{"min_requests", &whole_reader,
		offsetof(struct load_expect, limits.min_requests), &count_range,
		.value = "1", .about = "Fewer of them say nothing"},
	{0},
};

const struct section load_limits_section = {"expect", limit_keys,
	.def = "load-limits", .about = "What has to hold of all answers"};

/* The readers of an answer's keys write to the beginning of the struct. */
_Static_assert(offsetof(struct load_expect, answer) == 0, "they do not");

static const struct key load_expect_keys[] = {
	{"status", &statuses_reader, .about = "Default: any 2xx"},
	{"body", &pattern_reader,
		.about = "A PCRE2 pattern that must occur in each body"},
	{"json", &json_reader,
		.about = "exists, the value, {less: N} or {greater: N}"},
	{0},
};

static const struct section load_expect_section = {"expect", load_expect_keys,
	.base = &load_limits_section, .def = "load-expect",
	.about = "What each answer has to be, and all of them"};

static const struct reader load_expect_reader = {read_nested, "a mapping",
	.sections =
		(const struct section *const[]){&load_expect_section, NULL}};

/* ---- requests ---- */

static const struct choice load_methods[] = {{"GET", 0}, {"HEAD", 0},
	{"POST", 0}, {"PUT", 0}, {"PATCH", 0}, {"DELETE", 0}, {0}};
static const struct whole_range weight_range = {1, WEIGHT_MAX};
static const size_t n_headers_at = offsetof(struct load_request, n_headers);
static const size_t only_n_headers_at = AT(only.n_headers);

static const struct key request_keys[] = {
	{"url", &template_url_reader, offsetof(struct load_request, url),
		.need = KEY_REQUIRED,
		.about = "The candidate's own, {{candidate_url}}/…"},
	{"method", &word_reader, offsetof(struct load_request, method),
		load_methods, .about = "Default: GET, with a body POST"},
	{"headers", &headers_reader, offsetof(struct load_request, headers),
		&n_headers_at, .about = "May hold ${VAR}"},
	{"body", &template_reader, offsetof(struct load_request, body),
		.about = "With {{templates}}"},
	{"weight", &whole_reader, offsetof(struct load_request, weight),
		&weight_range, .value = "1",
		.about = "How often, beside the other requests"},
	{0},
};

static const struct section request_section = {"a request of a load",
	request_keys, .def = "load-request", .about = "One of several"};

static void read_requests(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct action_load *load =
		(struct action_load *)((char *)into + key->offset);
	size_t n = list_len(loader, value, "requests", REQUESTS_MAX);
	struct load_request *items =
		arena_alloc(loader->arena, n * sizeof(*items));
	const struct node *node = value->first;

	load->requests = items;
	for (; node && load->n_requests < n; node = node->next) {
		items[load->n_requests] = (struct load_request){0};
		read_section(loader, node, &request_section,
			&items[load->n_requests++]);
	}
}

static const struct reader requests_reader = {read_requests, "a list",
	.sections = (const struct section *const[]){&request_section, NULL},
	.list_min = 1, .list_max = REQUESTS_MAX};

/* ---- stages ---- */

struct stage_draft {
	int64_t for_ms;
	int users, rate; /* -1: not given */
};

static const struct duration_range stage_range = {MS_SECOND, DURATION_LIMIT};
static const struct whole_range users_range = {0, LOAD_USERS_MAX};
static const struct whole_range rate_range = {0, LOAD_PER_SECOND_MAX};

static const struct key stage_keys[] = {
	{"for", &duration_reader, offsetof(struct stage_draft, for_ms),
		&stage_range, .need = KEY_REQUIRED, .about = "How long it is"},
	{"users", &whole_reader, offsetof(struct stage_draft, users),
		&users_range,
		.about = "At its end; each asks once in every think"},
	{"rate", &whole_reader, offsetof(struct stage_draft, rate), &rate_range,
		.about = "Requests per second at its end, whoever waits"},
	{0},
};

static const struct rule stage_rules[] = {
	{RULE_ONE_OF, {"users", "rate"}}, {RULE_END}};

static const struct section stage_section = {"a stage", stage_keys,
	.def = "load-stage", .rules = stage_rules,
	.about = "A straight line from where the one before ended, at first 0"};

static void read_stage(struct loader *loader, const struct node *node,
	struct action_load *load, struct load_stage *stage)
{
	struct stage_draft draft = {.users = -1, .rate = -1};

	read_section(loader, node, &stage_section, &draft);
	if (node->kind == NODE_MAPPING &&
		!node_get(node, "users") == !node_get(node, "rate"))
		problem_at(loader, node,
			"a stage has users or rate, one of the two");
	else if (load->n_stages && load->by_rate != (draft.rate >= 0))
		problem_at(loader, node,
			"stages are all of users, or all of rate");
	load->by_rate = draft.rate >= 0;
	*stage = (struct load_stage){draft.for_ms, draft.rate > 0 ? draft.rate
						   : draft.users > 0
							   ? draft.users
							   : 0};
	load->n_stages++;
}

static void read_stages(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct action_load *load =
		(struct action_load *)((char *)into + key->offset);
	size_t n = list_len(loader, value, "stages", STAGES_MAX);
	struct load_stage *stages =
		arena_alloc(loader->arena, n * sizeof(*stages));

	load->stages = stages;
	for (const struct node *node = value->first; node && load->n_stages < n;
		node = node->next)
		read_stage(loader, node, load, &stages[load->n_stages]);
	if (n && !load_peak(load))
		problem_at(loader, value,
			"no stage has a user or a request: nothing would be "
			"sent");
	else if (load_duration_ms(load) > DURATION_LIMIT)
		problem_at(loader, value, "a load lasts 6h at most");
}

static const struct reader stages_reader = {read_stages, "a list",
	.sections = (const struct section *const[]){&stage_section, NULL},
	.list_min = 1, .list_max = STAGES_MAX};

/* ---- the action ---- */

static const struct duration_range think_range = {10, 10 * MS_MINUTE};
static const struct duration_range warmup_range = {0, MS_HOUR};
static const struct duration_range request_range = {100, REQUEST_MS_MAX};

static const struct key load_keys[] = {
	IDEMPOTENT("false"),
	{"url", &template_url_reader, AT(only.url),
		.about = "What is asked: {{candidate_url}}/…; or requests"},
	{"method", &word_reader, AT(only.method), load_methods,
		.about = "Default: GET, with a body POST"},
	{"headers", &headers_reader, AT(only.headers), &only_n_headers_at,
		.about = "May hold ${VAR}"},
	{"body", &template_reader, AT(only.body),
		.about = "With {{templates}}"},
	{"requests", &requests_reader, offsetof(struct action, u.load),
		.about = "Several, by their weights"},
	{"auth", &action_auth_reader, AT(auth),
		.about = "How to identify; default: not"},
	{"tls", &tls_reader, AT(tls), .about = "Of https"},
	{"stages", &stages_reader, offsetof(struct action, u.load),
		.need = KEY_REQUIRED, .about = "How much, and how long"},
	{"think", &duration_reader, AT(think_ms), &think_range, .value = "1s",
		.about = "From a user's request to its next, by the clock"},
	{"warmup", &duration_reader, AT(warmup_ms), &warmup_range,
		.value = "0s", .about = "At the beginning, not judged"},
	{"request_timeout", &duration_reader, AT(request_timeout_ms),
		&request_range, .value = "10s",
		.about = "A request that takes longer has failed"},
	{"expect", &load_expect_reader, AT(expect), .value = "{}",
		.about = "What makes it a success"},
	{"writes", &bool_reader, AT(writes), .value = "false",
		.about = "Methods beside GET and HEAD are meant: what they do "
			 "is done"},
	{"allow_host", &text_reader, AT(allow_host),
		.about = "A host that may be asked beside the candidate's own"},
	{0},
};

static const struct rule load_rules[] = {
	{RULE_ONE_OF, {"url", "requests"}}, {RULE_END}};

static bool host_is(const struct url *url, const char *host)
{
	return host && url->host.at && url->host.len == strlen(host) &&
	       !strncasecmp(url->host.at, host, url->host.len);
}

/* Other revisions, and other people's services, are not to be loaded by a slip
 * of the pen. */
static void check_where(struct loader *loader, const struct node *node,
	const struct action_load *load, const struct load_request *request)
{
	const char *text = request->url ? secret_reveal(request->url) : NULL;
	const struct node *place = place_of(node, "url");
	struct url url;
	struct err err;

	if (!text || may_be_placeholder(loader, place))
		return;
	if (!strncmp(text, CANDIDATE_URL, strlen(CANDIDATE_URL))) {
		text += strlen(CANDIDATE_URL);
		if (*text && *text != '/' && *text != '?')
			problem_at(loader, place,
				"after {{candidate_url}} comes \"/\" or "
				"nothing: this would be another host");
	} else if (url_parse(text, &url, &err) == 0 &&
		   !host_is(&url, load->allow_host)) {
		problem_at(loader, place,
			"a load asks the candidate's own URL, "
			"{{candidate_url}}/…, or the host that allow_host "
			"names");
	}
}

static bool is_safe(const struct load_request *request)
{
	return !strcmp(request->method, "GET") ||
	       !strcmp(request->method, "HEAD");
}

static void check_request(struct loader *loader, const struct node *node,
	const struct action_load *load, struct load_request *request)
{
	if (!request->method)
		request->method = request->body ? "POST" : "GET";
	else if (request->body && is_safe(request))
		problem_at(loader, place_of(node, "method"),
			"a %s request has no body: use POST, or remove the "
			"body",
			request->method);
	if (!is_safe(request) && !load->writes)
		problem_at(loader, place_of(node, "method"),
			"a load of %s changes what others use, thousands of "
			"times: say \"writes: true\" if that is meant",
			request->method);
	for (size_t i = 0; i < request->n_headers; i++) {
		if (!strcasecmp(request->headers[i].name, "user-agent"))
			problem_at(loader, place_of(node, "headers"),
				"User-Agent is tidegate-load, so that metrics "
				"can leave a load out");
		if (load->auth.type != AUTH_NONE &&
			!strcasecmp(request->headers[i].name, "authorization"))
			problem_at(loader, place_of(node, "headers"),
				"both auth and an Authorization header: remove "
				"one");
	}
	check_where(loader, node, load, request);
}

static void check_requests(struct loader *loader, const struct node *node,
	struct action_load *load)
{
	const struct node *list = node_get(node, "requests"), *n;
	struct load_request *items = (struct load_request *)load->requests;
	static const char *const of_one[] = {
		"url", "method", "headers", "body"};

	if (!list) {
		load->only.weight = 1;
		if (!node_get(node, "url"))
			problem_at(loader, node,
				"a load needs url, or a list of requests");
		check_request(loader, node, load, &load->only);
		return;
	}
	for (size_t i = 0; i < 4; i++)
		if (node_get(node, of_one[i]))
			problem_at(loader, node_get(node, of_one[i])->key,
				"both requests and %s: each of the requests "
				"says its own",
				of_one[i]);
	n = list->first;
	for (size_t i = 0; n && i < load->n_requests; i++, n = n->next)
		check_request(loader, n, load, &items[i]);
}

static void finish_load(
	struct loader *loader, const struct node *node, struct action *action)
{
	struct action_load *load = &action->u.load;
	int64_t total_ms = load_duration_ms(load);
	const struct node *timeout = node_get(node, "timeout");
	char text[DURATION_TEXT_MAX];

	check_requests(loader, node, load);
	if (load->auth.type == AUTH_GOOGLE)
		problem_at(loader, place_of(node, "auth"),
			"an access token opens all of its account, and goes "
			"into no load: a Cloud Run service takes \"type: "
			"id-token\"");
	if (load->n_stages && load->warmup_ms >= total_ms)
		problem_at(loader, place_of(node, "warmup"),
			"the warm-up is as long as the load of %s: nothing "
			"would be judged",
			duration_print(total_ms, text));
	if (!timeout)
		action->timeout_ms =
			total_ms + load->request_timeout_ms + SPARE_MS;
	else if (action->timeout_ms <= total_ms)
		problem_at(loader, timeout,
			"the stages last %s: leave out timeout, or give more "
			"than that",
			duration_print(total_ms, text));
}

/* ---- plan ---- */

static void plan_limit(struct buf *out, const char *name, int64_t ms)
{
	if (!ms)
		return;
	buf_addf(out, ", %s within ", name);
	duration_add(out, ms);
}

void plan_limits(struct buf *out, const struct load_limits *limits)
{
	plan_limit(out, "p50", limits->p50_ms);
	plan_limit(out, "p95", limits->p95_ms);
	plan_limit(out, "p99", limits->p99_ms);
	plan_limit(out, "all", limits->max_ms);
	if (limits->failed < 1)
		buf_addf(out, ", at most %.4g %% failed", 100 * limits->failed);
	if (limits->min_requests > 1)
		buf_addf(out, ", of %d or more", limits->min_requests);
}

static void plan_load(struct buf *out, const struct action *action)
{
	const struct action_load *load = &action->u.load;

	buf_addf(out, "load of about %.0f requests in ", load_requests(load));
	duration_add(out, load_duration_ms(load));
	buf_addf(out, ", %s %d%s, ", load->by_rate ? "up to" : "by up to",
		load_peak(load), load->by_rate ? "/s" : " users");
	for (size_t i = 0; i < load->n_requests || i < 1; i++) {
		const struct load_request *request =
			load->n_requests ? &load->requests[i] : &load->only;

		buf_addf(out, "%s%s ", i ? " and " : "", request->method);
		plan_url(out, request->url);
	}
	plan_answer(out, &load->expect.answer);
	plan_limits(out, &load->expect.limits);
}

const struct policy_action policy_action_load = {
	.section = {"a load action", load_keys, .base = &every_action_section,
		.def = "load", .rules = load_rules,
		.about = "Many requests by the clock, from a process of its "
			 "own",
		.chosen = "load"},
	.finish = finish_load,
	.plan = plan_load,
};
