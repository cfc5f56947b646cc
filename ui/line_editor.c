/* Readline's callback interface. Its history file functions are not used. */
#include "config.h"

#include "ui/line_editor.h"

#include <stdio.h>

#include <readline/history.h>
#include <readline/readline.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REMEMBERED_LINES = 1000, REMEMBERED_MOST = 100000 };

static struct {
    line_complete_fn complete;
    void *context;
    bool opened, visible;
    enum line_result result;
    struct buffer line;
    char *prompt;
    char *kept, *kept_prompt; // of a hidden line
    int kept_point;
    struct line_candidates candidates;
    size_t next_candidate;
} editor;

void
line_candidates_add(struct line_candidates *candidates, const char *word)
{
    size_t bytes = (candidates->count + 1) * sizeof *candidates->words;
    char **words = realloc(candidates->words, bytes);

    // completion is a convenience: without memory there is none
    if (words == NULL)
        return;
    candidates->words = words;
    words[candidates->count] = strdup(word);
    if (words[candidates->count] != NULL)
        candidates->count++;
}

static void
forget_candidates(void)
{
    for (size_t i = 0; i < editor.candidates.count; i++)
        free(editor.candidates.words[i]);
    free(editor.candidates.words);
    editor.candidates = (struct line_candidates){0};
}

static char *
next_match(const char *text, int state)
{
    size_t length = strlen(text);

    if (state == 0)
        editor.next_candidate = 0;
    while (editor.next_candidate < editor.candidates.count) {
        const char *word = editor.candidates.words[editor.next_candidate++];

        if (strncmp(word, text, length) == 0)
            return strdup(word);
    }
    return NULL;
}

static char **
attempt(const char *text, int start, int end)
{
    char **matches = NULL;

    (void) end;
    forget_candidates();
    editor.complete(editor.context, rl_line_buffer, (size_t) start,
                    &editor.candidates);
    if (editor.candidates.files) {
        rl_filename_completion_desired = 1;
        matches = rl_completion_matches(text, rl_filename_completion_function);
    } else {
        matches = rl_completion_matches(text, next_match);
    }
    rl_attempted_completion_over = 1;
    return matches;
}

static int
insert_newline(int count, int key)
{
    (void) key;
    for (; count > 0; count--)
        rl_insert_text("\n");
    return 0;
}

/* An odd number of backslashes before Enter: the last one asks for a line. */
static int
send_line(int count, int key)
{
    int end = rl_end, backslashes = 0;

    while (backslashes < end && rl_line_buffer[end - 1 - backslashes] == '\\')
        backslashes++;
    if (backslashes % 2 == 0)
        return rl_newline(count, key);
    rl_point = end;
    rl_delete_text(end - 1, end);
    rl_point = end - 1;
    return insert_newline(1, key);
}

/* Before inputrc is read, so that the user's own bindings win. */
static void
bind_keys(void)
{
    Keymap maps[] = {emacs_standard_keymap, vi_insertion_keymap,
                     vi_movement_keymap};

    rl_add_defun("fathom-send", send_line, -1);
    rl_add_defun("fathom-newline", insert_newline, -1);
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        rl_bind_key_in_map('\r', send_line, maps[i]);
        rl_bind_key_in_map('\n', insert_newline, maps[i]);
    }
    rl_bind_keyseq_in_map("\\e\\r", insert_newline, emacs_standard_keymap);
    rl_bind_keyseq_in_map("\\e\\r", insert_newline, vi_insertion_keymap);
}

void
line_editor_open(line_complete_fn complete, void *context)
{
    editor.complete = complete;
    editor.context = context;
    editor.opened = true;
    rl_readline_name = "fathom";
    // signals are the program's, and it tells us
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_attempted_completion_function = attempt;
    rl_basic_word_break_characters = " \t\n";
    rl_completer_quote_characters = "";
    bind_keys();
    using_history();
    stifle_history(REMEMBERED_LINES);
    rl_initialize();
}

static void
take_line(char *line)
{
    struct error err;

    rl_callback_handler_remove();
    editor.visible = false;
    if (line == NULL) {
        editor.result = LINE_END;
        return;
    }
    buffer_clear(&editor.line);
    editor.result =
        utf8_repair(&editor.line, line, strlen(line), &err) == STATUS_OK
            ? LINE_DONE
            : LINE_MORE;
    explicit_bzero(line, strlen(line));
    free(line);
}

void
line_editor_show(const char *prompt)
{
    free(editor.prompt);
    editor.prompt = strdup(prompt);
    editor.visible = true;
    editor.result = LINE_MORE;
    rl_callback_handler_install(editor.prompt ? editor.prompt : "> ",
                                take_line);
}

void
line_editor_fill(const char *text)
{
    rl_insert_text(text);
    rl_redisplay();
}

enum line_result
line_editor_feed(void)
{
    editor.result = LINE_MORE;
    rl_callback_read_char();
    return editor.result;
}

const char *
line_editor_line(void)
{
    return editor.line.data ? editor.line.data : "";
}

size_t
line_editor_history_size(void)
{
    return history_is_stifled() && history_max_entries >= 0
               ? (size_t) history_max_entries
               : REMEMBERED_MOST;
}

void
line_editor_remember(const char *text)
{
    HIST_ENTRY *last = history_length > 0
                           ? history_get(history_base + history_length - 1)
                           : NULL;

    if (*text != '\0' && (last == NULL || strcmp(last->line, text) != 0))
        add_history(text);
}

bool
line_editor_interrupt(void)
{
    bool typed = rl_end > 0;

    rl_point = rl_end;
    rl_redisplay();
    rl_callback_sigcleanup();
    rl_free_line_state();
    rl_callback_handler_remove();
    editor.visible = false;
    fputs("\n", rl_outstream);
    fflush(rl_outstream);
    return typed;
}

static void
forget_kept(void)
{
    if (editor.kept != NULL)
        explicit_bzero(editor.kept, strlen(editor.kept));
    free(editor.kept);
    free(editor.kept_prompt);
    editor.kept = editor.kept_prompt = NULL;
}

void
line_editor_hide(void)
{
    if (!editor.visible)
        return;
    forget_kept();
    editor.kept = rl_copy_text(0, rl_end);
    editor.kept_prompt = strdup(editor.prompt ? editor.prompt : "");
    editor.kept_point = rl_point;
    // an empty line without prompt wipes what was shown
    rl_set_prompt("");
    rl_replace_line("", 0);
    rl_redisplay();
    rl_callback_handler_remove();
    editor.visible = false;
}

void
line_editor_resume(void)
{
    if (editor.visible || editor.kept == NULL)
        return;
    line_editor_show(editor.kept_prompt ? editor.kept_prompt : "");
    rl_insert_text(editor.kept);
    rl_point = editor.kept_point;
    rl_redisplay();
    forget_kept();
}

char *
line_editor_typed(void)
{
    if (editor.visible)
        return rl_copy_text(0, rl_end);
    return editor.kept ? strdup(editor.kept) : NULL;
}

bool
line_editor_visible(void)
{
    return editor.visible;
}

void
line_editor_resized(void)
{
    if (editor.visible)
        rl_resize_terminal();
}

static void
forget_history(void)
{
    for (int i = 0; i < history_length; i++) {
        HIST_ENTRY *entry = history_get(history_base + i);

        if (entry != NULL)
            explicit_bzero(entry->line, strlen(entry->line));
    }
    clear_history();
}

void
line_editor_close(void)
{
    if (!editor.opened)
        return;
    if (editor.visible)
        rl_callback_handler_remove();
    forget_history();
    forget_candidates();
    buffer_release(&editor.line);
    free(editor.prompt);
    forget_kept();
    memset(&editor, 0, sizeof editor);
}
