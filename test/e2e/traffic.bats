#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2034
# What a rollout may move, when, and what it leaves alone.

load world
load rollout
load shared

setup_file() { shared_open; }
teardown_file() { shared_close; }
setup() { shared_begin; }
teardown() { shared_end; }

refused() { # TEXT: preflight said so, and nothing was written
	rollout_ends 4
	finished '.outcome == "refused" and .exit == 4'
	tail -n 1 "$WORLD/run.json" | jq -r .reason | grep -qF -e "$1"
	[ -z "$(writes)" ]
}

@test "a split is refused, and its table is shown" {
	control PUT /traffic "{\"stable-1\": 70, \"$CANDIDATE\": 30}"
	until_true 10 serves stable-1 70
	quick
	rollout_start
	refused stable-1
	said ".event == \"preflight\" and (.table | tostring |
		contains(\"stable-1\") and contains(\"$CANDIDATE\") and
		contains(\"70\") and contains(\"30\"))"
	serves stable-1 70
}

@test "a split of candidate and stable is accepted with --adopt" {
	control PUT /traffic "{\"stable-1\": 70, \"$CANDIDATE\": 30}"
	until_true 10 serves stable-1 70
	quick
	rollout_start --adopt
	rollout_ends 0
	serves "$CANDIDATE" 100
}

@test "a third revision in the split is refused even with --adopt" {
	control POST /deploy '{"revision": "third-'"$RANDOM"'"}'
	local third
	third=$(api GET "$ADMIN/sandbox" | jq -r '.revisions[-1].name')
	control PUT /traffic \
		"{\"stable-1\": 60, \"$CANDIDATE\": 30, \"$third\": 10}"
	until_true 10 serves stable-1 60
	quick
	rollout_start --adopt --candidate "$CANDIDATE"
	refused "$third"
}

@test "a candidate that is not ready is refused" {
	control POST "/revisions/$CANDIDATE" '{"ready": false}'
	quick
	rollout_start --candidate "$CANDIDATE"
	refused 'not ready'
}

@test "a candidate that does not exist is refused" {
	quick
	rollout_start --candidate nobody-1
	refused nobody-1
}

@test "a candidate that is stable already is refused" {
	quick
	rollout_start --candidate stable-1
	refused 'nothing to release'
}

@test "a candidate that was rolled back before needs --again" {
	STEPS=$LONG quick
	rollout_start
	until_step 20
	kill -INT "$RUN_PID"
	rollout_ends 6
	api DELETE "$ADMIN/sandbox/log" >/dev/null
	quick
	rollout_start
	refused --again
	rollout_start --again
	rollout_ends 0
	serves "$CANDIDATE" 100
}

@test "a query that does not parse is refused before anything moves" {
	QUERY='sum(rate(' quick
	rollout_start
	refused errors
}

@test "a query that yields several series is refused before anything moves" {
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

@test "a gate that nobody could pass is refused before anything moves" {
	STEPS='[{percent: 20, bake: 1s, approval: {approvers: [alice]}}, {percent: 100, bake: 1s}]' quick
	rollout_start
	refused self_approval
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

@test "the candidate has its tag before preflight and loses it at the end" {
	quick 'tag: candidate' 'preflight:' \
		'  - {name: smoke, type: http, url: "{{candidate_url}}/api/v1/health", expect: {status: 200, body: healthy}}'
	rollout_start
	rollout_ends 0
	said '.event == "action" and .name == "smoke" and .result == "ok"'
	writes | jq -s -e '.[0].body.traffic |
		any(.tag == "candidate" and (.percent // 0) == 0)'
	not grep '"candidate"' <<<"$(traffic)"
	serves "$CANDIDATE" 100
}

@test "a refusal takes the candidate's tag away again" {
	quick 'tag: candidate' 'preflight:' \
		'  - {name: smoke, type: exec, command: ["false"]}'
	rollout_start
	rollout_ends 4
	[ "$(writes | jq -s length)" = 2 ]
	[ "$(traffic)" = '["stable-1",100,""]' ]
}

@test "a tag that somebody else uses is refused" {
	control PUT /traffic '{"traffic": [
		{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
			"revision": "stable-1", "percent": 100,
			"tag": "candidate"}]}'
	quick 'tag: candidate'
	rollout_start
	refused 'another revision'
}

@test "LATEST is pinned by name in the first write" {
	control PUT /traffic '{"LATEST": 100}'
	until_true 10 serves "$CANDIDATE" 100
	# An older revision is released: LATEST means the one that serves.
	quick
	rollout_start --candidate stable-1
	rollout_ends 0
	writes | jq -s -e '.[0].body.traffic |
		all(.type | endswith("_REVISION")) and
		any(.revision == "'"$CANDIDATE"'" and .percent == 80)'
	# As found would be LATEST, which is not the candidate: it says so.
	said '.event == "warning" and (.text | contains("stays pinned"))'
	serves stable-1 100
}

@test "finish pinned leaves the candidate by name and says what follows" {
	quick 'finish: pinned'
	rollout_start
	rollout_ends 0
	finished '.reason | contains("pinned")'
	[ "$(traffic)" = "[\"$CANDIDATE\",100,\"\"]" ]
}

@test "finish latest lets traffic follow the latest revision" {
	quick 'finish: latest'
	rollout_start
	rollout_ends 0
	finished '.reason | contains("LATEST")'
	[ "$(traffic)" = '["LATEST",100,""]' ]
	serves "$CANDIDATE" 100
}

@test "settle and bake begin only when the split serves" {
	control PATCH '' '{"operationDelay": "2s"}'
	STEPS='[{percent: 100, bake: 1s}]' quick
	rollout_start
	rollout_ends 0
	# The first check is later than the write by what the operation takes.
	jq -s -e '
		def at: .time | sub("(\\.[0-9]+)?Z$"; "Z") | fromdateiso8601;
		(map(select(.event == "shift"))[0] | at) as $write |
		(map(select(.event == "step-started"))[0] | at) as $start |
		(map(select(.event == "check"))[0] | at) as $check |
		$start - $write >= 1 and $check - $write >= 1' "$WORLD/run.json"
	jq -s -e '(map(.event) | index("step-started")) <
		(map(.event) | index("check"))' "$WORLD/run.json"
}

@test "traffic changed by hand stops the rollout, and nothing is written" {
	STEPS=$LONG quick
	rollout_start
	until_step 20
	api DELETE "$ADMIN/sandbox/log" >/dev/null
	control PUT /traffic "{\"stable-1\": 50, \"$CANDIDATE\": 50}"
	rollout_ends 7
	finished '.outcome == "stopped" and .exit == 7'
	[ -z "$(writes)" ]
}

@test "traffic changed by hand is set back when the policy says reassert" {
	STEPS=$GATE quick 'on_drift: reassert'
	rollout_start
	until_step 20
	control PUT /traffic "{\"stable-1\": 50, \"$CANDIDATE\": 50}"
	until_run has '"event":"drift"'
	until_true 20 serves "$CANDIDATE" 20
	until_in awaiting-approval
	tide approve --as bob
	rollout_ends 0
}

@test "a change of tags by others is not drift" {
	STEPS=$GATE quick
	rollout_start
	until_step 20
	control PUT /traffic '{"traffic": [
		{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
			"revision": "stable-1", "percent": 80, "tag": "blue"},
		{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
			"revision": "'"$CANDIDATE"'", "percent": 20}]}'
	until_in awaiting-approval
	tide approve --as bob
	rollout_ends 0
	traffic | grep -q '"blue"'
}

@test "a revert never takes traffic from what others put in charge" {
	control POST /deploy "{\"revision\": \"fix-$RANDOM\"}"
	local fix
	fix=$(api GET "$ADMIN/sandbox" | jq -r '.revisions[-1].name')
	STEPS=$LONG SLO='max: 0, fail_after: 1, min_passes: 1' SETTLE=1h quick
	rollout_start --candidate "$CANDIDATE"
	until_step 20
	# In settle nothing looks at the traffic: the revert meets it first.
	control PUT /traffic "{\"$fix\": 100}"
	until_true 10 serves "$fix" 100
	api DELETE "$ADMIN/sandbox/log" >/dev/null
	kill -INT "$RUN_PID"
	rollout_ends 7
	[ -z "$(writes)" ]
	serves "$fix" 100
}

@test "a conflict over other fields is retried" {
	quick
	fault '{"kind": "drift", "method": "PATCH",
		"set": {"labels": {"team": "other"}}}'
	rollout_start
	rollout_ends 0
	writes | jq -s -e 'any(.[]; .status == 409)'
	serves "$CANDIDATE" 100
	[ "$(api GET "$SERVICE" | jq -r .labels.team)" = other ]
}

@test "a conflict over the traffic is drift" {
	quick
	fault '{"kind": "drift", "method": "PATCH", "set": {"traffic": [
		{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
			"revision": "stable-1", "percent": 90},
		{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
			"revision": "'"$CANDIDATE"'", "percent": 10}]}}'
	rollout_start
	rollout_ends 7
	serves stable-1 90
}

@test "where stale etags are not refused, a lost write is still noticed" {
	control PATCH '' '{"etag": "lax"}'
	STEPS=$LONG quick
	rollout_start
	until_step 20
	# Somebody writes after each read and before each write of ours.
	fault '{"kind": "drift", "method": "PATCH", "when": "after",
		"set": {"traffic": [
		{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
			"revision": "stable-1", "percent": 1},
		{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
			"revision": "'"$CANDIDATE"'", "percent": 99}]}}'
	kill -INT "$RUN_PID"
	rollout_ends 7
	has '"event":"drift"'
	serves "$CANDIDATE" 99
}
