/* A place for each test of a program, and what its calls fill and expect. */
#ifndef FATHOM_TESTS_UNIT_VAULT_FIXTURE_H
#define FATHOM_TESTS_UNIT_VAULT_FIXTURE_H

#include "vault_place.h"

extern struct error err;
extern struct vault_place place;

/* Around every test. */
int set_up(void **state);
int tear_down(void **state);

/* Fails the test where `status` does not say so, with err's sentence. */
void ok(enum status status);
/* Are the long forms asked for? */
bool is_long(void);

#endif
