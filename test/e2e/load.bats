#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034,SC2016
# Loads: by themselves, in preflight, of k6; how they end when they have to.

load world
load suite
load rollout
load shared

setup() {
	shared_begin
	PATH=$BATS_TEST_DIRNAME/bin:$PATH
}

teardown() { shared_end; }

# a_load NAME [KEYS]: twenty users, each ten times a second, for SECONDS.
a_load() {
	echo "  - {name: $1, type: load, url: \"{{candidate_url}}/x\"," \
		"think: 100ms, stages: [{for: 1s, users: 20}," \
		"{for: ${LASTS:-1s}, users: 20}]${2:+, $2}}"
}

by_itself() { # ARGUMENTS…
	"$WORKBENCH" load --policy "$WORLD/policy.yaml" "$@" \
		>"$WORLD/out" 2>"$WORLD/err"
}

seen() { # how many requests the candidate has had
	curl -s --max-time 20 "$METRICS" | awk -v r="revision=\"$CANDIDATE\"" \
		'/^http_requests_total/ && index($0, r) { n += $NF }
		END { print n + 0 }'
}

seen_some() { [ "$(seen)" -gt 20 ]; }

# Two looks at some distance see the same.
seen_no_more() {
	local before

	before=$(seen)
	moment 11
	[ "$before" = "$(seen)" ]
}

generates() { # PID
	GENERATOR=$(pgrep -P "$1" -f 'workbench load -')
}

@test "a load by itself says what came of it" {
	quick 'preflight:' "$(a_load users 'expect: {p95: 2s, min_requests: 100}')" \
		"$(a_load strict 'expect: {status: 201}')"
	by_itself users --url "$FRONT" --format json
	jq -es 'last | .type == "summary" and .passed and .failed == 0 and
		.requests > 100 and .requests < 400 and .p95_ms > 0 and
		.p50_ms <= .p95_ms and .p95_ms <= .p99_ms and
		.p99_ms <= .max_ms and .users == 20 and .dropped == 0 and
		.rate > 30' "$WORLD/out"
	jq -es '.[0] | .type == "live" and .users > 0 and .total_ms == 2000' \
		"$WORLD/out"
	run by_itself strict --url "$FRONT/"
	[ "$status" = 5 ]
	grep -q '^missed: 100 % failed, not 1 % or less; .*(status 200)$' \
		"$WORLD/out"
}

@test "a load that cannot be is refused, and a signal ends one at once" {
	quick 'preflight:' "$(LASTS=1h a_load users)"
	run by_itself users
	[ "$status" = 2 ]
	grep -q 'say where that is by --url' "$WORLD/err"
	run by_itself other --url "$FRONT"
	[ "$status" = 4 ]
	grep -q 'no action "other" of type load or k6' "$WORLD/err"
	run by_itself users --url http://example.com
	[ "$status" != 0 ]
	run "$WORKBENCH" load - <<<'{"requests": 7}'
	[ "$status" = 1 ]
	[[ $output == *"the order of this load is not one"* ]]
	"$WORKBENCH" load --policy "$WORLD/policy.yaml" --url "$FRONT" \
		>"$WORLD/out" 2>"$WORLD/err" 3>&- &
	PIDS+=("$!")
	until_true 10 seen_any
	kill -INT "$!"
	until_true 2 is_gone "$!"
	status=0
	wait "$!" || status=$?
	[ "$status" = 6 ]
	grep -q '^stopped before its end: ' "$WORLD/out"
}

seen_any() {
	curl -s --max-time 20 "$METRICS" | grep -q '^http_requests_total.* [1-9]'
}

@test "a load in preflight goes to the candidate alone, and its end is told" {
	quick 'tag: next' 'preflight:' "$(a_load users)"
	rollout_start
	rollout_ends 0
	said '.event == "action" and .name == "users" and .result == "ok" and
		(.detail | test("^[0-9]+ requests, .* p95 .* 0 failed$"))'
	seen_some
	"$TIDEGATE" report | grep -q 'users.*requests'
}

@test "a load that misses what is expected refuses the rollout" {
	quick 'tag: next' 'preflight:' "$(a_load users 'expect: {max: 1ms}')"
	control POST "/revisions/$CANDIDATE" '{"latency": "20ms"}'
	rollout_start
	rollout_ends 4
	said '.event == "action" and .name == "users" and .result == "failed" and
		(.detail | startswith("missed: the slowest is "))'
	serves stable-1 100
}

@test "a load does not outlive its controller, nor is it made twice" {
	quick 'tag: next' 'preflight:' "$(LASTS=1h a_load users)"
	rollout_start
	until_run seen_some
	generates "$RUN_PID"
	kill -KILL "$RUN_PID"
	until_true 5 is_gone "$GENERATOR"
	seen_no_more
	local before
	before=$(seen)
	run "$TIDEGATE" resume
	[ "$status" = 4 ]
	[ "$before" = "$(seen)" ]
	serves stable-1 100
	"$TIDEGATE" report >"$WORLD/report"
	grep -q 'users' "$WORLD/report"
}

@test "a rollout that is ended stops its load at once" {
	quick 'tag: next' 'preflight:' "$(LASTS=1h a_load users)"
	rollout_start
	until_run seen_some
	generates "$RUN_PID"
	kill -INT "$RUN_PID"
	until_true 3 is_gone "$GENERATOR"
	rollout_ends 4
	seen_no_more
	serves stable-1 100
}

# stepped NAME [KEYS]: a release at once, with a load in its only step.
stepped() {
	STEPS="[{percent: 100, bake: 1s, load: {$(a_load "$@" | sed 's/^ *- {//;s/}$//')}}]" \
		quick 'tag: next'
}

@test "a step has its load, and its bake begins a window later" {
	LASTS=2s stepped users 'expect: {min_requests: 100}'
	rollout_start
	rollout_ends 0
	said '.event == "action-started" and .name == "users"'
	said '.event == "action" and .list == "steps.load" and .result == "ok"'
	# A window of 1s and a bake of 1s lie between the two.
	jq -es '[.[] | select(.event == "action" or .event == "step-passed")
		| .time | sub("\\.[0-9]+Z"; "Z") | fromdate] |
		.[1] - .[0] >= 1' "$WORLD/run.json"
	"$TIDEGATE" report | grep -q 'users.*requests'
	# How it went is told as it goes, and not kept.
	jq -es '[.[] | select(.event == "load")] | length > 0 and
		all(.[]; .phase == "baking" and .percent == 100 and
			.seq > 1 and .users <= 20 and .total_ms == 3000 and
			.failed_share == 0)' "$WORLD/run.json"
	[ "$(sqlite3 "$TIDEGATE_STATE" \
		"SELECT count(*) FROM event WHERE name = 'load'")" = 0 ]
}

@test "a breach stops the load of a step first, and goes back" {
	local last

	LASTS=1h stepped users
	rollout_start
	until_run seen_some
	generates "$RUN_PID"
	hurt
	until_in reverting
	until_true 2 is_gone "$GENERATOR"
	rollout_ends 5
	serves stable-1 100
	seen_no_more
	not said '.event == "action" and .name == "users"'
}

@test "what the load of a step misses is a breach of it" {
	stepped users 'expect: {max: 1ms}'
	control POST "/revisions/$CANDIDATE" '{"latency": "20ms"}'
	rollout_start
	rollout_ends 5
	said '.event == "finished" and (.reason |
		startswith("load of step 1: action \"users\" failed: missed: "))'
	serves stable-1 100
	"$TIDEGATE" report >"$WORLD/report"
	grep -q 'load of step 1' "$WORLD/report"
	"$TIDEGATE" status "$(rollout_id)" | grep -q 'load of step 1'
}

@test "a drill sends no load" {
	quick 'tag: next' 'preflight:' "$(a_load users)"
	"$WORKBENCH" check --live backend --policy "$WORLD/policy.yaml" \
		>"$WORLD/out" || true
	[ "$(seen)" = 0 ]
}

@test "only what judges of a script of k6 judges the candidate" {
	local script=$WORLD/journey.js exits means says

	quick 'preflight:' "  - {name: k6, type: k6, script: journey.js, timeout: 1m, expect: {p95: 90ms}}"
	: >"$script"
	K6_SAW=$WORLD/saw by_itself k6 --url "$FRONT" --format json
	jq -e '.generator == "k6" and .requests == 1200 and .failed == 12 and
		.p95_ms == 81.5 and .p99_ms == null and .passed' "$WORLD/out"
	grep -qx "TIDEGATE_CANDIDATE_URL=$FRONT" "$WORLD/saw"
	run env K6_P95=91 bash -c '"$0" load --policy "$1" k6' \
		"$TIDEGATE" "$WORLD/policy.yaml"
	[ "$status" = 5 ]
	[[ $output == 'missed: p95 is 91 ms, not 90 ms or less; '* ]]
	while read -r exits means says; do
		echo "// exit $exits" >"$script"
		run by_itself k6
		[ "$status" = "$means" ]
		grep -q "$says" "$WORLD/out" "$WORLD/err"
	done <<-'END'
		99 5 threshold
		108 5 aborted
		110 5 marked
		107 1 threw
		104 1 valid
		105 1 signal
	END
	printf '// exit 0\n// no summary\n' >"$script"
	run by_itself k6
	[ "$status" = 1 ]
	grep -q 'left no summary' "$WORLD/err"
}

@test "a script of k6 in preflight finds the candidate" {
	quick 'tag: next' 'preflight:' "  - {name: k6, type: k6, script: journey.js, timeout: 1m, env: {K6_SAW: $WORLD/saw}}"
	: >"$WORLD/journey.js"
	rollout_start
	rollout_ends 0
	said '.event == "action" and .name == "k6" and .result == "ok" and
		(.detail | startswith("1200 requests"))'
	grep -q '^TIDEGATE_CANDIDATE_URL=http' "$WORLD/saw"
	not grep -q CLOUDSDK_AUTH_ACCESS_TOKEN "$WORLD/saw"
}

cleared_up() { [ -z "$(ls -A "$TMPDIR")" ]; }

@test "a script of k6 does not outlive the controller either" {
	local k6

	quick 'tag: next' 'preflight:' "  - {name: k6, type: k6, script: journey.js, timeout: 2h}"
	echo '// hang' >"$WORLD/journey.js"
	mkdir "$WORLD/tmp"
	export TMPDIR=$WORLD/tmp
	rollout_start
	until_run test -s "$WORLD/journey.js.pid"
	k6=$(<"$WORLD/journey.js.pid")
	kill -KILL "$RUN_PID"
	until_true 5 is_gone "$k6"
	until_true 5 cleared_up
	rm "$WORLD/journey.js.pid"
	"$WORKBENCH" load --policy "$WORLD/policy.yaml" k6 >"$WORLD/out" \
		2>"$WORLD/err" 3>&- &
	PIDS+=("$!")
	until_true 10 test -s "$WORLD/journey.js.pid"
	k6=$(<"$WORLD/journey.js.pid")
	kill -TERM "$!"
	until_true 5 is_gone "$k6"
	is_gone "$!" || until_true 5 is_gone "$!"
	grep -q '^stopped before its end' "$WORLD/out"
}
