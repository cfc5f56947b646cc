#!/bin/sh
# What a frame of a streaming answer costs, in instructions as callgrind counts
# them: the same on a busy machine. At 25 frames a second, 4 million of them
# are 100 million a second: 5 % of a core that does 2,000 million.
limit=4000000
program=$top_builddir/tests/screen/frame_cost
if ! [ -x "$program" ]; then
    echo "1..0 # SKIP built without readline"
    exit 0
fi
if ! command -v valgrind >/dev/null; then
    echo "1..0 # SKIP no valgrind"
    exit 0
fi
if grep -q '^SANITIZER_CFLAGS = ..*' "$top_builddir/Makefile"; then
    echo "1..0 # SKIP a build with sanitizers"
    exit 0
fi
log=$(mktemp) || exit 99
trap 'rm -f "$log"' EXIT

# millions of instructions of a run with so many frames
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        "$program" "$1" "$2" "$3" 2>"$log" </dev/null >/dev/null
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$log" | tail -1
}

number=0
echo "1..2"
for size in "24 80" "48 160"; do
    number=$((number + 1))
    few=$(count $size 25)
    many=$(count $size 225)
    if [ -z "$few" ] || [ -z "$many" ]; then
        sed 's/^/# /' "$log"
        echo "not ok $number - frames at $size can be counted"
        continue
    fi
    each=$(((many - few) / 200))
    echo "# $size: $each instructions a frame, at most $limit"
    if [ "$each" -le "$limit" ] && [ "$each" -gt 1000 ]; then
        echo "ok $number - a frame at $size costs little"
    else
        echo "not ok $number - a frame at $size costs little"
    fi
done
