/* Characters whose columns are one or two, as the terminal's user likes. */
#ifndef FATHOM_UI_AMBIGUOUS_WIDTH_H
#define FATHOM_UI_AMBIGUOUS_WIDTH_H

#include <stdbool.h>
#include <stdint.h>

bool is_ambiguous_width(uint32_t code_point);

#endif
