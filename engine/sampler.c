/*
 * A heap over the candidates: only as many are sorted as the draw walks over,
 * a handful of a hundred thousand.
 */
#include "config.h"

#include "engine/sampler.h"

#include "kernels/kernels.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct candidate {
    float x; // penalised logit over temperature; in order: its weight
    int32_t id;
};

struct sampler {
    size_t vocabulary;
    struct candidate *heap;   // (vocabulary)
    struct candidate *sorted; // (vocabulary): taken from the heap, in order
    float *logits;            // (vocabulary): penalised
};

enum status
sampler_open(struct sampler **out, size_t vocabulary, struct error *err)
{
    size_t candidates, bytes;
    void *memory;

    *out = NULL;
    if (!size_mul(&candidates, vocabulary, 2 * sizeof(struct candidate)) ||
        !size_mul(&bytes, vocabulary, sizeof(float)) ||
        !size_add(&bytes, bytes, candidates) ||
        !size_add(&bytes, bytes, sizeof **out))
        return error_set(err, STATUS_LIMIT, "a vocabulary of %zu tokens",
                         vocabulary);
    TRY(memory_alloc(&memory, bytes, err));
    struct sampler *sampler = memory;
    sampler->vocabulary = vocabulary;
    sampler->heap = (void *) (sampler + 1);
    sampler->sorted = sampler->heap + vocabulary;
    sampler->logits = (void *) (sampler->sorted + vocabulary);
    *out = sampler;
    return STATUS_OK;
}

void
sampler_close(struct sampler *sampler)
{
    free(sampler);
}

/* The output function of splitmix64. */
static uint64_t
mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

double
sampler_uniform(uint64_t seed, uint64_t position)
{
    uint64_t step = 0x9e3779b97f4a7c15u;

    return (double) (mix(mix(seed + step) + (position + 1) * step) >> 11) *
           0x1p-53;
}

/* -- penalties and the greedy choice --------------------------------------- */

static enum status
check_finite(const float *logits, size_t count, struct error *err)
{
    bool some = false;

    for (size_t i = 0; i < count; i++) {
        if (isnan(logits[i]) || logits[i] > FLT_MAX)
            return error_set(err, STATUS_DEVICE,
                             "the model computed a number that is not finite: "
                             "logit %zu is %g",
                             i, (double) logits[i]);
        some |= !isinf(logits[i]);
    }
    if (!some)
        return error_set(err, STATUS_DEVICE,
                         "the model computed no finite logit");
    return STATUS_OK;
}

/* What arithmetic made infinite counts as the largest number there is. */
static float
bounded(float x)
{
    return x > FLT_MAX ? FLT_MAX : x < -FLT_MAX ? -FLT_MAX : x;
}

static bool
seen_before(const int32_t *recent, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (recent[j] == recent[i])
            return true;
    return false;
}

static void
penalise(const struct sampler *sampler, float penalty, const int32_t *recent,
         size_t count)
{
    if (count > SAMPLER_WINDOW) {
        recent += count - SAMPLER_WINDOW;
        count = SAMPLER_WINDOW;
    }
    for (size_t i = 0; i < count; i++) {
        assert(recent[i] >= 0 && (size_t) recent[i] < sampler->vocabulary);
        float *logit = &sampler->logits[recent[i]];

        if (!isinf(*logit) && !seen_before(recent, i))
            *logit = bounded(*logit > 0 ? *logit / penalty : *logit * penalty);
    }
}

static int32_t
largest(const float *logits, size_t count)
{
    size_t best = 0;

    for (size_t i = 1; i < count; i++)
        if (logits[i] > logits[best])
            best = i;
    return (int32_t) best;
}

/* -- candidates in order --------------------------------------------------- */

static bool
before(struct candidate a, struct candidate b)
{
    return a.x > b.x || (a.x >= b.x && a.id < b.id);
}

static void
sift_down(struct candidate *heap, size_t count, size_t i)
{
    struct candidate moving = heap[i];

    for (;;) {
        size_t child = 2 * i + 1;

        if (child + 1 < count && before(heap[child + 1], heap[child]))
            child++;
        if (child >= count || !before(heap[child], moving))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = moving;
}

/* The next in order leaves the heap. */
static struct candidate
take(struct candidate *heap, size_t *count)
{
    struct candidate top = heap[0];

    heap[0] = heap[--*count];
    if (*count > 0)
        sift_down(heap, *count, 0);
    return top;
}

/* Candidates in order with their weights, sorted as far as was asked for. */
struct walk {
    struct candidate *heap, *sorted;
    size_t heap_count, sorted_count;
    size_t limit; // top-k
    float first;  // the largest x
    double total; // weight of all that top-k leaves
};

/* Candidate i in order, x being its weight; NULL when there are no more. */
static const struct candidate *
walk_at(struct walk *walk, size_t i)
{
    if (i >= walk->limit)
        return NULL;
    while (walk->sorted_count <= i) {
        if (walk->heap_count == 0)
            return NULL;
        struct candidate next = take(walk->heap, &walk->heap_count);

        next.x = exp_c(next.x - walk->first);
        walk->sorted[walk->sorted_count++] = next;
    }
    return &walk->sorted[i];
}

static double
total_by_id(const struct walk *walk) // while the heap is in order of ids
{
    double total = 0;

    for (size_t i = 0; i < walk->heap_count; i++)
        total += (double) exp_c(walk->heap[i].x - walk->first);
    return total;
}

static double
total_in_order(struct walk *walk)
{
    const struct candidate *candidate;
    double total = 0;

    for (size_t i = 0; (candidate = walk_at(walk, i)) != NULL; i++)
        total += (double) candidate->x;
    return total;
}

/* All candidates but those of -inf, divided by the temperature. */
static struct walk
walk_over(struct sampler *sampler, float temperature, int64_t top_k)
{
    struct walk walk = {.heap = sampler->heap, .sorted = sampler->sorted};

    for (size_t i = 0; i < sampler->vocabulary; i++)
        if (!isinf(sampler->logits[i])) {
            float x = bounded(sampler->logits[i] / temperature);

            if (walk.heap_count == 0 || x > walk.first)
                walk.first = x;
            walk.heap[walk.heap_count++] = (struct candidate){x, (int32_t) i};
        }
    bool all = top_k == 0 || (uint64_t) top_k >= walk.heap_count;
    walk.limit = all ? walk.heap_count : (size_t) top_k;
    if (all)
        walk.total = total_by_id(&walk);
    for (size_t i = walk.heap_count / 2; i-- > 0;)
        sift_down(walk.heap, walk.heap_count, i);
    if (!all)
        walk.total = total_in_order(&walk);
    return walk;
}

/* -- the draw -------------------------------------------------------------- */

/* Cuts the walk by top-p and min-p; the total is then of what is left. */
static void
truncate_walk(struct walk *walk, double top_p, double min_p)
{
    const struct candidate *candidate;
    double enough = top_p < 1 ? top_p * walk->total : HUGE_VAL, sum = 0;
    size_t kept = 0;

    while ((candidate = walk_at(walk, kept)) != NULL) {
        if (kept > 0 && (double) candidate->x < min_p)
            break; // the largest weight is 1
        sum += (double) candidate->x;
        kept++;
        if (sum >= enough)
            break;
    }
    walk->limit = kept;
    walk->total = sum;
}

static int32_t
draw(struct walk *walk, double u)
{
    const struct candidate *candidate;
    double sum = 0, target = u * walk->total;
    int32_t last = 0;

    for (size_t i = 0; (candidate = walk_at(walk, i)) != NULL; i++) {
        sum += (double) candidate->x;
        last = candidate->id;
        if (sum > target)
            break;
    }
    return last;
}

enum status
sampler_pick(struct sampler *sampler, const struct sampling *rule,
             const float *logits, const int32_t *recent, size_t recent_count,
             double u, int32_t *out, struct error *err)
{
    TRY(check_finite(logits, sampler->vocabulary, err));
    memcpy(sampler->logits, logits, sampler->vocabulary * sizeof *logits);
    penalise(sampler, (float) rule->repeat_penalty, recent, recent_count);
    if (rule->temperature < 1e-5) {
        *out = largest(sampler->logits, sampler->vocabulary);
        return STATUS_OK;
    }

    struct walk walk =
        walk_over(sampler, (float) rule->temperature, rule->top_k);
    if (rule->top_p < 1 || rule->min_p > 0)
        truncate_walk(&walk, rule->top_p, rule->min_p);
    *out = draw(&walk, u);
    return STATUS_OK;
}

/* -- log-probabilities ----------------------------------------------------- */

/* Puts a candidate into the best ones if it is among them. */
static size_t
insert(struct scored *best, size_t held, size_t count, struct scored scored)
{
    if (held == count && !(scored.logprob > best[count - 1].logprob))
        return held;
    size_t i = held < count ? held++ : count - 1;

    // behind its equals, whose ids are lower
    for (; i > 0 && scored.logprob > best[i - 1].logprob; i--)
        best[i] = best[i - 1];
    best[i] = scored;
    return held;
}

size_t
sampler_score(const struct sampler *sampler, const float *logits, int32_t id,
              double *logprob, struct scored *best, size_t count)
{
    float first = logits[largest(logits, sampler->vocabulary)];
    double sum = 0;
    size_t held = 0;

    for (size_t i = 0; i < sampler->vocabulary; i++) {
        struct scored scored = {(int32_t) i, (double) logits[i]};

        if (!isinf(logits[i]))
            sum += (double) exp_c(logits[i] - first);
        if (count > 0)
            held = insert(best, held, count, scored);
    }
    double shift = (double) first + log(sum); // only for people to read
    *logprob = (double) logits[id] - shift;
    for (size_t i = 0; i < held; i++)
        best[i].logprob -= shift;
    return held;
}
