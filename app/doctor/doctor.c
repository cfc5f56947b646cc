/* Findings are JSON objects from the start; lines are made of them. */
#include "config.h"

#include "app/doctor/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 80, INDENT = 6, TEXT_BYTES = 1400 };

enum status
findings_init(struct findings *findings, struct error *err)
{
    *findings = (struct findings){.list = json_array()};
    return findings->list != NULL
               ? STATUS_OK
               : error_set(err, STATUS_NOMEM, "out of memory for findings");
}

void
findings_release(struct findings *findings)
{
    json_decref(findings->list);
    findings->list = NULL;
}

void
findings_add(struct findings *findings, const char *check, const char *advice,
             const char *format, ...)
{
    char text[TEXT_BYTES], safe[TEXT_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_quote(safe, sizeof safe, text, strlen(text));
    json_array_append_new(findings->list,
                          json_pack("{s:s, s:s, s:s, s:s?}", "check", check,
                                    "state", advice ? "warn" : "ok", "text",
                                    safe, "advice", advice));
    findings->warnings += advice != NULL;
}

/* Appends words; a line that is full goes on in column INDENT of the next. */
static enum status
add_words(struct buffer *out, size_t *column, const char *text,
          struct error *err)
{
    while (*text != '\0') {
        size_t blanks = strspn(text, " ");
        size_t word = strcspn(text + blanks, " ");

        if (*column > INDENT && *column + blanks + word > COLUMNS) {
            TRY(buffer_print(out, err, "\n%*s", INDENT, ""));
            *column = INDENT;
            text += blanks;
            blanks = 0;
        }
        TRY(buffer_append(out, text, blanks + word, err));
        *column += blanks + word;
        text += blanks + word;
    }
    return STATUS_OK;
}

static enum status
add_finding(struct buffer *out, const json_t *finding, struct error *err)
{
    const char *state = json_string_value(json_object_get(finding, "state"));
    const char *check = json_string_value(json_object_get(finding, "check"));
    const char *text = json_string_value(json_object_get(finding, "text"));
    const char *advice = json_string_value(json_object_get(finding, "advice"));
    char line[2 * TEXT_BYTES];
    size_t column = INDENT;

    snprintf(line, sizeof line, "%s: %s", check ? check : "", text ? text : "");
    TRY(buffer_print(out, err, "%-*s", INDENT, state ? state : ""));
    TRY(add_words(out, &column, line, err));
    if (advice != NULL) {
        TRY(buffer_print(out, err, "\n%*s", INDENT, ""));
        column = INDENT;
        TRY(add_words(out, &column, advice, err));
    }
    return buffer_append(out, "\n", 1, err);
}

enum status
findings_lines(struct buffer *out, const struct findings *findings,
               struct error *err)
{
    const json_t *finding;
    size_t i;

    json_array_foreach(findings->list, i, finding)
        TRY(add_finding(out, finding, err));
    return STATUS_OK;
}

enum status
findings_json(json_t **out, const struct findings *findings, const char *schema,
              struct error *err)
{
    *out = json_pack("{s:s, s:b, s:O}", "schema", schema, "ok",
                     findings->warnings == 0, "checks", findings->list);
    return *out != NULL ? STATUS_OK
                        : error_set(err, STATUS_NOMEM,
                                    "out of memory for the JSON "
                                    "output");
}
