MODEL_TEST_FILES = \
    %D%/oracle.c %D%/oracle.h \
    %D%/report.c %D%/report.h \
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
