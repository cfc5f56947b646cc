/* Our functions and key maps in readline. */
#include "config.h"

#include "ui/keys/key_maps.h"

#include "ui/keys/line_editor.h"

#include <stdio.h>

#include <readline/history.h>
#include <readline/readline.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <curses.h>
#include <term.h>

enum {
    REDO_MOST_BYTES = 16 << 20, // that vi's "." puts with a count
    SEARCH_MOST_BYTES = 8192,   // of a line in which a character is looked for
};

static struct {
    struct key_functions functions;
    bool added, box, waiting;
    int longest; // line that there was, in bytes
    Keymap ours[ACTION_MAPS];
} maps;

/* The digit that ends a key ("y3") is its number, if none was typed. */
static int
number_of(enum action action, int count, int key)
{
    if (action != ACTION_COPY && action != ACTION_SAVE &&
        action != ACTION_SECTION)
        return count;
    if (rl_explicit_arg)
        return count;
    return key >= '1' && key <= '9' ? key - '0' : 0;
}

static int
act(enum action action, int count, int key)
{
    if (!maps.box && action == ACTION_REDRAW)
        return rl_clear_screen(count, key);
    maps.functions.act(action, number_of(action, count, key));
    return 0;
}

#define FUNCTION(NAME, name, help)                                             \
    static int act_##NAME(int count, int key)                                  \
    {                                                                          \
        return act(ACTION_##NAME, count, key);                                 \
    }
ACTION_LIST(FUNCTION)
#undef FUNCTION

#define FUNCTION(NAME, name, help) [ACTION_##NAME] = act_##NAME,
static rl_command_func_t *functions[ACTIONS] = {ACTION_LIST(FUNCTION)};
#undef FUNCTION

/* Up and Down go through the lines of the text before they leave it. */
static int
line_start(int at)
{
    while (at > 0 && rl_line_buffer[at - 1] != '\n')
        at--;
    return at;
}

static int
line_end(int at)
{
    while (at < rl_end && rl_line_buffer[at] != '\n')
        at++;
    return at;
}

/* The place in [start, end) that is `column` characters from its start. */
static int
place_of(int start, int end, int column)
{
    const char *text = rl_line_buffer;
    int at = start;

    while (at < end && column > 0) {
        do
            at++;
        while (at < end && ((unsigned char) text[at] & 0xC0) == 0x80);
        column--;
    }
    return at;
}

static int
column_of(int start, int at)
{
    int column = 0;

    for (int i = start; i < at; i++)
        column += ((unsigned char) rl_line_buffer[i] & 0xC0) != 0x80;
    return column;
}

static int
previous_line(int count, int key)
{
    int start = line_start(rl_point);

    if (maps.waiting && rl_end == 0)
        return act(ACTION_RECALL, count, key);
    if (start == 0)
        return rl_get_previous_history(count, key);
    rl_point =
        place_of(line_start(start - 1), start - 1, column_of(start, rl_point));
    return count > 1 ? previous_line(count - 1, key) : 0;
}

static int
discard_line(int count, int key)
{
    if (maps.waiting && rl_end == 0)
        return act(ACTION_UNQUEUE, count, key);
    return rl_unix_line_discard(count, key);
}

/* On the screen it is told, too: what has the line may end by it. */
static int
abort_line(int count, int key)
{
    if (maps.box)
        (void) act(ACTION_BACK, 1, key);
    return rl_abort(count, key);
}

static int
next_line(int count, int key)
{
    int end = line_end(rl_point);

    if (end == rl_end)
        return rl_get_next_history(count, key);
    rl_point = place_of(end + 1, line_end(end + 1),
                        column_of(line_start(rl_point), rl_point));
    return count > 1 ? next_line(count - 1, key) : 0;
}

void
key_maps_note_length(int bytes)
{
    if (bytes > maps.longest)
        maps.longest = bytes;
}

/*
 * vi's "p" and "P", as often as a line has room for: readline would put what
 * was killed, which may be long, so often at once. Behind the first one the
 * rest is put by "p", which is the same.
 */
static int
put(int count, int key)
{
    int before = rl_end, result = rl_vi_put(1, key);
    int grown = rl_end - before;
    int most = grown > 0 ? LINE_MOST_BYTES / grown : 0;

    if (count - 1 < most)
        most = count - 1;
    return most > 0 ? rl_vi_put(most, 'p') : result;
}

/*
 * vi's "." in a line of the history: readline's lists of what can be undone,
 * of the line and of the history, come apart there, and one is freed twice.
 * So the line is made one of its own first.
 */
static int
redo(int count, int key)
{
    char *text =
        where_history() < history_length ? rl_copy_text(0, rl_end) : NULL;
    int point = rl_point;

    if (text != NULL) {
        rl_maybe_unsave_line();
        using_history();
        rl_delete_text(0, rl_end);
        rl_point = 0;
        rl_insert_text(text);
        rl_point = point;
        explicit_bzero(text, strlen(text));
        free(text);
    }
    // it may be all of the longest line that is put, count times
    int most = REDO_MOST_BYTES / (maps.longest + 1);

    return rl_vi_redo(count <= most ? count : most > 0 ? most : 1, key);
}

/*
 * Whether the line has a character that this system's tables do not know, such
 * as an emoji newer than they are. Readline's words of vi have no end there.
 */
static bool
has_unknown_character(void)
{
    const char *text = rl_line_buffer;
    mbstate_t state = {0};
    wchar_t wide;

    for (size_t left = (size_t) rl_end, length; left > 0;
         text += length, left -= length) {
        length = mbrtowc(&wide, text, left, &state);
        if (length == 0 || length > left || wcwidth(wide) < 0)
            return true;
    }
    return false;
}

static int
vi_next_word(int count, int key)
{
    return has_unknown_character() ? rl_forward_word(count, key)
                                   : rl_vi_next_word(count, key);
}

static int
vi_end_word(int count, int key)
{
    return has_unknown_character() ? rl_forward_word(count, key)
                                   : rl_vi_end_word(count, key);
}

/* It goes to the end of a word first. */
static int
vi_complete(int count, int key)
{
    return has_unknown_character() ? rl_ding() : rl_vi_complete(count, key);
}

/*
 * vi's "%" looks for a bracket from the cursor on; readline goes there by
 * characters, and in circles where the last one has no width of its own.
 */
static int
vi_match(int count, int key)
{
    int from = rl_point;
    int at = from + (int) strcspn(rl_line_buffer + from, "()[]{}");

    if (at >= rl_end)
        return rl_ding();
    rl_point = at;
    int result = rl_vi_match(count, key);

    if (rl_point == at) // it has no other
        rl_point = from;
    return result;
}

/*
 * Readline looks for a character in time that grows with the square of the
 * line: in 64 KiB for seconds, and nothing stops it.
 */
static int
vi_char_search(int count, int key)
{
    return rl_end > SEARCH_MOST_BYTES ? rl_ding()
                                      : rl_vi_char_search(count, key);
}

static int
char_search(int count, int key)
{
    return rl_end > SEARCH_MOST_BYTES ? rl_ding() : rl_char_search(count, key);
}

static int
backward_char_search(int count, int key)
{
    return rl_end > SEARCH_MOST_BYTES ? rl_ding()
                                      : rl_backward_char_search(count, key);
}

/* What terminals send for a key, whatever terminfo says. */
static const struct {
    const char *capability, *sequences[4];
} usual[] = {
    {"kf1", {"\033OP", "\033[11~", "\033[[A"}},
    {"kf2", {"\033OQ", "\033[12~", "\033[[B"}},
    {"kf3", {"\033OR", "\033[13~", "\033[[C"}},
    {"kf4", {"\033OS", "\033[14~", "\033[[D"}},
    {"kf5", {"\033[15~", "\033[[E"}},
    {"kf6", {"\033[17~"}},
    {"kf7", {"\033[18~"}},
    {"kf8", {"\033[19~"}},
    {"kf9", {"\033[20~"}},
    {"kf10", {"\033[21~"}},
    {"kpp", {"\033[5~"}},
    {"knp", {"\033[6~"}},
    {"khome", {"\033[H", "\033OH", "\033[1~", "\033[7~"}},
    {"kend", {"\033[F", "\033OF", "\033[4~", "\033[8~"}},
    {"kcuu1", {"\033[A", "\033OA"}},
    {"kcud1", {"\033[B", "\033OB"}},
    {"kcuf1", {"\033[C", "\033OC"}},
    {"kcub1", {"\033[D", "\033OD"}},
};

static void
bind_capability(const char *capability, rl_command_func_t *function, Keymap map)
{
    const char *known = cur_term ? tigetstr(capability) : NULL;

    if (known != NULL && known != (const char *) -1 && *known == '\033')
        rl_bind_keyseq_in_map(known, function, map);
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        if (strcmp(usual[i].capability, capability) != 0)
            continue;
        for (size_t s = 0; s < 4 && usual[i].sequences[s]; s++)
            rl_bind_keyseq_in_map(usual[i].sequences[s], function, map);
    }
}

/* What the keys of fathom-send do, or those of fathom-newline. */
static rl_command_func_t *
enter_function(bool enter)
{
    return enter != maps.functions.enter_opens_line ? maps.functions.send
                                                    : maps.functions.open_line;
}

static void
bind_key(const struct action_key *key, Keymap map)
{
    rl_command_func_t *function = functions[key->action];

    if (key->action == ACTION_SEND || key->action == ACTION_NEWLINE)
        function = enter_function(key->action == ACTION_SEND);
    if (key->sequence)
        rl_bind_keyseq_in_map(key->sequence, function, map);
    if (key->capability)
        bind_capability(key->capability, function, map);
}

/* In vi's maps Esc is vi's. */
static void
bind_user_map(Keymap map, bool vi)
{
    for (const struct action_key *key = action_keys; key->action; key++)
        if (key->map == MAP_INPUT && !(vi && key->action == ACTION_FOCUS))
            bind_key(key, map);
    bind_capability("kcuu1", previous_line, map);
    bind_capability("kcud1", next_line, map);
    if (map != vi_movement_keymap)
        rl_bind_keyseq_in_map("\\C-u", discard_line, map);
    // readline's own ends the line, as Enter does
    if (vi)
        rl_bind_keyseq_in_map(
            "\\C-d", map == vi_movement_keymap ? rl_vi_delete : rl_delete, map);
    // Shift-Enter and Control-Enter, where a terminal tells them apart
    rl_bind_keyseq_in_map("\033[27;2;13~", enter_function(false), map);
    rl_bind_keyseq_in_map("\033[27;5;13~", enter_function(false), map);
    rl_bind_keyseq_in_map("\033[13;2u", enter_function(false), map);
    rl_bind_keyseq_in_map("\033[13;5u", enter_function(false), map);
}

static void
make_map(enum action_map which)
{
    Keymap map = rl_make_bare_keymap();

    for (const struct action_key *key = action_keys; key->action; key++)
        if (key->map == which)
            bind_key(key, map);
    for (int digit = '0'; digit <= '9' && which != MAP_LIST; digit++)
        rl_bind_key_in_map(digit, rl_digit_argument, map);
    rl_set_keymap_name(action_map_name(which), map);
    maps.ours[which] = map;
}

static void
add_functions(void)
{
    for (int action = ACTION_NONE + 1; action < ACTIONS; action++) {
        rl_command_func_t *function = functions[action];

        if (action == ACTION_SEND)
            function = maps.functions.send;
        if (action == ACTION_NEWLINE)
            function = maps.functions.open_line;
        rl_add_defun(action_row((enum action) action)->name, function, -1);
    }
    rl_add_defun("fathom-previous-line", previous_line, -1);
    rl_add_defun("fathom-next-line", next_line, -1);
    rl_add_defun("fathom-discard-line", discard_line, -1);
}

void
key_maps_set_waiting(bool waiting)
{
    maps.waiting = waiting;
}

void
key_maps_add(const struct key_functions *given)
{
    int error;

    if (maps.added)
        return;
    maps.added = true;
    maps.functions = *given;
    // what the screen has set up is left as it is
    if (cur_term == NULL)
        setupterm(NULL, 1, &error);
    add_functions();
    bind_user_map(emacs_standard_keymap, false);
    bind_user_map(vi_insertion_keymap, true);
    bind_user_map(vi_movement_keymap, true);
    rl_bind_keyseq_in_map("k", previous_line, vi_movement_keymap);
    rl_bind_keyseq_in_map("j", next_line, vi_movement_keymap);
    rl_bind_keyseq_in_map(".", redo, vi_movement_keymap);
    rl_bind_keyseq_in_map("p", put, vi_movement_keymap);
    rl_bind_keyseq_in_map("P", put, vi_movement_keymap);
    for (const char *word = "wW"; *word; word++)
        rl_bind_key_in_map(*word, vi_next_word, vi_movement_keymap);
    for (const char *word = "eE"; *word; word++)
        rl_bind_key_in_map(*word, vi_end_word, vi_movement_keymap);
    for (const char *name = "*=\\"; *name; name++)
        rl_bind_key_in_map(*name, vi_complete, vi_movement_keymap);
    rl_bind_keyseq_in_map("%", vi_match, vi_movement_keymap);
    for (const char *search = "fFtT;,"; *search; search++)
        rl_bind_key_in_map(*search, vi_char_search, vi_movement_keymap);
    rl_bind_keyseq_in_map("\\C-]", char_search, emacs_standard_keymap);
    rl_bind_keyseq_in_map("\\M-\\C-]", backward_char_search,
                          emacs_standard_keymap);
    rl_bind_keyseq_in_map("v", functions[ACTION_EDIT], vi_movement_keymap);
    for (int which = MAP_INPUT + 1; which < ACTION_MAPS; which++)
        make_map((enum action_map) which);
}

/*
 * At a plain prompt Esc waits for the key that it is the Meta of, however
 * long, as ever.
 */
void
key_maps_set_box(bool box)
{
    KEYMAP_ENTRY *alone = &emacs_meta_keymap[ANYOTHERKEY];
    rl_command_func_t *focus = functions[ACTION_FOCUS];

    if (!box && alone->function == focus)
        alone->function = NULL;
    else if (box && !maps.box && alone->function == NULL) {
        alone->type = ISFUNC;
        alone->function = focus;
    }
    maps.box = box;
}

static void
exchange(Keymap map, rl_command_func_t *old, rl_command_func_t *new)
{
    for (int key = 0; key < KEYMAP_SIZE - 1; key++)
        if (map[key].type == ISFUNC && map[key].function == old)
            map[key].function = new;
}

void
key_maps_after_init(void)
{
    exchange(emacs_standard_keymap, rl_unix_line_discard, discard_line);
    exchange(vi_insertion_keymap, rl_unix_line_discard, discard_line);
    exchange(emacs_standard_keymap, rl_abort, abort_line);
}

void
key_maps_use(enum action_map map)
{
    if (map != MAP_INPUT)
        rl_set_keymap(maps.ours[map]);
    else if (rl_editing_mode == 0)
        rl_vi_insertion_mode(1, 'i');
    else
        rl_set_keymap(emacs_standard_keymap);
}

bool
key_maps_is_action(int (*function)(int, int))
{
    for (int action = ACTION_NONE + 1; action < ACTIONS; action++)
        if (functions[action] == function)
            return true;
    return false;
}
