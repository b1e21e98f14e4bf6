#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# One policy that asks a Prometheus, a JSON API and Sentry.

bats_require_minimum_version 1.5.0

load world
load suite
load rollout

setup() {
	rollout_world
	apis_start
	mixed
}

teardown() {
	world_close
}

apis_start() {
	"$BATS_TEST_DIRNAME/fake-apis" "$WORLD/apis" 3>&- &
	PIDS+=($!)
	until_true 20 test -s "$WORLD/apis"
	APIS=http://127.0.0.1:$(<"$WORLD/apis")
	export APIS JSON_TOKEN=e2e-json VERSION_OF=e2e
	printf 'e2e-sentry\n' >"$WORLD/sentry-token"
}

apis_set() { # JSON
	curl -sS -f -o /dev/null -X PUT -d "$1" "$APIS/control"
}

# mixed [YAML…]: the policy; lines are appended.
mixed() {
	policy
	cat >>"$WORLD/policy.yaml" <<-'YAML'
		  - name: latency
		    provider: json
		    url: "${APIS}/v1/stats"
		    params: {revision: "{{revision}}", window: "{{window}}"}
		    auth: {type: bearer, token: "${JSON_TOKEN}"}
		    pointer: /data/p95_ms
		    scale: 1ms
		    max: 500ms
		    interval: INTERVAL
		    timeout: 800ms
		    fail_after: 2
		    min_passes: 2
		    requests: {pointer: /data/count, min: 50}
		  - name: crash-free
		    provider: sentry
		    metric: crash-free-sessions
		    organization: acme
		    project: shop
		    release: "shop@{{revision}}+${VERSION_OF}"
		    url: "${APIS}"
		    auth: {type: bearer, token_file: sentry-token}
		    min: 99%
		    min_passes: 1
		    requests: {min: 100}
		  - name: errors
		    provider: sentry
		    metric: errors
		    organization: acme
		    project: shop
		    release: "shop@{{revision}}+${VERSION_OF}"
		    url: "${APIS}"
		    auth: {type: bearer, token_file: sentry-token}
		    max: 0
		    min_passes: 1
	YAML
	sed -i "s/INTERVAL/${INTERVAL:-1s}/; s/bake: 3s/bake: ${BAKE:-3s}/" \
		"$WORLD/policy.yaml"
	[ $# = 0 ] || printf '%s\n' "$@" >>"$WORLD/policy.yaml"
}

seen() { # JQ, over the requests so far: [[target, time, limited], …]
	curl -sS -f "$APIS/control" | jq -e ".seen | $1" >/dev/null
}

@test "a release that looks good to all three is promoted, and its record simulated" {
	rollout_start
	rollout_ends 0
	# Asked once for either before anything moved, and for stable never again;
	# value and requests are one request.
	seen '[.[0:6][] | select(.[0] | contains("backend-1"))] | length == 3'
	seen '[.[] | select(.[0] | contains("backend-1"))] | length == 3'
	seen '[.[] | select(.[0] | startswith("/api/0/"))] | length >= 6'
	jq -se '[.[] | select(.event == "check" and .slo == "latency")][0] |
		.value == 0.04 and .outcome == "pass" and
		(.query | startswith("GET http://127.0.0.1:")) and
		(.query | endswith("/v1/stats revision=backend-2 window=2m at /data/p95_ms"))' \
		"$WORLD/run.json"
	said '.event == "check" and .slo == "crash-free" and .value == 0.999'
	refute grep -F -e e2e-sentry -e e2e-json "$WORLD/run.json"
	id=$(jq -sr '.[0].rollout' "$WORLD/run.json")

	# Nobody can ask a JSON API for the past; the journal knows it.
	run --separate-stderr "$WORKBENCH" record --policy "$WORLD/policy.yaml" \
		--from -1m -o "$WORLD/r.json"
	[ "$status" = 2 ]
	[[ $stderr == *'SLO "latency" asks a JSON API'*--rollout* ]]
	"$WORKBENCH" record --policy "$WORLD/policy.yaml" --rollout "$id" \
		-o "$WORLD/r.json"
	jq -e '.series | .latency.data.result[0].values[0][1] | tonumber == 0.04' \
		"$WORLD/r.json"
	jq -e '.series["crash-free/requests"].data.result[0].values[0][1] == "500"' \
		"$WORLD/r.json"
	run --separate-stderr "$WORKBENCH" simulate --format json \
		--policy "$WORLD/policy.yaml" "$WORLD/r.json"
	[ "$status" = 0 ]
	[[ $stderr != *"another query"* ]]
}

# A simulation that decides a little later needs a recording made later.
simulated_too() { # ROLLOUT STATUS
	local status=0
	"$WORKBENCH" record --policy "$WORLD/policy.yaml" --rollout "$1" \
		-o "$WORLD/r.json" 2>/dev/null || return
	"$WORKBENCH" simulate --format json --policy "$WORLD/policy.yaml" \
		"$WORLD/r.json" >"$WORLD/simulated" 2>&1 || status=$?
	[ "$status" = "$2" ]
}

@test "a breach that only the JSON API sees reverts, in the simulation too" {
	BAKE=20s mixed
	rollout_start
	until_true 30 said '.event == "step-started"'
	apis_set '{"latency_ms": 900}'
	rollout_ends 5
	said '.event == "breach" and .slo == "latency" and .value == 0.9'
	serves backend-1 100
	id=$(jq -sr '.[0].rollout' "$WORLD/run.json")
	until_true 30 simulated_too "$id" 5
	jq -se 'any(.[]; .event == "breach" and .slo == "latency" and
		.value == 0.9)' "$WORLD/simulated"
}

@test "429 for a while is waited out and is no breach" {
	BAKE=9s INTERVAL=4s mixed
	rollout_start
	until_true 30 said '.event == "check" and .slo == "latency"'
	apis_set '{"limited": 2, "retry_after": "1"}'
	rollout_ends 0
	refute grep -F '"outcome":"breach"' "$WORLD/run.json"
	refute grep -F '"outcome":"error"' "$WORLD/run.json"
	# What comes after such an answer comes a second later.
	seen '[.[] | select(.[0] | startswith("/v1/"))] |
		[.[1:], .[:-1]] | transpose |
		map(select(.[1][2]) | .[0][1] - .[1][1]) |
		length == 2 and all(.[]; . >= 0.9)'
}

@test "a limit that does not end holds the rollout and reverts nothing" {
	BAKE=30s mixed 'hold_timeout: 2m'
	rollout_start
	until_true 30 said '.event == "check" and .slo == "latency"'
	apis_set '{"limited": 1000000, "retry_after": "3600"}'
	until_true 60 said '.event == "phase" and .to == "held"'
	said '.event == "check" and .slo == "latency" and .outcome == "error" and
		(.trouble | contains("limit of the rate"))'
	refute grep -F '"outcome":"breach"' "$WORLD/run.json"
	serves backend-1 80
	seen '[.[] | select(.[0] | startswith("/v1/"))] | length < 8'
	kill -INT "$RUN_PID"
	rollout_ends 6
}

@test "what cannot be read is refused before anything moves" {
	printf 'not-the-token\n' >"$WORLD/sentry-token"
	sed -i 's,/data/p95_ms,/data,' "$WORLD/policy.yaml"
	rollout_start
	rollout_ends 4
	# Which was found first is chance; only the look has all of it.
	said '.event == "preflight" and (.reason |
		contains("/data is an object, not a number") and
		contains("HTTP 401: Invalid token; check auth"))'
	serves backend-1 100
}
