/*
 * A layer between SQLite and the disk that fails on demand, and that remembers
 * what was written when, so that a test can make the disk as a power cut would
 * have left it: with everything that was synced, and any part of the rest.
 */
#ifndef FATHOM_TESTS_UNIT_SHIM_VFS_H
#define FATHOM_TESTS_UNIT_SHIM_VFS_H

#include <stdbool.h>
#include <stddef.h>

void shim_start(void); // from then on every database goes through it

/*
 * The Nth write, truncation or sync from now fails with `code`, an error of
 * SQLite's; with `onwards` all that follow, too. 0: none.
 */
void shim_fail(unsigned long n, int code, bool onwards);
bool shim_failed(void); // did one?

/* `note` is called before each operation; what it gives is kept with it. */
typedef void shim_note_fn(void *note);
enum { SHIM_NOTE_BYTES = 256 };
void shim_record(shim_note_fn *note); // forgets what was recorded; NULL: stop
size_t shim_operations(void);
const void *shim_note(size_t operation);
/*
 * Makes files of `folder`, which are as they were when recording began, as
 * they may be after the first `count` operations and a power cut. `seed`
 * chooses which unsynced writes got to the disk.
 */
void shim_power_cut(const char *folder, size_t count, unsigned seed);

#endif
