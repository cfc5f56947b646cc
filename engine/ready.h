/*
 * A model file made ready, as far as a request needs it: its vocabulary, its
 * shape, or all weights on a device. The tokenizer is built while the weights
 * are read.
 * Threads: belongs to one, which also runs the model; listeners are called
 * from reading threads.
 */
#ifndef FATHOM_ENGINE_READY_H
#define FATHOM_ENGINE_READY_H

#include "base/protocol.h"
#include "engine/device/device.h"
#include "engine/forward.h"
#include "engine/prompt.h"
#include "engine/session.h"

struct ready;

struct ready_options {
    const char *path;
    size_t context_tokens; // 0: the model's own, or what memory suffices for
    unsigned threads;      // 0: one a processor
    enum cache_type cache;
    bool groups_from_file;
};

struct ready_listener {
    void *context;
    void (*progress)(void *context, enum progress_phase phase, uint64_t done,
                     uint64_t of);
};

/* Touches no file; `options` is copied, its path lent. */
MUST_CHECK enum status ready_open(struct ready **out,
                                  const struct ready_options *options,
                                  struct error *err);
void ready_close(struct ready *ready); // takes NULL

/*
 * Goes on to `depth`, at once when it is there already. After a failure or a
 * cancel all is as before, and it may be tried again. STATUS_LIMIT or
 * STATUS_NOMEM: too large for this machine.
 */
MUST_CHECK enum status ready_to(struct ready *ready, enum open_depth depth,
                                const struct ready_listener *listener,
                                const _Atomic bool *cancel, struct error *err);

/* What `fathom ask` ends with when ready_to has failed. */
int ready_exit(const struct ready *ready, enum status status);

const struct tokenizer *ready_tokenizer(const struct ready *ready); // or NULL
const struct model *ready_model(const struct ready *ready);         // or NULL
const struct device *ready_device(const struct ready *ready);       // or NULL
/* With all weights: what sessions need; else NULL. */
const struct session_model *ready_sessions(const struct ready *ready);

/* How the model is to be asked. Filled as far as the depth allows. */
struct model_summary ready_summary(const struct ready *ready);

/*
 * What is held for the model, or will be once it is loaded; it has a shape.
 * A model too large for the machine has a plan too, which does not fit.
 */
MUST_CHECK enum status ready_plan(struct ready *ready, struct engine_plan *out,
                                  struct error *err);

/* Milliseconds that reading the weights and building the tokenizer took. */
double ready_read_ms(const struct ready *ready);
double ready_tokenizer_ms(const struct ready *ready);

/* With all weights: what memory gives, a second (model_read_speed). */
uint64_t ready_bandwidth_bytes(const struct ready *ready);

#endif
