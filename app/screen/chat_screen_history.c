/* The history on the screen: the view, and the vault behind it. */
#include "config.h"

#include "app/screen/chat_views.h"
#include "app/screen/history_source.h"

static struct {
    struct history_source *source; // NULL: there is no vault to look into
    struct chat *chat;
    struct view view;
} history;

/* Why there is nothing to show; NULL: there is. */
static const char *
absence(const struct chat *chat)
{
    if (chat->keeping.vault != NULL)
        return NULL;
    if (chat->keeping.kind == KEEPING_SEALED)
        return "The vault is locked here: another program has it open, and "
               "what is said in this chat is sealed for it. Close that program "
               "and start this one again to look into the history.";
    if (chat->locked)
        return "The vault is locked. The passphrase opens it.";
    return "Nothing of this chat is written, so there is no history to look "
           "into. Start fathom again and open your vault to see it; \"fathom "
           "vault init\" begins one.";
}

enum status
chat_screen_history_open(struct chat *chat, view_post_fn *post, void *context,
                         struct view *out, struct error *err)
{
    struct view_history_source calls;
    const char *absent = absence(chat);

    history.source = NULL;
    history.chat = chat;
    if (absent != NULL)
        return view_history_open(out, NULL, absent, post, chat_screen_ask_end,
                                 context, err);
    TRY(history_source_open(&history.source, chat, err));
    calls = history_source_calls(history.source);
    enum status status = view_history_open(out, &calls, NULL, post,
                                           chat_screen_ask_end, context, err);
    size_t none;
    struct error why;

    if (status != STATUS_OK) {
        (void) !history_source_close(history.source, &none, &why);
        history.source = NULL;
    }
    history.view = *out;
    return status;
}

void
chat_screen_history_changed(void)
{
    if (history.source == NULL)
        return;
    history_source_changed(history.source);
    view_history_changed(&history.view);
}

void
chat_screen_history_close(struct view *view)
{
    size_t deleted;
    struct error err;

    view_history_close(view);
    enum status status = history_source_close(history.source, &deleted, &err);

    if (deleted > 0)
        chat_say(history.chat,
                 "%zu %s deleted; old ciphertext may survive on the disk and "
                 "in backups until \"fathom vault rotate\"",
                 deleted, deleted == 1 ? "chat was" : "chats were");
    if (status != STATUS_OK)
        chat_say(history.chat, "%s", err.text);
    history.source = NULL;
}
