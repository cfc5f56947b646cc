/*
 * The models of doc/forward.md, appendix B: random weights from a counter, so
 * that their logits can be published as a few constants. Built in memory with
 * F32 weights, for a device whose memory the host can touch.
 */
#ifndef FATHOM_TESTS_MODEL_TINY_MODELS_H
#define FATHOM_TESTS_MODEL_TINY_MODELS_H

#include "engine/engine.h"
#include "tests/model/oracle.h"

enum { TINY_MODELS = 7, TINY_TOKENS = 12 };

extern const int32_t tiny_ids[TINY_TOKENS];

struct tiny_model {
    char name; // 'A' .. 'G'
    struct model model;
    bool has_mtp;
    struct oracle_mtp mtp; // model C
    size_t tensors;        // that were made
    void *memory[512];     // of the tensors
};

/* Makes model number i of A .. G on `device`. The caller closes it. */
struct tiny_model *tiny_model_open(size_t i, struct device *device);
void tiny_model_close(struct tiny_model *tiny);

#endif
