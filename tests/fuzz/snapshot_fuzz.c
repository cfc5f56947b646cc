/*
 * engine/snapshot.h on any bytes. The first byte says how they come: bit 0
 * writes what every snapshot of this model begins with, bit 1 a hash that fits,
 * so that what lies behind is seen too; the rest is the size of chunks.
 */
#include "config.h"

#include "engine/engine.h"
#include "engine/session_parts.h"
#include "tests/model/tiny_models.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { FIXED_BYTES = 120, SHAPE_AT = 56 };

static struct session_model model;
static struct session *session;
static struct buffer honest; // of two tokens and no answer

static void
must(enum status status)
{
    if (status != STATUS_OK)
        abort();
}

static void
start(void)
{
    struct device_cpu_options options = {.threads = 1, .level = CPU_REF};
    struct snapshot_state state = {0};
    struct device *device;
    struct error err;

    must(device_cpu_open(&device, &options, &err));
    struct tiny_model *tiny = tiny_model_open(0, device);
    tiny->model.device = device;
    model.model = &tiny->model;
    model.forward.context_tokens = 4;
    must(session_open(&session, &model, &err));
    must(forward_prompt(session->forward, tiny_ids, 2, NULL, NULL, NULL, NULL,
                        &err));
    must(tokens_append(&session->ids, tiny_ids, 2, &err));
    must(session_save(session, 0, &honest, &state, &err));
}

static void
put_beginning(uint8_t *bytes)
{
    memcpy(bytes, honest.data, 12);
    memcpy(bytes + SHAPE_AT, honest.data + SHAPE_AT, FIXED_BYTES - SHAPE_AT);
}

static void
put_hash(uint8_t *bytes, size_t length)
{
    struct blake2b hash;

    blake2b_init(&hash, SNAPSHOT_HASH_BYTES);
    blake2b_update(&hash, bytes, length - SNAPSHOT_HASH_BYTES);
    blake2b_final(&hash, bytes + length - SNAPSHOT_HASH_BYTES);
}

/* What is restored can be saved, and comes out the same. */
static void
check_restored(const uint8_t *bytes, size_t length)
{
    struct snapshot_state state = {0};
    struct buffer again = {0};
    struct error err;

    must(session_save(session, 0, &again, &state, &err));
    if (again.length != length || memcmp(again.data, bytes, length) != 0)
        abort();
    buffer_release(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct snapshot_state state = {0};
    struct error err;

    if (session == NULL)
        start();
    if (length < 1 + FIXED_BYTES + SNAPSHOT_HASH_BYTES)
        return 0;
    size_t chunk = (size_t) (bytes[0] >> 2) * 64;
    unsigned how = bytes[0];
    uint8_t *copy = malloc(--length);
    if (copy == NULL)
        abort();
    memcpy(copy, bytes + 1, length);
    if ((how & 1) != 0)
        put_beginning(copy);
    if ((how & 2) != 0)
        put_hash(copy, length);
    if (chunk == 0)
        chunk = length;
    enum status status = STATUS_OK;
    for (size_t at = 0; at < length && status == STATUS_OK; at += chunk)
        status = session_restore(session, at, copy + at,
                                 length - at < chunk ? length - at : chunk,
                                 &state, &err);
    if (status == STATUS_OK && state.tokens > 0)
        check_restored(copy, length);
    else if (forward_length(session->forward) != session->ids.count)
        abort();
    session_end_transfer(session);
    free(copy);
    return 0;
}
