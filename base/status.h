/*
 * How functions fail: a status for code, a sentence for a person.
 *
 * A function that can fail returns enum status, is MUST_CHECK, and takes
 * `struct error *err` last. err->text says what was attempted, on what, and
 * why it failed; whoever knows the path names it, once. A bug is not an
 * error: assert.
 */
#ifndef FATHOM_BASE_STATUS_H
#define FATHOM_BASE_STATUS_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

enum status {
    STATUS_OK = 0,
    STATUS_NOMEM,       // memory was asked for and not given
    STATUS_IO,          // a system call on a file or pipe failed
    STATUS_FORMAT,      // bytes from outside break their format's rules
    STATUS_LIMIT,       // well-formed, but larger than what is allowed here
    STATUS_UNSUPPORTED, // well-formed, but a kind we do not run
    STATUS_DEVICE,      // a device failed, or numbers stopped being finite
    STATUS_CANCELLED,   // somebody asked us to stop
    STATUS_DENIED,      // a wrong passphrase, unsafe permissions, a policy
    STATUS_INTEGRITY,   // sealed bytes were changed, dropped or brought back
    STATUS_BUSY,        // another process has it; later it may work
    STATUS_SIGNATURE,   // a signature is missing or wrong
};

struct error {
    enum status status;
    char text[1024]; // one sentence, no final full stop, no line feed
};

/*
 * error_set fills *err and is `status`; error_errno does so with STATUS_IO and
 * appends ": " and the text of errno. Text is cut at the size of err->text.
 * Macros, so that the compiler sees which status a caller returns.
 */
#define error_set(err, status, ...)                                            \
    (error_fill((err), (status), __VA_ARGS__), (status))
#define error_errno(err, ...) (error_fill_errno((err), __VA_ARGS__), STATUS_IO)

void error_fill(struct error *err, enum status status, const char *text, ...)
    PRINTF_LIKE(3, 4);
void error_fill_errno(struct error *err, const char *text, ...)
    PRINTF_LIKE(2, 3);

/* Returns from the calling function if `call` fails. */
#define TRY(call)                                                              \
    do {                                                                       \
        enum status try_status = (call);                                       \
        if (try_status != STATUS_OK)                                           \
            return try_status;                                                 \
    } while (0)

#endif
