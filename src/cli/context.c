/* SPDX-License-Identifier: Apache-2.0 */
/* State file, identity, target; see context.h. Reads the environment. */
#include "cli/context.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/service_name.h"
#include "base/xalloc.h"
#include "cli/output.h"
#include "policy/policy_load.h"

#define PART_MAX           63 /* bytes of a project, region or service */
#define PROBLEMS_BYTES_MAX (256 * 1024)

const char *const context_formats[] = {"text", "json", NULL};

static const char *env_first(const char *const *names)
{
	const char *value;

	for (; *names; names++) {
		value = getenv(*names);
		if (value && *value)
			return value;
	}
	return NULL;
}

struct store *context_store(
	const char *path, enum store_mode mode, struct err *err_r)
{
	char *found = path ? xstrdup(path) : store_default_path();
	struct store *store = store_open(found, mode, err_r);

	xfree(&found);
	return store;
}

/* A full name of the service says more. */
static void take_names(struct policy_env *env,
	const struct context_target *target, struct arena *arena)
{
	struct service_name name;
	struct err err;

	env->names[0] = target->project;
	env->names[1] = target->region;
	env->names[2] = target->service;
	if (!target->service || !strchr(target->service, '/') ||
		service_name_parse(&name, target->service, arena, &err) < 0)
		return;
	env->names[0] = name.project;
	env->names[1] = name.region;
	env->names[2] = name.name;
}

static struct policy *load_policy(const char *path, const char *source,
	const struct policy_env *env, bool warns, struct err *err_r)
{
	struct policy *policy;
	struct buf problems;

	buf_init(&problems, PROBLEMS_BYTES_MAX);
	if (source)
		policy = policy_parse(
			path, source, strlen(source), env, &problems, err_r);
	else
		policy = policy_load(path, env, &problems, err_r);
	if (problems.len && (!policy || warns))
		output_write(stderr, &problems);
	if (!policy && problems.len)
		err_set(err_r, ERR_POLICY, "%s is not a policy to work with",
			path);
	buf_fini(&problems);
	return policy;
}

static struct policy *load_for(const char *path, const char *source,
	const struct context_target *target, bool warns, struct err *err_r)
{
	struct policy_env env = policy_env_real;
	struct policy *policy;
	struct arena arena;

	arena_init(&arena);
	take_names(&env, target, &arena);
	policy = load_policy(path, source, &env, warns, err_r);
	arena_fini(&arena);
	return policy;
}

struct policy *context_policy(const char *path, const char *source,
	const struct context_target *target, struct err *err_r)
{
	return load_for(path, source, target, false, err_r);
}

struct policy *context_policy_warned(const char *path,
	const struct context_target *target, struct err *err_r)
{
	return load_for(path, NULL, target, true, err_r);
}

/* Names end up in approvals, messages and reports. */
static int who_set(
	const char *name, char who_r[CONTEXT_NAME_MAX], struct err *err_r)
{
	const unsigned char *p = (const unsigned char *)name;

	if (!*p || strlen(name) >= CONTEXT_NAME_MAX)
		return err_set(err_r, ERR_REFUSED,
			"\"%.80s\" is not a name of a person: it must have 1 "
			"to %d bytes",
			name, CONTEXT_NAME_MAX - 1);
	for (; *p; p++) {
		if (*p <= ' ' || *p == 0x7f)
			return err_set(err_r, ERR_REFUSED,
				"a name of a person must have neither blanks "
				"nor control characters");
	}
	snprintf(who_r, CONTEXT_NAME_MAX, "%s", name);
	return 0;
}

static int who_login(char who_r[CONTEXT_NAME_MAX], struct err *err_r)
{
	const struct passwd *entry = getpwuid(geteuid());
	char number[32];

	if (entry && entry->pw_name)
		return who_set(entry->pw_name, who_r, err_r);
	snprintf(number, sizeof(number), "uid-%u", (unsigned)geteuid());
	return who_set(number, who_r, err_r);
}

static const char *caller; /* NULL: whom the system says */

void context_set_caller(const char *name)
{
	caller = name;
}

const char *context_caller(void)
{
	return caller;
}

int context_who(const struct store *store, const char *as,
	char who_r[CONTEXT_NAME_MAX], struct err *err_r)
{
	static const char *const names[] = {
		"TIDEGATE_USER", "GITHUB_ACTOR", NULL};
	bool owner = !store || store_is_owned_by_us(store);
	const char *name;

	if (as && !owner)
		return err_set(err_r, ERR_REFUSED,
			"--as %.60s is refused: only the owner of %s may "
			"decide under another name",
			as, store_path(store));
	if (caller) {
		snprintf(who_r, CONTEXT_NAME_MAX, "%.63s", caller);
		return 0;
	}
	if (as)
		return who_set(as, who_r, err_r);
	name = owner ? env_first(names) : NULL;
	if (name)
		return who_set(name, who_r, err_r);
	return who_login(who_r, err_r);
}

void context_pause(int ms)
{
	const struct timespec pause = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&pause, NULL);
}

/* The form of all three parts; a stray "/" or "?" would change the URL. */
static int part_check(const char *what, const char *text, struct err *err_r)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.:";

	if (!*text || strlen(text) > PART_MAX ||
		text[strspn(text, allowed)] != '\0' || text[0] == '.')
		return err_set(err_r, ERR_USAGE,
			"the %s is \"%.80s\": it must have 1 to %d letters, "
			"digits, \"-\", \"_\", \".\" or \":\"",
			what, text, PART_MAX);
	return 0;
}

/* A full name gives all three at once. */
static int full_name_split(
	struct context_target *target, struct arena *arena, struct err *err_r)
{
	struct service_name name;

	if (service_name_parse(&name, target->service, arena, err_r) < 0)
		return err_set(err_r, ERR_USAGE,
			"the service is \"%.120s\": write its short name, or "
			"projects/P/locations/R/services/S",
			target->service);
	target->project = name.project;
	target->region = name.region;
	target->service = name.name;
	return 0;
}

const char *context_env_project(void)
{
	static const char *const names[] = {"CLOUDSDK_CORE_PROJECT",
		"GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", NULL};

	return env_first(names);
}

const char *context_env_region(void)
{
	static const char *const names[] = {
		"CLOUDSDK_RUN_REGION", "GOOGLE_CLOUD_REGION", NULL};

	return env_first(names);
}

static int part_choose(const char **part, const char *policy, const char *env,
	const char *missing, struct err *err_r)
{
	if (!*part)
		*part = policy;
	if (!*part)
		*part = env;
	if (!*part)
		return err_set(err_r, ERR_USAGE, "%s", missing);
	return 0;
}

void context_take_policy(
	struct context_target *target, const struct policy *policy)
{
	target->policy_project = policy->project;
	target->policy_region = policy->region;
	target->policy_service = policy->service;
}

int context_resolve(
	struct context_target *target, struct arena *arena, struct err *err_r)
{
	if (part_choose(&target->service, target->policy_service, NULL,
		    "the service is missing: name it, or set target.service in "
		    "the policy",
		    err_r))
		return -1;
	if (strchr(target->service, '/') &&
		full_name_split(target, arena, err_r))
		return -1;
	if (part_choose(&target->project, target->policy_project,
		    context_env_project(),
		    "the project is missing: give --project, set "
		    "target.project in the policy, or $CLOUDSDK_CORE_PROJECT",
		    err_r) ||
		part_choose(&target->region, target->policy_region,
			context_env_region(),
			"the region is missing: give --region, set "
			"target.region in the policy, or $CLOUDSDK_RUN_REGION",
			err_r))
		return -1;
	if (part_check("project", target->project, err_r) ||
		part_check("region", target->region, err_r) ||
		part_check("service", target->service, err_r))
		return -1;
	target->name = arena_printf(arena, SERVICE_NAME_FORMAT, target->project,
		target->region, target->service);
	return 0;
}
