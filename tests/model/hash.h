/* One number for all logits of a run. */
#ifndef FATHOM_TESTS_MODEL_HASH_H
#define FATHOM_TESTS_MODEL_HASH_H

#include "engine/engine.h"

/*
 * FNV-1a over the bits of the logits after the prompt and after each of the
 * sampled tokens.
 */
MUST_CHECK enum status hash_run(struct model *model,
                                const struct forward_options *options,
                                const int32_t *prompt, size_t prompt_tokens,
                                const int32_t *sampled, size_t sampled_tokens,
                                uint64_t *hash, struct error *err);

#endif
