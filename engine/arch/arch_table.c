/* The architectures that can be run. */
#include "config.h"

#include "engine/arch/arch.h"

#include <string.h>

static const struct arch *const table[] = {&arch_deepseek, &arch_llama};

const struct arch *
arch_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    return NULL;
}

const char *
arch_names(void)
{
    return "deepseek2, llama"; // shape_test compares it with the table
}
