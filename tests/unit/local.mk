UNIT_TEST_LIBS = libbase.a $(CMOCKA_LIBS)

check_PROGRAMS += %D%/memory_test %D%/text_test
TESTS += %D%/memory_test %D%/text_test
%C%_memory_test_LDADD = $(UNIT_TEST_LIBS)
%C%_text_test_LDADD = $(UNIT_TEST_LIBS)

check_PROGRAMS += %D%/sanitiser_test
TESTS += %D%/sanitiser_test
%C%_sanitiser_test_LDADD = libui.a $(UNIT_TEST_LIBS)

check_PROGRAMS += %D%/formats_test
TESTS += %D%/formats_test
%C%_formats_test_SOURCES = %D%/formats_test.c %D%/sha256.c %D%/sha256.h
%C%_formats_test_LDADD = libquant.a $(UNIT_TEST_LIBS) -lm

check_PROGRAMS += %D%/protocol_test
TESTS += %D%/protocol_test
%C%_protocol_test_LDADD = libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)

GOLDEN_FILES = %D%/golden_file.c %D%/golden_file.h \
    %D%/vocabulary_files.c %D%/vocabulary_files.h
check_PROGRAMS += %D%/tokenizer_test
TESTS += %D%/tokenizer_test
%C%_tokenizer_test_SOURCES = %D%/tokenizer_test.c $(GOLDEN_FILES)
%C%_tokenizer_test_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
