/* The text of a manifest, both ways. */
#include "config.h"

#include "storage/model_manifest.h"

#include "storage/manifest_parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "fathom-manifest 1"
#define CHUNKS "chunks "
#define SIGNATURE_ENDING ".minisig"

enum {
    HEX_CHARACTERS = 2 * MANIFEST_HASH_BYTES,
    SIZE_DIGITS = 16, // below 10^16, which JSON still keeps exactly
    QUOTED_BYTES = 200,
};

static const char *const field_names[MANIFEST_FIELDS] = {
    "name", "family", "format", "licence", "created", "tool"};

void
manifest_release(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->files; i++) {
        free(manifest->file[i].path);
        free(manifest->file[i].chunk);
    }
    free(manifest->file);
    *manifest = (struct manifest){0};
}

uint64_t
manifest_bytes(const struct manifest *manifest)
{
    uint64_t bytes = 0;

    // at most 4096 times 10^16: it fits
    for (size_t i = 0; i < manifest->files; i++)
        bytes += manifest->file[i].bytes;
    return bytes;
}

static int
compare_to_path(const void *path, const void *file)
{
    return strcmp(path, ((const struct manifest_file *) file)->path);
}

const struct manifest_file *
manifest_find(const struct manifest *manifest, const char *path)
{
    if (manifest->files == 0)
        return NULL;
    return bsearch(path, manifest->file, manifest->files,
                   sizeof *manifest->file, compare_to_path);
}

bool
manifest_is_signature(const char *name)
{
    size_t length = strlen(name), ending = strlen(SIGNATURE_ENDING),
           start = strlen(MANIFEST_NAME);

    return length >= start + ending &&
           strncmp(name, MANIFEST_NAME, start) == 0 && name[start] == '.' &&
           strcmp(name + length - ending, SIGNATURE_ENDING) == 0;
}

bool
manifest_is_value(const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || length >= MANIFEST_VALUE_BYTES || text[0] == ' ' ||
        text[length - 1] == ' ')
        return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

/* -- paths -------------------------------------------------------------------
 */

/* A name between slashes: no hidden one, so neither "." nor "..". */
static bool
is_component(const char *name, size_t length)
{
    if (length == 0 || length > 255 || name[0] == '.' || name[0] == ' ' ||
        name[length - 1] == ' ')
        return false;
    for (size_t i = 0; i < length; i++)
        if (name[i] < ' ' || name[i] > '~' || name[i] == '\\')
            return false;
    return true;
}

bool
manifest_is_path(const char *path)
{
    size_t length = strlen(path), start = 0;

    if (length >= MANIFEST_PATH_BYTES || strcmp(path, MANIFEST_NAME) == 0 ||
        manifest_is_signature(path))
        return false;
    for (size_t i = 0; i <= length; i++)
        if (i == length || path[i] == '/') {
            if (!is_component(path + start, i - start))
                return false;
            start = i + 1;
        }
    return true;
}

size_t
manifest_chunks(uint64_t bytes)
{
    return bytes <= MANIFEST_CHUNK_BYTES
               ? 0
               : (size_t) ((bytes + MANIFEST_CHUNK_BYTES - 1) /
                           MANIFEST_CHUNK_BYTES);
}

enum status
manifest_add(struct manifest *manifest, const char *path, uint64_t bytes,
             struct error *err)
{
    size_t more = manifest->capacity ? 2 * manifest->capacity : 16;

    if (manifest->files == MANIFEST_FILES)
        return error_set(err, STATUS_LIMIT, "there are more than %d files",
                         MANIFEST_FILES);
    if (manifest->files == manifest->capacity) {
        void *files = fault_due() ? NULL
                                  : realloc(manifest->file,
                                            more * sizeof *manifest->file);

        if (files == NULL)
            return error_set(err, STATUS_NOMEM, "out of memory for files");
        manifest->file = files;
        manifest->capacity = more;
    }
    struct manifest_file *file = &manifest->file[manifest->files];
    void *copy;

    TRY(memory_alloc(&copy, strlen(path) + 1, err));
    memcpy(copy, path, strlen(path) + 1);
    *file = (struct manifest_file){
        .path = copy, .bytes = bytes, .chunks = manifest_chunks(bytes)};
    manifest->files++;
    return STATUS_OK;
}

/* -- reading -----------------------------------------------------------------
 */

struct reading {
    const char *at, *end;
    const char *shown;
    unsigned long line;
};

static enum status
bad(const struct reading *r, const char *what, struct error *err)
{
    return error_set(err, STATUS_FORMAT, "%s line %lu: %s", r->shown, r->line,
                     what);
}

/* A line without its LF; out holds `size` with the NUL. */
static enum status
next_line(char *out, size_t size, struct reading *r, struct error *err)
{
    const char *stop =
        r->at == r->end ? NULL : memchr(r->at, '\n', (size_t) (r->end - r->at));

    r->line++;
    if (r->at == r->end)
        return bad(r, "it is missing", err);
    if (stop == NULL)
        return bad(r, "the last line does not end with a line feed", err);
    size_t length = (size_t) (stop - r->at);

    if (length >= size)
        return bad(r, "it is too long", err);
    for (size_t i = 0; i < length; i++)
        if (r->at[i] < ' ' || r->at[i] > '~')
            return bad(r, "there is a character that is not printable ASCII",
                       err);
    memcpy(out, r->at, length);
    out[length] = '\0';
    r->at = stop + 1;
    return STATUS_OK;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 64 small hexadecimal digits. */
static bool
read_hash(uint8_t out[MANIFEST_HASH_BYTES], const char *text)
{
    for (size_t i = 0; i < MANIFEST_HASH_BYTES; i++) {
        int high = hex_digit(text[2 * i]);
        int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

        if (low < 0)
            return false;
        out[i] = (uint8_t) (high << 4 | low);
    }
    return true;
}

static enum status
read_head(struct manifest *out, struct reading *r, struct error *err)
{
    char line[MANIFEST_VALUE_BYTES + 16], what[80];

    TRY(next_line(line, sizeof line, r, err));
    if (strncmp(line, "fathom-manifest ", 16) == 0 &&
        strcmp(line, FIRST_LINE) != 0)
        return error_set(err, STATUS_UNSUPPORTED,
                         "%s is of a newer kind than this fathom knows",
                         r->shown);
    if (strcmp(line, FIRST_LINE) != 0)
        return bad(r, "a manifest begins with \"" FIRST_LINE "\"", err);
    for (size_t i = 0; i < MANIFEST_FIELDS; i++) {
        const char *name = field_names[i];
        size_t length = strlen(name);

        TRY(next_line(line, sizeof line, r, err));
        if (strncmp(line, name, length) != 0 ||
            strncmp(line + length, ": ", 2) != 0 ||
            !manifest_is_value(line + length + 2)) {
            snprintf(what, sizeof what, "here is \"%s: \" and its value", name);
            return bad(r, what, err);
        }
        text_copy(out->head[i], sizeof out->head[i], line + length + 2);
    }
    TRY(next_line(line, sizeof line, r, err));
    return *line ? bad(r, "the head ends with an empty line", err) : STATUS_OK;
}

/* "HASH SIZE PATH" */
static enum status
read_file(struct manifest *out, struct reading *r, const char *line,
          struct error *err)
{
    const struct manifest_file *last =
        out->files ? &out->file[out->files - 1] : NULL;
    uint8_t hash[MANIFEST_HASH_BYTES];
    char *after;

    if (strlen(line) < HEX_CHARACTERS + 4 || !read_hash(hash, line) ||
        line[HEX_CHARACTERS] != ' ')
        return bad(r, "a file begins with 64 hexadecimal digits", err);
    line += HEX_CHARACTERS + 1;
    size_t digits = strspn(line, "0123456789");

    if (digits == 0 || digits > SIZE_DIGITS || line[digits] != ' ' ||
        (line[0] == '0' && digits > 1))
        return bad(r, "the size is not a number that a file can have", err);
    uint64_t bytes = strtoull(line, &after, 10);
    const char *path = after + 1;

    if (!manifest_is_path(path))
        return bad(r, "the path is not one that a file of a model may have",
                   err);
    if (last && strcmp(last->path, path) >= 0)
        return bad(r, "paths are not in order, or one is there twice", err);
    enum status status = manifest_add(out, path, bytes, err);

    if (status == STATUS_LIMIT)
        return bad(r, "there are too many files", err);
    TRY(status);
    memcpy(out->file[out->files - 1].hash, hash, sizeof hash);
    return STATUS_OK;
}

/* The chunk hashes of one file, below "chunks PATH". */
static enum status
read_chunks(struct manifest_file *file, struct reading *r, struct error *err)
{
    char line[MANIFEST_PATH_BYTES + 16];
    void *memory;

    TRY(next_line(line, sizeof line, r, err));
    if (strncmp(line, CHUNKS, strlen(CHUNKS)) != 0 ||
        strcmp(line + strlen(CHUNKS), file->path) != 0)
        return bad(r, "here are the chunks of the next large file", err);
    // each hash takes a line, so the text bounds what is asked for
    if (file->chunks > (size_t) (r->end - r->at) / (HEX_CHARACTERS + 1))
        return bad(r, "there are fewer chunks than the file has", err);
    TRY(memory_alloc(&memory, file->chunks * MANIFEST_HASH_BYTES, err));
    file->chunk = memory;
    for (size_t i = 0; i < file->chunks; i++) {
        TRY(next_line(line, sizeof line, r, err));
        if (strlen(line) != HEX_CHARACTERS ||
            !read_hash(file->chunk + i * MANIFEST_HASH_BYTES, line))
            return bad(r, "a chunk is 64 hexadecimal digits", err);
    }
    return STATUS_OK;
}

static bool
has_large(const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->files; i++)
        if (manifest->file[i].chunks > 0)
            return true;
    return false;
}

static enum status
read_files(struct manifest *out, struct reading *r, struct error *err)
{
    char line[HEX_CHARACTERS + SIZE_DIGITS + MANIFEST_PATH_BYTES + 2];

    while (r->at < r->end) {
        TRY(next_line(line, sizeof line, r, err));
        if (*line == '\0') {
            if (!has_large(out))
                return bad(r, "there is no large file, so no chunks", err);
            return STATUS_OK;
        }
        TRY(read_file(out, r, line, err));
    }
    if (has_large(out))
        return bad(r, "the chunks are missing", err);
    return STATUS_OK;
}

enum status
manifest_parse(struct manifest *out, const char *shown, const char *text,
               size_t length, struct error *err)
{
    struct reading r = {.at = text, .end = text + length, .shown = shown};

    *out = (struct manifest){0};
    if (length == 0 || length > MANIFEST_TEXT_BYTES)
        return error_set(err, STATUS_FORMAT, "%s is empty or too large", shown);
    TRY(read_head(out, &r, err));
    TRY(read_files(out, &r, err));
    if (out->files == 0)
        return error_set(err, STATUS_FORMAT, "%s lists no file", shown);
    for (size_t i = 0; i < out->files; i++)
        if (out->file[i].chunks > 0)
            TRY(read_chunks(&out->file[i], &r, err));
    r.line++;
    return r.at == r.end ? STATUS_OK
                         : bad(&r, "there is more than there should be", err);
}

/* -- writing -----------------------------------------------------------------
 */

static enum status
append_hash(struct buffer *out, const uint8_t hash[MANIFEST_HASH_BYTES],
            const char *after, struct error *err)
{
    char text[HEX_CHARACTERS + 1];

    for (size_t i = 0; i < MANIFEST_HASH_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return buffer_print(out, err, "%s%s", text, after);
}

enum status
manifest_write(struct buffer *out, const struct manifest *manifest,
               struct error *err)
{
    TRY(buffer_print(out, err, FIRST_LINE "\n"));
    for (size_t i = 0; i < MANIFEST_FIELDS; i++) {
        assert(manifest_is_value(manifest->head[i]));
        TRY(buffer_print(out, err, "%s: %s\n", field_names[i],
                         manifest->head[i]));
    }
    TRY(buffer_print(out, err, "\n"));
    for (size_t i = 0; i < manifest->files; i++) {
        const struct manifest_file *file = &manifest->file[i];

        TRY(append_hash(out, file->hash, " ", err));
        TRY(buffer_print(out, err, "%llu %s\n",
                         (unsigned long long) file->bytes, file->path));
    }
    if (has_large(manifest))
        TRY(buffer_print(out, err, "\n"));
    for (size_t i = 0; i < manifest->files; i++) {
        const struct manifest_file *file = &manifest->file[i];

        if (file->chunks > 0)
            TRY(buffer_print(out, err, CHUNKS "%s\n", file->path));
        for (size_t c = 0; c < file->chunks; c++)
            TRY(append_hash(out, file->chunk + c * MANIFEST_HASH_BYTES, "\n",
                            err));
    }
    return STATUS_OK;
}
