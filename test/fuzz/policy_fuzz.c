/* SPDX-License-Identifier: Apache-2.0 */
/* Policies from any bytes: refused with a reason, or sound. */
#include <assert.h>
#include <string.h>

#include "policy/policy_load.h"
#include "policy/template.h"

#define TEXT_MAX (4 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *env_fake(const char *name, void *arg)
{
	if (!strcmp(name, "UNSET"))
		return NULL;
	return strstr(name, "URL") ? "https://metrics.example.com/prom?key=v"
				   : "a value";
}

static int file_fake(
	const char *path, struct buf *out, struct err *err_r, void *arg)
{
	if (strstr(path, "missing"))
		return err_set(err_r, ERR_POLICY, "there is no such file");
	buf_adds(out, "secret\n");
	return 0;
}

static const struct policy_env fake = {
	.variable = env_fake, .read_file = file_fake};

static void assert_slo_is_sound(const struct slo *slo)
{
	assert(slo->name && slo->query);
	assert(slo->has_max || slo->has_min || slo->has_max_ratio ||
		slo->has_max_increase);
	assert(slo->fail_breaches >= 1 && slo->fail_breaches <= slo->fail_of &&
		slo->fail_of <= POLICY_FAIL_OF_MAX);
	assert(slo->interval_ms >= 1000 && slo->timeout_ms > 0 &&
		slo->timeout_ms < slo->interval_ms);
	assert(!slo->has_max_ratio || slo->baseline || slo->compare_stable);
	assert(template_check(slo->query, NULL, NULL) == 0);
}

static void assert_action_is_sound(const struct action *action)
{
	assert(action->name && action->timeout_ms > 0 && action->when);
	if (action->kind == ACTION_EXEC) {
		assert(action->u.exec.n_command > 0);
		assert(!action->u.exec.command[action->u.exec.n_command]);
	} else if (action->kind == ACTION_HTTP) {
		assert(action->u.http.url && action->u.http.method);
		assert(action->u.http.attempts > 0);
	}
}

static void assert_is_sound(const struct policy *p)
{
	int before = -1;

	assert(p->name);
	assert(p->metrics.provider == METRICS_GOOGLE ||
		!p->metrics.url == !p->metrics.url_shown);
	assert(p->n_steps > 0 && p->n_slos > 0);
	for (size_t i = 0; i < p->n_steps; before = p->steps[i++].percent) {
		assert(p->steps[i].percent > before);
		assert(p->steps[i].bake_ms >= 0);
	}
	assert(before == 100);
	for (size_t i = 0; i < p->n_slos; i++) {
		assert_slo_is_sound(&p->slos[i]);
		assert(p->slos[i].provider != SLO_PROMETHEUS ||
			p->metrics.provider == METRICS_GOOGLE ||
			p->metrics.url);
	}
	for (int list = 0; list < ACTION_LISTS; list++)
		for (size_t i = 0; i < p->lists[list].n; i++)
			assert_action_is_sound(&p->lists[list].item[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy *policy;
	struct buf text;
	struct err err = {0};

	buf_init(&text, TEXT_MAX);
	policy = policy_parse(
		"fuzz.yaml", (const char *)data, size, &fake, &text, &err);
	if (policy) {
		assert(!text.len == !policy->n_warnings);
		assert_is_sound(policy);
		policy_print_plan(policy, &text);
	} else {
		assert(err.code == ERR_POLICY && *err.text);
	}
	assert(text.len);
	policy_free(&policy);
	buf_fini(&text);
	return 0;
}
