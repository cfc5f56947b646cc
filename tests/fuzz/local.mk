# NAME_fuzz.c holds LLVMFuzzerTestOneInput. With --enable-fuzzers libFuzzer
# drives it (script/fuzz), else replay_main.c feeds it its corpus.
if WITH_FUZZERS
FUZZ_MAIN =
FUZZER_FLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
else
FUZZ_MAIN = %D%/replay_main.c
FUZZER_FLAGS = $(AM_LDFLAGS)
TESTS += $(FUZZ_TARGETS)
endif
EXTRA_DIST += %D%/corpus

FUZZ_TARGETS =
check_PROGRAMS += $(FUZZ_TARGETS)

FUZZ_TARGETS += %D%/sanitiser_fuzz
%C%_sanitiser_fuzz_SOURCES = %D%/sanitiser_fuzz.c $(FUZZ_MAIN)
%C%_sanitiser_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_sanitiser_fuzz_LDADD = libui.a libbase.a
