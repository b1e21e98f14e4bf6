#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# What goes wrong on purpose in a simulation ends as it does for a rollout that
# lives: the same fault in the sandbox, the same phases, the same exit status.

bats_require_minimum_version 1.5.0

load world
load suite
load rollout
load shared

setup() { shared_begin; }
teardown() { shared_end; }

# What goes wrong does so before the bake is over, however busy the machine is.
EIGHT='[{percent: 20, bake: 8s}, {percent: 100, bake: 1s}]'

# A policy whose checks pass, or breach from the first one on.
passing() { # [YAML…]
	STEPS=${STEPS:-$EIGHT} SLO='max: 0, fail_after: 1, min_passes: 1' \
		quick 'hold_timeout: 2s' 'revert_timeout: 2s' "$@"
}

breaching() { # [YAML…]
	SETTLE=${SETTLE:-2s} SLO='max: -1, fail_after: 1, min_passes: 1' \
		quick 'hold_timeout: 2s' "$@"
}

writes_are() { # JSON-MEMBERS
	fault "{\"method\": \"PATCH\", \"path\": \"*/services/backend\", $1}"
}

# simulated_too STATUS FAULT…: with what the Prometheus said in the last two
# minutes. The rollout that lived may have had several processes.
simulated_too() {
	local options=() fault
	for fault in "${@:2}"; do
		options+=(--fault "$fault")
	done
	"$WORKBENCH" record --policy "$WORLD/policy.yaml" --from -2m \
		--candidate "$CANDIDATE" --stable stable-1 \
		-o - 2>"$WORLD/record.err" |
		jq ".context.shift = ${SHIFT:-0.1}" >"$WORLD/recording.json"
	run --separate-stderr "$WORKBENCH" simulate --format json \
		--policy "$WORLD/policy.yaml" "${options[@]}" \
		"$WORLD/recording.json"
	echo "$output" >"$WORLD/sim.json"
	[ "$status" = "$1" ] || {
		echo "simulate: exit $status, expected $1: $stderr"
		jq -c '[.time, .event, .phase, .text]' "$WORLD/sim.json"
		return 1
	}
	diff <(journal "SELECT json_extract(data, '\$.to') FROM event
			WHERE name = 'phase' ORDER BY seq") \
		<(jq -r 'select(.event == "phase").to' "$WORLD/sim.json")
}

@test "metrics-down: held until they are back" {
	passing
	sed -i 's/hold_timeout: 2s/hold_timeout: 30s/' "$WORLD/policy.yaml"
	rollout_start
	until_step 20
	answers '{"hang": true}'
	until_in held
	answers '{"value": 0}'
	rollout_ends 0
	simulated_too 0 metrics-down@1s+6s
	jq -se 'any(.[]; .event == "phase" and .to == "held")' \
		"$WORLD/sim.json"
}

@test "metrics-down: rolled back when they stay away" {
	STEPS='[{percent: 20, bake: 1m}, {percent: 100, bake: 1s}]' passing
	rollout_start
	until_step 20
	answers '{"hang": true}'
	rollout_ends 5
	answers '{"value": 0}'
	simulated_too 5 metrics-down@1s+1h
}

@test "patch-503: tried again until it goes" {
	STEPS=$EIGHT SLO='max: 0, fail_after: 1, min_passes: 1' \
		quick 'hold_timeout: 2s' 'revert_timeout: 30s'
	writes_are '"kind": "status", "status": 503, "for": "1500ms"'
	rollout_start
	rollout_ends 0
	simulated_too 0 patch-503@0s+1500ms
}

@test "patch-503: nothing moves when it never goes" {
	passing
	writes_are '"kind": "status", "status": 503, "for": "1h"'
	rollout_start
	rollout_ends 5
	serves stable-1 100
	simulated_too 5 patch-503@0s+1h
}

@test "patch-503: the way back is tried again" {
	breaching
	rollout_start
	until_step 20
	writes_are '"kind": "status", "status": 503, "for": "4s"'
	rollout_ends 5
	serves stable-1 100
	simulated_too 5 patch-503@1s+4s
}

@test "patch-503: a person is needed when there is no way back" {
	SETTLE=8s breaching 'revert_timeout: 2s' "rollback:
  - {name: flag-off, type: exec, command: [touch, $WORLD/off]}
hooks:
  rolled_back:
    - name: page
      type: exec
      command: [sh, -c, 'echo \"\$1\" >$WORLD/page', page, \"{{reason}}\"]"
	rollout_start
	until_step 20
	writes_are '"kind": "status", "status": 503, "for": "1h"'
	rollout_ends 9
	grep -q 'could not be given its traffic back' "$WORLD/page"
	[ ! -e "$WORLD/off" ]
	simulated_too 9 patch-503@1s+1h
}

@test "patch-lost: what was written is found, both ways" {
	passing
	writes_are '"kind": "reset", "when": "after", "for": "1h"'
	rollout_start
	rollout_ends 0
	serves "$CANDIDATE" 100
	simulated_too 0 patch-lost@0s+1h
	# … and back.
	control PUT /traffic '{"stable-1": 100}'
	export TIDEGATE_STATE=$WORLD/back.db
	breaching
	rollout_start --again
	rollout_ends 5
	serves stable-1 100
	simulated_too 5 patch-lost@0s+1h
}

@test "drift: stops it, or is set back" {
	passing
	rollout_start
	until_step 20
	control PUT /traffic '{"stable-1": 100}'
	rollout_ends 7
	simulated_too 7 drift@2s
	export TIDEGATE_STATE=$WORLD/reassert.db
	passing 'on_drift: reassert'
	rollout_start --again
	until_step 20
	control PUT /traffic '{"stable-1": 100}'
	rollout_ends 0
	simulated_too 0 drift@2s
}

# killed: at this instant, and taken up again; sets RUN_PID
killed() {
	kill -KILL "$RUN_PID"
	wait "$RUN_PID" || true
	"$TIDEGATE" resume --format json >>"$WORLD/run.json" \
		2>>"$WORLD/run.err" 3>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
}

@test "crash: taken up again where it baked" {
	passing
	rollout_start
	until_step 20
	killed
	rollout_ends 0
	simulated_too 0 crash@2s+1s
}

@test "crash: taken up again on the way back" {
	control PATCH '' '{"operationDelay": "2s"}'
	breaching
	rollout_start
	until_in reverting
	killed
	rollout_ends 5
	serves stable-1 100
	# The first check is at 4 s, two seconds pass until stable serves.
	SHIFT=2 simulated_too 5 crash@5s+1s
}
