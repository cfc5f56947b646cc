/* For each period, how many tokens in a row were equal to the one before it. */
#include "config.h"

#include "engine/loop_finder.h"

#include <stdlib.h>
#include <string.h>

enum {
    REPEATS = 4,
    RICH_WORDS = 5, // in a period of sentences
    FEW_WORDS = 3,
    RICH_TOKENS = 160,
    FEW_TOKENS = 400,
    POOR_TOKENS = 1200,
};

struct loop_finder {
    // the last LOOP_PERIOD tokens, the oldest first, lie from `first` on; each
    // is written twice, so that they are in one piece wherever they begin
    int32_t ids[2 * LOOP_PERIOD]; // -1: none yet
    bool words[2 * LOOP_PERIOD];
    size_t first;
    // [i] is of the period that reaches back to the i-th of them
    uint32_t equal[LOOP_PERIOD]; // tokens in a row
    uint32_t least[LOOP_PERIOD]; // of them in a loop of sentences
    size_t inside;               // period of the loop at hand, or 0
};

static size_t
index_of(size_t period)
{
    return LOOP_PERIOD - period;
}

/* Tokens in a row that make a loop of `total` tokens. */
static uint32_t
equal_in(size_t period, size_t total)
{
    size_t most = REPEATS * period > total ? REPEATS * period : total;

    return (uint32_t) (most - period);
}

enum status
loop_finder_open(struct loop_finder **out, struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    *out = memory;
    loop_finder_reset(*out);
    for (size_t period = 1; period <= LOOP_PERIOD; period++)
        (*out)->least[index_of(period)] = equal_in(period, RICH_TOKENS);
    return STATUS_OK;
}

void
loop_finder_reset(struct loop_finder *finder)
{
    memset(finder->ids, -1, sizeof finder->ids);
    explicit_bzero(finder->words, sizeof finder->words);
    memset(finder->equal, 0, sizeof finder->equal);
    finder->first = finder->inside = 0;
}

void
loop_finder_close(struct loop_finder *finder)
{
    if (finder == NULL)
        return;
    explicit_bzero(finder, sizeof *finder);
    free(finder);
}

/* Compares the token with those before it; true when a loop may be there. */
static bool
compare(struct loop_finder *finder, int32_t id)
{
    const int32_t *ids = finder->ids + finder->first;
    uint32_t *equal = finder->equal;
    uint32_t any = 0;

    for (size_t i = 0; i < LOOP_PERIOD; i++) {
        equal[i] = ids[i] == id ? equal[i] + 1 : 0;
        any |= equal[i] >= finder->least[i];
    }
    return any != 0;
}

static void
keep(struct loop_finder *finder, int32_t id, bool word)
{
    finder->ids[finder->first] = finder->ids[finder->first + LOOP_PERIOD] = id;
    finder->words[finder->first] = finder->words[finder->first + LOOP_PERIOD] =
        word;
    finder->first = (finder->first + 1) % LOOP_PERIOD;
}

/* Different words among the last tokens, counted up to RICH_WORDS. */
static size_t
count_words(const struct loop_finder *finder, size_t period)
{
    const int32_t *ids = finder->ids + finder->first;
    const bool *words = finder->words + finder->first;
    int32_t found[RICH_WORDS];
    size_t count = 0;

    for (size_t i = index_of(period); i < LOOP_PERIOD && count < RICH_WORDS;
         i++) {
        size_t known = 0;

        while (known < count && found[known] != ids[i])
            known++;
        if (words[i] && known == count)
            found[count++] = ids[i];
    }
    return count;
}

static size_t
tokens_of_loop(size_t words)
{
    if (words >= RICH_WORDS)
        return RICH_TOKENS;
    return words >= FEW_WORDS ? FEW_TOKENS : POOR_TOKENS;
}

/* The shortest period that repeats itself for long enough, or 0. */
static size_t
shortest(const struct loop_finder *finder)
{
    size_t period = 1;

    while (period <= LOOP_PERIOD &&
           finder->equal[index_of(period)] < finder->least[index_of(period)])
        period++;
    return period <= LOOP_PERIOD ? period : 0;
}

bool
loop_finder_push(struct loop_finder *finder, int32_t id, bool word,
                 struct loop *out)
{
    bool candidate = compare(finder, id);

    keep(finder, id, word);
    if (finder->inside != 0 && finder->equal[index_of(finder->inside)] == 0)
        finder->inside = 0;
    if (!candidate || finder->inside != 0)
        return false;
    size_t period = shortest(finder);
    size_t equal = finder->equal[index_of(period)];
    size_t need = tokens_of_loop(count_words(finder, period));
    if (equal < equal_in(period, need))
        return false;
    finder->inside = period;
    *out = (struct loop){period, (equal + period) / period};
    return true;
}
