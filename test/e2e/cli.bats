#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The command line itself: help, slips of the finger, exit statuses.

bats_require_minimum_version 1.5.0
: "${TIDEGATE:=./build/tidegate}"

setup() {
	STATE=$(mktemp -d)
	export TIDEGATE_STATE=$STATE/tidegate.db
}

teardown() {
	rm -rf "$STATE"
}

tide() {
	run --separate-stderr "$TIDEGATE" "$@"
}

@test "help lists every command, each has its own help, and the version is told" {
	local command n=0

	tide help
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	while read -r command; do
		n=$((n + 1))
		tide "$command" --help
		[ "$status" -eq 0 ]
		[[ $output == "Usage: tidegate $command"* ]]
	done < <("$TIDEGATE" help | sed -n \
		'/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p')
	[ "$n" -ge 10 ]
	tide --version
	[[ ${lines[0]} == "tidegate "[0-9]* && ${lines[1]} == "libevent 2."* ]]
}

@test "other programs are found beside this one or in libexec, or missed by name" {
	local bin=$BATS_TEST_TMPDIR/bin libexec=$BATS_TEST_TMPDIR/libexec/tidegate

	mkdir -p "$bin" "$libexec"
	cp "$TIDEGATE" "$bin/tidegate"
	run --separate-stderr "$bin/tidegate" sandbox --port 0
	[ "$status" -eq 4 ]
	[[ $stderr == *"tidegate-sandbox is neither in $bin nor in"* ]]
	run --separate-stderr "$bin/tidegate" simulate --help
	[ "$status" -eq 4 ]
	[[ $stderr == *"tidegate-workbench is neither in $bin nor in"* ]]
	cp "${TIDEGATE%/*}"/tidegate-{sandbox,workbench} "$libexec"
	run --separate-stderr "$bin/tidegate" simulate --polcy p.yaml
	[ "$status" -eq 2 ]
	[[ $stderr == *"did you mean --policy?"* ]]
	# It says nothing about verbs of its own.
	run --separate-stderr "$libexec/tidegate-workbench" run
	[ "$status" -eq 2 ]
	run --separate-stderr "$bin/tidegate" sandbox --prot 0
	[ "$status" -eq 2 ]
	[[ $stderr == *"did you mean --port?"* ]]
	mv "$libexec/tidegate-sandbox" "$bin"
	# Where a link to it lies does not matter.
	ln -s "$bin/tidegate" "$libexec/tidegate"
	run --separate-stderr "$libexec/tidegate" help sandbox
	[ "$status" -eq 0 ]
	[[ $output == "Usage: tidegate sandbox"*"--operation-delay TIME"* ]]
}

@test "no help is wider than 80 columns" {
	local command

	for command in $("$TIDEGATE" help | sed -n \
		'/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'); do
		"$TIDEGATE" help "$command" | awk 'length > 80 { exit 1 }'
	done
}

@test "usage errors exit with 2 and say what was meant" {
	tide
	[ "$status" -eq 2 ]
	tide statsu
	[ "$status" -eq 2 ]
	[[ $stderr == *"did you mean status?"* ]]
	tide status --fromat json
	[ "$status" -eq 2 ]
	[[ $stderr == *"did you mean --format?"* ]]
	tide status one two
	[ "$status" -eq 2 ]
	[[ $stderr == *'"two" is one argument too many'* ]]
	[ -z "$output" ]
}

@test "without a state file operators are told, and none is made" {
	local verb

	for verb in status list watch approve reject pause continue abort; do
		tide "$verb"
		[ "$status" -eq 4 ]
		[[ $stderr == *"there is no state file $TIDEGATE_STATE"* ]]
	done
	[ ! -e "$TIDEGATE_STATE" ]
}

@test "a result that cannot be written is an error" {
	run --separate-stderr bash -c '"$1" help >/dev/full' - "$TIDEGATE"
	[ "$status" -eq 1 ]
	[[ $stderr == *"cannot write to standard output: No space left"* ]]
}

# What does not fit into the stream's buffer is refused before the end.
@test "a long result that cannot be written says why" {
	"$TIDEGATE" run s --policy "$BATS_TEST_DIRNAME/../../policies/cloud-run-managed.yaml" \
		--project p --region r >/dev/null 2>&1 || true
	for verb in list status; do
		run --separate-stderr bash -c '"$1" "$2" --format json >/dev/full' - \
			"$TIDEGATE" "$verb"
		[ "$status" -eq 1 ]
		[[ $stderr == *"cannot write to standard output: No space left"* ]]
	done
}

# What is said of it goes into a pipe, which has no limit.
@test "a file at its limit is an error of who writes it, not our end" {
	run bash -c '(ulimit -f 0; exec "$1" help >"$2") 2>&1 | cat
		exit "${PIPESTATUS[0]}"' - "$TIDEGATE" "$BATS_TEST_TMPDIR/out"
	[ "$status" -eq 1 ]
	[[ $output == *"cannot write to standard output: File too large"* ]]
}

@test "what a terminal would obey is escaped in messages" {
	tide "$(printf 'x\033[2J')"
	[ "$status" -eq 2 ]
	[[ $stderr == *'x\x1b[2J'* ]]
	[[ $stderr != *$'\033'* ]]
}
