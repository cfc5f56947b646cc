#!/bin/sh
# What a frame of a streaming answer costs, in instructions, which are the
# same on every run: a bound with slack, and no more of them behind a long
# chat than behind a short one.
program=${top_builddir:-.}/tests/screen/render_cost

# twice what it was on x86-64 with gcc 12
most=430000

skip() {
    echo "1..0 # SKIP $1"
    exit 0
}

# instructions FRAMES TURNS
instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        "$program" "$1" "$2" 2>&1 |
        sed -n 's/^.*Collected *: *\([0-9]*\)$/\1/p'
}

command -v valgrind >/dev/null || skip "valgrind is not installed"
"$program" 1 1
case $? in
0) ;;
77) skip "this build is not optimised" ;;
*) echo "Bail out! $program failed"; exit 99 ;;
esac
nm "$program" 2>/dev/null | grep -q '__asan_init\|__tsan_init' &&
    skip "valgrind does not run programs with sanitizers"

less=$(instructions 100 0)
more=$(instructions 300 0)
[ -n "$less" ] && [ -n "$more" ] || skip "valgrind cannot run here"
frame=$(((more - less) / 200))
behind_many=$((($(instructions 300 400) - $(instructions 100 400)) / 200))

echo "1..2"
echo "# $frame instructions a frame, $behind_many behind 400 turns"
failed=0
if [ "$frame" -le "$most" ]; then
    echo "ok 1 - a frame takes at most $most instructions"
else
    echo "not ok 1 - a frame takes $frame instructions, $most at most"
    failed=1
fi
if [ "$behind_many" -le $((frame + frame / 5)) ]; then
    echo "ok 2 - a frame costs the same behind a long chat"
else
    echo "not ok 2 - behind 400 turns a frame takes $behind_many, not $frame"
    failed=1
fi
exit $failed
