/*
 * storage/minisign.h against minisign 0.11: what that program wrote is read
 * here, and what is written here it accepts (where it is installed).
 */
#include "config.h"

#include "storage/storage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

// made by: minisign -G -W; printf 'hello\n' >MANIFEST; minisign -S -t 'hi
// there'
static const char public_text[] =
    "untrusted comment: minisign public key B26B8215EF6B227F\n"
    "RWR/ImvvFYJrspZLrRnsKsbGijNiZge7TbEja3NXjM9DozWRpiNELltt\n";
static const char secret_text[] =
    "untrusted comment: minisign encrypted secret key\n"
    "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAfy"
    "Jr7xWCa7K5r1QdyzXL9P6NIdVcALkxhpHw4kPNXT+"
    "bFlGlA2fcQ5ZLrRnsKsbGijNiZge7TbEja3"
    "NXjM9DozWRpiNELlttAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
static const char signature_text[] =
    "untrusted comment: signature from minisign secret key\n"
    "RUR/"
    "ImvvFYJrshwmq18dcYklepR6fhpEXjSDoVSlEeEK67ky3Qr2C4z79FElwRzPzUgJXvCKfRBK"
    "8cE/OF0tT+Rz3goEYRlESwE=\n"
    "trusted comment: hi there\n"
    "Kf0UfwQWcSdyBfkBWZOxk5h1yihYIJdI9SrZ0+FQkB0Vnmd+"
    "xHdk1q3tfHN1fAPoY0hWW000vtgf"
    "jSHncjO/Bg==\n";
static const char message[] = "hello\n";

static struct minisign_key
read_public(void)
{
    struct minisign_key key;
    struct error err;

    assert_int_equal(
        minisign_read_key(&key, "k", public_text, strlen(public_text), &err),
        STATUS_OK);
    return key;
}

static enum status
verify(const char *signature, const void *bytes, size_t length,
       struct error *err)
{
    struct minisign_key key = read_public();
    struct minisign_signature by;

    TRY(minisign_read_signature(&by, "s", signature, strlen(signature), err));
    return minisign_verify(&by, &key, "m", bytes, length, err);
}

static void
what_minisign_signed_is_accepted(void **state)
{
    struct minisign_signature by;
    struct minisign_key key = read_public();
    struct error err;
    char id[MINISIGN_ID_TEXT];
    uint8_t number[MINISIGN_NUMBER_BYTES];

    (void) state;
    assert_int_equal(verify(signature_text, message, 6, &err), STATUS_OK);
    assert_int_equal(minisign_read_signature(&by, "s", signature_text,
                                             strlen(signature_text), &err),
                     STATUS_OK);
    assert_string_equal(by.trusted, "hi there");
    minisign_id_text(id, key.number);
    assert_string_equal(id, "B26B8215EF6B227F");
    assert_true(minisign_id_read(number, id));
    assert_memory_equal(number, key.number, sizeof number);
    assert_false(minisign_id_read(number, "B26B8215EF6B227"));
    assert_false(minisign_id_read(number, "B26B8215EF6B227G"));
}

/* Every character of the base64 lines and of the trusted comment counts. */
static void
no_character_of_a_signature_can_be_changed(void **state)
{
    size_t start = strlen("untrusted comment: signature from minisign secret "
                          "key\n");
    char text[sizeof signature_text];
    struct error err;

    (void) state;
    for (size_t i = start; i < sizeof signature_text - 1; i++) {
        memcpy(text, signature_text, sizeof text);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_int_not_equal(verify(text, message, 6, &err), STATUS_OK);
    }
}

static void
no_bit_of_the_message_can_be_changed(void **state)
{
    char changed[8];
    struct error err;

    (void) state;
    for (size_t bit = 0; bit < 6 * 8; bit++) {
        memcpy(changed, message, 6);
        changed[bit / 8] = (char) (changed[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(verify(signature_text, changed, 6, &err),
                         STATUS_SIGNATURE);
    }
    assert_int_equal(verify(signature_text, message, 5, &err),
                     STATUS_SIGNATURE);
    assert_int_equal(verify(signature_text, message, 7, &err),
                     STATUS_SIGNATURE);
}

static void
a_signature_that_was_cut_or_grew_is_refused(void **state)
{
    char text[sizeof signature_text + 4];
    struct minisign_signature by;
    struct error err;
    // the last line feed may be missing
    size_t whole = sizeof signature_text - 2;

    (void) state;
    for (size_t length = 0; length < whole; length++)
        assert_int_not_equal(
            minisign_read_signature(&by, "s", signature_text, length, &err),
            STATUS_OK);
    snprintf(text, sizeof text, "%sx\n", signature_text);
    assert_int_equal(
        minisign_read_signature(&by, "s", text, strlen(text), &err),
        STATUS_FORMAT);
}

static void
a_signature_of_the_old_kind_is_refused(void **state)
{
    char text[sizeof signature_text];
    struct error err;

    (void) state;
    memcpy(text, signature_text, sizeof text);
    memcpy(strstr(text, "RUR/"), "RWR/", 4); // "Ed" in place of "ED"
    assert_int_equal(verify(text, message, 6, &err), STATUS_UNSUPPORTED);
    assert_non_null(strstr(err.text, "of the old kind"));
}

static void
another_key_with_the_same_number_does_not_do(void **state)
{
    struct minisign_signature by;
    struct minisign_key key = read_public(), other;
    struct secret *made = NULL;
    struct error err;

    (void) state;
    assert_int_equal(minisign_create(&made, &err), STATUS_OK);
    minisign_public(&other, made);
    memcpy(other.number, key.number, sizeof key.number);
    assert_int_equal(minisign_read_signature(&by, "s", signature_text,
                                             strlen(signature_text), &err),
                     STATUS_OK);
    assert_int_equal(minisign_verify(&by, &other, "m", message, 6, &err),
                     STATUS_SIGNATURE);
    secret_close(made);
}

static void
a_secret_key_of_minisign_makes_its_public_key(void **state)
{
    struct minisign_key key = read_public(), made;
    struct secret *secret = NULL;
    struct error err;
    bool locked;

    (void) state;
    assert_int_equal(minisign_read_secret(&secret, &locked, "k", secret_text,
                                          strlen(secret_text), NULL, &err),
                     STATUS_OK);
    assert_false(locked);
    minisign_public(&made, secret);
    assert_memory_equal(&made, &key, sizeof key);
    secret_close(secret);
}

static const struct minisign_cost least = {32768, 16 << 20};

static struct secret *
secret_of(const char *text)
{
    struct secret *out = NULL;
    struct error err;

    assert_int_equal(secret_open(&out, strlen(text), &err), STATUS_OK);
    memcpy(secret_data(out), text, strlen(text));
    return out;
}

static void
a_locked_key_opens_with_its_passphrase_only(void **state)
{
    struct secret *key = NULL, *back = NULL, *right = secret_of("right"),
                  *wrong = secret_of("wrong");
    struct buffer text = {0};
    struct error err;
    bool locked;

    (void) state;
    assert_int_equal(minisign_create(&key, &err), STATUS_OK);
    assert_int_equal(minisign_write_secret(&text, key, right, &least, &err),
                     STATUS_OK);
    assert_int_equal(minisign_read_secret(&back, &locked, "k", text.data,
                                          text.length, NULL, &err),
                     STATUS_OK);
    assert_true(locked);
    assert_null(back);
    assert_int_equal(minisign_read_secret(&back, &locked, "k", text.data,
                                          text.length, wrong, &err),
                     STATUS_DENIED);
    assert_null(back);
    assert_int_equal(minisign_read_secret(&back, &locked, "k", text.data,
                                          text.length, right, &err),
                     STATUS_OK);
    assert_memory_equal(secret_bytes(back), secret_bytes(key),
                        MINISIGN_SECRET_BYTES);
    secret_close(key);
    secret_close(back);
    secret_close(right);
    secret_close(wrong);
    buffer_release(&text);
}

static void
a_key_that_asks_for_too_much_work_is_refused(void **state)
{
    struct secret *key = NULL, *back = NULL, *pass = secret_of("p");
    struct minisign_cost bomb = {UINT64_MAX, UINT64_MAX};
    struct buffer text = {0};
    struct error err;
    bool locked;

    (void) state;
    assert_int_equal(minisign_create(&key, &err), STATUS_OK);
    assert_int_equal(minisign_write_secret(&text, key, NULL, &bomb, &err),
                     STATUS_OK);
    // the same head with the largest costs: base64 of 0xFF is '/'
    char *line = strchr(text.data, '\n') + 1;
    memcpy(line, "RWRTY0Iy", 8);
    memset(line + 8 + 44, '/', 20);
    assert_int_equal(minisign_read_secret(&back, &locked, "k", text.data,
                                          text.length, pass, &err),
                     STATUS_LIMIT);
    assert_null(back);
    secret_close(key);
    secret_close(pass);
    buffer_release(&text);
}

static void
write_file(const char *folder, const char *name, const char *bytes,
           size_t length)
{
    char path[200];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static int
shell(const char *folder, const char *command)
{
    char line[600];

    snprintf(line, sizeof line, "cd %s && { %s; } >/dev/null 2>&1", folder,
             command);
    int how = system(line);

    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

static void
minisign_accepts_what_is_written_here(void **state)
{
    char folder[] = "/tmp/fathom-minisign-XXXXXX";
    struct buffer public = {0}, secret = {0}, signature = {0};
    struct secret *key = NULL, *pass = secret_of("a passphrase");
    struct minisign_key point;
    struct error err;

    (void) state;
    if (system("command -v minisign >/dev/null") != 0)
        skip();
    assert_non_null(mkdtemp(folder));
    assert_int_equal(minisign_create(&key, &err), STATUS_OK);
    minisign_public(&point, key);
    assert_int_equal(minisign_write_key(&public, &point, &err), STATUS_OK);
    assert_int_equal(minisign_write_secret(&secret, key, pass, &least, &err),
                     STATUS_OK);
    assert_int_equal(
        minisign_sign(&signature, key, message, 6, "made here", &err),
        STATUS_OK);
    write_file(folder, "k.pub", public.data, public.length);
    write_file(folder, "k.key", secret.data, secret.length);
    write_file(folder, "m", message, 6);
    write_file(folder, "m.minisig", signature.data, signature.length);
    assert_int_equal(shell(folder, "minisign -Vm m -p k.pub | grep -x "
                                   "'Trusted comment: made here'"),
                     0);
    // and it signs with the key that was written here
    assert_int_equal(shell(folder, "echo 'a passphrase' | minisign -S -m m -s "
                                   "k.key -x n && minisign -Vm m -p k.pub "
                                   "-x n"),
                     0);
    assert_int_not_equal(shell(folder, "echo x >>m; minisign -Vm m -p k.pub"),
                         0);
    char remove[100];

    snprintf(remove, sizeof remove, "rm -r %s", folder);
    assert_int_equal(system(remove), 0);
    secret_close(key);
    secret_close(pass);
    buffer_release(&public);
    buffer_release(&secret);
    buffer_release(&signature);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_minisign_signed_is_accepted),
        cmocka_unit_test(no_character_of_a_signature_can_be_changed),
        cmocka_unit_test(no_bit_of_the_message_can_be_changed),
        cmocka_unit_test(a_signature_that_was_cut_or_grew_is_refused),
        cmocka_unit_test(a_signature_of_the_old_kind_is_refused),
        cmocka_unit_test(another_key_with_the_same_number_does_not_do),
        cmocka_unit_test(a_secret_key_of_minisign_makes_its_public_key),
        cmocka_unit_test(a_locked_key_opens_with_its_passphrase_only),
        cmocka_unit_test(a_key_that_asks_for_too_much_work_is_refused),
        cmocka_unit_test(minisign_accepts_what_is_written_here),
    };
    struct error err;

    if (secret_start(&err) != STATUS_OK)
        return 99;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
