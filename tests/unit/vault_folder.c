/* In /tmp, whose sticky bit keeps what is below it ours. */
#include "config.h"

#include "tests/unit/vault_folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static int before = -1;

void
vault_folder_enter(void)
{
    before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(before >= 0);
    snprintf(folder, sizeof folder, "%s", "/tmp/fathom-unit-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
}

static int
remove_one(const char *path, const struct stat *status, int kind,
           struct FTW *at)
{
    (void) status;
    (void) kind;
    (void) at;
    return remove(path);
}

void
vault_folder_leave(void)
{
    assert_int_equal(fchdir(before), 0);
    close(before);
    assert_int_equal(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}
