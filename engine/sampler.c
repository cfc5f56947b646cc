/*
 * Of a hundred thousand tokens a draw looks at a handful. All weights are
 * computed at once, by a kernel; those that the draw cannot reach are left
 * out; a heap sorts of the rest only as many as the draw walks over.
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
    const struct kernels *kernels;
    struct candidate *heap;   // (vocabulary)
    struct candidate *sorted; // (vocabulary): taken from the heap, in order
    float *logits;            // (vocabulary): penalised
    float *scaled;            // (vocabulary): over the temperature
    float *weights;           // (vocabulary)
};

enum status
sampler_open(struct sampler **out, size_t vocabulary, struct error *err)
{
    size_t candidates, bytes;
    void *memory;

    *out = NULL;
    if (!size_mul(&candidates, vocabulary, 2 * sizeof(struct candidate)) ||
        !size_mul(&bytes, vocabulary, 3 * sizeof(float)) ||
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
    sampler->scaled = sampler->logits + vocabulary;
    sampler->weights = sampler->scaled + vocabulary;
    sampler->kernels = kernels_select(cpu_level());
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

/* Says what is wrong with logits that have no largest. */
static enum status
refuse(const float *logits, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (isnan(logits[i]) || logits[i] > FLT_MAX)
            return error_set(err, STATUS_DEVICE,
                             "the model computed a number that is not finite: "
                             "logit %zu is %g",
                             i, (double) logits[i]);
    return error_set(err, STATUS_DEVICE, "the model computed no finite logit");
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
total_in_order(struct walk *walk)
{
    const struct candidate *candidate;
    double total = 0;

    for (size_t i = 0; (candidate = walk_at(walk, i)) != NULL; i++)
        total += (double) candidate->x;
    return total;
}

/* Divides by the temperature; returns how many are not -inf. */
static size_t
scale(const struct sampler *sampler, const float *logits, float temperature)
{
    size_t finite = 0;

    for (size_t i = 0; i < sampler->vocabulary; i++) {
        bool none = isinf(logits[i]);

        sampler->scaled[i] =
            none ? logits[i] : bounded(logits[i] / temperature);
        finite += !none;
    }
    return finite;
}

/* All weights, and their sum by ascending id. */
static double
weigh(const struct sampler *sampler, float first)
{
    double total = 0;

    sampler->kernels->exponentials(sampler->weights, sampler->scaled, first,
                                   sampler->vocabulary);
    for (size_t i = 0; i < sampler->vocabulary; i++)
        if (!isinf(sampler->scaled[i]))
            total += (double) sampler->weights[i];
    return total;
}

/* Makes a heap of the candidates with at least this weight. */
static void
fill_heap(struct walk *walk, const struct sampler *sampler, float least)
{
    for (size_t i = 0; i < sampler->vocabulary; i++)
        if (!isinf(sampler->scaled[i]) && sampler->weights[i] >= least)
            walk->heap[walk->heap_count++] =
                (struct candidate){sampler->scaled[i], (int32_t) i};
    for (size_t i = walk->heap_count / 2; i-- > 0;)
        sift_down(walk->heap, walk->heap_count, i);
}

/*
 * A weight below which the walk cannot come: either min-p ends it before, or
 * all such together weigh less than half of what is left behind `share`.
 */
static float
out_of_reach(double total, double share, double min_p, size_t count)
{
    return (float) fmax(0.5 * (1 - share) * total / (double) count,
                        0.999 * min_p);
}

/* Candidates in order; `share` of their weight is as far as it goes. */
static struct walk
walk_over(struct sampler *sampler, const float *logits, int32_t best,
          const struct sampling *rule, double share)
{
    struct walk walk = {.heap = sampler->heap, .sorted = sampler->sorted};
    size_t finite = scale(sampler, logits, (float) rule->temperature);

    walk.first = sampler->scaled[best];
    walk.limit = finite;
    if (rule->top_k == 0 || (uint64_t) rule->top_k >= finite) {
        walk.total = weigh(sampler, walk.first);
        fill_heap(&walk, sampler,
                  out_of_reach(walk.total, share, rule->min_p, finite));
        return walk;
    }
    walk.limit = (size_t) rule->top_k;
    memset(sampler->weights, 0, sampler->vocabulary * sizeof(float));
    fill_heap(&walk, sampler, 0);
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
    size_t count = sampler->vocabulary;
    argmax_fn *largest = sampler->kernels->argmax;

    *out = largest(logits, count);
    if (*out < 0 || logits[*out] > FLT_MAX)
        return refuse(logits, count, err);
    if (rule->repeat_penalty > 1 || rule->repeat_penalty < 1) {
        memcpy(sampler->logits, logits, count * sizeof *logits);
        penalise(sampler, (float) rule->repeat_penalty, recent, recent_count);
        logits = sampler->logits;
        *out = largest(logits, count);
    }
    if (rule->temperature < 1e-5)
        return STATUS_OK;

    bool cut = rule->top_p < 1 || rule->min_p > 0;
    double share = rule->top_p < 1 ? rule->top_p : cut ? 1 : u;
    struct walk walk = walk_over(sampler, logits, *out, rule, share);
    if (cut)
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
sampler_score(struct sampler *sampler, const float *logits, int32_t id,
              double *logprob, struct scored *best, size_t count)
{
    const struct kernels *kernels = sampler->kernels;
    float first = logits[kernels->argmax(logits, sampler->vocabulary)];
    double sum = 0;
    size_t held = 0;

    kernels->exponentials(sampler->weights, logits, first, sampler->vocabulary);
    for (size_t i = 0; i < sampler->vocabulary; i++) {
        struct scored scored = {(int32_t) i, (double) logits[i]};

        if (!isinf(logits[i]))
            sum += (double) sampler->weights[i];
        if (count > 0)
            held = insert(best, held, count, scored);
    }
    double shift = (double) first + log(sum); // only for people to read
    *logprob = (double) logits[id] - shift;
    for (size_t i = 0; i < held; i++)
        best[i].logprob -= shift;
    return held;
}
