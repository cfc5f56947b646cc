/* --save, --continue and --seal: what becomes of question and answer. */
#include "config.h"

#include "app/ask/ask.h"

#include "app/exit_code.h"
#include "app/notice.h"
#include "app/settings.h"

#include <string.h>

static bool
is_kept(const struct ask *ask)
{
    return ask->keeping.kind != KEEPING_NOTHING;
}

/* What is asked for, and does not exclude something else. */
enum status
ask_keep_check(struct ask *ask, struct error *err)
{
    const struct ask_settings *s = ask->settings;

    ask->code = EXIT_USAGE;
    if (s->save + s->seal + s->no_save > 1)
        return error_set(err, STATUS_FORMAT,
                         "--save, --seal and --no-save exclude each other");
    if (s->seal && (s->newest || s->resume))
        return error_set(err, STATUS_FORMAT,
                         "--seal does not open the vault, so it cannot "
                         "continue a chat");
    if (s->newest && s->resume)
        return error_set(err, STATUS_FORMAT,
                         "-c and --continue=ID exclude each other");
    ask->code = EXIT_DENIED;
    if ((s->save || s->seal) && settings_save() == SAVE_NEVER)
        return error_set(err, STATUS_DENIED,
                         "nothing may be saved here (vault.save = never)");
    ask->code = EXIT_SUCCESS;
    return STATUS_OK;
}

static enum status
load_chat(struct ask *ask, const char *id, struct error *err)
{
    struct chat_id found;
    bool any = true;

    ask->code = EXIT_NO_INPUT;
    if (*id != '\0') {
        TRY(vault_find_chat(&found, ask->keeping.vault, id, err));
    } else {
        TRY(vault_newest_chat(&found, &any, ask->keeping.vault, err));
        if (!any)
            return error_set(err, STATUS_FORMAT,
                             "there is no chat yet to continue");
    }
    enum status status =
        keeping_load(&ask->keeping, &ask->conversation, &found, err);

    if (status != STATUS_OK)
        ask->code = exit_code_of(status);
    return status;
}

static enum status
open_vault(struct ask *ask, struct error *err)
{
    const struct ask_settings *s = ask->settings;
    const char *id = s->resume ? s->resume : "";
    struct vault *vault;

    TRY(unlock_vault(&vault, &s->unlock, VAULT_WRITE, &ask->code, err));
    keeping_open(&ask->keeping, vault);
    if (s->resume || s->newest)
        TRY(load_chat(ask, id, err));
    if (s->no_save || settings_save() == SAVE_NEVER)
        keeping_close(&ask->keeping);
    ask->code = EXIT_SUCCESS;
    return STATUS_OK;
}

/* The inbox is the vault's: without a vault nobody could open it. */
static enum status
open_inbox(struct ask *ask, struct error *err)
{
    bool exists;

    ask->code = EXIT_NO_INPUT;
    TRY(unlock_exists(&exists, err));
    if (!exists)
        return error_set(err, STATUS_IO,
                         "there is no vault to seal for; \"fathom vault "
                         "init\" makes one");
    ask->keeping.kind = KEEPING_SEALED;
    ask->code = EXIT_SUCCESS;
    return STATUS_OK;
}

enum status
ask_keep_open(struct ask *ask, struct error *err)
{
    const struct ask_settings *s = ask->settings;

    if (!s->save && !s->seal && !s->newest && !s->resume)
        return STATUS_OK;
    ask->code = EXIT_UNAVAILABLE;
    TRY(places_vault(&ask->keeping.folders, err));
    return s->seal ? open_inbox(ask, err) : open_vault(ask, err);
}

enum status
ask_keep_question(struct ask *ask, struct error *err)
{
    struct conversation *c = &ask->conversation;
    const char *system = ask->settings->generation.system;
    size_t turn;

    if (system)
        TRY(conversation_set_system(c, system, strlen(system), err));
    TRY(conversation_ask(&turn, c, ask->question.data ? ask->question.data : "",
                         ask->question.length, err));
    enum status status = keeping_write(&ask->keeping, c, "", TURN_NONE, err);

    if (status == STATUS_OK && is_kept(ask))
        status = conversation_answer(&ask->answer, c, err);
    if (status != STATUS_OK)
        ask->code = exit_code_of(status);
    return status;
}

enum status
ask_keep_token(struct ask *ask, const struct token_event *token,
               struct error *err)
{
    struct error why;

    if (!is_kept(ask))
        return STATUS_OK;
    struct turn *answer = &ask->conversation.turns[ask->answer];

    TRY(buffer_append(token->channel == CHANNEL_THINK ? &answer->thinking
                                                      : &answer->content,
                      token->text.bytes, token->text.length, err));
    // what is wrong with a draft is wrong with the answer too, and told then
    if (keeping_draft(&ask->keeping, &ask->conversation, ask->answer,
                      token->tokens, clock_ns(), &why) != STATUS_OK)
        log_warn("no draft was written: status %d", (int) why.status);
    return STATUS_OK;
}

static bool
has_answer(const struct ask *ask)
{
    const struct turn *answer = &ask->conversation.turns[ask->answer];

    return answer->content.length > 0 || answer->thinking.length > 0 ||
           answer->complete;
}

void
ask_keep_answer(struct ask *ask, const struct generate_done *done)
{
    struct conversation *c = &ask->conversation;
    enum status status = STATUS_OK;
    struct error err;

    if (!is_kept(ask) || ask->answer_kept || c->count == 0)
        return;
    ask->answer_kept = true;
    if (done)
        status = conversation_describe(&c->turns[ask->answer], done, &err);
    if (status == STATUS_OK && has_answer(ask))
        status = keeping_write(&ask->keeping, c,
                               done && done->model.name ? done->model.name : "",
                               TURN_NONE, &err);
    if (status != STATUS_OK) {
        notice_error("the answer is not saved: %s", err.text);
        ask->keep_code = exit_code_of(status);
    } else if (ask->keeping.kind == KEEPING_SEALED) {
        strcpy(ask->saved, "inbox");
    } else {
        chat_id_text(ask->saved, &vault_chat_info(ask->keeping.chat)->id);
    }
}

void
ask_keep_close(struct ask *ask)
{
    keeping_close(&ask->keeping);
    conversation_release(&ask->conversation);
}
