#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2034
# What SLOs do to a rollout: real requests, a real Prometheus.

load world
load rollout
load shared

setup_file() { shared_open; }
teardown_file() { shared_close; }
setup() { shared_begin; }
teardown() { shared_end; }

reverted() { # EXIT: and stable has its traffic
	rollout_ends "$1"
	finished '.outcome == "rolled-back"'
	serves stable-1 100
	journal_has_no_gaps
}

@test "an error rate that is too high takes the traffic back" {
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

@test "one check above critical reverts at once" {
	STEPS=$LONG SLO='max: 0, critical: 0.5, fail_after: 5, min_passes: 1' \
		quick
	rollout_start
	until_step 20
	hurt
	reverted 5
	jq -s -e '[.[] | select(.event == "check" and
		.outcome == "breach")] | length == 1' "$WORLD/run.json"
}

@test "fewer breaches than fail_after revert nothing" {
	STEPS='[{percent: 20, bake: 4s}, {percent: 100, bake: 1s}]' \
		SLO='max: 0, fail_after: {breaches: 5, of: 5}, min_passes: 1' \
		QUERY='(time() % 3 > bool 2) * 0 + (vector(0))' quick
	rollout_start
	rollout_ends 0
	serves "$CANDIDATE" 100
}

@test "a breach is only observed when the policy says so" {
	STEPS=$LONG SLO='max: 0, fail_after: 1, min_passes: 1' \
		QUERY='vector(1)' quick 'on_breach: observe'
	rollout_start
	until_run has would-have-reverted
	serves stable-1 80
	refute grep -F '"to":"reverting"' "$WORLD/run.json"
	kill -INT "$RUN_PID"
	rollout_ends 6
}

@test "a breach holds when the policy says so, and hold_timeout reverts" {
	STEPS=$LONG quick 'on_breach: hold' 'hold_timeout: 2s'
	rollout_start
	until_step 20
	hurt
	until_in held
	reverted 5
	finished '.reason | contains("nobody resolved the hold")'
}

@test "a step is not left without evidence, and goes on when it is there" {
	QUERY="(sum(http_requests_total{revision=\"{{candidate}}\"}) > 0) * 0" \
		quick
	rollout_start
	until_in held
	said '.event == "check" and .outcome == "no-data"'
	finished_not_yet
	serves "$CANDIDATE" 20
	# Somebody uses it: that is the evidence.
	curl -s -o /dev/null "$FRONT/?[1-60]"
	rollout_ends 0
	serves "$CANDIDATE" 100
}

finished_not_yet() {
	refute grep -qF '"event":"finished"' "$WORLD/run.json"
}

@test "a hold without evidence becomes a rollback after hold_timeout" {
	QUERY='vector(0) > 1' quick 'hold_timeout: 2s'
	rollout_start
	until_in held
	reverted 5
}

@test "no evidence is a rollback at once when the policy says so" {
	QUERY='vector(0) > 1' quick 'on_undecided: rollback'
	rollout_start
	reverted 5
	not enters held
}

@test "too few requests are no evidence" {
	SLO='max: 0, fail_after: 1, min_passes: 1, requests: {query: "vector(3)", min: 10}' \
		quick 'hold_timeout: 1s'
	rollout_start
	reverted 5
	said '.event == "check" and .outcome == "no-data"'
	not said '.event == "check" and .outcome == "pass"'
}

@test "metrics that go away hold the rollout until they are back" {
	STEPS=$GATE TIMEOUT=500ms quick
	rollout_start
	until_in awaiting-approval
	kill -STOP "$PROMETHEUS_PID"
	until_in held
	said '.event == "check" and .outcome == "error"'
	serves "$CANDIDATE" 20
	not enters reverting
	kill -CONT "$PROMETHEUS_PID"
	until_run has '"from":"held","to":"awaiting-approval"'
	tide approve --as bob
	[ "$status" = 0 ]
	rollout_ends 0
	serves "$CANDIDATE" 100
}

@test "metrics that stay away revert after hold_timeout" {
	STEPS=$LONG TIMEOUT=500ms quick 'hold_timeout: 2s'
	rollout_start
	until_step 20
	kill -STOP "$PROMETHEUS_PID"
	reverted 5
}

@test "a breach reverts while the rollout is paused" {
	STEPS=$LONG quick
	rollout_start
	until_step 20
	tide pause
	[ "$status" = 0 ]
	until_in paused
	hurt
	reverted 5
}

@test "a breach reverts while a gate waits for people" {
	STEPS=$GATE quick
	rollout_start
	until_in awaiting-approval
	hurt
	reverted 5
}

@test "a breach while baking at 100 % still reverts" {
	STEPS='[{percent: 100, bake: 1h}]' quick
	rollout_start
	until_step 100
	hurt
	reverted 5
}

@test "each check says what was asked and what it decided" {
	quick
	rollout_start
	rollout_ends 0
	jq -s -e '[.[] | select(.event == "check")] | length >= 2 and
		all(.[]; .step and .slo and .outcome and .query and
			has("value") and has("limit") and has("latency_ms"))' \
		"$WORLD/run.json"
	said ".event == \"check\" and (.query | contains(\"$CANDIDATE\"))"
}
