#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# Game days: a revision that is bad on purpose, one that is good, and whatever
# may become of a day in between.

bats_require_minimum_version 1.5.0
load world
load suite
load rollout
load shared

# "bad" fails where requests are counted, and is fine to the sandbox's answers.
setup() {
	world_open
	CANDIDATE=bad-$RANDOM$RANDOM GOOD=good-$RANDOM$RANDOM
	sandbox_start --project acme --operation-delay 50ms \
		--revision backend-1 --revision "$CANDIDATE:errors=100%" \
		--revision "$GOOD" --traffic backend-1=100
	shared_environment
	SAYS="rollback: [{name: say, type: exec, command: [sh, -c, 'echo said >>$WORLD/said']}]"
	ALLOWED='gameday: {allow: true}'
}

teardown() { world_close; }

# day [OPTION…]: to its end
day() {
	run --separate-stderr "$WORKBENCH" gameday backend \
		--policy "$WORLD/policy.yaml" --bad "$CANDIDATE" --good "$GOOD" \
		--format json "$@"
}

# In the background; what it says is in day.err.
day_start() {
	"$WORKBENCH" gameday backend --policy "$WORLD/policy.yaml" \
		--bad "$CANDIDATE" --good "$GOOD" \
		>"$WORLD/day.out" 2>"$WORLD/day.err" 3>&- &
	DAY=$!
	PIDS+=("$DAY")
}

ends() { # STATUS
	[ "$status" = "$1" ] || {
		echo "exit $status, expected $1" "$output" "$stderr"
		return 1
	}
}

told() { # CONDITION (jq), on the result
	[ -n "$output" ] || return
	jq -e "$1" <<<"$output" >/dev/null || {
		echo "$output" "$stderr"
		return 1
	}
}

has_ended() {
	tail -n 1 "$TIDEGATE_STATE.gameday" | grep '"event":"ended"'
}

# About 50 requests a second, until the test ends.
users() {
	while curl -s -o /dev/null --rate 3000/m "$FRONT/?[1-1000]"; do
		:
	done 3>&- &
	PIDS+=($!)
}

@test "the bad revision is taken back though the controller is killed, the good one is promoted" {
	metered "$CANDIDATE"
	export PROMETHEUS_URL=$PROMETHEUS
	users
	QUERY="sum(http_requests_total{sandbox=\"$METERED\",revision=\"{{revision}}\",code=~\"5..\"}) or vector(0)"
	STEPS='[{percent: 50, bake: 2s}, {percent: 100, bake: 1s}]' \
		quick "$SAYS" "$ALLOWED"
	day --output "$WORLD/report" --fault crash@0s+500ms \
		--fault patch-lost@600ms+1s
	ends 0
	told '.met and (.figures | length == 4) and all(.figures[]; .met)'
	[ "$(<"$WORLD/said")" = said ]
	serves "$GOOD" 100
	has_ended
	grep -q '^# backend: game day' "$WORLD/report.md"
	grep -q '^## Figures against their limits' "$WORLD/report.md"
	grep -q "rolled-back" "$WORLD/report.md"
	grep -q '<!doctype html>' "$WORLD/report.html"
	journal_has_no_gaps
}

@test "a gate that sees nothing fails the day, and stable gets its traffic back" {
	quick "$ALLOWED" preflight: \
		"  - {name: users, type: load, url: '$FRONT/', allow_host: 127.0.0.1," \
		"     think: 50ms, stages: [{for: 1s, users: 5}]}"
	day --load users
	ends 1
	told '(.met | not) and
		(.figures[0] | .measured == "promoted" and (.met | not)) and
		any(.surprises[]; contains("nobody saw it at 20 %")) and
		.requests > 20 and .failed > 0 and .failed < .requests'
	serves backend-1 100
	has_ended
}

@test "a bad revision that has users for too long is taken back" {
	STEPS=$LONG quick "$SAYS" "$ALLOWED"
	day --within 1s
	ends 1
	told 'any(.figures[]; .what == "users back on stable after" and
		(.met | not)) and any(.surprises[]; contains("by hand"))'
	serves backend-1 100
	has_ended
}

@test "a day that is killed is put back by the next, and two are never at once" {
	STEPS=$LONG quick "$SAYS" "$ALLOWED"
	day_start
	until_true 30 serves "$CANDIDATE" 20
	day
	ends 1
	[[ $stderr == *"another game day is under way"* ]]
	kill -KILL "$DAY"
	until_true 10 is_gone "$DAY"
	# Its release is still watched, by a process of its own.
	serves "$CANDIDATE" 20
	run "$WORKBENCH" gameday --clean
	[ "$status" = 0 ] || { echo "$output" && false; }
	serves backend-1 100
	[ "$(<"$WORLD/said")" = said ]
	has_ended
	run "$WORKBENCH" gameday --clean
	[ "$status" = 0 ] && [ -z "$output" ]
}

@test "what people have put back since stays, and a line that was cut hides none" {
	STEPS=$LONG quick "$ALLOWED"
	day_start
	until_true 30 serves "$CANDIDATE" 20
	kill -KILL "$DAY"
	until_true 10 is_gone "$DAY"
	run "$TIDEGATE" rollback backend --policy "$WORLD/policy.yaml"
	[ "$status" = 0 ]
	quick "$ALLOWED"
	run "$TIDEGATE" run backend --policy "$WORLD/policy.yaml" \
		--candidate "$GOOD"
	[ "$status" = 0 ] || { echo "$output" && false; }
	printf '{"event":"relea' >>"$TIDEGATE_STATE.gameday"
	run "$WORKBENCH" gameday --clean
	[ "$status" = 0 ] || { echo "$output" && false; }
	[[ $output == *"nothing of it is left to be put back"* ]]
	serves "$GOOD" 100
	has_ended
	run "$WORKBENCH" gameday --clean
	[ "$status" = 0 ] && [ -z "$output" ]
}

@test "nothing is moved where it is not allowed, not steady, or not possible" {
	quick
	day
	ends 4
	[[ $stderr == *"write gameday: {allow: true}"* ]]
	quick "$ALLOWED"
	GOOD=$CANDIDATE day
	[ "$status" = 4 ]
	[[ $stderr == *"say with --good"* ]]
	GOOD=missing-1 day
	[ "$status" = 4 ]
	[[ $stderr == *"missing-1"*"does not exist"* ]]
	day --fault metrics-down@1s+1s
	ends 2
	answers '{"value": 1}'
	day --within 1s
	ends 4
	[[ $stderr == *"not in its steady state"* ]]
	serves backend-1 100
	[ ! -s "$TIDEGATE_STATE.gameday" ]
	[ "$(writes)" = "" ]
}

@test "the first game day finds no folder of the state file, and no home is said" {
	run -0 --separate-stderr env -u TIDEGATE_STATE XDG_STATE_HOME="$WORLD/new" \
		"$WORKBENCH" gameday --clean
	quick "$ALLOWED"
	run --separate-stderr env -u TIDEGATE_STATE XDG_STATE_HOME="$WORLD/newer" \
		"$WORKBENCH" gameday backend --policy "$WORLD/policy.yaml" --bad no-such
	ends 4
	[[ $stderr == *'nothing was moved: '* ]]
	cd "$WORLD"
	run --separate-stderr "$WORKBENCH" gameday --clean --state ''
	ends 2
	[[ $stderr == *'give --state or set $TIDEGATE_STATE'* ]]
	[ ! -e .gameday ]
}
