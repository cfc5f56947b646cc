EXTRA_DIST += %D%/arithmetic.md %D%/design.md %D%/experiments.md \
    %D%/forward.md %D%/gguf.md %D%/style.md
