/*
 * Failures on demand. With FATHOM_FAULT=N in the environment the Nth
 * allocation, read or write of the process fails, once. Tests loop N from 1
 * until a run succeeds. Safe from any thread.
 */
#ifndef FATHOM_BASE_FAULT_H
#define FATHOM_BASE_FAULT_H

#include <stdbool.h>

/* Counts one fallible step; true when it is the one that must fail. */
bool fault_due(void);

/* Starts counting anew: the Nth step from now fails; 0 means none. */
void fault_arm(unsigned long n);

#endif
