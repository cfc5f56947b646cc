/* Recording, and the chain of what is exported. */
#include "config.h"

#include "app/vault/audit.h"

#include "app/policy.h"
#include "app/report.h"
#include "app/time_text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define LINK ",\"chain\":\""
#define LINE_END "\"}"

enum { HEX_CHARACTERS = 2 * AUDIT_CHAIN_BYTES };

enum status
audit_record(struct vault *vault, const char *event, const char *detail,
             struct error *err)
{
    struct error why;

    if (vault == NULL)
        error_fill(&why, STATUS_DENIED, "no vault is open");
    else if (vault_audit(vault, event, detail, &why) == STATUS_OK)
        return STATUS_OK;
    if (policy_requires_audit())
        return error_set(err, STATUS_DENIED,
                         "it cannot be recorded (%.600s), and the policy in %s "
                         "asks for that (audit = required)",
                         why.text, policy_path());
    log_warn("the event %s is not recorded: %s", event, why.text);
    return STATUS_OK;
}

void
audit_refusal(struct vault *vault, const char *rule)
{
    struct error err;

    if (vault && vault_audit(vault, "refused", rule, &err) != STATUS_OK)
        log_warn("a refusal is not recorded: %s", err.text);
}

enum vault_access
audit_reading(void)
{
    return policy_requires_audit() ? VAULT_WRITE : VAULT_READ;
}

/* -- exported events ---------------------------------------------------------
 */

static void
next_link(struct audit_chain *chain, const char *line, size_t length)
{
    struct blake2b hash;

    blake2b_init(&hash, AUDIT_CHAIN_BYTES);
    blake2b_update(&hash, chain->link, AUDIT_CHAIN_BYTES);
    blake2b_update(&hash, line, length);
    blake2b_final(&hash, chain->link);
}

static void
link_text(char out[HEX_CHARACTERS + 1], const struct audit_chain *chain)
{
    for (size_t i = 0; i < AUDIT_CHAIN_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", chain->link[i]);
}

enum status
audit_chain_write(struct buffer *out, struct audit_chain *chain,
                  uint64_t number, uint64_t time_ms, const char *event,
                  const char *detail, struct error *err)
{
    char when[TIME_TEXT], link[HEX_CHARACTERS + 1];
    size_t start = out->length;
    json_t *object = json_pack("{s:I, s:s, s:s, s:s}", "n", (json_int_t) number,
                               "time", time_text_utc(when, time_ms), "event",
                               event, "detail", detail);

    if (object == NULL)
        return error_set(err, STATUS_FORMAT,
                         "event %llu cannot be written as JSON",
                         (unsigned long long) number);
    TRY(report_print(out, object, false, err));
    // the object's end makes room for the link
    assert(out->length - start > 2);
    out->length -= 2;
    next_link(chain, out->data + start, out->length - start);
    chain->number = number;
    link_text(link, chain);
    return buffer_print(out, err, LINK "%s" LINE_END "\n", link);
}

static enum status
check_number(struct audit_chain *chain, const char *line, struct error *err)
{
    unsigned long long number = 0;

    if (sscanf(line, "{\"n\":%llu,", &number) != 1 ||
        number != chain->number + 1)
        return error_set(err, STATUS_INTEGRITY,
                         "event %llu is missing or out of order",
                         (unsigned long long) chain->number + 1);
    chain->number = number;
    return STATUS_OK;
}

enum status
audit_chain_follow(struct audit_chain *chain, const char *line, size_t length,
                   struct error *err)
{
    size_t tail = strlen(LINK) + HEX_CHARACTERS + strlen(LINE_END);
    char link[HEX_CHARACTERS + 1], copy[40];

    snprintf(copy, sizeof copy, "%.*s", (int) (length < 39 ? length : 39),
             line);
    TRY(check_number(chain, copy, err));
    if (length > tail)
        next_link(chain, line, length - tail);
    link_text(link, chain);
    if (length <= tail ||
        memcmp(line + length - tail, LINK, strlen(LINK)) != 0 ||
        memcmp(line + length - tail + strlen(LINK), link, HEX_CHARACTERS) !=
            0 ||
        memcmp(line + length - strlen(LINE_END), LINE_END, strlen(LINE_END)) !=
            0)
        return error_set(err, STATUS_INTEGRITY,
                         "event %llu was changed, or one before it",
                         (unsigned long long) chain->number);
    return STATUS_OK;
}
