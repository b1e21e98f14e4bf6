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
