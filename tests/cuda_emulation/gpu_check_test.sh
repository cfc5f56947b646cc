#!/bin/sh
# script/gpu-check where there is no card: it refuses, and with programs that
# stand in for those of a card its stages do what they say.
top=$(cd "${top_srcdir:-.}" && pwd)
built=$(cd "${top_builddir:-.}" && pwd)
script=$top/script/gpu-check
number=0
failed=0
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# expect SENTENCE COMMAND...: what was said is shown when it fails.
expect() {
    sentence=$1
    shift
    number=$((number + 1))
    if "$@"; then
        echo "ok $number - $sentence"
    else
        failed=1
        sed 's/^/# /' "$work/said" "$work"/results/* 2>/dev/null
        echo "not ok $number - $sentence"
    fi
}

# gpu_check STATUS ARGUMENT...: does it end with this status?
gpu_check() {
    wanted=$1
    shift
    "$script" "$@" >"$work/said" 2>&1
    [ $? -eq "$wanted" ]
}

says() {
    grep -q "$1" "$work/said"
}

reports() {
    grep -q "$1" "$work"/results/gpu-*.txt
}

# A folder of programs: program NAME TEXT-OF-SCRIPT
folder=$work/programs
mkdir -p "$folder/kernels/linear" "$folder/tests/cuda_emulation" "$work/bin"
program() {
    printf '#!/bin/sh\n%s\n' "$2" >"$1"
    chmod +x "$1"
}

# -- refusals -----------------------------------------------------------------
if ls /dev/nvidia[0-9]* /dev/dxg >/dev/null 2>&1; then
    number=$((number + 1))
    echo "ok $number - without_a_device_it_refuses # SKIP there is one"
else
    expect without_a_device_it_refuses gpu_check 69 "$work/results"
    expect the_refusal_is_one_sentence test "$(wc -l <"$work/said")" -eq 1
fi
expect a_folder_without_programs_is_refused \
    gpu_check 69 --programs="$folder" "$work/results"
expect an_unknown_option_is_refused gpu_check 64 --no-such-option
bench=$folder/kernels/linear/linear_cuda_bench_gpu
program "$bench" 'echo "1..0 # SKIP no CUDA device: the driver is too old"; exit 77'
expect a_device_that_cannot_be_used_is_refused \
    gpu_check 69 --programs="$folder" "$work/results"
expect the_reason_is_the_runtimes says 'can be used: the driver is too old$'
expect a_refusal_leaves_no_report test ! -e "$work/results"

# -- stages -------------------------------------------------------------------
program "$bench" 'echo "# A Card (X), compute capability 9.0"
[ "$1" = device ] || echo "Q4_K 100 GB/s"'
program "$folder/kernels/linear/good_cuda_check_gpu" 'echo "ok 1 - it_is_good"'
program "$folder/kernels/linear/wrong_cuda_check_gpu" 'echo "not ok 1"; exit 1'
program "$folder/kernels/linear/slow_cuda_check_gpu" 'sleep 60'
program "$folder/tests/cuda_emulation/dying_check_gpu" 'kill -SEGV $$'
program "$work/bin/compute-sanitizer" 'shift 4
case $1 in *good*) exec "$@" ;; *wrong*) exit 9 ;; *) exit 255 ;; esac'
PATH=$work/bin:$PATH
export PATH GPU_CHECK_LIMIT=3
expect a_stage_that_fails_makes_it_fail \
    gpu_check 1 --programs="$folder" "$work/results"
expect the_report_has_the_cards_name_and_the_date \
    test -f "$work/results/gpu-A-Card-X--$(date +%Y-%m-%d).txt"
expect a_good_check_passes reports '^good_cuda_check_gpu: passed'
expect a_wrong_check_fails reports '^wrong_cuda_check_gpu: FAILED with status 1'
expect a_check_that_hangs_is_ended reports '^slow_cuda_check_gpu: FAILED, was not done after 3 s'
expect a_check_that_dies_has_its_line reports '^dying_check_gpu: FAILED with status 139'
expect sanitizers_run reports '^racecheck good_cuda_check_gpu: passed'
expect what_they_find_is_a_failure reports '^memcheck wrong_cuda_check_gpu: FAILED with status 9'
expect where_they_cannot_run_it_says_so reports '^synccheck dying_check_gpu: skipped, compute-sanitizer cannot run here, it ended with status 255'
expect the_benchmark_comes_last says '^Q4_K 100 GB/s$'
expect the_last_line_counts reports '^5 passed, 6 failed, 6 skipped$'

# -- the real programs, emulated ----------------------------------------------
rm -rf "$folder" "$work/results" "$work/bin/compute-sanitizer"
mkdir -p "$folder/kernels/linear" "$folder/tests/cuda_emulation"
ln -s "$built/kernels/linear/linear_cuda_check" "$folder/kernels/linear/linear_cuda_check_gpu"
ln -s "$built/kernels/linear/linear_cuda_bench" "$bench"
ln -s "$built/tests/cuda_emulation/emulation_check" "$folder/tests/cuda_emulation/emulation_check_gpu"
unset GPU_CHECK_LIMIT
expect emulated_programs_pass gpu_check 0 --few --programs="$folder" "$work/results"
expect each_format_is_measured \
    test "$(grep -c 'GB/s .* of copy' "$work/said")" -eq 12

echo "1..$number"
exit $failed
