/* Folders of keys, opened without following links. */
#include "config.h"

#include "app/model/model_trust.h"

#include "app/policy.h"
#include "app/settings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_FOLDER SYSCONFDIR "/fathom/trust.d"
#define KEY_ENDING ".pub"
#define REVOKED "revoked"

enum { QUOTED_BYTES = 300 };

struct trust_folder {
    struct model_trust *out;
    const char *path;
    bool of_user; // may be the user's; else root's only
    int descriptor;
};

static const char *
shown(char out[QUOTED_BYTES], const struct trust_folder *folder,
      const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%.3000s%s%.255s", folder->path,
             *name ? "/" : "", name);
    return text_quote(out, QUOTED_BYTES, path, strlen(path));
}

static enum status
check_safe(const struct trust_folder *folder, const char *name,
           const struct stat *file, struct error *err)
{
    char where[QUOTED_BYTES];
    bool ours =
        file->st_uid == 0 || (folder->of_user && file->st_uid == geteuid());

    if (!ours)
        return error_set(err, STATUS_DENIED,
                         "%s belongs to user %lu, who is not trusted to say "
                         "which models are",
                         shown(where, folder, name),
                         (unsigned long) file->st_uid);
    if (file->st_mode & (S_IWGRP | S_IWOTH))
        return error_set(err, STATUS_DENIED,
                         "%s can be written by others (mode %04o), so it says "
                         "nothing about trust; chmod go-w mends that",
                         shown(where, folder, name),
                         (unsigned) file->st_mode & 07777);
    return STATUS_OK;
}

/* Appends a file of the folder; *found is false where there is none. */
static enum status
read_file(struct buffer *text, bool *found, const struct trust_folder *folder,
          const char *name, struct error *err)
{
    char where[QUOTED_BYTES];
    struct stat status;
    int file = openat(folder->descriptor, name,
                      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    *found = file >= 0;
    if (file < 0 && errno == ENOENT)
        return STATUS_OK;
    if (file < 0) {
        (void) error_errno(err, "cannot read %s", shown(where, folder, name));
        return err->status = STATUS_DENIED;
    }
    enum status result = STATUS_OK;

    if (fstat(file, &status) < 0)
        result = error_errno(err, "cannot read %s", shown(where, folder, name));
    else if (!S_ISREG(status.st_mode))
        result = error_set(err, STATUS_DENIED, "%s is not a regular file",
                           shown(where, folder, name));
    else
        result = check_safe(folder, name, &status, err);
    if (result == STATUS_OK)
        result =
            settings_read_text(text, file, shown(where, folder, name), err);
    close(file);
    return result;
}

static enum status
add_key(struct model_trust *out, const char *name, const char *where,
        const struct buffer *text, struct error *err)
{
    struct trusted_key *key = &out->key[out->keys];

    if (out->keys == TRUST_KEYS)
        return error_set(err, STATUS_LIMIT, "there are more than %d keys",
                         TRUST_KEYS);
    TRY(minisign_read_key(&key->key, where, text->data, text->length, err));
    size_t length = strlen(name), ending = strlen(KEY_ENDING);

    if (length > ending && strcmp(name + length - ending, KEY_ENDING) == 0)
        length -= ending;
    text_quote(key->name, sizeof key->name, name, length);
    out->keys++;
    return STATUS_OK;
}

static enum status
read_key(const struct trust_folder *folder, const char *name, struct error *err)
{
    char where[QUOTED_BYTES];
    struct buffer text = {0};
    bool found;
    enum status status = read_file(&text, &found, folder, name, err);

    if (status == STATUS_OK && found)
        status =
            add_key(folder->out, name, shown(where, folder, name), &text, err);
    buffer_release(&text);
    return status;
}

/* A line of `revoked`: a number, blanks and a comment after '#'. */
static enum status
add_revoked(struct model_trust *out, const char *where, unsigned line_number,
            char *line, struct error *err)
{
    line[strcspn(line, "#")] = '\0';
    line += strspn(line, " \t\r");
    line[strcspn(line, " \t\r")] = '\0';
    if (*line == '\0')
        return STATUS_OK;
    if (out->revocations == TRUST_KEYS)
        return error_set(err, STATUS_LIMIT,
                         "%s: there are more than %d revoked keys", where,
                         TRUST_KEYS);
    if (!minisign_id_read(out->revoked[out->revocations], line))
        return error_set(err, STATUS_FORMAT,
                         "%s line %u: a key's number has 16 hexadecimal "
                         "digits",
                         where, line_number);
    out->revocations++;
    return STATUS_OK;
}

static enum status
read_revoked(const struct trust_folder *folder, struct error *err)
{
    char where[QUOTED_BYTES];
    struct buffer text = {0};
    unsigned number = 0;
    bool found;
    enum status status = read_file(&text, &found, folder, REVOKED, err);

    shown(where, folder, REVOKED);
    if (status == STATUS_OK)
        status = buffer_append(&text, "", 1, err);
    if (status == STATUS_OK && strlen(text.data) + 1 != text.length)
        status = error_set(err, STATUS_FORMAT, "%s is not text", where);
    for (char *at = text.data, *stop; status == STATUS_OK && at != NULL;
         at = stop ? stop + 1 : NULL) {
        stop = strchr(at, '\n');
        if (stop)
            *stop = '\0';
        status = add_revoked(folder->out, where, ++number, at, err);
    }
    buffer_release(&text);
    return status;
}

static bool
is_key_name(const char *name)
{
    size_t length = strlen(name), ending = strlen(KEY_ENDING);

    return name[0] != '.' && length > ending &&
           strcmp(name + length - ending, KEY_ENDING) == 0;
}

static enum status
read_keys(const struct trust_folder *folder, struct error *err)
{
    int again = dup(folder->descriptor);
    DIR *open = again < 0 ? NULL : fdopendir(again);
    enum status status = STATUS_OK;

    if (open == NULL)
        return error_errno(err, "cannot read the folder %s", folder->path);
    for (struct dirent *entry;
         status == STATUS_OK && (entry = readdir(open)) != NULL;)
        if (is_key_name(entry->d_name))
            status = read_key(folder, entry->d_name, err);
    closedir(open);
    return status;
}

static enum status
read_folder(struct model_trust *out, const char *path, bool of_user,
            bool must_exist, struct error *err)
{
    struct trust_folder folder = {.out = out, .path = path, .of_user = of_user};
    char where[QUOTED_BYTES];
    struct stat status;

    folder.descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder.descriptor < 0 && errno == ENOENT && !must_exist)
        return STATUS_OK;
    if (folder.descriptor < 0) {
        (void) error_errno(err, "cannot read the folder of trusted keys %s",
                           shown(where, &folder, ""));
        return err->status = STATUS_DENIED;
    }
    enum status result = STATUS_OK;

    if (fstat(folder.descriptor, &status) < 0)
        result =
            error_errno(err, "cannot look at %s", shown(where, &folder, ""));
    if (result == STATUS_OK)
        result = check_safe(&folder, "", &status, err);
    if (result == STATUS_OK)
        result = read_keys(&folder, err);
    if (result == STATUS_OK)
        result = read_revoked(&folder, err);
    close(folder.descriptor);
    return result;
}

enum status
model_trust_read(struct model_trust *out, struct error *err)
{
    const char *decided = policy_trust_dir();
    char user[PATH_MAX];
    struct error ignored;

    *out = (struct model_trust){0};
    if (decided)
        return read_folder(out, decided, false, true, err);
    TRY(read_folder(out, SYSTEM_FOLDER, false, false, err));
    if (settings_folder(user, sizeof user - 10, &ignored) != STATUS_OK)
        return STATUS_OK;
    text_copy(user + strlen(user), 10, "/trust.d");
    return read_folder(out, user, true, false, err);
}

enum status
model_trust_only(struct model_trust *out, const char *path, struct error *err)
{
    char where[QUOTED_BYTES];
    struct buffer text = {0};
    const char *slash = strrchr(path, '/');
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    *out = (struct model_trust){0};
    text_quote(where, sizeof where, path, strlen(path));
    if (file < 0)
        return error_errno(err, "cannot read the key %s", where);
    enum status status = settings_read_text(&text, file, where, err);

    if (status == STATUS_OK)
        status = add_key(out, slash ? slash + 1 : path, where, &text, err);
    close(file);
    buffer_release(&text);
    return status;
}

bool
model_trust_is_revoked(const struct model_trust *trust,
                       const uint8_t number[MINISIGN_NUMBER_BYTES])
{
    for (size_t i = 0; i < trust->revocations; i++)
        if (memcmp(trust->revoked[i], number, MINISIGN_NUMBER_BYTES) == 0)
            return true;
    return false;
}

const struct trusted_key *
model_trust_find(const struct model_trust *trust,
                 const uint8_t number[MINISIGN_NUMBER_BYTES])
{
    for (size_t i = 0; i < trust->keys; i++)
        if (memcmp(trust->key[i].key.number, number, MINISIGN_NUMBER_BYTES) ==
            0)
            return &trust->key[i];
    return NULL;
}
