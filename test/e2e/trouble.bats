#!/usr/bin/env bats
# shellcheck disable=SC2154
# Crashes, full disks, dead metrics, rivals: what must not hurt anybody.

load world
load rollout

setup() {
	rollout_world
}

teardown() {
	world_close
}

@test "a killed run is resumed where it was" {
	policy
	rollout_start
	until_true 30 said '.event == "step-started"'
	kill -KILL "$RUN_PID"
	wait "$RUN_PID" || true
	serves backend-2 20
	run "$TIDEGATE" resume --format json
	[ "$status" = 0 ]
	[[ $output == *'"event":"resumed"'* ]]
	[[ $output == *'"outcome":"promoted"'* ]]
	serves backend-2 100
}

@test "traffic changed by somebody else stops the rollout" {
	policy
	rollout_start
	until_true 30 said '.event == "step-started"'
	control PUT /traffic '{"backend-1": 50, "backend-2": 50}'
	rollout_ends 7
	serves backend-2 50
	said '.event == "drift"'
}

@test "a second run of the service waits and is refused by name" {
	policy
	sed -i 's/bake: 3s/bake: 60s/g' "$WORLD/policy.yaml"
	rollout_start
	until_true 30 said '.event == "step-started"'
	# A holder that is alive keeps its lease for as long as it renews it.
	run timeout 45 "$TIDEGATE" run backend --policy "$WORLD/policy.yaml"
	[ "$status" = 4 ]
	[[ $output == *"pid $RUN_PID"* ]]
	kill -INT "$RUN_PID"
	rollout_ends 6
}

# A limit on the size of files does what a full disk does.
@test "a journal that cannot be written any more takes the traffic back" {
	policy
	sed -i 's/bake: 3s/bake: 60s/g' "$WORLD/policy.yaml"
	(
		ulimit -f 160 # KiB
		exec "$TIDEGATE" run backend --policy "$WORLD/policy.yaml"
	) >"$WORLD/out" 2>"$WORLD/err" 3>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	until_true 30 serves backend-2 20
	local status=0
	wait "$RUN_PID" || status=$?
	cat "$WORLD/out" "$WORLD/err"
	[ "$status" = 1 ]
	serves backend-1 100
	grep -q 'error: the journal cannot be written; traffic was given back' \
		"$WORLD/out"
	grep -q event=journal-lost "$WORLD/err"
}

@test "metrics that go away hold the rollout until they are back" {
	policy
	sed -i 's/bake: 3s/bake: 8s/g' "$WORLD/policy.yaml"
	rollout_start
	until_true 30 said '.event == "check" and .outcome == "pass"'
	kill -STOP "$PROMETHEUS_PID"
	until_true 40 said '.event == "phase" and .to == "held"'
	serves backend-2 20
	kill -CONT "$PROMETHEUS_PID"
	rollout_ends 0
}
