/*
 * MANIFEST: what files a model consists of, with their sizes and hashes, so
 * that one signature speaks for all of them. fathom-manifest(5) has the
 * grammar, which allows one spelling of everything. A folder that has a
 * MANIFEST is one model: it holds the files that are listed, signatures, and
 * nothing else, neither links nor devices.
 *
 * A manifest belongs to one thread; checking uses several of its own.
 */
#ifndef FATHOM_STORAGE_MODEL_MANIFEST_H
#define FATHOM_STORAGE_MODEL_MANIFEST_H

#include "base/base.h"

#include <stdint.h>

#define MANIFEST_NAME "MANIFEST"

enum {
    MANIFEST_HASH_BYTES = 32,        // BLAKE2b-256
    MANIFEST_CHUNK_BYTES = 16 << 20, // what is hashed by itself
    MANIFEST_TEXT_BYTES = 32 << 20,  // the largest that is read
    MANIFEST_FILES = 4096,           // the most
    MANIFEST_VALUE_BYTES = 201,      // of the head, with NUL
    MANIFEST_PATH_BYTES = 513,       // of a file, with NUL
    MANIFEST_FILE_SIGNATURES = 16,   // the most of a model
};

/* Of the head, in this order. */
enum manifest_field {
    MANIFEST_MODEL, // its name
    MANIFEST_FAMILY,
    MANIFEST_FORMAT,
    MANIFEST_LICENCE,
    MANIFEST_CREATED, // 2026-11-25T20:00:00Z
    MANIFEST_TOOL,
    MANIFEST_FIELDS,
};

struct manifest_file {
    char *path; // below the folder
    uint64_t bytes;
    uint8_t hash[MANIFEST_HASH_BYTES]; // of the whole file
    uint8_t *chunk;                    // hashes; NULL: the file is one chunk
    size_t chunks;
};

struct manifest {
    char head[MANIFEST_FIELDS][MANIFEST_VALUE_BYTES];
    struct manifest_file *file;
    size_t files, capacity;
};

/*
 * Reads a manifest's text, whose signature was checked before. Either way the
 * caller releases *out. Messages name it by `shown`.
 */
MUST_CHECK enum status manifest_parse(struct manifest *out, const char *shown,
                                      const char *text, size_t length,
                                      struct error *err);
void manifest_release(struct manifest *manifest);
/* Appends the text, which is the only one that means this. */
MUST_CHECK enum status manifest_write(struct buffer *out,
                                      const struct manifest *manifest,
                                      struct error *err);
/* Whether a text can be a value of the head. */
bool manifest_is_value(const char *text);

uint64_t manifest_bytes(const struct manifest *manifest); // of all files
/* The listed file of this path, or NULL. */
const struct manifest_file *manifest_find(const struct manifest *manifest,
                                          const char *path);
/* MANIFEST.minisig or MANIFEST.NAME.minisig. */
bool manifest_is_signature(const char *name);

/* How long work on files goes on: told, and asked. */
struct manifest_work {
    unsigned threads;
    void (*progress)(void *context, uint64_t done_bytes); // any thread; or NULL
    void *context;
    const _Atomic bool *cancel; // or NULL
};

/*
 * Fills *out, whose head the caller has filled, with the files of `folder`
 * and their hashes; or, with `only` given, with that one.
 */
MUST_CHECK enum status manifest_build(struct manifest *out, const char *folder,
                                      const char *only,
                                      const struct manifest_work *work,
                                      struct error *err);

/*
 * Whether the folder holds the files of the manifest with their sizes and
 * nothing else. STATUS_SIGNATURE: it does not.
 */
MUST_CHECK enum status manifest_check_sizes(const struct manifest *manifest,
                                            const char *folder,
                                            struct error *err);
/* Reads every byte of every file. STATUS_SIGNATURE names the first that
 * differs. */
MUST_CHECK enum status manifest_check_hashes(const struct manifest *manifest,
                                             const char *folder,
                                             const struct manifest_work *work,
                                             struct error *err);
/*
 * Copies the files to another folder, which exists and is empty, each byte
 * checked on its way, and makes sure that they are on the disk.
 */
MUST_CHECK enum status manifest_copy(const struct manifest *manifest,
                                     const char *from, const char *to,
                                     const struct manifest_work *work,
                                     struct error *err);

/*
 * Appends what tells that the files are the same as they were when this was
 * written: `hash`, of the manifest's text, and each file's device, inode, size
 * and times.
 */
MUST_CHECK enum status manifest_receipt(struct buffer *out,
                                        const struct manifest *manifest,
                                        const char *folder,
                                        const uint8_t hash[MANIFEST_HASH_BYTES],
                                        struct error *err);
void manifest_text_hash(uint8_t out[MANIFEST_HASH_BYTES], const void *text,
                        size_t length);

#endif
