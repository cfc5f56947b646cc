/*
 * Unlocking the history, or settling whether there is to be one: what is known
 * without a key, a question, the line for the answer or the passphrase, and how
 * the machine keeps it. It fills the screen. A passphrase is not shown unless
 * the user asks for it. The main thread only.
 */
#ifndef FATHOM_UI_VIEW_UNLOCK_H
#define FATHOM_UI_VIEW_UNLOCK_H

#include "ui/views/view.h"

enum { UNLOCK_FACTS = 5, UNLOCK_REMARKS = 4 };

/* Texts are fit to be shown; those that are NULL are left out. */
struct unlock_sheet {
    const char *program; // "fathom 1.0"
    const char *privacy; // "net:off  vault:locked"
    const char *title;   // "Unlock history"
    const char *text;    // what the question is about, wrapped
    const char *prompt;  // the question, wrapped
    const char *made;    // a passphrase to be written down
    size_t made_length;
    struct {
        const char *label, *text; // "key slots"
        bool wide;                // on large screens alone
    } facts[UNLOCK_FACTS];
    size_t fact_count;

    const char *label; // of the line that is typed: "passphrase"
    const char *shown; // what is typed, where the user wants to see it
    size_t shown_length;
    const char *cost;     // "Argon2id 3 x 256 MiB"
    const char *deriving; // what goes on now: "deriving", "deriving  1.4 s"
    bool measured;        // a bar beside it: the share of it that is done
    double share;
    const char *fault; // why it did not open

    const char *enter; // "Enter unlock"
    bool key_file;     // F2 takes one
    bool hidden;       // what is typed, unless F3 shows it
    bool seen;         // F3 hides again
    bool ephemeral;    // F4 leaves the vault alone
    const char *leave; // "^C quit"

    struct {
        const char *text; // below the box: tries, the machine; or NULL
        const char *wide; // in its place on large screens; or NULL
    } remarks[UNLOCK_REMARKS];
    size_t remark_count;
    const char *behind; // "the model goes on loading behind this screen: 42 %"
};

struct unlock_source {
    void *context;
    // as things are; lent until the next call
    const struct unlock_sheet *(*sheet)(void *context, uint64_t now_ns);
};

MUST_CHECK enum status view_unlock_open(struct view *out,
                                        const struct unlock_source *source,
                                        struct error *err);
void view_unlock_close(struct view *view); // takes an empty one

#endif
