/* fathom model info: what a model file is, for people or as JSON. */
#include "config.h"

#include "app/app.h"
#include "app/model/cmd_model.h"
#include "app/model/exchange.h"
#include "app/progress_text.h"
#include "app/report.h"
#include "ui/ui.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LABEL_COLUMNS = 15, LINE_COLUMNS = 80 };

struct info_settings {
    bool json;
};

/* -- reading the description --------------------------------------------------
 */

static double
number_at(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static const char *
string_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const char *
string_or_unknown(const json_t *object, const char *key)
{
    const char *text = string_at(object, key);

    return text ? text : "unknown";
}

/* -- lines
 * --------------------------------------------------------------------- */

/* A text that grows; without memory it stays as it was. */
struct lines {
    struct buffer text;
    size_t column;
    bool failed;
};

static void
append(struct lines *lines, const char *bytes, size_t length)
{
    struct error err;

    if (buffer_append(&lines->text, bytes, length, &err) != STATUS_OK)
        lines->failed = true;
}

static void add(struct lines *lines, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds words, and goes on in the same column of a new line when one is full. */
static void
add(struct lines *lines, const char *format, ...)
{
    char piece[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    for (const char *at = piece; *at != '\0';) {
        size_t blanks = strspn(at, " "), word = strcspn(at + blanks, " ");

        if (blanks > 0 && lines->column + blanks + word > LINE_COLUMNS) {
            char indent[LABEL_COLUMNS + 1];

            memset(indent, ' ', sizeof indent);
            indent[0] = '\n';
            append(lines, indent, sizeof indent);
            lines->column = LABEL_COLUMNS;
            at += blanks;
            blanks = 0;
        }
        append(lines, at, blanks + word);
        lines->column += blanks + word;
        at += blanks + word;
    }
}

/* Begins a line: its label, in a column of its own. */
static void
label(struct lines *lines, const char *text)
{
    char padded[LABEL_COLUMNS + 1];

    if (lines->text.length > 0)
        append(lines, "\n", 1);
    snprintf(padded, sizeof padded, "%-*s", LABEL_COLUMNS, text);
    append(lines, padded, LABEL_COLUMNS);
    lines->column = LABEL_COLUMNS;
}

static void
add_count(struct lines *lines, double count, const char *noun)
{
    char text[COUNT_TEXT];

    add(lines, "%s %s%s", text_count(text, (uint64_t) count), noun,
        count == 1 ? "" : "s");
}

/* -- paragraphs
 * ------------------------------------------------------------------ */

static void
add_file(struct lines *lines, const json_t *model)
{
    char bytes[BYTES_TEXT];
    double shards = number_at(model, "shards");

    label(lines, "File");
    add(lines, "%s, %s", string_or_unknown(model, "file"),
        progress_bytes(bytes,
                       number_at(json_object_get(model, "bytes"), "file")));
    if (shards > 1)
        add(lines, " in %.0f shards", shards);
}

static void
add_name(struct lines *lines, const json_t *model)
{
    static const struct {
        const char *key, *text;
    } more[] = {{"version", "version "},
                {"size_label", ""},
                {"organization", "by "},
                {"quantized_by", "quantized by "},
                {"license", "licence "}};
    const char *name = string_at(model, "name");

    label(lines, "Name");
    add(lines, "%s", name ? name : "none in the file");
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        const char *text = string_at(model, more[i].key);

        if (text)
            add(lines, ", %s%s", more[i].text, text);
    }
}

static void
add_parameters(struct lines *lines, const json_t *model)
{
    const json_t *object = json_object_get(model, "parameters");
    char total[COUNT_TEXT], active[COUNT_TEXT];

    label(lines, "Parameters");
    add(lines, "%s", text_short_count(total, number_at(object, "total")));
    if (number_at(object, "active") < number_at(object, "total"))
        add(lines, ", of which a token meets %s",
            text_short_count(active, number_at(object, "active")));
}

static void
add_layers(struct lines *lines, const json_t *model, const json_t *shape)
{
    double mtp = number_at(shape, "mtp_layers"),
           dense = number_at(shape, "dense_layers");

    label(lines, "Architecture");
    add(lines, "%s, ", string_or_unknown(model, "architecture"));
    add_count(lines, number_at(shape, "layers"), "layer");
    if (number_at(shape, "experts") > 0 && dense > 0)
        add(lines, " (the first %.0f dense)", dense);
    if (mtp > 0)
        add(lines, ", %.0f for predicting ahead", mtp);
    add(lines, ", width %.0f", number_at(shape, "hidden"));
}

static void
add_context(struct lines *lines, const json_t *model, const json_t *shape)
{
    const char *scaling = string_at(shape, "rope_scaling");

    label(lines, "Context");
    add_count(lines, number_at(model, "context"), "token");
    if (scaling && strcmp(scaling, "none") != 0)
        add(lines, " (%s, factor %g)", scaling,
            number_at(shape, "rope_factor"));
}

static void
add_attention(struct lines *lines, const json_t *shape)
{
    const char *kind = string_at(shape, "attention");

    label(lines, "Attention");
    add_count(lines, number_at(shape, "heads"), "head");
    add(lines, ", keys of %.0f, values of %.0f", number_at(shape, "key_width"),
        number_at(shape, "value_width"));
    if (kind && strcmp(kind, "latent") == 0)
        add(lines, ", latent of %.0f%s", number_at(shape, "latent_width"),
            number_at(shape, "query_rank") > 0 ? ", latent queries" : "");
    else
        add(lines, ", %.0f of keys and values", number_at(shape, "kv_heads"));
}

static void
add_experts(struct lines *lines, const json_t *shape)
{
    double count = number_at(shape, "experts"),
           shared = number_at(shape, "experts_shared"),
           groups = number_at(shape, "expert_groups");

    if (count == 0)
        return;
    label(lines, "Experts");
    add(lines, "%.0f in each layer, %.0f used for a token", count,
        number_at(shape, "experts_used"));
    if (groups > 1)
        add(lines, " from %.0f of %.0f groups",
            number_at(shape, "expert_groups_used"), groups);
    if (shared > 0)
        add(lines, ", and %.0f shared", shared);
    add(lines, "; %s router", string_or_unknown(shape, "router"));
}

static void
add_tokenizer(struct lines *lines, const json_t *model)
{
    const json_t *object = json_object_get(model, "tokenizer");
    const char *kind = string_at(object, "model"),
               *pre = string_at(object, "pre");

    label(lines, "Tokenizer");
    add(lines, "%s%s%s, ", kind ? kind : "none", pre ? ", " : "",
        pre ? pre : "");
    add_count(lines, number_at(object, "tokens"), "token");
}

/* "  experts   Q4_K 12 tensors, 3.1 GB; Q6_K 4 tensors, 1.2 GB" */
static void
add_class(struct lines *lines, const char *name, json_t *formats, size_t width)
{
    const char *format;
    json_t *tally;
    bool first = true;
    char bytes[BYTES_TEXT];

    label(lines, "");
    add(lines, "%-*s  ", (int) width, name);
    json_object_foreach(formats, format, tally)
    {
        add(lines, "%s%s (%s)", first ? "" : ", ", format,
            progress_bytes(bytes, number_at(tally, "bytes")));
        first = false;
    }
}

static void
add_quantization(struct lines *lines, const json_t *model)
{
    json_t *classes = json_object_get(model, "quantization"), *formats;
    const char *name;
    size_t width = 0;
    bool first = true;

    json_object_foreach(classes, name, formats) if (strlen(name) > width)
        width = strlen(name);
    json_object_foreach(classes, name, formats)
    {
        size_t start = lines->text.length;

        add_class(lines, name, formats, width);
        // the first line carries the label
        if (first && !lines->failed)
            memcpy(lines->text.data + start + 1, "Numbers", 7);
        first = false;
    }
}

static void
add_memory(struct lines *lines, const json_t *model)
{
    const json_t *object = json_object_get(model, "bytes");
    double fixed = number_at(object, "fixed_memory"),
           experts = number_at(object, "experts_memory");
    char text[BYTES_TEXT], all[BYTES_TEXT];

    label(lines, "Memory");
    add(lines, "%s", progress_bytes(all, fixed + experts));
    if (experts > 0) {
        add(lines, ": %s always used", progress_bytes(text, fixed));
        add(lines, ", %s of experts", progress_bytes(text, experts));
    }
}

static void
add_warnings(struct lines *lines, const json_t *model)
{
    json_t *warnings = json_object_get(model, "warnings"), *warning;
    size_t i;

    json_array_foreach(warnings, i, warning)
    {
        label(lines, i == 0 ? "Warnings" : "");
        if (json_is_string(warning))
            add(lines, "%s", json_string_value(warning));
    }
}

static void
describe(struct lines *lines, const json_t *model)
{
    const json_t *shape = json_object_get(model, "shape");

    add_file(lines, model);
    add_name(lines, model);
    add_layers(lines, model, shape);
    add_parameters(lines, model);
    add_context(lines, model, shape);
    add_attention(lines, shape);
    add_experts(lines, shape);
    add_tokenizer(lines, model);
    add_quantization(lines, model);
    add_memory(lines, model);
    add_warnings(lines, model);
}

/* -- the command
 * ------------------------------------------------------------------ */

static enum status
print_lines(const json_t *model, struct error *err)
{
    struct printer printer = {.descriptor = STDOUT_FILENO};
    struct lines lines = {0};
    enum status status;

    describe(&lines, model);
    printer_begin(&printer, (struct print_style){0});
    status =
        lines.failed
            ? error_set(err, STATUS_NOMEM, "out of memory for the text")
            : printer_write(&printer, lines.text.data, lines.text.length, err);
    if (status == STATUS_OK)
        status = printer_end(&printer, err);
    printer_release(&printer);
    buffer_release(&lines.text);
    return status;
}

static enum status
print_json(json_t *model, struct error *err)
{
    struct buffer text = {0};
    enum status status =
        report_print(&text, json_incref(model), isatty(STDOUT_FILENO), err);

    if (status == STATUS_OK)
        status = printer_put(STDOUT_FILENO, text.data, text.length, err);
    buffer_release(&text);
    return status;
}

static enum status
take(void *context, const struct event *event, struct error *err)
{
    const struct info_settings *settings = context;
    json_t *model = json_object_get(event->json, "model");

    if (event->type != MESSAGE_DONE)
        return STATUS_OK;
    progress_clear();
    if (!json_is_object(model))
        return error_set(err, STATUS_FORMAT, "the engine described nothing");
    return settings->json ? print_json(model, err) : print_lines(model, err);
}

static int
run_info(void *settings, const struct option_list *operands)
{
    struct client *client = NULL;
    struct error err;
    int code;
    enum status status =
        exchange_open(&client, operands->items[0], &code, &err);

    if (status == STATUS_OK) {
        uint64_t number = client_number(client);

        status = request_put_plain(client_outgoing(client), MESSAGE_DESCRIBE,
                                   number, &err);
        if (status == STATUS_OK)
            status = exchange_wait(client, number, take, settings, &code, &err);
    }
    if (status != STATUS_OK)
        notice_error("%s", err.text);
    client_close(client);
    return code;
}

static const struct option info_options[] = {
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct info_settings, json), 0, 0,
     "print a JSON object"},
};

static const char *const info_usage[] = {"[--json] MODEL", NULL};

static const struct command command_model_info = {
    .name = "info",
    .manual = "fathom-model",
    .summary = "Show what a model file holds",
    .usage = info_usage,
    OPTIONS(info_options),
    .operand = OPERAND_MODEL,
    .operands_least = 1,
    .operands_most = 1,
    .settings_bytes = sizeof(struct info_settings),
    .run = run_info,
};

static const struct command *const verbs[] = {
    &command_model_list,   &command_model_info,
    &command_model_import, &command_model_verify,
    &command_model_sign,   &command_model_keygen,
    &command_model_rm,     NULL,
};
static const char *const usage[] = {
    "list|info|import|verify|sign|keygen|rm [OPTIONS]", NULL};

const struct command command_model = {
    .name = "model",
    .manual = "fathom-model",
    .summary = "Look into models, import, verify and sign them",
    .usage = usage,
    .verbs = verbs,
};
