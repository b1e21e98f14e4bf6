#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# Dashboards: their form, and that a Prometheus which scrapes a real daemon, a
# service and its error budgets answers every query of every panel.

load world
load rollout
load daemon

setup() {
	boards=$BATS_TEST_DIRNAME/../../contrib/grafana
}

teardown() {
	[ -z "${WORLD-}" ] || world_close
}

@test "dashboards can be imported, provisioned and read" {
	run "$BATS_TEST_DIRNAME/dashboards" look "$boards"/*.json
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = '35 looked at' ]
}

# A Prometheus that scrapes all of it, with the rules of the service's budgets.
scraped() {
	cat >"$WORLD/prometheus.yml" <<-YAML
		global: {scrape_interval: 500ms, evaluation_interval: 1s}
		rule_files: [$WORLD/backend-slo.yml]
		scrape_configs:
		  - job_name: tidegate
		    authorization: {credentials_file: $WORLD/token}
		    static_configs: [{targets: ["${SERVER#http://}"]}]
		  - job_name: service
		    static_configs: [{targets: ["$(sed 's,^http://,,; s,/.*,,' <<<"$METRICS")"]}]
	YAML
	prometheus --config.file="$WORLD/prometheus.yml" \
		--storage.tsdb.path="$WORLD/tsdb" \
		--web.listen-address=127.0.0.1:0 >"$WORLD/prometheus.log" 2>&1 3>&- &
	PIDS+=($!)
	until_true 20 grep -q 'Listening on' "$WORLD/prometheus.log"
	PROMETHEUS=http://$(sed -n 's/.*"Listening on" address=//p' "$WORLD/prometheus.log")
}

starts() {
	curl -s -o "$WORLD/reply" -H "Authorization: Bearer $(<"$WORLD/token")" \
		-H 'Content-Type: application/json' "$SERVER/api/v1/rollouts" \
		-d '{"policy": "backend"}'
	grep -q '"rollout"' "$WORLD/reply"
}

streams() { # NUMBER
	[ "$(prometheus_value tidegate_sse_clients)" = "$1" ]
}

# Until scrapes and rules have come round; the last answer is told.
answered() {
	"$BATS_TEST_DIRNAME/dashboards" ask "$PROMETHEUS" backend \
		"$boards"/*.json >"$WORLD/asked"
}

@test "every query of every panel is answered by a Prometheus that scraped a daemon" {
	rollout_world --service backend
	mkdir "$WORLD/policies"
	cat >"$WORLD/policies/backend.yaml" <<-'YAML'
		version: 1
		name: backend
		target: {project: acme, region: us-central1, service: backend}
		metrics: {url: "${PROMETHEUS_URL}", timeout: 900ms}
		steps: [{percent: 20, bake: 1s}, {percent: 100, bake: 1s, approval: {approvers: [bob], minimum: 1, timeout: 1h}}]
		settle: 0s
		slos:
		  - name: errors
		    query: sum(up{revision="{{revision}}"})
		    compare: stable
		    max_increase: 1
		    max: 1
		    window: 1s
		    interval: 1s
		    min_passes: 1
		    total: http_requests_total{service="backend"}
		    good: http_requests_total{service="backend",code!~"5.."}
	YAML
	# What looks far back is evaluated each 2 minutes; here nobody waits for it.
	"$WORKBENCH" slo "$WORLD/policies/backend.yaml" |
		sed 's/interval: 2m/interval: 1s/' >"$WORLD/backend-slo.yml"
	"$CONTROLLER" token create e2e --for alice --expires 1h \
		--may read,start,metrics >"$WORLD/token" 2>"$WORLD/told"
	serve_by_flags
	scraped
	curl -s -o "$WORLD/body" "$FRONT/?[1-50]"
	until_true 20 starts
	curl -sN -o "$WORLD/stream" -H "Authorization: Bearer $(<"$WORLD/token")" \
		"$SERVER/api/v1/stream" 3>&- &
	PIDS+=($!)
	until_true 30 answered || {
		cat "$WORLD/asked"
		return 1
	}
	grep -q '^[0-9]* looked at' "$WORLD/asked"
	until_true 20 streams 1
	# Without the right nothing is told.
	[ "$(curl -s -o "$WORLD/reply" -w '%{http_code}' "$SERVER/metrics")" = 401 ]
}
