#!/usr/bin/env bats
# What a shell offers after "tidegate" and the tab key.

setup() {
	PATH=$(dirname "$TIDEGATE"):$PATH
	# shellcheck source=contrib/completions/tidegate
	source "$BATS_TEST_DIRNAME/../../contrib/completions/tidegate"
}

# The words offered when the last of the given ones is being typed.
offered() {
	COMP_WORDS=(tidegate "$@")
	COMP_CWORD=$#
	_tidegate
	printf '%s\n' "${COMPREPLY[@]}"
}

@test "the first word is completed to a command" {
	[ "$(offered vers)" = version ]
	offered "" | grep -qx help
}

@test "help is completed with commands" {
	[ "$(offered help vers)" = version ]
}

@test "an option of the command is completed" {
	offered run --pol | grep -qx -- --policy
}

@test "what is neither is left to the files" {
	[ -z "$(offered run --policy pol)" ]
}
