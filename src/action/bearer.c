/* Tokens that requests carry; see bearer.h. Sends no request of an action. */
#include "action/bearer.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "policy/url.h"

struct bearer {
	struct action_run *run;
	char *audience; /* of an ID token; NULL: an access token */
	struct err err; /* no audience can be made of the URL */
	struct token_call *call;
	struct timer *later;
	unsigned serial; /* of the token got last; 0: none */
	bool renewed;
	token_fn fn;
	void *arg;
};

static void fetched(
	const struct secret *token, const struct err *err, void *arg);

bool bearer_is_fetched(const struct auth *auth)
{
	return auth &&
	       (auth->type == AUTH_GOOGLE || auth->type == AUTH_ID_TOKEN);
}

struct bearer *bearer_new(
	struct action_run *run, const struct auth *auth, const char *url)
{
	struct bearer *bearer = xcalloc(1, sizeof(*bearer));

	bearer->run = run;
	if (auth->type != AUTH_ID_TOKEN)
		return bearer;
	bearer->audience = auth->audience ? xstrdup(auth->audience)
					  : url_audience(url, &bearer->err);
	return bearer;
}

void bearer_free(struct bearer **bearer_p)
{
	struct bearer *bearer = *bearer_p;

	if (!bearer)
		return;
	token_cancel(&bearer->call);
	timer_cancel(&bearer->later);
	free(bearer->audience);
	free(bearer);
	*bearer_p = NULL;
}

static void no_audience(void *arg)
{
	struct bearer *bearer = arg;

	bearer->later = NULL;
	bearer->fn(NULL, &bearer->err, bearer->arg);
}

static void fetch(struct bearer *bearer)
{
	struct credentials *credentials = bearer->run->env->credentials;

	if (bearer->err.code)
		bearer->later = timer_start(
			bearer->run->env->loop, 0, no_audience, bearer);
	else if (bearer->audience)
		bearer->call = id_token_start(
			credentials, bearer->audience, fetched, bearer);
	else
		bearer->call = token_start(credentials, fetched, bearer);
}

void bearer_fetch(struct bearer *bearer, token_fn fn, void *arg)
{
	bearer->fn = fn;
	bearer->arg = arg;
	fetch(bearer);
}

static void fetched(
	const struct secret *token, const struct err *err, void *arg)
{
	struct bearer *bearer = arg;
	struct credentials *credentials = bearer->run->env->credentials;

	bearer->call = NULL;
	bearer->serial = bearer->audience ? id_token_serial(credentials,
						    bearer->audience)
					  : token_serial(credentials);
	bearer->fn(token, err, bearer->arg);
}

/* A token may end, or be withdrawn, before its time. */
bool bearer_renews(struct bearer *bearer, int status)
{
	struct credentials *credentials = bearer->run->env->credentials;

	if (status != 401 || !bearer->serial || bearer->renewed)
		return false;
	bearer->renewed = true;
	if (bearer->audience)
		id_token_reject(credentials, bearer->audience, bearer->serial);
	else
		token_reject(credentials, bearer->serial);
	fetch(bearer);
	return true;
}

static void probed(const struct secret *token, const struct err *err, void *arg)
{
	struct action_run *run = arg;
	enum action_result result = token ? ACTION_OK : ACTION_FAILED;
	struct bearer *bearer = run->data;

	buf_adds(&run->detail, token ? "a token can be had" : err->text);
	run->data = NULL;
	bearer_free(&bearer);
	action_run_end(run, result);
}

void bearer_probe(
	struct action_run *run, const struct auth *auth, const char *url)
{
	struct bearer *bearer = bearer_new(run, auth, url);

	run->data = bearer;
	bearer_fetch(bearer, probed, run);
}
