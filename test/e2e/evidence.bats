#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# A rollout by evidence over a real Prometheus: what decides, and when, is seen
# on a virtual clock (test/replay); this is that the counters are those of users.

bats_require_minimum_version 1.5.0

load world
load suite
load rollout

setup() {
	rollout_world
	rollout_metered
	by_evidence
}

teardown() { world_close; }

by_evidence() {
	local of="revision=\"{{revision}}\",sandbox=\"$METERED\""

	cat >"$WORLD/policy.yaml" <<-YAML
		version: 1
		name: by-evidence
		metrics: {url: "\${PROMETHEUS_URL}", timeout: 2s}
		pace: evidence
		steps: [{percent: 50, bake: 5m}, {percent: 100, bake: 5m}]
		settle: 1s
		slos:
		  - {name: errors, kind: evidence, objective: 1%, interval: 5s,
		     total: 'http_requests_total{$of}',
		     bad: 'http_requests_total{$of,code=~"5.."}'}
		  - {name: latency, kind: evidence, objective: 5%, bound: 500ms,
		     interval: 5s,
		     buckets: 'http_request_duration_seconds_bucket{$of}'}
	YAML
}

counted() { # both arms had requests between two checks
	said '.event == "check" and .slo == "latency" and .counts != null and
		(.counts.candidate // [] | add) > 0 and
		(.counts.stable // [] | add) > 0'
}

@test "a bad release is taken back by what its users met, also after a crash" {
	rollout_start
	until_true 60 counted
	kill -KILL "$RUN_PID"
	rollout_ends 137
	api POST "$ADMIN/sandbox/revisions/backend-2" -d '{"errors": "20%"}'
	"$TIDEGATE" resume --format json \
		>"$WORLD/run.json" 2>"$WORLD/run.err" 3>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	rollout_ends 5
	said '.event == "breach" and .slo == "errors" and .value > 0.02 and
		(.text | test("candidate [0-9.]+ % .*, stable 0 %|as many"))'
	# What was counted after the crash is not what was counted before it.
	said '.event == "check" and .slo == "errors" and
		.counts.candidate == [0, 0] and .counts.stable == [0, 0]'
	[ "$(api GET "$SERVICE" | jq '.trafficStatuses[0].percent')" = 100 ]
}

@test "counters that are none are refused before anything moves" {
	sed -i 's/_bucket{/_sum{/' "$WORLD/policy.yaml"
	rollout_start
	rollout_ends 4
	grep -q 'has no label le: ask for NAME_bucket' "$WORLD/run.err" \
		"$WORLD/run.json"
}
