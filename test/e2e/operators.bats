#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# Decisions of people, signals, and looking on while it runs.

load world
load suite
load rollout
load shared

setup() { shared_begin; }
teardown() { shared_end; }

at_gate() {
	STEPS=$GATE quick
	rollout_start
	until_in awaiting-approval
}

@test "an approval by another process takes effect within a second" {
	at_gate
	serves "$CANDIDATE" 20
	tide approve --as bob --comment 'looks good'
	[ "$status" = 0 ]
	rollout_ends 0
	# The decision was journaled by the driver soon after it was made:
	# within PATIENCE seconds.
	[ "$(journal "SELECT count(*) FROM command JOIN event
		ON event.name = 'command'
		WHERE event.time_ms - command.time_ms BETWEEN 0 AND
		$((${PATIENCE:-3} * 1000))")" = 1 ]
	said '.event == "command" and .who == "bob" and .verb == "approve"'
	serves "$CANDIDATE" 100
}

@test "who is not among the approvers cannot approve" {
	at_gate
	tide approve --as mallory
	[ "$status" = 4 ]
	serves "$CANDIDATE" 20
	kill -INT "$RUN_PID"
	rollout_ends 6
}

@test "a rejection takes the traffic back with the name of who did" {
	at_gate
	tide reject --as bob --comment 'not today'
	[ "$status" = 0 ]
	rollout_ends 6
	serves stable-1 100
	finished '.reason | contains("bob") and contains("not today")'
}

@test "a pause stops the steps but not the checks, until continue" {
	STEPS=$GATE quick
	rollout_start
	until_in awaiting-approval
	tide pause
	[ "$status" = 0 ]
	until_in paused
	tide approve --as bob
	[ "$status" = 0 ]
	local before
	before=$(grep -cF '"event":"check"' "$WORLD/run.json")
	until_run more_checks $((before + 3))
	serves "$CANDIDATE" 20
	tide continue
	[ "$status" = 0 ]
	rollout_ends 0
}

more_checks() {
	[ "$(grep -cF '"event":"check"' "$WORLD/run.json")" -ge "$1" ]
}

@test "an abort takes the traffic back" {
	STEPS=$LONG quick
	rollout_start
	until_step 20
	tide abort --as carol
	[ "$status" = 0 ]
	rollout_ends 6
	serves stable-1 100
	finished '.reason | contains("carol")'
}

@test "an ended rollout takes no more decisions" {
	quick
	rollout_start
	rollout_ends 0
	tide abort
	[ "$status" = 4 ]
	serves "$CANDIDATE" 100
}

@test "an interrupted run is left as it is when the policy says so" {
	STEPS=$GATE quick 'on_interrupt: leave'
	rollout_start
	until_step 20
	kill -TERM "$RUN_PID"
	rollout_ends 8
	finished '.outcome == "waiting"'
	serves "$CANDIDATE" 20
	"$TIDEGATE" resume --format json >"$WORLD/run.json" 2>&1 3>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	until_run has '"phase":"awaiting-approval"'
	tide approve --as bob
	[ "$status" = 0 ]
	rollout_ends 0
	serves "$CANDIDATE" 100
	journal_has_no_gaps
}

@test "a rollout that nohup has started goes on when its terminal goes" {
	quick
	trap '' HUP # what is started from here on ignores it
	rollout_start
	trap - HUP
	until_step 20
	kill -HUP "$RUN_PID"
	rollout_ends 0
	serves "$CANDIDATE" 100
}

@test "an abort behind 140 decisions is taken first, and none of them is lost" {
	at_gate
	kill -KILL "$RUN_PID"
	rollout_ends 137
	local id
	id=$(rollout_id)
	sqlite3 "$TIDEGATE_STATE" "
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 140)
		INSERT INTO command (rollout, verb, who, comment, step, time_ms)
			SELECT '$id', 'pause', 'bob', '', 1, 0 FROM n"
	tide abort --as bob
	[ "$status" = 0 ]
	tide status
	[[ $output == *'not taken yet: abort by bob, pause by bob'* ]]
	"$TIDEGATE" resume "$id" --format json >"$WORLD/run.json" \
		2>"$WORLD/run.err" 3>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	rollout_ends 6
	serves stable-1 100
	[ "$(journal 'SELECT count(*) FROM command WHERE state = 0')" = 0 ]
	[ "$(journal 'SELECT state FROM command WHERE verb = "abort"')" = 1 ]
	[ "$(journal "SELECT verb FROM command JOIN event
		ON event.name = 'command' AND
		command.id = json_extract(event.data, '$.command_id')
		ORDER BY seq LIMIT 1")" = abort ]
	journal_has_no_gaps
}

@test "a holder that is dead is replaced at once" {
	STEPS=$LONG quick
	rollout_start
	until_step 20
	kill -KILL "$RUN_PID"
	rollout_ends 137
	local id lease
	id=$(rollout_id)
	lease=$(journal 'SELECT expires_ms FROM lease')
	"$TIDEGATE" resume "$id" --format json >"$WORLD/run.json" \
		2>"$WORLD/run.err" 3>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	until_run has '"event":"resumed"'
	# The lease of the dead one would have lasted for longer.
	[ "$(journal "SELECT time_ms < $lease FROM event
		WHERE name = 'resumed'")" = 1 ]
	kill -INT "$RUN_PID"
	rollout_ends 6
	serves stable-1 100
}

@test "of a driver on another host it is said when it was alive by its clock" {
	at_gate
	kill -KILL "$RUN_PID"
	rollout_ends 137
	# A second after 1970: by our clock that is long ago, by its own it may
	# be now.
	sqlite3 "$TIDEGATE_STATE" \
		"UPDATE lease SET host = 'elsewhere', expires_ms = 16000"
	tide status
	[ "$status" = 0 ]
	[[ $output == *'driven by elsewhere'*'1970-01-01 00:00:01 UTC'* ]]
	[[ $output != *'nobody drives'* ]]
	tide status --format json
	jq -e '.driver.alive == false' <<<"$output"
}

@test "status, list and watch show a rollout while it runs" {
	at_gate
	tide status
	[ "$status" = 0 ]
	[[ $output == *awaiting-approval* && $output == *"$CANDIDATE"* ]]
	tide status --format json
	jq -e '.phase == "awaiting-approval"' <<<"$output"
	run "$TIDEGATE" list
	[[ $output == *"$(rollout_id)"*awaiting-approval* ]]
	"$TIDEGATE" list -w >"$WORLD/list" 2>&1 3>&- &
	PIDS+=("$!")
	until_true 10 grep -q "^$(rollout_id)  awaiting-approval" "$WORLD/list"
	"$TIDEGATE" watch "$(rollout_id)" >"$WORLD/watch" 2>&1 3>&- &
	local watch=$!
	PIDS+=("$watch")
	until_true 10 grep -q awaiting-approval "$WORLD/watch"
	tide approve --as bob
	rollout_ends 0
	until_true 10 grep -q "^$(rollout_id)  promoted: " "$WORLD/list"
	until_true 10 grep -q promoted "$WORLD/watch"
	RUN_PID=$watch
	until_true 10 run_is_gone
}

@test "json lines have every field, and the last one says how it ended" {
	quick
	rollout_start
	rollout_ends 0
	jq -s -e 'all(.[]; (.time | test("^[0-9]{4}-.*Z$")) and .rollout and
		.event and .phase and (.percent | type == "number"))' \
		"$WORLD/run.json"
	jq -s -e '[.[].seq] == [range(1; length + 1)]' "$WORLD/run.json"
	finished '.outcome == "promoted" and .exit == 0 and .reason != ""'
	[ "$(grep -cF '"event":"finished"' "$WORLD/run.json")" = 1 ]
}

@test "GitHub's files are written when they are set" {
	quick
	GITHUB_OUTPUT=$WORLD/output GITHUB_STEP_SUMMARY=$WORLD/summary \
		rollout_start
	rollout_ends 0
	grep -qx 'outcome=promoted' "$WORLD/output"
	grep -qx 'exit=0' "$WORLD/output"
	grep -qx "candidate=$CANDIDATE" "$WORLD/output"
	grep -q promoted "$WORLD/summary"
}

@test "nothing that is piped has escape sequences" {
	quick
	"$TIDEGATE" run backend --policy "$WORLD/policy.yaml" \
		>"$WORLD/out" 2>"$WORLD/err"
	[ -s "$WORLD/out" ]
	[ -s "$WORLD/err" ]
	not grep -q $'\e' "$WORLD/out" "$WORLD/err"
	grep -q promoted "$WORLD/out"
}

@test "NO_COLOR is honoured on a terminal" {
	quick
	NO_COLOR=1 TERM=xterm script -qec \
		"'$TIDEGATE' run backend --policy '$WORLD/policy.yaml'" \
		"$WORLD/typescript" >/dev/null </dev/null
	grep -q promoted "$WORLD/typescript"
	not grep -qE $'\e\\[[0-9;]*m' "$WORLD/typescript"
}

@test "secrets are in no file, no line and no argument" {
	export HOOK_SECRET=hush-$RANDOM$RANDOM
	STEPS=$GATE quick 'hooks:' '  started:' \
		'    - {name: leak, type: exec, command: [sh, -c, "echo it is $MINE; exit 1"], env: {MINE: "${HOOK_SECRET}"}}' \
		"    - {name: call, type: http, url: \"$FRONT/x?key=\${HOOK_SECRET}\", headers: {X-Key: \"\${HOOK_SECRET}\"}, expect: {status: 418}}"
	rollout_start
	until_step 20
	tr '\0' '\n' <"/proc/$RUN_PID/cmdline" >"$WORLD/argv"
	grep -q backend "$WORLD/argv"
	not grep -e "$HOOK_SECRET" -e e2e-token "$WORLD/argv"
	until_in awaiting-approval
	tide approve --as bob
	rollout_ends 0
	# The action said it, but nobody wrote it down.
	said '.event == "action" and .name == "leak" and
		(.detail | contains("it is"))'
	not grep -la -e "$HOOK_SECRET" -e e2e-token "$WORLD"/state.db* \
		"$WORLD/run.json" "$WORLD/run.err"
}

# It waits for the lease from before the revisions are known.
@test "who takes up what was in preflight then knows the revisions" {
	STEPS=$LONG quick
	fault '{"kind": "slow", "method": "GET", "path": "*/services/backend",
		"delay": "4s"}'
	rollout_start
	until_run has '"event":"started"'
	"$TIDEGATE" resume --format json >"$WORLD/resumed.json" 2>&1 3>&- &
	PIDS+=($!)
	until_step 20
	kill -KILL "$RUN_PID"
	wait "$RUN_PID" || true
	RUN_PID=${PIDS[-1]}
	until_true 20 grep -q '"event":"resumed"' "$WORLD/resumed.json"
	tide abort
	[ "$status" = 0 ]
	rollout_ends 6
	serves stable-1 100
}

@test "what runs is in the list, for programs too, however much has ended since" {
	at_gate
	for name in x y z; do
		run "$TIDEGATE" run "no-such-$name" --policy "$WORLD/policy.yaml"
		[ "$status" = 4 ]
	done
	run "$TIDEGATE" list --limit 2 --format json
	[ "$status" = 0 ]
	jq -e '[.[] | .phase] == ["awaiting-approval", "refused", "refused"]' \
		<<<"$output"
	run "$TIDEGATE" list --unfinished --format json
	[ "$status" = 0 ]
	jq -e '[.[] | .phase] == ["awaiting-approval"]' <<<"$output"
	kill -INT "$RUN_PID"
	rollout_ends 6
}
