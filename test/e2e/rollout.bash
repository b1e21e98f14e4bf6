# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# A service with users, metrics of it, and rollouts on it: on top of world.

# rollout_world [SANDBOX OPTION…]: backend-1 holds 100 %, backend-2 waits. Every
# query is answered by the sandbox, with 0 until the test says otherwise.
rollout_world() {
	world_open
	export CLOUDSDK_CORE_PROJECT=${PROJECT:-acme}
	sandbox_start --project "$CLOUDSDK_CORE_PROJECT" \
		--revision backend-1:latency=2ms \
		--revision backend-2:latency=2ms --traffic backend-1=100 \
		--operation-delay 200ms "$@"
	export CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN=$ADMIN/
	export CLOUDSDK_AUTH_ACCESS_TOKEN=e2e-token
	export CLOUDSDK_RUN_REGION=us-central1
	export PROMETHEUS_URL=$ADMIN/prometheus
	export TIDEGATE_STATE=$WORLD/state.db TIDEGATE_USER=alice
	unset GITHUB_OUTPUT GITHUB_STEP_SUMMARY GITHUB_ACTOR
}

# The service has users, and the run's Prometheus knows what they meet.
rollout_metered() {
	metered "m$$-$RANDOM"
	export PROMETHEUS_URL=$PROMETHEUS
	users_start
}

# About 100 requests a second, until the world ends.
users_start() {
	while curl -s -o /dev/null --rate 6000/m "$FRONT/?[1-1000]"; do
		:
	done 3>&- &
	PIDS+=($!)
	until_true 30 has_users backend-1
}

has_users() {
	[ -n "$(prometheus_value \
		"sum(rate(http_requests_total{revision=\"$1\",sandbox=\"$METERED\"}[5s])) > 0")" ]
}

# policy [YAML…]: a short one; lines are appended. WINDOW is that of rates.
policy() {
	local of='revision="{{candidate}}"'

	[ -z "${METERED-}" ] || of+=",sandbox=\"$METERED\""
	cat >"$WORLD/policy.yaml" <<-YAML
		version: 1
		name: e2e
		metrics: {url: "\${PROMETHEUS_URL}", timeout: 900ms}
		steps:
		  - {percent: 20, bake: 3s}
		  - {percent: 100, bake: 3s}
		settle: ${WINDOW:-2s}
		slos:
		  - name: error-rate
		    query: |
		      (sum(rate(http_requests_total{$of,code=~"5.."}[{{window}}])) or vector(0))
		      / sum(rate(http_requests_total{$of}[{{window}}]))
		    max: 5%
		    window: ${WINDOW:-2s}
		    interval: 1s
		    fail_after: 2
		    min_passes: 2
	YAML
	[ $# = 0 ] || printf '%s\n' "$@" >>"$WORLD/policy.yaml"
}

# rollout_start [OPTION…]: `run` in the background, its lines in run.json.
rollout_start() {
	UNSAID=
	: >"$WORLD/run.json" # what another one said there is not its own
	"$TIDEGATE" run backend --policy "$WORLD/policy.yaml" --format json \
		"$@" >"$WORLD/run.json" 2>"$WORLD/run.err" 3>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
}

# rollout_ends STATUS: waits; shows everything when it is another one.
rollout_ends() {
	local status=0

	until_true 60 run_is_gone || kill -KILL "$RUN_PID"
	wait "$RUN_PID" || status=$?
	[ "$status" = "$1" ] && return
	echo "exit $status, expected $1"
	cat "$WORLD/run.json" "$WORLD/run.err"
	return 1
}

run_is_gone() {
	! is_ours "$RUN_PID" || is_gone "$RUN_PID"
}

# What the rollout said so far is in SAID.
listen() {
	SAID=
	[ ! -e "$WORLD/run.json" ] ||
		IFS= read -r -d '' SAID <"$WORLD/run.json" || true
}

# has TEXT…: every one was said (cheap: to wait for).
has() {
	local text

	listen
	for text; do
		[[ $SAID == *"$text"* ]] || return
	done
}

# has_line TEXT…: all of them were said on one line (cheap, too).
has_line() {
	local line text

	listen
	while IFS= read -r line; do
		for text; do
			[[ $line == *"$text"* ]] || continue 2
		done
		return
	done <<<"$SAID"
	return 1
}

# said CONDITION: a line of the rollout meets it (jq, which is slow: it is not
# asked twice about the same lines, nor where no line is of the event).
said() {
	local event='^\.event == "([a-z-]+)"( and |$)'

	listen
	[[ ! $1 =~ $event || $1 == *' or '* ||
		$SAID == *"\"event\":\"${BASH_REMATCH[1]}\""* ]] || return
	[[ $1 != ".event == \"${BASH_REMATCH[1]-}\"" ]] || return 0
	[ "$UNSAID" != "$1 ${#SAID}" ] || return 1
	jq -e -s "any(.[]; $1)" "$WORLD/run.json" >/dev/null 2>&1 && return
	UNSAID="$1 ${#SAID}"
	return 1
}
