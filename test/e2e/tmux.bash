# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Commands on terminals of tmux, which is started as TERMINAL says; on top of
# world.

# opens NAME COLUMNS ROWS WORD…: a shell that runs the command, and says how it
# ended
opens() {
	local name=$1 columns=$2 rows=$3

	shift 3
	"${TERMINAL[@]}" new-session -d -s "$name" -x "$columns" -y "$rows" \
		env LC_ALL=C.UTF-8 TZ=UTC PS1='$ ' sh
	types "$name" "$*; echo ended \$?; stty -a" Enter
}

types() { # NAME KEY…
	"${TERMINAL[@]}" send-keys -t "$1" "${@:2}"
}

screen() { # NAME: all that it shows
	"${TERMINAL[@]}" capture-pane -p -t "$1"
}

shows() { # NAME TEXT
	screen "$1" | grep -qF -- "$2"
}

shows_not() { # NAME TEXT
	not shows "$@"
}

# What is on a screen came there piece by piece: each text is waited for, also
# that of a panel of which another is there already.
shown() { # NAME TEXT…
	local text

	for text in "${@:2}"; do
		until_true 15 shows "$1" "$text" || {
			screen "$1" >&2
			return 1
		}
	done
}

gone() { # NAME TEXT
	until_true 15 shows_not "$@"
}

# The keyboard is as it was: lines are edited, keys are echoed. In the words of
# stty, none of which is in the line that was typed.
keyboard_is_back() { # NAME
	shown "$1" 'isig icanon iexten echo echoe'
}
