noinst_LIBRARIES += libui.a
libui_a_SOURCES = \
    %D%/ui.h \
    %D%/printer.c %D%/printer.h \
    %D%/progress.c %D%/progress.h \
    %D%/sanitiser.c %D%/sanitiser.h \
    %D%/spoken_table.c %D%/spoken_table.h \
    %D%/terminal.c %D%/terminal.h
if WITH_READLINE
libui_a_SOURCES += %D%/line_editor.c %D%/line_editor.h
endif
libui_a_CFLAGS = $(AM_CFLAGS) $(READLINE_CFLAGS)
