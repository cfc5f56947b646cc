/* See vault_fixture.h. */
#include "config.h"

#include "vault_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct error err;
struct vault_place place;

int
set_up(void **state)
{
    (void) state;
    vault_place_open(&place);
    return 0;
}

int
tear_down(void **state)
{
    (void) state;
    vault_place_close(&place);
    return 0;
}

void
ok(enum status status)
{
    if (status != STATUS_OK)
        fail_msg("status %d: %s", status, err.text);
}

bool
is_long(void)
{
    return getenv("FATHOM_LONG") != NULL;
}
