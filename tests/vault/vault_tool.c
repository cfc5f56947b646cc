/*
 * Our side of the comparison with second.py:
 *
 *   vault_tool write DATA STATE    a vault with something of everything
 *   vault_tool add DATA STATE      one more turn in the chat used last
 *   vault_tool read DATA STATE     checks it, takes in the inbox, prints JSON
 *   vault_tool seal DATA STATE     puts a question and an answer in the inbox
 *
 * The passphrase is the line on standard input. Slots cost next to nothing.
 */
#include "config.h"

#include "storage/storage.h"

#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const struct kdf_cost cheap = {1, 8192};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

/* 2026-11-25 12:00:00 UTC: what is written is the same each time. */
#define NOON_MS UINT64_C(1795608000000)

static const struct turn_origin origin = {
    .model = {"fathom-mini", 11},
    .fingerprint = {"blake2b:00ff", 12},
    .device = {"cpu avx2, 2 threads, f16 cache", 30},
    .sampling = {.repeat_penalty = 1.0,
                 .temperature = 0.6,
                 .top_k = 40,
                 .top_p = 0.95,
                 .min_p = 0.05,
                 .seed = -7},
    .prompt_tokens = 12,
    .thinking_tokens = 345,
    .answer_tokens = 67,
    .ttft_ms = 101.5,
    .total_ms = 2345.25,
    .decode_tps = 63.75,
};

// -- writing ----------------------------------------------------------------

static enum status
append(struct vault_chat *chat, uint64_t parent, enum turn_role role,
       struct text content, struct text thinking, uint64_t *id,
       struct error *err)
{
    struct turn_record turn = {
        .parent = parent,
        .role = role,
        .time_ms = NOON_MS + (parent > 0 ? 1000 : 0),
        .content = content,
        .thinking = thinking,
        .complete = role == TURN_ANSWER,
        .finish = role == TURN_ANSWER ? FINISH_LENGTH : FINISH_STOP,
    };

    if (role == TURN_ANSWER)
        turn.origin = origin;
    return vault_chat_append(chat, &turn, id, err);
}

/* A question with two answers, and a question behind the first. */
static enum status
write_turns(struct vault_chat *chat, struct error *err)
{
    uint64_t question, answer, other, next;

    TRY(append(chat, 0, TURN_QUESTION, TEXT("Why is the sky blue?\n"), TEXT(""),
               &question, err));
    TRY(append(chat, question, TURN_ANSWER,
               TEXT("Rayleigh, mostly \xe2\x98\x80"),
               TEXT("short waves scatter more"), &answer, err));
    TRY(append(chat, question, TURN_ANSWER, TEXT("Another answer."), TEXT(""),
               &other, err));
    return append(chat, answer, TURN_QUESTION, TEXT("And red?"), TEXT(""),
                  &next, err);
}

static enum status
write_cache(struct vault_chat *chat, struct error *err)
{
    static const uint8_t key[VAULT_CACHE_KEY_BYTES] = {1, 2, 3};
    struct vault_cache_writer *writer;

    TRY(vault_cache_begin(&writer, chat, key, 1 << 20, err));
    enum status status = vault_cache_write(writer, "first chunk", 11, err);

    if (status == STATUS_OK)
        status = vault_cache_write(writer, "second", 6, err);
    if (status == STATUS_OK)
        return vault_cache_commit(writer, err);
    vault_cache_abandon(writer);
    return status;
}

static enum status
write_chat(struct vault *vault, const struct chat_info *info, bool whole,
           struct error *err)
{
    struct vault_chat *chat;
    uint64_t id;

    TRY(vault_chat_begin(&chat, vault, info, err));
    enum status status = whole ? write_turns(chat, err)
                               : append(chat, 0, TURN_QUESTION, TEXT("alone"),
                                        TEXT(""), &id, err);

    if (status == STATUS_OK && whole)
        status = write_cache(chat, err);
    vault_chat_close(chat);
    return status;
}

static enum status
write_all(struct vault *vault, struct error *err)
{
    const struct chat_info first = {.id = {{1, 2, 3}},
                                    .title = TEXT("The sky"),
                                    .system = TEXT("Be brief."),
                                    .model = TEXT("fathom-mini"),
                                    .created_ms = NOON_MS,
                                    .tags = TEXT("sky \xe7\xa9\xba"),
                                    .used_ms = NOON_MS + 5000,
                                    .pinned = true},
                           second = {.id = {{9}},
                                     .title = TEXT("\xe5\xa4\xa9"),
                                     .created_ms = NOON_MS + 1,
                                     .used_ms = NOON_MS + 9000};

    TRY(write_chat(vault, &first, true, err));
    TRY(write_chat(vault, &second, false, err));
    TRY(vault_add_input(vault, TEXT("Why is the sky blue?"), 10, err));
    TRY(vault_add_input(vault, TEXT("And red?"), 10, err));
    TRY(vault_audit(vault, "unlock", "slot 1", err));
    return vault_audit(vault, "export", "markdown", err);
}

static bool
take_first(void *context, const struct chat_info *info)
{
    *(struct chat_id *) context = info->id;
    return false;
}

static enum status
add(struct vault *vault, struct error *err)
{
    struct vault_chat *chat;
    struct chat_id last = {{0}};
    uint64_t id;

    TRY(vault_each_chat(vault, take_first, &last, err));
    TRY(vault_chat_open(&chat, vault, &last, err));
    enum status status = append(chat, vault_chat_info(chat)->leaf, TURN_ANSWER,
                                TEXT("added by the first"), TEXT(""), &id, err);

    vault_chat_close(chat);
    return status;
}

static enum status
seal(const struct vault_places *at, struct error *err)
{
    const struct turn_record question = {.role = TURN_QUESTION,
                                         .time_ms = NOON_MS,
                                         .content = TEXT("sealed question")},
                             answer = {.role = TURN_ANSWER,
                                       .time_ms = NOON_MS + 1,
                                       .content = TEXT("sealed answer"),
                                       .complete = true,
                                       .origin = origin};

    return inbox_put(at, &question, &answer, err);
}

// -- reading ----------------------------------------------------------------

static json_t *
text_json(struct text text)
{
    return json_stringn(text.bytes ? text.bytes : "", text.length);
}

static json_t *
number(uint64_t value)
{
    return json_integer((json_int_t) value);
}

static json_t *
turn_json(const struct turn_record *turn)
{
    const struct turn_origin *o = &turn->origin;
    const struct sampling *s = &o->sampling;

    return json_pack(
        "{so so si so so so sb sb si so so so s[ffIffI] so so so sf sf sf}",
        "id", number(turn->id), "parent", number(turn->parent), "role",
        (int) turn->role, "time_ms", number(turn->time_ms), "content",
        text_json(turn->content), "thinking", text_json(turn->thinking),
        "complete", turn->complete, "arrived", turn->arrived_locked, "finish",
        (int) turn->finish, "model", text_json(o->model), "fingerprint",
        text_json(o->fingerprint), "device", text_json(o->device), "sampling",
        s->repeat_penalty, s->temperature, (json_int_t) s->top_k, s->top_p,
        s->min_p, (json_int_t) s->seed, "prompt_tokens",
        number(o->prompt_tokens), "thinking_tokens", number(o->thinking_tokens),
        "answer_tokens", number(o->answer_tokens), "ttft_ms", o->ttft_ms,
        "total_ms", o->total_ms, "decode_tps", o->decode_tps);
}

static json_t *
cache_json(struct vault_chat *chat)
{
    uint8_t key[VAULT_CACHE_KEY_BYTES];
    json_t *chunks = json_array();
    struct buffer chunk = {0};
    struct error err;
    size_t count;

    if (vault_cache_find(&count, key, chat, &err) == STATUS_OK)
        for (size_t i = 0; i < count; i++)
            if (vault_cache_read(&chunk, chat, i, &err) == STATUS_OK)
                json_array_append_new(chunks,
                                      json_stringn(chunk.data, chunk.length));
    buffer_release(&chunk);
    return chunks;
}

static json_t *
chat_json(struct vault_chat *chat)
{
    const struct chat_info *info = vault_chat_info(chat);
    char id[2 * sizeof info->id.bytes + 1];
    json_t *list = json_array();
    size_t count;
    const struct turn_record *turns = vault_chat_turns(chat, &count);

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, turn_json(&turns[i]));
    sodium_bin2hex(id, sizeof id, info->id.bytes, sizeof info->id.bytes);
    return json_pack("{ss so so so so so so sb so so so}", "id", id, "title",
                     text_json(info->title), "system", text_json(info->system),
                     "model", text_json(info->model), "created_ms",
                     number(info->created_ms), "used_ms", number(info->used_ms),
                     "leaf", number(info->leaf), "pinned", info->pinned, "tags",
                     text_json(info->tags), "turns", list, "cache",
                     cache_json(chat));
}

enum { CHATS = 64 };
struct ids {
    struct chat_id items[CHATS];
    size_t count;
};

static bool
collect(void *context, const struct chat_info *info)
{
    struct ids *ids = context;

    ids->items[ids->count++] = info->id;
    return ids->count < CHATS;
}

static void
add_input(void *context, struct text line)
{
    json_array_append_new(context, text_json(line));
}

static bool
add_event(void *context, uint64_t at, uint64_t time_ms, const char *event,
          const char *detail)
{
    (void) time_ms; // when it was written, which differs each time
    json_array_append_new(context,
                          json_pack("[Iss]", (json_int_t) at, event, detail));
    return true;
}

static void
report_fault(void *context, const char *sentence)
{
    (void) context;
    fprintf(stderr, "%s\n", sentence);
}

static enum status
read_chats(json_t *out, struct vault *vault, struct error *err)
{
    struct ids ids = {.count = 0};

    TRY(vault_each_chat(vault, collect, &ids, err));
    for (size_t i = 0; i < ids.count; i++) {
        struct vault_chat *chat;

        TRY(vault_chat_open(&chat, vault, &ids.items[i], err));
        json_array_append_new(out, chat_json(chat));
        vault_chat_close(chat);
    }
    return STATUS_OK;
}

static enum status
read_all(json_t *out, struct vault *vault, struct error *err)
{
    json_t *chats = json_array(), *inputs = json_array(), *audit = json_array();
    size_t faults, taken, refused;

    json_object_set_new(out, "chats", chats);
    json_object_set_new(out, "inputs", inputs);
    json_object_set_new(out, "audit", audit);
    TRY(vault_check(&faults, vault, report_fault, NULL, err));
    if (faults > 0)
        return error_set(err, STATUS_INTEGRITY, "%zu faults", faults);
    TRY(vault_take_inbox(vault, &taken, &refused, err));
    if (refused > 0)
        return error_set(err, STATUS_INTEGRITY, "%zu items refused", refused);
    TRY(read_chats(chats, vault, err));
    TRY(vault_each_input(vault, add_input, inputs, err));
    return vault_each_audit(vault, add_event, audit, err);
}

// -- the program ------------------------------------------------------------

static enum status
run_open(const char *verb, struct vault *vault, struct error *err)
{
    if (strcmp(verb, "write") == 0)
        return write_all(vault, err);
    if (strcmp(verb, "add") == 0)
        return add(vault, err);
    json_t *out = json_object();
    enum status status = read_all(out, vault, err);

    if (status == STATUS_OK) {
        json_dumpf(out, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
        printf("\n");
    }
    json_decref(out);
    return status;
}

static enum status
run(const char *verb, const struct vault_places *at, const char *line,
    struct error *err)
{
    struct secret *passphrase;
    struct vault *vault;

    TRY(secret_start(err));
    if (strcmp(verb, "seal") == 0)
        return seal(at, err);
    TRY(secret_copy(&passphrase, line, strlen(line), err));
    const struct credential credential = {.passphrase = passphrase};
    enum status status =
        strcmp(verb, "write") == 0
            ? vault_create(&vault, at, &credential, &cheap, err)
            : vault_open(&vault, at, &credential, VAULT_WRITE, err);

    secret_close(passphrase);
    if (status != STATUS_OK)
        return status;
    status = run_open(verb, vault, err);
    if (vault_remark(vault) != NULL)
        fprintf(stderr, "remark: %s\n", vault_remark(vault));
    vault_close(vault);
    return status;
}

int
main(int argc, char **argv)
{
    struct error err;
    char line[256] = "";

    if (argc != 4) {
        fprintf(stderr, "usage: vault_tool write|add|read|seal DATA STATE\n");
        return 64;
    }
    if (fgets(line, sizeof line, stdin) != NULL)
        line[strcspn(line, "\n")] = '\0';
    kdf_lower_floor(&cheap);
    enum status status =
        run(argv[1], &(struct vault_places){argv[2], argv[3]}, line, &err);

    if (status == STATUS_OK)
        return 0;
    fprintf(stderr, "%s\n", err.text);
    return status == STATUS_INTEGRITY ? 13 : 1;
}
