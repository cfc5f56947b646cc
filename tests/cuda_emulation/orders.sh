#!/bin/sh
# Runs each check of CUDA kernels in other legal orders of threads, blocks and
# copies, and a part of it with the emulator's memory checker.
top=${top_builddir:-.}
number=0
failed=0
log=$(mktemp) || exit 99
trap 'rm -f "$log"' EXIT

# try SENTENCE COMMAND...
try() {
    sentence=$1
    shift
    number=$((number + 1))
    if "$@" >"$log" 2>&1; then
        echo "ok $number - $sentence"
    else
        failed=1
        sed 's/^/# /' "$log"
        echo "not ok $number - $sentence"
    fi
}

for check in "$top"/kernels/*/*_cuda_check "$top"/tests/cuda_emulation/emulation_check; do
    name=${check##*/}
    for seed in 1 2; do
        try "${name}_passes_in_order_$seed" env CUEMU_SEED=$seed "$check"
    done
    try "${name}_passes_in_order_3_with_late_copies" \
        env CUEMU_SEED=3 CUEMU_LAZY=1 "$check"
done
for check in "$top"/kernels/*/*_cuda_check_checked; do
    [ -x "$check" ] || continue # not in builds with sanitizers
    try "${check##*/}_touches_nothing_wrong" "$check" few
done
echo "1..$number"
exit $failed
