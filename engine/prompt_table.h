/*
 * The families as patterns. Used by prompt.c only, which renders them.
 *
 * In a pattern MARK("...") is a marker, CONTENT the message, THOUGHT its
 * thought; all else is text.
 */
#ifndef FATHOM_ENGINE_PROMPT_TABLE_H
#define FATHOM_ENGINE_PROMPT_TABLE_H

#include "engine/prompt.h"

#define MARK(text) "\1" text "\1"
#define CONTENT "\2"
#define THOUGHT "\3"

/* Where system messages go. */
enum systems {
    SYSTEMS_IN_PLACE,
    SYSTEMS_JOINED, // at the start, with an empty line between them
    SYSTEMS_LAST,   // at the start, only the last one
};

/* What becomes of a thought that is stored inside an answer. */
enum raw_thought {
    RAW_KEPT,
    RAW_CUT_AT_LAST, // the answer is what follows the last "</think>"
    RAW_CUT_AT_FIRST,
};

struct family {
    struct prompt_traits traits;
    const char *begin;
    const char *default_system;
    bool default_if_none; // no system message anywhere; else: none first
    enum systems systems; // if not in place, `system` is not used
    const char *system, *user, *assistant;
    const char *after_user; // precedes an answer that follows a user
    // the assistant's turn behind the last question, with its thought
    const char *thinking_assistant;
    const char *open;                              // the assistant's opening
    bool opened_by_user;                           // `user` ends with it
    const char *open_default, *open_on, *open_off; // by the switch
    const char *user_marker; // ends an answer when it is generated
    const char *end_text;    // belongs to the turn, not to the answer
    enum raw_thought raw;
    bool trims; // white space around messages is dropped
};

extern const struct family prompt_table[PROMPT_FAMILIES];

#endif
