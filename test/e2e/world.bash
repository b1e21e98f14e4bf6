# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# What the end-to-end tests share: a sandbox, a Prometheus, waiting for things.
# Ports come from the kernel; everything that is started ends with the test, but
# for the one Prometheus of the whole run (suite.bash).

: "${TIDEGATE:=./build/tidegate}"
# What tidegate becomes for some verbs, without being it before: with sanitizers a
# start takes a tenth of a second. That it becomes them, manual.bats sees for every
# verb.
WORKBENCH=${TIDEGATE%/*}/tidegate-workbench
CONTROLLER=${TIDEGATE%/*}/tidegate-server
SANDBOX=${TIDEGATE%/*}/tidegate-sandbox

world_open() {
	only_the_test_is_traced
	WORLD=$(mktemp -d)
	PIDS=()
}

# For each command bats notes where it stands, at ten times the price of the
# command, and most are those of functions that wait for something. Of what fails
# in a function the test's own line is told.
only_the_test_is_traced() {
	[ -n "${BATS_TEST_NAME-}" ] || return 0
	set +T
	declare -ft "$BATS_TEST_NAME"
}

# What was started last ends first: a rollout that a failed test left behind
# gives its traffic back while the sandbox is still there. Who has the number of
# one that ended by itself is none of ours.
end_all() {
	local i pid

	for ((i = ${#PIDS[@]} - 1; i >= 0; i--)); do
		pid=${PIDS[i]}
		is_ours "$pid" || continue
		! is_in "$pid" T || kill -CONT "$pid" || true # it was stopped
		kill "$pid" 2>/dev/null || continue
		until_true 5 is_gone "$pid" || kill -KILL "$pid"
		wait "$pid" 2>/dev/null || true
	done
	PIDS=()
}

world_close() {
	end_all
	rm -rf "$WORLD"
}

# until_true SECONDS COMMAND…: the deadline is for the condition. It costs
# nothing when all is well, and a busy machine is given PATIENCE times as long.
until_true() {
	local end=$((SECONDS + $1 * ${PATIENCE:-3})) looks=0

	shift
	until "$@"; do
		if [ $SECONDS -ge "$end" ]; then
			echo "waited in vain for: $*" >&2
			return 1
		fi
		looks=$((looks + 1))
		moment "$looks"
	done
}

# Between two looks, longer after some of them; by a pipe that says nothing, so
# that no process is started for it: most of the time of the tests is spent here.
moment() { # [LOOKS]
	[ -n "${MOMENT-}" ] || exec {MOMENT}<> <(:)
	if [ "${1:-0}" -le 10 ]; then
		read -r -t 0.05 -u "$MOMENT" || true
	else
		read -r -t 0.2 -u "$MOMENT" || true
	fi
}

# is_in PID STATE: as ps has it
is_in() {
	local stat

	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return
	[[ ${stat##*) } == "$2"* ]]
}

# is_ours PID: this shell has started it, and nobody else who has its number now
is_ours() {
	local stat

	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return
	[[ ${stat##*) } == ?" $BASHPID "* ]]
}

# is_gone PID: it has ended, whether or not anybody waited for it.
is_gone() {
	[ ! -e "/proc/$1" ] || is_in "$1" Z
}

# not COMMAND…: a test fails by it, which it does not by a bare "!".
not() {
	! "$@"
}

# refute COMMAND…: it fails. A bare "! COMMAND" never fails a test.
refute() {
	if "$@"; then
		echo "this must not succeed: $*" >&2
		return 1
	fi
}

# sandbox_start [OPTION…] sets ADMIN, FRONT, METRICS, SERVICE, SANDBOX_PID.
sandbox_start() {
	local ready=$WORLD/ready.$((++SANDBOXES))

	"$SANDBOX" "$@" >"$ready" 2>"$ready.err" 3>&- &
	SANDBOX_PID=$!
	PIDS+=("$SANDBOX_PID")
	until_true 10 sandbox_began "$ready"
	[ -s "$ready" ] || {
		cat "$ready.err" >&2
		return 1
	}
	read -r ready <"$ready"
	find_member admin "$ready" && ADMIN=$MEMBER
	find_member front "$ready" && FRONT=$MEMBER
	find_member metrics "$ready" && METRICS=$MEMBER
	find_member service "$ready" && SERVICE=$ADMIN/v2/$MEMBER
}

sandbox_began() { # FILE: it says where it is, or has ended
	[ -s "$1" ] || is_gone "$SANDBOX_PID"
}

# jq -e finds nothing wrong with no input at all; here what is expected is to be
# said of something.
jq() {
	local said status=0

	case ${1-} in
	-e | -e[a-z]* | -[a-z]*e) ;;
	*)
		command jq "$@"
		return
		;;
	esac
	said=$(command jq "$@") || status=$?
	[ -z "$said" ] || printf '%s\n' "$said"
	[ "$status" != 0 ] || [ -n "$said" ] || status=4
	return "$status"
}

# member NAME JSON: a text of an object on one line. Where a test only needs
# that it is quicker than jq, which takes longer to start than most programs.
member() {
	find_member "$@" || true
	printf '%s\n' "$MEMBER"
}

# find_member NAME JSON: it is in MEMBER
find_member() {
	MEMBER=
	[[ $2 =~ \"$1\":\ ?\"([^\"]*)\" ]] && MEMBER=${BASH_REMATCH[1]}
}

# split A PERCENT B: a body of traffic
split() {
	local to='{"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","revision":"%s","percent":%d}'

	# shellcheck disable=SC2059
	printf "{\"traffic\":[$to,$to]}\n" "$1" "$2" "$3" "$((100 - $2))"
}

# talk PORT METHOD PATH HEADERS [BODY]: sets CODE, and SEEN to what was answered. It
# starts no program, since waiting is mostly asking: curl and its certificates
# would be most of what a test takes.
talk() {
	local at=127.0.0.1:$1 body=${5-} fd LC_ALL=C

	CODE='' SEEN=''
	{ exec {fd}<>"/dev/tcp/${at/://}"; } 2>/dev/null || return
	printf '%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n%s' \
		"$2" "$3" "$at" \
		"$4${body:+Content-Type: application/json$'\r\n'Content-Length: ${#body}$'\r\n'}" \
		"$body" >&"$fd"
	IFS= read -r -N 9999999 -t 30 -u "$fd" SEEN || true
	exec {fd}>&-
	[[ $SEEN == 'HTTP/1.1 '* ]] || return
	CODE=${SEEN:9:3} SEEN=${SEEN#*$'\r\n\r\n'}
}

# The admin API and the sandbox's own controls: api METHOD URL [-d BODY]
api() {
	local at=${2#http://127.0.0.1:}

	talk "${at%%/*}" "$1" "/${at#*/}" $'Authorization: Bearer test\r\n' "${4-}" &&
		printf '%s' "$SEEN"
}

# sandbox_ask METHOD PATH [BODY]: the sandbox's own controls, whose answer is in SEEN.
# No fault meets it; they are the admin API's.
sandbox_ask() {
	talk "${ADMIN##*:}" "$1" "/sandbox$2" '' "${3-}" && [[ $CODE == 2* ]]
}

look() {
	sandbox_ask GET ''
}

# fault JSON: asks for it; see the controls of the sandbox
fault() {
	sandbox_ask POST /faults "$1" && [[ $SEEN == *'"id":'* ]]
}

# percent REVISION: what it serves is in PERCENT
percent() {
	local member="\"name\": \"$1\",[^}]*\"percent\": ([0-9]+)"

	PERCENT=
	look && [[ $SEEN =~ $member ]] && PERCENT=${BASH_REMATCH[1]}
}

serving() { # REVISION
	percent "$1" && echo "$PERCENT"
}

serves() { # REVISION PERCENT
	percent "$1" && [ "$PERCENT" = "$2" ]
}

# control METHOD PATH BODY: traffic that is written is served when it returns
control() {
	sandbox_ask "$@" || return
	[ "$1 $2" != 'PUT /traffic' ] || until_true 20 is_reconciled
}

is_reconciled() {
	look && [[ $SEEN == *'"reconciling": false'* ]]
}

# answers JSON: what the Prometheus of the sandbox says to every query
answers() {
	control PUT /metrics "$1"
}

# prometheus_start FOLDER [OPTION…]: one of the test's own, which asks nobody,
# over what is in the folder; sets PROMETHEUS.
prometheus_start() {
	local log

	log=$(mktemp "$WORLD/prometheus.XXXXXX")
	prometheus --config.file=/dev/null --storage.tsdb.retention.time=100y \
		--storage.tsdb.path="$1" --web.listen-address=127.0.0.1:0 \
		"${@:2}" >"$log" 2>&1 3>&- &
	PIDS+=($!)
	until_true 20 grep -q 'Listening on' "$log"
	PROMETHEUS=http://$(sed -n 's/.*"Listening on" address=//p' "$log")
	until_true 20 curl -sf -o /dev/null "$PROMETHEUS/-/ready"
}

# prometheus_value QUERY: the one value, or nothing
prometheus_value() {
	local at=${PROMETHEUS#http://127.0.0.1:} path='' i c LC_ALL=C

	for ((i = 0; i < ${#1}; i++)); do
		c=${1:i:1}
		[[ $c == [a-zA-Z0-9] ]] || printf -v c '%%%02X' "'$c"
		path+=$c
	done
	path="/api/v1/query?query=$path"
	[ "$at" = "${at%%/*}" ] || path=/${at#*/}$path
	talk "${at%%/*}" GET "$path" '' || return
	[[ $CODE == 2* ]] || return
	[[ ! $SEEN =~ '"result":['[^]]*,\"([^\"]*)\"']}]' ]] ||
		echo "${BASH_REMATCH[1]}"
}
