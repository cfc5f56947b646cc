EXTRA_DIST += \
    %D%/build %D%/count.sh %D%/example-model %D%/fuzz %D%/gpu-check %D%/lint %D%/no-network %D%/run \
    %D%/setup %D%/test %D%/tidy
