# shellcheck shell=bash disable=SC2034,SC2154
# One sandbox and one Prometheus per file, one candidate and one state file per
# test: on top of world and rollout. Rollouts are as short as policies may be.

# In setup_file. What tests need is exported, they are other processes.
shared_open() { # [SANDBOX OPTION…]
	world_open
	SHARED=$WORLD
	sandbox_start --project acme --revision stable-1 \
		--operation-delay 50ms "$@"
	SCRAPE=250ms prometheus_start "$METRICS"
	PROMETHEUS_PID=${PIDS[-1]}
	export SHARED ADMIN FRONT METRICS SERVICE PROMETHEUS PROMETHEUS_PID
	export CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN=$ADMIN/
	export CLOUDSDK_AUTH_ACCESS_TOKEN=e2e-token PROMETHEUS_URL=$PROMETHEUS
	export CLOUDSDK_CORE_PROJECT=acme CLOUDSDK_RUN_REGION=us-central1
	export TIDEGATE_USER=alice
	unset GITHUB_OUTPUT GITHUB_STEP_SUMMARY GITHUB_ACTOR
}

shared_close() { # in teardown_file
	world_close
}

# In setup: stable-1 holds 100 % by name, CANDIDATE is new and serves well.
shared_begin() {
	world_open
	export TIDEGATE_STATE=$WORLD/state.db
	api DELETE "$ADMIN/sandbox/faults" >/dev/null
	control PATCH '' '{"operationDelay": "50ms", "etag": "strict",
		"deny": []}'
	control PUT /traffic '{"stable-1": 100}'
	CANDIDATE=c${BATS_TEST_NUMBER:-0}-$RANDOM$RANDOM
	control POST /deploy "{\"revision\": \"$CANDIDATE\"}"
	until_true 10 serves stable-1 100
	# No metrics lag behind: the counts of errors start at nothing.
	api DELETE "$ADMIN/sandbox/log" >/dev/null
}

# In teardown: also what a failed test left behind.
shared_end() {
	kill -CONT "$PROMETHEUS_PID"
	world_close
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
	until_run said ".event == \"step-started\" and .percent == $1"
}

# One request after the other until the candidate failed one, for real.
hurt() {
	control POST "/revisions/$CANDIDATE" '{"errors": "100%"}'
	until_true 20 hurt_once
}

hurt_once() {
	curl -s -o /dev/null -w '%{http_code}\n' "$FRONT/?[1-20]" | grep -q ^5
}

heal() {
	control POST "/revisions/$CANDIDATE" '{"errors": "0%"}'
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
	head -n 1 "$WORLD/run.json" | jq -r .rollout
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
