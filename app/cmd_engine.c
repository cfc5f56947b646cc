/*
 * fathom engine start|stop|status: warm engines, which keep a model ready for
 * `ask` and end by themselves when nobody asks.
 */
#include "config.h"

#include "app/app.h"
#include "app/model/exchange.h"
#include "app/report.h"
#include "ui/ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    START_MS = 10000, // an engine may take to be met, before it loads
    STOP_MS = 10000,
    IDLE_MS = 1800 * 1000,
    ENGINES_MOST = 64,
    QUOTED_BYTES = 300,
};

struct engine_settings {
    const char *model;
    struct option_count idle_ms;
    bool json;
};

/* -- finding --------------------------------------------------------------- */

/* The warm engines of this user, or of one model. */
struct engines {
    struct rendezvous_engine item[ENGINES_MOST];
    size_t count;
};

static void
add_engine(void *context, const struct rendezvous_engine *engine)
{
    struct engines *engines = context;

    if (engines->count < ENGINES_MOST)
        engines->item[engines->count++] = *engine;
}

static enum status
find_engines(struct engines *out, struct buffer *directory,
             const struct engine_settings *s, int *code, struct error *err)
{
    char path[PLACE_BYTES], name[RENDEZVOUS_NAME];
    bool found = false;

    out->count = 0;
    *code = EXIT_UNAVAILABLE;
    TRY(rendezvous_directory(directory, err));
    if (s->model == NULL)
        return rendezvous_each(directory->data, add_engine, out, err);
    *code = EXIT_NO_INPUT;
    TRY(places_model(path, s->model, err));
    TRY(rendezvous_name(name, path, err));
    *code = EXIT_UNAVAILABLE;
    TRY(rendezvous_find(&out->item[0], &found, directory->data, name, err));
    out->count = found;
    return STATUS_OK;
}

static enum status
print_text(const char *text, int *code, struct error *err)
{
    *code = EXIT_CANT_WRITE;
    progress_clear();
    enum status status = printer_print(STDOUT_FILENO, text, strlen(text), err);

    if (status == STATUS_OK)
        *code = EXIT_SUCCESS;
    return status;
}

/* -- start -------------------------------------------------------------------
 */

static enum status
ignore_event(void *context, const struct event *event, struct error *err)
{
    (void) context;
    (void) event;
    (void) err;
    return STATUS_OK;
}

/* Waits until the model is in memory; progress is shown meanwhile. */
static enum status
make_ready(struct client *client, int *code, struct error *err)
{
    uint64_t number = client_number(client);

    *code = EXIT_UNAVAILABLE;
    TRY(request_put_open(client_outgoing(client), number, OPEN_WEIGHTS, err));
    progress_begin(clock_ns(), PROGRESS_LINE);
    return exchange_wait(client, number, ignore_event, NULL, code, err);
}

static enum status
start(const struct engine_settings *s, int *code, struct error *err)
{
    char path[PLACE_BYTES], text[PLACE_BYTES + 100];
    struct client *client = NULL;
    uint64_t idle_ms = s->idle_ms.given ? s->idle_ms.value : IDLE_MS;
    bool was_there;
    int ended = 0; // the exit status of an engine that did not stay

    *code = EXIT_NO_INPUT;
    TRY(places_model(path, s->model, err));
    *code = EXIT_UNAVAILABLE;
    enum status status = client_start_warm(
        &client, &was_there, path, idle_ms / 1000, START_MS, &ended, err);

    *code = exit_code_of_start(status);
    if (status == STATUS_OK)
        status = make_ready(client, code, err);
    client_close(client);
    if (ended != 0)
        *code = ended;
    TRY(status);
    snprintf(text, sizeof text, "%s %s", path,
             was_there ? "is ready, and was before" : "is ready");
    return print_text(text, code, err);
}

/* -- stop --------------------------------------------------------------------
 */

static enum status
stop_one(const struct rendezvous_engine *engine, const char *directory,
         int *code, struct error *err)
{
    char text[PATH_MAX + 100];
    bool found;

    *code = EXIT_FAILURE;
    TRY(rendezvous_stop(directory, engine->name, STOP_MS, &found, err));
    snprintf(text, sizeof text, "%s stopped", engine->model);
    return print_text(text, code, err);
}

static enum status
stop(const struct engine_settings *s, int *code, struct error *err)
{
    static struct engines engines;
    struct buffer directory = {0};
    enum status status = find_engines(&engines, &directory, s, code, err);

    for (size_t i = 0; i < engines.count && status == STATUS_OK; i++)
        status = stop_one(&engines.item[i], directory.data, code, err);
    buffer_release(&directory);
    TRY(status);
    *code = EXIT_SUCCESS;
    if (engines.count == 0)
        notice_note("no warm engine%s was there to stop",
                    s->model ? " of this model" : "");
    return STATUS_OK;
}

/* -- status ------------------------------------------------------------------
 */

/* What one engine said; unanswered when it did not. */
struct engine_state {
    bool answered;
    char state[32];
    struct stats_done stats; // numbers only
};

static enum status
take_stats(void *context, const struct event *event, struct error *err)
{
    struct engine_state *state = context;

    (void) err;
    if (event->type != MESSAGE_DONE)
        return STATUS_OK;
    state->answered = true;
    state->stats = event->stats;
    text_quote(state->state, sizeof state->state,
               event->stats.state ? event->stats.state : "",
               event->stats.state ? strlen(event->stats.state) : 0);
    state->stats.engine = state->stats.file = state->stats.state = NULL;
    return STATUS_OK;
}

static void
ask_state(struct engine_state *out, const struct rendezvous_engine *engine)
{
    struct client *client = NULL;
    struct error err;
    int code;

    *out = (struct engine_state){.state = "not answering"};
    if (client_find_warm(&client, engine->model, &err) != STATUS_OK ||
        client == NULL)
        return;
    uint64_t number = client_number(client);

    if (request_put_plain(client_outgoing(client), MESSAGE_STATS, number,
                          &err) != STATUS_OK ||
        exchange_wait(client, number, take_stats, out, &code, &err) !=
            STATUS_OK)
        log_note("status of %s: %s", engine->name, err.text);
    client_close(client);
}

static enum status
add_line(struct buffer *out, const struct rendezvous_engine *engine,
         const struct engine_state *state, struct error *err)
{
    char shown[QUOTED_BYTES];
    const struct stats_done *s = &state->stats;

    TRY(buffer_print(
        out, err, "%s\n  process %ld, %s",
        text_quote(shown, sizeof shown, engine->model, strlen(engine->model)),
        (long) engine->pid, state->state));
    if (state->answered)
        TRY(buffer_print(
            out, err,
            ", up %.0f s, waiting: %llu, requests so far: %llu, tokens read: "
            "%llu, generated: %llu",
            (double) s->up_ms / 1e3, (unsigned long long) s->waiting,
            (unsigned long long) s->requests,
            (unsigned long long) s->prompt_tokens,
            (unsigned long long) s->generated_tokens));
    return buffer_print(out, err, "\n");
}

static json_t *
state_object(const struct rendezvous_engine *engine,
             const struct engine_state *state)
{
    const struct stats_done *s = &state->stats;
    char shown[QUOTED_BYTES];

    return json_pack(
        "{s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "file",
        text_quote(shown, sizeof shown, engine->model, strlen(engine->model)),
        "process", (json_int_t) engine->pid, "state", state->state, "up_ms",
        (json_int_t) s->up_ms, "clients", (json_int_t) s->clients, "waiting",
        (json_int_t) s->waiting, "requests", (json_int_t) s->requests,
        "prompt_tokens", (json_int_t) s->prompt_tokens, "generated_tokens",
        (json_int_t) s->generated_tokens);
}

static enum status
print_states(const struct engines *engines, bool json, int *code,
             struct error *err)
{
    struct buffer text = {0};
    json_t *array = json_array();
    enum status status = STATUS_OK;

    for (size_t i = 0; i < engines->count && status == STATUS_OK; i++) {
        struct engine_state state;

        ask_state(&state, &engines->item[i]);
        json_array_append_new(array, state_object(&engines->item[i], &state));
        if (!json)
            status = add_line(&text, &engines->item[i], &state, err);
    }
    if (status == STATUS_OK && json)
        status =
            report_print(&text, json_incref(array), isatty(STDOUT_FILENO), err);
    json_decref(array);
    if (status == STATUS_OK)
        status = print_text(text.data, code, err);
    buffer_release(&text);
    return status;
}

static enum status
show_status(const struct engine_settings *s, int *code, struct error *err)
{
    static struct engines engines;
    struct buffer directory = {0};
    enum status status = find_engines(&engines, &directory, s, code, err);

    buffer_release(&directory);
    TRY(status);
    if (engines.count == 0 && !s->json) {
        notice_note("no warm engine%s runs", s->model ? " of this model" : "");
        *code = EXIT_FAILURE;
        return STATUS_OK;
    }
    TRY(print_states(&engines, s->json, code, err));
    *code = engines.count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    return STATUS_OK;
}

/* -- the commands ------------------------------------------------------------
 */

typedef enum status engine_fn(const struct engine_settings *settings, int *code,
                              struct error *err);

static int
run(engine_fn *fn, const struct engine_settings *settings)
{
    struct error err;
    int code = EXIT_SUCCESS;

    if (fn(settings, &code, &err) != STATUS_OK)
        notice_error("%s", err.text);
    return code;
}

static int
run_start(void *settings, const struct option_list *operands)
{
    (void) operands;
    return run(start, settings);
}

static int
run_stop(void *settings, const struct option_list *operands)
{
    (void) operands;
    return run(stop, settings);
}

static int
run_status(void *settings, const struct option_list *operands)
{
    (void) operands;
    return run(show_status, settings);
}

#define MODEL_ROW(help)                                                        \
    {                                                                          \
        NULL, 'm', OPTION_MODEL, "MODEL",                                      \
            offsetof(struct engine_settings, model), 0, 0, help                \
    }

static const struct option start_options[] = {
    MODEL_ROW("the model to keep ready: a file or a name"),
    {"idle", 0, OPTION_DURATION, "TIME",
     offsetof(struct engine_settings, idle_ms), 0, 0,
     "end after TIME without a question (30m); 0 never ends"},
};

static const struct option stop_options[] = {
    MODEL_ROW("only the engine of this model, not all"),
};

static const struct option status_options[] = {
    MODEL_ROW("only the engine of this model, not all"),
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct engine_settings, json), 0, 0,
     "print a JSON array"},
};

static const char *const start_usage[] = {"[-m MODEL] [--idle=TIME]", NULL};
static const char *const stop_usage[] = {"[-m MODEL]", NULL};
static const char *const status_usage[] = {"[-m MODEL] [--json]", NULL};

static const struct command command_engine_start = {
    .name = "start",
    .manual = "fathom-engine",
    .summary = "Load a model and keep it ready",
    .usage = start_usage,
    OPTIONS(start_options),
    .settings_bytes = sizeof(struct engine_settings),
    .run = run_start,
};

static const struct command command_engine_stop = {
    .name = "stop",
    .manual = "fathom-engine",
    .summary = "End warm engines",
    .usage = stop_usage,
    OPTIONS(stop_options),
    .settings_bytes = sizeof(struct engine_settings),
    .run = run_stop,
};

static const struct command command_engine_status = {
    .name = "status",
    .manual = "fathom-engine",
    .summary = "Show warm engines and how busy they are",
    .usage = status_usage,
    OPTIONS(status_options),
    .settings_bytes = sizeof(struct engine_settings),
    .run = run_status,
};

static const struct command *const verbs[] = {
    &command_engine_start, &command_engine_stop, &command_engine_status, NULL};
static const char *const usage[] = {"start|stop|status [OPTIONS]", NULL};

const struct command command_engine = {
    .name = "engine",
    .manual = "fathom-engine",
    .summary = "Keep a model ready for scripts",
    .usage = usage,
    .verbs = verbs,
};
