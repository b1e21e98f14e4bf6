#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# `run` is killed at 10 random instants; `resume` ends each rollout right. What a
# death at every single instant does is shown by test/replay/crash_test.

load world
load suite
load rollout
load shared
load crash

LANES=5
TRIALS=2 # in each lane: each kind of phase once

setup() {
	shared_begin
	SHARED=$WORLD
}

teardown() { shared_end; }

@test "a run killed at any instant is ended right by resume" {
	local seed=${TIDEGATE_CRASH_SEED:-$((RANDOM + 1))} lane lanes=()

	echo "# TIDEGATE_CRASH_SEED=$seed" >&3
	for ((lane = 0; lane < LANES; lane++)); do
		crash_lane "$lane" $((seed + lane)) "$TRIALS" $((lane * 2)) \
			3>&- &
		lanes+=($!)
	done
	wait "${lanes[@]}"
	cat "$SHARED"/[0-9]
	[ "$(cat "$SHARED"/[0-9] | wc -l)" = $((LANES * TRIALS)) ]
	not grep ^BAD "$SHARED"/[0-9]
	# Each kind was tried; where exactly a kill hits is the machine's affair.
	for phase in "${CRASH_KINDS[@]}"; do
		grep -q "^ok $phase " "$SHARED"/[0-9] ||
			{ echo "$phase was not tried"; false; }
	done
}
