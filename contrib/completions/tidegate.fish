# SPDX-License-Identifier: Apache-2.0
# Completion of tidegate for fish. It asks the program itself which commands,
# options, values and rollouts there are, so that it is never behind.

function __tidegate_commands
    tidegate help 2>/dev/null | sed -n \
        '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\)  *\(.*\)/\1\t\2/p'
end

function __tidegate_rollouts
    tidegate list --limit 100 --format json 2>/dev/null |
        grep -o '"rollout": *"[^"]*"' | cut -d'"' -f4
end

# The words that an option takes: "--format text|json".
function __tidegate_values -a command option
    tidegate help $command 2>/dev/null |
        sed -n "s/^ *$option \([a-z-]*|[a-z|-]*\).*/\1/p" | tr '|' '\n'
end

# slos.NAME.KEY= for the SLOs of the policy that stands behind --policy.
function __tidegate_slo_keys
    set -l words (commandline -opc)
    set -l at (contains -i -- --policy $words)
    or return
    set -l next (math $at + 1)
    set -l policy $words[$next]
    test -r "$policy"
    or return
    for name in (sed -n '/^slos:/,/^[a-z]/s/.*name: *"\{0,1\}\([A-Za-z0-9._-]*\).*/\1/p' \
            $policy)
        printf '%s\n' slos.$name.{max,min,critical,window,interval}=
    end
end

function __tidegate_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l command $words[2]
    set -l before $words[-1]

    if test (count $words) = 1 -o "$command" = help
        __tidegate_commands
    else if test "$before" = --rollout
        __tidegate_rollouts
    else if contains -- "$before" --set --sweep
        __tidegate_slo_keys
    else if string match -q -- '--*' $before
        set -l values (__tidegate_values $command $before)
        if test (count $values) -gt 0
            printf '%s\n' $values
        else
            __fish_complete_path $word
        end
    else if string match -q -- '-*' $word
        tidegate help $command 2>/dev/null |
            sed -n 's/^ *\(--[a-z-]*\).*/\1/p'
    else if tidegate help $command 2>/dev/null | sed -n 1p |
            grep -q ROLLOUT
        __tidegate_rollouts
    else
        __fish_complete_path $word
    end
end

complete -c tidegate -f -a '(__tidegate_complete)'
