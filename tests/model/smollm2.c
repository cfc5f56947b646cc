/* See smollm2.h. */
#include "config.h"

#include "tests/model/smollm2.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool
smollm2_path(char *path, size_t size)
{
    static const char name[] = "SmolLM2-135M-Instruct.Q4_1.gguf";
    const char *given = getenv("FATHOM_TEST_SMOLLM2");
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (given != NULL)
        snprintf(path, size, "%s", given);
    else if (data != NULL && data[0] == '/')
        snprintf(path, size, "%s/fathom/models/%s", data, name);
    else
        snprintf(path, size, "%s/.local/share/fathom/models/%s",
                 home != NULL ? home : "", name);
    return access(path, R_OK) == 0;
}
