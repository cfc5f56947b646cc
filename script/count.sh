# Counting for script/test and .ci/run; source it.
#   step NAME COMMAND...        runs one check that is a test by itself
#   check NAME FOLDER [WHICH]   runs `make check` in a build folder
#   count_all                   prints the line of totals and exits
passed=0 failed=0 skipped=0
slow_log=$(mktemp)
trap 'rm -f "$slow_log"' EXIT

step() {
    name=$1
    shift
    began=$(date +%s)
    echo "== $name"
    if "$@"; then
        passed=$((passed + 1))
        status=0
    else
        failed=$((failed + 1))
        status=1
        echo "FAILED: $name" >&2
    fi
    echo "   $name: $(($(date +%s) - began)) s"
    return $status
}

# Adds up the results of the tests that ran in a folder.
count_folder() {
    for trs in $(find "$1" -name '*.trs' -newer "$slow_log"); do
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
    : >"$slow_log"
    sleep 1 # so that results made from now on are newer than the mark
    only=
    [ $# -gt 0 ] && only="TESTS=$(make -s -C "$folder" print-tests GROUPS="$*")"
    make -s -C "$folder" -j"$(nproc)" check-build >/dev/null 2>"$folder/check.err" || {
        cat "$folder/check.err" >&2
        failed=$((failed + 1))
        echo "FAILED: the tests of $name do not build" >&2
        return 1
    }
    if ! make -s -C "$folder" -j"$(nproc)" check ${only:+"$only"} >"$folder/check.out" 2>&1; then
        grep -E '^(FAIL|ERROR|XPASS)' "$folder/check.out" >&2
        for log in $(grep -l '^:test-global-result: \(FAIL\|ERROR\)' \
            $(find "$folder" -name '*.trs' -newer "$slow_log") /dev/null); do
            echo "--- ${log%.trs}.log" >&2
            tail -n 40 "${log%.trs}.log" >&2
        done
    fi
    grep -E '^SKIP' "$folder/check.out"
    count_folder "$folder"
    echo "   $name: $(($(date +%s) - began)) s"
}

count_all() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ] && exit 0
    exit 1
}
