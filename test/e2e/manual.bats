#!/usr/bin/env bats
# The manual and the program's own help say the same.

page() {
	mandoc -T ascii "$BATS_TEST_DIRNAME/../../contrib/man/tidegate.1" |
		sed 's,.\x08,,g'
}

commands() {
	"$TIDEGATE" help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
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

@test "each example of a command in the manual has words that exist" {
	local man=$BATS_TEST_DIRNAME/../../contrib/man/tidegate.1 line verb word n=0
	while read -r line; do
		verb=$(awk '{ print $2 }' <<<"$line")
		while read -r word; do
			"$TIDEGATE" help "$verb" | grep -qE -- "^ *$word\b" || {
				echo "$word of: $line"
				return 1
			}
			n=$((n + 1))
		done < <(grep -oE -- '--[a-z-]+' <<<"$line")
	done < <(sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$man" |
		sed -e ':a' -e '/\\e$/{N;s/\\e\n//;ba' -e '}' |
		grep -oE '\btidegate [a-z].*')
	[ "$n" -ge 8 ]
}
