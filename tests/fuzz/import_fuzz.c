/* app/history/history_import.h on any document, read twice. */
#include "config.h"

#include "app/history/history_import.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static volatile size_t sink;

/* Touches every text, so that a sanitizer sees where it lies. */
static void
touch(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        sink += (unsigned char) text.bytes[i];
}

static void
touch_chat(const struct import_chat *chat)
{
    touch(chat->info.title);
    touch(chat->info.system);
    touch(chat->info.model);
    if (chat->info.leaf > chat->count)
        abort();
    for (size_t i = 0; i < chat->count; i++) {
        const struct turn_record *turn = &chat->turns[i];

        // what the vault relies on
        if (turn->id != i + 1 || turn->parent > i ||
            (turn->role == TURN_ANSWER && turn->parent == 0))
            abort();
        touch(turn->content);
        touch(turn->thinking);
        touch(turn->origin.model);
    }
}

static void
read_all(struct history_import *import)
{
    const struct import_chat *chat;
    struct error err;

    while (history_import_next(&chat, import, &err) == STATUS_OK && chat)
        touch_chat(chat);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct text document = {(const char *) bytes, length};
    struct history_import *import;
    struct error err;

    if (history_import_open(&import, document, &err) != STATUS_OK)
        return 0;
    read_all(import);
    history_import_rewind(import);
    read_all(import);
    history_import_close(import);
    return 0;
}
