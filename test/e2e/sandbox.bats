#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The sandbox from outside: curl as the client, a real Prometheus.

load world
load suite

setup() {
	world_open
}

teardown() {
	world_close
}

# front_counts N: "REVISION COUNT" lines for N requests
front_counts() {
	curl -sS --max-time 20 -o /dev/null -w '%header{x-revision}\n' \
		"$FRONT/?[1-$1]" | sort | uniq -c | awk '{ print $2, $1 }'
}

patch() {
	api PATCH "$SERVICE?updateMask=traffic" "$@"
}

# As any client would: api METHOD URL [CURL-OPTION…]
api() {
	local method=$1 url=$2

	shift 2
	curl -sS --max-time 20 -X "$method" -H 'Authorization: Bearer test' \
		-H 'Content-Type: application/json' "$url" "$@"
}

settled() {
	api GET "$SERVICE" | jq -e '(.reconciling | not) and
		.observedGeneration == .generation' >/dev/null
}

last_patch_status() {
	api GET "$ADMIN/sandbox/log?method=PATCH" | jq '.entries[-1].status'
}

@test "it says where it listens, only on loopback, and ends on a signal" {
	sandbox_start
	[[ $ADMIN == http://127.0.0.1:* && $FRONT == http://127.0.0.1:* ]]
	api GET "$SERVICE" | jq -e '.name | endswith("/services/backend")'
	local port
	for port in "${ADMIN##*:}" "${FRONT##*:}"; do
		run awk -v port="$(printf %04X "$port")" '$4 == "0A" {
			split($2, a, ":"); if (a[2] == port) print a[1] }' \
			/proc/net/tcp
		[ "$output" = 0100007F ]
	done
	run api GET "$SERVICE" -H 'Host: evil.example' -o /dev/null \
		-w '%{http_code}'
	[ "$output" = 403 ]
	kill -TERM "$SANDBOX_PID"
	wait "$SANDBOX_PID"
}

sent_at_least() { # N requests
	api GET "$ADMIN/metrics" | awk -v n="$1" \
		'/^http_requests_total/ { sum += $2 } END { exit sum < n }'
}

@test "it makes its own load and tells a shell and a Prometheus where it is" {
	local port
	sandbox_start --load 200 --prometheus-config "$WORLD/prometheus.yml"
	promtool check config "$WORLD/prometheus.yml"
	grep -qF "['${ADMIN#http://}']" "$WORLD/prometheus.yml"
	until_true 10 sent_at_least 100
	port=${ADMIN##*:}
	[ "$(env -i sh -c "$("$TIDEGATE" sandbox --env --port "$port" \
		--project acme)"' && echo "$CLOUDSDK_CORE_PROJECT" \
		"$CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN" "$PROMETHEUS_URL"')" = \
		"acme $ADMIN/ http://127.0.0.1:9090" ]
	run "$TIDEGATE" sandbox --env
	[ "$status" = 2 ]
	[[ $output == *'--env needs the sandbox'*'--port 8080'* ]]
	run "$TIDEGATE" sandbox --env --port 8080 --project 'a;b'
	[ "$status" = 2 ]
}

@test "bad options are refused before anything listens" {
	local option
	for option in --revision=Bad --revision=a:latency=1 --port=-1 \
		--revision=a:proxy=ftp://x --traffic=nobody=100 --etag=no \
		--set=uris --set=uris=gone --broken-revision=Bad --fault=x \
		'--fault={"kind": "drift"}'; do
		run "$TIDEGATE" sandbox "$option"
		[ "$status" = 2 ] || { echo "$option: $status $output"; false; }
	done
}

@test "a split serves only when the operation is done, and then for real" {
	# Long enough for a busy machine to look meanwhile.
	sandbox_start --revision one --revision two --operation-delay 6s
	[ "$(front_counts 50)" = "one 50" ]
	local operation counts
	operation=$(patch -d "$(split one 70 two)" | jq -r .name)
	api GET "$SERVICE" | jq -e '.reconciling and
		.traffic[0].percent == 70 and
		(.trafficStatuses[0].percent == 100)'
	counts=$(front_counts 5)
	[ "$counts" = "one 5" ] ||
		api GET "$ADMIN/v2/$operation" | jq -e .done
	api POST "$ADMIN/v2/$operation:wait" -d '{"timeout": "20s"}' |
		jq -e '.done and .response.generation == .response.observedGeneration'
	settled
	front_counts 1000 >"$WORLD/counts"
	local one two
	one=$(awk '$1 == "one" { print $2 }' "$WORLD/counts")
	two=$(awk '$1 == "two" { print $2 }' "$WORLD/counts")
	[ $((one + two)) = 1000 ]
	[ "$one" -gt 630 ]
	[ "$one" -lt 770 ]
}

@test "waiting for an operation ends with its timeout when it is not done" {
	sandbox_start --revision one --revision two --operation-delay 1m
	local operation
	operation=$(patch -d "$(split one 70 two)" | jq -r .name)
	api POST "$ADMIN/v2/$operation:wait" -d '{"timeout": "0.2s"}' |
		jq -e '.done | not'
}

@test "a revision that does not exist fails the operation, not the request" {
	sandbox_start --revision one --revision two --operation-delay 0
	local operation
	operation=$(patch -d "$(split one 50 gone)" | jq -r .name)
	api POST "$ADMIN/v2/$operation:wait" | jq -e '.error.code == 13 and
		(.error.message | startswith("Revision '\''gone'\'' does not exist"))'
	[ "$(serving one)" = 100 ]
	api GET "$SERVICE" | jq -e '
		.terminalCondition.state == "CONDITION_FAILED"'
}

@test "the URL of a tag leads to its revision" {
	sandbox_start --revision one --revision two --operation-delay 0
	patch -d '{"traffic": [
		{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
			"revision": "one", "percent": 100},
		{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
			"revision": "two", "tag": "candidate"}]}'
	until_true 15 settled
	local uri
	uri=$(api GET "$SERVICE" | jq -r '.trafficStatuses[1].uri')
	[ "$(curl -sS "$uri")" = "hello from two" ]
	curl -sS "$uri/api/v1/health" |
		jq -e '.status == "healthy" and .revision == "two"'
	[ "$(curl -sS -H 'Host: candidate---backend.localhost' "$FRONT/")" = \
		"hello from two" ]
	[ "$(curl -s -o /dev/null -w '%{http_code}' "$FRONT/.tag/none/")" = 404 ]
}

@test "a deploy is served at once where LATEST has the traffic" {
	sandbox_start --revision one
	[ "$(serving one)" = 100 ]
	api POST "$ADMIN/sandbox/deploy" -d '{"revision": "two"}'
	[ "$(front_counts 10)" = "two 10" ]
	api POST "$ADMIN/sandbox/deploy" \
		-d '{"revision": "three", "ready": false}'
	[ "$(front_counts 10)" = "two 10" ]
	api GET "$SERVICE" | jq -e '
		(.latestCreatedRevision | endswith("/three")) and
		(.latestReadyRevision | endswith("/two"))'
	api GET "$SERVICE/revisions/three" | jq -e '.conditions[] |
		select(.type == "Ready").state == "CONDITION_FAILED"'
}

@test "a failed deployment may be there from the start, or come slowly" {
	sandbox_start --revision one --revision two --broken-revision bad
	local failed='(.generation | tonumber) == (.observedGeneration | tonumber) + 1
		and (has("reconciling") | not)
		and .terminalCondition.state == "CONDITION_FAILED"
		and .trafficStatuses == [{revision: "one", percent: 100,
			type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"}]'
	api GET "$SERVICE" | jq -e "$failed"
	api POST "$ADMIN/sandbox/deploy" -d '{"revision": "good"}'
	api GET "$SERVICE" |
		jq -e '.terminalCondition.state == "CONDITION_SUCCEEDED"'
	api POST "$ADMIN/sandbox/deploy" -d '{"revision": "slow",
		"ready": false, "takes": "1h"}' | jq -e .deploying
	api GET "$SERVICE" | jq -e '.reconciling'
	sandbox_start --revision one --revision two
	api POST "$ADMIN/sandbox/deploy" -d '{"revision": "slow",
		"ready": false, "takes": "200ms", "message": "no such image"}' |
		jq -e .deploying
	until_true 10 settles_as "$failed"
	api GET "$SERVICE" | jq -e '.terminalCondition.message == "no such image"
		and .lastModifier == "somebody-else@example.com"'
	api PATCH "$ADMIN/sandbox" -d '{"observedWhenBroken": "stays"}' |
		jq -e '.options.observedWhenBroken == "stays"'
}

settles_as() {
	api GET "$SERVICE" | jq -e "$1" >/dev/null
}

@test "a service goes and comes back as another one" {
	sandbox_start --revision one --revision two
	local uid
	uid=$(api GET "$SERVICE" | jq -r .uid)
	api DELETE "$ADMIN/sandbox/service" >/dev/null
	api GET "$SERVICE" | jq -e '.error.code == 404'
	[ "$(curl -s -o /dev/null -w '%{http_code}' "$FRONT/")" = 404 ]
	api POST "$ADMIN/sandbox/service" >/dev/null
	api GET "$SERVICE" | jq -e --arg uid "$uid" '.uid != $uid and
		.generation == "1" and .traffic[0].revision == "one"'
	[ "$(front_counts 5)" = "one 5" ]
}

@test "a service may have a thousand revisions and a thousand tags" {
	sandbox_start --revision one --revision two --old-revisions 998 \
		--old-tags 1000 --operation-delay 0 --set uris=absent
	api GET "$SERVICE" >"$WORLD/service"
	jq -e '(.traffic | length) == 1001 and (has("uri") | not)' \
		"$WORLD/service"
	jq -c '{traffic: ([{type: .traffic[0].type, revision: "two",
		percent: 10}] + (.traffic | .[0].percent = 90))}' \
		"$WORLD/service" >"$WORLD/body"
	patch -d @"$WORLD/body" | jq -e .name
	until_true 15 settled
	[ "$(serving two)" = 10 ]
	[ "$(curl -sS "$FRONT/.tag/t1000/")" = "hello from backend-old-0002" ]
	api POST "$ADMIN/sandbox/deploy" -d '{"revision": "three"}' |
		jq -e '.error.status == "RESOURCE_EXHAUSTED"'
}

@test "a stale etag is a conflict, unless etags are lax" {
	sandbox_start --revision one --revision two --operation-delay 0
	local body
	body=$(split one 90 two | jq -c '. + {etag: "\"old\""}')
	patch -d "$body" | jq -e '.error.status == "ABORTED" and
		.error.code == 409'
	api PATCH "$ADMIN/sandbox" -d '{"etag": "lax"}' >/dev/null
	patch -d "$body" | jq -e .name
}

@test "a fault before the effect is an answer without a write" {
	sandbox_start --revision one --revision two --operation-delay 0
	fault '{"kind": "status", "status": 429, "retryAfter": "2s",
		"method": "PATCH", "path": "*/services/*", "times": 2}'
	local i
	for i in 1 2; do
		run patch -d "$(split one 90 two)" -o /dev/null \
			-w '%{http_code} %header{retry-after}'
		[ "$output" = "429 2" ] || { echo "$i: $output"; false; }
	done
	[ "$(serving one)" = 100 ]
	patch -d "$(split one 90 two)" | jq -e .name
	until_true 15 settled
	[ "$(serving one)" = 90 ]
	[ "$(api GET "$ADMIN/sandbox/log?method=PATCH" |
		jq -c '[.entries[].status]')" = '[429,429,200]' ]
	api GET "$ADMIN/sandbox/log?method=PATCH" |
		jq -e '.entries[0].body.traffic | length == 2'
}

@test "an answer can be what no API would say" {
	sandbox_start
	fault '{"kind": "status", "status": 502, "body": "<h1>bad gateway</h1>"}'
	run api GET "$SERVICE" -w ' %{http_code} %{content_type}'
	[ "$output" = "<h1>bad gateway</h1> 502 text/html" ]
	fault '{"kind": "status", "status": 200, "body": "{\"name\": "}'
	run api GET "$SERVICE" -w ' %{http_code}'
	[ "$output" = '{"name":  200' ]
}

@test "a fault after the effect hides a write that was applied" {
	sandbox_start --revision one --revision two --operation-delay 0
	fault '{"kind": "status", "status": 503, "method": "PATCH",
		"when": "after"}'
	patch -d "$(split one 90 two)" |
		jq -e '.error.status == "UNAVAILABLE"'
	until_true 15 settled
	[ "$(serving one)" = 90 ]
	fault '{"kind": "reset", "method": "PATCH", "when": "after"}'
	run patch -d "$(split one 80 two)"
	[ "$status" = 56 ] || [ "$status" = 52 ]
	[ "$(last_patch_status)" = 0 ]
	until_true 15 settled
	[ "$(serving one)" = 80 ]
}

@test "connections break and answers hang when asked to" {
	sandbox_start
	fault '{"kind": "reset"}'
	run api GET "$SERVICE"
	[ "$status" = 56 ] || [ "$status" = 52 ]
	fault '{"kind": "hang"}'
	run api GET "$SERVICE" --max-time 0.3
	[ "$status" = 28 ]
	fault '{"kind": "hang", "delay": "200ms"}'
	run api GET "$SERVICE"
	[ "$status" = 56 ] || [ "$status" = 52 ]
	fault '{"kind": "slow", "delay": "300ms"}'
	run api GET "$SERVICE" -o /dev/null -w '%{http_code} %{time_total}'
	[[ $output == "200 0."[3-9]* || $output == "200 "[1-9]* ]]
	api GET "$SERVICE" | jq -e .name
}

requests_came() {
	[ "$(api GET "$ADMIN/sandbox" | jq .adminRequests)" = "$1" ]
}

@test "hanging requests are let go when the faults are deleted" {
	sandbox_start
	fault '{"kind": "hang"}'
	api GET "$SERVICE" >/dev/null 2>&1 3>&- &
	local pid=$!
	until_true 15 requests_came 1
	api DELETE "$ADMIN/sandbox/faults" | jq -e '.faults == []'
	local status=0
	wait "$pid" || status=$?
	[ "$status" = 56 ] || [ "$status" = 52 ]
}

@test "operations fail or never end when asked to" {
	sandbox_start --revision one --revision two --operation-delay 0
	fault '{"kind": "operation-error", "method": "PATCH", "code": 9,
		"message": "bad luck"}'
	local operation
	operation=$(patch -d "$(split one 90 two)" | jq -r .name)
	api POST "$ADMIN/v2/$operation:wait" | jq -e '.error ==
		{"code": 9, "message": "bad luck"}'
	[ "$(serving one)" = 100 ]
	fault '{"kind": "operation-stuck", "method": "PATCH", "when": "after"}'
	operation=$(patch -d "$(split one 80 two)" | jq -r .name)
	until_true 15 settled
	[ "$(serving one)" = 80 ]
	api GET "$ADMIN/v2/$operation" | jq -e '.done | not'
}

@test "somebody deploys or cleans up between a read and a write" {
	sandbox_start --revision one --revision two --revision three \
		--operation-delay 0 --fault '{"kind": "drift", "method": "GET",
			"when": "after", "remove": "two"}'
	api GET "$SERVICE/revisions/two" | jq -e .name
	local operation
	operation=$(patch -d "$(split one 90 two)" | jq -r .name)
	api POST "$ADMIN/v2/$operation:wait" | jq -e '.error.message |
		contains("does not exist or is deleted")'
	fault '{"kind": "drift", "method": "PATCH",
		"deploy": {"revision": "four", "ready": false}}'
	api PATCH "$SERVICE" -d "$(split one 90 three)" >/dev/null
	api GET "$SERVICE" | jq -e '.latestCreatedRevision | endswith("/four")'
	api POST "$ADMIN/sandbox/faults" -d '{"kind": "drift", "service": "x"}' |
		jq -e '.error.code == 400'
}

@test "requests are counted, and a quota ends them" {
	sandbox_start --revision one --revision two --set writesPerMinute=2
	local i
	for i in 1 2 3; do
		patch -d "$(split one 90 two)" >"$WORLD/answer"
	done
	jq -e '.error.code == 429 and .error.status == "RESOURCE_EXHAUSTED"' \
		"$WORLD/answer"
	api GET "$SERVICE" | jq -e .name
	api GET "$ADMIN/sandbox/counts" | jq -e '.most.writes == 3 and
		.all.reads == 1'
	api DELETE "$ADMIN/sandbox/counts" | jq -e '.all.writes == 0'
	patch -d "$(split one 90 two)" | jq -e .name
}

@test "a revert is accepted and then fails, for as long as it is asked to" {
	sandbox_start --revision one --revision two --operation-delay 0
	patch -d "$(split one 90 two)" >/dev/null
	until_true 15 settled
	fault '{"kind": "operation-error", "times": "always",
		"writing": {"one": 100}}'
	local i operation
	for i in 1 2 3; do
		operation=$(patch -d "$(split one 100 two)" | jq -r .name)
		api POST "$ADMIN/v2/$operation:wait" |
			jq -e '.error.code == 13'
	done
	api GET "$SERVICE" | jq -e '.traffic[0].percent == 100 and
		.trafficStatuses[0].percent == 90 and
		(has("reconciling") | not)'
	patch -d "$(split one 80 two)" >/dev/null
	until_true 15 settled
	[ "$(serving one)" = 80 ]
}

@test "reads can be stale" {
	sandbox_start --revision one --revision two --operation-delay 0
	patch -d "$(split one 90 two)" >/dev/null
	until_true 15 settled
	fault '{"kind": "stale", "delay": "10m", "method": "GET"}'
	api GET "$SERVICE" | jq -e '.traffic | length == 1'
	api GET "$SERVICE" | jq -e '.traffic[0].percent == 90'
	fault '{"kind": "stale", "generations": 1, "times": "always"}'
	api GET "$SERVICE" | jq -e '.traffic | length == 1'
	api GET "$SERVICE" | jq -e '.traffic | length == 1'
}

@test "somebody else writes in between, or by hand" {
	sandbox_start --revision one --revision two --operation-delay 0
	local etag
	etag=$(api GET "$SERVICE" | jq .etag)
	fault '{"kind": "drift", "method": "PATCH",
		"set": {"labels": {"team": "other"}}}'
	patch -d "$(split one 90 two | jq -c ". + {etag: $etag}")" |
		jq -e '.error.status == "ABORTED"'
	api GET "$SERVICE" | jq -e '.labels.team == "other" and
		.lastModifier == "somebody-else@example.com"'
	api PUT "$ADMIN/sandbox/traffic" -d '{"two": 25, "LATEST": 75}'
	until_true 15 settled
	[ "$(serving two)" = 100 ]
	api PUT "$ADMIN/sandbox/traffic" -d '{"two": 25}' |
		jq -e '.error.status == "INVALID_ARGUMENT"'
	api POST "$ADMIN/sandbox/faults" \
		-d '{"kind": "drift", "set": {"labls": {}}}' |
		jq -e '.error.code == 400'
}

@test "permissions can be taken away" {
	sandbox_start
	api PATCH "$ADMIN/sandbox" -d '{"deny": ["run.operations.get"]}'
	api GET "${SERVICE%/services/*}/operations/x" | jq -e '
		.error.status == "PERMISSION_DENIED" and
		.error.details[0].metadata.permission == "run.operations.get"'
	run curl -s -o /dev/null -w '%{http_code}' "$SERVICE"
	[ "$output" = 401 ]
	# Which ones are held may always be asked; no wildcards.
	api POST "$SERVICE:testIamPermissions" -d '{"permissions":
		["run.services.get", "run.operations.get"]}' |
		jq -e '.permissions == ["run.services.get"]'
	api POST "$SERVICE:testIamPermissions" \
		-d '{"permissions": ["run.*"]}' | jq -e '.error.code == 400'
}

@test "a list of revisions is as long and as deep as it is asked for" {
	sandbox_start --revision one --revision two --revision three
	local url="$SERVICE/revisions?pageSize=2&fields=nextPageToken,revisions/name"
	api GET "$url" >"$WORLD/page"
	jq -e '(.revisions | length) == 2 and
		(.revisions[0] | keys == ["name"] and (.name | endswith("/three")))' \
		"$WORLD/page"
	api GET "$url&pageToken=$(jq -r .nextPageToken "$WORLD/page")" |
		jq -e '(.revisions | length) == 1 and has("nextPageToken") == false'
}

@test "the clock of the admin API can be another one" {
	sandbox_start
	api PATCH "$ADMIN/sandbox" -d '{"clockAhead": "30m"}'
	local date
	date=$(api GET "$SERVICE" -D - -o /dev/null | tr -d '\r' |
		sed -n 's/^Date: //p')
	ahead=$(($(date -d "$date" +%s) - $(date +%s)))
	[ "$ahead" -gt 1700 ]
	[ "$ahead" -lt 1900 ]
}

@test "a revision changes how it behaves while it runs" {
	sandbox_start --revision one
	api POST "$ADMIN/sandbox/revisions/one" \
		-d '{"latency": "150ms", "codes": {"503": "100%"}}'
	run curl -s -o /dev/null -w '%{http_code} %{time_total}' "$FRONT/health"
	[[ $output == "503 0."[1-9]* || $output == "503 "[1-9]* ]]
	api POST "$ADMIN/sandbox/revisions/one" -d '{"latancy": "1s"}' |
		jq -e '.error.code == 400'
	api POST "$ADMIN/sandbox/revisions/none" -d '{}' |
		jq -e '.error.code == 404'
}

@test "a revision can be a real process" {
	sandbox_start --revision inner
	local inner=$FRONT
	sandbox_start --revision "outer:proxy=$inner"
	run curl -s -w ' %{http_code} %header{x-revision}' "$FRONT/a/b?c=d"
	[ "$output" = $'hello from inner\n 200 outer' ]
	api POST "$ADMIN/sandbox/revisions/outer" \
		-d '{"proxy": "http://127.0.0.1:1"}'
	[ "$(curl -s -o /dev/null -w '%{http_code}' "$FRONT/")" = 502 ]
	api POST "$ADMIN/sandbox/revisions/outer" \
		-d '{"proxy": "http://example.com"}' | jq -e '.error.code == 400'
}

@test "a revision that Cloud Run collected is gone" {
	sandbox_start --revision one --revision two --revision three
	api DELETE "$ADMIN/sandbox/revisions/two" | jq -e .revisions
	api GET "$SERVICE/revisions/two" | jq -e '.error.code == 404'
	api DELETE "$ADMIN/sandbox/revisions/one" |
		jq -e '.error.status == "FAILED_PRECONDITION"'
	api DELETE "$ADMIN/sandbox/revisions/three" |
		jq -e '.error.status == "FAILED_PRECONDITION"'
	api DELETE "$ADMIN/sandbox/revisions/three?force=true" |
		jq -e '[.revisions[].name] == ["one"]'
}

@test "help and manual name every option, fault and deed of somebody else" {
	sandbox_start
	local word page=$BATS_TEST_DIRNAME/../../contrib/man/tidegate.1
	"$TIDEGATE" help sandbox >"$WORLD/help"
	mandoc -T ascii "$page" | sed 's,.\x08,,g' >"$WORLD/manual"
	api GET "$ADMIN/sandbox" | jq -r '.options | keys[]' >"$WORLD/words"
	[ "$(wc -l <"$WORLD/words")" -gt 10 ]
	# What a fault that nobody knows is answered with lists those that are.
	api POST "$ADMIN/sandbox/faults" -d '{"kind": "x"}' |
		jq -r '.error.message | sub(".*none of "; "") | split(", ")[]' \
		>>"$WORLD/words"
	grep -qx operation-stuck "$WORLD/words"
	while read -r word; do
		grep -qw -- "$word" "$WORLD/help"
		grep -qw -- "$word" "$WORLD/manual"
	done <"$WORLD/words"
	for word in set deploy remove ready service; do
		grep -qw -- "$word" "$WORLD/manual"
	done
}

has_value() {
	[ -n "$(prometheus_value "${1//SELF/$METERED}")" ]
}

near() {
	awk -v v="$(prometheus_value "${1//SELF/$METERED}")" -v from="$2" -v to="$3" \
		'BEGIN { exit !(v != "" && v + 0 >= from && v + 0 <= to) }'
}

@test "Prometheus sees errors and latencies of each revision" {
	sandbox_start --revision good:latency=5ms \
		--revision bad:latency=30ms,errors=50% --traffic good=50,bad=50
	curl -s "$METRICS" >"$WORLD/metrics"
	promtool check metrics <"$WORLD/metrics"
	metered "$BATS_TEST_NUMBER-$RANDOM"
	until_true 20 has_value 'http_requests_total{sandbox="SELF",revision="bad",code="500"}'
	curl -s -o /dev/null "$FRONT/?[1-1000000]" \
		>/dev/null 2>&1 3>&- &
	PIDS+=($!)
	until_true 30 near 'sum(rate(http_requests_total{sandbox="SELF",revision="bad",code=~"5.."}[5s]))
		/ sum(rate(http_requests_total{sandbox="SELF",revision="bad"}[5s]))' 0.4 0.6
	until_true 30 near 'histogram_quantile(0.5, sum by (le) (rate(
		http_request_duration_seconds_bucket{sandbox="SELF",revision="bad"}[5s])))' \
		0.025 0.1
	near 'sum(rate(http_requests_total{sandbox="SELF",revision="good",code=~"5.."}[5s]))' 0 0
	near 'sandbox_traffic_percent{sandbox="SELF",revision="good"}' 50 50
}

# asked [CURL-OPTION…]: what its Prometheus answers
asked() {
	curl -s --max-time 20 "$ADMIN/prometheus/api/v1/query" \
		-d 'query=whatever(' "$@"
}

answers() { # JSON: every query, from now on
	api PUT "$ADMIN/sandbox/metrics" -f -o "$WORLD/answers" -d "$1"
}

@test "its Prometheus answers every query as it was told last" {
	sandbox_start
	asked | jq -e '.status == "success" and .data.resultType == "vector" and
		(.data.result | length == 1) and .data.result[0].value[1] == "0"'
	answers '{"value": 0.25}'
	asked | jq -e '.data.result[0].value[1] == "0.25"'
	curl -s "$ADMIN/prometheus/api/v1/query_range?start=10&end=12&step=0.5" |
		jq -e '.data.resultType == "matrix" and
			.data.result[0].values == [range(5) | [10 + . / 2, "0.25"]]'
	answers '{"value": null}'
	asked | jq -e '.status == "success" and .data.result == []'
	answers '{"error": "too many samples"}'
	[ "$(asked -o "$WORLD/said" -w '%{http_code}')" = 422 ]
	jq -e '.status == "error" and .error == "too many samples"' "$WORLD/said"
	answers '{"status": 503}'
	[ "$(asked -o "$WORLD/said" -w '%{http_code}')" = 503 ]
	run answers '{"value": 1, "hang": true}'
	[ "$status" != 0 ]
}

@test "its Prometheus can be slow, and hangs until there is another answer" {
	sandbox_start
	answers '{"value": 1, "delay": "300ms"}'
	asked -o "$WORLD/said" -w '%{time_total}' | jq -e '. >= 0.3'
	answers '{"hang": true}'
	asked >"$WORLD/late" 3>&- &
	PIDS+=($!)
	run asked --max-time 0.3
	[ "$status" = 28 ]
	[ ! -s "$WORLD/late" ]
	answers '{"value": 7}'
	until_true 10 test -s "$WORLD/late"
	jq -e '.data.result[0].value[1] == "7"' "$WORLD/late"
	# One that hangs does not keep the sandbox from ending.
	answers '{"hang": true}'
	asked >"$WORLD/never" 3>&- &
	PIDS+=($!)
	kill -TERM "$SANDBOX_PID"
	wait "$SANDBOX_PID"
}
