#!/usr/bin/env bats
# shellcheck disable=SC2154
# `run` and `resume` against a Cloud Run that answers and a real Prometheus.

load world
load rollout

setup() {
	rollout_world
}

teardown() {
	world_close
}

@test "a good candidate is promoted, step by step" {
	policy
	rollout_start
	rollout_ends 0
	said '.event == "step-started" and .percent == 20'
	said '.event == "check" and .outcome == "pass"'
	said '.event == "finished" and .outcome == "promoted" and .exit == 0'
	serves backend-2 100
	# Lines are numbered without gaps and every one has its place.
	jq -e -s '[.[].seq] == [range(1; length + 1)]' "$WORLD/run.json"
	jq -e -s 'all(.[]; .time and .rollout and .event and .phase)' \
		"$WORLD/run.json"
}

@test "a breach takes the traffic back and runs the sequence" {
	policy 'rollback:' \
		'  - {name: note, type: exec, command: [touch, "'"$WORLD"'/undone"]}'
	rollout_start
	until_true 30 said '.event == "step-started"'
	control POST /revisions/backend-2 '{"errors": "50%"}'
	rollout_ends 5
	serves backend-1 100
	[ -e "$WORLD/undone" ]
	said '.event == "breach" and .slo == "error-rate"'
	said '.event == "finished" and .outcome == "rolled-back" and .exit == 5'
	# What was rolled back is not released again by accident.
	control POST /revisions/backend-2 '{"errors": "0%"}'
	rollout_start
	rollout_ends 4
	said '.event == "finished" and (.reason | contains("--again"))'
}

@test "a signal takes the traffic back before the program ends" {
	policy
	rollout_start
	until_true 30 said '.event == "step-started"'
	kill -TERM "$RUN_PID"
	rollout_ends 6
	serves backend-1 100
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

@test "preflight refuses and names all that is wrong" {
	policy 'preflight:' \
		'  - {name: probe, type: exec, command: [no-such-program]}'
	sed -i 's/sum(rate(http_requests_total{revision="{{candidate}}"}/(&/' \
		"$WORLD/policy.yaml"
	control POST /revisions/backend-2 '{"ready": false}'
	rollout_start --candidate backend-2
	rollout_ends 4
	serves backend-1 100
	said '.event == "preflight" and (.reason | contains("not ready"))'
	said '.event == "preflight" and (.reason | contains("error-rate"))'
	said '.event == "preflight" and (.reason | contains("no-such-program"))'
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

@test "people who do not come in time leave it waiting" {
	policy
	sed -i 's/{percent: 100, bake: 3s}/{percent: 100, bake: 3s, approval: {approvers: [bob], timeout: 1h}}/' \
		"$WORLD/policy.yaml"
	rollout_start --wait 2s
	rollout_ends 8
	serves backend-2 20
	said '.event == "finished" and .outcome == "waiting"'
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
