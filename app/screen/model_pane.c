/* Lines for two widths: short ones below the list, more in the pane. */
#include "config.h"

#include "app/screen/model_pane.h"

#include "app/model/model_check.h"
#include "app/model/model_store.h"
#include "app/progress_text.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LINES = 24, HASH_SHOWN = 6, DAY_BYTES = 20 };

/* -- the place on the disk ---------------------------------------------------
 */

static void
fill_day(char out[DAY_BYTES], int64_t seconds)
{
    time_t moment = (time_t) seconds;
    struct tm parts;

    if (localtime_r(&moment, &parts) == NULL ||
        strftime(out, DAY_BYTES, "%d %b %Y", &parts) == 0)
        snprintf(out, DAY_BYTES, "?");
}

/*
 * When the file came to this disk, where the file system keeps that, whose it
 * is, and whether the kernel checks what is read of it.
 */
static void
fill_since(struct found_model *model)
{
    struct statx status;
    char day[DAY_BYTES];

    model->verity = NULL;
    if (statx(AT_FDCWD, model->path, 0, STATX_BTIME | STATX_UID, &status) != 0)
        return;
    if (status.stx_attributes_mask & STATX_ATTR_VERITY)
        model->verity =
            status.stx_attributes & STATX_ATTR_VERITY ? "on" : "off";
    if ((status.stx_mask & STATX_BTIME) == 0)
        return;
    fill_day(day, status.stx_btime.tv_sec);
    if (status.stx_uid == geteuid())
        snprintf(model->since, sizeof model->since, "%s, a file of yours", day);
    else if (status.stx_uid == 0)
        snprintf(model->since, sizeof model->since, "%s, a file of root's",
                 day);
    else
        snprintf(model->since, sizeof model->since, "%s, a file of user %u's",
                 day, (unsigned) status.stx_uid);
}

/* A bill of materials, by its name: SPDX or CycloneDX. */
static bool
is_bill(const char *name)
{
    static const char *const endings[] = {".spdx", ".spdx.json", ".cdx.json",
                                          ".spdx.yaml", ".cdx.xml"};

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (text_ends_with(name, strlen(name), endings[i]))
            return true;
    return false;
}

/* The file beside a model's that is called as it, or "": MODEL.spdx */
static void
find_bill_beside(struct found_model *model)
{
    const char *slash = strrchr(model->path, '/');
    char folder[PLACE_BYTES];
    size_t length = strlen(model->name);

    if (slash == NULL)
        return;
    snprintf(folder, sizeof folder, "%.*s", (int) (slash - model->path + 1),
             model->path);
    DIR *open = opendir(folder);

    for (struct dirent *entry; open && (entry = readdir(open)) != NULL;)
        if (strncmp(entry->d_name, model->name, length) == 0 &&
            entry->d_name[length] == '.' && is_bill(entry->d_name))
            text_quote(model->bill, sizeof model->bill, entry->d_name,
                       strlen(entry->d_name));
    if (open)
        closedir(open);
}

/* -- manifests ---------------------------------------------------------------
 */

static void
take_files(struct found_model *model, const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->files; i++)
        if (is_bill(manifest->file[i].path)) {
            snprintf(model->bill, sizeof model->bill, "%.290s",
                     manifest->file[i].path);
            return;
        }
}

static void
take_receipt(struct found_model *model, const struct model_check *check)
{
    char day[DAY_BYTES];
    int64_t seconds = model_check_receipt_time(check);

    if (seconds == 0) {
        snprintf(model->receipt, sizeof model->receipt,
                 "none: not read in full yet, v does it");
        return;
    }
    fill_day(day, seconds);
    snprintf(model->receipt, sizeof model->receipt,
             "unchanged since it was read in full on %s", day);
}

static void
take_check(struct found_model *model, const struct model_check *check)
{
    const struct manifest *manifest = &check->manifest;
    const char *licence = manifest->head[MANIFEST_LICENCE];
    char hash[2 * HASH_SHOWN + 1] = "", files[COUNT_TEXT], chunks[COUNT_TEXT];
    size_t pieces = 0;

    for (size_t i = 0; i < HASH_SHOWN; i++)
        snprintf(hash + 2 * i, 3, "%02x", check->hash[i]);
    for (size_t i = 0; i < manifest->files; i++)
        pieces += manifest->file[i].chunk ? manifest->file[i].chunks : 1;
    snprintf(model->manifest, sizeof model->manifest,
             "%s, %s file%s, %s chunk%s", hash,
             text_count(files, manifest->files),
             manifest->files == 1 ? "" : "s", text_count(chunks, pieces),
             pieces == 1 ? "" : "s");
    if (strcmp(licence, "NOASSERTION") != 0)
        snprintf(model->licence, sizeof model->licence, "%s", licence);
    if (check->signers > 0)
        model_signer_text(model->signer, sizeof model->signer,
                          &check->signer[0]);
    else
        snprintf(model->signer, sizeof model->signer, "nobody who is trusted");
    take_files(model, manifest);
    take_receipt(model, check);
    model->row.sign = check->signers > 0 ? MODEL_SIGNED : MODEL_UNSIGNED;
}

static bool
has_manifest(const char *folder)
{
    char path[PLACE_BYTES + 16];
    struct stat status;

    snprintf(path, sizeof path, "%s/%s", folder, MANIFEST_NAME);
    return stat(path, &status) == 0;
}

static void
look_at_manifest(struct found_model *model, const char *folder)
{
    struct model_check check = {0};
    struct error err;

    if (model_check_open(&check, folder, VERIFY_RECEIPTS, NULL, &err) ==
        STATUS_OK) {
        take_check(model, &check);
    } else {
        model->row.sign = MODEL_BAD;
        snprintf(model->remark, sizeof model->remark, "refused: %.280s",
                 err.text);
    }
    model_check_release(&check);
}

void
model_pane_look(struct found_model *model)
{
    char folder[PLACE_BYTES];
    struct error err;
    enum verify_mode mode = settings_verify();

    model->looked = true;
    model->row.sign = MODEL_UNSIGNED;
    model->manifest[0] = model->signer[0] = model->receipt[0] = '\0';
    model->licence[0] = model->bill[0] = model->remark[0] = '\0';
    fill_since(model);
    if (model_store_folder(folder, model->name, &err) != STATUS_OK)
        return;
    if (has_manifest(folder))
        look_at_manifest(model, folder);
    else
        find_bill_beside(model);
    if (model->row.sign == MODEL_UNSIGNED && mode >= VERIFY_SIGNED)
        snprintf(model->remark, sizeof model->remark,
                 "refused: nobody who is trusted signed it (model.verify = %s)",
                 settings_verify_word(mode));
}

/* -- lines -------------------------------------------------------------------
 */

static struct {
    struct model_line lines[LINES];
    char values[LINES][FOUND_TEXT_BYTES];
    struct model_detail detail;
} pane;

static void add(enum model_width width, const char *label, const char *format,
                ...) PRINTF_LIKE(3, 4);

static void
add(enum model_width width, const char *label, const char *format, ...)
{
    size_t i = pane.detail.count;
    va_list args;

    if (i == LINES)
        return;
    va_start(args, format);
    vsnprintf(pane.values[i], FOUND_TEXT_BYTES, format, args);
    va_end(args);
    pane.lines[i] = (struct model_line){label, pane.values[i], width};
    pane.detail.count++;
}

/* A blank row, in the pane. */
static void
add_space(void)
{
    if (pane.detail.count > 0 &&
        pane.lines[pane.detail.count - 1].label != NULL &&
        pane.detail.count < LINES)
        pane.lines[pane.detail.count++] =
            (struct model_line){NULL, "", MODEL_WIDE};
}

static double
number_at(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static const char *
text_at(char out[FOUND_TEXT_BYTES], const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text_quote(out, FOUND_TEXT_BYTES, text ? text : "",
                      text ? strlen(text) : 0);
}

/* What the engine tells of the file of the model in use. */
static void
add_description(const json_t *model)
{
    const json_t *shape = json_object_get(model, "shape");
    double experts = number_at(shape, "experts"),
           used = number_at(shape, "experts_used"),
           shared = number_at(shape, "experts_shared"),
           layers = number_at(shape, "layers"),
           context = number_at(model, "context");
    const json_t *count = json_object_get(model, "parameters");
    char total[COUNT_TEXT], active[COUNT_TEXT], tokens[COUNT_TEXT],
        family[FOUND_TEXT_BYTES], routed[100] = "", inside[100] = "";

    if (model == NULL)
        return;
    text_short_count(total, number_at(count, "total"));
    text_short_count(active, number_at(count, "active"));
    if (experts > 0) {
        snprintf(routed, sizeof routed, " x %.0f experts, %.0f+%.0f active",
                 experts, used, shared);
        snprintf(inside, sizeof inside,
                 ", experts %.0f routed + %.0f shared, %.0f active", experts,
                 shared, used);
    }
    add(MODEL_NARROW, "model", "%s total, %s active, %.0f layers%s", total,
        active, layers, routed);
    add(MODEL_WIDE, "family", "%.100s, %s total, %s active",
        text_at(family, model, "architecture"), total, active);
    add(MODEL_WIDE, "layers", "%.0f%s", layers, inside);
    if (context > 0)
        add(MODEL_WIDE, "context", "%s tokens",
            text_count(tokens, (uint64_t) context));
}

/* What the manifest says, else the file. */
static void
add_licence(const struct found_model *model, const json_t *description)
{
    char text[FOUND_TEXT_BYTES];
    const char *licence = model->licence;

    if (*licence == '\0')
        licence = text_at(text, description, "license");
    if (*licence != '\0')
        add(MODEL_ANY, "licence", "%s%s%s", licence,
            model->bill[0] ? "   SBOM " : "", model->bill);
    else if (model->bill[0])
        add(MODEL_ANY, "SBOM", "%s", model->bill);
}

/* Where its weights go, or are: all of them into RAM. */
static void
add_placement(const struct found_model *model)
{
    enum { BAR = 30 };
    uint64_t room = memory_available_bytes();
    char size[BYTES_TEXT], most[BYTES_TEXT], bar[4 * BAR + 1], *end = bar;

    if (model->row.in_use) // it is there, and was taken from this
        room += model->all_bytes;
    if (model->all_bytes == 0 || room == 0)
        return;
    double share = (double) model->all_bytes / (double) room;

    for (int i = 0; i < BAR; i++)
        end +=
            snprintf(end, 5, "%s",
                     canvas_glyph(i < share * BAR ? GLYPH_FULL : GLYPH_EMPTY));
    add(MODEL_WIDE, "placement", "RAM %s of %s [%s]",
        progress_bytes(size, (double) model->all_bytes),
        progress_bytes(most, (double) room), bar);
}

static void
add_measured(const struct model_speed *speed)
{
    if (speed == NULL || speed->runs == 0)
        add(MODEL_ANY, "measured", "nothing yet on this machine");
    else
        add(MODEL_ANY, "measured",
            "prompt %.0f tok/s, answer %.1f tok/s, in %llu answer%s",
            speed->prompt_tps, speed->decode_tps,
            (unsigned long long) speed->runs, speed->runs == 1 ? "" : "s");
    if (speed != NULL && speed->load_ms > 0)
        add(MODEL_WIDE, "load", "%.2f s, the last time that it was read",
            speed->load_ms / 1e3);
}

static void
add_manifest(const struct found_model *model)
{
    if (model->manifest[0] != '\0') {
        add(MODEL_ANY, "manifest", "%s", model->manifest);
        add(MODEL_ANY, "signed by", "%s", model->signer);
    } else if (model->looked && model->row.sign == MODEL_UNSIGNED) {
        add(MODEL_ANY, "manifest", "none: nobody vouches for this file");
    }
    if (model->since[0] != '\0')
        add(MODEL_ANY, "here since", "%s", model->since);
    if (model->receipt[0] != '\0')
        add(MODEL_ANY, "receipt", "%s", model->receipt);
    if (model->verity != NULL)
        add(MODEL_WIDE, "fs-verity", "%s", model->verity);
}

const struct model_detail *
model_pane_detail(const struct found_model *model,
                  const struct model_speed *speed, const json_t *description)
{
    char shown[FOUND_TEXT_BYTES];

    pane.detail = (struct model_detail){
        pane.lines, 0, model->remark[0] ? model->remark : NULL};
    add(MODEL_WIDE, "file", "%s",
        text_quote(shown, sizeof shown, model->path, strlen(model->path)));
    if (model->row.is_default)
        add(MODEL_WIDE, "default", "it is used where no model is named");
    add_description(description);
    add_licence(model, description);
    add_space();
    add_placement(model);
    add_space();
    add_measured(speed);
    add_space();
    add_manifest(model);
    return &pane.detail;
}
