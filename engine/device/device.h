/*
 * A device: memory, and one slot an operation. The forward pass is written
 * once against this; the CPU is the first device, CUDA the second.
 *
 * Rules that keep both possible: operations are enqueued in order on one
 * stream and may not have finished when they return, until device_wait;
 * buffers are device memory, touched by the host only through upload and
 * download; position, length and token of a step live in device memory
 * (struct step), so that every decode step is the same list of calls; the
 * forward never sees an expert id; failures inside operations (a non-finite
 * number, a lost expert) are sticky and reported by device_wait.
 */
#ifndef FATHOM_ENGINE_DEVICE_DEVICE_H
#define FATHOM_ENGINE_DEVICE_DEVICE_H

#include "base/base.h"
#include "kernels/kernels.h"

struct device;
struct step;

#endif
