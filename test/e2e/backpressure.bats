#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# Backpressure: what is printed is not read, cannot be written, has nowhere to
# go. The rollout goes as if nobody looked, and ends with the same exit status.

load world
load suite
load rollout
load shared

setup() {
	shared_begin
	HELD=()
}

teardown() {
	local fd

	for fd in "${HELD[@]}"; do exec {fd}>&-; done
	shared_end
}

# blocked NAME: a pipe that is full, and held open by who never reads it
blocked() {
	local fd

	mkfifo "$WORLD/$1"
	exec {fd}<>"$WORLD/$1"
	HELD+=("$fd")
	dd if=/dev/zero of="$WORLD/$1" bs=4k count=4096 oflag=nonblock \
		2>/dev/null || true
}

# closed NAME: a pipe whose reader goes away after the first line
closed() {
	mkfifo "$WORLD/$1"
	head -n 1 "$WORLD/$1" >"$WORLD/$1.first" 3>&- &
	PIDS+=($!)
}

# start COMMAND…: in the background, without the pipes that are held open
start() {
	(
		for fd in "${HELD[@]}"; do exec {fd}>&-; done
		exec "$@" 3>&-
	) &
	PIDS+=($!)
}

# begin OUT ERR [OPTION…]: `run` into these two
begin() {
	local out=$1 err=$2

	shift 2
	start "$TIDEGATE" run backend --policy "$WORLD/policy.yaml" "$@" \
		>"$out" 2>"$err"
	RUN_PID=${PIDS[-1]}
}

another() {
	CANDIDATE=$CANDIDATE-b
	control POST /deploy "{\"revision\": \"$CANDIDATE\"}"
	answers '{"value": 0}'
}

# ends STATUS SECONDS: it does, in time (PATIENCE for a busy machine)
ends() {
	local status=0

	until_true "$2" run_is_gone || {
		kill -KILL "$RUN_PID"
		wait "$RUN_PID" || true
		return 1
	}
	wait "$RUN_PID" || status=$?
	[ "$status" = "$1" ] || {
		echo "exit $status, expected $1"
		return 1
	}
}

# Its users get errors: they are taken from it, and it ends with 5.
goes_back() {
	until_true 20 serves "$CANDIDATE" 20
	hurt
	until_true 10 serves stable-1 100
	ends 5 15
	[ "$(journal "SELECT count(*) FROM event WHERE name = 'breach'")" = 1 ]
	# Found by the first check after it, answered within two seconds.
	[ "$(journal "SELECT max(time_ms) FILTER (WHERE name = 'traffic') -
		min(time_ms) FILTER (WHERE name = 'breach') < 2000 + \
		$((${PATIENCE:-3} * 1000)) FROM event")" = 1 ]
}

@test "standard output that is not read: JSON lines" {
	blocked out
	STEPS=$LONG quick
	begin "$WORLD/out" "$WORLD/err" --format json
	goes_back
	grep -qE '^tidegate: cannot write to standard output: it is not read \([0-9]+ lines lost\)$' \
		"$WORLD/err"
}

@test "standard output that is not read: text" {
	blocked out
	STEPS=$LONG quick
	begin "$WORLD/out" "$WORLD/err"
	goes_back
	grep -q 'reverting' "$WORLD/err"
	grep -q 'standard output: it is not read' "$WORLD/err"
}

@test "standard error that is not read" {
	blocked err
	STEPS=$LONG quick
	begin "$WORLD/out" "$WORLD/err"
	goes_back
	grep -q ': rolled-back: ' "$WORLD/out"
}

@test "neither is read: it is driven, it goes back, it takes signals" {
	blocked out
	blocked err
	STEPS=$LONG quick
	begin "$WORLD/out" "$WORLD/err" --format json
	goes_back
	# Again, one pipe for both.
	another
	start "$TIDEGATE" run backend --policy "$WORLD/policy.yaml" \
		>"$WORLD/out" 2>&1
	RUN_PID=${PIDS[-1]}
	until_true 20 serves "$CANDIDATE" 20
	# The lease is renewed.
	local lease
	for _ in 1 2; do
		lease=$(journal 'SELECT * FROM lease')
		until_true 10 eval '[ "$(journal "SELECT * FROM lease")" != "$lease" ]'
	done
	kill -TERM "$RUN_PID"
	until_true 10 serves stable-1 100
	ends 6 15
}

@test "a signal while the last lines wait for a reader changes no exit status" {
	blocked out
	quick
	begin "$WORLD/out" "$WORLD/err" --format json
	until_true 30 has_ended
	kill -TERM "$RUN_PID"
	ends 0 15
}

# on_terminal: `run` on one that is stopped from the beginning; `keys` types
on_terminal() {
	mkfifo "$WORLD/keys"
	exec {KEYS}<>"$WORLD/keys"
	HELD+=("$KEYS")
	keys '\023'
	start env TERM=xterm LC_ALL=C.UTF-8 "$BATS_TEST_DIRNAME/terminal" \
		"$TIDEGATE" run backend --policy "$WORLD/policy.yaml" \
		<"$WORLD/keys" >"$WORLD/terminal"
	RUN_PID=${PIDS[-1]}
}

keys() {
	printf '%b' "$1" >&"$KEYS"
}

@test "a terminal that is stopped" {
	STEPS=$LONG quick
	on_terminal
	goes_back
}

@test "a terminal that goes on has every decision, a view, and the end" {
	STEPS=$LONG quick
	on_terminal
	until_true 20 serves "$CANDIDATE" 20
	keys '\021'
	until_true 10 grep -q 'candidate serves 20 %' "$WORLD/terminal"
	until_true 10 grep -q 's of 1h' "$WORLD/terminal"
	goes_back
	last_words_stand_below
}

# The view was taken away before them.
last_words_stand_below() {
	sed 's/.*\x1b\[J//' "$WORLD/terminal" | tail -n 2 >"$WORLD/last"
	grep -q ': rolled-back: ' "$WORLD/last"
	grep -q "$CANDIDATE serves 0 %" "$WORLD/last"
}

@test "a terminal that goes on at the very end has everything in its order" {
	STEPS=$LONG quick
	on_terminal
	until_true 20 serves "$CANDIDATE" 20
	hurt
	until_true 20 has_ended
	keys '\021'
	ends 5 15
	# It may have come too late for them, on a busy machine.
	if grep -q 'serves 0 %' "$WORLD/terminal"; then
		last_words_stand_below
	fi
}

has_ended() {
	[ "$(journal 'SELECT count(*) FROM rollout WHERE ended_ms > 0')" = 1 ]
}

@test "a full disk, and descriptors that are closed" {
	local ends

	STEPS=$LONG quick
	begin /dev/full "$WORLD/err" --format json
	goes_back
	grep -q 'cannot write to standard output: No space left on device' \
		"$WORLD/err"
	for ends in '>/dev/full 2>/dev/full' '>&- 2>&-'; do
		another
		eval 'start "$TIDEGATE" run backend --policy \
			"$WORLD/policy.yaml" '"$ends"
		RUN_PID=${PIDS[-1]}
		until_true 20 serves "$CANDIDATE" 20
		kill -INT "$RUN_PID"
		until_true 10 serves stable-1 100
		ends 6 15
	done
}

@test "a reader that goes away does not fail a good release" {
	closed out
	quick
	begin "$WORLD/out" "$WORLD/err" --format json
	ends 0 30
	serves "$CANDIDATE" 100
	grep -q 'cannot write to standard output: Broken pipe' "$WORLD/err"
	jq -e .seq "$WORLD/out.first"
	# Nothing that was put in its place was written into.
	journal 'PRAGMA integrity_check' | grep -qx ok
}

@test "a reader that comes late gets what there was room for, and the end" {
	blocked out
	STEPS=$LONG quick
	begin "$WORLD/out" "$WORLD/err" --format json
	until_true 20 serves "$CANDIDATE" 20
	start cat "$WORLD/out" >"$WORLD/late"
	until_true 15 test -s "$WORLD/late" # or there would be no reader
	local fd=${HELD[0]}
	exec {fd}>&-
	HELD=()
	hurt
	ends 5 20
	until_true 15 is_gone "${PIDS[-1]}"
	tr -d '\0' <"$WORLD/late" >"$WORLD/run.json"
	finished '.exit == 5'
	jq -e -s '[.[].seq] == [range(1; length + 1)]' "$WORLD/run.json"
	not grep -q 'cannot write' "$WORLD/err"
}

has_journaled() { # BYTES
	[ "$(journal 'SELECT sum(length(data)) FROM event')" -gt "$1" ]
}

@test "a reader that comes too late for some lines is told which" {
	local fd

	blocked out
	# Each check says its query.
	QUERY="$ERRORS # $(printf '%060000d' 0)"
	STEPS=$LONG quick
	begin "$WORLD/out" "$WORLD/err" --format json
	until_true 40 has_journaled 500000
	start cat "$WORLD/out" >"$WORLD/late"
	until_true 15 test -s "$WORLD/late"
	fd=${HELD[0]}
	exec {fd}>&-
	HELD=()
	until_true 20 grep -q '"event":"dropped"' "$WORLD/late"
	hurt
	ends 5 20
	until_true 15 is_gone "${PIDS[-1]}"
	tr -d '\0' <"$WORLD/late" >"$WORLD/run.json"
	finished '.exit == 5'
	# With them no number is missing.
	jq -e -s 'reduce .[] as $line (0;
		if . + ($line.count // 1) == $line.seq then $line.seq
		else error("after \(.)") end) > 0' "$WORLD/run.json"
	jq -e -s 'any(.[]; .event == "dropped" and .phase == "baking" and
		.percent == 20 and .rollout and .time)' "$WORLD/run.json"
}

@test "the workflow's files are a FIFO without a reader, and full" {
	mkfifo "$WORLD/summary"
	STEPS=$LONG quick
	GITHUB_STEP_SUMMARY=$WORLD/summary GITHUB_OUTPUT=/dev/full \
		begin "$WORLD/run.json" "$WORLD/err" --format json
	goes_back
	finished '.outcome == "rolled-back"'
	grep -q 'GITHUB_STEP_SUMMARY: cannot write .*: it does not take' \
		"$WORLD/err"
	grep -q 'GITHUB_OUTPUT: cannot write /dev/full: No space' "$WORLD/err"
	[ -p "$WORLD/summary" ]
}

@test "the workflow's files are written when they can be" {
	quick
	GITHUB_STEP_SUMMARY=$WORLD/summary GITHUB_OUTPUT=$WORLD/output \
		begin "$WORLD/run.json" "$WORLD/err" --format json
	ends 0 30
	grep -q '^### backend: promoted' "$WORLD/summary"
	grep -qx 'outcome=promoted' "$WORLD/output"
	[ ! -s "$WORLD/err" ]
}

@test "a report into a FIFO without a reader holds nothing up" {
	mkfifo "$WORLD/report"
	STEPS=$LONG quick 'hooks:' '  step_passed:' \
		'    - {name: written, type: report, path: report, timeout: 1h}' \
		'  started:' \
		'    - {name: soon, type: report, path: report, timeout: 1s}'
	begin "$WORLD/run.json" "$WORLD/err" --format json
	goes_back
	said '.event == "action" and .name == "soon" and .result == "failed"'
	[ -p "$WORLD/report" ]
}

@test "rollback takes the traffic back though nobody reads what it says" {
	control PUT /traffic "{\"stable-1\": 50, \"$CANDIDATE\": 50}"
	blocked out
	blocked err
	quick
	start "$TIDEGATE" rollback backend --policy "$WORLD/policy.yaml" \
		--to stable-1 --candidate "$CANDIDATE" \
		>"$WORLD/out" 2>"$WORLD/err"
	RUN_PID=${PIDS[-1]}
	until_true 10 serves stable-1 100
	ends 0 15
}

@test "rollback ends what another drives though nobody reads what it says" {
	STEPS=$LONG quick
	begin "$WORLD/run.json" "$WORLD/run.err" --format json
	until_true 20 serves "$CANDIDATE" 20
	local driver=$RUN_PID
	blocked out
	blocked err
	start "$TIDEGATE" rollback backend --policy "$WORLD/policy.yaml" \
		>"$WORLD/out" 2>"$WORLD/err"
	RUN_PID=${PIDS[-1]}
	until_true 10 serves stable-1 100
	ends 0 20
	RUN_PID=$driver
	ends 6 10
}

@test "what only looks still fails when its result cannot be written" {
	local verb

	quick
	begin "$WORLD/run.json" "$WORLD/err" --format json
	ends 0 30
	for verb in status list report "check $WORLD/policy.yaml" \
		"rollback backend --drill --policy $WORLD/policy.yaml"; do
		# shellcheck disable=SC2086
		run bash -c '"$@" >/dev/full' - "$TIDEGATE" $verb
		[ "$status" = 1 ]
		[[ $output == *"cannot write to standard output"* ]]
		# shellcheck disable=SC2086
		run bash -c '"$@" >&-' - "$TIDEGATE" $verb
		[ "$status" = 1 ]
	done
}
