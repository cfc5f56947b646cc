MODEL_TEST_FILES = \
    %D%/oracle.c %D%/oracle.h \
    %D%/tap_report.c %D%/tap_report.h \
    %D%/taps.c %D%/taps.h \
    %D%/tiny_models.c %D%/tiny_models.h

# The models of doc/forward.md, appendix B.
check_PROGRAMS += %D%/appendix_b_test
TESTS += %D%/appendix_b_test
%C%_appendix_b_test_SOURCES = %D%/appendix_b_test.c $(MODEL_TEST_FILES)
%C%_appendix_b_test_LDADD = $(ENGINE_LIBS) -lm

check_PROGRAMS += %D%/hostile_test
TESTS += %D%/hostile_test
%C%_hostile_test_LDADD = $(ENGINE_LIBS)

# One answer for every team, instruction set, chunking and place of experts.
check_PROGRAMS += %D%/determinism_test
TESTS += %D%/determinism_test
%C%_determinism_test_SOURCES = %D%/determinism_test.c \
    %D%/hash.c %D%/hash.h \
    %D%/moving_experts.c %D%/moving_experts.h $(MODEL_TEST_FILES)
%C%_determinism_test_LDADD = $(ENGINE_LIBS) -lm

# golden_check DIR... runs folders of goldens, made here or elsewhere.
check_PROGRAMS += %D%/golden_check
%C%_golden_check_SOURCES = %D%/golden_check.c \
    %D%/golden.c %D%/golden.h \
    %D%/tap_report.c %D%/tap_report.h %D%/taps.c %D%/taps.h
%C%_golden_check_LDADD = $(ENGINE_LIBS) -lm
EXTRA_DIST += %D%/goldens_test.sh
TESTS += %D%/goldens_test.sh

# Failures, cancelling, limits.
check_PROGRAMS += %D%/forward_test
TESTS += %D%/forward_test
%C%_forward_test_SOURCES = %D%/forward_test.c \
    %D%/hash.c %D%/hash.h \
    %D%/moving_experts.c %D%/moving_experts.h $(MODEL_TEST_FILES)
%C%_forward_test_LDADD = $(ENGINE_LIBS) -lm

# A real model, where script/example-model has fetched it.
check_PROGRAMS += %D%/smollm2_test
TESTS += %D%/smollm2_test
%C%_smollm2_test_SOURCES = %D%/smollm2_test.c \
    %D%/golden.c %D%/golden.h \
    %D%/tap_report.c %D%/tap_report.h %D%/smollm2.c %D%/smollm2.h
%C%_smollm2_test_LDADD = $(ENGINE_LIBS) -lm

check_PROGRAMS += %D%/smollm2_bits_test
TESTS += %D%/smollm2_bits_test
%C%_smollm2_bits_test_SOURCES = %D%/smollm2_bits_test.c \
    %D%/golden.c %D%/golden.h \
    %D%/tap_report.c %D%/tap_report.h %D%/smollm2.c %D%/smollm2.h
%C%_smollm2_bits_test_LDADD = $(ENGINE_LIBS)

# Greedy answers of the bundled model, to the bit.
check_PROGRAMS += %D%/answer_test
TESTS += %D%/answer_test
%C%_answer_test_SOURCES = %D%/answer_test.c \
    %D%/tap_report.c %D%/tap_report.h %D%/smollm2.c %D%/smollm2.h
%C%_answer_test_LDADD = $(ENGINE_LIBS)

# Operations of the device on their own.
check_PROGRAMS += %D%/device_test
TESTS += %D%/device_test
%C%_device_test_SOURCES = %D%/device_test.c \
    %D%/tap_report.c %D%/tap_report.h \
    tests/unit/random_rows.c tests/unit/random_rows.h
%C%_device_test_LDADD = $(ENGINE_LIBS) -lm

# Conversations that are saved and restored.
check_PROGRAMS += %D%/snapshot_test
TESTS += %D%/snapshot_test
%C%_snapshot_test_SOURCES = %D%/snapshot_test.c $(MODEL_TEST_FILES)
%C%_snapshot_test_LDADD = $(ENGINE_LIBS) -lm
