/* One model, one question. */
#include "config.h"

#include "app/model/model_gate.h"

#include "app/vault/audit.h"
#include "app/policy.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUOTED_BYTES = 300 };

static struct model_voucher voucher;

const struct model_voucher *
model_gate_voucher(void)
{
    return &voucher;
}

enum status
model_gate_record(struct vault *vault, struct error *err)
{
    char detail[sizeof voucher.manifest + sizeof voucher.signer + 40];

    if (!voucher.checked || voucher.recorded)
        return STATUS_OK;
    snprintf(detail, sizeof detail, "manifest %s, signed by %s",
             voucher.manifest,
             voucher.signer[0] ? voucher.signer : "nobody who is trusted");
    TRY(audit_record(vault, "model", detail, err));
    voucher.recorded = true;
    return STATUS_OK;
}

static void
remember(const struct model_check *check)
{
    voucher = (struct model_voucher){.checked = true};
    for (size_t i = 0; i < MANIFEST_HASH_BYTES; i++)
        snprintf(voucher.manifest + 2 * i, 3, "%02x", check->hash[i]);
    if (check->signers > 0)
        model_signer_text(voucher.signer, sizeof voucher.signer,
                          &check->signer[0]);
}

static enum status
check_model(const char *folder, const char *file, enum verify_mode mode,
            struct error *err)
{
    struct model_check check;
    char shown[QUOTED_BYTES];
    enum status status = model_check_open(&check, folder, mode, NULL, err);

    if (status == STATUS_OK && manifest_find(&check.manifest, file) == NULL)
        status = error_set(err, STATUS_SIGNATURE,
                           "%s is not in the model's manifest",
                           text_quote(shown, sizeof shown, file, strlen(file)));
    if (status == STATUS_OK)
        status = model_check_contents(&check, mode == VERIFY_FULL, err);
    if (status == STATUS_OK)
        remember(&check);
    model_check_release(&check);
    return status;
}

/* Why it was asked for belongs to the refusal. */
static void
explain(enum verify_mode mode, struct error *err)
{
    struct option_count decided = policy_now()->model_verify;
    bool by_policy = decided.given && decided.value == mode;
    size_t used = strlen(err->text);

    snprintf(err->text + used, sizeof err->text - used,
             " (model.verify = %s, by %s)", settings_verify_word(mode),
             by_policy ? policy_path() : "the settings");
}

enum status
model_gate(char out[PLACE_BYTES], const char *path, struct error *err)
{
    enum verify_mode mode = settings_verify();
    char folder[PATH_MAX], shown[QUOTED_BYTES];

    voucher = (struct model_voucher){0};
    if (mode == VERIFY_NONE) {
        snprintf(out, PLACE_BYTES, "%s", path);
        return STATUS_OK;
    }
    static_assert(PLACE_BYTES >= PATH_MAX, "realpath needs the room");
    if (realpath(path, out) == NULL)
        return error_errno(err, "cannot read the model %s",
                           text_quote(shown, sizeof shown, path, strlen(path)));
    char *slash = strrchr(out, '/');

    snprintf(folder, sizeof folder, "%.*s", (int) (slash - out), out);
    enum status status =
        check_model(*folder ? folder : "/", slash + 1, mode, err);

    if (status == STATUS_SIGNATURE)
        explain(mode, err);
    return status;
}
