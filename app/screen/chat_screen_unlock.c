/*
 * What the unlock view tells: what vault.keys and the files say without a key,
 * failed tries, the state of the machine as `fathom doctor` finds it, and how
 * far the model is.
 */
#include "config.h"

#include "app/screen/chat_screen.h"
#include "app/chat/chat_vault.h"
#include "app/screen/unlock_machine.h"
#include "app/time_text.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { LINE = 200 };

static struct {
    struct chat *chat;
    struct unlock_sheet sheet;
    char vault[LINE], slots[LINE], anchor[LINE], cost[LINE], deriving[LINE],
        tries[LINE], behind[LINE], prompt[LINE];
    char machine[UNLOCK_MACHINE_LINE], machine_wide[UNLOCK_MACHINE_LINE],
        files[UNLOCK_MACHINE_LINE];
} unlock;

/* -- the vault -------------------------------------------------------------
 */

static const char *
kind_name(enum slot_kind kind)
{
    switch (kind) {
    case SLOT_PASSPHRASE:
        return "passphrase";
    case SLOT_KEY_FILE:
        return "key file";
    case SLOT_BOTH:
        return "passphrase + key file";
    case SLOT_RECOVERY:
        return "recovery code";
    }
    return "unknown";
}

static void
tell_vault(const char *folder)
{
    char path[PLACE_BYTES + 16], when[TIME_TEXT];
    struct stat file;

    snprintf(path, sizeof path, "%s/vault.db", folder);
    if (stat(path, &file) < 0) {
        snprintf(unlock.vault, sizeof unlock.vault, "its file is missing");
        return;
    }
    snprintf(unlock.vault, sizeof unlock.vault, "%.1f MB, last written %s",
             (double) file.st_size / 1e6,
             time_text_brief(when, (uint64_t) file.st_mtime * 1000,
                             (uint64_t) time(NULL) * 1000));
}

/* The kinds of slots, and what the first passphrase costs. */
static void
tell_slots(const struct vault_keys *keys)
{
    struct slot_info slots[VAULT_SLOTS];
    size_t count = vault_keys_slots(keys, slots), length = 0;

    unlock.slots[0] = unlock.cost[0] = '\0';
    unlock.sheet.key_file = false;
    for (size_t i = 0; i < count && length < LINE - 40; i++) {
        length += (size_t) snprintf(unlock.slots + length, LINE - length,
                                    "%s%u %s", i > 0 ? ", " : "",
                                    slots[i].number, kind_name(slots[i].kind));
        if (slots[i].kind == SLOT_KEY_FILE || slots[i].kind == SLOT_BOTH)
            unlock.sheet.key_file = true;
        if (slots[i].cost.passes > 0 && unlock.cost[0] == '\0')
            snprintf(unlock.cost, LINE, "Argon2id %llu x %llu MiB",
                     (unsigned long long) slots[i].cost.passes,
                     (unsigned long long) slots[i].cost.memory_bytes >> 20);
    }
}

static void
tell_tries(void)
{
    char when[TIME_TEXT];
    uint64_t last_s;
    size_t count = unlock_failures(&last_s);

    unlock.tries[0] = '\0';
    if (count > 0)
        snprintf(unlock.tries, LINE,
                 "%zu failed %s since the last unlock, the last one at %s",
                 count, count == 1 ? "try" : "tries",
                 time_text_local(when, last_s * 1000));
}

static void
tell_anchor(const struct vault_keys *keys)
{
    struct vault_places at = keeping_places(&unlock.chat->keeping);
    char count[COUNT_TEXT];
    uint64_t counter;
    struct error err;
    bool found;

    if (vault_anchor_counter(&counter, &found, &at, vault_keys_id(keys),
                             &err) != STATUS_OK)
        snprintf(unlock.anchor, LINE, "damaged; it is told after unlock");
    else if (!found)
        snprintf(unlock.anchor, LINE,
                 "none; an older copy of the vault would not be noticed");
    else
        snprintf(unlock.anchor, LINE,
                 "%-12s kept on this machine, checked after unlock",
                 text_count(count, counter));
}

/* -- as things are ---------------------------------------------------------
 */

static void
tell_progress(const struct chat *chat)
{
    const struct progress_event *p = &chat_screen.counts.progress;

    unlock.behind[0] = '\0';
    if (chat->opened || chat->client == NULL)
        return;
    snprintf(unlock.behind, LINE,
             "the model goes on loading behind this "
             "screen");
    if (chat_screen.counts.progressing && p->of > 0) {
        size_t length = strlen(unlock.behind);

        snprintf(unlock.behind + length, LINE - length, ": %.0f %%",
                 100.0 * (double) p->done / (double) p->of);
    }
}

/* Once it takes longer than the last time, that is no measure any more. */
static void
tell_deriving(const struct chat_deriving *d, uint64_t now_ns)
{
    struct unlock_sheet *s = &unlock.sheet;
    bool begun = d->begun_ns > 0 && now_ns > d->begun_ns;
    uint64_t passed_ns = begun ? now_ns - d->begun_ns : 0;

    s->measured = d->active && d->begun_ns > 0 && passed_ns < d->before_ns;
    s->share = s->measured ? (double) passed_ns / (double) d->before_ns : 0;
    s->deriving = d->active ? unlock.deriving : NULL;
    if (d->begun_ns == 0)
        snprintf(unlock.deriving, LINE, "waits for the one given up");
    else if (s->measured)
        snprintf(unlock.deriving, LINE, "deriving");
    else
        snprintf(unlock.deriving, LINE, "deriving %.1f s",
                 (double) passed_ns / 1e9);
}

static const char *
unless_empty(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

/* What is told where a vault is opened as where there is none yet. */
static struct unlock_sheet *
tell_either(uint64_t now_ns)
{
    struct unlock_sheet *s = &unlock.sheet;

    tell_progress(unlock.chat);
    tell_deriving(&unlock.chat->deriving, now_ns);
    s->behind = unless_empty(unlock.behind);
    s->fault = unless_empty(chat_screen.notice);
    s->seen = chat_screen.seen != NULL;
    s->shown = s->seen ? (const char *) secret_bytes(chat_screen.seen) : NULL;
    s->shown_length = s->seen ? chat_screen.seen_length : 0;
    return s;
}

static const struct unlock_sheet *
sheet(void *context, uint64_t now_ns)
{
    (void) context;
    return tell_either(now_ns);
}

static void
add_fact(const char *label, const char *text)
{
    struct unlock_sheet *s = &unlock.sheet;

    s->facts[s->fact_count].label = label;
    s->facts[s->fact_count++].text = text;
}

static void
add_remark(const char *text, const char *wide)
{
    struct unlock_sheet *s = &unlock.sheet;

    if (text == NULL || text[0] != '\0') {
        s->remarks[s->remark_count].text = text;
        s->remarks[s->remark_count++].wide = wide;
    }
}

static void
add_machine(void)
{
    unlock_machine_text(unlock.machine, false);
    unlock_machine_text(unlock.machine_wide, true);
    add_remark(unlock.machine, unlock.machine_wide);
}

enum status
chat_screen_unlock_open(struct chat *chat, view_post_fn *post, void *context,
                        struct view *out, struct error *err)
{
    static const struct unlock_source source = {NULL, sheet};
    const char *folder = chat->keeping.folders.data;
    char path[PLACE_BYTES + 16];
    struct vault_keys *keys;

    (void) post;
    (void) context;
    snprintf(path, sizeof path, "%s/vault.keys", folder);
    TRY(vault_keys_open(&keys, path, err));
    unlock.chat = chat;
    unlock.sheet = (struct unlock_sheet){
        .program = PACKAGE_STRING,
        .privacy = "net:off  vault:locked",
        .title = "Unlock history",
        .label = "passphrase",
        .enter = "Enter unlock",
        .hidden = true,
        .cost = unlock.cost,
        .ephemeral = !chat->locked,
        .leave = chat->locked ? "^D quit" : "^C quit",
    };
    tell_vault(folder);
    tell_slots(keys);
    tell_anchor(keys);
    vault_keys_close(keys);
    tell_tries();
    add_fact("vault", unlock.vault);
    add_fact("key slots", unlock.slots);
    add_fact("anchor", unlock.anchor);
    unlock.sheet.facts[unlock.sheet.fact_count - 1].wide = true;
    if (chat->key_file)
        add_fact("key file", "chosen; Enter alone where no passphrase is "
                             "needed");
    add_remark(unlock.tries, NULL);
    add_machine();
    unlock_files_text(unlock.files, folder);
    add_remark(NULL, unlock.files);
    return view_unlock_open(out, &source, err);
}

/* -- the first start -------------------------------------------------------
 */

/*
 * The question of now, without the colon that a line has, and with each choice
 * on a line of its own.
 */
static void
tell_prompt(struct unlock_sheet *s)
{
    const char *prompt = chat_screen.secret_prompt;
    size_t length = strlen(prompt);

    while (length > 0 && strchr(": ", prompt[length - 1]))
        length--;
    snprintf(unlock.prompt, LINE, "%.*s", (int) length, prompt);
    s->prompt = unless_empty(unlock.prompt);
    for (char *next = unlock.prompt; (next = strstr(next, ", [")); next++) {
        next[0] = '\n';
        memmove(next + 1, next + 2, strlen(next + 2) + 1);
    }
}

static void
tell_answer(struct unlock_sheet *s)
{
    struct line_box line = line_editor_box();

    s->shown = line.text;
    s->shown_length = line.length;
}

static void
tell_cost(struct unlock_sheet *s)
{
    const struct kdf_cost *cost = &unlock.chat->deriving.cost;

    s->cost = s->deriving != NULL ? unlock.cost : NULL;
    snprintf(unlock.cost, LINE, "Argon2id %llu x %llu MiB",
             (unsigned long long) cost->passes,
             (unsigned long long) cost->memory_bytes >> 20);
}

static const struct unlock_sheet *
first_sheet(void *context, uint64_t now_ns)
{
    struct unlock_sheet *s = tell_either(now_ns);
    bool step = chat_screen.first_step[0] != '\0';

    (void) context;
    s->text = step ? chat_screen.first_step : chat_screen.first_text;
    s->hidden = chat_screen.box == BOX_SECRET;
    s->label = s->hidden ? "passphrase" : "answer";
    s->made = NULL;
    if (chat_screen.made != NULL) {
        s->made = (const char *) secret_bytes(chat_screen.made);
        s->made_length = secret_length(chat_screen.made);
    }
    if (!s->hidden)
        tell_answer(s);
    tell_prompt(s);
    tell_cost(s);
    return s;
}

enum status
chat_screen_first_open(struct chat *chat, view_post_fn *post, void *context,
                       struct view *out, struct error *err)
{
    static const struct unlock_source source = {NULL, first_sheet};

    (void) post;
    (void) context;
    unlock.chat = chat;
    unlock.sheet = (struct unlock_sheet){
        .program = PACKAGE_STRING,
        .privacy = "net:off  no vault yet",
        .title = "Keep a history?",
        .enter = "Enter goes on",
        .leave = "^C gives up",
    };
    add_machine();
    return view_unlock_open(out, &source, err);
}

void
chat_screen_unlock_close(struct view *view)
{
    view_unlock_close(view);
}
