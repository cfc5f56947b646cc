/*
 * engine: runs models, as a process of its own. This is the folder's door.
 *
 * A model's way: gguf.h reads the container; arch/ reads the shape and checks
 * every tensor against it; model.h holds both and loads the weights where a
 * device wants them; tokenizer.h and prompt.h turn a conversation into token
 * ids; forward.h turns ids into logits through device/; sampler.h picks a
 * token; session.h joins them for one conversation; server.h speaks frames.
 *
 *   gguf.h       model files: metadata and tensor table, validated
 *   model.h      shape, weights, description of one model
 *   arch/        one file an architecture: shape, tensors, forward pass
 *   device/      struct device: memory and one slot an operation; the CPU
 *   experts/     where experts lie; asked for, leased, given back
 *   kv_cache.h   keys and values, or latents, of one conversation
 *   forward.h    token ids to logits; workspace.h: the memory of one pass
 *   tokenizer.h  text to token ids and back; detokenizer.h: a stream of ids
 *   prompt.h     conversations to token ids, by model family
 *   sampler.h    logits to a token
 *   loop_finder.h  notices text that repeats itself
 *   session.h    one conversation; channels.h divides thought from answer
 *   ready.h      a model file made ready as far as a request needs it
 *   server.h     the frame loop; warm.h: its rendezvous
 */
#ifndef FATHOM_ENGINE_ENGINE_H
#define FATHOM_ENGINE_ENGINE_H

#include "engine/arch/arch.h"
#include "engine/channels.h"
#include "engine/detokenizer.h"
#include "engine/device/device.h"
#include "engine/experts/experts.h"
#include "engine/forward.h"
#include "engine/gguf.h"
#include "engine/kv_cache.h"
#include "engine/model.h"
#include "engine/prompt.h"
#include "engine/ready.h"
#include "engine/sampler.h"
#include "engine/session.h"
#include "engine/tokenizer.h"

#endif
