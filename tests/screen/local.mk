# Views drawn on a canvas and compared with text files. A test of views has
#   %C%_NAME_test_SOURCES = %D%/NAME_test.c $(GOLDEN_SCREEN)
#   %C%_NAME_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)
GOLDEN_SCREEN = %D%/golden_screen.c %D%/golden_screen.h
EXTRA_DIST += $(GOLDEN_SCREEN)

check_PROGRAMS += %D%/view_experts_test
TESTS += %D%/view_experts_test
%C%_view_experts_test_SOURCES = %D%/view_experts_test.c $(GOLDEN_SCREEN)
%C%_view_experts_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)

check_PROGRAMS += %D%/view_loading_test
TESTS += %D%/view_loading_test
%C%_view_loading_test_SOURCES = %D%/view_loading_test.c $(GOLDEN_SCREEN)
%C%_view_loading_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)

check_PROGRAMS += %D%/view_stats_test
TESTS += %D%/view_stats_test
%C%_view_stats_test_SOURCES = %D%/view_stats_test.c $(GOLDEN_SCREEN)
%C%_view_stats_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)

check_PROGRAMS += %D%/view_chat_test
TESTS += %D%/view_chat_test
%C%_view_chat_test_SOURCES = %D%/view_chat_test.c $(GOLDEN_SCREEN)
%C%_view_chat_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)
