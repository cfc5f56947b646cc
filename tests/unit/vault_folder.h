/*
 * A folder for one test of what lies on disk, mode 0700, and removal of all
 * that is in it.
 */
#ifndef FATHOM_TESTS_UNIT_VAULT_FOLDER_H
#define FATHOM_TESTS_UNIT_VAULT_FOLDER_H

/* Makes it and enters it; the program's folder is left for good. */
void vault_folder_enter(void);
/* Leaves and removes it. */
void vault_folder_leave(void);

#endif
