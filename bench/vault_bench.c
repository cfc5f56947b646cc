/*
 * The vault: how long it takes to open and to search. Makes vaults in the
 * working directory and removes them.
 *
 *     vault_bench [ROWS [MEGABYTES]]     1000000 rows, 100 MB
 */
#include "config.h"

#include "storage/storage.h"
#include "storage/vault_build.h"
#include "storage/vault_root.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TURNS = 20, WORDS = 16 };

static struct error err;
static char folder[64], data[128], state[128];
static const struct kdf_cost CHEAP = {1, 8192};

static void
need(enum status status)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "vault_bench: %s\n", err.text);
    exit(1);
}

/* On the wall, and of processor: a busy machine tells them apart. */
struct watch {
    uint64_t wall_ns;
    clock_t cpu;
};

static struct watch
watch_start(void)
{
    return (struct watch){clock_ns(), clock()};
}

static void
watch_print(const struct watch *watch)
{
    printf("%.3f s (%.3f s of processor)",
           (double) (clock_ns() - watch->wall_ns) / 1e9,
           (double) (clock() - watch->cpu) / CLOCKS_PER_SEC);
}

/* Words of a text that is never the same twice. */
static void
fill_text(struct buffer *text, size_t bytes, unsigned *seed)
{
    static const char *const words[WORDS] = {
        "the ",   "queue ",   "pair ", "memory ", "of ",   "a ",
        "model ", "answers ", "is ",   "in ",     "rows ", "and ",
        "reads ", "because ", "each ", "state "};

    buffer_clear(text);
    while (text->length < bytes) {
        const char *word = words[rand_r(seed) % WORDS];

        need(buffer_append(text, word, strlen(word), &err));
    }
}

/*
 * Chats of TURNS turns, through the vault's own functions, but many in one
 * transaction: appending a million turns with a sync each would take hours.
 */
static void
put_chat(struct vault *vault, size_t text_bytes, struct buffer *text,
         unsigned *seed)
{
    struct chat_entry entry = {.used_ms = 1};
    struct chat_body body = {.info = {.title = {"a title", 7}}};
    struct buffer refs = {0};
    struct entry_at at;

    memcpy(entry.id.bytes, &vault->next_row, sizeof vault->next_row);
    entry.manifest.row = vault->next_row++;
    body.draft = vault->next_row++;
    for (size_t i = 0; i < TURNS; i++) {
        struct row_ref ref = {.row = vault->next_row++};
        struct turn_record turn = {.role = TURN_ANSWER, .complete = true};

        fill_text(text, text_bytes, seed);
        turn.content = (struct text){text->data, text->length};
        buffer_clear(&vault->body);
        need(turn_body_write(&vault->body, &turn, &err));
        need(vault_put(vault, ROW_TURN, &entry.id, &ref, &err));
        need(row_ref_append(&refs, &ref, &err));
        body.info.leaf = ref.row;
    }
    body.turns = (struct text){refs.data, refs.length};
    buffer_clear(&vault->body);
    need(chat_body_write(&vault->body, &body, &err));
    need(vault_put(vault, ROW_CHAT, &entry.id, &entry.manifest, &err));
    need(vault_entry_add(&at, vault, &entry, &err));
    buffer_release(&refs);
}

static void
make_vault(const struct vault_places *at, const struct credential *credential,
           size_t chats, size_t text_bytes)
{
    struct buffer text = {0};
    struct vault *vault;
    unsigned seed = 1;

    need(vault_create(&vault, at, credential, &CHEAP, &err));
    need(vault_begin(vault, &err));
    for (size_t i = 0; i < chats; i++)
        put_chat(vault, text_bytes, &text, &seed);
    for (size_t s = 0; s < vault->chats_used; s++)
        need(vault_put_shard(vault, s, &err));
    need(vault_commit(vault, &err));
    vault_close(vault);
    buffer_release(&text);
}

static void
remove_vault(void)
{
    char command[256];

    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "vault_bench: cannot remove %s\n", folder);
}

static bool
count_hit(void *context, const struct vault_hit *hit)
{
    (void) hit;
    ++*(size_t *) context;
    return true;
}

static bool
count_chat(void *context, const struct chat_info *info)
{
    (void) info;
    ++*(size_t *) context;
    return true;
}

static void
measure_opening(const struct vault_places *at,
                const struct credential *credential, size_t rows)
{
    struct vault *vault;
    struct watch watch;
    size_t chats = 0;

    make_vault(at, credential, rows / (TURNS + 1), 60);
    watch = watch_start();
    need(vault_open(&vault, at, credential, VAULT_WRITE, &err));
    printf("open %zu rows: ", rows);
    watch_print(&watch);
    watch = watch_start();
    need(vault_each_chat(vault, count_chat, &chats, &err));
    printf("\nlist %zu chats: ", chats);
    watch_print(&watch);
    putchar('\n');
    vault_close(vault);
    remove_vault();
}

static void
search(struct vault *vault, const char *what)
{
    struct text wanted = {what, strlen(what)};
    size_t hits = 0;
    struct watch watch = watch_start();

    need(vault_search(vault, wanted, true, count_hit, &hits, NULL, &err));
    printf("search \"%s\": %zu hits, ", what, hits);
    watch_print(&watch);
    putchar('\n');
}

static void
measure_search(const struct vault_places *at,
               const struct credential *credential, size_t megabytes)
{
    struct vault *vault;

    make_vault(at, credential, megabytes * 1000000 / (2000 * TURNS), 2000);
    need(vault_open(&vault, at, credential, VAULT_WRITE, &err));
    printf("%zu MB in texts of 2,000 bytes\n", megabytes);
    search(vault, "nowhere to be found");
    search(vault, "nirgends \xC3\xA4hnlich");
    search(vault, "because each state");
    vault_close(vault);
    remove_vault();
}

int
main(int argc, char **argv)
{
    size_t rows = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    size_t megabytes = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
    struct vault_places at = {data, state};
    struct credential credential = {0};
    struct secret *passphrase;

    snprintf(folder, sizeof folder, "vault-bench-%ld", (long) getpid());
    snprintf(data, sizeof data, "%s/data", folder);
    snprintf(state, sizeof state, "%s/state", folder);
    need(secret_start(&err));
    kdf_lower_floor(&CHEAP);
    need(secret_open(&passphrase, 8, &err));
    credential.passphrase = passphrase;
    measure_opening(&at, &credential, rows);
    measure_search(&at, &credential, megabytes);
    secret_close(passphrase);
    return 0;
}
