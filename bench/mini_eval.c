/*
 * Answers the held-out problems of fathom-mini greedily and counts what is
 * right, by task: a wrong kernel shows as a wrong sum.
 *
 *   mini_eval [--model FILE] [--threads N] [--least SHARE] [PROBLEMS.jsonl]
 *
 * A reply is right if it closes its thought and the answer contains the
 * problem's `must_contain`; at most 400 tokens. Ends with 0 if at least SHARE
 * (0.955) of all are right, else with 1.
 */
#include "config.h"

#include "engine/engine.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TASKS_MAX = 64, MESSAGES_MAX = 16, ANSWER_TOKENS = 400, BAR = 40 };

struct task {
    char name[32];
    unsigned right, count;
};

struct score {
    struct task task[TASKS_MAX];
    size_t tasks;
    unsigned right, count, tokens;
};

struct options {
    const char *model, *problems;
    unsigned threads;
    double least;
};

static struct error failure;

static void
must(enum status status, const char *what)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "mini_eval: %s: %s\n", what, failure.text);
        exit(2);
    }
}

static enum status
keep_answer(void *context, const struct channels_part *part, struct error *err)
{
    if (part->channel != CHANNEL_ANSWER)
        return STATUS_OK;
    return buffer_append(context, part->bytes, part->length, err);
}

static void
ignore_progress(void *context, enum progress_phase phase, uint64_t done,
                uint64_t of)
{
    (void) context, (void) phase, (void) done, (void) of;
}

static struct text
text_of(const json_t *string)
{
    return (struct text){json_string_value(string), json_string_length(string)};
}

static enum chat_role
role_of(const json_t *message)
{
    const char *role = json_string_value(json_object_get(message, "role"));

    return role != NULL && strcmp(role, "assistant") == 0 ? CHAT_ASSISTANT
                                                          : CHAT_USER;
}

/* Answers one problem in a session of its own; true if it is right. */
static bool
answer(const struct session_model *model, const json_t *problem,
       unsigned *tokens)
{
    const json_t *messages = json_object_get(problem, "messages");
    struct chat_message message[MESSAGES_MAX] = {0};
    struct generate_request request = request_generate_default();
    struct session_result result;
    struct buffer text = {0};
    struct session *session;

    for (size_t i = 0; i < json_array_size(messages) && i < MESSAGES_MAX; i++) {
        const json_t *one = json_array_get(messages, i);

        message[i].role = role_of(one);
        message[i].content = text_of(json_object_get(one, "content"));
        request.message_count = i + 1;
    }
    request.messages = message;
    request.max_tokens = ANSWER_TOKENS;
    request.sampling.temperature = 0;
    struct session_listener listener = {.context = &text, .part = keep_answer};

    must(session_open(&session, model, &failure), "session");
    must(
        session_generate(session, &request, &listener, NULL, &result, &failure),
        "problem");
    const char *wanted =
        json_string_value(json_object_get(problem, "must_contain"));
    bool right = result.thought_closed && wanted != NULL && text.data != NULL &&
                 strstr(text.data, wanted) != NULL;
    *tokens += (unsigned) (result.thinking_tokens + result.answer_tokens);
    session_close(session);
    buffer_release(&text);
    return right;
}

static struct task *
task_of(struct score *score, const json_t *problem)
{
    const char *name = json_string_value(json_object_get(problem, "task"));

    if (name == NULL)
        name = "?";
    for (size_t i = 0; i < score->tasks; i++)
        if (strcmp(score->task[i].name, name) == 0)
            return &score->task[i];
    if (score->tasks == TASKS_MAX) {
        fputs("mini_eval: too many tasks\n", stderr);
        exit(2);
    }
    struct task *task = &score->task[score->tasks++];
    snprintf(task->name, sizeof task->name, "%s", name);
    return task;
}

static void
show_progress(const struct score *score, unsigned of)
{
    char bar[BAR + 1];
    unsigned done = of > 0 ? BAR * score->count / of : BAR;

    if (!isatty(STDERR_FILENO))
        return;
    memset(bar, '.', BAR);
    memset(bar, '#', done < BAR ? done : BAR);
    bar[BAR] = '\0';
    fprintf(stderr, "\r[%s] %u of %u, %u right", bar, score->count, of,
            score->right);
    if (score->count == of)
        fputs("\r\033[K", stderr);
}

static void
run(const struct session_model *model, const char *path, struct score *score)
{
    char line[65536];
    unsigned lines = 0;
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        perror(path);
        exit(2);
    }
    while (fgets(line, sizeof line, file) != NULL)
        lines++;
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL) {
        json_error_t wrong;
        json_t *problem = json_loads(line, 0, &wrong);

        if (problem == NULL) {
            fprintf(stderr, "mini_eval: %s line %u: %s\n", path,
                    score->count + 1, wrong.text);
            exit(2);
        }
        struct task *task = task_of(score, problem);
        bool right = answer(model, problem, &score->tokens);

        task->count++;
        task->right += right;
        score->count++;
        score->right += right;
        show_progress(score, lines);
        json_decref(problem);
    }
    fclose(file);
}

static bool
parse(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            options->problems = argv[i];
            continue;
        }
        if (i + 1 == argc)
            return false;
        if (strcmp(argv[i], "--model") == 0)
            options->model = argv[++i];
        else if (strcmp(argv[i], "--threads") == 0)
            options->threads = (unsigned) strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--least") == 0)
            options->least = strtod(argv[++i], NULL);
        else
            return false;
    }
    return true;
}

static void
print_score(const struct score *score, double seconds)
{
    for (size_t i = 0; i < score->tasks; i++)
        printf("%-10s %3u / %3u\n", score->task[i].name, score->task[i].right,
               score->task[i].count);
    printf("%-10s %3u / %3u   %.3f\n", "all", score->right, score->count,
           (double) score->right / score->count);
    printf("%u tokens in %.1f s\n", score->tokens, seconds);
}

int
main(int argc, char **argv)
{
    struct options options = {.model = SOURCE_DIR "/models/fathom-mini.gguf",
                              .problems = SOURCE_DIR "/bench/problems.jsonl",
                              .least = 0.955};
    struct ready_options how = {.cache = CACHE_F16};
    struct ready_listener quiet = {.progress = ignore_progress};
    static struct score score;
    struct ready *ready;

    if (!parse(&options, argc, argv)) {
        fputs("usage: mini_eval [--model FILE] [--threads N] [--least SHARE] "
              "[PROBLEMS.jsonl]\n",
              stderr);
        return 64;
    }
    how.path = options.model;
    how.threads = options.threads;
    must(ready_open(&ready, &how, &failure), "start");
    must(ready_to(ready, OPEN_WEIGHTS, &quiet, NULL, &failure), "open");
    uint64_t began = clock_ns();
    run(ready_sessions(ready), options.problems, &score);
    print_score(&score, (double) (clock_ns() - began) * 1e-9);
    ready_close(ready);
    return score.count > 0 && score.right >= options.least * score.count ? 0
                                                                         : 1;
}
