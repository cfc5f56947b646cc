/* The audit chain: pages of events, each bound to the one before. */
#include "config.h"

#include "storage/vault_audit.h"
#include "storage/little_endian.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_EVENTS = 128 };

static const char BROKEN[] = "the audit chain is broken";

static enum status
event_mac(uint8_t out[ROOT_MAC_BYTES], const struct vault *vault,
          const struct audit_end *before, const struct audit_body *event,
          struct error *err)
{
    struct buffer bytes = {0};
    uint8_t numbers[20];
    enum status status;

    put_u64(numbers, event->number);
    put_u64(numbers + 8, event->time_ms);
    put_u32(numbers + 16, (uint32_t) event->event.length);
    status = buffer_append(&bytes, before->mac, sizeof before->mac, err);
    if (status == STATUS_OK)
        status = buffer_append(&bytes, numbers, sizeof numbers, err);
    if (status == STATUS_OK)
        status =
            buffer_append(&bytes, event->event.bytes, event->event.length, err);
    if (status == STATUS_OK)
        status = buffer_append(&bytes, event->detail.bytes,
                               event->detail.length, err);
    if (status == STATUS_OK)
        row_keys_audit_mac(out, vault->keys, bytes.data, bytes.length);
    buffer_release(&bytes);
    return status;
}

/* Reads the next event of a page and checks that it follows. */
static enum status
follow(struct audit_body *event, struct audit_end *end,
       const struct vault *vault, struct text item, struct error *err)
{
    uint8_t mac[ROOT_MAC_BYTES];

    if (audit_body_read(event, item.bytes, item.length, err) != STATUS_OK ||
        event->mac.length != sizeof mac || event->number != end->number + 1)
        return vault_alarm(vault, BROKEN, err);
    TRY(event_mac(mac, vault, end, event, err));
    if (!secret_equal(mac, event->mac.bytes, sizeof mac))
        return vault_alarm(vault, BROKEN, err);
    end->number = event->number;
    memcpy(end->mac, mac, sizeof end->mac);
    return STATUS_OK;
}

static enum status
read_page(struct items_body *out, struct buffer *bytes, struct vault *vault,
          size_t i, struct error *err)
{
    struct row_ref ref = row_ref_at(&vault->audits, i);

    TRY(vault_get(bytes, vault, ROW_AUDIT, NULL, &ref, err));
    if (items_body_read(out, bytes->data, bytes->length, err) != STATUS_OK)
        return vault_alarm(vault, BROKEN, err);
    return STATUS_OK;
}

enum status
vault_audit_page(struct items_body *out, struct buffer *bytes,
                 struct audit_end *end, struct vault *vault, size_t i,
                 struct error *err)
{
    struct audit_body event;
    struct text item, rest;

    TRY(read_page(out, bytes, vault, i, err));
    rest = out->items;
    while (items_next(&item, &rest))
        TRY(follow(&event, end, vault, item, err));
    return STATUS_OK;
}

/* The last page's items and where they end, without checking the chain. */
static enum status
last_page(struct buffer *items, struct audit_end *end, size_t *events,
          struct vault *vault, struct error *err)
{
    struct items_body page;
    struct audit_body event;
    struct text item, rest;

    TRY(read_page(&page, &vault->body, vault, row_ref_count(&vault->audits) - 1,
                  err));
    rest = page.items;
    while (items_next(&item, &rest)) {
        if (audit_body_read(&event, item.bytes, item.length, err) !=
                STATUS_OK ||
            event.mac.length != sizeof end->mac)
            return vault_alarm(vault, BROKEN, err);
        end->number = event.number;
        memcpy(end->mac, event.mac.bytes, sizeof end->mac);
        ++*events;
    }
    return buffer_append(items, page.items.bytes, page.items.length, err);
}

/* Writes the page of `items` in place of the last one, or behind it. */
static enum status
put_page(struct vault *vault, const struct buffer *items, bool another,
         struct error *err)
{
    struct items_body page = {{items->data, items->length}};
    struct row_ref ref = {.row = vault->next_row};
    size_t last;

    if (another) {
        TRY(row_ref_append(&vault->audits, &ref, err));
        vault->next_row++;
    }
    last = row_ref_count(&vault->audits) - 1;
    ref = row_ref_at(&vault->audits, last);
    buffer_clear(&vault->body);
    TRY(items_body_write(&vault->body, &page, err));
    TRY(vault_put(vault, ROW_AUDIT, NULL, &ref, err));
    row_ref_set(&vault->audits, last, &ref);
    return STATUS_OK;
}

static enum status
append_event(struct buffer *items, const struct vault *vault,
             const struct audit_end *end, struct audit_body *event,
             struct error *err)
{
    uint8_t mac[ROOT_MAC_BYTES];
    struct buffer body = {0};
    enum status status;

    event->number = end->number + 1;
    TRY(event_mac(mac, vault, end, event, err));
    event->mac = (struct text){(const char *) mac, sizeof mac};
    status = audit_body_write(&body, event, err);
    if (status == STATUS_OK)
        status =
            items_append(items, (struct text){body.data, body.length}, err);
    event->mac = (struct text){0}; // it pointed to our own
    buffer_release(&body);
    return status;
}

enum status
vault_audit_put(struct vault *vault, uint64_t time_ms, const char *event,
                const char *detail, struct error *err)
{
    struct audit_body body = {.time_ms = time_ms,
                              .event = {event, strlen(event)},
                              .detail = {detail, strlen(detail)}};
    struct audit_end end = {0};
    struct buffer items = {0};
    size_t events = 0;
    bool first = row_ref_count(&vault->audits) == 0, another;
    enum status status =
        first ? STATUS_OK : last_page(&items, &end, &events, vault, err);

    another = first || events >= PAGE_EVENTS;
    if (another)
        buffer_clear(&items);
    if (status == STATUS_OK)
        status = append_event(&items, vault, &end, &body, err);
    if (status == STATUS_OK)
        status = put_page(vault, &items, another, err);
    buffer_release(&items);
    return status;
}

enum status
vault_audit(struct vault *vault, const char *event, const char *detail,
            struct error *err)
{
    TRY(vault_begin(vault, err));
    return vault_end(
        vault, vault_audit_put(vault, clock_wall_ms(), event, detail, err),
        err);
}

/* Calls visit with strings, which items are not. */
static enum status
show_event(bool *more, const struct audit_body *event, vault_audit_fn *visit,
           void *context, struct error *err)
{
    struct buffer words = {0};
    size_t detail = event->event.length + 1;
    enum status status =
        buffer_append(&words, event->event.bytes, event->event.length, err);

    if (status == STATUS_OK)
        status = buffer_append(&words, "", 1, err);
    if (status == STATUS_OK)
        status = buffer_append(&words, event->detail.bytes,
                               event->detail.length, err);
    if (status == STATUS_OK)
        *more = visit(context, event->number, event->time_ms, words.data,
                      words.data + detail);
    buffer_release(&words);
    return status;
}

static enum status
show_page(bool *more, struct text items, vault_audit_fn *visit, void *context,
          struct error *err)
{
    struct audit_body event;
    struct text item;

    while (*more && items_next(&item, &items)) {
        TRY(audit_body_read(&event, item.bytes, item.length, err));
        TRY(show_event(more, &event, visit, context, err));
    }
    return STATUS_OK;
}

enum status
vault_each_audit(struct vault *vault, vault_audit_fn *visit, void *context,
                 struct error *err)
{
    struct audit_end end = {0};
    struct buffer bytes = {0};
    struct items_body page;
    bool more = true;
    enum status status = STATUS_OK;

    for (size_t i = 0;
         status == STATUS_OK && more && i < row_ref_count(&vault->audits);
         i++) {
        status = vault_audit_page(&page, &bytes, &end, vault, i, err);
        if (status == STATUS_OK)
            status = show_page(&more, page.items, visit, context, err);
    }
    buffer_release(&bytes);
    return status;
}
