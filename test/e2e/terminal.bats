#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# A real terminal (tmux): the panel of `run`, `watch` and `status --follow`, its
# keys, its size, and how it is left.

load world
load suite
load rollout
load shared
load tmux

setup() {
	shared_begin
	TERMINAL=(tmux -S "$WORLD/tmux" -f /dev/null)
}

teardown() {
	"${TERMINAL[@]}" kill-server 2>/dev/null || true
	# A run that loses its terminal takes the traffic back while the sandbox is
	# still there.
	until_true 20 not pgrep -f "$WORLD/policy.yaml" >/dev/null
	shared_end
}

id() { # of the only rollout
	journal 'SELECT id FROM rollout'
}

runs() { # NAME COLUMNS ROWS [OPTION…]
	opens "$1" "$2" "$3" "$TIDEGATE" run backend \
		--policy "$WORLD/policy.yaml" "${@:4}"
}

@test "run and watch have the same panel, and each person the keys that help" {
	STEPS=$GATE quick
	opens list 90 24 "$TIDEGATE" list -w
	shown list 'waiting for the first rollout'
	runs run 80 24
	shown run 'awaiting-approval'
	shown list 'awaiting-approval'
	# Alice started it: hers would not be taken.
	shown run 'bob approves'
	shows_not run '[a]pprove'
	shown run "tidegate approve $(id)"
	opens bob 80 24 TIDEGATE_USER=bob "$TIDEGATE" watch
	shown bob '[a]pprove [p]ause a[b]ort [q]uit'
	shown bob "tidegate approve $(id)"
	# q leaves the rollout alone.
	types bob q
	keyboard_is_back bob
	shown bob 'ended 0'
	# With a comment, which is asked for.
	opens again 80 24 TIDEGATE_USER=bob "$TIDEGATE" status --follow
	shown again '[a]pprove'
	types again a
	shown again 'approve, with a comment'
	types again 'looks go' BSpace 'ood' Enter
	shown again 'bob approves: looks good'
	shown run 'bob approves: looks good'
	shown run 'ended 0'
	shown again 'ended 0'
	keyboard_is_back again
	keyboard_is_back run
	# The list has followed; it is cut where the terminal ends.
	shown list 'promoted'
	shows_not list 'every step has passed;'
	"${TERMINAL[@]}" resize-window -t list -x 160 -y 24
	shown list 'every step has passed;'
	[ "$(screen list | grep -c "^$(id)")" = 1 ]
	"${TERMINAL[@]}" resize-window -t list -x 80 -y 24
	types list C-c 'stty -a' Enter
	keyboard_is_back list
}

@test "an abort takes a second key" {
	STEPS=$LONG quick
	runs run 120 30
	shown run 'a[b]ort'
	until_true 20 serves "$CANDIDATE" 20
	types run b
	shown run 'abort, with a comment'
	types run 'no good' Enter
	shown run '[b] again does it'
	types run x
	gone run 'again does it'
	types run b
	shown run 'abort, with a comment'
	types run 'no good' Enter
	shown run '[b] again does it'
	types run b
	shown run 'ended 6'
	shown run 'alice aborts it: no good'
	keyboard_is_back run
	serves stable-1 100
}

@test "the panel follows the size of the terminal" {
	STEPS=$LONG quick
	runs run 120 30
	shown run 'a[b]ort'
	until_true 20 serves "$CANDIDATE" 20
	shown run 'asks:'
	"${TERMINAL[@]}" resize-window -t run -x 60 -y 40
	gone run 'asks:'
	# One panel alone is left on the screen.
	until_true 15 one_panel
	"${TERMINAL[@]}" resize-window -t run -x 130 -y 30
	shown run 'asks:'
	until_true 15 one_panel
}

@test "a journal that cannot be written is told while it lasts" {
	STEPS=$LONG quick
	runs run 80 24
	until_true 20 serves "$CANDIDATE" 20
	shown run 'a[b]ort'
	coproc LOCK { locks; }
	read -r <&"${LOCK[0]}"
	shown run 'what needs it waits'
	kill "$LOCK_PID"
	gone run 'what needs it waits'
}

locks() { # the state file, until the standard input ends
	python3 -c '
import sqlite3, sys
state = sqlite3.connect(sys.argv[1], isolation_level=None)
state.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
' "$TIDEGATE_STATE" 3>&-
}

one_panel() { # and no lines of another above it
	[ "$(screen run | grep -c 'next: ')" = 1 ] &&
		[ "$(screen run | grep -c 'us-central1  acme')" = 1 ]
}

@test "Ctrl-C takes the traffic back, q says so before" {
	STEPS=$LONG quick
	runs run 80 24
	until_true 20 serves "$CANDIDATE" 20
	shown run '[q]uit'
	types run q
	shown run 'on_interrupt: rollback'
	types run n
	gone run 'on_interrupt: rollback'
	types run C-c
	shown run 'ended 6'
	shown run 'SIGINT'
	keyboard_is_back run
	serves stable-1 100
}

@test "Ctrl-Z gives the keyboard back, and fg takes it again" {
	STEPS=$LONG quick
	runs run 80 24
	until_true 20 serves "$CANDIDATE" 20
	opens watch 80 24 "$TIDEGATE" watch
	shown watch 'a[b]ort'
	types watch C-z
	keyboard_is_back watch
	types watch fg Enter
	shown watch '[q]uit'
	types watch q
	shown watch 'goes on without being watched here'
}

@test "a watch that is killed leaves the terminal as it was" {
	STEPS=$LONG quick
	runs run 80 24
	until_true 20 serves "$CANDIDATE" 20
	for signal in TERM SEGV; do
		opens "$signal" 80 24 "$TIDEGATE" watch
		shown "$signal" 'a[b]ort'
		pkill -"$signal" -P "$("${TERMINAL[@]}" list-panes \
			-t "$signal" -F '#{pane_pid}')"
		keyboard_is_back "$signal"
	done
}

@test "the lines above are for people, those of a dumb terminal are the journal" {
	quick
	runs run 80 24
	shown run 'ended 0'
	# Lines for people: none of these is for them.
	shows_not run 'baking -> shifting'
	shows_not run 'written done'
	shown run 'step 1 has passed'
	opens dumb 100 40 TERM=dumb "$TIDEGATE" watch "$(id)"
	shown dumb 'ended 0'
	shown dumb 'written done'
}
