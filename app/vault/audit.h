/*
 * What is recorded of a vault: events without content, in its audit chain.
 * Where the policy says audit = required, what cannot be recorded must not
 * happen.
 */
#ifndef FATHOM_APP_AUDIT_H
#define FATHOM_APP_AUDIT_H

#include "storage/storage.h"

/*
 * Records an event, a word or two of ours; `detail` names no text of a chat.
 * `vault` NULL: none is open. STATUS_DENIED: it cannot be recorded and must be;
 * elsewhere such a failure is logged, and is none.
 */
MUST_CHECK enum status audit_record(struct vault *vault, const char *event,
                                    const char *detail, struct error *err);

/* What the policy has refused, where a vault is open to take it; or it is NULL.
 */
void audit_refusal(struct vault *vault, const char *rule);

/* How a vault is opened only to be read: for writing where that is recorded. */
enum vault_access audit_reading(void);

/* -- exported events, a JSON object a line ----------------------------------
 */

enum { AUDIT_CHAIN_BYTES = 32 };

/* Each line is bound to all before it: BLAKE2b-256 of the link and the line. */
struct audit_chain {
    uint64_t number; // of the last event; 0: none
    uint8_t link[AUDIT_CHAIN_BYTES];
};

/* Appends a line with its link. */
MUST_CHECK enum status audit_chain_write(struct buffer *out,
                                         struct audit_chain *chain,
                                         uint64_t number, uint64_t time_ms,
                                         const char *event, const char *detail,
                                         struct error *err);
/*
 * Follows a line, without its line feed. STATUS_INTEGRITY: it was changed, or
 * is not the one that follows.
 */
MUST_CHECK enum status audit_chain_follow(struct audit_chain *chain,
                                          const char *line, size_t length,
                                          struct error *err);

#endif
