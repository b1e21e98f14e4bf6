# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# The daemon, for tests that ask it: on top of world.

# serve_start OPTION…: sets SERVER, SERVE_PID; what all of a test's have said of
# errors is in serve.err, the last one's first line in serve.out.
serve_start() {
	: >"$WORLD/serve.out"
	"$CONTROLLER" serve "$@" --format json \
		>"$WORLD/serve.out" 2>>"$WORLD/serve.err" 3>&- &
	SERVE_PID=$!
	PIDS+=("$SERVE_PID")
	until_true 20 serve_began
	[ -s "$WORLD/serve.out" ] || {
		cat "$WORLD/serve.err" >&2
		return 1
	}
	SERVER=$(member address "$(<"$WORLD/serve.out")")
	[ -n "$SERVER" ]
}

# With the policies of the test, for whoever runs it.
serve_by_flags() {
	serve_start --listen 127.0.0.1:0 --policies "$WORLD/policies"
}

serve_by_config() {
	serve_start --config "$WORLD/serve.yaml"
}

serve_began() { # it says where it is, or has ended
	[ -s "$WORLD/serve.out" ] || is_gone "$SERVE_PID"
}

# ask METHOD PATH [BODY]: whom $TOKEN is of; sets REPLY_BODY, REPLY_STATUS
ask() {
	talk "${SERVER##*:}" "$1" "$2" "Authorization: Bearer $TOKEN"$'\r\n' "${3-}"
	REPLY_BODY=${SEEN%$'\n'} REPLY_STATUS=$CODE
}
