/*
 * How fast models have been on this machine: a small file in the user's cache
 * folder, ${XDG_CACHE_HOME:-~/.cache}/fathom/speeds. It tells of a model's
 * file its name, size, speeds and day of last use, and nothing of what was
 * said. Losing it loses nothing.
 */
#ifndef FATHOM_APP_MODEL_SPEED_H
#define FATHOM_APP_MODEL_SPEED_H

#include "base/base.h"

enum { SPEED_NAME_BYTES = 160, SPEEDS_MOST = 200 };

struct model_speed {
    char name[SPEED_NAME_BYTES];   // of the file, without its folder
    uint64_t bytes;                // of the file
    uint64_t runs;                 // answers that the means are of
    double prompt_tps, decode_tps; // 0: not measured
    double load_ms;                // the last one that read the file
    uint64_t context;              // tokens that the model was made for
    uint64_t used_s;               // since 1970
};

struct model_speeds {
    struct model_speed speed[SPEEDS_MOST];
    size_t count;
};

/* A file that is not there holds none; lines that make no sense are skipped. */
MUST_CHECK enum status model_speeds_read(struct model_speeds *out,
                                         struct error *err);
/* NULL: this file was never measured. */
const struct model_speed *model_speeds_find(const struct model_speeds *speeds,
                                            const char *name, uint64_t bytes);
/*
 * Takes one answer, or a load (runs 0), into the means of its model; where
 * there are too many, the one not used for longest makes room. False: such a
 * name is not kept.
 */
bool model_speeds_add(struct model_speeds *speeds,
                      const struct model_speed *measured);
MUST_CHECK enum status model_speeds_write(const struct model_speeds *speeds,
                                          struct error *err);

#endif
