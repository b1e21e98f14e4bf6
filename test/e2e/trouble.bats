#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2034
# Rivals, and a journal that cannot be written: what must not hurt anybody.

load world
load rollout
load shared

setup_file() { shared_open; }
teardown_file() { shared_close; }
setup() { shared_begin; }
teardown() { shared_end; }

@test "a second run of the service waits and is refused by name" {
	STEPS=$LONG quick
	rollout_start
	until_step 20
	# A holder that is alive keeps its lease for as long as it renews it.
	run timeout 120 "$TIDEGATE" run backend --policy "$WORLD/policy.yaml"
	[ "$status" = 4 ]
	[[ $output == *"pid $RUN_PID"* ]]
	kill -INT "$RUN_PID"
	rollout_ends 6
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
