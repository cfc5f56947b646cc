/*
 * For tests of the vault: a place of its own, a cheap passphrase, and turns.
 * The place is a new folder that is removed at the end.
 */
#ifndef FATHOM_TESTS_UNIT_VAULT_PLACE_H
#define FATHOM_TESTS_UNIT_VAULT_PLACE_H

#include "storage/storage.h"

#include <limits.h>

struct vault_place {
    char folder[PATH_MAX], data[PATH_MAX], state[PATH_MAX];
    struct vault_places at;
    struct secret *passphrase;
    struct credential credential;
};

void vault_place_open(struct vault_place *place);
void vault_place_close(struct vault_place *place);

extern const struct kdf_cost vault_place_cost;

/* Both fail the test when they fail. */
struct vault *vault_place_create(struct vault_place *place);
struct vault *vault_place_unlock(struct vault_place *place);

struct text text_of(const char *string);
struct turn_record question_of(const char *content, uint64_t parent);
struct turn_record answer_of(const char *content, uint64_t parent);

/* A chat of one question and its answer; its id. */
struct chat_id vault_place_chat(struct vault *vault, const char *title,
                                const char *question, const char *answer);

void file_copy(const char *from, const char *to);
void file_read(struct buffer *out, const char *path);
void file_write(const char *path, const void *bytes, size_t length);
/* A file of the data folder; lent until the next call. */
const char *vault_place_file(const struct vault_place *place, const char *name);
/* Copies both folders to NAME beside them, or back from there. */
void vault_place_save(const struct vault_place *place, const char *name);
void vault_place_bring_back(const struct vault_place *place, const char *name);

#endif
