/* Readline's callback interface. Its history file functions are not used. */
#include "config.h"

#include "ui/keys/line_editor.h"

#include "ui/keys/key_maps.h"
#include "ui/keys/key_reader.h"
#include "ui/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>

#include <readline/history.h>
#include <readline/readline.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    REMEMBERED_LINES = 1000,
    REMEMBERED_MOST = 100000,
    ACTIONS_WAITING = 16, // of one key, by a macro
    READ_BYTES = 4096,
    MODE_BYTES = 64,
    REMARK_BYTES = 4096,
    HIDDEN_LINES = 4,  // lines within lines: a question while one is typed
    COUNT_MOST = 1000, // of a key; readline would do it two milliards of times
};

/* A lone Esc waits less than readline's half second, unless inputrc says. */
static const char key_wait[] = "200";

static const char paste_begins[] = "\033[200~";

struct hidden_line {
    char *text, *prompt;
    int point;
};

static struct {
    line_complete_fn complete;
    void *context;
    bool opened, visible, enter_opens_line;
    bool wandered; // in the history, since the line began
    int length;    // bytes of the line after the last key, and where
    int where;     // in the history it was then
    enum line_result result;
    struct buffer line;
    char *prompt;
    struct hidden_line kept[HIDDEN_LINES]; // the last one is the newest
    size_t kept_count;
    struct line_candidates candidates;
    size_t next_candidate;
    void (*act)(void *context, enum action action, int count);
    void *act_context;
    struct {
        enum action action;
        int count;
    } actions[ACTIONS_WAITING];
    size_t action_count;
    // the box
    bool box, changed;
    struct line_box_calls calls;
    enum action_map map;
    struct key_reader reader;
    bool raw;      // the next character is an argument of the last key
    bool too_long; // the paste that was read is for `attach`
    FILE *nowhere;
    int remarks, errors; // where standard error goes meanwhile, and belongs
    char mode[MODE_BYTES];
} editor = {.remarks = -1, .errors = -1};

/* What is told once the terminal is as it should be. */
static void
tell_changed(void)
{
    if (editor.box && editor.calls.changed)
        editor.calls.changed(editor.calls.context);
    editor.changed = false;
}

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

static void
queue_action(enum action action, int count)
{
    if (editor.action_count == ACTIONS_WAITING)
        return;
    editor.actions[editor.action_count].action = action;
    editor.actions[editor.action_count++].count = count;
}

/* Outside of readline: whoever is called may hide the line and show others. */
static void
tell_actions(void)
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

/* -- what readline says ---------------------------------------------------- */

/* Its messages go to standard error, which must not reach a full screen. */
static void
hold_errors(void)
{
    if (!editor.box || editor.errors >= 0)
        return;
    if (editor.remarks < 0)
        editor.remarks = memfd_create("remarks", MFD_CLOEXEC);
    if (editor.remarks < 0)
        return;
    fflush(stderr);
    editor.errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (editor.errors >= 0)
        dup2(editor.remarks, STDERR_FILENO);
}

static void
return_errors(void)
{
    if (editor.errors < 0)
        return;
    fflush(stderr);
    dup2(editor.errors, STDERR_FILENO);
    close(editor.errors);
    editor.errors = -1;
}

char *
line_editor_remarks(void)
{
    char text[REMARK_BYTES];
    ssize_t got =
        editor.remarks < 0 ? 0 : pread(editor.remarks, text, sizeof text, 0);

    if (got <= 0 || ftruncate(editor.remarks, 0) < 0)
        return NULL;
    lseek(editor.remarks, 0, SEEK_SET);
    while (got > 0 && strchr("\n\r\a", text[got - 1]))
        got--;
    return got ? strndup(text, (size_t) got) : NULL;
}

/* -- opening --------------------------------------------------------------- */

/*
 * Readline is called when there is a byte. If it wants one more for a key, -1
 * ends that; where it would end the line, NUL does nothing instead.
 */
static int
give_byte(FILE *stream)
{
    int byte = key_reader_byte(&editor.reader);

    (void) stream;
    return byte < 0 && RL_ISSTATE(RL_STATE_READCMD) ? 0 : byte;
}

static int
has_byte(void)
{
    return editor.reader.window > 0;
}

static void
accept_length(void)
{
    editor.length = rl_end;
    editor.where = where_history();
    key_maps_note_length(rl_end);
}

/*
 * Takes a NUL out of the line, where vi's "y" leaves one when it is repeated
 * with what is no motion: readline's words would never end there.
 */
static void
drop_nul(void)
{
    char *nul;

    while (rl_end > 0 &&
           (nul = memchr(rl_line_buffer, '\0', (size_t) rl_end)) != NULL) {
        int at = (int) (nul - rl_line_buffer);

        memmove(nul, nul + 1, (size_t) (rl_end - at)); // with the last NUL
        rl_end--;
        rl_point -= rl_point > at;
        rl_mark -= rl_mark > at;
    }
}

/*
 * A key that makes a line too long is taken back, one of a macro too: text
 * that is killed and yanked twice, again and again, would take all memory.
 * True when it was.
 */
static bool
bound_line(void)
{
    int more = editor.length + LINE_KEY_BYTES;
    int most = more > LINE_MOST_BYTES ? more : LINE_MOST_BYTES;
    bool same = where_history() == editor.where &&
                !RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH);

    drop_nul();
    bool bounded = same && rl_end > most;

    while (bounded && rl_end > most && rl_undo_list != NULL)
        rl_do_undo();
    if (bounded)
        rl_ding();
    accept_length();
    return bounded;
}

/* In the box readline calls it after each key, of a macro too. */
static void
note_change(void)
{
    (void) bound_line();
    editor.changed = true;
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

/* matches[0] is what all have in common. */
static void
offer_matches(char **matches, int count, int longest)
{
    (void) longest;
    if (editor.calls.offer)
        editor.calls.offer(editor.calls.context, matches + 1, (size_t) count);
    editor.changed = true;
}

/* Which of its ways to the terminal readline has. */
static void
set_form(void)
{
    bool box = editor.box;

    rl_getc_function = box ? give_byte : rl_getc;
    rl_input_available_hook = box ? has_byte : NULL;
    rl_redisplay_function = box ? note_change : rl_redisplay;
    rl_prep_term_function = box ? take_terminal : take_muted_terminal;
    rl_deprep_term_function = box ? leave_terminal : mute_terminal;
    rl_completion_display_matches_hook = box ? offer_matches : NULL;
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
    rl_attempted_completion_function = attempt;
    rl_basic_word_break_characters = " \t\n";
    rl_completer_quote_characters = "";
    rl_variable_bind("keyseq-timeout", key_wait);
    key_maps_add(&functions);
    using_history();
    stifle_history(REMEMBERED_LINES);
}

/*
 * Readline puts what is pasted into the line itself. Here it is read as on the
 * screen, so that it is mended and attached alike.
 */
static int
take_paste(int count, int key)
{
    struct key_reader *reader = &editor.reader;
    enum key_kind kind = KEY_NONE;
    struct key_mouse mouse;
    struct error err;
    enum status status =
        key_reader_add(reader, paste_begins, strlen(paste_begins), &err);

    (void) count;
    while (status == STATUS_OK && kind != KEY_PASTED &&
           (key = rl_read_key()) >= 0) {
        char byte = (char) key;

        status = key_reader_add(reader, &byte, 1, &err);
        kind = key_reader_next(reader, false, 0, 0, &mouse);
    }
    editor.too_long = reader->paste.length > LINE_PASTE_BYTES;
    if (kind != KEY_PASTED)
        key_reader_release(reader);
    else if (!editor.too_long && reader->paste.length > 0)
        rl_insert_text(reader->paste.data);
    if (!editor.too_long)
        buffer_release(&reader->paste);
    return 0;
}

/* Outside of readline: whoever is called may hide the line. */
static void
tell_paste(void)
{
    struct buffer paste = editor.reader.paste;

    if (!editor.too_long)
        return;
    editor.too_long = false;
    editor.reader.paste = (struct buffer){0};
    if (paste.length > 0)
        editor.calls.attach(editor.calls.context, paste.data, paste.length);
    buffer_release(&paste);
}

void
line_editor_attach(void (*attach)(void *context, const char *bytes,
                                  size_t length),
                   void *context)
{
    editor.calls.attach = attach;
    editor.calls.context = context;
    rl_bind_keyseq_in_map(paste_begins, take_paste, emacs_standard_keymap);
    rl_bind_keyseq_in_map(paste_begins, take_paste, vi_insertion_keymap);
}

static void
open_form(line_complete_fn complete, void *context)
{
    bool first = !editor.opened;

    editor.complete = complete;
    editor.context = context;
    editor.opened = true;
    set_form();
    hold_errors();
    if (first)
        set_defaults();
    rl_initialize();
    // readline would ring on the terminal by itself
    if (editor.box)
        rl_variable_bind("bell-style", "none");
    return_errors();
    key_maps_set_box(editor.box);
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
    editor.box = false;
    editor.map = MAP_INPUT;
    open_form(complete, context);
}

void
line_editor_open_box(line_complete_fn complete,
                     const struct line_box_calls *calls)
{
    terminal_unmute();
    editor.box = true;
    editor.calls = *calls;
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
    return editor.box;
}

void
line_editor_use(enum action_map map)
{
    bool same = map == editor.map;

    editor.map = map;
    if (same || !editor.visible)
        return;
    if (RL_ISSTATE(RL_STATE_NUMERICARG)) {
        rl_restore_prompt();
        rl_clear_message();
    }
    rl_callback_sigcleanup();
    rl_explicit_arg = 0;
    rl_numeric_arg = 1;
    key_maps_use(map);
    tell_changed();
}

enum action_map
line_editor_map(void)
{
    return editor.map;
}

/* -- a line ---------------------------------------------------------------- */

/*
 * Lines of the history keep what can be undone of them while they are edited.
 * Once the line has ended some of it is freed, and readline would follow it.
 */
static void
forget_history_undo(void)
{
    for (int i = 0; i < history_length; i++) {
        HIST_ENTRY *entry = history_get(history_base + i);

        if (entry != NULL)
            entry->data = NULL;
    }
}

/*
 * What could be undone of a line that is given up is not freed where the
 * history was looked through: such lists share their ends then, and readline
 * would free these twice. Here they are still found, so that leaks are others.
 */
static struct {
    UNDO_LIST **list;
    size_t count;
} abandoned;

static void
abandon_undo(void)
{
    if (!editor.wandered)
        return;
    UNDO_LIST **lists =
        rl_undo_list
            ? realloc(abandoned.list, (abandoned.count + 1) * sizeof *lists)
            : NULL;

    if (lists != NULL) {
        abandoned.list = lists;
        lists[abandoned.count++] = rl_undo_list;
    }
    rl_undo_list = NULL;
}

/*
 * The line in readline is given up. What was typed before the history was
 * looked through comes back to its place first.
 */
static void
forget_line_state(void)
{
    char *set = rl_variable_value("bell-style");
    char *bell = strdup(set ? set : "audible");

    rl_callback_sigcleanup();
    abandon_undo();
    // it rings if there is no such line
    rl_variable_bind("bell-style", "none");
    rl_maybe_unsave_line();
    rl_variable_bind("bell-style", bell ? bell : "audible");
    free(bell);
    abandon_undo();
    rl_free_line_state();
    forget_history_undo();
}

static void
take_line(char *line)
{
    struct error err;

    rl_callback_handler_remove();
    forget_history_undo();
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
    editor.wandered = false;
    editor.result = LINE_MORE;
    rl_callback_handler_install(editor.prompt ? editor.prompt : "> ",
                                take_line);
    if (editor.map != MAP_INPUT)
        key_maps_use(editor.map);
    tell_changed();
}

void
line_editor_fill(const char *text)
{
    rl_insert_text(text);
    accept_length();
    rl_redisplay_function();
    tell_changed();
}

void
line_editor_replace(const char *text)
{
    if (!editor.visible)
        return;
    rl_callback_sigcleanup();
    // one step back brings the old text
    rl_begin_undo_group();
    rl_delete_text(0, rl_end);
    rl_point = rl_mark = 0;
    rl_insert_text(text);
    rl_end_undo_group();
    accept_length();
    rl_redisplay_function();
    tell_changed();
}

/* The terminal is gone. */
static enum line_result
end_of_input(void)
{
    forget_line_state();
    rl_callback_handler_remove();
    editor.visible = false;
    return LINE_END;
}

static void
insert_pasted(const struct buffer *paste)
{
    if (paste->length > LINE_PASTE_BYTES && editor.calls.attach) {
        editor.calls.attach(editor.calls.context, paste->data, paste->length);
    } else if (paste->length > 0) {
        if (RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_VIMOTION |
                       RL_STATE_CHARSEARCH | RL_STATE_NUMERICARG))
            rl_callback_sigcleanup();
        rl_insert_text(paste->data);
        accept_length();
    }
    editor.changed = true;
}

/* Functions that read a character more, which may be any. */
static bool
wants_character(void)
{
    return RL_ISSTATE(RL_STATE_CHARSEARCH) ||
           rl_last_func == rl_quoted_insert ||
           rl_last_func == rl_vi_change_char;
}

/*
 * ^D with focus elsewhere is a key like others, though readline takes it for
 * the end of an empty line before it looks at its maps.
 */
static bool
took_end_key(void)
{
    KEYMAP_ENTRY *entry = &rl_get_keymap()[4];

    if (editor.map == MAP_INPUT || rl_end > 0 ||
        RL_ISSTATE(RL_STATE_NUMERICARG) || editor.reader.window != 1 ||
        editor.reader.queue.data[0] != 4)
        return false;
    (void) key_reader_byte(&editor.reader);
    if (entry->type == ISFUNC && entry->function)
        entry->function(1, 4);
    return true;
}

/* Where the map in use has the key that these bytes are, if it is there. */
static KEYMAP_ENTRY *
entry_of(const char *bytes, size_t length)
{
    Keymap map = rl_get_keymap();

    for (size_t i = 0; i + 1 < length; i++) {
        KEYMAP_ENTRY *entry = &map[(unsigned char) bytes[i]];

        if (entry->type != ISKMAP)
            return NULL;
        map = (Keymap) (uintptr_t) entry->function;
    }
    return &map[(unsigned char) bytes[length - 1]];
}

/*
 * Readline's step. A key with a count that ends the line would be seen to have
 * done so at the next key only; a NUL is that.
 */
static void
read_char(void)
{
    rl_callback_read_char();
    editor.wandered |= where_history() != history_length ||
                       RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH);
    if (RL_ISSTATE(RL_STATE_NUMERICARG) && rl_numeric_arg > COUNT_MOST)
        rl_numeric_arg = COUNT_MOST;
    if (editor.visible && !rl_done && bound_line())
        rl_redisplay_function();
    if (!editor.visible || !rl_done)
        return;
    rl_stuff_char('\0');
    rl_callback_read_char();
}

static void
read_window(void)
{
    struct key_reader *reader = &editor.reader;

    while (reader->window > 0 && editor.visible && !took_end_key()) {
        size_t before = reader->window;

        read_char();
        // what readline does not want of a key is nothing for the next
        if (reader->window == before)
            (void) key_reader_byte(reader);
        // a macro with a count is left for the next call
        while (editor.visible && RL_ISSTATE(RL_STATE_MACROINPUT))
            read_char();
    }
}

/*
 * With its callbacks readline waits for the rest of a longer key for ever. So
 * for this once the map has no longer one.
 */
static void
read_shadowed(void)
{
    struct key_reader *reader = &editor.reader;
    KEYMAP_ENTRY *entry = entry_of(reader->queue.data, reader->window);

    if (entry == NULL || entry->type != ISKMAP) {
        read_window();
        return;
    }
    KEYMAP_ENTRY longer = *entry;

    *entry = ((Keymap) (uintptr_t) longer.function)[ANYOTHERKEY];
    read_window();
    *entry = longer;
}

static void
drop_window(void)
{
    while (key_reader_byte(&editor.reader) >= 0)
        continue;
}

/* Whether a search does something with this key other than to end. */
static bool
is_of_search(unsigned char key)
{
    const KEYMAP_ENTRY *entry = &rl_get_keymap()[key];
    static rl_command_func_t *const known[] = {rl_reverse_search_history,
                                               rl_forward_search_history,
                                               rl_rubout,
                                               rl_abort,
                                               rl_unix_word_rubout,
                                               rl_yank};

    if (key >= 0x20 && key != 0x7F)
        return true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (entry->type == ISFUNC && entry->function == known[i])
            return true;
    return key == 'G' - '@' || key == 'W' - '@' || key == 'Y' - '@';
}

/*
 * A search that found nothing and turns round would go on at the place in the
 * line where it was, but in another line, which may be shorter. So it ends, and
 * the key, twice, begins it anew with the same text.
 */
static bool
turns_failed_search(const struct key_reader *reader)
{
    static const char failed[] = "(failed ", back[] = "reverse-";
    const char *prompt = rl_display_prompt ? rl_display_prompt : "";
    const KEYMAP_ENTRY *entry =
        &rl_get_keymap()[(unsigned char) reader->queue.data[0]];

    if (!RL_ISSTATE(RL_STATE_ISEARCH) || reader->window != 1 ||
        strncmp(prompt, failed, sizeof failed - 1) != 0)
        return false;
    bool backwards =
        strncmp(prompt + sizeof failed - 1, back, sizeof back - 1) == 0;

    return entry->function ==
           (backwards ? rl_forward_search_history : rl_reverse_search_history);
}

/*
 * A search that ends by another key would have readline call itself for that
 * key, which it does not survive when the key aborts. So it is ended before,
 * where it has found something. Esc and ^J only end it.
 */
static void
end_search(void)
{
    const struct key_reader *reader = &editor.reader;
    const char *bytes = reader->queue.data;
    bool sequence = reader->window > 1 && (unsigned char) bytes[0] < 0x80;

    if (turns_failed_search(reader)) {
        rl_callback_sigcleanup();
        rl_stuff_char(bytes[0]);
        read_char();
        return;
    }
    if (RL_ISSTATE(RL_STATE_NSEARCH) && sequence)
        drop_window();
    if (!RL_ISSTATE(RL_STATE_ISEARCH) ||
        (!sequence && is_of_search((unsigned char) bytes[0])))
        return;
    rl_callback_sigcleanup();
    editor.changed = true;
    if (reader->window == 1 && (bytes[0] == '\033' || bytes[0] == '\n'))
        drop_window();
}

/* Hands readline what is in the window. */
static enum line_result
type_window(void)
{
    bool was_raw = editor.raw;

    editor.result = LINE_MORE;
    hold_errors();
    end_search();
    if (editor.reader.window > 0 && editor.reader.shadowed)
        read_shadowed();
    else
        read_window();
    return_errors();
    drop_window();
    editor.raw = editor.visible && !was_raw && wants_character();
    if (!editor.visible)
        editor.changed = true;
    return editor.result;
}

static enum line_result
type_key(enum key_kind kind, const struct key_mouse *mouse)
{
    enum line_result result = LINE_MORE;

    if (kind == KEY_TYPED) {
        result = type_window();
    } else if (kind == KEY_PASTED) {
        insert_pasted(&editor.reader.paste);
        buffer_release(&editor.reader.paste);
    } else if (editor.calls.mouse) {
        editor.calls.mouse(editor.calls.context, mouse->row, mouse->column,
                           mouse->wheel);
    }
    return result;
}

static uint64_t
key_wait_ns(void)
{
    char *value = rl_variable_value("keyseq-timeout");
    long ms = value ? strtol(value, NULL, 10) : 0;

    return ms > 0 ? (uint64_t) ms * UINT64_C(1000000) : 0;
}

enum line_result
line_editor_tick(uint64_t now_ns)
{
    enum line_result result = LINE_MORE;
    size_t pasted = editor.reader.paste.length;

    while (editor.visible && result == LINE_MORE) {
        struct key_mouse mouse = {0};
        enum key_kind kind = key_reader_next(&editor.reader, editor.raw, now_ns,
                                             key_wait_ns(), &mouse);

        if (kind == KEY_NONE)
            break;
        result = type_key(kind, &mouse);
        if (editor.action_count > 0 && result == LINE_MORE)
            tell_actions();
    }
    if (editor.changed || editor.reader.paste.length != pasted)
        tell_changed();
    return result;
}

enum line_result
line_editor_keys(const char *bytes, size_t length, uint64_t now_ns)
{
    struct error err;

    // without memory the keys are lost, not the line
    if (key_reader_add(&editor.reader, bytes, length, &err) != STATUS_OK)
        log_warn("keys are lost: %s", err.text);
    return line_editor_tick(now_ns);
}

/*
 * Reads keys as far as the end of a line: what was typed ahead behind it may
 * be a passphrase, which is not for this editor. A paste comes in pieces.
 */
static ssize_t
read_keys(char bytes[READ_BYTES])
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    ssize_t length = 0;
    int there = 0;

    // ^C may have flushed what was there, and read would wait
    if (poll(&input, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    if (editor.reader.pasting)
        return read(STDIN_FILENO, bytes, READ_BYTES);
    do {
        ssize_t got = read(STDIN_FILENO, bytes + length, 1);

        if (got <= 0)
            return length > 0 ? length : got;
        length++;
    } while (bytes[length - 1] != '\r' && bytes[length - 1] != '\n' &&
             length < READ_BYTES &&
             ioctl(STDIN_FILENO, FIONREAD, &there) == 0 && there > 0);
    return length;
}

static enum line_result
feed_box(void)
{
    char bytes[READ_BYTES];
    ssize_t got = read_keys(bytes);

    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
        return end_of_input();
    enum line_result result =
        line_editor_keys(bytes, got > 0 ? (size_t) got : 0, clock_ns());

    explicit_bzero(bytes, sizeof bytes);
    return result;
}

enum line_result
line_editor_feed(void)
{
    if (editor.box)
        return feed_box();
    editor.result = LINE_MORE;
    read_char();
    enum line_result result = editor.result;

    tell_paste();
    if (result == LINE_MORE)
        tell_actions();
    return result;
}

uint64_t
line_editor_deadline(void)
{
    if (!editor.box || !editor.visible)
        return UINT64_MAX;
    return key_reader_deadline(&editor.reader);
}

/* The mode's string of inputrc, without what it sends to the terminal. */
static const char *
mode_shown(void)
{
    char *wanted = rl_variable_value("show-mode-in-prompt");
    size_t length = 0;
    bool hidden = false;

    editor.mode[0] = '\0';
    if (!wanted || strcmp(wanted, "on") != 0 || editor.map != MAP_INPUT)
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
    if (!editor.visible)
        return (struct line_box){.mode = "", .prompt = "", .text = ""};
    return (struct line_box){
        .mode = mode_shown(),
        .prompt = rl_display_prompt ? rl_display_prompt : "",
        .text = rl_line_buffer,
        .length = (size_t) rl_end,
        .cursor = (size_t) (rl_point > rl_end ? rl_end : rl_point),
        .searching = RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH) != 0,
        .pasting = editor.reader.pasting ? editor.reader.paste.length : 0,
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

/*
 * A full history frees its oldest line for a new one, and a search in it holds
 * all of them since it began: it ends where it is.
 */
static void
end_search_in_full(void)
{
    if (!RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH) ||
        !history_is_stifled() || history_length < history_max_entries)
        return;
    rl_callback_sigcleanup();
    tell_changed();
}

void
line_editor_remember(const char *text)
{
    HIST_ENTRY *last = history_length > 0
                           ? history_get(history_base + history_length - 1)
                           : NULL;

    bool at_end = where_history() == history_length;

    if (*text != '\0' && (last == NULL || strcmp(last->line, text) != 0)) {
        end_search_in_full();
        add_history(text);
    }
    // the line that is shown already goes on behind it
    if (at_end)
        using_history();
}

bool
line_editor_interrupt(void)
{
    bool typed = rl_end > 0 || editor.reader.pasting ||
                 RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH);

    rl_point = rl_end;
    rl_redisplay_function();
    forget_line_state();
    rl_callback_handler_remove();
    editor.visible = false;
    fputs("\n", rl_outstream);
    fflush(rl_outstream);
    key_reader_release(&editor.reader);
    editor.raw = false;
    tell_changed();
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
    if (!editor.visible)
        return;
    // a search that goes on ends where it is
    rl_callback_sigcleanup();
    *add_hidden() = (struct hidden_line){
        .text = rl_copy_text(0, rl_end),
        .prompt = strdup(editor.prompt ? editor.prompt : ""),
        .point = rl_point,
    };
    forget_line_state();
    // an empty line without prompt wipes what was shown
    rl_set_prompt("");
    rl_replace_line("", 0);
    rl_redisplay_function();
    rl_callback_handler_remove();
    editor.visible = false;
    editor.raw = false;
    tell_changed();
}

void
line_editor_resume(void)
{
    if (editor.visible || editor.kept_count == 0)
        return;
    struct hidden_line line = editor.kept[--editor.kept_count];

    editor.kept[editor.kept_count] = (struct hidden_line){0};
    line_editor_show(line.prompt ? line.prompt : "");
    if (line.text != NULL)
        rl_insert_text(line.text);
    rl_point = line.point;
    accept_length();
    rl_redisplay_function();
    forget_line(&line);
    tell_changed();
}

char *
line_editor_typed(void)
{
    if (editor.visible)
        return rl_copy_text(0, rl_end);
    if (editor.kept_count == 0)
        return NULL;
    const char *text = editor.kept[editor.kept_count - 1].text;

    return text ? strdup(text) : NULL;
}

bool
line_editor_visible(void)
{
    return editor.visible;
}

void
line_editor_resized(void)
{
    if (editor.visible && !editor.box)
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
    if (editor.visible) {
        forget_line_state();
        rl_callback_handler_remove();
    }
    terminal_unmute();
    forget_history();
    forget_candidates();
    buffer_release(&editor.line);
    free(editor.prompt);
    while (editor.kept_count > 0)
        forget_line(&editor.kept[--editor.kept_count]);
    key_reader_release(&editor.reader);
    if (editor.remarks >= 0)
        close(editor.remarks);
    // readline keeps its streams
    rl_outstream = stdout;
    if (editor.nowhere)
        fclose(editor.nowhere);
    memset(&editor, 0, sizeof editor);
    editor.remarks = editor.errors = -1;
}
