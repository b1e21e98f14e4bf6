/* SPDX-License-Identifier: Apache-2.0 */
/* Scripted metrics; see fake_metrics.h. */
#include "fake_metrics.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "fake_http.h"
#include "fake_loop.h"

#define RULES_MAX 16

struct rule {
	char part[64];
	enum fake_said said;
	double value;
};

static struct {
	struct rule rule[RULES_MAX]; /* the newest last */
	size_t n;
	int64_t delay_ms;
} script;

struct fake_metrics fake_metrics;

static int hex(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* The value of `query` in a form, decoded; the caller's to free. */
static char *query_of(const char *form)
{
	const char *from = strstr(form, "query=");
	char *query = xstrdup(from ? from + 6 : ""), *at = query;

	for (from = query; *from && *from != '&'; from++) {
		if (*from == '%') {
			*at++ = (char)(hex(from[1]) << 4 | hex(from[2]));
			from += 2;
		} else {
			*at++ = *from == '+' ? ' ' : *from;
		}
	}
	*at = '\0';
	return query;
}

/* In milliseconds; 0: the form has none. */
static int64_t time_of(const char *form)
{
	const char *from = strstr(form, "&time=");

	return from ? (int64_t)(strtod(from + 6, NULL) * 1000) : 0;
}

static const struct rule zero = {.said = SAYS_VALUE};

static const struct rule *rule_for(const char *query)
{
	for (size_t i = script.n; i-- > 0;)
		if (strstr(query, script.rule[i].part))
			return &script.rule[i];
	return &zero;
}

static char *vector(const char *result, const char *more)
{
	return xasprintf("{\"status\":\"success\",\"data\":{"
			 "\"resultType\":\"vector\",\"result\":[%s]}%s}",
		result, more);
}

static void answer_with(const struct rule *rule, struct fake_answer *answer)
{
	char one[96];

	switch (rule->said) {
	case SAYS_VALUE:
	case SAYS_PARTIAL:
		snprintf(one, sizeof(one),
			"{\"metric\":{},\"value\":[%lld,\"%.17g\"]}",
			(long long)(FAKE_EPOCH_MS + fake_now()) / 1000,
			rule->value);
		answer->body = vector(
			one, rule->said == SAYS_PARTIAL
				     ? ",\"warnings\":[\"store a is away\"]"
				     : "");
		break;
	case SAYS_NOTHING:
		answer->body = vector("", "");
		break;
	case SAYS_503:
		answer->status = 503;
		break;
	case SAYS_GARBAGE:
		answer->body = xstrdup("<html>");
		break;
	case SAYS_BAD_QUERY:
		answer->status = 400;
		answer->body = xstrdup(
			"{\"status\":\"error\",\"errorType\":\"bad_data\","
			"\"error\":\"parse error\"}");
		break;
	case HANGS:
		answer->fate = FATE_SILENT;
		break;
	}
}

static void serve(struct fake_exchange *exchange,
	const struct fake_request *request, struct fake_answer *answer)
{
	const char *form = request->body_len ? request->body : request->target;
	char *query = query_of(form);
	const struct rule *rule = rule_for(query);

	fake_metrics.asked++;
	fake_metrics.about_ms = time_of(form);
	if (fake_metrics.on_query)
		fake_metrics.on_query(query);
	answer->delay_ms = script.delay_ms;
	/* A value is what was counted, where it is. */
	if (rule->said != SAYS_VALUE || !fake_metrics.answer ||
		!fake_metrics.answer(query, form, answer))
		answer_with(rule, answer);
	free(query);
}

static void serve_google(struct fake_exchange *exchange,
	const struct fake_request *request, struct fake_answer *answer)
{
	static const char path[] =
		"/v1/projects/p/location/global/prometheus/api/v1/query";

	if (!request->authorization ||
		strcmp(request->authorization, "Bearer token") != 0)
		answer->status = 401;
	else if (strncmp(request->target, path, sizeof(path) - 1) != 0)
		answer->status = 404;
	else
		serve(exchange, request, answer);
}

void fake_metrics_open(void)
{
	memset(&script, 0, sizeof(script));
	memset(&fake_metrics, 0, sizeof(fake_metrics));
	fake_http_serve(FAKE_METRICS_ORIGIN, serve);
	fake_http_serve(FAKE_GOOGLE_ORIGIN, serve_google);
}

/* One rule per part: the one before is replaced and is the newest now. */
void fake_metrics_say(const char *part, enum fake_said said, double value)
{
	struct rule rule = {.said = said, .value = value};
	size_t i;

	snprintf(rule.part, sizeof(rule.part), "%s", part);
	for (i = 0; i < script.n; i++)
		if (strcmp(script.rule[i].part, part) == 0)
			break;
	if (i < script.n) {
		script.n--;
		memmove(&script.rule[i], &script.rule[i + 1],
			(script.n - i) * sizeof(rule));
	}
	assert(script.n < RULES_MAX);
	script.rule[script.n++] = rule;
}

void fake_metrics_slow(int64_t delay_ms)
{
	script.delay_ms = delay_ms;
}
