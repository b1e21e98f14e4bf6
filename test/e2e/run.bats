#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# `run` against a Cloud Run that answers and a real Prometheus.

load world
load suite
load rollout

setup() {
	rollout_world
	rollout_metered
}

teardown() {
	world_close
}

@test "a good candidate is promoted, step by step" {
	policy
	rollout_start
	rollout_ends 0
	said '.event == "step-started" and .percent == 20'
	said '.event == "check" and .outcome == "pass"'
	said '.event == "finished" and .outcome == "promoted" and .exit == 0'
	serves backend-2 100
	# Lines are numbered without gaps and every one has its place.
	jq -e -s '[.[].seq] == [range(1; length + 1)]' "$WORLD/run.json"
	jq -e -s 'all(.[]; .time and .rollout and .event and .phase)' \
		"$WORLD/run.json"
	# An answer that comes after the end is not heard.
	jq -e -s 'all(.[]; .phase != "promoted" or .event != "check")' \
		"$WORLD/run.json"
}

@test "a breach takes the traffic back and runs the sequence" {
	policy 'rollback:' \
		'  - {name: note, type: exec, command: [touch, "'"$WORLD"'/undone"]}'
	rollout_start
	until_true 30 said '.event == "step-started"'
	control POST /revisions/backend-2 '{"errors": "50%"}'
	rollout_ends 5
	serves backend-1 100
	[ -e "$WORLD/undone" ]
	said '.event == "breach" and .slo == "error-rate"'
	said '.event == "finished" and .outcome == "rolled-back" and .exit == 5'
	# What was rolled back is not released again by accident.
	control POST /revisions/backend-2 '{"errors": "0%"}'
	rollout_start
	rollout_ends 4
	said '.event == "finished" and (.reason | contains("--again"))'
}

@test "preflight refuses and names all that is wrong" {
	policy 'preflight:' \
		'  - {name: probe, type: exec, command: [no-such-program]}'
	sed -i 's#/ sum(rate(#/ (sum(rate(#' \
		"$WORLD/policy.yaml"
	control POST /revisions/backend-2 '{"ready": false}'
	rollout_start --candidate backend-2
	rollout_ends 4
	serves backend-1 100
	said '.event == "preflight" and (.reason | contains("not ready"))'
	said '.event == "preflight" and (.reason | contains("error-rate"))'
	said '.event == "preflight" and (.reason | contains("no-such-program"))'
}

@test "a tag gives preflight an address and goes away again" {
	policy 'tag: next' 'preflight:' \
		'  - {name: probe, type: http, url: "{{candidate_url}}/health"}'
	sed -i 's/bake: 3s/bake: 1s/g' "$WORLD/policy.yaml"
	rollout_start
	rollout_ends 0
	said '.event == "action" and .name == "probe" and .result == "ok"'
	api GET "$SERVICE" | jq -e '[.traffic[] | .tag // empty] == []'
	serves backend-2 100
}

@test "what followed LATEST follows it again" {
	control PUT /traffic '{"LATEST": 100}'
	control POST /deploy '{"revision": "backend-3", "ready": false}'
	control PUT /traffic '{"backend-2": 100}'
	policy
	control POST /revisions/backend-3 '{"ready": true, "latency": "2ms"}'
	sed -i 's/bake: 3s/bake: 1s/g' "$WORLD/policy.yaml"
	printf 'finish: latest\n' >>"$WORLD/policy.yaml"
	rollout_start
	rollout_ends 0
	api GET "$SERVICE" | jq -e '.traffic ==
		[{type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 100}]'
}
