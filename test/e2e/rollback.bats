#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# `rollback`: a person wants to go back, now.
# Takes long.

load world
load suite
load rollout

setup() {
	rollout_world
}

teardown() {
	world_close
}

# sequence: a rollback list of its own, that says what it did
sequence() {
	policy 'rollback:' \
		'  - {name: note, type: exec, command: [sh, -c, "echo note >>'"$WORLD"'/done"]}' \
		'  - {name: once, type: exec, idempotent: false, command: [sh, -c, "echo once >>'"$WORLD"'/done"]}'
}

promoted() {
	rollout_start
	rollout_ends 0
	serves backend-2 100
}

rollback() {
	run "$TIDEGATE" rollback backend --policy "$WORLD/policy.yaml" "$@"
	echo "$output"
}

asked_but_not_serving() { # ASKED SERVING
	api GET "$SERVICE" | jq -e --arg asked "$1" --arg serving "$2" '
		any(.traffic[]; .revision == $asked and .percent == 100) and
		any(.trafficStatuses[];
			.revision == $serving and .percent == 100)' >/dev/null
}

patches() {
	api GET "$ADMIN/sandbox/log?method=PATCH" |
		jq '[.. | objects | select(.method? == "PATCH")] | length'
}

@test "what was promoted is taken back, and the sequence runs" {
	sequence
	promoted
	rollback --comment 'users complain' --format json
	[ "$status" = 0 ]
	serves backend-1 100
	[ "$(cat "$WORLD/done")" = $'note\nonce' ]
	[[ $output == *'"outcome":"rolled-back"'* ]]
	[[ $output == *'rolled back by alice: users complain'* ]]
	[[ $output == *'"exit":0'* ]]
	# Once more does nothing and says so.
	rollback
	[ "$status" = 0 ]
	[[ $output == 'nothing to do: backend-1 holds all traffic'* ]]
	[ "$(wc -l <"$WORLD/done")" = 2 ]
	run "$TIDEGATE" list --format json
	[ "$(jq -s 'flatten | length' <<<"$output")" = 2 ]
}

@test "what was released last goes back, also when a clock was set since" {
	policy
	promoted
	control POST /deploy '{"revision": "backend-3"}'
	rollout_start
	rollout_ends 0
	serves backend-3 100
	# The first one began by a clock that was two hours ahead.
	sqlite3 "$TIDEGATE_STATE" \
		'UPDATE rollout SET started_ms = started_ms + 7200000 WHERE no = 1'
	rollback
	[ "$status" = 0 ]
	serves backend-2 100
}

@test "who serves goes back, although stable is what is asked for" {
	sequence
	promoted
	# Somebody gave stable everything, and the operation failed.
	fault '{"method": "PATCH", "path": "*/services/backend",
		"kind": "operation-error", "code": 9, "message": "bad luck"}'
	api PATCH "$SERVICE?updateMask=traffic" -d "{\"traffic\": [{
		\"type\": \"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\",
		\"revision\": \"backend-1\", \"percent\": 100}]}"
	until_true 10 asked_but_not_serving backend-1 backend-2
	rollback
	[ "$status" = 0 ]
	[[ $output != *'nothing to do'* ]]
	serves backend-1 100
	[ "$(cat "$WORLD/done")" = $'note\nonce' ]
}

@test "a service that no rollout is known of goes back to --to" {
	sequence
	control PUT /traffic '{"backend-2": 100}'
	until_true 10 serves backend-2 100
	rollback
	[ "$status" = 4 ]
	[[ $output == *'--to'* ]]
	rollback --to no-such-revision
	[ "$status" = 4 ]
	serves backend-2 100
	rollback --to backend-1 --quiet
	[ "$status" = 0 ]
	serves backend-1 100
	[ "$(wc -l <"$WORLD/done")" = 2 ]
}

@test "what somebody else put in charge is not taken away unasked" {
	sequence
	promoted
	control POST /deploy '{"revision": "backend-3"}'
	control PUT /traffic '{"backend-3": 100}'
	until_true 10 serves backend-3 100
	rollback
	[ "$status" = 4 ]
	[[ $output == *backend-3*--candidate* ]]
	serves backend-3 100
	rollback --to backend-2
	[ "$status" = 0 ]
	serves backend-2 100
}

@test "a rollout that is being driven is aborted and followed" {
	sequence
	sed -i 's/bake: 3s/bake: 60s/g' "$WORLD/policy.yaml"
	rollout_start
	until_true 30 said '.event == "step-started"'
	rollback
	[ "$status" = 0 ]
	[[ $output == *'rolled-back: aborted by alice'* ]]
	serves backend-1 100
	rollout_ends 6
	[ "$(wc -l <"$WORLD/done")" = 2 ]
}

# Both have decided before either has begun.
@test "two who go back at once do it once" {
	sequence
	promoted
	fault '{"method": "GET", "path": "*/services/backend", "kind": "slow",
		"delay": "1s", "times": 2}'
	"$TIDEGATE" rollback backend --policy "$WORLD/policy.yaml" --as bob \
		>"$WORLD/bob.out" 2>&1 3>&- &
	PIDS+=($!)
	rollback
	[ "$status" = 0 ]
	wait "${PIDS[-1]}" || {
		cat "$WORLD/bob.out"
		return 1
	}
	serves backend-1 100
	[ "$(cat "$WORLD/done")" = $'note\nonce' ]
	run "$TIDEGATE" list --format json
	[ "$(jq -s 'flatten | length' <<<"$output")" = 2 ]
}

@test "a rollout that nobody drives any more is brought back to its end" {
	sequence
	rollout_start
	until_true 30 said '.event == "step-started"'
	kill -KILL "$RUN_PID"
	wait "$RUN_PID" || true
	rollback
	[ "$status" = 0 ]
	serves backend-1 100
	[ "$(wc -l <"$WORLD/done")" = 2 ]
}

# The driver has taken the abort, so it is followed; then it dies.
@test "a driver that dies while it is followed back is replaced" {
	sequence
	printf '%s\n' '  - {name: slow, type: exec, idempotent: true, command: [sleep, "3"]}' \
		>>"$WORLD/policy.yaml"
	sed -i 's/bake: 3s/bake: 60s/g' "$WORLD/policy.yaml"
	rollout_start
	until_true 30 said '.event == "step-started"'
	"$TIDEGATE" rollback backend --policy "$WORLD/policy.yaml" \
		3>&- >"$WORLD/back.out" 2>&1 &
	PIDS+=($!)
	until_true 30 has_line '"event":"action-started"' '"name":"slow"'
	kill -KILL "$RUN_PID"
	wait "$RUN_PID" || true
	RUN_PID=${PIDS[-1]}
	rollout_ends 0
	grep -q 'rolled-back: aborted by alice' "$WORLD/back.out"
	serves backend-1 100
	[ "$(cat "$WORLD/done")" = $'note\nonce' ]
}

# It is there, and renews its lease no more.
driver_stops() {
	sed -i 's/bake: 3s/bake: 60s/g' "$WORLD/policy.yaml"
	rollout_start
	until_true 30 said '.event == "step-started"'
	until_true 30 stops_between_commits
}

# In a commit it would keep all others from the state file.
stops_between_commits() {
	kill -STOP "$RUN_PID"
	until_true 10 is_in "$RUN_PID" T
	sqlite3 "$TIDEGATE_STATE" 'BEGIN IMMEDIATE; ROLLBACK' && return
	kill -CONT "$RUN_PID"
	return 1
}

@test "a driver that is stopped is fenced out, and does no harm as it goes on" {
	sequence
	driver_stops
	rollback
	[ "$status" = 0 ]
	[[ $output == *'rolled-back: aborted by alice'* ]]
	serves backend-1 100
	[ "$(wc -l <"$WORLD/done")" = 2 ]
	local before
	before=$(patches)
	kill -CONT "$RUN_PID"
	rollout_ends 1
	said '.outcome == "error" and (.reason | contains("driven by another"))'
	[ "$(patches)" = "$before" ]
	[ "$(wc -l <"$WORLD/done")" = 2 ]
	serves backend-1 100
}

# The first hangs; the second says whether the first is still there.
@test "a driver that is stopped has no program beside the one of who goes on" {
	cat >"$WORLD/slow.sh" <<-'SH'
		first=$(head -n 1 slow 2>/dev/null)
		echo $$ >>slow
		[ -n "$first" ] || exec tail -f /dev/null
		! grep -sq '^State:[[:space:]]*[A-WY]' "/proc/$first/status" ||
			echo "$first" >beside
	SH
	policy 'rollback:' \
		'  - {name: slow, type: exec, command: [sh, slow.sh], timeout: 5m, idempotent: true}'
	promoted
	"$TIDEGATE" rollback backend --policy "$WORLD/policy.yaml" \
		--format json 3>&- >"$WORLD/run.json" 2>"$WORLD/run.err" &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	until_true 30 test -s "$WORLD/slow"
	until_true 30 stops_between_commits
	rollback
	[ "$status" = 0 ]
	[ "$(wc -l <"$WORLD/slow")" = 2 ]
	[ ! -e "$WORLD/beside" ]
	kill -CONT "$RUN_PID"
	rollout_ends 1
	[ "$(wc -l <"$WORLD/slow")" = 2 ]
}

@test "who is stopped is not said to drive" {
	sequence
	driver_stops
	run "$TIDEGATE" status
	[[ $(tr -s ' \n' ' ' <<<"$output") == *'not seen to run on this host'* ]]
	"$TIDEGATE" watch 3>&- >"$WORLD/watch" 2>"$WORLD/watch.err" &
	PIDS+=($!)
	until_true 40 grep -q 'nobody drives' "$WORLD/watch.err"
	kill -CONT "$RUN_PID"
	kill -TERM "$RUN_PID"
	rollout_ends 6
	serves backend-1 100
}

# What begins then stays in its preflight, for as long as a test may take.
preflight_waits() {
	printf '%s\n' 'preflight:' '  - {name: waits, type: exec,' \
		'     command: [tail, -f, /dev/null], timeout: 1h}' \
		>>"$WORLD/policy.yaml"
}

# After one that was promoted: it waits, and has moved nothing.
next_is_in_preflight() {
	sequence
	promoted
	control POST /deploy '{"revision": "backend-3"}'
	preflight_waits
	rollout_start --candidate backend-3
	until_true 30 said '.event == "started"'
}

@test "one that has not begun is ended, and who serves goes back" {
	next_is_in_preflight
	rollback --drill
	[ "$status" = 0 ]
	[[ $output == *'has moved nothing yet, and would be aborted first'* ]]
	[[ $output == *'backend-2 100 % -> backend-1 100 %'* ]]
	rollback
	[ "$status" = 0 ]
	[[ $output == *': refused: aborted by alice'* ]]
	serves backend-1 100
	rollout_ends 4
	[ "$(wc -l <"$WORLD/done")" = 2 ]
}

@test "one that has not begun is ended, and none before it has moved anything" {
	sequence
	preflight_waits
	rollout_start
	until_true 30 said '.event == "started"'
	rollback
	[ "$status" = 0 ]
	[[ $output == *': refused: aborted by alice'* ]]
	rollout_ends 4
	serves backend-1 100
}

@test "one that died before it began is ended, and who serves goes to --to" {
	next_is_in_preflight
	kill -KILL "$RUN_PID"
	wait "$RUN_PID" || true
	rollback --to backend-1
	[ "$status" = 0 ]
	serves backend-1 100
	[ "$(wc -l <"$WORLD/done")" = 2 ]
}

@test "a rollback that was killed goes on and does nothing twice" {
	policy 'rollback:' \
		'  - {name: slow, type: exec, command: [sh, -c, "echo $$ >>'"$WORLD"'/slow; exec tail -f /dev/null"], timeout: 3s, idempotent: true}' \
		'  - {name: once, type: exec, idempotent: false, command: [sh, -c, "echo once >>'"$WORLD"'/done"]}'
	promoted
	"$TIDEGATE" rollback backend --policy "$WORLD/policy.yaml" 3>&- \
		>"$WORLD/out" 2>&1 &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	until_true 30 test -s "$WORLD/slow"
	kill -KILL "$RUN_PID"
	wait "$RUN_PID" || true
	serves backend-1 100
	rollback
	[ "$status" = 0 ]
	[ "$(cat "$WORLD/done")" = once ]
}

@test "a rollback that failed is repeated without what may not be" {
	policy 'rollback:' \
		'  - {name: once, type: exec, idempotent: false, command: [sh, -c, "echo once >>'"$WORLD"'/done"]}' \
		'  - {name: gate, type: exec, command: [test, -e, "'"$WORLD"'/fixed"], on_failure: stop}' \
		'  - {name: last, type: exec, command: [sh, -c, "echo last >>'"$WORLD"'/done"]}'
	promoted
	rollback
	[ "$status" = 9 ]
	serves backend-1 100
	rollback
	[ "$status" = 9 ]
	touch "$WORLD/fixed"
	rollback --format json
	[ "$status" = 0 ]
	[ "$(cat "$WORLD/done")" = $'once\nlast' ]
	[[ $output == *'done by the rollback before this one'* ]]
}

@test "a rollback after users were put back by hand runs all anew" {
	policy 'rollback:' \
		'  - {name: once, type: exec, idempotent: false, command: [sh, -c, "echo once >>'"$WORLD"'/done"]}' \
		'  - {name: schema, type: database, command: [sh, -c, "echo schema >>'"$WORLD"'/done"]}'
	promoted
	rollback
	[ "$status" = 0 ]
	# Stable has all: nothing came back, and nothing is undone twice.
	rollback --again
	[ "$status" = 0 ]
	[ "$(cat "$WORLD/done")" = $'once\nschema' ]
	control PUT /traffic '{"backend-2": 100}'
	until_true 10 serves backend-2 100
	rollback
	[ "$status" = 0 ]
	serves backend-1 100
	[ "$(cat "$WORLD/done")" = $'once\nschema\nonce\nschema' ]
}

@test "no signal cuts a rollback short" {
	sequence
	promoted
	fault '{"kind": "status", "status": 503, "method": "PATCH", "times": 1000}'
	"$TIDEGATE" rollback backend --policy "$WORLD/policy.yaml" \
		--format json 3>&- >"$WORLD/run.json" 2>"$WORLD/run.err" &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	until_true 30 said '.event == "retry"'
	kill -INT "$RUN_PID"
	kill -TERM "$RUN_PID"
	sandbox_ask DELETE /faults # it succeeds from now on
	rollout_ends 0
	serves backend-1 100
}

@test "no signal cuts a rollback short that cannot read the service yet" {
	sequence
	promoted
	fault '{"kind": "status", "status": 503, "method": "GET", "times": "always"}'
	"$TIDEGATE" rollback backend --policy "$WORLD/policy.yaml" \
		--format json 3>&- >"$WORLD/run.json" 2>"$WORLD/run.err" &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	until_true 30 grep -q 'HTTP 503' "$WORLD/run.err" # it is told
	kill -INT "$RUN_PID"
	kill -TERM "$RUN_PID"
	until_true 10 grep -q 'SIGTERM' "$WORLD/run.err"
	sandbox_ask DELETE /faults
	rollout_ends 0
	serves backend-1 100
}

@test "a drill tells what would happen, and writes nothing" {
	sequence
	printf '%s\n' 'health:' \
		'  - {name: front, type: http, url: "'"$FRONT"'/"}' \
		>>"$WORLD/policy.yaml"
	promoted
	local before
	before=$(patches)
	[ "$before" -gt 0 ]
	rollback --drill
	[ "$status" = 0 ]
	[[ $output == *'backend-2 100 % -> backend-1 100 %'* ]]
	[[ $output == *note*ready* ]]
	[[ $output == *front*ready* ]]
	[ "$(patches)" = "$before" ]
	[ ! -e "$WORLD/done" ]
	serves backend-2 100
	drilled() {
		sqlite3 "$TIDEGATE_STATE" \
			'SELECT service || " " || who FROM drill'
	}
	[ "$(drilled)" = "projects/acme/locations/us-central1/services/backend alice" ]
	sqlite3 "$TIDEGATE_STATE" 'DELETE FROM drill'
	# What is missing is named.
	sed -i 's/command: \[sh, -c, "echo note/command: [no-such-program, "/' \
		"$WORLD/policy.yaml"
	rollback --drill --format json
	[ "$status" = 4 ]
	[[ $output == *no-such-program* ]]
	jq -e '.missing == 1 and .ready == false' \
		<<<"$(tail -n 1 <<<"$output")"
	[ "$(patches)" = "$before" ]
	[ -z "$(drilled)" ]
	run "$TIDEGATE" list --format json
	[ "$(jq -s 'flatten | length' <<<"$output")" = 1 ]
}
