#include "config.h"

#include "ui/views/help_text.h"

#include <stdio.h>
#include <string.h>

#define ACTS(map, text, ...)                                                   \
    {                                                                          \
        MAP_##map, {__VA_ARGS__}, NULL, text, NULL                             \
    }
#define TEXT(keys, text)                                                       \
    {                                                                          \
        MAP_INPUT, {ACTION_NONE}, keys, text, NULL                             \
    }
#define COMMAND(name)                                                          \
    {                                                                          \
        MAP_INPUT, {ACTION_NONE}, NULL, NULL, name                             \
    }
#define END TEXT(NULL, NULL)

/* -- the first screen ------------------------------------------------------
 */

static const struct help_entry sending[] = {
    ACTS(INPUT, NULL, ACTION_SEND),
    ACTS(INPUT, NULL, ACTION_NEWLINE),
    ACTS(INPUT, NULL, ACTION_EDIT),
    TEXT("Up ^P ^R", "input history"),
    TEXT("Tab", "complete commands, files"),
    ACTS(INPUT, NULL, ACTION_INTERRUPT),
    ACTS(INPUT, NULL, ACTION_QUIT),
    END,
};
const struct help_group help_sending = {HELP_ENTRIES, "SENDING", MAP_INPUT,
                                        sending, NULL};

static const struct help_entry thinking[] = {
    ACTS(INPUT, NULL, ACTION_THINKING_LAYOUT),
    ACTS(INPUT, NULL, ACTION_THINKING_TOGGLE),
    ACTS(INPUT, NULL, ACTION_ANSWER_NOW),
    ACTS(INPUT, NULL, ACTION_EFFORT_NEXT),
    COMMAND("think"),
    COMMAND("budget"),
    END,
};
const struct help_group help_thinking = {HELP_ENTRIES, "THINKING", MAP_INPUT,
                                         thinking, NULL};

static const struct help_entry screens[] = {
    ACTS(INPUT, NULL, ACTION_HISTORY),
    ACTS(INPUT, NULL, ACTION_MODEL),
    ACTS(INPUT, NULL, ACTION_EXPERTS),
    ACTS(INPUT, NULL, ACTION_STATS),
    ACTS(INPUT, NULL, ACTION_PRESET),
    ACTS(INPUT, NULL, ACTION_LOCK),
    ACTS(INPUT, NULL, ACTION_LEAVE),
    ACTS(INPUT, "redraw", ACTION_REDRAW),
    END,
};
const struct help_group help_screens = {HELP_PAIRS, "SCREENS", MAP_INPUT,
                                        screens, NULL};

static const struct help_entry transcript_short[] = {
    ACTS(TRANSCRIPT, "turns", ACTION_TURN_BACK, ACTION_TURN_NEXT),
    ACTS(TRANSCRIPT, "code blocks", ACTION_CODE_BACK, ACTION_CODE_NEXT),
    ACTS(TRANSCRIPT, "copy turn", ACTION_COPY),
    TEXT("y1", "code block 1"),
    ACTS(TRANSCRIPT, "edit, branch", ACTION_EDIT_TURN),
    ACTS(TRANSCRIPT, "answer again", ACTION_RETRY),
    ACTS(TRANSCRIPT, "branch here", ACTION_BRANCH),
    ACTS(TRANSCRIPT, "switch", ACTION_BRANCH_BACK, ACTION_BRANCH_NEXT),
    ACTS(TRANSCRIPT, "search", ACTION_SEARCH),
    ACTS(TRANSCRIPT, "back", ACTION_BACK),
    ACTS(TRANSCRIPT, "move", ACTION_LINE_DOWN, ACTION_LINE_UP, ACTION_PAGE_UP,
         ACTION_PAGE_DOWN, ACTION_TOP, ACTION_BOTTOM),
    END,
};
const struct help_group help_transcript_short = {
    HELP_PAIRS, "TRANSCRIPT (F6 or Esc, then)", MAP_TRANSCRIPT,
    transcript_short, NULL};

static const struct help_entry transcript[] = {
    ACTS(TRANSCRIPT, "move", ACTION_LINE_DOWN, ACTION_LINE_UP, ACTION_PAGE_UP,
         ACTION_PAGE_DOWN),
    ACTS(TRANSCRIPT, "top, end and follow", ACTION_TOP, ACTION_BOTTOM),
    ACTS(TRANSCRIPT, "turn before, after", ACTION_TURN_BACK, ACTION_TURN_NEXT),
    ACTS(TRANSCRIPT, "code block before, after", ACTION_CODE_BACK,
         ACTION_CODE_NEXT),
    ACTS(TRANSCRIPT, NULL, ACTION_FOLD),
    ACTS(TRANSCRIPT, "copy turn as text, as Markdown", ACTION_COPY,
         ACTION_COPY_SOURCE),
    TEXT("y1 .. y9", "copy code block n, exact source"),
    ACTS(TRANSCRIPT, NULL, ACTION_COPY_THINKING),
    ACTS(TRANSCRIPT, NULL, ACTION_EDIT_TURN),
    ACTS(TRANSCRIPT, NULL, ACTION_RETRY),
    ACTS(TRANSCRIPT, "branch here, switch branch", ACTION_BRANCH,
         ACTION_BRANCH_BACK, ACTION_BRANCH_NEXT),
    ACTS(TRANSCRIPT, NULL, ACTION_DELETE),
    ACTS(TRANSCRIPT, NULL, ACTION_PAGER),
    ACTS(TRANSCRIPT, NULL, ACTION_SAVE),
    ACTS(TRANSCRIPT, "search in this conversation", ACTION_SEARCH,
         ACTION_SEARCH_NEXT, ACTION_SEARCH_BACK),
    ACTS(TRANSCRIPT, NULL, ACTION_BACK),
    END,
};
const struct help_group help_transcript = {HELP_ENTRIES,
                                           "TRANSCRIPT (F6 or Esc, then)",
                                           MAP_TRANSCRIPT, transcript, NULL};

static const struct help_entry experts_short[] = {
    ACTS(EXPERTS, "move", ACTION_LEFT, ACTION_LINE_DOWN, ACTION_LINE_UP,
         ACTION_RIGHT),
    ACTS(EXPERTS, "longer, shorter window", ACTION_WINDOW_MORE,
         ACTION_WINDOW_LESS),
    ACTS(EXPERTS, "sort, cell size, colour", ACTION_SORT, ACTION_ZOOM,
         ACTION_MONO),
    END,
};
const struct help_group help_experts_short = {HELP_ENTRIES, "EXPERTS (F4)",
                                              MAP_EXPERTS, experts_short, NULL};

const struct help_group help_names = {HELP_NAMES, "SLASH COMMANDS", MAP_INPUT,
                                      NULL, NULL};

static const char *const bind_lines[] = {
    "$if fathom",
    "\"\\C-xt\": fathom-thinking-toggle",
    "\"\\C-xg\": fathom-history",
    "set editing-mode vi",
    "$endif",
    NULL,
};
const struct help_group help_bind = {HELP_LINES, "BIND YOUR OWN IN ~/.inputrc",
                                     MAP_INPUT, NULL, bind_lines};

static const char *const bind_short_lines[] = {
    "Between \"$if fathom\" and \"$endif\", by the names below:",
    "\"\\C-xt\": fathom-thinking-toggle",
    NULL,
};
const struct help_group help_bind_short = {HELP_LINES,
                                           "BIND YOUR OWN IN ~/.inputrc",
                                           MAP_INPUT, NULL, bind_short_lines};

static const struct help_entry more[] = {
    TEXT("man fathom-keys", "all names"),
    TEXT("man fathom-tutorial", "ten minutes"),
    TEXT("man fathom-chat", "all of a chat"),
    TEXT("man fathom-security", "what is protected"),
    END,
};
const struct help_group help_more = {HELP_ENTRIES, "MORE", MAP_INPUT, more,
                                     NULL};

static const struct help_entry top_line[] = {
    TEXT("net:off", "the kernel refuses every network call of this program; "
                    "fathom doctor --prove-offline shows it"),
    TEXT("vault:open", "messages are written encrypted as they arrive"),
    TEXT("vault:eph", "nothing of this session is written"),
    TEXT("vault:locked", "answers are sealed; the passphrase unlocks"),
    TEXT("branch 2/3", "you are on the second of three versions of this turn"),
    END,
};
const struct help_group help_top_line = {HELP_ENTRIES, "WHAT THE TOP LINE SAYS",
                                         MAP_INPUT, top_line, NULL};

/* -- the other sections ----------------------------------------------------
 */

static const struct help_group input_map = {
    HELP_MAP, "EVERYWHERE, WITH THE NAMES FOR ~/.inputrc", MAP_INPUT, NULL,
    NULL};
static const struct help_group transcript_map = {
    HELP_MAP, "TRANSCRIPT (F6 or Esc, then)", MAP_TRANSCRIPT, NULL, NULL};
static const struct help_group list_map = {
    HELP_MAP, "HISTORY, MODELS, HELP, STATISTICS", MAP_LIST, NULL, NULL};
static const struct help_group experts_map = {HELP_MAP, "MAP OF EXPERTS (F4)",
                                              MAP_EXPERTS, NULL, NULL};
static const struct help_group commands = {HELP_COMMANDS, "SLASH COMMANDS",
                                           MAP_INPUT, NULL, NULL};

static const struct help_entry filters[] = {
    TEXT("TEXT", "titles and texts with TEXT; case counts where TEXT has a "
                 "capital letter"),
    TEXT("model:NAME", "answered by such a model; * stands for anything"),
    TEXT("after:2026-09-01", "used on that day or later"),
    TEXT("before:2026-09-01", "used before that day"),
    TEXT("role:you|fathom|think", "TEXT in questions, answers, thoughts"),
    TEXT("has:code has:think", "turns with code; with a thought"),
    TEXT("title:WORD id:ID", "chats with such a title; with such an id"),
    END,
};
static const struct help_group history_filters = {
    HELP_ENTRIES, "WHAT CAN BE LOOKED FOR IN THE HISTORY (F2, then /)",
    MAP_LIST, filters, NULL};

static const struct help_entry tiers[] = {
    TEXT("layers x experts", "a row for each layer, a cell for each expert"),
    TEXT("the glyph", "where the expert lies, and how much it was used of "
                      "late; the legend below the map names each"),
    END,
};
static const struct help_group expert_map_text = {
    HELP_ENTRIES, "WHAT THE MAP SHOWS", MAP_EXPERTS, tiers, NULL};

static const struct help_entry plain[] = {
    TEXT("fathom chat --plain", "lines below each other, no cursor movement; "
                                "the same commands, and the same keys to edit"),
    TEXT("ACCESSIBLE=1", "the same, for people who listen: tables become "
                         "lines, roles are words"),
    TEXT("TERM=dumb", "plain, since there is nothing to draw on"),
    TEXT("60x16", "smaller screens are offered plain mode"),
    TEXT("fathom ask", "one question, one answer, for scripts"),
    END,
};
static const struct help_group plain_mode = {HELP_ENTRIES, "PLAIN MODE",
                                             MAP_INPUT, plain, NULL};

static const struct help_entry privacy[] = {
    TEXT("the vault", "what is kept is encrypted under your passphrase, which "
                      "nobody can recover for you"),
    TEXT("F9  /lock", "wipes keys and screen; an answer that goes on is sealed "
                      "for the next unlock"),
    TEXT("/ephemeral", "writes nothing of this chat from here on"),
    TEXT("/forget", "deletes this chat, here and in the vault"),
    TEXT("/export", "writes clear text: to a file of yours alone"),
    TEXT("man fathom-security", "what is protected, and what is not"),
    END,
};
static const struct help_group privacy_text = {HELP_ENTRIES, "PRIVACY",
                                               MAP_INPUT, privacy, NULL};

const char *const help_section_names[HELP_SECTIONS + 1] = {
    "",        "chat",  "transcript", "history",
    "experts", "slash", "plain mode", "privacy"};

const struct help_group *const help_sections[HELP_SECTIONS + 1][5] = {
    [1] = {&input_map, NULL},
    [2] = {&transcript_map, NULL},
    [3] = {&history_filters, &list_map, NULL},
    [4] = {&experts_map, &expert_map_text, NULL},
    [5] = {&commands, NULL},
    [6] = {&plain_mode, NULL},
    [7] = {&privacy_text, &help_top_line, NULL},
};

/* -- rows ------------------------------------------------------------------
 */

static void
add_word(char out[HELP_KEYS], const char *word)
{
    size_t length = strlen(out);

    snprintf(out + length, HELP_KEYS - length, "%s%s", length ? " " : "", word);
}

/* The action whose keys of the table this one has. */
static enum action
holder_of_keys(enum action action, bool enter_opens_line)
{
    if (!enter_opens_line ||
        (action != ACTION_SEND && action != ACTION_NEWLINE))
        return action;
    return action == ACTION_SEND ? ACTION_NEWLINE : ACTION_SEND;
}

void
help_keys(char out[HELP_KEYS], enum action_map map, enum action action,
          size_t most, bool enter_opens_line)
{
    size_t count = 0;

    action = holder_of_keys(action, enter_opens_line);
    out[0] = '\0';
    for (const struct action_key *key = action_keys; key->action; key++)
        if (key->map == map && key->action == action && count++ < most)
            add_word(out, key->shown);
    if (count > most && most > 2)
        add_word(out, "..");
}

static bool
has_key(enum action_map map, enum action action)
{
    for (const struct action_key *key = action_keys; key->action; key++)
        if (key->map == map && key->action == action)
            return true;
    return false;
}

/* Such an action is done by its name, or where keys mean more than one. */
static bool
has_no_key(enum action action)
{
    for (int map = 0; map < ACTION_MAPS; map++)
        if (has_key((enum action_map) map, action))
            return false;
    return true;
}

bool
help_map_has(enum action_map map, enum action action)
{
    if (map == MAP_INPUT && has_no_key(action))
        return true;
    return has_key(map, action) &&
           (map == MAP_INPUT || action == ACTION_PAGE_UP ||
            action == ACTION_PAGE_DOWN || !has_key(MAP_INPUT, action));
}

/* One action has two keys shown, several have one each. */
static void
entry_keys(char out[HELP_KEYS], const struct help_entry *entry,
           bool enter_opens_line)
{
    enum action first = holder_of_keys(entry->actions[0], enter_opens_line);
    char keys[HELP_KEYS];

    out[0] = '\0';
    for (size_t i = 0; i < HELP_ENTRY_ACTIONS && entry->actions[i]; i++) {
        bool alone = i == 0 && !entry->actions[1];

        help_keys(
            keys, entry->map, entry->actions[i],
            alone && entry->map == MAP_INPUT && first == ACTION_NEWLINE ? 2 : 1,
            enter_opens_line);
        if (keys[0] != '\0')
            add_word(out, keys);
    }
}

bool
help_entry_row(struct help_row *out, const struct help_entry *entry,
               const struct help_content *content)
{
    const struct help_command *all = content->commands;

    *out = (struct help_row){.text = entry->text, .name = ""};
    if (entry->keys != NULL) {
        snprintf(out->keys, sizeof out->keys, "%s", entry->keys);
        return true;
    }
    for (size_t i = 0; entry->command != NULL && i < content->count; i++)
        if (strcmp(all[i].name, entry->command) == 0) {
            snprintf(out->keys, sizeof out->keys, "/%s", entry->command);
            out->text = all[i].help;
            return true;
        }
    if (entry->command != NULL)
        return false;
    entry_keys(out->keys, entry, content->enter_opens_line);
    if (out->text == NULL)
        out->text = action_row(entry->actions[0])->help;
    return out->keys[0] != '\0';
}
