#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# What tidegate-recording(5) says about dumps, snapshots and curl, done.

bats_require_minimum_version 1.5.0

load world
load suite

setup() {
	world_open
	cd "$WORLD" || return
	cat >policy.yaml <<-'END'
		version: 1
		name: backend
		metrics: {url: "${PROMETHEUS_URL}"}
		steps:
		  - {percent: 10, bake: 5m}
		  - {percent: 100, bake: 20m}
		slos:
		  - name: error-rate
		    query: |
		      sum(rate(http_requests_total{revision="{{candidate}}",code="500"}[{{window}}]))
		      / sum(rate(http_requests_total{revision="{{candidate}}"}[{{window}}]))
		    max: 1%
		    window: 2m
	END
	dump >dump.om
	promtool tsdb create-blocks-from openmetrics dump.om data >blocks
}

teardown() {
	world_close
}

# An hour from 2026-01-01T00:00:00Z: every tenth request fails from 00:15 on.
dump() {
	awk 'BEGIN {
		print "# TYPE http_requests counter"
		for (i = 0; i < 240; i++) {
			printf "http_requests_total{revision=\"new\",code=\"200\"} "
			print i * 90, 1767225600 + i * 15
		}
		for (i = 0; i < 240; i++) {
			printf "http_requests_total{revision=\"new\",code=\"500\"} "
			print (i < 60 ? 0 : (i - 60) * 10), 1767225600 + i * 15
		}
		for (i = 0; i < 240; i++) {
			printf "http_requests_total{revision=\"old\",code=\"200\"} "
			print i * 900, 1767225600 + i * 15
		}
		for (i = 0; i < 240; i++) {
			printf "http_requests_total{revision=\"old\",code=\"500\"} "
			print i, 1767225600 + i * 15
		}
		print "# EOF"
	}'
}

# replay FOLDER [OPTION…]: the Prometheus of the manual, on a port of its own
replay() {
	prometheus_start "$@"
	export PROMETHEUS_URL=$PROMETHEUS
}

look_back() {
	run --separate-stderr "$WORKBENCH" simulate --policy policy.yaml \
		--from 2026-01-01T00:05:00Z --to 2026-01-01T00:55:00Z \
		--candidate new
	[ "$status" = 5 ]
	[[ $output == *"first bad sample  +10m"* ]]
}

# The same by evidence: what is asked at once and what is recorded first.
counters_are_looked_back_at() {
	cat >counted.yaml <<-'END'
		version: 1
		name: backend
		metrics: {url: "${PROMETHEUS_URL}"}
		steps: [{percent: 10, bake: 40m}, {percent: 100, bake: 5m}]
		slos:
		  - name: errors
		    kind: evidence
		    objective: 1%
		    total: http_requests_total{revision="{{revision}}"}
		    bad: http_requests_total{revision="{{revision}}",code="500"}
	END
	local span=(--from 2026-01-01T00:05:00Z --to 2026-01-01T00:55:00Z
		--candidate new --stable old)
	run --separate-stderr "$WORKBENCH" simulate --policy counted.yaml \
		--format json "${span[@]}"
	[ "$status" = 5 ]
	jq -se 'last.reason | test("^errors: candidate [0-9.]+ % .*stable 0.11 %")' \
		<<<"$output"
	# Stable's past began five minutes before.
	jq -se 'map(select(.event == "preflight").history[0]) |
		.[0].seconds >= 270 and .[0].seconds <= 300 and
		.[0].requests > 16000 and .[0].bad < 30' <<<"$output"
	"$WORKBENCH" record --policy counted.yaml "${span[@]}" -o counted.json
	jq -e '[.series[].data.result | length] == [2, 2, 1, 1]' counted.json
	"$WORKBENCH" simulate --policy counted.yaml --format json \
		counted.json >again || [ $? = 5 ]
	diff <(jq -c 'del(.rollout)' <<<"$output") <(jq -c 'del(.rollout)' again)
}

@test "a dump and a snapshot are simulated and recorded" {
	local snapshot
	replay data --web.enable-admin-api
	look_back
	echo "$output" >before
	snapshot=data/snapshots/$(curl -s -X POST \
		"$PROMETHEUS_URL/api/v1/admin/tsdb/snapshot" | jq -r .data.name)
	replay "$snapshot"
	look_back
	diff before <(echo "$output")
	"$WORKBENCH" record --policy policy.yaml --from 2026-01-01T00:05:00Z \
		--to 2026-01-01T00:55:00Z --candidate new --stable old \
		-o then.json 2>err
	run "$WORKBENCH" simulate --policy policy.yaml then.json
	[ "$status" = 5 ]
	diff <(sed 1d before) <(sed 1d <<<"$output")
	counters_are_looked_back_at
}

@test "a recording is made with curl and jq as the manual says" {
	replay data
	# shellcheck disable=SC2034
	local query='sum(rate(http_requests_total{revision="new",code="500"}[2m]))
		/ sum(rate(http_requests_total{revision="new"}[2m]))'
	mandoc -T ascii "$BATS_TEST_DIRNAME/../../contrib/man/tidegate-recording.5" |
		sed 's,.\x08,,g' |
		sed -n '/end=\$(date/,/>recording.json/p' >recipe
	# Its hour is the last one, ours is another.
	sed -i 's/\$(date +%s)/1767229140/' recipe
	[ "$(wc -l <recipe)" -gt 5 ]
	# shellcheck source=/dev/null
	. ./recipe
	run "$WORKBENCH" simulate --policy policy.yaml recording.json
	[ "$status" = 5 ]
	[[ $output == *"error-rate: "*" % > max 1 %"* ]]
}
