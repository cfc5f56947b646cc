#!/bin/sh
# Runs the checks that nvcc built, where there is a device; script/gpu-check
# does it in full. Their exit status 77 is a skip.
top=${top_builddir:-.}
number=0
failed=0
log=$(mktemp) || exit 99
trap 'rm -f "$log"' EXIT

for check in "$top"/kernels/*/*_cuda_check_gpu "$top"/tests/cuda_emulation/*_check_gpu; do
    number=$((number + 1))
    "$check" >"$log" 2>&1
    status=$?
    if [ $status -eq 77 ]; then
        reason=$(sed -n 's/^1\.\.0 # SKIP //p' "$log")
        echo "ok $number - ${check##*/} # SKIP $reason"
    elif [ $status -eq 0 ]; then
        echo "ok $number - ${check##*/}"
    else
        failed=1
        sed 's/^/# /' "$log"
        echo "not ok $number - ${check##*/}"
    fi
done
echo "1..$number"
exit $failed
