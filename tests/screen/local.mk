# Views drawn on a canvas and compared with text files. A test of views has
#   %C%_NAME_test_SOURCES = %D%/NAME_test.c $(GOLDEN_SCREEN)
#   %C%_NAME_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)
GOLDEN_SCREEN = %D%/golden_screen.c %D%/golden_screen.h
EXTRA_DIST += $(GOLDEN_SCREEN) %D%/golden

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

check_PROGRAMS += %D%/view_models_test
TESTS += %D%/view_models_test
%C%_view_models_test_SOURCES = %D%/view_models_test.c $(GOLDEN_SCREEN)
%C%_view_models_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)

# Keys in, screen out, on a terminal that libvterm plays: NAME.sh plays the
# script NAME.keys. Without libvterm they are skipped.
if HAVE_VTERM
if WITH_READLINE
check_PROGRAMS += %D%/screen_player %D%/screen_demo
%C%_screen_player_SOURCES = %D%/screen_player.c \
    %D%/key_text.c %D%/key_text.h %D%/pty_screen.c %D%/pty_screen.h
%C%_screen_player_CFLAGS = $(AM_CFLAGS) $(VTERM_CFLAGS) $(NCURSES_CFLAGS)
%C%_screen_player_LDADD = libbase.a $(VTERM_LIBS) $(NCURSES_LIBS)
%C%_screen_demo_LDADD = $(UI_LIBS)
endif
endif
if WITH_READLINE
check_PROGRAMS += %D%/frame_cost
%C%_frame_cost_LDADD = $(UI_LIBS)
endif
EXTRA_DIST += %D%/frame_cost.sh
TESTS += %D%/frame_cost.sh
EXTRA_DIST += %D%/play.sh
EXTRA_DIST += %D%/engine_dies.sh
TESTS += %D%/engine_dies.sh
EXTRA_DIST += %D%/lock_screens.sh %D%/lock_screens.keys
TESTS += %D%/lock_screens.sh
EXTRA_DIST += %D%/compact_screens.sh %D%/compact_screens.keys
TESTS += %D%/compact_screens.sh
EXTRA_DIST += %D%/key_screens.sh %D%/key_screens.keys
TESTS += %D%/key_screens.sh
EXTRA_DIST += %D%/terminal_care.sh %D%/terminal_care.keys
TESTS += %D%/terminal_care.sh

check_PROGRAMS += %D%/view_chat_test
TESTS += %D%/view_chat_test
%C%_view_chat_test_SOURCES = %D%/view_chat_test.c $(GOLDEN_SCREEN)
%C%_view_chat_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)

check_PROGRAMS += %D%/view_history_test
TESTS += %D%/view_history_test
%C%_view_history_test_SOURCES = %D%/view_history_test.c $(GOLDEN_SCREEN)
%C%_view_history_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)

check_PROGRAMS += %D%/render_cost
%C%_render_cost_LDADD = $(UI_LIBS)
EXTRA_DIST += %D%/render_cost.sh
TESTS += %D%/render_cost.sh

check_PROGRAMS += %D%/view_help_test
TESTS += %D%/view_help_test
%C%_view_help_test_SOURCES = %D%/view_help_test.c $(GOLDEN_SCREEN)
%C%_view_help_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)

check_PROGRAMS += %D%/view_unlock_test
TESTS += %D%/view_unlock_test
%C%_view_unlock_test_SOURCES = %D%/view_unlock_test.c $(GOLDEN_SCREEN)
%C%_view_unlock_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)

EXTRA_DIST += %D%/chat_screen.sh %D%/chat_screen.keys
TESTS += %D%/chat_screen.sh

EXTRA_DIST += %D%/chat_care.sh %D%/chat_care.keys %D%/engine_gone
TESTS += %D%/chat_care.sh
EXTRA_DIST += %D%/chat_remarks.sh %D%/chat_remarks.keys
TESTS += %D%/chat_remarks.sh
EXTRA_DIST += %D%/gauge_screens.sh %D%/gauge_screens.keys
TESTS += %D%/gauge_screens.sh
EXTRA_DIST += %D%/vault_screens.sh %D%/vault_screens.keys
TESTS += %D%/vault_screens.sh
