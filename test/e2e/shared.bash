# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# A sandbox, a candidate and a state file for each test: on top of world and
# rollout. Rollouts are as short as policies may be. Every query is answered by
# the sandbox, with 0 until the test says otherwise (answers); who wants to know
# what Prometheus makes of requests calls shared_metered.

# In setup: stable-1 holds 100 % by name, CANDIDATE is new and serves well.
shared_begin() { # [SANDBOX OPTION…]
	world_open
	CANDIDATE=c${BATS_TEST_NUMBER:-0}-$RANDOM$RANDOM
	sandbox_start --project acme --operation-delay 50ms "$@" \
		--revision stable-1 --revision "$CANDIDATE" \
		--traffic stable-1=100
	shared_environment
	until_true 10 serves stable-1 100
}

shared_environment() {
	export TIDEGATE_STATE=$WORLD/state.db TIDEGATE_USER=alice
	export CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN=$ADMIN/
	export CLOUDSDK_AUTH_ACCESS_TOKEN=e2e-token
	export CLOUDSDK_CORE_PROJECT=acme CLOUDSDK_RUN_REGION=us-central1
	export PROMETHEUS_URL=$ADMIN/prometheus
	unset GITHUB_OUTPUT GITHUB_STEP_SUMMARY GITHUB_ACTOR
}

# In teardown.
shared_end() {
	world_close
}

# Queries are asked of the run's Prometheus, which knows this sandbox.
shared_metered() {
	metered "$CANDIDATE"
	export PROMETHEUS_URL=$PROMETHEUS
}

# Each answer of the candidate that was an error counts, for good.
ERRORS='sum(http_requests_total{revision="{{revision}}",code=~"5.."}) or vector(0)'

SHORT='[{percent: 20, bake: 1s}, {percent: 100, bake: 1s}]'
LONG='[{percent: 20, bake: 1h}, {percent: 100, bake: 1h}]'
# At 20 % until bob says yes: what a test does there takes as long as it takes.
GATE='[{percent: 20, bake: 1s}, {percent: 100, bake: 1s, approval: {approvers: [alice, bob], minimum: 1, timeout: 1h}}]'

# quick [YAML…]: a policy of two steps of a second; lines are appended.
# STEPS, SETTLE, QUERY, SLO (its limits) and TIMEOUT (of metrics) change it.
quick() {
	cat >"$WORLD/policy.yaml" <<-YAML
		version: 1
		name: e2e
		metrics: {url: "\${PROMETHEUS_URL}", timeout: ${TIMEOUT:-900ms}}
		steps: ${STEPS:-$SHORT}
		settle: ${SETTLE:-0s}
		slos:
		  - {name: errors, query: '${QUERY:-$ERRORS}',
		     window: 1s, interval: 1s, ${SLO:-max: 0, fail_after: 1, min_passes: 1}}
	YAML
	[ $# = 0 ] || printf '%s\n' "$@" >>"$WORLD/policy.yaml"
}

enters() { # PHASE: it did
	has "\"to\":\"$1\""
}

# until_run COMMAND…: while it runs; what it said when it does not come true.
until_run() {
	until_true 30 run_meets "$@" && "$@" && return
	tail -n 40 "$WORLD/run.json" "$WORLD/run.err"
	return 1
}

run_meets() {
	"$@" || run_is_gone
}

until_in() { # PHASE
	until_run enters "$1"
}

until_step() { # PERCENT: it serves and is baked
	until_run has_line '"event":"step-started"' "\"percent\":$1,"
}

# One request after the other until the candidate failed one, for real, where
# requests are counted; else the answer of all queries.
hurt() {
	control POST "/revisions/$CANDIDATE" '{"errors": "100%"}'
	if [ -n "${METERED-}" ]; then
		until_true 20 hurt_once
	else
		answers '{"value": 1}'
	fi
}

hurt_once() {
	curl -s -o /dev/null -w '%{http_code}\n' "$FRONT/?[1-20]" | grep -q ^5
}

heal() {
	control POST "/revisions/$CANDIDATE" '{"errors": "0%"}'
	answers '{"value": 0}'
}

finished() { # CONDITION on the last line (jq)
	tail -n 1 "$WORLD/run.json" |
		jq -e ".event == \"finished\" and ($1)" >/dev/null || {
		tail -n 1 "$WORLD/run.json"
		return 1
	}
}

# The id of the rollout, as soon as there is one.
rollout_id() {
	member rollout "$(head -n 1 "$WORLD/run.json")"
}

# tide VERB [OPTION…]: an operator's command on the rollout.
tide() {
	local verb=$1

	shift
	run "$TIDEGATE" "$verb" "$(rollout_id)" "$@"
}

# traffic: the list as set, one entry a line
traffic() {
	api GET "$SERVICE" | jq -c '.traffic[] |
		[(.revision // "LATEST"), .percent // 0, .tag // ""]'
}

# The writes of traffic that arrived at the admin API: jq rows
writes() {
	api GET "$ADMIN/sandbox/log?method=PATCH" | jq -c '.entries[]'
}

journal() { # SQL: of the state file
	sqlite3 -readonly "$TIDEGATE_STATE" "$1"
}

journal_has_no_gaps() {
	[ "$(journal 'SELECT count(*) FROM (SELECT rollout, count(*) AS n,
		min(seq) AS low, max(seq) AS high FROM event GROUP BY rollout)
		WHERE low != 1 OR high != n')" = 0 ]
}
