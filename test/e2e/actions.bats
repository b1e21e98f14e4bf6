#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034,SC2016
# Preflight actions, hooks, the rollback sequence, health.

load world
load suite
load rollout
load shared

setup() { shared_begin; }
teardown() { shared_end; }

# note NAME [KEYS]: an action that writes down that it ran.
note() {
	echo "  - {name: $1, type: exec, command: [sh, -c, \"echo $1 >>$WORLD/notes\"]${2:+, $2}}"
}

failing() { # NAME [KEYS]
	echo "  - {name: $1, type: exec, command: [sh, -c, \"echo $1 >>$WORLD/notes; exit 3\"]${2:+, $2}}"
}

notes() {
	[ "$(tr '\n' ' ' <"$WORLD/notes")" = "$* " ] || {
		cat "$WORLD/notes"
		return 1
	}
}

interrupted() { # EXIT
	until_step 20
	kill -INT "$RUN_PID"
	rollout_ends "$1"
	serves stable-1 100
	journal_has_no_gaps
}

@test "hooks run at their time and know the facts" {
	quick 'hooks:' '  started:' "  $(note started)" \
		'  step_passed:' "  $(note passed)" '  promoted:' \
		'    - {name: facts, type: exec, command: [sh, -c, "env >'"$WORLD"'/facts"], env: {MINE: own}}'
	rollout_start
	rollout_ends 0
	notes started passed passed
	grep -qx "TIDEGATE_CANDIDATE=$CANDIDATE" "$WORLD/facts"
	grep -qx 'TIDEGATE_STABLE=stable-1' "$WORLD/facts"
	grep -qx 'TIDEGATE_PERCENT=100' "$WORLD/facts"
	grep -qx 'MINE=own' "$WORLD/facts"
	grep -qx 'TIDEGATE_SERVICE=backend' "$WORLD/facts"
	grep -qx "TIDEGATE_ROLLOUT=$(rollout_id)" "$WORLD/facts"
	# Nothing of our own environment that the policy does not name.
	not grep -q CLOUDSDK_AUTH_ACCESS_TOKEN "$WORLD/facts"
	not grep -q e2e-token "$WORLD/facts"
}

@test "a hook with on_failure stop holds until a person continues" {
	quick 'hooks:' '  step_passed:' "  $(failing bad 'on_failure: stop')"
	rollout_start
	until_in held
	serves "$CANDIDATE" 20
	tide continue
	[ "$status" = 0 ]
	until_run said '.event == "phase" and .to == "shifting" and .percent == 20'
	until_run eval "[ \$(grep -c '\"to\":\"held\"' '$WORLD/run.json') = 2 ]"
	tide continue
	[ "$status" = 0 ]
	rollout_ends 0
	notes bad bad
}

@test "a hook that fails is counted and stops nothing" {
	quick 'hooks:' '  started:' "  $(failing bad)"
	rollout_start
	rollout_ends 0
	finished '.actions_failed == 1'
}

@test "the rollback sequence runs in order, after the revert" {
	STEPS=$LONG quick 'rollback:' "$(note one)" \
		'  - {name: look, type: exec, command: [sh, -c, "curl -s '"$ADMIN"'/sandbox >'"$WORLD"'/seen"]}' \
		"$(note two)" "$(note three)" 'hooks:' '  rolled_back:' \
		"  $(note after)"
	rollout_start
	interrupted 6
	notes one two three after
	# When the first of them ran, users were served by stable already.
	jq -e '.revisions[] | select(.name == "stable-1").percent == 100' \
		"$WORLD/seen"
}

@test "an action of the sequence is retried, then the next one runs" {
	STEPS=$LONG quick 'rollback:' "$(failing bad 'retries: 1')" "$(note two)"
	rollout_start
	interrupted 6
	notes bad bad two
	finished '.actions_failed == 1'
	said '.event == "action" and .name == "bad" and .attempt == 2 and
		.result == "failed"'
}

@test "a sequence that is told to stops, and a person is needed" {
	STEPS=$LONG quick 'rollback:' "$(failing bad 'on_failure: stop')" \
		"$(note two)"
	rollout_start
	interrupted 9
	notes bad
	finished '.outcome == "rollback-failed"'
}

@test "actions run only for the reasons they are meant for" {
	STEPS=$LONG quick 'rollback:' "$(note slo 'when: [slo]')" \
		"$(note interrupt 'when: [interrupt]')" \
		"$(note abort 'when: [abort]')"
	rollout_start
	interrupted 6
	notes interrupt
	said '.event == "action-skipped" and .name == "slo"'
}

@test "health that fails after the rollback needs a person" {
	STEPS=$LONG quick 'health:' "$(failing bad)"
	rollout_start
	interrupted 9
	finished '.outcome == "rollback-failed" and
		(.reason | contains("healthy"))'
}

@test "health is asked for until it is good" {
	STEPS=$LONG quick 'health:' \
		"  - {name: up, type: http, url: \"$FRONT/api/v1/health\", expect: {status: 200}, attempts: 3, every: 100ms}"
	rollout_start
	interrupted 6
	said '.event == "action" and .name == "up" and .result == "ok"'
}

@test "an action that does not end is stopped in time" {
	STEPS=$LONG quick 'rollback:' \
		'  - {name: slow, type: exec, command: [sleep, "60"], timeout: 1s, idempotent: true}' \
		"$(note two)"
	rollout_start
	interrupted 6
	notes two
	said '.event == "action" and .name == "slow" and
		.result == "failed" and .duration_ms >= 900'
}

@test "an action that is cut off and may not be repeated needs a person" {
	STEPS=$LONG quick 'rollback:' \
		'  - {name: slow, type: exec, command: [sleep, "60"], timeout: 1s, idempotent: false}'
	rollout_start
	interrupted 9
}

@test "an action that may not be repeated is left to a person after a crash" {
	STEPS=$LONG quick 'rollback:' \
		'  - {name: once, type: exec, idempotent: false, command: [sh, -c, "echo once >>'"$WORLD"'/notes; sleep 60"], timeout: 2m}' \
		"$(note two)"
	rollout_start
	until_step 20
	kill -INT "$RUN_PID"
	until_run test -s "$WORLD/notes"
	kill -KILL "$RUN_PID"
	rollout_ends 137
	run "$TIDEGATE" resume --format json
	[ "$status" = 9 ]
	notes once two
	[[ $output == *'finish it by hand'* ]]
	serves stable-1 100
}

@test "an action that may be repeated is, after a crash" {
	STEPS=$LONG quick 'rollback:' \
		'  - {name: twice, type: exec, idempotent: true, command: [sh, -c, "echo twice >>'"$WORLD"'/notes; [ $(wc -l <'"$WORLD"'/notes) = 2 ] || sleep 60"], timeout: 2m}'
	rollout_start
	until_step 20
	kill -INT "$RUN_PID"
	until_run test -s "$WORLD/notes"
	kill -KILL "$RUN_PID"
	rollout_ends 137
	run "$TIDEGATE" resume --format json
	[ "$status" = 6 ]
	notes twice twice
}
