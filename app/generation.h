/*
 * The options with which a model is asked, shared by `ask` and `chat`, and
 * the request they make.
 */
#ifndef FATHOM_APP_GENERATION_H
#define FATHOM_APP_GENERATION_H

#include "app/command.h"
#include "base/protocol.h"

struct generation {
    const char *model;
    const char *preset;
    const char *system;
    const char *think; // "on", "off", NULL: as the model is used to
    struct option_count think_budget, max_tokens, top_k, seed;
    struct option_real temperature, top_p, min_p, repeat_penalty;
    struct option_list stops;
};

#define GENERATION_MAX_TOKENS 1e9
#define GENERATION_MAX_TEMPERATURE 100.0
// the largest number that every reader of JSON keeps exactly
#define GENERATION_MAX_SEED 9007199254740991.0

/* Rows of an option table whose settings have a struct generation `in`. */
#define GENERATION_AT(type, in, field)                                         \
    (offsetof(type, in) + offsetof(struct generation, field))
#define GENERATION_MODEL(type, in)                                             \
    {                                                                          \
        NULL, 'm', OPTION_MODEL, "MODEL", GENERATION_AT(type, in, model), 0,   \
            0, "a model file, or the name of a model in the model directory"   \
    }
#define GENERATION_PRESET(type, in)                                            \
    {                                                                          \
        NULL, 'p', OPTION_TEXT, "PRESET", GENERATION_AT(type, in, preset), 0,  \
            0, "ask as [preset.PRESET] of fathom.conf says"                    \
    }
#define GENERATION_SYSTEM(type, in)                                            \
    {                                                                          \
        NULL, 's', OPTION_TEXT, "TEXT", GENERATION_AT(type, in, system), 0, 0, \
            "system text: what the model is told before the question"          \
    }
#define GENERATION_THINKING(type, in)                                          \
    {"think",                                                                  \
     0,                                                                        \
     OPTION_CHOICE,                                                            \
     "on|off",                                                                 \
     GENERATION_AT(type, in, think),                                           \
     0,                                                                        \
     0,                                                                        \
     "think before answering, or not, where the model has the choice"},        \
    {                                                                          \
        "think-budget", 0, OPTION_COUNT, "N",                                  \
            GENERATION_AT(type, in, think_budget), 0, GENERATION_MAX_TOKENS,   \
            "close the thought after N tokens, then answer"                    \
    }
#define GENERATION_SAMPLING(type, in)                                          \
    {NULL,                                                                     \
     'n',                                                                      \
     OPTION_COUNT,                                                             \
     "N",                                                                      \
     GENERATION_AT(type, in, max_tokens),                                      \
     1,                                                                        \
     GENERATION_MAX_TOKENS,                                                    \
     "at most N tokens, thought and answer together"},                         \
        {"temp",                                                               \
         0,                                                                    \
         OPTION_REAL,                                                          \
         "X",                                                                  \
         GENERATION_AT(type, in, temperature),                                 \
         0,                                                                    \
         GENERATION_MAX_TEMPERATURE,                                           \
         "temperature; 0 always takes the most likely token"},                 \
        {"top-p",                                                              \
         0,                                                                    \
         OPTION_REAL,                                                          \
         "X",                                                                  \
         GENERATION_AT(type, in, top_p),                                       \
         0,                                                                    \
         1,                                                                    \
         "keep the likeliest tokens that together have this share"},           \
        {"top-k",                                                              \
         0,                                                                    \
         OPTION_COUNT,                                                         \
         "N",                                                                  \
         GENERATION_AT(type, in, top_k),                                       \
         0,                                                                    \
         2147483647,                                                           \
         "keep the N likeliest tokens; 0 keeps all"},                          \
        {"min-p",                                                              \
         0,                                                                    \
         OPTION_REAL,                                                          \
         "X",                                                                  \
         GENERATION_AT(type, in, min_p),                                       \
         0,                                                                    \
         1,                                                                    \
         "drop tokens below this share of the likeliest one"},                 \
        {"repeat-penalty",                                                     \
         0,                                                                    \
         OPTION_REAL,                                                          \
         "X",                                                                  \
         GENERATION_AT(type, in, repeat_penalty),                              \
         0.01,                                                                 \
         100,                                                                  \
         "make recent tokens less likely; 1 does not"},                        \
        {"seed",                                                               \
         0,                                                                    \
         OPTION_COUNT,                                                         \
         "N",                                                                  \
         GENERATION_AT(type, in, seed),                                        \
         0,                                                                    \
         GENERATION_MAX_SEED,                                                  \
         "the same seed gives the same answer again"},                         \
    {                                                                          \
        "stop", 0, OPTION_LIST, "TEXT", GENERATION_AT(type, in, stops), 0, 0,  \
            "end the answer before TEXT; may be given again"                   \
    }

/*
 * Checks what the tables cannot: lengths and UTF-8 of texts. *code is the exit
 * code of a failure.
 */
MUST_CHECK enum status generation_check(const struct generation *generation,
                                        int *code, struct error *err);

/* The request without messages; texts are borrowed from the options. */
struct generation_request {
    struct generate_request request;
    struct text stops[PROTOCOL_STOPS];
};
void generation_fill(struct generation_request *out,
                     const struct generation *generation);

struct text text_of(const char *bytes, size_t length);

#endif
