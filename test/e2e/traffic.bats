#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# What a rollout may move, when, and what it leaves alone.

load world
load suite
load rollout
load shared

setup() { shared_begin; }
teardown() { shared_end; }

refused() { # TEXT: preflight said so, and nothing was written
	rollout_ends 4
	finished '.outcome == "refused" and .exit == 4'
	tail -n 1 "$WORLD/run.json" | jq -r .reason | grep -qF -e "$1"
	[ -z "$(writes)" ]
}

@test "a split of candidate and stable is accepted with --adopt" {
	control PUT /traffic "{\"stable-1\": 70, \"$CANDIDATE\": 30}"
	until_true 10 serves stable-1 70
	quick
	rollout_start --adopt
	rollout_ends 0
	serves "$CANDIDATE" 100
}

@test "a candidate that was rolled back before needs --again" {
	STEPS=$LONG quick
	rollout_start
	until_step 20
	kill -INT "$RUN_PID"
	rollout_ends 6
	sandbox_ask DELETE /log
	quick
	rollout_start
	refused --again
	rollout_start --again
	rollout_ends 0
	serves "$CANDIDATE" 100
}

@test "a query that yields several series is refused before anything moves" {
	shared_metered
	QUERY='vector(0) or label_replace(vector(1), "a", "b", "", "")' quick
	rollout_start
	refused series
}

@test "metrics that are down are noticed before anything moves" {
	PROMETHEUS_URL=http://127.0.0.1:1
	quick
	rollout_start
	refused errors
}

@test "tags and entries of others survive every write, in their order" {
	control POST /deploy "{\"revision\": \"idle-$RANDOM\"}"
	local idle entries
	idle=$(api GET "$ADMIN/sandbox" | jq -r '.revisions[-1].name')
	control PUT /traffic '{"traffic": [
		{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
			"revision": "'"$idle"'", "tag": "first"},
		{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
			"revision": "stable-1", "percent": 100, "tag": "green"},
		{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST",
			"tag": "preview"}]}'
	quick 'tag: candidate'
	rollout_start --candidate "$CANDIDATE"
	rollout_ends 0
	traffic
	[ "$(traffic | grep -v "^\\[\"$CANDIDATE\"")" = \
		"[\"$idle\",0,\"first\"]
[\"stable-1\",0,\"green\"]
[\"LATEST\",0,\"preview\"]" ]
	# Not only at the end: in each of the writes.
	writes | jq -s -e 'length >= 4 and all(.[]; [.body.traffic[] |
		select(.tag == "first" or .tag == "green" or
			.tag == "preview") | .tag] ==
		["first", "green", "preview"])'
}

@test "traffic changed by hand stops the rollout, tells, and writes nothing" {
	STEPS=$LONG quick 'hooks:' '  stopped:' '  - name: tell' '    type: exec' \
		'    command: [sh, -c, "echo \"$@\" >>'"$WORLD"'/told", tell, "{{candidate}}", "{{reason}}"]'
	rollout_start
	until_step 20
	sandbox_ask DELETE /log
	control PUT /traffic "{\"stable-1\": 50, \"$CANDIDATE\": 50}"
	rollout_ends 7
	finished '.outcome == "stopped" and .exit == 7'
	[ -z "$(writes)" ]
	[[ $(<"$WORLD/told") == "$CANDIDATE traffic is not what was last set"* ]]
	said '.event == "action" and .name == "tell" and .result == "ok"'
}
