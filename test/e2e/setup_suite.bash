# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# bats looks for this file: what all tests of a run share. Who runs several bats
# side by side has opened it for all of them.

setup_suite() {
	# shellcheck source=test/e2e/suite.bash
	source "$(dirname "${BASH_SOURCE[0]}")/suite.bash"
	[ -n "${SUITE-}" ] || {
		suite_open "$BATS_SUITE_TMPDIR"
		SUITE_IS_OURS=yes
	}
}

teardown_suite() {
	[ -z "${SUITE_IS_OURS-}" ] || suite_close
}
