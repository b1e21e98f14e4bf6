#!/usr/bin/env bats
# shellcheck disable=SC2154
# People and a rollout: approvals, aborts, signals, nobody there.

load world
load rollout

setup() {
	rollout_world
}

teardown() {
	world_close
}

@test "a signal takes the traffic back before the program ends" {
	policy
	rollout_start
	until_true 30 said '.event == "step-started"'
	kill -TERM "$RUN_PID"
	rollout_ends 6
	serves backend-1 100
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

@test "somebody who may approve lets it go on" {
	policy
	sed -i 's/{percent: 100, bake: 3s}/{percent: 100, bake: 1s, approval: {approvers: [bob]}}/' \
		"$WORLD/policy.yaml"
	rollout_start
	until_true 40 said '.phase == "awaiting-approval"'
	local id
	id=$(jq -r -s '.[0].rollout' "$WORLD/run.json")
	run "$TIDEGATE" approve "$id" --as alice
	[ "$status" = 4 ]
	serves backend-2 20
	"$TIDEGATE" approve "$id" --as bob
	rollout_ends 0
	said '.event == "command" and .who == "bob" and .verb == "approve"'
	serves backend-2 100
}

@test "an abort takes the traffic back with the name of who asked" {
	policy
	sed -i 's/bake: 3s/bake: 60s/g' "$WORLD/policy.yaml"
	rollout_start
	until_true 30 said '.event == "step-started"'
	"$TIDEGATE" abort "$(jq -r -s '.[0].rollout' "$WORLD/run.json")" \
		--as carol
	rollout_ends 6
	serves backend-1 100
	said '.event == "finished" and (.reason | contains("carol"))'
}
