/*
 * What help says, group by group: rows of keys and what these do. They are
 * made of the tables of actions and commands where those know; the rest is
 * written in help_text.c. It belongs to view_help.c.
 */
#ifndef FATHOM_UI_HELP_TEXT_H
#define FATHOM_UI_HELP_TEXT_H

#include "ui/keys/action.h"
#include "ui/views/view_help.h"

enum { HELP_ENTRY_ACTIONS = 6, HELP_KEYS = 80 };

struct help_entry {
    enum action_map map;
    enum action actions[HELP_ENTRY_ACTIONS]; // their keys; none: as follows
    const char *keys;                        // in place of them; or NULL
    const char *text;    // NULL: as the first action, or the command, has it
    const char *command; // "think": is left out where there is none
};

enum help_kind {
    HELP_ENTRIES,
    HELP_PAIRS,    // two entries side by side
    HELP_MAP,      // every action of a map, with its name
    HELP_COMMANDS, // every command
    HELP_NAMES,    // the names of all commands, one after the other
    HELP_LINES,    // text as it is
};

struct help_group {
    enum help_kind kind;
    const char *title;
    enum action_map map;
    const struct help_entry *entries; // the last has neither keys nor text
    const char *const *lines;         // HELP_LINES; the last is NULL
};

extern const struct help_group help_sending, help_thinking, help_screens,
    help_transcript_short, help_transcript, help_experts_short, help_names,
    help_bind, help_bind_short, help_more, help_top_line;

enum { HELP_SECTIONS = 7 };
/* Sections from 1; the last group of a section is NULL. */
extern const char *const help_section_names[HELP_SECTIONS + 1];
extern const struct help_group *const help_sections[HELP_SECTIONS + 1][5];

/* A row of a group, filled in. */
struct help_row {
    char keys[HELP_KEYS];
    const char *text, *name; // name of its function, or ""
};

/* The keys of an action in a map: at most so many. */
void help_keys(char out[HELP_KEYS], enum action_map map, enum action action,
               size_t most, bool enter_opens_line);
/* Whether a map of ours has this action, and not only as every map has it. */
bool help_map_has(enum action_map map, enum action action);
/* False: it has nothing to say. */
bool help_entry_row(struct help_row *out, const struct help_entry *entry,
                    const struct help_content *content);

#endif
