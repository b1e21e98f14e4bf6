#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# The policy that init proposes for four kinds of services can be used as it is
# written; made quicker, it takes back a bad release and promotes a good one.
# What is proposed for which figures: test/unit/init_test.c.

bats_require_minimum_version 1.5.0

load world
load suite
load rollout

setup() {
	PROJECT=acme-$RANDOM$RANDOM # nobody else's series have it
	proposed=$BATS_TEST_TMPDIR/policy.yaml
	unset PROMETHEUS_URL
}

teardown() { world_close; }

# A service with users whose requests have these names; known_as METRIC: the
# run's Prometheus knows of them.
service_with() { # NAMES METRIC
	rollout_world --metrics-names "$1"
	metered "m$$-$RANDOM"
	export PROMETHEUS_URL=$PROMETHEUS
	while curl -s -o /dev/null --rate 6000/m "$FRONT/?[1-1000]"; do
		:
	done 3>&- &
	PIDS+=($!)
	[ $# = 1 ] || until_true 30 is_counted "$2"
}

is_counted() { # METRIC
	[ -n "$(prometheus_value \
		"sum(rate($1{sandbox=\"$METERED\"}[5s])) > 0")" ]
}

propose() { # [OPTION…]
	"$WORKBENCH" init backend -o "$proposed" "$@" 2>"$WORLD/told" || {
		cat "$WORLD/told"
		return 1
	}
}

is_usable() {
	"$WORKBENCH" check --strict "$proposed" >"$WORLD/plan"
	"$WORKBENCH" check --live backend --policy "$proposed" >"$WORLD/live" || {
		cat "$WORLD/live"
		return 1
	}
}

# The same policy, for tests: seconds instead of minutes, two steps.
quicker() {
	sed -E "s/window: .*/window: 2s/; s/interval: .*/interval: 1s/
		s/bake: [0-9a-z]+/bake: 1s/; s/^settle: .*/settle: 2s/
		s/timeout: 10s/timeout: 900ms/; s/min: [0-9]+/min: 5/
		s/(min_passes): 3/\1: 2/; /percent: 50/d" "$proposed" >"$WORLD/policy.yaml"
}

# Bad for users only: the smoke probe of the policy would refuse it. Until they
# suffer the first step goes on, however busy the machine is.
decides_well() {
	sed -i 's/bake: 1s/bake: 10m/' "$WORLD/policy.yaml"
	rollout_start
	until_true 30 has '"event":"step-started"'
	control POST /revisions/backend-2 '{"errors": "100%"}'
	rollout_ends 5
	sed -i 's/bake: 10m/bake: 1s/' "$WORLD/policy.yaml"
	control POST /deploy '{"revision": "backend-3", "latency": "2ms"}'
	rollout_start
	rollout_ends 0
	until_true 10 serves backend-3 100
}

# A Prometheus that knows two revisions for 29 hours, 20 requests a second. It
# has the next half hour, too: what is asked while the test goes on is there,
# however long that takes.
days_start() {
	now=$(date +%s)
	"$BATS_TEST_DIRNAME/days-of-metrics" backend-0 backend-1 1.2 \
		$((now / 60 * 60 + 1800)) 20 "$PROJECT" >"$WORLD/series"
	promtool tsdb create-blocks-from openmetrics "$WORLD/series" \
		"$WORLD/tsdb" >/dev/null
	prometheus_start "$WORLD/tsdb"
}

@test "limits come from what stable was like, and nothing is overwritten" {
	rollout_world
	days_start
	export PROMETHEUS_URL=$PROMETHEUS/
	propose --metrics "$PROMETHEUS"
	grep -q "url: \"$PROMETHEUS\"" "$proposed"
	grep -Eq 'has (19\.[5-9]|2[01](\.[0-9])?) requests a second, 1[0-9.]+ in quiet' "$proposed"
	grep -Eq 'Stable, 3[0-9]+ windows of 5m in (1d[4-7]h|(28|29|30)h)[0-9m]*: half below 0\.[01]' \
		"$proposed"
	grep -q 'holds 5 samples, one every 1m' "$proposed"
	grep -Eqx '    max: (0\.[3-9][0-9]*|1)%' "$proposed"
	grep -Eqx '    max: (250|300|400)ms' "$proposed"
	grep -q '^chosen  http_requests_total: ' "$WORLD/told"
	grep -q '^not     http_client_requests_total: these are no requests' "$WORLD/told"
	grep -q '^not     shop_requests_total: no label of it has the status' "$WORLD/told"
	"$WORKBENCH" check --strict "$proposed"
	# What it would find can be asked as the file says.
	eval "$(sed -n "s|^# *tidegate \(plan .*\)  what.*|$TIDEGATE \1|p" "$proposed" |
		sed "s|FILE|$proposed|")" >"$WORLD/plan"
	grep -q '^  error-rate: by limits' "$WORLD/plan"

	cp "$proposed" "$WORLD/before"
	run -4 "$WORKBENCH" init backend -o "$proposed"
	[[ $output == *"is there already: choose another name, or --force"* ]]
	cmp "$proposed" "$WORLD/before"
	propose --force --kind evidence
	grep -q 'url: "${PROMETHEUS_URL}"' "$proposed"
	"$WORKBENCH" check --strict "$proposed"
	# What goes to standard output is a policy and nothing else.
	"$WORKBENCH" init backend -o - --path /healthz 2>/dev/null |
		"$WORKBENCH" check --strict - | grep -q /healthz

	# As it is written it lets a release like stable through, and takes one
	# back that fails a hundred times as often.
	"$WORKBENCH" record --policy "$WORLD/before" --from $((now - 10800)) \
		--candidate backend-1 --stable backend-0 -o "$WORLD/good.json"
	"$WORKBENCH" simulate --policy "$WORLD/before" "$WORLD/good.json"
	jq '.series["error-rate"].data.result[].values |=
		map([.[0], (.[1] | tonumber * 100 | tostring)])' \
		"$WORLD/good.json" >"$WORLD/bad.json"
	run -5 "$WORKBENCH" simulate --policy "$WORLD/before" "$WORLD/bad.json"
	[[ $output == *'rolled-back'*'error-rate'* ]]

	# Cloud Monitoring's days are as good.
	monitored
	propose --force --managed
	grep -q 'provider: google' "$proposed"
	grep -Eq 'has (19\.[5-9]|2[01](\.[0-9])?) requests a second' "$proposed"
	grep -Eq 'Stable, [0-9]+ windows of [0-9]+m in (1d[4-7]h|(28|29|30)h)[0-9m]*: half below 0\.[01]' \
		"$proposed"
	grep -Eqx '    max: (0\.[3-9][0-9]*|1)%' "$proposed"
	"$WORKBENCH" check --strict "$proposed"
}

@test "what keeps it from a proposal is told, and nothing is written" {
	rollout_world
	run -2 "$WORKBENCH" init backend
	[[ $output == *"-o is missing: write -o policy.yaml"* ]]
	run -2 "$WORKBENCH" init backend -o "$proposed" --metrics http://a:b@localhost
	[[ $output == *'put such a URL into $PROMETHEUS_URL'* ]]
	run -2 "$WORKBENCH" init backend -o "$proposed" --metrics http://prometheus
	[[ $output == *"plain http"*"http://prometheus cannot be asked"* ]]
	run -2 "$WORKBENCH" init backend -o "$proposed" --from -1m
	[[ $output == *"not between an hour and 31 days ago: write -7d"* ]]
	run -4 "$WORKBENCH" init nowhere -o "$proposed"
	[[ $output == *"nowhere"* ]]
	# The sandbox's own Prometheus knows no series: it answers queries only.
	run ! "$WORKBENCH" init backend -o "$proposed"
	[[ $output == *"series could not be listed: "*"only query and query_range"* ]]
	[ ! -e "$proposed" ]
}

@test "a service with OpenTelemetry's names" {
	service_with opentelemetry http_server_request_duration_seconds_count
	propose --selector "sandbox=\"$METERED\""
	grep -q 'metric: "http_server_request_duration_seconds_count"' "$proposed"
	grep -q 'revision_label: faas_version' "$proposed"
	is_usable
	quicker
	decides_well
}

@test "a service with http_requests_total" {
	service_with prometheus http_requests_total
	propose --selector "sandbox=\"$METERED\""
	grep -q 'metric: "http_requests_total"' "$proposed"
	is_usable
	quicker
	decides_well
}

@test "a service with Cloud Run's names" {
	service_with cloud-run run_googleapis_com:request_count
	propose --selector "sandbox=\"$METERED\""
	grep -q 'use: cloud-run/error-rate' "$proposed"
	is_usable
	quicker
	decides_well
}

# Google's front sees only what is a second old.
monitored() {
	"$BATS_TEST_DIRNAME/monitoring-front" "$PROMETHEUS" e2e-token 1 \
		"$WORLD/front.log" >"$WORLD/front.url" 2>"$WORLD/front.err" 3>&- &
	PIDS+=($!)
	until_true 20 test -s "$WORLD/front.url"
	CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING=$(<"$WORLD/front.url")/
	export CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING
	export GOOGLE_CLOUD_QUOTA_PROJECT=payer
}

@test "a service without metrics of its own" {
	service_with cloud-run run_googleapis_com:request_count
	monitored
	# The Prometheus has what others export, and nothing of this service.
	propose --selector 'sandbox="nobody"'
	grep -q 'not     any metric of HTTP requests is there' "$WORLD/told"
	grep -q 'http_requests_total{code="200",revision="backend-1"}' "$WORLD/told"
	grep -q 'provider: google' "$proposed"
	is_usable
	quicker
	sed -i 's/provider: google/&\n  delay: 1500ms\n  resolution: 500ms\n  timeout: 900ms/
		$asettle: 4s' "$WORLD/policy.yaml"
	decides_well
}
