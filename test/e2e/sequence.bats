#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# The whole of policies/full-rollback.yaml: it runs, it is drilled, and it is
# killed before, in and after each of its actions.
# Takes long. One world: its servers take longer to start than to use.

load world
load suite
load rollout
load shared
load sequence

setup_file() {
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || return 0
	export SHARED=$BATS_FILE_TMPDIR
	WORLD=$SHARED PIDS=()
	export POLICIES=$BATS_TEST_DIRNAME/../../policies
	export FAKES_PY=$BATS_TEST_DIRNAME/fakes.py
	sequence_open
}

teardown_file() {
	[ -n "$SHARED" ] || return 0
	sequence_close
}

setup() {
	[ -n "$SHARED" ] || skip 'there is no PostgreSQL here'
}

teardown() { end_all; }

# ---- killed ----

# Where it is killed, how it ends, what is different then.
#   api METHOD PATTERN before|after   a request that is never answered
#   program NAME                      one that never ends
#   redis                             a server that stands still
#   started NAME                      an action that was just started
POINTS=(
	'api GET /silences before|6'
	'api POST /silences before|6'
	'api POST /silences after|6'
	'api GET latest:access before|6'
	'api POST :addVersion before|6'
	'api POST :addVersion after|6'
	'program kubectl-get|6'
	'program undo-before|6'
	'program undo-after|6'
	'program kubectl-status|6'
	'api GET /releases before|6'
	'api POST /releases before|6'
	'api POST /releases after|6'
	'redis|6'
	'program guard|9 schema=2'
	'program command-before|9 schema=2'
	'program command-after|9'
	'api GET /health before|6'
	'api GET /beta before|6'
	'api POST /services before|9 messages=0'
	'api POST /services after|9'
	'started incident-report|6 silences=*' # the end may have been journaled
)
LANES=4

arm() { # POINT
	local words

	read -ra words <<<"$1"
	case ${words[0]} in
	api) fakes hold "$(jq -nc '{method: $ARGS.positional[0],
		path: $ARGS.positional[1], when: $ARGS.positional[2]}' \
		--args "${words[@]:1}")" >/dev/null ;;
	program) touch "$WORLD/hold-${words[1]}" ;;
	redis) kill -STOP "$REDIS_PID" ;;
	esac
}

is_started() { # NAME
	grep -q "\"action-started\".*\"name\":\"$1\"" "$WORLD/run.json"
}

reached() { # POINT
	case $1 in
	redis) is_started cache ;;
	started*) is_started "${1#started }" ;;
	*) is_held ;;
	esac
}

killed_at() { # POINT: then resumed; STATUS is how it ended
	arm "$1"
	kill -INT "$RUN_PID"
	until_true 30 reached "$1" || return
	kill -KILL "$RUN_PID"
	wait "$RUN_PID" 2>/dev/null
	[ ! -s "$WORLD/held" ] || kill "$(<"$WORLD/held")"
	kill -CONT "$REDIS_PID"
	STATUS=0
	timeout 60 "$TIDEGATE" resume --format json >"$WORLD/resume.json" \
		2>"$WORLD/resume.err" 3>&- || STATUS=$?
	# Killed after its end was journaled: nothing is left to resume.
	[ "$STATUS" != 4 ] ||
		[ "$(journal 'SELECT phase FROM rollout')" != rolled-back ] ||
		STATUS=6
}

trial() { # POINT|STATUS [DIFFERENCES]
	local point=${1%|*} status differences

	read -r status differences <<<"${1#*|}"
	trial_begin "$2"
	trial_run
	killed_at "$point"
	# shellcheck disable=SC2053,SC2086
	if [ "$STATUS" = "$status" ] && serves stable-1 100 &&
		[[ $(effects) == $(effects_wanted $differences) ]] &&
		journal_has_no_gaps && told "$status"; then
		echo "ok $point"
	else
		echo "BAD $point: exit $STATUS, not $status"
		echo "  $(effects)"
		# shellcheck disable=SC2086
		echo "  $(effects_wanted $differences)"
		cat "$WORLD/resume.err" "$WORLD/run.err" | tail -n 5
	fi
}

# A person who is needed is told what to look at, also by the report.
told() { # STATUS
	[ "$1" = 6 ] && return
	grep -q 'look what it did and finish it by hand' \
		"$WORLD/resume.json" &&
		"$TIDEGATE" report "$(rollout_id)" |
		grep -q 'nobody knows whether'
}

lane() { # NUMBER: every LANESth point
	local i

	# What goes wrong is judged, it ends nothing.
	set +eET
	trap - ERR EXIT DEBUG
	lane_open "$1"
	for ((i = $1; i < ${#POINTS[@]}; i += LANES)); do
		trial "${POINTS[i]}" "c$1-$i" >>"$SHARED/$1" 2>"$WORLD/err"
	done
	end_all
}

# ---- renewed ----

silence() { # JQ: of the one silence of this rollout
	curl -sf "$ALERTS/api/v2/silences" |
		jq -r --arg by "tidegate $(rollout_id)" \
			"[.[] | select(.createdBy == \$by)] | first | $1"
}

ends_after() {
	sleep 0.5 # poll, but not as often
	[[ $(silence .endsAt) > $1 ]]
}

# The sequence waits for health for longer than a third of the lease: each try
# hangs until its share of the action's time is over.
renewal() {
	local i end

	sed -i 's/lease: 10m/lease: 1m/' "$WORLD/policy.yaml"
	trial_begin crenew
	trial_run
	for i in {1..9}; do
		arm 'api GET /health before'
	done
	kill -INT "$RUN_PID"
	until_true 30 is_held || return
	[ "$(silence '.matchers | map("\(.name)=\(.value)") | join(",")')" = \
		service=backend ] || return
	[ "$(silence .status.state)" = active ] || return
	end=$(silence .endsAt)
	until_true 60 ends_after "$end" || return
	rollout_ends 6 || return
	[ "$(effects)" = "$(effects_wanted)" ]
}

renewal_lane() {
	set +eET
	trap - ERR EXIT DEBUG
	lane_open renew
	renewal && echo 'ok renewal' || echo 'BAD renewal'
	end_all
}

@test "killed before, in and after each action, it ends right, nothing is done twice, and a silence is renewed meanwhile" {
	local lane lanes=()

	renewal_lane >"$SHARED/renewed" 2>&1 3>&- &
	lanes+=($!)
	for ((lane = 0; lane < LANES; lane++)); do
		lane "$lane" 3>&- &
		lanes+=($!)
	done
	wait "${lanes[@]}"
	cat "$SHARED"/[0-9] "$SHARED/renewed"
	grep -q '^ok renewal' "$SHARED/renewed"
	[ "$(grep -c '^ok ' "$SHARED"/[0-9] | awk -F: '{n += $2} END {print n}')" \
		= ${#POINTS[@]} ]
}

# ---- drilled ----

writes_of_redis() {
	redis INFO commandstats | sed -n 's/^cmdstat_\([^:]*\):.*/\1/p' |
		grep -vxE 'acl\|dryrun|config\|resetstat|dbsize|info|ping|role|scan'
}

stored_silences() {
	curl -sf "$ALERTS/metrics" | grep -E \
		'^alertmanager_http_request_duration_seconds_count.*/silence.*(post|delete)'
}

@test "a drill of it reads everything and writes nothing, say the servers' own logs" {
	local before silences

	lane_open drill
	trial_begin cdrill
	trial_run
	kill -KILL "$RUN_PID"
	until_true 10 run_is_gone
	before=$(effects)
	silences=$(stored_silences || true)
	fakes log | jq -e 'all(.[]; .method == "GET" or
		(.path | endswith(":testIamPermissions")))'
	sandbox_ask DELETE /log
	redis CONFIG RESETSTAT
	: >"$WORLD/kubectl.log"
	: >"$SHARED/service.log"
	: >"$PGHOST/log"
	run "$TIDEGATE" rollback backend --policy "$WORLD/policy.yaml" \
		--project acme --drill
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *'nothing was written'* ]]
	[[ $output == *'would silence what has service=backend for 10m'* ]]
	[[ $output == *'would add a version to feature-beta, after version 1'* ]]
	[[ $output == *'would go from revision 8 to 7'* ]]
	[[ $output == *'would release sites/my-project/versions/one again'* ]]
	[[ $output == *'would remove 2 keys'* ]]
	[[ $output == *'would run alembic downgrade -1'* ]]
	[[ $output == *api-answers*'answered 200'* ]]
	[[ $output == *feature-is-gone*'answered 404'* ]]
	[[ $output == *'would send a message'* ]]
	[[ $output == *'would write'*incident-drill.md* ]]
	# What each of them saw:
	fakes log | jq -e 'length >= 6 and all(.[]; .method == "GET" or
		(.path | endswith(":testIamPermissions")))'
	[ "$(stored_silences || true)" = "$silences" ]
	not writes_of_redis
	grep -q 'statement: DO' "$PGHOST/log"
	refute grep -E 'statement: (ALTER|UPDATE|INSERT|DELETE|BEGIN)' \
		"$PGHOST/log"
	[ "$(cut -d' ' -f3 "$WORLD/kubectl.log" | sort -u | paste -sd,)" = \
		'auth,get' ]
	grep -q 'GET /api/v1/health' "$SHARED/service.log"
	refute grep -E '"(POST|PUT|PATCH|DELETE)' "$SHARED/service.log"
	api GET "$ADMIN/sandbox/log" |
		jq -e '.entries | length > 0 and all(.[]; .method == "GET")'
	[ "$(effects)" = "$before" ]
	[ "$("$TIDEGATE" list --format json | jq -s 'flatten | length')" = 1 ]
	# Who only looks needs none of its addresses and secrets.
	env -u REDIS_URL -u API_URL -u SLACK_WEBHOOK -u ALERTMANAGER_URL \
		"$TIDEGATE" report | grep -q '^# backend: baking'
}

@test "a drill says what is missing, and what may not be done" {
	lane_open missing
	trial_begin cmissing
	control PUT /traffic '{"cmissing": 100}'
	until_true 10 serves cmissing 100
	fakes reset '{"sites": {"my-project": ["one"]}}' >/dev/null
	redis ACL SETUSER default -unlink >/dev/null
	psql -qc "INSERT INTO cart VALUES (1, 5, 'fragile')"
	printf '#!/bin/sh\necho no cluster\nexit 1\n' >"$WORLD/bin/kubectl"
	sed -i -e 's/feature-beta/no-such/' -e 's,/api/v1/beta,/api/v1/health,' \
		"$WORLD/policy.yaml"
	run "$TIDEGATE" rollback backend --policy "$WORLD/policy.yaml" \
		--project acme --to stable-1 --drill
	echo "$output"
	[ "$status" = 4 ]
	[[ $output == *'no-such does not exist, or these credentials may not'* ]]
	[[ $output == *workers*MISSING*"cannot be read: exit 1: no cluster"* ]]
	[[ $output == *web-site*MISSING*'nothing to go back to'* ]]
	[[ $output == *cache*MISSING*"no permissions to run the 'unlink' command"* ]]
	# A guard that says no is an answer, too.
	[[ $output == *schema*ready*'not possible: the schema is kept'*'notes would be lost'* ]]
	[[ $output == *feature-is-gone*MISSING*'answered 200'* ]]
	[[ $output == *'not ready: 5 of these are missing'* ]]
}
