/*
 * Fields of JSON objects from outside, read with checks. An absent or null
 * field leaves *out as it is; one of the wrong kind fails with STATUS_FORMAT
 * and a sentence that names it, one beyond its range with STATUS_LIMIT.
 * Internal to the messages (request.c, event.c).
 */
#ifndef FATHOM_BASE_FIELD_H
#define FATHOM_BASE_FIELD_H

#include "base/protocol.h"

#include <jansson.h>

/* See protocol_start. */
void field_start(void);

/* Parses bytes that must be one object; the caller owns *out. */
MUST_CHECK enum status field_object(json_t **out, const char *bytes,
                                    size_t length, struct error *err);
/*
 * Appends `object` as a frame and gives it back; NULL stands for an object
 * that memory did not suffice for.
 */
MUST_CHECK enum status field_frame(struct buffer *out, enum message_type type,
                                   uint64_t number, json_t *object,
                                   struct error *err);

MUST_CHECK enum status field_bool(const json_t *object, const char *name,
                                  bool *out, struct error *err);
MUST_CHECK enum status field_integer(const json_t *object, const char *name,
                                     int64_t least, int64_t most, int64_t *out,
                                     struct error *err);
/* A count: 0 to 2^63 - 1. */
MUST_CHECK enum status field_count(const json_t *object, const char *name,
                                   uint64_t *out, struct error *err);
MUST_CHECK enum status field_real(const json_t *object, const char *name,
                                  double least, double most, double *out,
                                  struct error *err);
/* One of `count` words; *out is its index. */
MUST_CHECK enum status field_word(const json_t *object, const char *name,
                                  const char *const *words, size_t count,
                                  int *out, struct error *err);
/* Text, lent by the object. */
MUST_CHECK enum status field_text(const json_t *object, const char *name,
                                  struct text *out, struct error *err);
/* The same for text that cannot hold NUL. */
MUST_CHECK enum status field_string(const json_t *object, const char *name,
                                    const char **out, struct error *err);
/* Bytes written in base64, appended; at most `most`. */
MUST_CHECK enum status field_bytes(const json_t *object, const char *name,
                                   size_t most, struct buffer *out,
                                   struct error *err);
/* An array of at most `most` elements, or NULL. */
MUST_CHECK enum status field_array(const json_t *object, const char *name,
                                   size_t most, const json_t **out,
                                   struct error *err);
/* An object within the object; an empty one where it is absent. */
MUST_CHECK enum status field_inner(const json_t *object, const char *name,
                                   const json_t **out, struct error *err);

/* A JSON number, or null for what JSON cannot say (NAN, infinities). */
json_t *field_of_real(double value);
/* A JSON string of repaired UTF-8; null for NULL. */
json_t *field_of_text(const char *bytes, size_t length);

/* A JSON string of base64. */
MUST_CHECK enum status field_of_bytes(json_t **out, const void *bytes,
                                      size_t length, struct error *err);

/* `sampling` as an object without what is absent, and back. */
json_t *field_of_sampling(const struct sampling *sampling);
MUST_CHECK enum status field_sampling(const json_t *object, const char *name,
                                      struct sampling *out, struct error *err);

#endif
