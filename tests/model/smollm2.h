/*
 * The example model, SmolLM2-135M-Instruct in Q4_1, which script/example-model
 * fetches: tests that need it are skipped where it is not.
 */
#ifndef FATHOM_TESTS_MODEL_SMOLLM2_H
#define FATHOM_TESTS_MODEL_SMOLLM2_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Where the file is: FATHOM_TEST_SMOLLM2, or the user's model directory. False
 * when it cannot be read there; *path then tells where it was looked for.
 */
bool smollm2_path(char *path, size_t size);

#define SMOLLM2_ABSENT                                                         \
    "SmolLM2-135M-Instruct is not here; script/example-model fetches it"

#endif
