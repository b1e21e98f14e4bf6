#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# Presets asked of a real Prometheus whose series are known to the last
# request: what comes of them is what was computed by hand. One world.

bats_require_minimum_version 1.5.0

load world
load suite

# A counter that grows by PER each minute, for an hour up to END.
counter() { # NAME LABELS PER
	local i

	for ((i = 0; i <= 60; i++)); do
		echo "$1{$2} $((i * $3)) $((END - 3600 + i * 60))"
	done
}

CLOUD='monitored_resource="cloud_run_revision",location="us-central1",configuration_name="backend"'

# histogram NAME LABELS LE=PER…: cumulative, as a histogram is
histogram() {
	local name=$1 labels=$2 bucket

	shift 2
	for bucket; do
		counter "${name}_bucket" "$labels,le=\"${bucket%=*}\"" "${bucket#*=}"
	done
	counter "${name}_count" "$labels" "${bucket#*=}"
}

# 200 requests a minute for the candidate, 4 of them failed; 900 for stable and
# none of them. Beside them what must not be counted: the same names of another
# project, another region, another kind of resource.
cloud_series() {
	local project=project_id='"acme"' service='service_name="backend"'
	local new='revision_name="backend-2"' old='revision_name="backend-1"'
	local ok='response_code="200",response_code_class="2xx"'
	local bad='response_code="503",response_code_class="5xx"'
	local count=run_googleapis_com:request_count
	local time=run_googleapis_com:request_latencies

	counter $count "$CLOUD,$project,$service,$new,$ok" 196
	counter $count "$CLOUD,$project,$service,$new,$bad" 4
	counter $count "$CLOUD,$project,$service,$old,$ok" 900
	counter $count "$CLOUD,project_id=\"other\",$service,$new,$bad" 5000
	counter $count "${CLOUD/us-central1/europe-west1},$project,$service,$new,$bad" 5000
	counter $count "${CLOUD/cloud_run/knative},$project,$service,$new,$bad" 5000
	counter $count "$CLOUD,$project,service_name=\"a\\\"b\\\\c\",$new,$ok" 50
	histogram $time "$CLOUD,$project,$service,$new,response_code_class=\"2xx\"" \
		100=98 200=170 400=180 +Inf=180
	histogram $time "$CLOUD,$project,$service,$new,response_code_class=\"5xx\"" \
		100=2 200=10 400=20 +Inf=20
	histogram $time "$CLOUD,$project,$service,$old,response_code_class=\"2xx\"" \
		100=900 200=900 400=900 +Inf=900
}

http_series() {
	counter http_requests_total 'revision="backend-2",code="200"' 95
	counter http_requests_total 'revision="backend-2",code="500"' 5
	counter http_requests_total 'revision="backend-2",code="404"' 100
	counter 'svc:requests' 'version="backend-2",status="429",path="/a"' 30
	counter 'svc:requests' 'version="backend-2",status="200",path="/a"' 70
	counter 'svc:requests' 'version="backend-2",status="200",path="/healthz"' 900
	histogram http_request_duration_seconds 'revision="backend-2"' \
		0.1=80 0.5=100 +Inf=100
	histogram latency_ms 'revision="backend-2"' 100=80 500=100 +Inf=100
}

setup_file() {
	world_open
	END=$(($(date +%s) / 60 * 60 - 7200))
	{
		cloud_series
		http_series
		echo '# EOF'
	} >"$WORLD/series"
	promtool tsdb create-blocks-from openmetrics "$WORLD/series" \
		"$WORLD/tsdb" >/dev/null
	prometheus_start "$WORLD/tsdb"
	policy >"$WORLD/policy.yaml"
	"$WORKBENCH" record backend --policy "$WORLD/policy.yaml" --from $((END - 60)) \
		--to "$END" --interval 1m --project acme --region us-central1 \
		--candidate backend-2 --stable backend-1 -o "$WORLD/values.json"
	export WORLD
}

teardown_file() {
	world_close
}

policy() {
	cat <<-YAML
		version: 1
		name: values
		metrics: {url: "$PROMETHEUS"}
		steps: [{percent: 100, bake: 30m}]
		slos:
		  - use: cloud-run/error-rate
		  - {use: cloud-run/error-rate, compare: stable}
		  - {use: cloud-run/error-rate, name: unfailed, with: {selector: 'response_code!="503"'}}
		  - {use: cloud-run/error-rate, name: nobody, with: {service: other}}
		  - {use: cloud-run/error-rate, name: all-codes, with: {failures: "2xx|5xx"}}
		  - use: cloud-run/latency-p50
		  - use: cloud-run/latency-p95
		  - {use: cloud-run/latency-p99, compare: stable}
		  - {use: cloud-run/latency-p99, name: nobody-waits, with: {service: other}}
		  - use: cloud-run/request-count
		  - {use: cloud-run/request-count, name: escaped, with: {service: 'a"b\\c'}}
		  - {use: cloud-run/request-count, name: elsewhere, with: {project: other}}
		  - {use: http/error-rate, name: http-errors}
		  - use: http/error-rate
		    name: http-own
		    window: 2m
		    with: {metric: "svc:requests", revision_label: version, code_label: status, failures: '4\\d\\d', selector: 'path!~"/h.*"'}
		  - {use: http/latency-p95, name: http-latency}
		  - {use: http/latency-p95, name: http-ms, with: {metric: latency_ms, unit: ms}}
		  - {use: cloud-run/error-rate, kind: evidence, name: counted}
		  - {use: cloud-run/latency-p95, kind: evidence, name: counted-ms}
		  - {use: http/error-rate, kind: evidence, name: counted-http}
		  - {use: http/latency-p95, kind: evidence, name: counted-s, max: 500ms}
	YAML
}

# is SERIES VALUE: the last one, to nine digits; "none": there is no value
is() {
	jq -e --arg name "$1" --arg wanted "$2" '
		.series[$name].data.result as $all | $all[0].values[-1][1] as $v |
		if $wanted == "none" then $all == [] or $v == "NaN"
		else ($all | length) == 1 and
			(($v | tonumber) - ($wanted | tonumber) | fabs) < 1e-9
		end' "$WORLD/values.json" >/dev/null || {
		jq -c --arg name "$1" '.series[$name]' "$WORLD/values.json"
		return 1
	}
}

# adds_up SERIES VALUE [LE]: what was counted at the end, of all series or of one
# bucket
adds_up() {
	jq -e --arg name "$1" --argjson wanted "$2" --arg le "${3-}" '
		[.series[$name].data.result[]
			| select($le == "" or .metric.le == $le)
			| .values[-1][1] | tonumber] | add == $wanted' \
		"$WORLD/values.json" >/dev/null || {
		jq -c --arg name "$1" '.series[$name]' "$WORLD/values.json"
		return 1
	}
}

@test "presets of kind evidence have the raw counters of these requests" {
	# Cloud Monitoring has them by the minute.
	adds_up counted/total 200
	adds_up counted/bad 4
	adds_up counted/baseline-total 900
	adds_up counted-ms/buckets 180 200
	adds_up counted-ms/baseline-buckets 900 +Inf
	adds_up counted-http/total $((60 * 200))
	adds_up counted-http/bad $((60 * 5))
	adds_up counted-s/buckets $((60 * 100)) 0.5
}

@test "the share of failures counts only this revision of this service" {
	is error-rate 0.02
	is error-rate/requests 1000
}

@test "a revision that never failed has a share of 0, not nothing" {
	is error-rate-vs-stable 0.02
	is error-rate-vs-stable/baseline 0
	is unfailed 0
}

@test "a revision without requests has no value" {
	is nobody none
	is nobody/requests none
	is nobody-waits none
	is escaped 250
}

@test "what counts as a failure is a parameter" {
	is all-codes 1
}

# Of both classes together: 100 of 200 within 100 ms, 180 within 200, all
# within 400. Not the mean of two quantiles, and not milliseconds.
@test "latencies are quantiles of all requests, in seconds" {
	is latency-p50 0.1
	is latency-p95 0.3
	is latency-p99-vs-stable 0.38
	is latency-p99-vs-stable/baseline 0.099
	is latency-p95/requests 1000
}

@test "requests are counted in the window" {
	is request-count 1000
	is elsewhere 25000
}

@test "metrics of one's own are asked by their names and labels" {
	is http-errors 0.025
	is http-errors/requests 1000
	is http-own 0.3
	is http-own/requests 200
	is http-latency 0.4
	is http-ms 0.4
}
