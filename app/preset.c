/* A preset to what the options of a command line would have said. */
#include "config.h"

#include "app/preset.h"

#include "app/exit_code.h"
#include "app/places.h"
#include "app/question.h"
#include "app/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct buffer system_text; // nothing secret, as the page says

/* "there is no preset 'x'; there are brief, code" */
static enum status
refuse(const char *name, struct error *err)
{
    const struct settings *s = settings_now();
    char quoted[80], known[400] = "";

    for (size_t i = 0; i < s->preset_count; i++) {
        size_t used = strlen(known);

        snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "",
                 s->presets[i].name);
    }
    text_quote(quoted, sizeof quoted, name, strlen(name));
    if (s->preset_count == 0)
        return error_set(err, STATUS_FORMAT,
                         "there is no preset '%s': fathom.conf has no "
                         "[preset.NAME]",
                         quoted);
    return error_set(err, STATUS_FORMAT, "there is no preset '%s', but %s",
                     quoted, known);
}

/* A name without a slash lies in the folder of presets. */
static enum status
find_file(char out[PLACE_BYTES], const char *name, struct error *err)
{
    char folder[PLACE_BYTES];
    int n;

    if (strchr(name, '/') != NULL) {
        n = snprintf(out, PLACE_BYTES, "%s", name);
    } else {
        TRY(settings_folder(folder, sizeof folder, err));
        n = snprintf(out, PLACE_BYTES, "%s/presets/%s", folder, name);
    }
    if (n < 0 || n >= PLACE_BYTES)
        return error_set(err, STATUS_LIMIT, "the file's name is too long");
    return STATUS_OK;
}

static enum status
read_system(struct generation *g, const struct preset *preset, int *code,
            struct error *err)
{
    char path[PLACE_BYTES];

    buffer_clear(&system_text);
    if (preset->system_file[0] != '\0') {
        TRY(find_file(path, preset->system_file, err));
        TRY(question_read_file(&system_text, path, code, err));
    } else if (preset->system[0] != '\0') {
        TRY(buffer_append(&system_text, preset->system, strlen(preset->system),
                          err));
    }
    if (system_text.length > 0)
        g->system = system_text.data;
    return STATUS_OK;
}

static void
fill_count(struct option_count *out, struct option_count from, bool over)
{
    if (from.given && (over || !out->given))
        *out = from;
}

static void
fill_real(struct option_real *out, struct option_real from, bool over)
{
    if (from.given && (over || !out->given))
        *out = from;
}

enum status
preset_fill(struct generation *g, const char *name, bool over, int *code,
            struct error *err)
{
    const struct preset *p = settings_preset(name);

    *code = EXIT_CONFIG;
    if (p == NULL)
        return refuse(name, err);
    if (over || g->system == NULL)
        TRY(read_system(g, p, code, err));
    if (p->think.given && (over || g->think == NULL))
        g->think = p->think.value == 1 ? "on" : "off";
    fill_count(&g->think_budget, p->budget, over);
    fill_count(&g->max_tokens, p->max_tokens, over);
    fill_count(&g->top_k, p->top_k, over);
    fill_count(&g->seed, p->seed, over);
    fill_real(&g->temperature, p->temperature, over);
    fill_real(&g->top_p, p->top_p, over);
    fill_real(&g->min_p, p->min_p, over);
    fill_real(&g->repeat_penalty, p->repeat_penalty, over);
    *code = EXIT_SUCCESS;
    return STATUS_OK;
}

enum status
preset_start(struct generation *g, int *code, struct error *err)
{
    const char *variable = getenv("FATHOM_PRESET");

    *code = EXIT_SUCCESS;
    if (g->preset == NULL && variable && *variable)
        g->preset = variable;
    if (g->preset == NULL)
        return STATUS_OK;
    return preset_fill(g, g->preset, false, code, err);
}
