#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034,SC2016
# The commands of the runbook in the trouble that they are for, as they stand
# there, in their order: each does what its section says.

load world
load suite
load rollout
load shared

# What is not run here, and why.
NOT_RUN=(
	'TidegateClock timedatectl: it asks the systemd of the host'
	'TidegateWatchdog curl: ports of the host; prometheus.bats has the alert'
)

setup() {
	shared_begin
	RUNBOOK=$BATS_TEST_DIRNAME/../../contrib/docs/runbook.md
	mkdir "$WORLD/bin"
	ln -s "$(realpath "$TIDEGATE")" "$WORLD/bin/tidegate"
	ln -s "$BATS_TEST_DIRNAME/bin/gcloud" "$WORLD/bin/"
	export PATH=$WORLD/bin:$PATH
	export PROJECT=acme REGION=us-central1
	export POLICY=$WORLD/policy.yaml STABLE=stable-1
}

teardown() { shared_end; }

# section NAME: "" is what stands before the first one. Its commands.
section() {
	awk -v want="$1" '/^## / { name = $2 }
		/^```sh$/ { on = name == want; next }
		/^```$/ { on = 0 }
		on' "$RUNBOOK"
}

# does NAME [STATUS…]: its commands one after the other; exit statuses are 0
# where none is given. What they say is in DONE.
does() {
	local name=$1 line status n=0

	shift
	DONE=
	while read -r line; do
		n=$((n + 1))
		status=0
		DONE+=$(SERVICE=backend bash -c "$line" 2>&1 3>&-)$'\n' ||
			status=$?
		[ "$status" = "${!n:-0}" ] || {
			echo "exit $status: $line" "$DONE"
			return 1
		}
	done < <(section "$name")
	[ "$n" != 0 ]
}

# The rollout of the alert's description.
begun() { # PHASE [OPTION…]
	rollout_start "${@:2}"
	until_in "$1"
	ROLLOUT=$(rollout_id)
	export ROLLOUT
}

@test "every section with commands is in one of these tests, or says why not" {
	local name

	while read -r name; do
		[ -z "${name#-}" ] || grep -qE "^	does $name( |$)" \
			"$BATS_TEST_FILENAME" ||
			[[ ${NOT_RUN[*]} == *"$name "* ]] || {
			echo "nobody runs the commands of $name"
			return 1
		}
	done < <(awk '/^## / { name = $2 } /^```sh$/ { print name "-" }' \
		"$RUNBOOK" | sed 's/-$//' | sort -u)
}

@test "a rollout that nobody drives is taken up" {
	STEPS=$SHORT SETTLE=1s quick
	begun baking
	kill -KILL "$RUN_PID"
	until_true 10 is_gone "$RUN_PID"
	does TidegateDown
	[[ $DONE == *"$ROLLOUT"*"promoted"* ]]
	serves "$CANDIDATE" 100
}

@test "users are given back while reverts are refused, and the rollout ends" {
	STEPS=$LONG quick
	begun baking
	fault '{"kind": "status", "status": 503, "method": "PATCH", "times": "always"}'
	hurt
	until_in reverting
	does TidegateRevertFailing
	[[ $DONE == *reverting* ]]
	until_true 20 serves stable-1 100
	rollout_ends 5
	finished '.outcome == "rolled-back"'
}

@test "what a rollback left undone is done again, and nothing else" {
	local say="sh, -c, 'echo said >>$WORLD/said'"

	STEPS=$LONG quick "rollback:
  - {name: say, type: exec, command: [$say]}
  - {name: need, type: exec, command: [test, -e, $WORLD/there], on_failure: stop, idempotent: true}"
	begun baking
	hurt
	rollout_ends 9
	heal
	touch "$WORLD/there"
	does TidegateRollbackFailed
	[[ $DONE == *need* ]]
	does TidegateActionFailed
	serves stable-1 100
}

@test "a rollout without metrics is seen by the look and aborted" {
	STEPS=$LONG quick
	begun baking
	answers '{"status": 503}'
	until_in held
	does TidegateRolloutStuck
	does TidegateMetricsBlind 4
	[[ $DONE == *fail*slo*503* ]]
	rollout_ends 6
	serves stable-1 100
}

@test "where the journal lies is looked at, and who else changed the traffic" {
	STEPS=$LONG quick
	begun baking
	does TidegateJournalUnwritable
	[[ $DONE == *"$TIDEGATE_STATE"* ]]
	control PUT /traffic '{"stable-1": 50, "'"$CANDIDATE"'": 50}'
	until_in stopped
	does TidegateDrift
	[[ $DONE == *stopped*'"percent": 50'* ]]
	control PUT /traffic '{"stable-1": 100}'
	does TidegateDrillOverdue
}
