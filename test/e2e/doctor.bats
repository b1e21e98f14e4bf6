#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034,SC2016
# tidegate check --live: a healthy project, broken ones, and each remedy: what
# it says is done, and then all is well.

load world
load suite
load rollout
load shared

setup() {
	shared_begin --revision old-1
	suite_start
	export PROMETHEUS_URL=$PROMETHEUS # queries are read for real
	PATH=$BATS_TEST_DIRNAME/bin:$PATH
	healthy
}

teardown() { shared_end; }

HOOK='{name: chat, type: webhook, url: "https://hooks.example.com/x"}'

healthy() { # [YAML…]: a policy that nothing is wrong with
	quick 'hooks:' '  rolled_back:' "    - $HOOK" "$@"
}

doctor() { # [OPTION…] sets status; the report, or why not, is in report.json
	run "$WORKBENCH" check --live "${WHO:-backend}" \
		--policy "$WORLD/policy.yaml" --format json "$@"
	# Warnings of the policy stand in front, from stderr.
	printf '%s\n' "$output" | grep '^{' >"$WORLD/report.json" ||
		printf '%s\n' "$output" >"$WORLD/report.json"
}

found() { # WHAT NAME RESULT: there is such a finding
	jq -e --arg what "$1" --arg name "$2" --arg result "$3" \
		'any(.findings[]; .what == $what and .name == $name and
			.result == $result)' "$WORLD/report.json" >/dev/null || {
		cat "$WORLD/report.json"
		return 1
	}
}

remedy() { # WHAT NAME
	jq -r --arg what "$1" --arg name "$2" '.findings[] |
		select(.what == $what and .name == $name) | .remedy' \
		"$WORLD/report.json"
}

sick() { # WHAT NAME [OPTION…]: this one fails, and nothing else
	local what=$1 name=$2

	shift 2
	doctor "$@"
	[ "$status" = 4 ]
	found "$what" "$name" fail
	jq -e '.fails == 1 and .ready == false and .exit == 4' \
		"$WORLD/report.json" >/dev/null
	remedy "$what" "$name" >"$WORLD/remedy"
	[ -s "$WORLD/remedy" ]
}

well() { # [OPTION…]
	doctor "$@"
	[ "$status" = 0 ] || {
		cat "$WORLD/report.json"
		return 1
	}
	jq -e '.ready and .fails == 0 and .exit == 0' "$WORLD/report.json" \
		>/dev/null
}

# Runs the command in the remedy as it stands there, from "gcloud" to its end.
apply() {
	local command

	command=$(grep -oE 'gcloud [^;"]*' "$WORLD/remedy")
	echo "applying: $command"
	eval "$command"
}

@test "a healthy project: every row is ok, and run agrees" {
	well
	jq -e '.warnings == 0 and (.findings | length) > 12 and
		all(.findings[]; .result == "ok") and
		.stable == "stable-1"' "$WORLD/report.json"
	jq -e --arg c "$CANDIDATE" '.candidate == $c and
		any(.findings[]; .what == "slo" and .name == "errors" and
			.stable.series == 1 and .stable.value == 0 and
			.stable.outcome == "pass" and
			.candidate.revision == $c and .candidate.series == 1)' \
		"$WORLD/report.json"
	[ ! -e "$TIDEGATE_STATE" ]
	# For people, and for a job's summary.
	export GITHUB_STEP_SUMMARY=$WORLD/summary.md
	run "$WORKBENCH" check --live backend --policy "$WORLD/policy.yaml"
	[ "$status" = 0 ]
	[[ $output == *'ready: a rollout of backend could run now; nothing was changed' ]]
	grep -q '^### backend: ready for a rollout$' "$WORLD/summary.md"
	[ "$(grep -c '^| ok | permission | run\.' "$WORLD/summary.md")" = 4 ]
	unset GITHUB_STEP_SUMMARY
	rollout_start
	rollout_ends 0
}

@test "it changes nothing, anywhere" {
	python3 "$BATS_TEST_DIRNAME/bin/listener" "$WORLD/heard" \
		>"$WORLD/listener" 3>&- &
	PIDS+=($!)
	until_true 20 test -s "$WORLD/listener"
	local hook
	hook=$(cat "$WORLD/listener")
	export SLACK=$hook/slack KEY=0123456789abcdef0123456789abcdef
	quick 'tag: canary' 'hooks:' '  started:' \
		"    - {name: mute, type: alertmanager-silence, url: \"$hook\", matchers: {a: b}}" \
		'  rolled_back:' \
		"    - {name: chat, type: slack, webhook: \"\${SLACK}\"}" \
		"    - {name: event, type: webhook, url: \"$hook/event\"}" \
		"    - {name: page, type: pagerduty, url: \"$hook/page\", routing_key: \"\${KEY}\"}" \
		'rollback:' \
		"  - {name: post, type: http, method: POST, url: \"$hook/post\"}" \
		"  - {name: note, type: exec, command: [touch, \"$WORLD/touched\"]}" \
		"  - {name: paper, type: report, path: \"$WORLD/report.md\"}" \
		'health:' "  - {name: up, type: http, url: \"$hook/up\"}"
	sandbox_ask DELETE /log
	doctor
	[ "$status" = 0 ] || {
		cat "$WORLD/report.json"
		return 1
	}
	# Cloud Run was read, and asked what we may do.
	api GET "$ADMIN/sandbox/log" >"$WORLD/log.json"
	jq -e '(.entries | length) >= 5 and all(.entries[]; .method == "GET" or
		(.method == "POST" and (.target | endswith(":testIamPermissions"))))' \
		"$WORLD/log.json"
	# Nobody was written to.
	cat "$WORLD/heard"
	grep -q '^GET /up' "$WORLD/heard"
	[ "$(grep -vc '^GET ' "$WORLD/heard")" = 0 ]
	[ ! -e "$WORLD/touched" ]
	[ ! -e "$WORLD/report.md" ]
	[ ! -e "$TIDEGATE_STATE" ]
}

@test "a token that has expired: a new one" {
	sandbox_start --project acme --revision stable-1 --revision two-1 \
		--traffic stable-1=100 --token fresh
	export CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN=$ADMIN/ GCLOUD_TOKEN=fresh
	export CLOUDSDK_AUTH_ACCESS_TOKEN=stale
	sick token refused
	found service backend skip
	grep -q 'into CLOUDSDK_AUTH_ACCESS_TOKEN' "$WORLD/remedy"
	CLOUDSDK_AUTH_ACCESS_TOKEN=$(eval \
		"$(grep -o 'gcloud auth print-access-token' "$WORLD/remedy")")
	well
}

@test "no credentials at all: a file of them" {
	unset CLOUDSDK_AUTH_ACCESS_TOKEN
	export HOME=$WORLD/nobody GCE_METADATA_HOST=127.0.0.1:1
	export GOOGLE_APPLICATION_CREDENTIALS=$WORLD/key.json
	sick credentials ''
	grep -q 'GOOGLE_APPLICATION_CREDENTIALS to a file' "$WORLD/remedy"
	grep -q 'google-github-actions/auth' "$WORLD/remedy"
	found service backend skip
	unset GOOGLE_APPLICATION_CREDENTIALS
	export CLOUDSDK_AUTH_ACCESS_TOKEN=e2e-token
	well
}

@test "a permission that is missing: the role that has it" {
	control PATCH '' '{"deny": ["run.services.update"]}'
	sick permission run.services.update
	apply
	well
	# One that can be done without is a warning.
	control PATCH '' '{"deny": ["run.operations.get"]}'
	well
	found permission run.operations.get warn
	remedy permission run.operations.get >"$WORLD/remedy"
	apply
	well
	found permission run.operations.get ok
}

@test "a service that is not there: one that is" {
	WHO=backnd sick service backnd
	WHO=$(apply | tail -n 1) well
}

@test "traffic that is split: all of it to one" {
	control PUT /traffic '{"stable-1": 70, "old-1": 30}'
	sick traffic ''
	jq -e 'any(.findings[]; .what == "traffic" and
		(.detail | contains("stable-1 70 %, old-1 30 %")))' \
		"$WORLD/report.json"
	# The queries are asked all the same, about who has most users.
	found slo errors ok
	apply
	until_true 10 serves stable-1 100
	well
}

@test "a candidate that is not ready: another one" {
	control POST /deploy '{"revision": "broken-1", "ready": false}'
	sick candidate broken-1 --candidate broken-1
	apply
	well
	[ "$(jq -r .candidate "$WORLD/report.json")" != broken-1 ]
	# Deployed last and not ready: what is released is another one.
	control POST /deploy '{"revision": "broken-2", "ready": false}'
	well
	jq -e 'any(.findings[]; .what == "candidate" and .result == "warn" and
		(.detail | contains("broken-2 was deployed later")))' \
		"$WORLD/report.json"
	well --candidate "$(jq -r .candidate "$WORLD/report.json")"
	sandbox_ask DELETE /revisions/broken-1
}

@test "a candidate that is stable: a new one" {
	control PUT /traffic "{\"$CANDIDATE\": 100}"
	until_true 10 serves "$CANDIDATE" 100
	sick candidate "$CANDIDATE"
	apply
	until_true 10 serves "$CANDIDATE" 100
	well
	[ "$(jq -r .stable "$WORLD/report.json")" = "$CANDIDATE" ]
}

# The line that the remedy names is where the SLO is; QUERY replaces it there.
correct() { # BAD GOOD
	local line

	line=$(grep -oE 'line [0-9]+' "$WORLD/remedy" | grep -oE '[0-9]+')
	grep -qF "$WORLD/policy.yaml" "$WORLD/remedy"
	sed -n "${line}p" "$WORLD/policy.yaml" | grep -q "$1"
	sed -i "${line}s/$1/$2/" "$WORLD/policy.yaml"
}

@test "a query that does not parse: a corrected one" {
	QUERY='sum(up' healthy
	sick slo errors
	jq -e 'any(.findings[]; .what == "slo" and
		(.detail | contains("parse error")))' "$WORLD/report.json"
	correct 'sum(up' 'vector(0)'
	well
}

@test "a query with several series: one that adds them up" {
	QUERY='{__name__=~"scrape_.*"}' healthy
	sick slo errors
	jq -e 'any(.findings[]; .what == "slo" and .stable.series > 1 and
		(.detail | contains("aggregate them")))' "$WORLD/report.json"
	correct '{__name__.*"}' 'sum(up) * 0'
	well
}

@test "stable breaches, or has no data: warnings, and what they mean" {
	QUERY='vector(7)' healthy
	well
	found slo errors warn
	remedy slo errors | grep -q 'stable itself breaches'
	QUERY='sum(no_such_metric)' healthy
	well
	found slo errors warn
	jq -e 'any(.findings[]; .what == "slo" and .stable.series == 0 and
		.stable.outcome == "no-data")' "$WORLD/report.json"
	remedy slo errors | grep -q 'labels that exist'
}

@test "a query about all revisions, a limit out of reach: warnings" {
	local SLO="max: 9000, fail_after: 1, min_passes: 1"
	QUERY='vector(7)' healthy
	well
	[[ $output == *"policy.yaml:"*"warning: this names neither"* ]]
	found slo errors warn
	jq -e 'any(.findings[]; .name == "errors" and (.detail | contains(
		"the candidate serves nobody: the query judges all revisions; max is 1286 times")))' \
		"$WORLD/report.json"
	remedy slo errors | grep -q 'scope: service'
	doctor --strict
	[ "$status" = 4 ]
	jq -e '.ready == false and .fails == 0 and .warnings >= 2' \
		"$WORLD/report.json"
	SLO="$SLO, scope: service"
	QUERY='vector(7)' healthy
	well
	[[ $output == "{"* ]]
	remedy slo errors | grep -q 'is the limit in the unit of the query'
	SLO=${SLO/9000/9}
	QUERY='vector(7)' healthy
	well
	found slo errors ok
}

@test "metrics that are down: up again" {
	export PROMETHEUS_URL=http://127.0.0.1:1
	sick slo errors
	grep -q 'see that the metrics are up' "$WORLD/remedy"
	export PROMETHEUS_URL=$PROMETHEUS
	well
}

@test "a program that is missing, and a secret: they are there" {
	healthy 'rollback:' \
		"  - {name: flush, type: exec, command: [\"$WORLD/flush\"]}"
	sick rollback flush
	jq -e --arg name "$WORLD/flush" 'any(.findings[]; .what == "rollback" and
		(.detail | contains($name)))' "$WORLD/report.json"
	printf '#!/bin/sh\n' >"$WORLD/flush"
	chmod +x "$WORLD/flush"
	well
	# A secret that cannot be read makes no policy at all.
	sed -i "s|{name: flush|{name: call, type: http, url: \"$FRONT/\", auth: {type: bearer, token_file: $WORLD/secret}}\n  - {name: flush|" \
		"$WORLD/policy.yaml"
	doctor
	[ "$status" = 3 ]
	grep -qF "$WORLD/secret" "$WORLD/report.json"
	printf 'correct-horse-battery' >"$WORLD/secret"
	well
	not grep -q horse "$WORLD/report.json"
}

@test "a service that does not answer its health check: one that does" {
	healthy 'preflight:' \
		"  - {name: smoke, type: http, url: \"$FRONT/\", expect: {status: 200}}"
	control POST /revisions/stable-1 '{"errors": "100%"}'
	doctor
	control POST /revisions/stable-1 '{"errors": "0%"}'
	[ "$status" = 4 ]
	found preflight smoke fail
	well
	found preflight smoke ok
}

@test "approvers that are only who starts it: somebody else, or oneself" {
	STEPS='[{percent: 20, bake: 1s}, {percent: 100, bake: 1s, approval: {approvers: [alice], minimum: 1}}]' healthy
	sick approval 'step 2'
	grep -q -e '--as' "$WORLD/remedy"
	well --as bob
	TIDEGATE_USER=bob well
	sed -i 's/minimum: 1}/minimum: 1, self_approval: true}/' "$WORLD/policy.yaml"
	well
	sed -i 's/, self_approval: true//; s/approvers: \[alice/&, bob/' \
		"$WORLD/policy.yaml"
	well
}

@test "an approver whose name nobody can have: another one" {
	STEPS='[{percent: 20, bake: 1s}, {percent: 100, bake: 1s, approval: {approvers: ["Bob Smith"]}}]' healthy
	sick approval 'step 2'
	sed -i 's/"Bob Smith"/"Bob Smith", bob/' "$WORLD/policy.yaml"
	well
}

@test "clocks that differ: set right" {
	control PATCH '' '{"clockAhead": "30m"}'
	sick clock ''
	grep -q 'timedatectl set-ntp true' "$WORLD/remedy"
	jq -e 'any(.findings[]; .what == "clock" and
		(.detail | contains(" s behind Google")))' "$WORLD/report.json"
	control PATCH '' '{"clockAhead": "1m"}'
	well
	found clock '' warn
	control PATCH '' '{"clockAhead": "0s"}'
	well
	found clock '' ok
}

@test "a lease that is held: its rollout is ended" {
	STEPS=$LONG healthy
	rollout_start
	until_step 20
	doctor
	[ "$status" = 4 ]
	found lease backend fail
	found traffic '' fail
	remedy lease backend >"$WORLD/remedy"
	local before
	before=$(journal 'SELECT count(*) FROM event')
	eval "$(grep -o 'tidegate abort .*' "$WORLD/remedy" |
		sed "s|^tidegate|$TIDEGATE|")"
	rollout_ends 6
	[ "$(journal 'SELECT count(*) FROM event')" -gt "$before" ]
	# It was taken back: that is told, and --again insists.
	sick candidate "$CANDIDATE"
	grep -q -e '--again' "$WORLD/remedy"
	well --again
	found lease backend ok
}

@test "a tag on another revision: taken off there" {
	healthy 'tag: canary'
	control PUT /traffic "$(jq -nc '{traffic: [
		{type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
			revision: "stable-1", percent: 100},
		{type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
			revision: "old-1", tag: "canary"}]}')"
	sick tag canary
	apply
	well
}

own_tag_serves() {
	api GET "$SERVICE" | jq -e \
		'any(.trafficStatuses[]; .tag == "candidate" and .uri)'
}

@test "a candidate's URL without a tag in the policy: one of its own" {
	healthy 'preflight:' \
		'  - {name: smoke, type: http, url: "{{candidate_url}}/health"}'
	sick tag ''
	apply
	until_true 20 own_tag_serves
	well
	found preflight smoke ok
	rollout_start
	rollout_ends 0
	api GET "$SERVICE" | jq -e --arg c "$CANDIDATE" \
		'any(.traffic[]; .tag == "candidate" and .revision == $c)'
}

@test "a URL that not everybody reaches matters where it is asked" {
	healthy 'tag: canary'
	fault '{"kind": "drift", "method": "GET", "when": "before",
		"set": {"ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY"}}'
	well
	found url '' ok
	printf '%s\n' 'preflight:' \
		'  - {name: smoke, type: http, url: "{{candidate_url}}/"}' \
		>>"$WORLD/policy.yaml"
	well
	found url '' warn
	found preflight smoke skip
	fault '{"kind": "drift", "method": "GET", "when": "before",
		"set": {"ingress": "INGRESS_TRAFFIC_ALL"}}'
	well
	found url '' ok
}

@test "a state file that cannot be: another one" {
	printf 'not a database' >"$WORLD/other"
	sick state "$WORLD/other" --state "$WORLD/other"
	grep -q -e '--state' "$WORLD/remedy"
	doctor --state "$WORLD/other/below/it.db"
	[ "$status" = 4 ]
	well --state "$WORLD/new/folder/it.db"
	[ ! -e "$WORLD/new" ]
}

@test "a policy that is none is told as ever, and so is wrong usage" {
	sed -i 's/max: 0/max: zero/' "$WORLD/policy.yaml"
	doctor
	[ "$status" = 3 ]
	[[ $output == *'policy.yaml:'*error* ]]
	run "$WORKBENCH" check --live backend
	[ "$status" = 2 ]
	run "$WORKBENCH" check --format json "$WORLD/policy.yaml"
	[ "$status" = 2 ]
	[[ $output == *--live* ]]
}
