#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# What SLOs do to a rollout: real requests and a real Prometheus, where it is
# about more than one answer.

load world
load suite
load rollout
load shared

setup() { shared_begin; }
teardown() { shared_end; }

reverted() { # EXIT: and stable has its traffic
	rollout_ends "$1"
	finished '.outcome == "rolled-back"'
	serves stable-1 100
	journal_has_no_gaps
}

@test "an error rate that is too high takes the traffic back" {
	shared_metered
	STEPS=$LONG quick
	rollout_start
	until_step 20
	hurt
	reverted 5
	said '.event == "breach" and .slo == "errors" and .value > 0 and
		.limit == 0'
	finished '.reason | startswith("errors")'
}

@test "a latency that is too high takes the traffic back" {
	shared_metered
	STEPS=$LONG SLO='max: 200ms, fail_after: 1, min_passes: 1' \
		QUERY='(sum(http_request_duration_seconds_sum{revision="{{candidate}}"}) / sum(http_request_duration_seconds_count{revision="{{candidate}}"}) >= 0) or vector(0)' \
		quick
	rollout_start
	until_step 20
	control POST "/revisions/$CANDIDATE" '{"latency": "500ms"}'
	curl -s -o /dev/null "$FRONT/?[1-40]" 3>&- &
	PIDS+=($!)
	reverted 5
	said '.event == "breach" and .value > 0.2 and .limit == 0.2'
}

@test "metrics that go away hold the rollout until they are back" {
	STEPS=$GATE TIMEOUT=500ms quick
	rollout_start
	until_in awaiting-approval
	answers '{"hang": true}'
	until_in held
	said '.event == "check" and .outcome == "error"'
	serves "$CANDIDATE" 20
	not enters reverting
	answers '{"value": 0}'
	until_run has '"from":"held","to":"awaiting-approval"'
	tide approve --as bob
	[ "$status" = 0 ]
	rollout_ends 0
	serves "$CANDIDATE" 100
}

@test "an incomplete answer is no pass, and is told wherever people look" {
	answers '{"value": 0, "warning": "store a is away"}'
	SLO='max: 5%, no_data: pass, fail_after: 1, min_passes: 1' quick
	run "$WORKBENCH" check --live backend --policy "$WORLD/policy.yaml" \
		--format json
	[ "$status" = 0 ]
	jq -e 'any(.findings[]; .what == "slo" and .result == "warn" and
		.stable.partial and .stable.outcome == "no-data" and
		.stable.warnings == "query: store a is away" and
		(.detail | contains("store a is away")) and
		(.remedy | contains("metrics.partial")))' <<<"$output"
	rollout_start
	until_run has_line '"event":"check"' '"outcome":"no-data"' \
		'"partial":["value"]' 'store a is away'
	tide status
	[[ $output == *"no data"*", incomplete"* ]]
	tide status --format json
	[[ $output == *'"outcome":"no-data","partial":true'* ]]
	tide abort
	reverted 6
	tide report
	[[ $output == *" no data; "*" incomplete"* ]]
	not said '.event == "check" and .outcome == "pass"'
	# The journal still knows it when the metrics are whole again.
	answers '{"value": 0}'
	"$WORKBENCH" record --rollout "$(rollout_id)" \
		--policy "$WORLD/policy.yaml" -o "$WORLD/recording.json"
	jq -e '.series.errors.errors | any(.type == "partial")' \
		"$WORLD/recording.json"
	run "$WORKBENCH" simulate --format json --policy "$WORLD/policy.yaml" \
		"$WORLD/recording.json"
	[[ $output == *'"partial":["value"]'*'"outcome":"no-data"'* ]]
}
