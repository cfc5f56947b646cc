/*
 * Found by fuzzing, each of them: readline frees an undo list twice, follows
 * one that is freed, searches in a line that is gone, grows a line for ever.
 */
#include "config.h"

#include "ui/keys/key_maps.h"
#include "ui/keys/line_editor_parts.h"

#include <stdio.h>

#include <readline/history.h>
#include <readline/readline.h>
#include <stdlib.h>
#include <string.h>

enum {
    COUNT_MOST = 1000, // of a key; readline would do it two milliards of times
};

static struct {
    bool wandered; // in the history, since the line began
    int length;    // bytes of the line after the last key, and where
    int where;     // in the history it was then
} care;

void
line_care_begin(void)
{
    care.wandered = false;
    care.length = 0;
}

void
line_care_accept(void)
{
    care.length = rl_end;
    care.where = where_history();
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

bool
line_care_bound(void)
{
    int more = care.length + LINE_KEY_BYTES;
    int most = more > LINE_MOST_BYTES ? more : LINE_MOST_BYTES;
    bool same = where_history() == care.where &&
                !RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH);

    drop_nul();
    bool bounded = same && rl_end > most;

    while (bounded && rl_end > most && rl_undo_list != NULL)
        rl_do_undo();
    if (bounded)
        rl_ding();
    line_care_accept();
    return bounded;
}

void
line_care_after_key(void)
{
    care.wandered |= where_history() != history_length ||
                     RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH);
    if (RL_ISSTATE(RL_STATE_NUMERICARG) && rl_numeric_arg > COUNT_MOST)
        rl_numeric_arg = COUNT_MOST;
}

/*
 * Lines of the history keep what can be undone of them while they are edited.
 * Once the line has ended some of it is freed, and readline would follow it.
 */
void
line_care_end(void)
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
    if (!care.wandered)
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

void
line_care_give_up(void)
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
    line_care_end();
}

void
line_care_before_remembering(void)
{
    if (!RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH) ||
        !history_is_stifled() || history_length < history_max_entries)
        return;
    rl_callback_sigcleanup();
    line_editor_tell_changed();
}
