/* Signatures first: nothing unsigned is looked into. */
#include "config.h"

#include "app/model/model_check.h"

#include "app/notice.h"
#include "app/progress_text.h"
#include "app/signals.h"
#include "ui/ui.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { QUOTED_BYTES = 300, THREADS_MOST = 16, RECEIPT_BYTES = 4 << 20 };

/* -- reading what is about the model -----------------------------------------
 */

/* Appends a file of the folder, which must be a regular one. */
static enum status
read_file(struct buffer *out, const char *folder, const char *name, size_t most,
          struct error *err)
{
    char path[PATH_MAX], shown[QUOTED_BYTES];
    struct stat status;

    snprintf(path, sizeof path, "%.3000s/%.255s", folder, name);
    text_quote(shown, sizeof shown, path, strlen(path));
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (file < 0)
        return error_errno(err, "cannot read %s", shown);
    enum status result = STATUS_OK;

    if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode))
        result =
            error_set(err, STATUS_SIGNATURE, "%s is not a regular file", shown);
    else if ((uint64_t) status.st_size > most)
        result = error_set(err, STATUS_FORMAT, "%s is too large", shown);
    ssize_t n = 1;

    while (result == STATUS_OK && n > 0) {
        result = buffer_reserve(out, 65536, err);
        if (result != STATUS_OK)
            break;
        n = fault_due() ? (errno = EIO, -1)
                        : read(file, out->data + out->length, 65536);
        if (n < 0)
            result = error_errno(err, "cannot read %s", shown);
        else
            out->length += (size_t) n;
        if (out->length > most)
            result = error_set(err, STATUS_FORMAT, "%s is too large", shown);
    }
    close(file);
    return result;
}

static enum status
read_manifest(struct model_check *check, struct error *err)
{
    char path[PATH_MAX], shown[QUOTED_BYTES];

    snprintf(path, sizeof path, "%.3000s/" MANIFEST_NAME, check->folder);
    if (access(path, F_OK) < 0 && errno == ENOENT)
        return error_set(err, STATUS_SIGNATURE,
                         "nothing vouches for the model: there is no "
                         "MANIFEST in %s",
                         text_quote(shown, sizeof shown, check->folder,
                                    strlen(check->folder)));
    TRY(read_file(&check->text, check->folder, MANIFEST_NAME,
                  MANIFEST_TEXT_BYTES, err));
    manifest_text_hash(check->hash, check->text.data, check->text.length);
    return STATUS_OK;
}

/* -- signatures --------------------------------------------------------------
 */

/* What stands against the model so far, told if nothing speaks for it. */
struct judging {
    struct model_check *check;
    const struct model_trust *trust;
    const char *manifest; // shown
    char unknown[MINISIGN_ID_TEXT], revoked[MINISIGN_ID_TEXT];
};

static enum status
take_signer(struct model_check *check, const struct trusted_key *key,
            const struct minisign_signature *by)
{
    struct model_signer *signer = &check->signer[check->signers++];

    minisign_id_text(signer->id, by->number);
    text_copy(signer->name, sizeof signer->name, key->name);
    text_quote(signer->comment, sizeof signer->comment, by->trusted,
               strlen(by->trusted));
    // the tabs that minisign puts between its fields
    for (char *at; (at = strstr(signer->comment, "\\x09")) != NULL;) {
        *at = ' ';
        memmove(at + 1, at + 4, strlen(at + 4) + 1);
    }
    return STATUS_OK;
}

static enum status
judge(struct judging *j, const char *name, struct error *err)
{
    struct model_check *check = j->check;
    struct buffer text = {0};
    struct minisign_signature by;
    enum status status =
        read_file(&text, check->folder, name, MINISIGN_FILE_BYTES, err);

    if (status == STATUS_OK)
        status =
            minisign_read_signature(&by, name, text.data, text.length, err);
    buffer_release(&text);
    // one that cannot be read speaks for nobody, and is no accident
    if (status == STATUS_FORMAT || status == STATUS_UNSUPPORTED)
        status = err->status = STATUS_SIGNATURE;
    TRY(status);
    const struct trusted_key *key = model_trust_find(j->trust, by.number);

    if (model_trust_is_revoked(j->trust, by.number)) {
        minisign_id_text(j->revoked, by.number);
        return STATUS_OK;
    }
    if (key == NULL) {
        minisign_id_text(j->unknown, by.number);
        return STATUS_OK;
    }
    TRY(minisign_verify(&by, &key->key, j->manifest, check->text.data,
                        check->text.length, err));
    return take_signer(check, key, &by);
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The signatures' names, in order. */
static enum status
find_signatures(char names[MANIFEST_FILE_SIGNATURES][NAME_MAX + 1],
                struct model_check *check, struct error *err)
{
    DIR *open = opendir(check->folder);
    size_t count = 0;
    bool too_many = false;

    if (open == NULL)
        return error_errno(err, "cannot read the model's folder");
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
        if (!manifest_is_signature(entry->d_name))
            continue;
        if (count == MANIFEST_FILE_SIGNATURES)
            too_many = true;
        else
            text_copy(names[count++], sizeof names[0], entry->d_name);
    }
    closedir(open);
    if (too_many)
        return error_set(err, STATUS_SIGNATURE,
                         "the model has more than %d signatures",
                         MANIFEST_FILE_SIGNATURES);
    qsort(names, count, sizeof names[0], compare_names);
    check->signatures = count;
    return STATUS_OK;
}

static enum status
nobody_vouches(const struct judging *j, struct error *err)
{
    if (j->revoked[0])
        return error_set(err, STATUS_SIGNATURE,
                         "%s is signed with the key %s, which is revoked",
                         j->manifest, j->revoked);
    if (j->unknown[0])
        return error_set(err, STATUS_SIGNATURE,
                         "%s is signed with the key %s, which is not among "
                         "the trusted ones",
                         j->manifest, j->unknown);
    return error_set(err, STATUS_SIGNATURE, "%s is not signed", j->manifest);
}

static enum status
check_signatures(struct model_check *check, enum verify_mode mode,
                 const struct model_trust *trust, struct error *err)
{
    char names[MANIFEST_FILE_SIGNATURES][NAME_MAX + 1];
    char path[PATH_MAX], shown[QUOTED_BYTES];
    struct judging judging = {
        .check = check, .trust = trust, .manifest = shown};

    snprintf(path, sizeof path, "%.3000s/" MANIFEST_NAME, check->folder);
    text_quote(shown, sizeof shown, path, strlen(path));
    TRY(find_signatures(names, check, err));
    for (size_t i = 0; i < check->signatures; i++)
        TRY(judge(&judging, names[i], err));
    if (check->signers == 0 && mode >= VERIFY_SIGNED)
        return nobody_vouches(&judging, err);
    return STATUS_OK;
}

static enum status
check_with_trust(struct model_check *check, enum verify_mode mode,
                 const struct model_trust *trust, struct error *err)
{
    void *memory;

    if (trust)
        return check_signatures(check, mode, trust, err);
    TRY(memory_alloc(&memory, sizeof *trust, err));
    enum status status = model_trust_read(memory, err);

    if (status == STATUS_OK)
        status = check_signatures(check, mode, memory, err);
    free(memory);
    return status;
}

enum status
model_check_open(struct model_check *out, const char *folder,
                 enum verify_mode mode, const struct model_trust *trust,
                 struct error *err)
{
    char shown[QUOTED_BYTES];

    *out = (struct model_check){0};
    if (realpath(folder, out->folder) == NULL)
        return error_errno(
            err, "cannot read the model's folder %s",
            text_quote(shown, sizeof shown, folder, strlen(folder)));
    TRY(read_manifest(out, err));
    TRY(check_with_trust(out, mode, trust, err));
    TRY(manifest_parse(&out->manifest, MANIFEST_NAME, out->text.data,
                       out->text.length, err));
    return manifest_check_sizes(&out->manifest, out->folder, err);
}

void
model_check_release(struct model_check *check)
{
    buffer_release(&check->text);
    manifest_release(&check->manifest);
}

/* -- long work ---------------------------------------------------------------
 */

static struct {
    const char *what;
    uint64_t bytes, begun_ns;
    pthread_t main;
    atomic_bool cancel;
} work;

/* A signal that is waiting to be taken. */
static bool
is_interrupted(void)
{
    struct pollfd wake = {.fd = signals_descriptor(), .events = POLLIN};

    return wake.fd >= 0 && poll(&wake, 1, 0) > 0;
}

static void
on_progress(void *context, uint64_t done)
{
    char text[200], done_text[BYTES_TEXT], of[BYTES_TEXT], rate[BYTES_TEXT];
    uint64_t now = clock_ns();
    double seconds = (double) (now - work.begun_ns) / 1e9,
           speed = seconds > 0 ? (double) done / seconds : 0;

    (void) context;
    // the terminal and the signals are the main thread's
    if (!pthread_equal(pthread_self(), work.main))
        return;
    if (is_interrupted())
        atomic_store(&work.cancel, true);
    if (speed < 1)
        return;
    snprintf(text, sizeof text, "%s, %s of %s, %s/s, %.0f s left", work.what,
             progress_bytes(done_text, (double) done),
             progress_bytes(of, (double) work.bytes),
             progress_bytes(rate, speed),
             done < work.bytes ? (double) (work.bytes - done) / speed : 0);
    progress_show(now, text);
}

struct manifest_work
model_check_work(const char *what, uint64_t bytes)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    work.what = what;
    work.bytes = bytes;
    work.begun_ns = clock_ns();
    work.main = pthread_self();
    atomic_store(&work.cancel, false);
    progress_begin(work.begun_ns,
                   notice_is_quiet() ? PROGRESS_NONE : PROGRESS_LINE);
    return (struct manifest_work){.threads = processors < 1 ? 1
                                             : processors > THREADS_MOST
                                                 ? THREADS_MOST
                                                 : (unsigned) processors,
                                  .progress = on_progress,
                                  .cancel = &work.cancel};
}

/* -- receipts ----------------------------------------------------------------
 */

static enum status
receipt_folder(char out[PATH_MAX], struct error *err)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = -1;

    if (cache && cache[0] == '/')
        n = snprintf(out, PATH_MAX, "%s/fathom/receipts", cache);
    else if (home && home[0] == '/')
        n = snprintf(out, PATH_MAX, "%s/.cache/fathom/receipts", home);
    if (n < 0 || n >= PATH_MAX)
        return error_set(err, STATUS_IO,
                         "there is no cache folder for receipts: neither "
                         "XDG_CACHE_HOME nor HOME is an absolute path");
    return STATUS_OK;
}

/* A receipt's name comes from the folder that it speaks of. */
static enum status
receipt_path(char out[PATH_MAX], const char *folder, struct error *err)
{
    uint8_t hash[MANIFEST_HASH_BYTES];
    char name[40], where[PATH_MAX];

    TRY(receipt_folder(where, err));
    manifest_text_hash(hash, folder, strlen(folder));
    for (size_t i = 0; i < 16; i++)
        snprintf(name + 2 * i, 3, "%02x", hash[i]);
    if (snprintf(out, PATH_MAX, "%s/%s", where, name) >= PATH_MAX)
        return error_set(err, STATUS_LIMIT, "the cache's path is too long");
    return STATUS_OK;
}

static enum status
read_receipt(struct buffer *out, const char *path, struct error *err)
{
    bool exists;

    TRY(safe_file_exists(&exists, path, err));
    return exists ? safe_file_read(out, path, RECEIPT_BYTES, err) : STATUS_OK;
}

bool
model_check_has_receipt(const struct model_check *check)
{
    struct buffer wanted = {0}, there = {0};
    char path[PATH_MAX];
    struct error err = {0};
    bool same = receipt_path(path, check->folder, &err) == STATUS_OK &&
                read_receipt(&there, path, &err) == STATUS_OK &&
                manifest_receipt(&wanted, &check->manifest, check->folder,
                                 check->hash, &err) == STATUS_OK &&
                there.length == wanted.length && there.length > 0 &&
                memcmp(there.data, wanted.data, wanted.length) == 0;

    if (err.text[0])
        log_note("no receipt: %s", err.text);
    buffer_release(&wanted);
    buffer_release(&there);
    return same;
}

int64_t
model_check_receipt_time(const struct model_check *check)
{
    char path[PATH_MAX];
    struct stat status;
    struct error err;

    if (!model_check_has_receipt(check) ||
        receipt_path(path, check->folder, &err) != STATUS_OK ||
        stat(path, &status) != 0)
        return 0;
    return status.st_mtim.tv_sec;
}

static enum status
put_receipt(const struct model_check *check, const struct buffer *text,
            struct error *err)
{
    char path[PATH_MAX], folder[PATH_MAX];

    TRY(receipt_folder(folder, err));
    TRY(safe_folder_make(folder, err));
    TRY(receipt_path(path, check->folder, err));
    return safe_file_write(path, text->data, text->length, false, err);
}

enum status
model_check_write_receipt(const struct model_check *check, struct error *err)
{
    struct buffer text = {0};
    enum status status = manifest_receipt(&text, &check->manifest,
                                          check->folder, check->hash, err);

    if (status == STATUS_OK)
        status = put_receipt(check, &text, err);
    buffer_release(&text);
    return status;
}

void
model_check_forget(const char *folder)
{
    char path[PATH_MAX];
    struct error err;

    if (receipt_path(path, folder, &err) == STATUS_OK)
        unlink(path);
}

enum status
model_check_contents(struct model_check *check, bool always, struct error *err)
{
    struct buffer before = {0};
    struct error no_receipt;

    if (!always && model_check_has_receipt(check))
        return STATUS_OK;
    // what changes while it is read gets no receipt
    TRY(manifest_receipt(&before, &check->manifest, check->folder, check->hash,
                         err));
    struct manifest_work reading = model_check_work(
        "checking the model", manifest_bytes(&check->manifest));
    enum status status =
        manifest_check_hashes(&check->manifest, check->folder, &reading, err);

    progress_clear();
    if (status == STATUS_OK &&
        put_receipt(check, &before, &no_receipt) != STATUS_OK)
        log_note("no receipt is kept: %s", no_receipt.text);
    buffer_release(&before);
    if (status == STATUS_CANCELLED)
        return error_set(err, STATUS_CANCELLED,
                         "the model was not checked to its end");
    return status;
}

/* -- signers -----------------------------------------------------------------
 */

bool
model_signer_expiry(const struct model_signer *signer, char out[11],
                    bool *is_past)
{
    static const char key[] = "expires:", form[] = "0000-00-00";
    const char *at = strstr(signer->comment, key);
    char today[11];
    time_t now = time(NULL);
    struct tm parts;

    if (at == NULL)
        return false;
    at += sizeof key - 1;
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == '0' ? at[i] < '0' || at[i] > '9' : at[i] != form[i])
            return false;
    memcpy(out, at, 10);
    out[10] = '\0';
    gmtime_r(&now, &parts);
    strftime(today, sizeof today, "%Y-%m-%d", &parts);
    *is_past = strcmp(out, today) < 0;
    return true;
}

void
model_signer_text(char *out, size_t size, const struct model_signer *signer)
{
    char date[11];
    bool is_past;
    int n = snprintf(out, size, "%s (%s", signer->name, signer->id);

    if (n > 0 && (size_t) n < size &&
        model_signer_expiry(signer, date, &is_past))
        n += snprintf(out + n, size - (size_t) n, ", %s %s",
                      is_past ? "expired" : "expires", date);
    if (n > 0 && (size_t) n < size)
        snprintf(out + n, size - (size_t) n, ")");
}
