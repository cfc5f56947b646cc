/*
 * A chat that comes from outside, in the making: its turns with copies of their
 * texts. Ids and parents of turns are places in the chat, from 1. Readers of
 * formats (import_NAME.c) fill it; import_chat_settle says whether it is one.
 */
#ifndef FATHOM_APP_IMPORT_CHAT_H
#define FATHOM_APP_IMPORT_CHAT_H

#include "storage/storage.h"

#include <jansson.h>

enum {
    IMPORT_TURNS = 100000,        // of a chat
    IMPORT_CHAT_BYTES = 256 << 20 // all texts of a chat
};

struct import_turn {
    struct buffer content, thinking, model, fingerprint, device;
};

struct import_chat {
    struct chat_info info; // texts are borrowed from the buffers below
    struct turn_record *turns;
    size_t count;

    struct import_turn *texts; // of each turn
    size_t capacity;
    struct buffer title, system, model, tags;
    size_t bytes; // of all texts
};

/* Adds a turn; its id is its place. *out stays valid until the next one. */
MUST_CHECK enum status import_chat_add(struct turn_record **out,
                                       struct import_chat *chat,
                                       enum turn_role role, uint64_t parent,
                                       struct error *err);
/* Appends to a text of the turn added last, or of the chat. */
MUST_CHECK enum status import_chat_text(struct import_chat *chat,
                                        struct buffer *text, struct text more,
                                        struct error *err);
struct import_turn *import_chat_last(struct import_chat *chat);

/*
 * Gives the chat an id that follows from another program's name for it, so
 * that it is the same one when it is imported again. Without a name: none.
 */
void import_chat_name(struct import_chat *chat, const char *program,
                      struct text name);

/*
 * Gives a title, a model and a leaf where there are none, from the turns; for
 * chats of other programs.
 */
MUST_CHECK enum status import_chat_describe(struct import_chat *chat,
                                            struct error *err);
/*
 * Checks that the turns are a tree of questions and answers, takes times that
 * are not there from the turns, and lends the texts to the records: nothing
 * may be added afterwards.
 */
MUST_CHECK enum status import_chat_settle(struct import_chat *chat,
                                          struct error *err);
void import_chat_release(struct import_chat *chat); // wipes

/*
 * Fields of objects from outside. Absent and null leave *out as it is; the
 * wrong kind is STATUS_FORMAT with a sentence that names the field.
 */
MUST_CHECK enum status import_text(struct text *out, const json_t *object,
                                   const char *name, struct error *err);
MUST_CHECK enum status import_bool(bool *out, const json_t *object,
                                   const char *name, struct error *err);
MUST_CHECK enum status import_count(uint64_t *out, const json_t *object,
                                    const char *name, struct error *err);
MUST_CHECK enum status import_real(double *out, const json_t *object,
                                   const char *name, struct error *err);
/* A moment as text (time_text.h). */
MUST_CHECK enum status import_time(uint64_t *out, const json_t *object,
                                   const char *name, struct error *err);
/* Seconds since 1970, with decimals. */
MUST_CHECK enum status import_seconds(uint64_t *out_ms, const json_t *object,
                                      const char *name, struct error *err);
/* An array or object; NULL where it is absent. */
MUST_CHECK enum status import_inner(const json_t **out, const json_t *object,
                                    const char *name, json_type type,
                                    struct error *err);

#endif
