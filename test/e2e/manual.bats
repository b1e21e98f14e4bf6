#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# The manual and the program's own help say the same.

load world
load suite
load rollout
load shared

page() {
	mandoc -T ascii "$BATS_TEST_DIRNAME/../../contrib/man/tidegate.1" |
		sed 's,.\x08,,g'
}

commands() {
	"$TIDEGATE" help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}

teardown() {
	[ -z "${WORLD-}" ] || shared_end
}

@test "the manual names every command" {
	page >"$BATS_TEST_TMPDIR/page"
	[ "$(commands | wc -l)" -gt 2 ]
	for command in $(commands); do
		grep -qE "^     (.*, )?$command( |\$)" \
			"$BATS_TEST_TMPDIR/page" || {
			echo "$command is not in tidegate(1)"
			return 1
		}
	done
}

@test "the manual names every option" {
	page >"$BATS_TEST_TMPDIR/page"
	for command in $(commands); do
		for option in $("$TIDEGATE" help "$command" |
			sed -n 's/^ *\(--[a-z-]*\).*/\1/p'); do
			grep -q -- "$option\b" "$BATS_TEST_TMPDIR/page" || {
				echo "$option of $command is not in tidegate(1)"
				return 1
			}
		done
	done
}

@test "each example of a policy in the manual is a good one" {
	local man=$BATS_TEST_DIRNAME/../../contrib/man/tidegate-policy.5 file n=0
	awk -v to="$BATS_TEST_TMPDIR" '/^\.Sh/ { examples = /EXAMPLES/ }
		!examples { next }
		/^\.Bd/ { file = to "/" ++n ".yaml"; next }
		/^\.Ed/ { file = "" }
		file { print >file }' "$man"
	for file in "$BATS_TEST_TMPDIR"/*.yaml; do
		"$TIDEGATE" check --strict "$file"
		n=$((n + 1))
	done
	[ "$n" -ge 3 ]
}

# The commands in EXAMPLES of all pages, a line each, without what the shell
# does with them.
examples() {
	local man=$BATS_TEST_DIRNAME/../../contrib/man
	for page in "$man"/*.[1-9]; do
		sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$page" |
			sed -e ':a' -e '/\\e$/{N;s/\\e\n *//;ba' -e '}' |
			sed -n -e 's/^\.Dl //' -e 's/^eval "$(\(.*\))"$/\1/' \
				-e 's/ &$//' -e '/^tidegate [a-z]/p'
	done
}

# The last word is the first that a table of options does not know: all others
# are right, and so are their values.
@test "each example of a command in the manual has options that exist" {
	local line n=0
	cd "$BATS_TEST_TMPDIR" # redirections of a line make their files
	while read -r line; do
		eval "set -- $line"
		shift
		run "$TIDEGATE" "$@" --no-such-option
		echo "$line: $output"
		[ "$status" = 2 ]
		[[ $output == *'unknown option "--no-such-option"'* ]]
		n=$((n + 1))
	done < <(examples)
	[ "$n" -ge 15 ]
}

@test "each example of a command in the manual that needs no service runs" {
	local root=$BATS_TEST_DIRNAME/../.. line expected n=0
	cd "$BATS_TEST_TMPDIR"
	ln -s "$root/policies" policies
	cp policies/evidence.yaml production.yaml
	cp policies/recordings/evidence/policy.yaml evidence.yaml
	cp policies/recordings/evidence/thresholds.yaml .
	cp policies/recordings/evidence/good.json recording.json
	export PROMETHEUS_URL=http://127.0.0.1:1 TIDEGATE_STATE=$PWD/none.db
	while read -r line; do
		expected=0
		case $line in
		*' --live '* | *' --from '*) continue ;;
		# Both promote, but not at the same time.
		*' --compare '*) expected=1 ;;
		'tidegate check '* | 'tidegate plan '* | 'tidegate simulate '*) ;;
		'tidegate slo policies/'*) ;;
		'tidegate sandbox --env '*) ;;
		# Nothing has ever run here.
		'tidegate list'* | 'tidegate status'*) expected=4 ;;
		*) continue ;;
		esac
		eval "set -- $line"
		shift
		run "$TIDEGATE" "$@"
		echo "$line: $status $output"
		[ "$status" = "$expected" ]
		[ "$expected" != 4 ] || [[ $output == *"no rollout was run with it"* ]]
		n=$((n + 1))
	done < <(examples)
	[ "$n" -ge 10 ]
}

# One rollout, from the first look to its end. What is not run here needs a
# Prometheus with metrics of a service: README has the same commands, and
# test/e2e/ten-minutes runs them.
@test "each example of a command in the manual that needs a service runs" {
	local line approve='' n=0
	shared_begin
	cd "$WORLD"
	STEPS=$GATE quick
	cp policy.yaml production.yaml
	while read -r line; do
		case $line in
		'tidegate init '* | 'tidegate run shop '* | 'tidegate sandbox --port '*)
			continue
			;;
		'tidegate run '*)
			eval "\"$TIDEGATE\" ${line#tidegate} >run.out 2>&1 3>&- &"
			RUN_PID=$!
			PIDS+=("$RUN_PID")
			until_true 20 waits_for_approval
			;;
		# Which of a service's revisions is meant is for the reader to say.
		*' --live '* | *' --from '*) example_runs "$line" ;;
		# With it the rollout goes on, and ends: it is run below.
		'tidegate approve '*) approve=$line ;;
		'tidegate status --follow'*)
			eval "\"$TIDEGATE\" ${line#tidegate} >followed 2>&1 3>&- &"
			FOLLOWER_PID=$!
			PIDS+=("$FOLLOWER_PID")
			until_true 20 grep -q approval followed
			;;
		'tidegate list' | 'tidegate status'*) example_runs "$line" ;;
		# Those that need no service.
		'tidegate check '* | 'tidegate plan '* | 'tidegate simulate '* | \
			'tidegate sandbox --env '* | 'tidegate slo '*) continue ;;
		*)
			echo "# its options are looked at alone: $line" >&3
			continue
			;;
		esac
		n=$((n + 1))
	done < <(examples)
	[ "$n" -ge 8 ]
	TIDEGATE_USER=bob example_runs "$approve"
	wait "$RUN_PID"
	wait "$FOLLOWER_PID"
	grep -q promoted followed
}

waits_for_approval() {
	"$TIDEGATE" status 2>&1 | grep -q 'waits for approval'
}

example_runs() { # LINE
	local words
	eval "words=($1)"
	run "$TIDEGATE" "${words[@]:1}"
	echo "$1: $status $output"
	[ "$status" = 0 ]
	[ -n "$output" ]
}
