/* SPDX-License-Identifier: Apache-2.0 */
/* Policies that are sent; see sent_policy.h. */
#include "serve/sent_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "policy/policy_load.h"
#include "serve/shelf.h"

/* They stand where a file's path does, so that no name of the folder is theirs;
 * two, since the same text is another policy to whom is trusted. */
#define PATH         "sent"
#define PATH_TRUSTED "sent-trusted"

#define PROBLEMS_MAX (64 * 1024)
#define REMEDY                                                       \
	"name a policy of the daemon instead, or have a row of its " \
	"access say trust_sent"

bool sent_policy_is_text(const char *text)
{
	text += strspn(text, " \t\r");
	return *text == '{' || strchr(text, '\n');
}

/* ---- what is the daemon's ---- */

static int refuse_file(
	const char *path, struct buf *out, struct err *err_r, void *arg)
{
	(void)out;
	(void)arg;
	return err_set(err_r, ERR_POLICY,
		"\"%.100s\" is a file of the daemon, which a policy that is "
		"sent cannot read: " REMEDY,
		path);
}

static const struct policy_env nothing_of_ours = {
	.read_file = refuse_file,
	.no_variables = "a variable is the daemon's, and a policy that is sent "
			"cannot read it: " REMEDY,
};

struct looking {
	struct jsonw w;
	size_t n;
	char first[ERR_TEXT_MAX / 2];
};

static void add_problem(
	struct looking *looking, int line, int column, const char *text)
{
	if (!looking->n++)
		snprintf(looking->first, sizeof(looking->first), "%s", text);
	jsonw_object(&looking->w, NULL);
	if (line) {
		jsonw_int(&looking->w, "line", line);
		jsonw_int(&looking->w, "column", column);
	}
	jsonw_text(&looking->w, "text", text);
	jsonw_end(&looking->w, '}');
}

static bool has_files(const struct tls *tls)
{
	return tls->ca_file || tls->cert_file || tls->key_file;
}

static bool wants_google(const struct auth *auth)
{
	return auth->type == AUTH_GOOGLE || auth->type == AUTH_ID_TOKEN;
}

/* NULL: nothing of the daemon's. */
static const char *what_of_connection(
	const struct auth *auth, const struct tls *tls)
{
	if (wants_google(auth))
		return "the daemon's Google credentials";
	return has_files(tls) ? "files of the daemon" : NULL;
}

static const char *what_of_action(const struct action *action)
{
	switch (action->kind) {
	case ACTION_EXEC:
	case ACTION_DATABASE:
	case ACTION_KUBERNETES:
	case ACTION_LOAD:
	case ACTION_K6:
		return "a program on the daemon's machine";
	case ACTION_REPORT:
		return "a file on the daemon's machine";
	case ACTION_SECRET:
	case ACTION_FIREBASE:
		return "the daemon's Google credentials";
	case ACTION_HTTP:
		return what_of_connection(
			&action->u.http.auth, &action->u.http.tls);
	case ACTION_SILENCE:
		return what_of_connection(
			&action->u.silence.auth, &action->u.silence.tls);
	case ACTION_WEBHOOK:
		return what_of_connection(
			&action->u.webhook.auth, &action->u.webhook.tls);
	case ACTION_REDIS:
		return has_files(&action->u.redis.tls) ? "files of the daemon"
						       : NULL;
	case ACTION_SLACK:
	case ACTION_PAGERDUTY:
		return NULL;
	case ACTION_KINDS:
		break;
	}
	return "what is not known";
}

static void look_at(struct looking *looking, const struct srcpos *pos,
	const char *whose, const char *name, const char *what)
{
	char text[ERR_TEXT_MAX / 2];

	if (!what)
		return;
	snprintf(text, sizeof(text),
		"%s%s%.63s uses %s, which a policy that is sent "
		"cannot: " REMEDY,
		whose, *name ? " " : "", name, what);
	add_problem(looking, pos->line, pos->col, text);
}

static void look_through(struct looking *looking, const struct policy *policy)
{
	const struct metrics *metrics = &policy->metrics;
	struct auth auth = metrics->auth;
	const struct actions *actions;

	/* Cloud Monitoring where Google has it gets no more than it knows. */
	if (metrics->provider == METRICS_GOOGLE && !metrics->url)
		auth.type = AUTH_NONE;
	look_at(looking, &(struct srcpos){0}, "metrics", "",
		what_of_connection(&auth, &metrics->tls));
	for (size_t i = 0; i < policy->n_slos; i++)
		if (policy->slos[i].json)
			look_at(looking, &policy->slos[i].pos, "SLO",
				policy->slos[i].name,
				what_of_connection(&policy->slos[i].json->auth,
					&policy->slos[i].json->tls));
	for (int list = 0; list < ACTION_LISTS; list++) {
		actions = &policy->lists[list];
		for (size_t i = 0; i < actions->n; i++)
			look_at(looking, &actions->item[i].pos, "action",
				actions->item[i].name,
				what_of_action(&actions->item[i]));
	}
}

/* ---- what the loader says ---- */

/* "sent:3:5: error: text"; what is shown of the source is indented. */
static void take_line(struct looking *looking, const char *line, size_t len)
{
	char text[ERR_TEXT_MAX], where[sizeof(PATH_TRUSTED)] = "";
	int number, column, at = 0;

	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	memcpy(text, line, len);
	text[len] = '\0';
	if (sscanf(text, "%12[a-z-]:%d:%d: error: %n", where, &number, &column,
		    &at) == 3 &&
		at && !strncmp(where, PATH, strlen(PATH)))
		add_problem(looking, number, column, text + at);
}

static void take_problems(struct looking *looking, const char *text)
{
	size_t len;

	for (; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		take_line(looking, text, len);
	}
}

/* ---- together ---- */

static int judge(struct looking *looking, const struct policy *policy,
	bool trusted, struct err *err_r)
{
	if (!trusted)
		look_through(looking, policy);
	if (!looking->n)
		return 0;
	err_set(err_r, ERR_POLICY, "%s", looking->first);
	return -1;
}

const struct policy *sent_policy_take(struct shelf *shelf, const char *text,
	bool trusted, struct buf *problems_r, struct err *err_r)
{
	struct looking looking = {.w = {.out = problems_r}};
	const struct policy *policy;
	struct buf problems;

	buf_init(&problems, PROBLEMS_MAX);
	policy = shelf_take_text(shelf, trusted ? PATH_TRUSTED : PATH, text,
		trusted ? &policy_env_real : &nothing_of_ours, &problems,
		err_r);
	jsonw_object(&looking.w, NULL);
	jsonw_array(&looking.w, "problems");
	if (!policy)
		take_problems(&looking, problems.data);
	else if (judge(&looking, policy, trusted, err_r) < 0)
		shelf_give_back(shelf, &policy);
	jsonw_end(&looking.w, ']');
	jsonw_end(&looking.w, '}');
	buf_fini(&problems);
	return policy;
}
