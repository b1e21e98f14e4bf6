#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# Rules for error budgets: promtool's tests of them, and a real Prometheus that
# scrapes a sandbox which fails for real.

load world
load shared

setup() {
	world_open
	unset PROMETHEUS_URL
	cd "$WORLD" || return
}

teardown() { world_close; }

# policy SLO…: one whose target is backend
policy() {
	cat >policy.yaml <<-YAML
		version: 1
		name: budgets
		target: {project: acme, region: us-central1, service: backend}
		metrics: {url: "\${PROMETHEUS_URL}"}
		steps: [{percent: 10, bake: 1h}, {percent: 100, bake: 1h}]
		slos:
	YAML
	printf '  - %s\n' "$@" >>policy.yaml
}

slo() {
	"$WORKBENCH" slo policy.yaml "$@"
}

# Of what the policy says, as whoever uses it would.
rules() {
	slo "$@" >backend-slo.yml
	promtool check rules --lint=all --lint-fatal backend-slo.yml
	slo "$@" --tests >backend-slo.test.yml
}

OWN='{name: own, query: up, max: 1%, total: "http_requests_total{revision=\"{{candidate}}\",method!=\"OPTIONS\"}", good: "http_requests_total{revision=\"{{candidate}}\",method!=\"OPTIONS\",code!~\"5..\"}"}'
LATENCY='{use: http/latency-p95, max: 500ms, with: {selector: "service=\"{{service}}\""}}'

@test "an SLO of one's own has rules that do what they say" {
	policy "$OWN"
	rules
	promtool test rules backend-slo.test.yml
	# Revisions are summed away, what else selects stays.
	not grep -q revision backend-slo.yml
	grep -q 'http_requests_total{method!="OPTIONS",code!~"5.."}' backend-slo.yml
}

@test "the objective of a latency has rules that do what they say" {
	policy "$LATENCY" '{use: http/error-rate, compare: stable, max: 5%}'
	rules --latency-objective 99% --period 28d
	promtool test rules backend-slo.test.yml
	grep -q '> 13.44 \* 0.01$' backend-slo.yml
	grep -q '> 1 \* 0.01$' backend-slo.yml
	grep -q 'seconds_bucket{service="backend",le="0.5"}' backend-slo.yml
}

@test "rules of kind evidence and of Cloud Run's metrics are rules" {
	cp "$BATS_TEST_DIRNAME/../../policies/evidence.yaml" policy.yaml
	rules --service backend --project acme --region us-central1
	grep -q '^      - alert: SLOCountMissing' backend-slo.yml
	policy '{use: cloud-run/error-rate}' '{use: cloud-run/latency-p99}'
	rules
	grep -q 'le=~"2000(\[.\]0)?"' backend-slo.yml
	grep -q 'service_name="backend",response_code_class=~"5xx"' backend-slo.yml
	# Cloud Monitoring: one condition each, all of it in its query.
	slo --format gcloud >policies.json
	[ "$(jq -s 'length' policies.json)" = 11 ]
	[ "$(jq -s 'map(.displayName) | unique | length' policies.json)" = 11 ]
	jq -e '(.conditions | length) == 1 and .combiner == "OR" and
		(.severity | IN("CRITICAL", "WARNING")) and
		(.conditions[0].conditionPrometheusQueryLanguage |
		 (.query | contains("slo:") | not) and .duration[-1:] == "s" and
		 .alertRule != null and .ruleGroup != null)' policies.json
	jq -s '{groups: [{name: "g", rules: map(.conditions[0]
		.conditionPrometheusQueryLanguage |
		{alert: .alertRule, expr: .query, labels})}]}' policies.json >inline.yml
	promtool check rules --lint=none inline.yml
}

@test "what is left out is named, and nothing is made up" {
	policy "$OWN" '{name: blind, query: up, max: 1%}' \
		'{use: cloud-run/latency-p50, max: 250ms}' \
		'{use: http/error-rate}' '{use: http/error-rate, compare: stable, max: 5%}'
	slo >backend-slo.yml 2>err
	grep -q '^tidegate: slo: blind is left out: it does not say its counts: add "total" and "good" to it$' err
	grep -q '^tidegate: slo: latency-p50 is left out: ' err
	grep -q '^tidegate: slo: error-rate-vs-stable is left out: it counts what error-rate counts$' err
	not grep -qE 'blind|p50|vs-stable' backend-slo.yml
	# A tier that would take more than every request to be bad.
	slo --objective 90% >backend-slo.yml 2>err
	grep -q '^tidegate: slo: own has 3 of 4 alerts' err
	not grep -q 'window: "1h"' backend-slo.yml
	policy '{name: blind, query: up, max: 1%}'
	run slo
	[ "$status" = 4 ]
	policy "$OWN"
	for wrong in '--objective 99.9' '--objective 50%' '--period 90m' \
		'--period 1d' '--tests --format gcloud'; do
		# shellcheck disable=SC2086
		run slo $wrong
		[ "$status" = 2 ]
	done
	sed -i '/^target/d' policy.yaml
	run slo
	[ "$status" = 2 ]
	[[ $output == *--service* ]]
	policy '{use: cloud-run/error-rate}'
	sed -i '/^target/d' policy.yaml
	run slo --service backend
	[ "$status" = 2 ]
	[[ $output == *'{{project}} is not known'*--project* ]]
}

@test "an alert says what is being released" {
	policy "$OWN"
	slo >backend-slo.yml
	cat >release.test.yml <<-'YAML'
		rule_files: [backend-slo.yml]
		evaluation_interval: 1m
		tests:
		  - interval: 1m
		    input_series:
		      - {series: 'tidegate_rollout_info{project="acme",region="us-central1",service="backend",rollout="backend-1",candidate="backend-00042-abc",stable="backend-00041-xyz"}', values: '1x30'}
		      - {series: 'tidegate_rollout_info{project="acme",region="us-central1",service="other",rollout="other-1",candidate="other-2",stable="other-1"}', values: '1x30'}
		      - {series: 'http_requests_total{code="200",revision="a"}', values: '0+100x30'}
		      - {series: 'http_requests_total{code="500",revision="b"}', values: '0+10x30'}
		    alert_rule_test:
		      - eval_time: 20m
		        alertname: SLOBurnSlow
		        exp_alerts: []
		      - eval_time: 20m
		        alertname: SLOBurnFast
		        exp_alerts:
	YAML
	for tier in '1h 5m 14.4 2d2h' '6h 30m 6 5d'; do
		read -r window brief factor lasts <<<"$tier"
		cat >>release.test.yml <<-YAML
			          - exp_labels: {severity: critical, window: $window, project: acme, region: us-central1, service: backend, slo: own}
			            exp_annotations:
			              summary: 'backend spends the error budget of own fast.'
			              description: 'In the last $window, and in the last $brief as well, more than $factor times as many requests were bad as the objective of 99.9% in 30d allows: at this pace a whole budget lasts $lasts. Being released: backend-00042-abc in place of backend-00041-xyz (rollout backend-1).'
		YAML
	done
	sed -i '/SLOBurnSlow/,+1d' release.test.yml
	sed -i '0,/- eval_time: 20m/{/- eval_time: 20m/d}' release.test.yml
	promtool test rules release.test.yml
}

firing() { # JQ CONDITION on the labels of the alerts that fire
	curl -sf "$PROMETHEUS/api/v1/alerts" | jq -e --arg c "$1" \
		"[.data.alerts[] | select(.state == \"firing\") | .labels] | $1" \
		>"$WORLD/firing"
}

# requests N: through the front door, and counted
requests() {
	curl -s -o "$WORLD/body" "$FRONT/?[1-$1]"
}

counts() { # QUERY NUMBER: at least
	awk -v n="$(prometheus_value "$1")" -v min="$2" \
		'BEGIN { exit !(n != "" && n + 0 >= min) }'
}

@test "the same rules on a real Prometheus see a sandbox that fails for real" {
	policy '{use: http/error-rate, with: {selector: "service=\"backend\""}}' \
		"$LATENCY"
	# What looks far back is evaluated each 2 minutes; here nobody waits for it.
	slo | sed 's/interval: 2m/interval: 1s/' >backend-slo.yml
	sandbox_start --service backend --revision a-1 --revision a-2 \
		--traffic a-1=100
	cat >prometheus.yml <<-YAML
		global: {scrape_interval: 500ms, evaluation_interval: 1s}
		rule_files: [backend-slo.yml]
		scrape_configs:
		  - job_name: backend
		    static_configs: [{targets: ["${METRICS#http://}"]}]
	YAML
	sed -i 's,/metrics"\],"],' prometheus.yml
	prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb \
		--web.listen-address=127.0.0.1:0 >prometheus.log 2>&1 3>&- &
	PIDS+=($!)
	until_true 20 grep -q 'Listening on' prometheus.log
	PROMETHEUS=http://$(sed -n 's/.*"Listening on" address=//p' prometheus.log)
	until_true 20 counts 'count(up == 1)' 1
	requests 300
	until_true 20 counts 'slo:sli_error:ratio_rate1h{slo="error-rate"}' 0
	requests 200
	until_true 20 counts 'sum(increase(http_requests_total[1m]))' 100
	# Two failures are a large share, and no reason to wake anybody.
	control POST /revisions/a-1 '{"errors": "100%"}'
	requests 2
	control POST /revisions/a-1 '{"errors": "0%"}'
	requests 1
	until_true 20 counts 'slo:sli_bad:increase1h{slo="error-rate"}' 1
	refute firing 'any(.slo == "error-rate")'
	control POST /revisions/a-1 '{"errors": "100%"}'
	requests 60
	until_true 30 firing 'any(.alertname == "SLOBurnFast" and .window == "1h" and .slo == "error-rate" and .service == "backend")'
	refute firing 'any(.slo == "latency-p95")'
	# Groups of rules are evaluated by turns.
	until_true 20 counts 'slo:current_burn_rate:ratio{slo="error-rate"}' 14.4
	until_true 20 counts \
		'0 - slo:period_error_budget_remaining:ratio{slo="error-rate"} > 0' 0
}
