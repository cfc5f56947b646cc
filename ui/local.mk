noinst_LIBRARIES += libui.a
libui_a_SOURCES = \
    %D%/progress.c %D%/progress.h \
    %D%/terminal.c %D%/terminal.h \
    %D%/ui.h \
    %D%/keys/action.c %D%/keys/action.h \
    %D%/screen/canvas.c %D%/screen/canvas.h \
    %D%/screen/clipboard.c %D%/screen/clipboard.h \
    %D%/screen/look.h \
    %D%/screen/screen.h \
    %D%/screen/terminal_answer.c %D%/screen/terminal_answer.h \
    %D%/screen/theme.c %D%/screen/theme.h \
    %D%/text/ambiguous_width.c %D%/text/ambiguous_width.h \
    %D%/text/ascii_fallback.c %D%/text/ascii_fallback.h \
    %D%/text/code_language.c %D%/text/code_language.h \
    %D%/text/code_looks.c %D%/text/code_looks.h \
    %D%/text/document.c %D%/text/document.h %D%/text/document_parts.h \
    %D%/text/entity.c %D%/text/entity.h \
    %D%/text/flow.c %D%/text/flow.h \
    %D%/text/formula.c %D%/text/formula.h \
    %D%/text/latex.c %D%/text/latex.h \
    %D%/text/latex_grid.c %D%/text/latex_grid.h \
    %D%/text/latex_symbols.c %D%/text/latex_symbols.h \
    %D%/text/line_store.c %D%/text/line_store.h \
    %D%/text/link_definition.c %D%/text/link_definition.h \
    %D%/text/markdown.c %D%/text/markdown.h \
    %D%/text/markdown_block.c %D%/text/markdown_block.h \
    %D%/text/markdown_code.c \
    %D%/text/markdown_leaf.c \
    %D%/text/markdown_nest.c \
    %D%/text/markdown_parts.h \
    %D%/text/offset_map.c %D%/text/offset_map.h \
    %D%/text/printer.c %D%/text/printer.h \
    %D%/text/sanitiser.c %D%/text/sanitiser.h \
    %D%/text/spoken_table.c %D%/text/spoken_table.h \
    %D%/text/table_layout.c %D%/text/table_layout.h \
    %D%/text/text_width.c %D%/text/text_width.h \
    %D%/views/chat_lines.c %D%/views/chat_lines.h \
    %D%/views/help_text.c %D%/views/help_text.h \
    %D%/views/history_pane.c %D%/views/history_pane.h \
    %D%/views/transcript.c %D%/views/transcript.h \
    %D%/views/transcript_draw.c \
    %D%/views/transcript_pane.c \
    %D%/views/transcript_parts.h \
    %D%/views/transcript_rows.c \
    %D%/views/transcript_scroll.c \
    %D%/views/transcript_search.c \
    %D%/views/view.h \
    %D%/views/view_chat.c %D%/views/view_chat.h \
    %D%/views/view_experts.c %D%/views/view_experts.h \
    %D%/views/view_help.c %D%/views/view_help.h \
    %D%/views/view_history.c %D%/views/view_history.h \
    %D%/views/view_loading.c %D%/views/view_loading.h \
    %D%/views/view_models.c %D%/views/view_models.h \
    %D%/views/view_stats.c %D%/views/view_stats.h \
    %D%/views/view_unlock.c %D%/views/view_unlock.h
if WITH_READLINE
libui_a_SOURCES += \
    %D%/keys/input_box.c %D%/keys/input_box.h \
    %D%/keys/key_maps.c %D%/keys/key_maps.h \
    %D%/keys/key_reader.c %D%/keys/key_reader.h \
    %D%/keys/line_care.c \
    %D%/keys/line_editor.c %D%/keys/line_editor.h \
    %D%/keys/line_editor_parts.h \
    %D%/keys/line_keys.c \
    %D%/keys/line_matches.c \
    %D%/keys/line_remarks.c \
    %D%/screen/screen.c \
    %D%/screen/terminfo.c %D%/screen/terminfo.h \
    %D%/screen/tty.c %D%/screen/tty.h \
    %D%/screen/width_probe.c %D%/screen/width_probe.h
endif
libui_a_CFLAGS = $(AM_CFLAGS) $(READLINE_CFLAGS) $(NCURSES_CFLAGS) \
    $(MD4C_CFLAGS) $(UTF8PROC_CFLAGS)

# what a program that uses libui.a needs behind it
UI_LIBS = libui.a libbase.a $(READLINE_LIBS) $(NCURSES_LIBS) $(MD4C_LIBS) \
    $(UTF8PROC_LIBS)
