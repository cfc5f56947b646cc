/* An item of `llm logs --json`: one question with its answer. */
#include "config.h"

#include "app/history/import_reader.h"

#include <string.h>

static enum status
read_question(struct import_chat *chat, const json_t *item, uint64_t time_ms,
              struct error *err)
{
    struct text prompt = {0}, system = {0};
    struct turn_record *turn;

    TRY(import_text(&prompt, item, "prompt", err));
    TRY(import_text(&system, item, "system", err));
    TRY(import_chat_add(&turn, chat, TURN_QUESTION, chat->count, err));
    turn->time_ms = time_ms;
    if (chat->system.length == 0)
        TRY(import_chat_text(chat, &chat->system, system, err));
    return import_chat_text(chat, &import_chat_last(chat)->content, prompt,
                            err);
}

static enum status
read_answer(struct import_chat *chat, const json_t *item, uint64_t time_ms,
            struct error *err)
{
    struct text response = {0}, model = {0};
    struct turn_record *turn;

    TRY(import_text(&response, item, "response", err));
    TRY(import_text(&model, item, "model", err));
    TRY(import_chat_add(&turn, chat, TURN_ANSWER, chat->count, err));
    turn->complete = true;
    turn->finish = FINISH_STOP;
    TRY(import_count(&turn->origin.prompt_tokens, item, "input_tokens", err));
    TRY(import_count(&turn->origin.answer_tokens, item, "output_tokens", err));
    TRY(import_real(&turn->origin.total_ms, item, "duration_ms", err));
    turn->time_ms = time_ms;
    TRY(import_chat_text(chat, &import_chat_last(chat)->model, model, err));
    return import_chat_text(chat, &import_chat_last(chat)->content, response,
                            err);
}

enum status
import_llm(struct import_chat *chat, const json_t *item, struct error *err)
{
    struct text name = {0}, id = {0};
    uint64_t time_ms = 0;

    if (!json_is_object(item))
        return error_set(err, STATUS_FORMAT, "it is not an object");
    TRY(import_time(&time_ms, item, "datetime_utc", err));
    TRY(import_text(&name, item, "conversation_name", err));
    TRY(import_text(&id, item, "conversation_id", err));
    import_chat_name(chat, "llm", id);
    if (chat->title.length == 0)
        TRY(import_chat_text(chat, &chat->title, name, err));
    TRY(read_question(chat, item, time_ms, err));
    return read_answer(chat, item, time_ms, err);
}
