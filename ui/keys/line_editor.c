/* Readline's callback interface. Its history file functions are not used. */
#include "config.h"

#include "ui/keys/line_editor.h"

#include "ui/keys/key_maps.h"
#include "ui/keys/line_editor_parts.h"
#include "ui/terminal.h"

#include <stdio.h>

#include <readline/history.h>
#include <readline/readline.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    REMEMBERED_LINES = 1000,
    REMEMBERED_MOST = 100000,
    ACTIONS_WAITING = 16, // of one key, by a macro
    MODE_BYTES = 64,
    HIDDEN_LINES = 4, // lines within lines: a question while one is typed
};

/* A lone Esc waits less than readline's half second, unless inputrc says. */
static const char key_wait[] = "200";

struct hidden_line {
    char *text, *prompt;
    int point;
};

struct line_editor line_editor;

static struct {
    bool opened, enter_opens_line;
    struct buffer line;
    char *prompt;
    struct hidden_line kept[HIDDEN_LINES]; // the last one is the newest
    size_t kept_count;
    void (*act)(void *context, enum action action, int count);
    void *act_context;
    struct {
        enum action action;
        int count;
    } actions[ACTIONS_WAITING];
    size_t action_count;
    FILE *nowhere;
    char mode[MODE_BYTES];
} editor;

void
line_editor_tell_changed(void)
{
    if (line_editor.box && line_editor.calls.changed)
        line_editor.calls.changed(line_editor.calls.context);
    line_editor.changed = false;
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

static void
queue_action(enum action action, int count)
{
    if (editor.action_count == ACTIONS_WAITING)
        return;
    editor.actions[editor.action_count].action = action;
    editor.actions[editor.action_count++].count = count;
}

void
line_editor_tell_actions(void)
{
    while (editor.action_count > 0) {
        enum action action = editor.actions[0].action;
        int count = editor.actions[0].count;

        editor.action_count--;
        memmove(editor.actions, editor.actions + 1,
                editor.action_count * sizeof editor.actions[0]);
        if (editor.act)
            editor.act(editor.act_context, action, count);
    }
}

void
line_editor_watch(void (*act)(void *, enum action, int), void *context)
{
    editor.act = act;
    editor.act_context = context;
}

/* -- opening --------------------------------------------------------------- */

/* In the box readline calls it after each key, of a macro too. */
static void
note_change(void)
{
    (void) line_care_bound();
    line_editor.changed = true;
}

static void
leave_terminal(void)
{
}

static void
take_terminal(int meta)
{
    (void) meta;
}

/*
 * Between two lines the terminal is muted: what is typed ahead is shown once,
 * and its Enter stays CR. Readline echoes what a terminal would that it finds.
 */
static void
take_muted_terminal(int meta)
{
    terminal_unmute();
    rl_prep_terminal(meta);
}

static void
mute_terminal(void)
{
    rl_deprep_terminal();
    terminal_mute(STDIN_FILENO);
}

/* Which of its ways to the terminal readline has. */
static void
set_form(void)
{
    bool box = line_editor.box;

    rl_getc_function = box ? line_keys_byte : rl_getc;
    rl_input_available_hook = box ? line_keys_wait : NULL;
    rl_redisplay_function = box ? note_change : rl_redisplay;
    rl_prep_term_function = box ? take_terminal : take_muted_terminal;
    rl_deprep_term_function = box ? leave_terminal : mute_terminal;
    rl_completion_display_matches_hook = box ? line_matches_offer : NULL;
    if (box && editor.nowhere == NULL)
        editor.nowhere = fopen("/dev/null", "r+e");
    rl_outstream = box && editor.nowhere ? editor.nowhere : stdout;
}

/* Before inputrc is read, so that the user's own settings win. */
static void
set_defaults(void)
{
    const struct key_functions functions = {
        queue_action, send_line, insert_newline, editor.enter_opens_line};

    rl_readline_name = "fathom";
    // signals are the program's, and it tells us
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_change_environment = 0;
    rl_attempted_completion_function = line_matches_find;
    rl_basic_word_break_characters = " \t\n";
    rl_completer_quote_characters = "";
    rl_variable_bind("keyseq-timeout", key_wait);
    key_maps_add(&functions);
    using_history();
    stifle_history(REMEMBERED_LINES);
}

static void
open_form(line_complete_fn complete, void *context)
{
    bool first = !editor.opened;

    line_matches_start(complete, context);
    editor.opened = true;
    set_form();
    line_remarks_hold();
    if (first)
        set_defaults();
    rl_initialize();
    key_maps_after_init();
    // readline would ring on the terminal by itself
    if (line_editor.box)
        rl_variable_bind("bell-style", "none");
    line_remarks_return();
    key_maps_set_box(line_editor.box);
    key_maps_use(MAP_INPUT);
}

void
line_editor_enter_opens_line(void)
{
    editor.enter_opens_line = true;
}

void
line_editor_without_modes(void)
{
    rl_variable_bind("enable-bracketed-paste", "off");
    rl_variable_bind("enable-meta-key", "off");
}

void
line_editor_open(line_complete_fn complete, void *context)
{
    line_editor.box = false;
    line_editor.map = MAP_INPUT;
    open_form(complete, context);
}

void
line_editor_open_box(line_complete_fn complete,
                     const struct line_box_calls *calls)
{
    terminal_unmute();
    line_editor.box = true;
    line_editor.calls = *calls;
    line_editor_watch(calls->act, calls->context);
    open_form(complete, calls->context);
}

void
line_editor_set_waiting(bool waiting)
{
    key_maps_set_waiting(waiting);
}

bool
line_editor_is_box(void)
{
    return line_editor.box;
}

void
line_editor_use(enum action_map map)
{
    bool same = map == line_editor.map;

    line_editor.map = map;
    if (same || !line_editor.visible)
        return;
    if (RL_ISSTATE(RL_STATE_NUMERICARG)) {
        rl_restore_prompt();
        rl_clear_message();
    }
    rl_callback_sigcleanup();
    rl_explicit_arg = 0;
    rl_numeric_arg = 1;
    key_maps_use(map);
    line_editor_tell_changed();
}

enum action_map
line_editor_map(void)
{
    return line_editor.map;
}

/* -- a line ---------------------------------------------------------------- */

static void
take_line(char *line)
{
    struct error err;

    rl_callback_handler_remove();
    line_care_end();
    line_editor.visible = false;
    if (line == NULL) {
        line_editor.result = LINE_END;
        return;
    }
    buffer_clear(&editor.line);
    line_editor.result =
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
    line_editor.visible = true;
    line_care_begin();
    line_editor.result = LINE_MORE;
    rl_callback_handler_install(editor.prompt ? editor.prompt : "> ",
                                take_line);
    if (line_editor.map != MAP_INPUT)
        key_maps_use(line_editor.map);
    line_editor_tell_changed();
}

void
line_editor_fill(const char *text)
{
    rl_insert_text(text);
    line_care_accept();
    rl_redisplay_function();
    line_editor_tell_changed();
}

void
line_editor_replace(const char *text)
{
    if (!line_editor.visible)
        return;
    rl_callback_sigcleanup();
    // one step back brings the old text
    rl_begin_undo_group();
    rl_delete_text(0, rl_end);
    rl_point = rl_mark = 0;
    rl_insert_text(text);
    rl_end_undo_group();
    line_care_accept();
    rl_redisplay_function();
    line_editor_tell_changed();
}

/* The mode's string of inputrc, without what it sends to the terminal. */
static const char *
mode_shown(void)
{
    char *wanted = rl_variable_value("show-mode-in-prompt");
    size_t length = 0;
    bool hidden = false;

    editor.mode[0] = '\0';
    if (!wanted || strcmp(wanted, "on") != 0 || line_editor.map != MAP_INPUT)
        return editor.mode;
    const char *text = rl_variable_value(
        rl_editing_mode == 1                    ? "emacs-mode-string"
        : rl_get_keymap() == vi_movement_keymap ? "vi-cmd-mode-string"
                                                : "vi-ins-mode-string");

    for (; text && *text && length < sizeof editor.mode - 1; text++) {
        if (*text == RL_PROMPT_START_IGNORE)
            hidden = true;
        else if (*text == RL_PROMPT_END_IGNORE)
            hidden = false;
        else if (!hidden)
            editor.mode[length++] = *text;
    }
    editor.mode[length] = '\0';
    return editor.mode;
}

struct line_box
line_editor_box(void)
{
    if (!line_editor.visible)
        return (struct line_box){.mode = "", .prompt = "", .text = ""};
    size_t pasted;

    (void) line_keys_pasting(&pasted);
    return (struct line_box){
        .mode = mode_shown(),
        .prompt = rl_display_prompt ? rl_display_prompt : "",
        .text = rl_line_buffer,
        .length = (size_t) rl_end,
        .cursor = (size_t) (rl_point > rl_end ? rl_end : rl_point),
        .searching = RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH) != 0,
        .pasting = pasted,
    };
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

    bool at_end = where_history() == history_length;

    if (*text != '\0' && (last == NULL || strcmp(last->line, text) != 0)) {
        line_care_before_remembering();
        add_history(text);
    }
    // the line that is shown already goes on behind it
    if (at_end)
        using_history();
}

bool
line_editor_interrupt(void)
{
    size_t pasted;
    bool typed = rl_end > 0 || line_keys_pasting(&pasted) ||
                 RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH);

    rl_point = rl_end;
    rl_redisplay_function();
    line_care_give_up();
    rl_callback_handler_remove();
    line_editor.visible = false;
    fputs("\n", rl_outstream);
    fflush(rl_outstream);
    line_keys_forget();
    line_editor_tell_changed();
    return typed;
}

static void
forget_line(struct hidden_line *line)
{
    if (line->text != NULL)
        explicit_bzero(line->text, strlen(line->text));
    free(line->text);
    free(line->prompt);
    *line = (struct hidden_line){0};
}

/* The oldest goes for the newest. */
static struct hidden_line *
add_hidden(void)
{
    if (editor.kept_count == HIDDEN_LINES) {
        forget_line(&editor.kept[0]);
        memmove(editor.kept, editor.kept + 1,
                (HIDDEN_LINES - 1) * sizeof editor.kept[0]);
        editor.kept_count--;
    }
    return &editor.kept[editor.kept_count++];
}

void
line_editor_hide(void)
{
    if (!line_editor.visible)
        return;
    // a search that goes on ends where it is
    rl_callback_sigcleanup();
    *add_hidden() = (struct hidden_line){
        .text = rl_copy_text(0, rl_end),
        .prompt = strdup(editor.prompt ? editor.prompt : ""),
        .point = rl_point,
    };
    line_care_give_up();
    // an empty line without prompt wipes what was shown
    rl_set_prompt("");
    rl_replace_line("", 0);
    rl_redisplay_function();
    rl_callback_handler_remove();
    line_editor.visible = false;
    line_keys_end_argument();
    line_editor_tell_changed();
}

void
line_editor_resume(void)
{
    if (line_editor.visible || editor.kept_count == 0)
        return;
    struct hidden_line line = editor.kept[--editor.kept_count];

    editor.kept[editor.kept_count] = (struct hidden_line){0};
    line_editor_show(line.prompt ? line.prompt : "");
    if (line.text != NULL)
        rl_insert_text(line.text);
    rl_point = line.point;
    line_care_accept();
    rl_redisplay_function();
    forget_line(&line);
    line_editor_tell_changed();
}

void
line_editor_give_up(void)
{
    if (editor.kept_count > 0 && !line_editor.visible)
        forget_line(&editor.kept[--editor.kept_count]);
    else if (line_editor.visible)
        (void) line_editor_interrupt();
}

char *
line_editor_lowest(void)
{
    if (editor.kept_count == 0)
        return line_editor_typed();
    return editor.kept[0].text ? strdup(editor.kept[0].text) : NULL;
}

char *
line_editor_typed(void)
{
    if (line_editor.visible)
        return rl_copy_text(0, rl_end);
    if (editor.kept_count == 0)
        return NULL;
    const char *text = editor.kept[editor.kept_count - 1].text;

    return text ? strdup(text) : NULL;
}

bool
line_editor_visible(void)
{
    return line_editor.visible;
}

void
line_editor_resized(void)
{
    if (line_editor.visible && !line_editor.box)
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
    // a search holds lines that are freed now
    if (line_editor.visible) {
        line_care_give_up();
        rl_callback_handler_remove();
    }
    terminal_unmute();
    forget_history();
    line_matches_forget();
    buffer_release(&editor.line);
    free(editor.prompt);
    while (editor.kept_count > 0)
        forget_line(&editor.kept[--editor.kept_count]);
    line_keys_forget();
    line_remarks_close();
    // readline keeps its streams
    rl_outstream = stdout;
    if (editor.nowhere)
        fclose(editor.nowhere);
    memset(&editor, 0, sizeof editor);
    memset(&line_editor, 0, sizeof line_editor);
}
