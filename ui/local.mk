noinst_LIBRARIES += libui.a
libui_a_SOURCES = \
    %D%/ui.h \
    %D%/action.c %D%/action.h \
    %D%/canvas.c %D%/canvas.h \
    %D%/chat_lines.c %D%/chat_lines.h \
    %D%/clipboard.c %D%/clipboard.h \
    %D%/look.h \
    %D%/printer.c %D%/printer.h \
    %D%/progress.c %D%/progress.h \
    %D%/sanitiser.c %D%/sanitiser.h \
    %D%/screen.h \
    %D%/spoken_table.c %D%/spoken_table.h \
    %D%/terminal.c %D%/terminal.h \
    %D%/theme.c %D%/theme.h \
    %D%/text_width.c %D%/text_width.h \
    %D%/transcript.c %D%/transcript.h \
    %D%/transcript_draw.c \
    %D%/transcript_pane.c \
    %D%/transcript_parts.h \
    %D%/transcript_rows.c \
    %D%/transcript_scroll.c \
    %D%/transcript_search.c \
    %D%/view.h \
    %D%/view_chat.c %D%/view_chat.h
if WITH_READLINE
libui_a_SOURCES += \
    %D%/input_box.c %D%/input_box.h \
    %D%/key_maps.c %D%/key_maps.h \
    %D%/key_reader.c %D%/key_reader.h \
    %D%/line_editor.c %D%/line_editor.h \
    %D%/screen.c \
    %D%/terminfo.c %D%/terminfo.h \
    %D%/tty.c %D%/tty.h
endif
libui_a_SOURCES += \
    %D%/view_experts.c %D%/view_experts.h \
    %D%/view_loading.c %D%/view_loading.h \
    %D%/view_models.c %D%/view_models.h \
    %D%/view_stats.c %D%/view_stats.h
libui_a_SOURCES += \
    %D%/document.c %D%/document.h %D%/document_parts.h \
    %D%/ambiguous_width.c %D%/ambiguous_width.h \
    %D%/ascii_fallback.c %D%/ascii_fallback.h \
    %D%/entity.c %D%/entity.h \
    %D%/flow.c %D%/flow.h \
    %D%/formula.c %D%/formula.h \
    %D%/latex.c %D%/latex.h \
    %D%/latex_grid.c %D%/latex_grid.h \
    %D%/latex_symbols.c %D%/latex_symbols.h \
    %D%/line_store.c %D%/line_store.h \
    %D%/link_definition.c %D%/link_definition.h \
    %D%/markdown.c %D%/markdown.h \
    %D%/markdown_block.c %D%/markdown_block.h \
    %D%/offset_map.c %D%/offset_map.h \
    %D%/table_layout.c %D%/table_layout.h
libui_a_SOURCES += \
    %D%/history_pane.c %D%/history_pane.h \
    %D%/help_text.c %D%/help_text.h \
    %D%/view_help.c %D%/view_help.h \
    %D%/view_history.c %D%/view_history.h \
    %D%/view_unlock.c %D%/view_unlock.h
libui_a_CFLAGS = $(AM_CFLAGS) $(READLINE_CFLAGS) $(NCURSES_CFLAGS) \
    $(MD4C_CFLAGS) $(UTF8PROC_CFLAGS)

# what a program that uses libui.a needs behind it
UI_LIBS = libui.a libbase.a $(READLINE_LIBS) $(NCURSES_LIBS) $(MD4C_LIBS) \
    $(UTF8PROC_LIBS)
