/* Reads what fingerprint.h says, in order of the files. */
#include "config.h"

#include "engine/fingerprint.h"

#include "base/base.h"
#include "storage/reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    WHOLE_BYTES = 16 << 20, // of files that are hashed whole
    PIECE_BYTES = 1 << 20,
    SAMPLE_BYTES = 4096,
    SAMPLES = 3,
};

struct hashing {
    struct blake2b hash;
    const struct gguf *gguf;
    struct reader *reader; // of the file at hand
    uint8_t *piece;        // (PIECE_BYTES)
};

static enum status
take_range(struct hashing *hashing, uint64_t offset, uint64_t bytes,
           struct error *err)
{
    while (bytes > 0) {
        size_t piece = bytes < PIECE_BYTES ? (size_t) bytes : PIECE_BYTES;

        TRY(reader_read(hashing->reader, hashing->piece, piece, offset, err));
        blake2b_update(&hashing->hash, hashing->piece, piece);
        offset += piece;
        bytes -= piece;
    }
    return STATUS_OK;
}

static enum status
take_tensor(struct hashing *hashing, const struct gguf_tensor *tensor,
            struct error *err)
{
    uint64_t last = tensor->bytes - SAMPLE_BYTES;

    if (tensor->bytes <= SAMPLES * SAMPLE_BYTES)
        return take_range(hashing, tensor->offset_bytes, tensor->bytes, err);
    for (uint64_t i = 0; i < SAMPLES; i++)
        TRY(take_range(hashing, tensor->offset_bytes + last * i / 2,
                       SAMPLE_BYTES, err));
    return STATUS_OK;
}

/* Bytes of a file before its first tensor. */
static uint64_t
head_bytes(const struct gguf *gguf, size_t shard)
{
    uint64_t head = gguf_shard_bytes(gguf, shard);

    for (size_t i = 0; i < gguf_tensors(gguf); i++) {
        const struct gguf_tensor *tensor = gguf_tensor_at(gguf, i);

        if (tensor->shard == shard && tensor->offset_bytes < head)
            head = tensor->offset_bytes;
    }
    return head;
}

static enum status
take_content(struct hashing *hashing, size_t shard, struct error *err)
{
    const struct gguf *gguf = hashing->gguf;

    if (gguf_file_bytes(gguf) <= WHOLE_BYTES)
        return take_range(hashing, 0, gguf_shard_bytes(gguf, shard), err);
    TRY(take_range(hashing, 0, head_bytes(gguf, shard), err));
    for (size_t i = 0; i < gguf_tensors(gguf); i++) {
        const struct gguf_tensor *tensor = gguf_tensor_at(gguf, i);

        if (tensor->shard == shard)
            TRY(take_tensor(hashing, tensor, err));
    }
    return STATUS_OK;
}

static enum status
take_file(struct hashing *hashing, size_t shard, struct error *err)
{
    const struct gguf *gguf = hashing->gguf;

    TRY(reader_open(&hashing->reader, gguf_shard_path(gguf, shard),
                    gguf_shard_shown(gguf, shard), err));
    enum status status = take_content(hashing, shard, err);
    reader_close(hashing->reader);
    return status;
}

static enum status
hash_content(struct fingerprint *out, const struct gguf *gguf,
             struct error *err)
{
    static const char label[] = "fathom model fingerprint 1";
    struct hashing hashing = {.gguf = gguf};
    size_t shards = gguf_shards(gguf);
    enum status status = STATUS_OK;
    void *memory;

    TRY(memory_alloc(&memory, PIECE_BYTES, err));
    hashing.piece = memory;
    blake2b_init(&hashing.hash, FINGERPRINT_BYTES);
    blake2b_update(&hashing.hash, label, sizeof label);
    blake2b_update_u64(&hashing.hash, shards);
    for (size_t i = 0; i < shards; i++)
        blake2b_update_u64(&hashing.hash, gguf_shard_bytes(gguf, i));
    for (size_t i = 0; i < shards && status == STATUS_OK; i++)
        status = take_file(&hashing, i, err);
    blake2b_final(&hashing.hash, out->content);
    free(memory);
    return status;
}

static void
hash_time(struct blake2b *hash, const struct timespec *time)
{
    blake2b_update_u64(hash, (uint64_t) time->tv_sec);
    blake2b_update_u64(hash, (uint64_t) time->tv_nsec);
}

static enum status
hash_files(struct fingerprint *out, const struct gguf *gguf, struct error *err)
{
    struct blake2b hash;
    struct stat file;

    blake2b_init(&hash, FINGERPRINT_BYTES);
    for (size_t i = 0; i < gguf_shards(gguf); i++) {
        if (stat(gguf_shard_path(gguf, i), &file) != 0)
            return error_errno(err, "cannot look at %s",
                               gguf_shard_shown(gguf, i));
        blake2b_update_u64(&hash, (uint64_t) file.st_size);
        blake2b_update_u64(&hash, (uint64_t) file.st_ino);
        hash_time(&hash, &file.st_mtim);
        hash_time(&hash, &file.st_ctim);
    }
    blake2b_final(&hash, out->files);
    return STATUS_OK;
}

enum status
fingerprint_take(struct fingerprint *out, const struct gguf *gguf,
                 struct error *err)
{
    // first, so that a change while it is read is one of the files too
    TRY(hash_files(out, gguf, err));
    return hash_content(out, gguf, err);
}

void
fingerprint_text(char out[FINGERPRINT_TEXT],
                 const struct fingerprint *fingerprint)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < FINGERPRINT_BYTES; i++) {
        out[2 * i] = digits[fingerprint->content[i] >> 4];
        out[2 * i + 1] = digits[fingerprint->content[i] & 15];
    }
    out[2 * FINGERPRINT_BYTES] = '\0';
}
