#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a shell offers after "tidegate" and the tab key: bash, zsh and fish.

: "${TIDEGATE:=./build/tidegate}"

setup() {
	HERE=$BATS_TEST_DIRNAME/../../contrib/completions
	TIDEGATE=$(realpath "$TIDEGATE")
	PATH=$(dirname "$TIDEGATE"):$PATH
	export TIDEGATE_STATE=$BATS_TEST_TMPDIR/state.db
	export HOME=$BATS_TEST_TMPDIR XDG_CONFIG_HOME=$BATS_TEST_TMPDIR
	cd "$BATS_TEST_TMPDIR" || return
	printf '%s\n' 'slos:' '  - name: error-rate' '  - {name: "p95", max: 1}' \
		'rollback:' '  - name: tell' >policy.yaml
}

# A tidegate that has these rollouts, and is the real one otherwise.
with_rollouts() {
	mkdir bin
	printf '%s\n' '#!/bin/sh' \
		'[ "$1" != list ] || { echo "[{\"rollout\": \"shop-1\"}, {\"rollout\": \"api-2\"}]"; exit; }' \
		"exec $TIDEGATE"' "$@"' >bin/tidegate
	chmod +x bin/tidegate
	PATH=$PWD/bin:$PATH
}

# The words offered when the last of the given ones is being typed.
in_bash() {
	bash -c 'source "$0/tidegate"
		COMP_WORDS=(tidegate "$@")
		COMP_CWORD=$#
		_tidegate
		printf "%s\n" "${COMPREPLY[@]}"' "$HERE" "$@"
}

# In a terminal of its own the keys would do; what is offered is the same.
in_zsh() {
	zsh -f -c '
		compadd() {
			while [[ $1 != -- ]]; do shift; done
			shift
			print -rl -- ${(M)@:#$PREFIX*}
		}
		_describe() {
			local -a all
			all=(${(P)2})
			print -rl -- ${(M)${all%%:*}:#$PREFIX*}
		}
		_files() { print -rl -- $PREFIX*(N) }
		file=$1
		shift
		words=(tidegate "$@")
		CURRENT=$#words
		PREFIX=$words[CURRENT]
		source $file' zsh "$HERE/_tidegate" "$@"
}

in_fish() {
	fish --no-config -c 'source $argv[1]/tidegate.fish
		complete -C "tidegate $argv[2]"' "$HERE" "$*" | cut -f1
}

SHELLS='in_bash in_zsh in_fish'

# offers WORDS FOR…: these, in any order, and nothing else
offers() {
	local shell wanted=$1 got

	shift
	for shell in $SHELLS; do
		got=$("$shell" "$@" | sed '/^$/d' | sort | paste -sd' ')
		[ "$got" = "$wanted" ] || {
			echo "$shell offers for \"$*\": $got"
			return 1
		}
	done
}

@test "the first word, and that of help, is completed to a command" {
	offers version vers
	offers version help vers
}

@test "an option of the command is completed, and its values" {
	offers --policy run --poli
	offers 'json text' status --format ''
	offers json list --format j
	offers '' run --policy none
}

@test "a file is completed where one belongs" {
	[ "$(in_zsh run --policy pol)" = policy.yaml ]
	[ "$(in_fish run --policy pol)" = policy.yaml ]
	[ -z "$(in_bash run --policy pol)" ] # bash's own default
}

@test "rollouts are completed where one is meant" {
	with_rollouts
	offers 'api-2 shop-1' approve ''
	offers shop-1 report s
	offers api-2 simulate --rollout a
}

@test "names of SLOs are completed out of the policy" {
	offers 'slos.p95.critical= slos.p95.interval= slos.p95.max= slos.p95.min= slos.p95.window=' \
		simulate --policy policy.yaml --set slos.p
	offers 'slos.error-rate.max= slos.error-rate.min=' \
		simulate --policy policy.yaml --sweep slos.error-rate.m
	offers '' simulate --sweep slos
}
