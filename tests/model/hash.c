/* See hash.h. */
#include "config.h"

#include "tests/model/hash.h"

#include <assert.h>
#include <stdlib.h>

static void
hash_add(uint64_t *hash, const float *logits, size_t count)
{
    const unsigned char *bytes = (const unsigned char *) logits;

    for (size_t i = 0; i < count * sizeof *logits; i++)
        *hash = (*hash ^ bytes[i]) * 0x100000001b3;
}

static enum status
hash_tokens(struct forward *forward, float *logits, size_t vocabulary,
            const int32_t *prompt, size_t prompt_tokens, const int32_t *sampled,
            size_t sampled_tokens, uint64_t *hash, struct error *err)
{
    *hash = 0xcbf29ce484222325;
    TRY(forward_prompt(forward, prompt, prompt_tokens, logits, NULL, NULL, NULL,
                       err));
    hash_add(hash, logits, vocabulary);
    for (size_t t = 0; t < sampled_tokens; t++) {
        TRY(forward_token(forward, sampled[t], logits, err));
        hash_add(hash, logits, vocabulary);
    }
    return STATUS_OK;
}

enum status
hash_run(struct model *model, const struct forward_options *options,
         const int32_t *prompt, size_t prompt_tokens, const int32_t *sampled,
         size_t sampled_tokens, uint64_t *hash, struct error *err)
{
    struct forward *forward;
    float *logits = malloc(model->shape.vocabulary * sizeof *logits);

    assert(logits != NULL);
    enum status status = forward_open(&forward, model, options, err);
    if (status == STATUS_OK)
        status = hash_tokens(forward, logits, model->shape.vocabulary, prompt,
                             prompt_tokens, sampled, sampled_tokens, hash, err);
    if (status == STATUS_OK)
        forward_close(forward);
    free(logits);
    return status;
}
