#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# An admin API in trouble: on the way forward and on the way back.

load world
load suite
load rollout
load shared

setup() { shared_begin; }
teardown() { shared_end; }

# The service's reads and writes go wrong TIMES times, one way or another.
trouble() { # METHOD JSON-MEMBERS
	fault "{\"method\": \"$1\", \"path\": \"*/services/backend\", $2}"
}

fault_was_met() {
	# What was used up is forgotten.
	api GET "$ADMIN/sandbox/faults" | jq -e '.faults == []' >/dev/null
}

# Several kinds, one after the other, on the same method.
all_kinds() { # METHOD
	trouble "$1" '"kind": "status", "status": 429, "retryAfter": "1s"'
	trouble "$1" '"kind": "status", "status": 500'
	trouble "$1" '"kind": "status", "status": 503'
	trouble "$1" '"kind": "reset"'
}

promoted() {
	rollout_ends 0
	serves "$CANDIDATE" 100
	fault_was_met
}

back() { # interrupted: everything is as it was
	kill -INT "$RUN_PID"
	rollout_ends 6
	serves stable-1 100
	fault_was_met
	has '"event":"retry"'
}

@test "forward, writes answered 429, 500, 503 or not at all are repeated" {
	quick
	all_kinds PATCH
	rollout_start
	promoted
}

@test "a write whose answer is lost is read back, not repeated" {
	STEPS='[{percent: 100, bake: 1s}]' quick
	trouble PATCH '"kind": "reset", "when": "after"'
	rollout_start
	promoted
	# The second takes the tag away that keeps stable.
	[ "$(writes | jq -s length)" = 2 ]
}

@test "a write that hangs does not hang the revert" {
	STEPS=$LONG quick
	rollout_start
	until_step 20
	trouble PATCH '"kind": "hang", "delay": "2s"'
	back
}

@test "an operation that fails for good takes the traffic back" {
	quick
	trouble PATCH '"kind": "operation-error", "code": 9, "message": "bad luck", "times": 3'
	rollout_start
	rollout_ends 5
	serves stable-1 100
	finished '.reason | contains("bad luck")'
}

@test "without the permission to write, nothing moves and it says so" {
	control PATCH '' '{"deny": ["run.services.update"]}'
	quick
	rollout_start
	rollout_ends 5
	serves stable-1 100
	finished '.reason | contains("run.services.update")'
}
