/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sandbox's admin API: "METHOD TARGET" in the first line, then the body.
 * Whatever comes, the answer is JSON and the traffic sums to 100.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "sandbox/cloud.h"
#include "sandbox/foreign.h"
#include "sandbox/revision_profile.h"
#include "sandbox/sandbox_options.h"

#define T0 INT64_C(1767225600000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_model(struct model *model)
{
	const struct model_revision *part[100];
	size_t i;
	int sum = 0;

	model_advance(model, T0 + 1000);
	for (i = 0; i < model->spec.n; i++)
		sum += model->spec.item[i].percent;
	assert(!model->spec.n || sum == 100);
	assert(model_split(model, part) == 100);
}

static void ask(struct model *model, char *head, const char *body)
{
	static const struct admin_rules rules = {.etag_is_strict = true};
	static const struct fault_plan plan;
	struct admin_request request = {.method = head,
		.authorization = "Bearer x",
		.body = body,
		.body_len = strlen(body)};
	struct admin_reply reply;
	char *target = strchr(head, ' '), *path, *text;

	if (!target)
		return;
	*target++ = '\0';
	path = xstrdup(target);
	path[strcspn(path, "?")] = '\0';
	request.target = target;
	request.path = path;
	admin_routes_answer(model, &rules, &request, &plan, T0, &reply);
	assert(reply.status >= 200 && reply.status < 600);
	text = json_dumps(reply.body, 0);
	assert(text);
	free(text);
	json_decref(reply.body);
	free(path);
}

/* Whatever somebody does, all of the traffic serves, or none of it. */
static void try_deeds(const struct model_config *config, const json_t *value)
{
	const struct model_revision *part[100];
	struct rpc_error error = {.code = RPC_OK};
	struct cloud cloud;
	size_t n;

	cloud_init(&cloud, config, T0);
	assert(model_deploy(cloud.model, "s-1", true, T0, &error));
	assert(model_deploy(cloud.model, "s-2", true, T0, &error));
	(void)!sandbox_options_set(&cloud, value, T0, &error);
	if (foreign_do(cloud.model, value, true, T0, &error) == 0)
		(void)!foreign_do(cloud.model, value, false, T0, &error);
	cloud_advance(&cloud, T0 + 1000);
	n = model_split(cloud.model, part);
	assert(n == (cloud.model->deleted ? 0 : 100));
	cloud_fini(&cloud);
}

/* The controls read the same bytes as a fault and as a profile. */
static void try_controls(const struct model_config *config, const char *body)
{
	struct revision_profile profile = {.latency_ms = 1};
	struct sandbox_faults faults = {.n = 0};
	struct rpc_error error = {.code = RPC_OK};
	json_t *value = json_loads(body, 0, NULL);
	struct err err;

	if (json_is_object(value)) {
		(void)!sandbox_faults_add(&faults, value, T0, &error);
		(void)!revision_profile_read(value, "", &profile, &err);
		try_deeds(config, value);
	}
	(void)!revision_profile_parse(body, &profile, &err);
	sandbox_faults_fini(&faults);
	json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct model_config config = {.project = "p",
		.region = "l",
		.service = "s",
		.uri = "http://127.0.0.1:1",
		.operation_delay_ms = 1000,
		.seed = 1};
	struct model *model = model_new(&config, T0);
	struct rpc_error error = {.code = RPC_OK};
	char *head = xmemdup0(data, size);
	char *body = head + strcspn(head, "\n");

	if (*body)
		*body++ = '\0';
	assert(model_deploy(model, "s-1", true, T0, &error));
	assert(model_deploy(model, "s-2", true, T0, &error));
	ask(model, head, body);
	check_model(model);
	try_controls(&config, body);
	model_free(&model);
	free(head);
	return 0;
}
