/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SLOs of provider sentry: what is asked of Sentry's API for each metric, made
 * once here, so that the plan shows the very request. Asking, and what answers
 * must look like, is src/jsonapi's.
 */
#include <ctype.h>
#include <string.h>

#include "policy/load_slo.h"
#include "policy/template.h"
#include "policy/url.h"

#define SAAS_URL        "https://sentry.io"
#define API_PATH        "/api/0"
#define INTERVAL_MS_MIN (30 * MS_SECOND) /* asking more often is unwelcome */
#define ISSUES_MAX      100 /* of one page: no more are counted */
#define SLUG_MAX        100
#define RELEASE_MAX     200

enum sentry_metric {
	METRIC_NONE, /* told already */
	METRIC_ERRORS,
	METRIC_CRASH_FREE_SESSIONS,
	METRIC_CRASH_FREE_USERS,
	METRIC_NEW_ISSUES,
};

struct sentry_draft {
	struct slo slo; /* first: the keys of every SLO go there */
	struct json_source source;
	const char *url; /* without a slash at its end */
	const char *organization, *project, *environment, *release;
	const char *baseline_release;
	enum sentry_metric metric;
	const struct node *baseline, *requests;
};

/* ---- keys ---- */

static void read_sentry_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct sentry_draft *draft = into;
	struct secret *secret = secret_url(loader, value, false, NULL);
	const char *url = secret ? secret_reveal(secret) : "";
	bool judged = !may_be_placeholder(loader, value);
	size_t len = strlen(url);

	while (len && url[len - 1] == '/')
		len--;
	if (judged && strpbrk(url, "?@"))
		problem_at(loader, value,
			"the address of a Sentry has neither a user nor a "
			"query: the token goes into auth");
	else if (judged && strstr(url, API_PATH))
		problem_at(loader, value,
			"the address of a Sentry ends before " API_PATH
			": remove it");
	else if (len)
		draft->url = arena_strndup(loader->arena, url, len);
}

static const struct reader sentry_url_reader = {
	read_sentry_url, "a URL", URL_SCHEMA, .def = "url"};

/* Names that stand in the path or name a project, or its number. */
static void read_slug(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value), *p = text;

	if (!text)
		return;
	while (isalnum((unsigned char)*p) ||
		(p > text && *p && strchr("-_.", *p)))
		p++;
	if (*p || p - text > SLUG_MAX)
		problem_at(loader, value,
			"\"%.60s\" is no %s of Sentry's: write its slug, as "
			"in its address there%s",
			text, key->name,
			strcmp(key->name, "project") ? "" : ", or its number");
	else
		*(const char **)((char *)into + key->offset) = text;
}

static const struct reader slug_reader = {read_slug, "a slug",
	TEXT_SCHEMA
	", "
	"'pattern': '^[A-Za-z0-9][A-Za-z0-9._-]*$', 'maxLength': 100",
	.def = "slug"};

/* Characters that a search takes as they are; "*" would be any text. A brace
 * that is no template's stands as a literal of its own, "{{{}}". */
static bool is_release(const char *text)
{
	const char *p = text;

	while (*p) {
		if (!strncmp(p, "{{", 2) && p[2] != '{' && strstr(p, "}}"))
			p = strstr(p, "}}") + 2;
		else if (isalnum((unsigned char)*p) || strchr("._-+@:", *p))
			p++;
		else
			return false;
	}
	return *text && p - text <= RELEASE_MAX && strcmp(text, ".") &&
	       strcmp(text, "..") && strcmp(text, "latest");
}

static void read_release(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	static const char *const elsewhere[] = {"reason", "candidate_url"};
	const char *text = variable_text(loader, value);

	if (!text)
		return;
	for (size_t i = 0; i < 2; i++)
		if (template_uses(text, elsewhere[i]))
			problem_at(loader, value, "{{%s}} has no meaning here",
				elsewhere[i]);
	if (is_release(text) || may_be_placeholder(loader, value))
		*(const char **)((char *)into + key->offset) = text;
	else
		problem_at(loader, value,
			"\"%.60s\" is not a release: write letters, digits and "
			"any of . _ - + @ : such as shop@1.2.3 or "
			"shop@{{revision}}, at most %d bytes",
			text, RELEASE_MAX);
}

static const struct reader release_reader = {read_release, "a template",
	TEXT_SCHEMA ", 'minLength': 1", .def = "release"};

static const struct choice metrics[] = {
	{"errors", METRIC_ERRORS},
	{"crash-free-sessions", METRIC_CRASH_FREE_SESSIONS},
	{"crash-free-users", METRIC_CRASH_FREE_USERS},
	{"new-issues", METRIC_NEW_ISSUES},
	{0},
};

#define MEMBER(m) offsetof(struct sentry_draft, m)

static const struct key baseline_keys[] = {
	{"release", &release_reader, MEMBER(baseline_release),
		.need = KEY_REQUIRED, .about = "What to compare with"},
	{0},
};

static const struct section baseline_section = {
	"baseline of an SLO of provider sentry", baseline_keys,
	.def = "sentry_baseline", .about = "Another release to compare with"};

static const struct key requests_keys[] = {
	{"min", &requests_min_reader, .need = KEY_REQUIRED,
		.about = "With fewer a check is no-data"},
	{0},
};

static const struct section requests_section = {
	"requests of an SLO of provider sentry", requests_keys,
	.def = "sentry_requests",
	.about = "How many sessions, or users, a check needs"};

static const struct reader baseline_reader = {read_node, "a mapping",
	.sections = (const struct section *const[]){&baseline_section, NULL}};
static const struct reader requests_reader = {read_node, "a mapping",
	.sections = (const struct section *const[]){&requests_section, NULL}};

static const struct key sentry_keys[] = {
	{"name", &identifier_reader, offsetof(struct slo, name),
		.need = KEY_REQUIRED, .about = "Its own in this policy"},
	{"metric", &choice_reader, MEMBER(metric), metrics,
		.need = KEY_REQUIRED, .about = "What is counted"},
	{"organization", &slug_reader, MEMBER(organization),
		.need = KEY_REQUIRED, .about = "As in its address at Sentry"},
	{"project", &slug_reader, MEMBER(project), .need = KEY_REQUIRED,
		.about = "As in its address at Sentry, or its number"},
	{"environment", &slug_reader, MEMBER(environment),
		.about = "Default: all"},
	{"release", &release_reader, MEMBER(release), .need = KEY_REQUIRED,
		.about = "With ${VAR} and {{templates}}: shop@{{revision}}"},
	{"url", &sentry_url_reader, .value = SAAS_URL,
		.about = "Of a region or of one's own Sentry, without /api/0"},
	{"auth", &auth_reader, MEMBER(source.auth), .need = KEY_REQUIRED,
		.about = "A bearer token that may read organizations"},
	{"tls", &tls_reader, MEMBER(source.tls), .about = "Of https"},
	{"timeout", &duration_reader, MEMBER(slo.timeout_ms),
		&slo_timeout_range,
		.about = "Of one request; default: that of metrics"},
	{"baseline", &baseline_reader, MEMBER(baseline),
		.about = "Another release to compare with"},
	{"requests", &requests_reader, MEMBER(requests),
		.about = "Fewer than min are no data"},
	{0},
};

/* ---- requests ---- */

static void sentry_param(struct loader *loader, struct params *params,
	const char *name, const char *value)
{
	params_add(params, name,
		keep_secret(loader, value, strlen(value), false), value);
}

/* A period has one unit: 90m, not 1h30m. */
static const char *sentry_period(struct loader *loader, int64_t ms)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = {{'d', MS_DAY}, {'h', MS_HOUR}, {'m', MS_MINUTE}};
	size_t i = 0;

	while (i < 3 && ms % units[i].ms)
		i++;
	if (i < 3)
		return arena_printf(loader->arena, "%lld%c",
			(long long)(ms / units[i].ms), units[i].unit);
	return arena_printf(loader->arena, "%llds",
		(long long)((ms + MS_SECOND - 1) / MS_SECOND));
}

static void sentry_begin(struct loader *loader,
	const struct sentry_draft *draft, const char *what,
	struct json_question *question)
{
	const char *url = arena_printf(loader->arena,
		"%s" API_PATH "/organizations/%s/%s/", draft->url,
		draft->organization, what);

	*question = (struct json_question){.scale = 1, .url_shown = url};
	question->url = keep_secret(loader, url, strlen(url), false);
}

/* Every request names project, environment and release in the same way. */
static void sentry_filter(struct loader *loader,
	const struct sentry_draft *draft, struct params *params,
	const char *search)
{
	sentry_param(loader, params, "project", draft->project);
	if (draft->environment)
		sentry_param(loader, params, "environment", draft->environment);
	sentry_param(loader, params, "query", search);
}

static void sentry_errors(struct loader *loader,
	const struct sentry_draft *draft, const char *release,
	struct json_question *question)
{
	struct params params = {.n = 0};

	sentry_begin(loader, draft, "events", question);
	sentry_param(loader, &params, "dataset", "errors");
	sentry_param(loader, &params, "field", "count()");
	sentry_filter(loader, draft, &params,
		arena_printf(loader->arena, "release:%s", release));
	sentry_param(loader, &params, "statsPeriod",
		sentry_period(loader, draft->slo.window_ms));
	params_end(loader, &params, question);
	question->pointer = "/data/0/count()";
	question->shape = SHAPE_COUNT;
}

static void sentry_issues(struct loader *loader,
	const struct sentry_draft *draft, const char *release,
	struct json_question *question)
{
	struct params params = {.n = 0};

	sentry_begin(loader, draft, "issues", question);
	sentry_filter(loader, draft, &params,
		arena_printf(loader->arena, "firstRelease:%s is:unresolved",
			release));
	sentry_param(loader, &params, "limit", "100");
	params_end(loader, &params, question);
	question->pointer = "";
	question->shape = SHAPE_ISSUES;
}

static bool counts_users(const struct sentry_draft *draft)
{
	return draft->metric == METRIC_CRASH_FREE_USERS;
}

/* Rate and number come from one request, so that a check sends it once. The
 * shortest period of this endpoint is an hour. */
static void sentry_sessions(struct loader *loader,
	const struct sentry_draft *draft, const char *release,
	struct json_question *question)
{
	int64_t hours = (draft->slo.window_ms + MS_HOUR - 1) / MS_HOUR;
	bool users = counts_users(draft);
	struct params params = {.n = 0};

	sentry_begin(loader, draft, "sessions", question);
	sentry_param(loader, &params, "field",
		users ? "crash_free_rate(user)" : "crash_free_rate(session)");
	sentry_param(loader, &params, "field",
		users ? "count_unique(user)" : "sum(session)");
	sentry_param(loader, &params, "groupBy", "release");
	sentry_filter(loader, draft, &params,
		arena_printf(loader->arena, "release:%s", release));
	sentry_param(loader, &params, "statsPeriod",
		sentry_period(loader, (hours ? hours : 1) * MS_HOUR));
	sentry_param(loader, &params, "interval", "1h");
	sentry_param(loader, &params, "includeSeries", "0");
	params_end(loader, &params, question);
	question->release =
		keep_secret(loader, release, strlen(release), false);
}

static void sentry_share(struct loader *loader,
	const struct sentry_draft *draft, const char *release,
	struct json_question *question)
{
	sentry_sessions(loader, draft, release, question);
	question->pointer = counts_users(draft)
				    ? "/groups/0/totals/crash_free_rate(user)"
				    : "/groups/0/totals/"
				      "crash_free_rate(session)";
	question->shape = SHAPE_RELEASE_SHARE;
}

static void sentry_number(struct loader *loader,
	const struct sentry_draft *draft, struct json_question *question)
{
	sentry_sessions(loader, draft, draft->release, question);
	question->pointer = counts_users(draft)
				    ? "/groups/0/totals/count_unique(user)"
				    : "/groups/0/totals/sum(session)";
	question->shape = SHAPE_RELEASE_COUNT;
}

static void sentry_metric_of(struct loader *loader,
	const struct sentry_draft *draft, const char *release,
	struct json_question *question)
{
	switch (draft->metric) {
	case METRIC_NONE:
		break;
	case METRIC_ERRORS:
		sentry_errors(loader, draft, release, question);
		break;
	case METRIC_CRASH_FREE_SESSIONS:
	case METRIC_CRASH_FREE_USERS:
		sentry_share(loader, draft, release, question);
		break;
	case METRIC_NEW_ISSUES:
		sentry_issues(loader, draft, release, question);
		break;
	}
}

/* ---- rules ---- */

static void sentry_refuse(struct loader *loader, const struct node *node,
	const char *const keys[], const char *why)
{
	for (size_t i = 0; keys[i]; i++)
		if (node_get(node, keys[i]))
			problem_at(loader, node_get(node, keys[i])->key, "%s",
				why);
}

/* A crash-free share is good when it is high: it has a min and no max. */
static void check_crash_free(
	struct loader *loader, const struct node *node, const struct slo *slo)
{
	static const char *const wrong[] = {"max", "max_ratio", "max_increase",
		"compare", "baseline", NULL};

	sentry_refuse(loader, node, wrong,
		"a crash-free share falls when things get worse: give min, "
		"such as 99%, and no upper limit");
	if (slo->has_min && slo->min > 1)
		problem_at(loader, place_of(node, "min"),
			"a crash-free share is at most 1: write 99%% or 0.99");
}

static void check_issues(
	struct loader *loader, const struct node *node, const struct slo *slo)
{
	static const char *const wrong[] = {
		"compare", "baseline", "max_ratio", "max_increase", NULL};

	sentry_refuse(loader, node, wrong,
		"issues that are new in a release have nothing to be compared "
		"with: give max");
	if (slo->has_max && slo->max >= ISSUES_MAX)
		problem_at(loader, place_of(node, "max"),
			"no more than %d new issues are counted: max must be "
			"below that",
			ISSUES_MAX);
}

static void check_sentry(struct loader *loader, const struct node *node,
	const struct sentry_draft *draft)
{
	const struct slo *slo = &draft->slo;

	if (draft->source.auth.type != AUTH_BEARER && node_get(node, "auth"))
		problem_at(loader, node_get(node, "auth"),
			"Sentry wants a token: auth: {type: bearer, "
			"token_file: FILE}");
	if (slo->interval_ms < INTERVAL_MS_MIN)
		problem_at(loader, place_of(node, "interval"),
			"Sentry must not be asked more often than every 30s");
	if (slo->timeout_ms >= slo->interval_ms)
		problem_at(loader, place_of(node, "timeout"),
			"the timeout is not shorter than the interval: lower "
			"it, or raise the interval");
	if (slo->compare_stable && draft->release &&
		!template_uses(draft->release, "revision"))
		problem_at(loader, place_of(node, "compare"),
			"\"compare: stable\" asks for the candidate's release "
			"and for stable's: write {{revision}} in release, or "
			"use \"baseline: {release: …}\"");
	if (draft->metric == METRIC_ERRORS && slo->window_ms < slo->interval_ms)
		problem_at(loader,
			place_of(node, node_get(node, "window") ? "window"
								: "interval"),
			"the window is shorter than the interval: what happens "
			"in between would never be looked at");
	if (draft->metric == METRIC_NEW_ISSUES)
		check_issues(loader, node, slo);
	else if (draft->metric == METRIC_CRASH_FREE_SESSIONS ||
		 draft->metric == METRIC_CRASH_FREE_USERS)
		check_crash_free(loader, node, slo);
}

static void make_questions(struct loader *loader, struct sentry_draft *draft)
{
	struct json_source *source = &draft->source;

	if (!draft->organization || !draft->project || !draft->release ||
		!draft->metric)
		return; /* told */
	sentry_metric_of(loader, draft, draft->release, &source->value);
	draft->slo.query = json_question_text(loader, &source->value);
	if (draft->baseline_release) {
		sentry_metric_of(loader, draft, draft->baseline_release,
			&source->baseline);
		draft->slo.baseline =
			json_question_text(loader, &source->baseline);
	}
	if (draft->requests) {
		sentry_number(loader, draft, &source->requests);
		draft->slo.requests =
			json_question_text(loader, &source->requests);
	}
}

static void read_sentry_slo(
	struct loader *loader, const struct node *node, struct slo *slo)
{
	struct sentry_draft draft = {.slo = *slo, .source.by_path = true};
	struct json_source *source =
		arena_alloc(loader->arena, sizeof(*source));

	read_section(loader, node, &policy_slo_sentry.section, &draft);
	if (draft.baseline)
		read_section(loader, draft.baseline, &baseline_section, &draft);
	if (draft.requests)
		read_section(loader, draft.requests, &requests_section, &draft);
	if (node->kind == NODE_MAPPING)
		check_sentry(loader, node, &draft);
	make_questions(loader, &draft);
	*source = draft.source;
	*slo = draft.slo;
	slo->json = source;
}

static const struct asked_key asked_keys[] = {{"release", true}, {0}};

const struct policy_slo policy_slo_sentry = {
	.section = {"an SLO of provider sentry", sentry_keys,
		.base = &every_slo_section, .def = "slo_sentry",
		.about = "A metric of Sentry's, of one release",
		.chosen = "sentry", .rules = slo_rules},
	.asked = asked_keys,
	.read = read_sentry_slo,
};
