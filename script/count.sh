# Counting for script/test and .ci/run; source it.
#   step NAME COMMAND...        runs one check that is a test by itself
#   check NAME FOLDER [WHICH]   runs `make check` in a build folder
#   count_all                   prints the line of totals and exits
# What failed is printed when it fails and again before the totals, where a
# reader of the end of a long log finds it.
passed=0 failed=0 skipped=0
scratch=$(mktemp -d)
mark=$scratch/mark # what is newer was made by the check that runs
failures=${FATHOM_FAILURES:-$scratch/failures} # .ci/run collects those of script/test
touch "$failures"
trap 'rm -rf "$scratch"' EXIT

# fail NAME [LOG]: says that NAME failed, with the end of its log.
fail() {
    {
        echo "FAILED: $1"
        [ $# -lt 2 ] || tail -n 40 "$2"
    } | tee -a "$failures" >&2
}

# Runs a command without make's line for each file, and keeps its output.
quietly() {
    {
        "$@" 2>&1
        echo $? >"$scratch/status"
    } | grep --line-buffered -vE '^  (CC|CCLD|CXX|CXXLD|AR|GEN|NVCC) ' | tee "$scratch/step"
    return "$(cat "$scratch/status")"
}

step() {
    name=$1
    shift
    began=$(date +%s)
    echo "== $name"
    if quietly "$@"; then
        passed=$((passed + 1))
        status=0
    else
        failed=$((failed + 1))
        status=1
        fail "$name" "$scratch/step" 2>/dev/null # printed as it came
        echo "FAILED: $name" >&2
    fi
    echo "   $name: $(($(date +%s) - began)) s"
    return $status
}

# Adds up the results of the tests that ran in a folder.
count_folder() {
    for trs in $(find "$1" -name '*.trs' -newer "$mark"); do
        passed=$((passed + $(grep -c '^:test-result: PASS' "$trs")))
        failed=$((failed + $(grep -c '^:test-result: \(FAIL\|ERROR\|XPASS\)' "$trs")))
        skipped=$((skipped + $(grep -c '^:test-result: SKIP' "$trs")))
    done
}

check() {
    name=$1 folder=$2
    shift 2
    began=$(date +%s)
    echo "== make check ($name)"
    : >"$mark"
    sleep 1 # so that results made from now on are newer than the mark
    only=
    [ $# -gt 0 ] && only="TESTS=$(make -s -C "$folder" print-tests GROUPS="$*")"
    make -s -C "$folder" -j"$(nproc)" check-build >/dev/null 2>"$folder/check.err" || {
        failed=$((failed + 1))
        fail "the tests of $name do not build" "$folder/check.err"
        return 1
    }
    if ! make -s -C "$folder" -j"$(nproc)" check ${only:+"$only"} >"$folder/check.out" 2>&1; then
        grep -E '^(FAIL|ERROR|XPASS)' "$folder/check.out" | tee -a "$failures" >&2
        for trs in $(grep -l '^:test-global-result: \(FAIL\|ERROR\)' \
            $(find "$folder" -name '*.trs' -newer "$mark") /dev/null); do
            fail "$name: ${trs%.trs}.log" "${trs%.trs}.log"
        done
        before=$failed
        count_folder "$folder"
        if [ "$failed" -eq "$before" ]; then # make itself
            failed=$((failed + 1))
            fail "make check ($name)" "$folder/check.out"
        fi
    else
        count_folder "$folder"
    fi
    grep -E '^SKIP' "$folder/check.out"
    echo "   $name: $(($(date +%s) - began)) s"
}

count_all() {
    if [ -z "${FATHOM_FAILURES:-}" ] && [ -s "$failures" ]; then
        echo "== what failed"
        cat "$failures"
    fi
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ] && exit 0
    exit 1
}
