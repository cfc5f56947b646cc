/* fathom model import and rm: models come to the user's folder, and go. */
#include "config.h"

#include "app/app.h"
#include "app/model/cmd_model.h"
#include "app/confirm.h"
#include "app/model/manifest_head.h"
#include "app/model/model_store.h"
#include "app/progress_text.h"
#include "ui/ui.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUOTED_BYTES = 300 };

struct import_settings {
    const char *name;
};

struct rm_settings {
    bool yes;
};

/* Where what is imported lies: a folder, or one file of it. */
struct source {
    char folder[PLACE_BYTES];
    char only[MANIFEST_PATH_BYTES]; // empty: the whole folder
};

static bool
has_manifest(const char *folder)
{
    char path[PLACE_BYTES + sizeof MANIFEST_NAME + 1];
    struct stat status;

    snprintf(path, sizeof path, "%s/" MANIFEST_NAME, folder);
    return lstat(path, &status) == 0;
}

static enum status
find_source(struct source *out, const char *asked, struct error *err)
{
    char shown[QUOTED_BYTES];
    struct stat status;

    text_quote(shown, sizeof shown, asked, strlen(asked));
    if (realpath(asked, out->folder) == NULL || stat(out->folder, &status) < 0)
        return error_errno(err, "cannot read %s", shown);
    out->only[0] = '\0';
    if (S_ISDIR(status.st_mode))
        return STATUS_OK;
    if (!S_ISREG(status.st_mode))
        return error_set(err, STATUS_IO, "%s is neither a file nor a folder",
                         shown);
    char *slash = strrchr(out->folder, '/');

    if (strlen(slash + 1) >= sizeof out->only)
        return error_set(err, STATUS_LIMIT, "the name of %s is too long",
                         shown);
    text_copy(out->only, sizeof out->only, slash + 1);
    slash[slash == out->folder] = '\0';
    if (has_manifest(out->folder))
        return error_set(err, STATUS_IO,
                         "%s belongs to the model in its folder, which has a "
                         "MANIFEST: import the folder",
                         shown);
    return STATUS_OK;
}

/* Without a manifest one is made, which nobody has signed. */
static enum status
make_manifest(struct model_check *out, const struct source *source,
              struct error *err)
{
    const char *only = source->only[0] ? source->only : NULL;
    enum verify_mode mode = settings_verify();
    struct manifest_head head = {.only = only};

    *out = (struct model_check){0};
    text_copy(out->folder, sizeof out->folder, source->folder);
    if (mode >= VERIFY_SIGNED)
        return error_set(err, STATUS_SIGNATURE,
                         "nothing vouches for the model: there is no MANIFEST, "
                         "and model.verify = %s asks for a signed one",
                         settings_verify_word(mode));
    TRY(manifest_head_fill(&out->manifest, source->folder, &head, err));
    struct manifest_work work = model_check_work("reading the model", 0);

    TRY(manifest_build(&out->manifest, source->folder, only, &work, err));
    TRY(manifest_write(&out->text, &out->manifest, err));
    manifest_text_hash(out->hash, out->text.data, out->text.length);
    return STATUS_OK;
}

static enum status
print_imported(const struct model_check *check, const char *name,
               struct error *err)
{
    struct buffer text = {0};
    char bytes[BYTES_TEXT], signer[300];
    size_t files = check->manifest.files;
    enum status status = buffer_print(
        &text, err, "%s: %zu file%s, %s, ", name, files, files == 1 ? "" : "s",
        progress_bytes(bytes, (double) manifest_bytes(&check->manifest)));

    if (status == STATUS_OK && check->signers == 0)
        status = buffer_print(&text, err, "signed by nobody who is trusted\n");
    for (size_t i = 0; i < check->signers && status == STATUS_OK; i++) {
        model_signer_text(signer, sizeof signer, &check->signer[i]);
        status = buffer_print(&text, err, "%s%s%s", i ? " and " : "signed by ",
                              signer, i + 1 == check->signers ? "\n" : "");
    }
    if (status == STATUS_OK)
        status = printer_put(STDOUT_FILENO, text.data, text.length, err);
    buffer_release(&text);
    return status;
}

/* --name, else that of the manifest, where it can be one of a folder. */
static enum status
choose_name(char out[MODEL_STORE_NAME_BYTES], const char *asked,
            const struct model_check *check, struct error *err)
{
    const char *name = asked ? asked : check->manifest.head[MANIFEST_MODEL];
    char shown[QUOTED_BYTES];

    if (!model_store_is_name(name))
        return error_set(err, STATUS_FORMAT,
                         "'%s' cannot be the name of a model here%s",
                         text_quote(shown, sizeof shown, name, strlen(name)),
                         asked ? "" : "; --name=NAME gives one");
    text_copy(out, MODEL_STORE_NAME_BYTES, name);
    return STATUS_OK;
}

static enum status
import(struct model_check *check, const struct import_settings *s, int *code,
       struct error *err)
{
    char name[MODEL_STORE_NAME_BYTES], place[PLACE_BYTES];

    TRY(choose_name(name, s->name, check, err));
    *code = EXIT_CANT_CREATE;
    TRY(model_store_place(place, name, err));
    *code = 0;
    TRY(model_store_import(check, place, err));
    *code = EXIT_CANT_WRITE;
    return print_imported(check, name, err);
}

/* What an import ends with; `known` where a step has said it. */
static int
code_of(enum status status, int known)
{
    if (known != 0)
        return known;
    if (status == STATUS_IO)
        return EXIT_NO_INPUT;
    return status == STATUS_CANCELLED ? EXIT_SIGNAL + 2 : exit_code_of(status);
}

static int
run_import(void *settings, const struct option_list *operands)
{
    struct model_check check = {0};
    struct source source;
    struct error err;
    int code = 0;
    enum status status = find_source(&source, operands->items[0], &err);

    if (status == STATUS_OK)
        status = signals_start(SIGNALS_ASK, &err);
    if (status == STATUS_OK && !source.only[0] && has_manifest(source.folder))
        status = model_check_open(&check, source.folder, settings_verify(),
                                  NULL, &err);
    else if (status == STATUS_OK)
        status = make_manifest(&check, &source, &err);
    if (status == STATUS_OK)
        status = import(&check, settings, &code, &err);
    progress_clear();
    model_check_release(&check);
    if (status == STATUS_OK)
        return EXIT_SUCCESS;
    notice_error("%s", err.text);
    return code_of(status, code);
}

/* -- rm ----------------------------------------------------------------------
 */

/* The user's own copy of a model: a folder, or a file beside others. */
static enum status
find_own(char out[PLACE_BYTES], bool *is_folder, const char *name,
         struct error *err)
{
    char models[PLACE_BYTES], shown[QUOTED_BYTES];
    struct stat status;

    text_quote(shown, sizeof shown, name, strlen(name));
    if (!model_store_is_name(name))
        return error_set(err, STATUS_FORMAT,
                         "'%s' is not the name of a model; only models in "
                         "your own folder are removed, by their names",
                         shown);
    TRY(places_user_models(models, err));
    snprintf(out, PLACE_BYTES, "%.3500s/%.200s", models, name);
    *is_folder = lstat(out, &status) == 0 && S_ISDIR(status.st_mode);
    if (*is_folder && has_manifest(out))
        return STATUS_OK;
    *is_folder = false;
    snprintf(out, PLACE_BYTES, "%.3500s/%.200s.gguf", models, name);
    if (lstat(out, &status) == 0 && !S_ISDIR(status.st_mode))
        return STATUS_OK;
    return error_set(err, STATUS_IO, "there is no model '%s' in %.300s", shown,
                     models);
}

static enum status
remove_model(const struct rm_settings *s, const char *name, int *code,
             struct error *err)
{
    char path[PLACE_BYTES], shown[QUOTED_BYTES], question[QUOTED_BYTES + 100];
    bool is_folder;

    *code = EXIT_NO_INPUT;
    enum status status = find_own(path, &is_folder, name, err);

    if (status == STATUS_FORMAT)
        *code = EXIT_USAGE;
    TRY(status);
    snprintf(question, sizeof question, "Remove %s%s?",
             text_quote(shown, sizeof shown, path, strlen(path)),
             is_folder ? " and all that is in it" : "");
    TRY(confirm(question, s->yes, code, err));
    *code = EXIT_CANT_WRITE;
    if (is_folder) {
        model_check_forget(path);
        return model_store_remove(path, err);
    }
    return unlink(path) < 0 ? error_errno(err, "cannot remove %s", shown)
                            : STATUS_OK;
}

static int
run_rm(void *settings, const struct option_list *operands)
{
    struct error err;
    int code;

    if (remove_model(settings, operands->items[0], &code, &err) == STATUS_OK)
        return EXIT_SUCCESS;
    notice_error("%s", err.text);
    return code;
}

static const struct option import_options[] = {
    {"name", 0, OPTION_TEXT, "NAME", offsetof(struct import_settings, name), 0,
     0, "call it NAME, not as the manifest or the file does"},
};

static const char *const import_usage[] = {"[--name=NAME] DIR|FILE", NULL};

const struct command command_model_import = {
    .name = "import",
    .manual = "fathom-model",
    .summary = "Check a model and copy it to your own",
    .usage = import_usage,
    OPTIONS(import_options),
    .operand = OPERAND_TEXT,
    .operands_least = 1,
    .operands_most = 1,
    .settings_bytes = sizeof(struct import_settings),
    .run = run_import,
};

static const struct option rm_options[] = {
    {"yes", 0, OPTION_FLAG, NULL, offsetof(struct rm_settings, yes), 0, 0,
     "do not ask"},
};

static const char *const rm_usage[] = {"[--yes] NAME", NULL};

const struct command command_model_rm = {
    .name = "rm",
    .manual = "fathom-model",
    .summary = "Remove one of your models",
    .usage = rm_usage,
    OPTIONS(rm_options),
    .operand = OPERAND_MODEL,
    .operands_least = 1,
    .operands_most = 1,
    .settings_bytes = sizeof(struct rm_settings),
    .run = run_rm,
};
