/*
 * One request to the engine of a model, for the commands that only look:
 * model info and tokenize. The engine is found warm or started and ended.
 */
#ifndef FATHOM_APP_EXCHANGE_H
#define FATHOM_APP_EXCHANGE_H

#include "app/client.h"

/*
 * What happens with an event of the request; a failure ends the exchange,
 * as DONE does afterwards.
 */
typedef enum status exchange_fn(void *context, const struct event *event,
                                struct error *err);

/*
 * Waits for the end of request `number`, which was put into the client's
 * outgoing buffer. Progress goes to standard error. *code is the exit code of
 * a failure.
 */
MUST_CHECK enum status exchange_wait(struct client *client, uint64_t number,
                                     exchange_fn *take, void *context,
                                     int *code, struct error *err);

/* Finds the model and its engine; *code as above. */
MUST_CHECK enum status exchange_open(struct client **out, const char *model,
                                     int *code, struct error *err);

#endif
