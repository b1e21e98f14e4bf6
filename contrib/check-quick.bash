# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# What `contrib/check quick` leaves out, for contrib/check, whose src, build and
# work it goes by. A test program is linked and run again only when something
# that it took in has changed since it passed: its linker map says what that
# was. An end-to-end file is run again when the program, what the tests share or
# the file itself is another one than when it passed.

QUICK_E2E=(run faults trouble cli completions manual)
# Without what takes long: it runs the program or reads all of it.
QUICK_LINT=(format shell_scripts functions_fit_a_screen files_are_short
	foreign_headers_stay_home includes_point_downwards
	files_say_what_they_own files_name_their_licence words_that_do_not_belong
	tests_wait_for_conditions man_pages lines_end_clean json_is_json)

# quick_value NAME…: of variables of the Makefile
quick_value() {
	# shellcheck disable=SC2016 # make expands them
	printf 'include Makefile\nvalue:\n\t@echo%s\n' \
		"$(printf ' $(%s)' "$@")" | make -s -C "$build" -f - value
}

# ---- test programs ----

# What tests read besides what is compiled; it is not known which test reads it.
quick_data() {
	(cd "$src" && find Makefile.am configure.ac README.md policies test \
		contrib/man contrib/completions -type f ! -name '*.[ch]' \
		! -path 'test/e2e/*' -print0 | sort -z | xargs -0 sha256sum)
}

quick_forget_if_data_changed() {
	quick_data >"$work/data.now"
	cmp -s "$work/data" "$work/data.now" ||
		find "$build/test" -name '*.passed' -delete
	mv "$work/data.now" "$work/data"
}

# is_fresh PROGRAM: it passed, and nothing that it took in is newer than that.
is_fresh() {
	local object path

	[ -e "$1.passed" ] && [ -s "$1.took" ] || return
	while IFS= read -r object; do
		for path in ${paths[$object]-}; do
			[ ! "$path" -nt "$1.passed" ] || return
		done
	done <"$1.took"
}

# Sets STALE: the programs that have to be linked and run. In an archive an
# object goes by the last part of its name; all objects that end so count.
quick_find_stale() {
	local path program
	local -A paths

	STALE=()
	cd "$build" || return
	while IFS= read -r path; do
		paths[${path##*/}]+=" $path"
	done < <(find src test -name '*.o')
	for program in "${PROGRAMS[@]}"; do
		is_fresh "$program" || STALE+=("$program")
	done
}

quick_note_maps() {
	local program

	for program in "${STALE[@]}"; do
		[ -e "$build/$program.map" ] || continue
		grep -oE '[A-Za-z0-9_.+-]+\.o\b' "$build/$program.map" |
			sort -u >"$build/$program.took"
		rm "$build/$program.map"
	done
}

# First everything that is compiled, then what is linked of it.
quick_make() {
	local -a make=(make -C "$build" -s -j"$jobs") libraries objects
	local flags

	"${make[@]}" Makefile || return # or making it anew is among the values
	flags=$(quick_value LDFLAGS)
	mapfile -t PROGRAMS < <(quick_value sim_tests replay_tests unit_tests \
		fuzz_targets golden_tests | tr ' ' '\n' | grep .)
	mapfile -t libraries < <(quick_value bin_PROGRAMS pkglibexec_PROGRAMS \
		noinst_LIBRARIES check_LIBRARIES | tr ' ' '\n' | grep .)
	mapfile -t objects < <(cd "$build" && find test -name '*.o')
	quick_forget_if_data_changed
	"${make[@]}" "${libraries[@]}" "${objects[@]}" || return
	quick_find_stale
	[ ${#STALE[@]} = 0 ] || "${make[@]}" "${STALE[@]}" \
		LDFLAGS="$flags -Wl,-Map,\$@.map" || return
	quick_note_maps
}

# Prints the variables for `make check`.
quick_check_args() {
	echo "TESTS=${STALE[*]} $(quick_value script_tests)"
	echo "check_PROGRAMS=${STALE[*]}"
}

quick_note_passed() {
	local program

	for program in "${STALE[@]}"; do
		! grep -q '^:test-result: PASS' "$build/$program.trs" ||
			touch "$build/$program.passed"
	done
}

# ---- end-to-end files ----

quick_hash() {
	cat -- "$@" | sha256sum | cut -c1-32
}

# Sets E2E: of those above what has changed, of the others what was edited.
quick_find_e2e() {
	local file name shared

	E2E=()
	mkdir -p "$work/e2e-passed" "$work/e2e-seen"
	shared=$(find "$src/test/e2e" -type f ! -name '*.bats' | sort)
	# shellcheck disable=SC2086
	shared=$(quick_hash "$build/tidegate" "$build/tidegate-sandbox" $shared)
	for file in "$src"/test/e2e/*.bats; do
		name=$(basename "$file" .bats)
		echo "$shared $(quick_hash "$file")" >"$work/e2e-seen/$name.now"
		if [[ " ${QUICK_E2E[*]} " == *" $name "* ]]; then
			cmp -s "$work/e2e-seen/$name.now" \
				"$work/e2e-passed/$name" || E2E+=("$file")
		elif [ -e "$work/e2e-seen/$name" ] &&
			[ "$(cut -d' ' -f2 "$work/e2e-seen/$name")" != \
				"$(quick_hash "$file")" ]; then
			E2E+=("$file")
		else
			mv "$work/e2e-seen/$name.now" "$work/e2e-seen/$name"
		fi
	done
}

quick_note_e2e() {
	local file name

	for file in "${E2E[@]}"; do
		name=$(basename "$file" .bats)
		cat "$work/e2e/$name".bats.*.tap >"$work/e2e.tap"
		grep -q '^ok' "$work/e2e.tap" || continue
		! grep -q '^not ok' "$work/e2e.tap" || continue
		cp "$work/e2e-seen/$name.now" "$work/e2e-passed/$name"
		mv "$work/e2e-seen/$name.now" "$work/e2e-seen/$name"
	done
}

quick_say_left_out() {
	echo "left out: static analysis, sanitizers, pages, the archive, benchmarks;" \
		"$((${#PROGRAMS[@]} - ${#STALE[@]})) of ${#PROGRAMS[@]}" \
		"test programs, since nothing that they took in has changed" \
		"since they passed; end-to-end files but" \
		"$(printf '%s\n' "${E2E[@]}" | sed 's,.*/,,; s/\.bats$//' |
			paste -sd' ' | grep . || echo none)"
}
