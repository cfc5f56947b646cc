noinst_LIBRARIES += libui.a
libui_a_SOURCES = \
    %D%/ui.h \
    %D%/sanitiser.c %D%/sanitiser.h
