/* A vault for a test. */
#include "config.h"

#include "vault_place.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct error err;

const struct kdf_cost vault_place_cost = {1, 8192};

static void
make_path(char out[PATH_MAX], const char *folder, const char *name)
{
    assert_true(snprintf(out, PATH_MAX, "%s/%s", folder, name) < PATH_MAX);
}

void
vault_place_open(struct vault_place *place)
{
    static const char PASSPHRASE[] = "correct horse";
    char here[PATH_MAX - 64];

    memset(place, 0, sizeof *place);
    assert_non_null(getcwd(here, sizeof here));
    snprintf(place->folder, sizeof place->folder, "%s/vault-place-XXXXXX",
             here);
    assert_non_null(mkdtemp(place->folder));
    make_path(place->data, place->folder, "data");
    make_path(place->state, place->folder, "state");
    place->at = (struct vault_places){place->data, place->state};
    assert_int_equal(secret_start(&err), STATUS_OK);
    kdf_lower_floor(&vault_place_cost);
    assert_int_equal(
        secret_open(&place->passphrase, sizeof PASSPHRASE - 1, &err),
        STATUS_OK);
    memcpy(secret_data(place->passphrase), PASSPHRASE, sizeof PASSPHRASE - 1);
    place->credential.passphrase = place->passphrase;
}

static void
remove_tree(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char inner[PATH_MAX];
        struct stat info;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        make_path(inner, path, entry->d_name);
        if (lstat(inner, &info) == 0 && S_ISDIR(info.st_mode))
            remove_tree(inner);
        else
            unlink(inner);
    }
    if (folder != NULL)
        closedir(folder);
    rmdir(path);
}

void
vault_place_close(struct vault_place *place)
{
    remove_tree(place->folder);
    secret_close(place->passphrase);
}

struct vault *
vault_place_create(struct vault_place *place)
{
    struct vault *vault;
    enum status status = vault_create(&vault, &place->at, &place->credential,
                                      &vault_place_cost, &err);

    if (status != STATUS_OK)
        fail_msg("vault_create: %s", err.text);
    return vault;
}

struct vault *
vault_place_unlock(struct vault_place *place)
{
    struct vault *vault;
    enum status status =
        vault_open(&vault, &place->at, &place->credential, VAULT_WRITE, &err);

    if (status != STATUS_OK)
        fail_msg("vault_open: %s", err.text);
    return vault;
}

struct text
text_of(const char *string)
{
    return (struct text){string, strlen(string)};
}

struct turn_record
question_of(const char *content, uint64_t parent)
{
    return (struct turn_record){.parent = parent,
                                .role = TURN_QUESTION,
                                .time_ms = 1000,
                                .content = text_of(content),
                                .complete = true};
}

struct turn_record
answer_of(const char *content, uint64_t parent)
{
    struct turn_record turn = question_of(content, parent);

    turn.role = TURN_ANSWER;
    turn.thinking = text_of("let me see");
    turn.origin.model = text_of("fathom-mini");
    turn.origin.answer_tokens = 7;
    turn.origin.decode_tps = 12.5;
    turn.origin.sampling.top_k = -1;
    return turn;
}

struct chat_id
vault_place_chat(struct vault *vault, const char *title, const char *question,
                 const char *answer)
{
    struct chat_info info = {.title = text_of(title), .created_ms = 5};
    struct turn_record turn = question_of(question, 0);
    struct vault_chat *chat;
    struct chat_id chosen;
    uint64_t id;

    assert_int_equal(vault_chat_begin(&chat, vault, &info, &err), STATUS_OK);
    if (vault_chat_append(chat, &turn, &id, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    turn = answer_of(answer, id);
    assert_int_equal(vault_chat_append(chat, &turn, &id, &err), STATUS_OK);
    chosen = vault_chat_info(chat)->id;
    vault_chat_close(chat);
    return chosen;
}

// -- files ------------------------------------------------------------------

void
file_read(struct buffer *out, const char *path)
{
    char piece[4096];
    int file = open(path, O_RDONLY);
    ssize_t got;

    assert_true(file >= 0);
    buffer_clear(out);
    while ((got = read(file, piece, sizeof piece)) > 0)
        assert_int_equal(buffer_append(out, piece, (size_t) got, &err),
                         STATUS_OK);
    close(file);
}

void
file_write(const char *path, const void *bytes, size_t length)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, length), length);
    close(file);
}

void
file_copy(const char *from, const char *to)
{
    struct buffer bytes = {0};

    file_read(&bytes, from);
    file_write(to, bytes.data, bytes.length);
    buffer_release(&bytes);
}

const char *
vault_place_file(const struct vault_place *place, const char *name)
{
    static char path[PATH_MAX];

    make_path(path, place->data, name);
    return path;
}

/* Makes `to` a copy of the files in `from`. */
static void
copy_folder(const char *to, const char *from)
{
    DIR *folder = opendir(from);
    struct dirent *entry;

    assert_non_null(folder);
    remove_tree(to);
    assert_int_equal(mkdir(to, 0700), 0);
    while ((entry = readdir(folder)) != NULL) {
        char source[PATH_MAX], target[PATH_MAX];
        struct stat info;

        make_path(source, from, entry->d_name);
        make_path(target, to, entry->d_name);
        if (lstat(source, &info) == 0 && S_ISREG(info.st_mode))
            file_copy(source, target);
    }
    closedir(folder);
}

static void
saved_path(char out[PATH_MAX], const struct vault_place *place,
           const char *name, const char *which)
{
    assert_true(snprintf(out, PATH_MAX, "%s/%s-%s", place->folder, name,
                         which) < PATH_MAX);
}

void
vault_place_save(const struct vault_place *place, const char *name)
{
    char path[PATH_MAX];

    saved_path(path, place, name, "data");
    copy_folder(path, place->data);
    saved_path(path, place, name, "state");
    copy_folder(path, place->state);
}

void
vault_place_bring_back(const struct vault_place *place, const char *name)
{
    char path[PATH_MAX];

    saved_path(path, place, name, "data");
    copy_folder(place->data, path);
    saved_path(path, place, name, "state");
    copy_folder(place->state, path);
}
