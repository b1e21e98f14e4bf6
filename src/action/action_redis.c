/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type redis: removes the keys of some patterns, one SCAN after the
 * other with its UNLINKs in between, so that neither the server nor we ever
 * hold more than one page of keys. Keys are bytes, not texts. Never blocks.
 *
 *   run:     purge_begin -> purge_resolved -> purge_connected
 *              -> purge_greeted …, purge_size_told, purge_kind_told
 *              -> purge_scanned, purge_unlinked … -> purge_finish
 *   record:  … -> purge_role_told, purge_right_told, purge_scanned (one page)
 *   drill:   … -> purge_role_told, purge_right_told, purge_scanned …
 */
#include "action/action.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/redis_attach.h"
#include "action/redis_tls.h"
#include "action/redis_url.h"
#include "action/template_sample.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/resolve.h"
#include "policy/glob.h"
#include "policy/url.h"

#define SCAN_COUNT  1000
#define PROGRESS_MS 2000
#define UNLINK_MAX  500 /* keys in one command */
#define PATTERN_MAX 4096 /* bytes */
#define CURSOR_MAX  24 /* an unsigned 64-bit number as text */
#define NEEDED_RIGHTS                                           \
	"its user needs +scan +unlink, +select for a database " \
	"other than 0, and the keys of the patterns"

struct purge {
	struct action_run *run;
	struct resolve *resolve;
	redisAsyncContext *redis;
	struct redis_tls *tls; /* NULL: redis:// */
	struct redis_url to;
	size_t pattern; /* index of the one being scanned */
	char cursor[CURSOR_MAX];
	bool scanned; /* all patterns, to their ends */
	int unlinking; /* commands under way */
	long long seen, removed;
	long long pages, size; /* SCANs answered; keys there are, 0: unknown */
	struct timer *progress;
};

static void purge_resolved(
	const char *address, const struct err *err, void *arg);
static void purge_connected(const redisAsyncContext *redis, int status);
static void purge_greeted(redisAsyncContext *redis, void *reply, void *arg);
static void purge_size_told(redisAsyncContext *redis, void *reply, void *arg);
static void purge_kind_told(redisAsyncContext *redis, void *reply, void *arg);
static void purge_tell(void *arg);
static void purge_probe(struct purge *purge);
static void purge_role_told(redisAsyncContext *redis, void *reply, void *arg);
static void purge_right_told(redisAsyncContext *redis, void *reply, void *arg);
static void purge_scan(struct purge *purge);
static void purge_scanned(redisAsyncContext *redis, void *reply, void *arg);
static void purge_unlink(struct purge *purge, const redisReply *keys);
static void purge_unlinked(redisAsyncContext *redis, void *reply, void *arg);
static void purge_next(struct purge *purge);
static void purge_finish(struct purge *purge, enum action_result result);

static const struct action_redis *redis_of(const struct action_run *run)
{
	return &run->action->u.redis;
}

static int take_url(struct purge *purge, const struct action_redis *redis,
	struct err *err_r)
{
	const char *text = secret_reveal(redis->url);

	if (redis_url_read(text, &purge->to, err_r) < 0)
		return -1;
	if (url_is_rediss(text))
		return redis_tls_new(
			&redis->tls, purge->to.host, &purge->tls, err_r);
	return 0;
}

static void wipe(struct purge *purge)
{
	redis_tls_free(&purge->tls);
	explicit_bzero(purge, sizeof(*purge));
	free(purge);
}

static int redis_check(const struct action_env *env,
	const struct action *action, struct err *err_r)
{
	struct purge *purge = xcalloc(1, sizeof(*purge));
	int rc = take_url(purge, &action->u.redis, err_r);

	wipe(purge);
	return rc;
}

/* ---- the patterns ---- */

static void render_pattern(
	const struct action_run *run, size_t index, struct buf *out)
{
	buf_init(out, PATTERN_MAX);
	template_render(
		out, redis_of(run)->patterns[index], run->values, ESCAPE_GLOB);
}

/* A template that turned out empty may leave a pattern that names all keys. */
static int check_patterns(const struct action_run *run, struct err *err_r)
{
	struct buf pattern;
	bool wide = false;

	for (size_t i = 0; i < redis_of(run)->n_patterns && !wide; i++) {
		render_pattern(run, i, &pattern);
		wide = pattern.overflow || !glob_is_narrow(pattern.data);
		buf_fini(&pattern);
	}
	if (!wide)
		return 0;
	return err_set(err_r, ERR_ACTION,
		"a pattern became one that matches every key: nothing is "
		"removed");
}

/* ---- the flow ---- */

static void failed(struct purge *purge, const char *text)
{
	buf_adds(&purge->run->detail, text);
	purge_finish(purge, ACTION_FAILED);
}

static void purge_begin(struct action_run *run)
{
	struct purge *purge = xcalloc(1, sizeof(*purge));
	struct err err;

	purge->run = run;
	run->data = purge;
	if (take_url(purge, redis_of(run), &err) < 0 ||
		check_patterns(run, &err) < 0) {
		buf_adds(&run->detail, err.text);
		run->data = NULL;
		wipe(purge);
		action_run_end_soon(run, ACTION_FAILED);
		return;
	}
	purge->resolve = resolve_start(
		run->env->loop, purge->to.host, purge_resolved, purge);
}

static void purge_too_large(redisAsyncContext *redis)
{
	struct purge *purge = redis->data;

	if (purge)
		failed(purge, "the server's answer is larger than 64 MiB");
	else
		redisAsyncFree(redis);
}

static void purge_resolved(
	const char *address, const struct err *err, void *arg)
{
	struct purge *purge = arg;
	redisAsyncContext *redis;

	purge->resolve = NULL;
	if (!address) {
		failed(purge, err->text);
		return;
	}
	redis = redisAsyncConnect(address, purge->to.port);
	if (!redis || redis->err) {
		failed(purge, redis ? redis->errstr : "no memory");
		if (redis)
			redisAsyncFree(redis);
		return;
	}
	purge->redis = redis;
	redis->data = purge;
	redis_attach(purge->run->env->loop, redis, purge_too_large);
	redisAsyncSetConnectCallback(redis, purge_connected);
}

/* Millions of keys take a while: who waits sees that it goes on. */
static void purge_tell(void *arg)
{
	struct purge *purge = arg;
	const struct action_run *run = purge->run;
	long long looked = purge->pages * SCAN_COUNT;

	if (looked)
		log_line(LOG_INFO,
			"rollout=%s event=progress action=\"%s\" text=\"looked "
			"through about %lld of %lld keys, %lld removed\"",
			run->values->rollout ? run->values->rollout : "",
			run->action->name, looked, purge->size, purge->removed);
	purge->progress =
		timer_start(run->env->loop, PROGRESS_MS, purge_tell, purge);
}

static void purge_connected(const redisAsyncContext *redis, int status)
{
	struct purge *purge = redis->data;
	struct err err;

	if (!purge)
		return;
	if (status != REDIS_OK) {
		/* The library frees the context itself. */
		purge->redis->data = NULL;
		purge->redis = NULL;
		buf_addf(&purge->run->detail,
			"no connection to %s:%d: ", purge->to.host,
			purge->to.port);
		failed(purge, redis->c.errstr);
		return;
	}
	if (purge->tls && redis_tls_begin(purge->tls, purge->redis, &err) < 0) {
		failed(purge, err.text);
		return;
	}
	if (*purge->to.user)
		redisAsyncCommand(purge->redis, purge_greeted, NULL,
			"AUTH %s %s", purge->to.user, purge->to.password);
	else if (*purge->to.password)
		redisAsyncCommand(purge->redis, purge_greeted, NULL, "AUTH %s",
			purge->to.password);
	if (*purge->to.database)
		redisAsyncCommand(purge->redis, purge_greeted, NULL,
			"SELECT %s", purge->to.database);
	snprintf(purge->cursor, sizeof(purge->cursor), "0");
	redisAsyncCommand(purge->redis, purge_size_told, NULL, "DBSIZE");
	redisAsyncCommand(purge->redis, purge_kind_told, NULL, "INFO cluster");
	purge_tell(purge);
	if (purge->run->job != JOB_RUN)
		purge_probe(purge);
	purge_scan(purge);
}

/* What a server's refusals mean, by their first word. */
static const struct {
	const char *word, *remedy;
} remedies[] = {
	{"NOAUTH", "write a password into the URL"},
	{"WRONGPASS", "check user and password in the URL"},
	{"NOPERM", NEEDED_RIGHTS},
	{"READONLY", "this is a replica: name the primary"},
	{"MOVED", "clusters are not supported by this version: purge each "
		  "primary with an exec action"},
	{"CROSSSLOT", "clusters are not supported by this version: purge each "
		      "primary with an exec action"},
	{"CLUSTERDOWN", "the cluster is down"},
	{"LOADING", "it is still starting: try again, with retries"},
	{"BUSY", "a script blocks it: try again, with retries"},
	{"MISCONF", "it cannot save and takes no writes"},
};

/* NULL: the purge is over. A reply that is none ends it. */
static struct purge *purge_of(redisAsyncContext *redis, const redisReply *reply)
{
	struct purge *purge = redis->data;
	struct buf *out;

	if (!purge)
		return NULL;
	out = &purge->run->detail;
	if (!reply) {
		redis_tls_explain(purge->tls, redis->c.errstr, out);
		purge_finish(purge, ACTION_FAILED);
		return NULL;
	}
	if (reply->type != REDIS_REPLY_ERROR)
		return purge;
	buf_addf(out, "the server says: %.200s", reply->str);
	for (size_t i = 0; i < sizeof(remedies) / sizeof(*remedies); i++)
		if (!strncmp(reply->str, remedies[i].word,
			    strlen(remedies[i].word)))
			buf_addf(out, "; %s", remedies[i].remedy);
	purge_finish(purge, ACTION_FAILED);
	return NULL;
}

/* AUTH and SELECT: all that counts is that they were not refused. */
static void purge_greeted(redisAsyncContext *redis, void *reply, void *arg)
{
	(void)purge_of(redis, reply);
}

/* ---- what server it is, if it tells ---- */

static void purge_size_told(redisAsyncContext *redis, void *answer, void *arg)
{
	const redisReply *reply = answer;
	struct purge *purge = redis->data;

	if (purge && reply && reply->type == REDIS_REPLY_INTEGER)
		purge->size = reply->integer *
			      (long long)redis_of(purge->run)->n_patterns;
}

/* A SCAN of one node of a cluster would leave the keys of the others, and call
 * that a success. */
static void purge_kind_told(redisAsyncContext *redis, void *answer, void *arg)
{
	const redisReply *reply = answer;
	struct purge *purge = redis->data;

	if (purge && reply && reply->type == REDIS_REPLY_STRING &&
		strstr(reply->str, "cluster_enabled:1"))
		failed(purge, "this is a node of a cluster, and clusters are "
			      "not supported by this version: purge each "
			      "primary with an exec action");
}

/* ---- whether it could be done ---- */

static void ask_right(struct purge *purge, const struct buf *key)
{
	redisAsyncCommand(purge->redis, purge_right_told, NULL,
		"ACL DRYRUN %s UNLINK %b",
		*purge->to.user ? purge->to.user : "default", key->data,
		key->len);
}

/* May UNLINK? Servers before 7, and users who may not ask, do not tell. Keys
 * that the patterns match stand for all of them. */
static void purge_probe(struct purge *purge)
{
	struct buf pattern, key;
	bool choice;

	redisAsyncCommand(purge->redis, purge_role_told, NULL, "ROLE");
	for (size_t i = 0; i < redis_of(purge->run)->n_patterns; i++) {
		render_pattern(purge->run, i, &pattern);
		buf_init(&key, PATTERN_MAX);
		choice = glob_sample(pattern.data, false, &key);
		ask_right(purge, &key);
		if (choice) {
			buf_clear(&key);
			glob_sample(pattern.data, true, &key);
			ask_right(purge, &key);
		}
		buf_fini(&key);
		buf_fini(&pattern);
	}
}

static void purge_role_told(redisAsyncContext *redis, void *answer, void *arg)
{
	const redisReply *reply = answer;
	struct purge *purge = redis->data;

	if (purge && reply && reply->type == REDIS_REPLY_ARRAY &&
		reply->elements &&
		reply->element[0]->type == REDIS_REPLY_STRING &&
		!strcmp(reply->element[0]->str, "slave"))
		failed(purge, "this is a replica, which takes no writes: name "
			      "the primary");
}

/* OK, or a sentence that says what is missing. */
static void purge_right_told(redisAsyncContext *redis, void *answer, void *arg)
{
	const redisReply *reply = answer;
	struct purge *purge = redis->data;

	if (!purge || !reply || reply->type != REDIS_REPLY_STRING)
		return;
	buf_addf(&purge->run->detail, "the server says: %.200s; " NEEDED_RIGHTS,
		reply->str);
	purge_finish(purge, ACTION_FAILED);
}

/* ---- the keys ---- */

static void purge_scan(struct purge *purge)
{
	struct buf pattern;

	render_pattern(purge->run, purge->pattern, &pattern);
	redisAsyncCommand(purge->redis, purge_scanned, NULL,
		"SCAN %s MATCH %b COUNT %d", purge->cursor, pattern.data,
		pattern.len, SCAN_COUNT);
	buf_fini(&pattern);
}

static bool is_page(const redisReply *reply)
{
	const redisReply *cursor;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return false;
	cursor = reply->element[0];
	if (cursor->type != REDIS_REPLY_STRING || !cursor->len ||
		(size_t)cursor->len >= CURSOR_MAX ||
		strspn(cursor->str, "0123456789") != (size_t)cursor->len ||
		reply->element[1]->type != REDIS_REPLY_ARRAY)
		return false;
	for (size_t i = 0; i < reply->element[1]->elements; i++)
		if (reply->element[1]->element[i]->type != REDIS_REPLY_STRING)
			return false;
	return true;
}

static void purge_scanned(redisAsyncContext *redis, void *answer, void *arg)
{
	const redisReply *reply = answer;
	struct purge *purge = purge_of(redis, reply);

	if (!purge)
		return;
	if (!is_page(reply)) {
		failed(purge, "the answer to SCAN is none: is this a Redis?");
		return;
	}
	snprintf(purge->cursor, sizeof(purge->cursor), "%s",
		reply->element[0]->str);
	purge->pages++;
	purge->seen += (long long)reply->element[1]->elements;
	if (purge->run->job == JOB_CAPTURE) {
		purge_finish(purge, ACTION_OK);
		return;
	}
	if (purge->run->job == JOB_RUN)
		purge_unlink(purge, reply->element[1]);
	purge_next(purge);
}

static void purge_unlink(struct purge *purge, const redisReply *keys)
{
	const char *argv[UNLINK_MAX + 1] = {"UNLINK"};
	size_t lens[UNLINK_MAX + 1] = {6}, n;

	for (size_t at = 0; at < keys->elements; at += n) {
		n = keys->elements - at;
		if (n > UNLINK_MAX)
			n = UNLINK_MAX;
		for (size_t i = 0; i < n; i++) {
			argv[i + 1] = keys->element[at + i]->str;
			lens[i + 1] = (size_t)keys->element[at + i]->len;
		}
		purge->unlinking++;
		redisAsyncCommandArgv(purge->redis, purge_unlinked, NULL,
			(int)n + 1, argv, lens);
	}
}

static void purge_unlinked(redisAsyncContext *redis, void *answer, void *arg)
{
	const redisReply *reply = answer;
	struct purge *purge = purge_of(redis, reply);

	if (!purge)
		return;
	purge->unlinking--;
	if (reply->type == REDIS_REPLY_INTEGER)
		purge->removed += reply->integer;
	if (purge->scanned && !purge->unlinking)
		purge_finish(purge, ACTION_OK);
}

/* One pass per pattern; the answers of the last UNLINKs are waited for. */
static void purge_next(struct purge *purge)
{
	if (!strcmp(purge->cursor, "0")) {
		purge->pattern++;
		if (purge->pattern == redis_of(purge->run)->n_patterns)
			purge->scanned = true;
	}
	if (!purge->scanned)
		purge_scan(purge);
	else if (!purge->unlinking)
		purge_finish(purge, ACTION_OK);
}

static void describe(struct purge *purge, enum action_result result)
{
	struct buf *out = &purge->run->detail;

	if (purge->run->job == JOB_CAPTURE) {
		if (result == ACTION_OK)
			buf_adds(out, "its keys may be looked through");
	} else if (purge->run->job == JOB_DRILL) {
		if (result == ACTION_OK)
			buf_addf(out, "would remove %lld keys", purge->seen);
	} else if (result == ACTION_OK) {
		buf_addf(out, "removed %lld keys", purge->removed);
	} else if (purge->removed) {
		buf_addf(
			out, "; %lld keys were removed before", purge->removed);
	}
}

static void purge_free(struct purge *purge)
{
	redisAsyncContext *redis = purge->redis;

	resolve_cancel(&purge->resolve);
	timer_cancel(&purge->progress);
	if (redis) {
		redis->data = NULL; /* its callbacks find nobody */
		redisAsyncFree(redis);
	}
	wipe(purge);
}

static void purge_finish(struct purge *purge, enum action_result result)
{
	struct action_run *run = purge->run;

	describe(purge, result);
	run->data = NULL;
	purge_free(purge);
	action_run_end(run, result);
}

static void redis_stop(struct action_run *run)
{
	struct purge *purge = run->data;

	if (!purge)
		return;
	describe(purge, ACTION_FAILED);
	run->data = NULL;
	purge_free(purge);
}

const struct action_type action_type_redis = {
	.check = redis_check,
	.start = {[JOB_RUN] = purge_begin,
		[JOB_DRILL] = purge_begin,
		[JOB_CAPTURE] = purge_begin},
	.cancel = redis_stop,
};
