#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# What a policy would catch. The numbers are those of test/unit/forecast_test.c;
# here is how they are said.

load world
load shared

setup() {
	world_open
	policies=$BATS_TEST_DIRNAME/../../policies
	unset PROMETHEUS_URL
}

teardown() { world_close; }

plan() {
	"$WORKBENCH" plan "$@" >"$WORLD/out" 2>"$WORLD/err"
}

@test "a plan says what is found, after what time and at what cost" {
	plan --policy "$policies/evidence.yaml" --rate 50/s --base 0.1%
	grep -qx '  errors: by evidence' "$WORLD/out"
	grep -qx '    10 %, bake 10m: the candidate has 5 requests/s' "$WORLD/out"
	grep -qx '      10 times, 1 %: half after 2m30s, 90 % after 5m; 750 requests, 8 of them bad' \
		"$WORLD/out"
	grep -qx '      smallest found within the step, nine times of ten: 6.2 times, 0.623 %' \
		"$WORLD/out"
	grep -q '^  holdback    a step of 90 % before 100 %' "$WORLD/out"
	plan --policy "$policies/evidence.yaml" --rate 600/m --base 0.1% --hurt 3
	grep -q '^advice, for at most 3 bad requests' "$WORLD/out"
	grep -q '^  holdback    none: stable would keep less than 5' "$WORLD/out"
	plan --policy "$policies/quick-demo.yaml" --rate 50/s --base 0.1%
	grep -qx '  error-rate: by limits' "$WORLD/out"
	grep -q 'of 200 that were simulated' "$WORLD/out"
	grep -A1 'the same requests by kind evidence' "$WORLD/out" |
		grep -q '^      10 %: 10 times half after '
}

@test "the plan of check says how long a step would have to bake" {
	cat >"$WORLD/policy.yaml" <<-'YAML'
		version: 1
		name: backend
		metrics: {url: "http://127.0.0.1:9"}
		steps: [{percent: 10, bake: 1m}, {percent: 100, bake: 10m}]
		settle: 30s
		slos: [{use: http/error-rate, max: 1%}]
	YAML
	"$WORKBENCH" check "$WORLD/policy.yaml" >"$WORLD/out"
	grep -qx '  error-rate   a jump of bad requests to 2 % within 4m, to 10 % within 2m, with 100 requests or more' \
		"$WORLD/out"
	# The settle is a part of it.
	grep -qx ' * longer than the step: a bake of 4m or more instead of 1m finds both before the next one' \
		"$WORLD/out"
	sed 's/bake: 1m/bake: 4m/' "$WORLD/policy.yaml" |
		"$WORKBENCH" check - >"$WORLD/out"
	grep -q 'a jump of bad requests' "$WORLD/out"
	! grep -q 'longer than the step' "$WORLD/out" || return 1
	# So is a load, and the window that goes by after it.
	sed -e 's|{percent: 10, bake: 1m}|{percent: 10, bake: 1m, load: {name: users, type: load, url: "{{candidate_url}}/", stages: [{for: 3m, users: 2}]}}|' \
		-e '$a tag: next' "$WORLD/policy.yaml" >"$WORLD/load.yaml"
	"$WORKBENCH" check "$WORLD/load.yaml" >"$WORLD/out"
	grep -q '^steps, at least 20m in all' "$WORLD/out"
	! grep -q 'longer than the step' "$WORLD/out" || return 1
	plan --policy "$WORLD/load.yaml" --rate 50/s --base 0.1%
	grep -qx '    10 %, load and window 8m, bake 1m: the candidate has 5 requests/s' \
		"$WORLD/out"
}

@test "a plan measures the service in what was recorded of stable" {
	plan --policy "$policies/evidence.yaml" \
		--recording "$policies/recordings/evidence/good.json"
	grep -A1 '^  errors: by evidence' "$WORLD/out" |
		grep -qx '    measured    49.8 requests/s, 0.0914 % of them bad, dispersion 1'
	# Without latencies in it, what is usual is assumed of them.
	grep -A1 '^  latency: by evidence' "$WORLD/out" |
		grep -q '^    assumed     49.8 requests/s, 1 % of them slower'
	run plan --policy "$policies/evidence.yaml" \
		--recording "$policies/recordings/good.json"
	[ "$status" = 4 ]
	grep -q '^  errors: by evidence, no plan: ' "$WORLD/out"
}

@test "a plan measures a service in the past of its stable revision" {
	sandbox_start --project acme --revision stable-1 --revision new-1 \
		--traffic stable-1=100
	until_true 10 serves stable-1 100
	shared_environment
	"$BATS_TEST_DIRNAME/past-of-counters" "$WORLD/counters" 3>&- &
	PIDS+=("$!")
	until_true 10 test -s "$WORLD/counters"
	PROMETHEUS_URL=$(<"$WORLD/counters")
	export PROMETHEUS_URL
	printf '%s\n' 'version: 1' 'name: live' \
		"metrics: {url: \"\${PROMETHEUS_URL}\"}" \
		'steps: [{percent: 10, bake: 10m}, {percent: 100, bake: 10m}]' \
		'slos: [{use: http/error-rate, kind: evidence}]' \
		>"$WORLD/policy.yaml"
	plan backend --policy "$WORLD/policy.yaml"
	grep -q '^    measured    50 requests/s, 0.1 % of them bad, dispersion' \
		"$WORLD/out"
	grep -q '^      10 times, 1 %: half after 2m' "$WORLD/out"
	"$WORKBENCH" check --live backend --policy "$WORLD/policy.yaml" \
		>"$WORLD/out" || true # whatever else it finds
	grep -q "^  error-rate   where stable has 0.1 %, at 10 %: 10 times half after 2m" \
		"$WORLD/out"
	not grep -q 'longer than the step' "$WORLD/out"
	sed -i 's/percent: 10, bake: 10m/percent: 10, bake: 2m/' \
		"$WORLD/policy.yaml"
	"$WORKBENCH" check --live backend --policy "$WORLD/policy.yaml" \
		>"$WORLD/out" || true
	grep -q 'a bake of [4-6]m or more instead of 2m finds that' "$WORLD/out"
	run plan nowhere --policy "$WORLD/policy.yaml"
	[ "$status" = 4 ]
	grep -q 'nothing could be measured of nowhere: write --rate' "$WORLD/err"
}

@test "a plan for programs has the same numbers" {
	plan --policy "$policies/evidence.yaml" --rate 50/s --base 0.1% \
		--format json
	python3 - "$WORLD/out" <<-END
		import json, sys
		plan = json.load(open(sys.argv[1]))
		errors = plan["slos"][0]
		assert (errors["name"], errors["kind"]) == ("errors", "evidence")
		ten = errors["steps"][0]["sizes"][2]
		assert (ten["times"], ten["median_s"], ten["most_s"]) == (10, 150, 300)
		assert abs(ten["bad"] - 7.5) < 1e-9
		assert plan["advice"]["holdback"] is True
	END
}

@test "a plan needs to know how much traffic there is" {
	for wrong in "" "--rate 50/s" "--rate fast --base 1%" \
		"--rate 50/s --base 5" "--rate 50/s --base 1% --hurt none" \
		"--rate 0/s --base 1%"; do
		status=0
		# shellcheck disable=SC2086
		plan --policy "$policies/evidence.yaml" $wrong || status=$?
		[ "$status" = 2 ]
	done
	grep -q 'write 50/s' "$WORLD/err"
}
