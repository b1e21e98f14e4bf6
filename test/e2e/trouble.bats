#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
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

# Each of its names has a lease of its own. The sandbox knows no numbers: the first
# is as one that was started by one, and its driver is gone.
@test "a service is not released under two names at once" {
	local id
	STEPS=$LONG quick
	rollout_start
	until_step 20
	kill -KILL "$RUN_PID"
	wait "$RUN_PID" || true
	id=$(journal 'SELECT id FROM rollout')
	sqlite3 "$TIDEGATE_STATE" "UPDATE rollout SET service = 'projects/123456' ||
		substr(service, instr(service, '/locations/')); DELETE FROM lease"
	control PUT /traffic '{"stable-1": 100}'
	until_true 20 serves stable-1 100
	run timeout 120 "$TIDEGATE" run backend --policy "$WORLD/policy.yaml"
	echo "exit $status: $output"
	[ "$status" = 4 ]
	[[ $output == *"is being released as projects/123456/"*", rollout $id"* ]]
	run "$WORKBENCH" check --live backend --policy "$WORLD/policy.yaml"
	[[ $output == *'being released as projects/123456/'* ]]
	# Another one of that name, elsewhere, is none of it.
	sqlite3 "$TIDEGATE_STATE" "UPDATE event SET data = replace(data, '\"uid\":\"', '\"uid\":\"0')"
	run "$WORKBENCH" check --live backend --policy "$WORLD/policy.yaml"
	[[ $output != *'being released'* ]]
}

# locked: by another program, as a backup does it, until unlocked.
locked() {
	mkfifo "$WORLD/key"
	{
		echo '.bail on' # locked is said when it is
		echo '.timeout 10000'
		echo 'BEGIN EXCLUSIVE;'
		echo '.print locked'
		echo ".shell timeout 120 cat '$WORLD/key'"
		echo 'ROLLBACK;'
	} | sqlite3 "$TIDEGATE_STATE" >"$WORLD/lock" 3>&- &
	PIDS+=("$!")
	LOCK_PID=$!
	until_true 10 grep -q locked "$WORLD/lock"
}

unlocked() {
	kill -0 "$LOCK_PID" # it was locked until now
	echo >"$WORLD/key"
	until_true 10 is_gone "$LOCK_PID"
}

waits_for() { # SECOND, and for the journal
	[ $SECONDS -gt "$1" ] && grep -q event=journal-waits "$WORLD/run.err"
}

@test "a state file that is locked for six seconds stops nothing" {
	local from to

	STEPS='[{percent: 20, bake: 12s}, {percent: 100, bake: 1s}]' quick
	rollout_start
	until_step 20
	locked
	from=$(date +%s%3N)
	until_true 20 waits_for $((SECONDS + 6))
	to=$(date +%s%3N)
	unlocked
	rollout_ends 0
	serves "$CANDIDATE" 100
	grep -q event=journal-goes-on "$WORLD/run.err"
	# Checks were asked all the while, not only before and after: there was
	# one in each third of it.
	[ "$(journal "SELECT count(DISTINCT
		(time_ms - $from) * 3 / ($to - $from)) FROM event WHERE
		name = 'check' AND time_ms BETWEEN $from AND $to - 1")" = 3 ]
	journal_has_no_gaps
}

@test "a breach that meets a locked state file is reverted at once" {
	STEPS=$LONG quick
	rollout_start
	until_step 20
	locked
	hurt
	until_true 20 serves stable-1 100
	unlocked
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

# As a driver left it that lost its lease before its first entry was written.
@test "a rollout that never began is ended, and holds up nothing" {
	quick
	rollout_start
	rollout_ends 0
	control PUT /traffic '{"stable-1": 100}'
	sqlite3 "$TIDEGATE_STATE" "INSERT INTO rollout (id, service, candidate,
		stable, policy_name, policy_path, policy_digest, options, starter,
		started_ms, phase) SELECT 'backend-left', service, '', '',
		policy_name, policy_path, policy_digest, options, starter,
		started_ms + 1, 'preflight' FROM rollout"
	run timeout -k 5 30 "$TIDEGATE" resume backend-left
	echo "exit $status: $output"
	[ "$status" = 4 ]
	[[ $output == *'it was left before it began'* ]]
	rollout_start --again
	rollout_ends 0
	serves "$CANDIDATE" 100
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

# with_descriptors N ARG…: under that limit. Its last one is already a copy.
with_descriptors() {
	run bash -c 'exec 3>&-; ulimit -n "$1"; exec timeout 60 "${@:2}"' - \
		"$1" "$TIDEGATE" "${@:2}"
	[ "$status" -lt 124 ] && return
	echo "$*: exit $status, $output"
	return 1
}

# They would be refused, the daemon for its port.
@test "who begins without a descriptor says so, and does not die of it" {
	local n port=${ADMIN##*:} said=0
	quick
	echo 'revert_timeout: 1s' >>"$WORLD/policy.yaml"
	for n in {5..24}; do
		with_descriptors "$n" run backend --candidate stable-1 \
			--policy "$WORLD/policy.yaml"
		((status == 4)) || [[ $output == *'Too many open files'* ]]
		with_descriptors "$n" rollback backend \
			--policy "$WORLD/policy.yaml"
		((status == 4)) || [[ $output == *': '* ]]
		with_descriptors "$n" serve --policies "$WORLD" \
			--listen "127.0.0.1:${port%/}"
		((status == 1))
		[[ $output != *'Too many open files'* ]] || ((++said))
	done
	((said > 4))
	serves stable-1 100
}
