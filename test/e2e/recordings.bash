# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Policies and recordings that are made up, for tests of simulate.

# policy: one SLO, three steps of two minutes
policy() {
	cat <<-'END'
		version: 1
		name: made-up
		metrics: {url: "${PROMETHEUS_URL}"}
		steps:
		  - {percent: 10, bake: 2m}
		  - {percent: 50, bake: 2m}
		  - {percent: 100, bake: 2m}
		slos:
		  - name: errors
		    query: 'errors{revision="{{candidate}}"}'
		    max: 1%
		    window: 1m
		    interval: 10s
		    fail_after: {breaches: 2, of: 3}
		    min_passes: 3
		settle: 10s
		hold_timeout: 5m
	END
}

# recording SECONDS VALUE: VALUE is a jq expression of the second
recording() {
	jq -nc --argjson len "$1" '1767225600 as $start |
		{version: 1, start: $start, end: ($start + $len), interval: 10,
		context: {service: "backend", candidate: "backend-00002-new",
			stable: "backend-00001-old"},
		series: {errors: {query: "errors{revision=\"backend-00002-new\"}",
			data: {resultType: "matrix", result: [{metric: {},
			values: [range(0; $len + 1; 10) |
				[. + $start, ('"$2"' | tostring)]]}]}}}}'
}
