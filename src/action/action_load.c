/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type load. The requests are made by a process of its own, so that
 * what a busy generator does to a loop is not done to this one.
 */
#include <strings.h>

#include "action/api_call.h"
#include "action/load_codec.h"
#include "action/load_run.h"
#include "action/template_sample.h"
#include "action/token_probe.h"
#include "base/secret.h"

static const struct load_request *request_at(
	const struct action_load *load, size_t i)
{
	return load->n_requests ? &load->requests[i] : &load->only;
}

static size_t n_requests(const struct action_load *load)
{
	return load->n_requests ? load->n_requests : 1;
}

static void render_url(const struct action_load *load, size_t i,
	const struct template_values *values, struct buf *out)
{
	buf_init(out, HTTP_URL_MAX);
	template_render(out, secret_reveal(request_at(load, i)->url), values,
		ESCAPE_URL);
}

static int load_check(const struct action_env *env, const struct action *action,
	struct err *err_r)
{
	const struct action_load *load = &action->u.load;
	struct buf url;
	int rc = load_run_check(err_r);

	for (size_t i = 0; rc == 0 && i < n_requests(load); i++) {
		render_url(load, i, &template_sample, &url);
		rc = api_call_check(
			env, url.data, &load->auth, &load->tls, err_r);
		buf_wipe(&url);
		buf_fini(&url);
	}
	return rc;
}

/* Another address would be another revision's. */
static bool lacks_url(const struct action_run *run)
{
	const char *url = run->values->candidate_url;

	return (!url || !*url) && load_asks_candidate(&run->action->u.load);
}

static void load_begin(struct action_run *run)
{
	struct buf order;

	if (lacks_url(run)) {
		buf_adds(&run->detail,
			"nothing was sent: the candidate has no tag, and so no "
			"URL of its own; set \"tag\" in the policy");
		action_run_end_soon(run, ACTION_UNKNOWN);
		return;
	}
	buf_init_secret(&order, LOAD_ORDER_MAX);
	load_order_print(&order, &run->action->u.load, run->values, true);
	load_run_start(run, &order, NULL);
	buf_fini(&order);
}

static void load_drill(struct action_run *run)
{
	const struct action_load *load = &run->action->u.load;

	buf_addf(&run->detail, "would send about %.0f requests, %s %d%s",
		load_requests(load), load->by_rate ? "up to" : "by up to",
		load_peak(load), load->by_rate ? "/s" : " users");
	if (lacks_url(run))
		buf_adds(&run->detail,
			", when the candidate has a URL of its own");
	action_run_end_soon(run, ACTION_OK);
}

static void load_capture(struct action_run *run)
{
	const struct action_load *load = &run->action->u.load;
	struct buf url;

	render_url(load, 0, run->values, &url);
	if (lacks_url(run) || url.overflow)
		action_run_end_soon(run, ACTION_OK);
	else
		token_probe_start(run, &load->auth, url.data);
	buf_wipe(&url);
	buf_fini(&url);
}

static void load_stop(struct action_run *run)
{
	if (run->job == JOB_CAPTURE)
		token_probe_cancel(run);
	else
		load_run_stop(run);
}

const struct action_type action_type_load = {
	.check = load_check,
	.start = {[JOB_RUN] = load_begin,
		[JOB_DRILL] = load_drill,
		[JOB_CAPTURE] = load_capture},
	.cancel = load_stop,
};
