/*
 * What the chat has measured and keeps for its gauges: the experts used of
 * late, the steps of a load, the figures of recent answers. They are taken
 * from the engine's events as these come, whatever is on the screen, live in
 * memory only and are wiped when the chat is another or the vault locks:
 * which experts were used tells what was said. The main thread only.
 */
#ifndef FATHOM_APP_GAUGES_H
#define FATHOM_APP_GAUGES_H

#include "base/protocol.h"

/* An engine starts; `path` is its model's file. */
void gauges_start(const char *path, uint64_t now_ns);
/* The model is checked against its manifest, and what came of it. */
void gauges_checked(bool checked, const char *signer, uint64_t now_ns);
/* An event of any request. */
void gauges_take(const struct event *event, uint64_t now_ns);
/* Another chat, or the vault locks: what was read and said is forgotten. */
void gauges_forget(void);

#endif
