EXTRA_DIST += %D%/peer/compare %D%/peer/llama_capi.py

noinst_PROGRAMS += %D%/shape_file
%C%_shape_file_LDADD = $(ENGINE_LIBS)

BENCHMARKS += %D%/tokenizer_bench
noinst_PROGRAMS += %D%/tokenizer_bench
%C%_tokenizer_bench_LDADD = $(ENGINE_LIBS)
bench: $(UNPACKED)
noinst_PROGRAMS += %D%/speed_bench
%C%_speed_bench_LDADD = $(ENGINE_LIBS)
noinst_PROGRAMS += %D%/residency_bench
%C%_residency_bench_LDADD = $(ENGINE_LIBS)

noinst_PROGRAMS += %D%/document_bench
BENCHMARKS += %D%/document_bench
%C%_document_bench_LDADD = $(UI_LIBS)

noinst_PROGRAMS += %D%/vault_bench
BENCHMARKS += %D%/vault_bench
%C%_vault_bench_LDADD = $(STORAGE_LIBS)

noinst_PROGRAMS += %D%/ops_bench
BENCHMARKS += %D%/ops_bench
%C%_ops_bench_LDADD = $(KERNELS_LIBS)

BENCHMARKS += %D%/linear_bench
noinst_PROGRAMS += %D%/linear_bench
%C%_linear_bench_LDADD = $(KERNELS_LIBS)
EXTRA_DIST += %D%/mini-eval %D%/problems.jsonl
noinst_PROGRAMS += %D%/mini_eval
%C%_mini_eval_CPPFLAGS = $(AM_CPPFLAGS) -DSOURCE_DIR='"$(abs_top_srcdir)"'
%C%_mini_eval_LDADD = $(ENGINE_LIBS)

noinst_PROGRAMS += %D%/screen_bench
BENCHMARKS += %D%/screen_bench
%C%_screen_bench_LDADD = $(UI_LIBS)
