#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2034
# Rivals, and a journal that cannot be written: what must not hurt anybody.

load world
load suite
load rollout
load shared

setup() { shared_begin; }
teardown() { shared_end; }

@test "a second run of the service waits and is refused by name" {
	STEPS=$LONG quick
	rollout_start
	until_step 20
	# A holder that is alive keeps its lease for as long as it renews it.
	run timeout 120 "$TIDEGATE" run backend --policy "$WORLD/policy.yaml"
	echo "exit $status: $output"
	[ "$status" = 4 ]
	[[ $output == *"pid $RUN_PID"* ]]
	kill -INT "$RUN_PID"
	rollout_ends 6
}

# locked_for SECONDS: by another program, as a backup does it.
locked_for() {
	{
		echo '.bail on' # locked is said when it is
		echo '.timeout 10000'
		echo 'BEGIN EXCLUSIVE;'
		echo '.print locked'
		echo ".shell sleep $1"
		echo 'ROLLBACK;'
	} | sqlite3 "$TIDEGATE_STATE" >"$WORLD/lock" 3>&- &
	PIDS+=("$!")
	LOCK_PID=$!
	until_true 10 grep -q locked "$WORLD/lock"
}

@test "a state file that is locked for six seconds stops nothing" {
	STEPS='[{percent: 20, bake: 12s}, {percent: 100, bake: 1s}]' quick
	rollout_start
	until_step 20
	locked_for 6
	rollout_ends 0
	serves "$CANDIDATE" 100
	grep -q event=journal-waits "$WORLD/run.err"
	grep -q event=journal-goes-on "$WORLD/run.err"
	# Checks were asked all the while, not only before and after.
	[ "$(journal "SELECT max(gap) < 3000 FROM (SELECT time_ms -
		lag(time_ms) OVER (ORDER BY seq) AS gap FROM event
		WHERE name = 'check')")" = 1 ]
	journal_has_no_gaps
}

@test "a breach that meets a locked state file is reverted at once" {
	STEPS=$LONG quick
	rollout_start
	until_step 20
	locked_for 9
	hurt
	until_true 3 serves stable-1 100
	kill -0 "$LOCK_PID" # it is still locked
	rollout_ends 5
	serves stable-1 100
	said '.event == "breach"'
	journal_has_no_gaps
}

written_back() {
	serves stable-1 100 && grep -q event=journal-late "$WORLD/err"
}

# A limit on the size of files does what a full disk does.
@test "a journal that cannot be written any more takes the traffic back" {
	STEPS=$LONG quick
	(
		ulimit -f 160 # KiB
		exec "$TIDEGATE" run backend --policy "$WORLD/policy.yaml"
	) >"$WORLD/out" 2>"$WORLD/err" 3>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	until_true 60 written_back
	# It stays, since there may be space again; a signal ends that.
	kill -TERM "$RUN_PID"
	local status=0
	wait "$RUN_PID" || status=$?
	cat "$WORLD/out" "$WORLD/err"
	[ "$status" = 1 ]
	serves stable-1 100
	# It had users, before it was too late.
	grep -q 'baking 20 %' "$WORLD/out" "$WORLD/err"
	grep -q 'error: the journal cannot be written; traffic was given back' \
		"$WORLD/out"
	grep -q event=journal-lost "$WORLD/err"
}

@test "a journal that is deleted while it is written takes the traffic back" {
	STEPS=$LONG quick
	rollout_start
	until_step 20
	rm "$TIDEGATE_STATE"*
	rollout_ends 1
	serves stable-1 100
	finished '.outcome == "error" and
		(.reason | contains("deleted or replaced"))'
}

@test "a journal that is deleted in part takes the traffic back" {
	STEPS=$LONG quick
	rollout_start
	until_step 20
	rm "$TIDEGATE_STATE-wal"
	rollout_ends 1
	serves stable-1 100
	finished '.outcome == "error" and
		(.reason | contains("deleted or replaced"))'
}

checks_since_resume() { # NUMBER of them
	[ "$(grep -cF '"event":"check"' "$WORLD/run.json")" -ge "$1" ]
}

@test "a journal of a clock that was ahead does not stop the watch" {
	STEPS=$LONG quick
	rollout_start
	until_step 20
	kill -KILL "$RUN_PID"
	rollout_ends 137
	sqlite3 "$TIDEGATE_STATE" 'UPDATE event SET time_ms = time_ms + 3600000'
	"$TIDEGATE" resume --format json >"$WORLD/run.json" \
		2>"$WORLD/run.err" 3>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	until_run checks_since_resume 3
	kill -INT "$RUN_PID"
	rollout_ends 6
	serves stable-1 100
}

@test "a run that stood still goes on watching before it goes on" {
	STEPS='[{percent: 20, bake: 4s}, {percent: 100, bake: 1s}]' quick
	rollout_start
	until_run has '"event":"check"'
	kill -STOP "$RUN_PID"
	answers '{"value": 1}'
	local from=$SECONDS
	until_true 30 eval "[ \$((SECONDS - $from)) -ge 6 ]"
	kill -CONT "$RUN_PID"
	rollout_ends 5
	serves stable-1 100
	not said '.event == "step-passed"'
	said '.event == "warning" and (.text | contains("nothing was watched"))'
}
