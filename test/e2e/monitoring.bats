#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# Rollouts whose metrics are Cloud Monitoring's: a front of its kind before a
# real Prometheus, which scrapes series of Cloud Run's names. Samples are late.

bats_require_minimum_version 1.5.0

load world
load suite
load rollout

setup() {
	PROJECT=acme-$RANDOM$RANDOM # nobody else's series have it
	rollout_world
	rollout_metered
	front_start e2e-token
	monitored
}

teardown() { world_close; }

front_start() { # TOKEN: sets FRONT_LOG; it is where Google is looked for
	FRONT_LOG=$WORLD/front.log
	"$BATS_TEST_DIRNAME/monitoring-front" "$PROMETHEUS" "$1" 1 \
		"$FRONT_LOG" >"$WORLD/front.url" 2>"$WORLD/front.err" 3>&- &
	PIDS+=($!)
	until_true 20 test -s "$WORLD/front.url"
	CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING=$(cat "$WORLD/front.url")/
	export CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING
}

# As with Google, but a hundred times faster.
monitored() { # [KEY OF METRICS…]
	cat >"$WORLD/policy.yaml" <<-YAML
		version: 1
		name: monitored
		metrics: {provider: google, delay: 1500ms, resolution: 500ms, timeout: 900ms, ${1:-quota_project: payer}}
		steps: [{percent: 20, bake: 2s}, {percent: 100, bake: 2s}]
		settle: 4s # the least there may be
		slos:
		  - {use: cloud-run/error-rate, window: 2s, interval: 1s,
		     fail_after: 2, min_passes: 2, requests: {min: 5}}
		  - {use: cloud-run/latency-p95, window: 2s, interval: 1s,
		     min_passes: 2, requests: {min: 5}}
		  - {use: cloud-run/latency-p50, compare: stable, window: 2s,
		     interval: 1s, min_passes: 2, max_ratio: 20, requests: {min: 5}}
	YAML
}

# seconds of the first line of the rollout that meets CONDITION
at() { # CONDITION
	jq -rs "[.[] | select($1)][0].time |
		(.[:19] + \"Z\" | fromdate) + (.[19:23] | tonumber)" \
		"$WORLD/run.json"
}

# No query sees what is not all there yet; none about the candidate whose answer
# counts, after the first settle, reaches back before its shift was confirmed.
windows_are_whole() { # WINDOW
	jq -es --argjson shift "$(at '.event == "step-started"')" \
		--argjson window "$1" '
		all(.[]; .now - .time >= 1) and
		(map(select((.query | contains("backend-2")) and
			.now >= $shift + 4)) |
			length > 0 and all(.[]; .time - $window >= $shift))' \
		"$FRONT_LOG" >/dev/null
}

@test "a good release is promoted on late samples and whole windows" {
	rollout_start
	rollout_ends 0
	windows_are_whole 2
	jq -es 'all(.[]; .project == "'"$PROJECT"'" and .quota == "payer")' "$FRONT_LOG"
	said '.event == "check" and .slo == "error-rate" and .outcome == "pass" and
		(.query | contains("run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",project_id=\"'"$PROJECT"'\",location=\"us-central1\",service_name=\"backend\",revision_name=\"backend-2\""))'
	# Seconds, although the series are milliseconds.
	said '.event == "check" and .slo == "latency-p95" and
		.outcome == "pass" and .value > 0.001 and .value < 0.5'
	# At 100 % stable has no users: max decides.
	said '.event == "check" and .slo == "latency-p50-vs-stable" and
		.percent == 100 and .outcome == "pass" and .limit == 0.25'
}

@test "a bad release is reverted when its settle ends, at the latest" {
	control POST /revisions/backend-2 '{"errors": "50%"}'
	rollout_start
	rollout_ends 5
	said '.event == "check" and .slo == "error-rate" and
		.outcome == "breach" and .value > 0.05' # of few requests: half of
	until_true 10 serves backend-1 100 # them fails, by chance fewer
}

@test "what Google refuses is told before anything moves" {
	refused() { # [KEY OF METRICS…]: time enough for an answer
		monitored "$@"
		sed -i -e 's/timeout: 900ms/timeout: 9s/' \
			-e 's/interval: 1s/interval: 10s/' \
			-e 's/bake: 2s/bake: 1m/g' -e 's/window: 2s/window: 20s/' \
			-e 's/settle: 4s/settle: 40s/' "$WORLD/policy.yaml"
	}
	refused 'auth: {type: google}'
	run "$TIDEGATE" run backend --policy "$WORLD/policy.yaml"
	echo "$output"
	[ "$status" = 4 ]
	[[ $output == *"PERMISSION_DENIED: a quota project is needed"* ]]
	refused
	CLOUDSDK_AUTH_ACCESS_TOKEN=another run "$TIDEGATE" run backend \
		--policy "$WORLD/policy.yaml"
	[ "$status" = 4 ]
	[[ $output == *"CLOUDSDK_AUTH_ACCESS_TOKEN was refused"* ]]
	serves backend-1 100
}

recorded() { # FROM TO: and samples of then have arrived
	rm -f "$WORLD/recording.json"
	"$WORKBENCH" record backend --policy "$WORLD/policy.yaml" \
		--from "$1" --to "$2" --candidate backend-1 --stable backend-1 \
		--project "$PROJECT" --region us-central1 \
		-o "$WORLD/recording.json" &&
		jq -e '.series["latency-p95"].data.result[0].values |
			length > 0' "$WORLD/recording.json"
}

@test "a recording is asked of Google, too" {
	local now

	now=$(date +%s)
	until_true 20 recorded $((now - 1)) $((now + 2))
}
