#include "config.h"

#include "tests/screen/golden_screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
golden_screen_path(char path[4096], const char *name)
{
    const char *top = getenv("top_srcdir");

    snprintf(path, 4096, "%s/tests/screen/golden/%s.txt", top ? top : ".",
             name);
}

static void
write_golden(const char *path, const struct buffer *text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->length, file), text->length);
    assert_int_equal(fclose(file), 0);
}

static void
read_golden(struct buffer *out, const char *path)
{
    FILE *file = fopen(path, "rb");
    struct error err;
    char some[4096];

    if (file == NULL)
        fail_msg("cannot read %s", path);
    for (size_t got; (got = fread(some, 1, sizeof some, file)) > 0;)
        assert_int_equal(buffer_append(out, some, got, &err), STATUS_OK);
    fclose(file);
}

/* The first line that differs, in both texts. */
static void
show_difference(const char *name, const char *have, const char *wanted)
{
    unsigned row = 0;

    while (*have != '\0' && *wanted != '\0') {
        size_t a = strcspn(have, "\n"), b = strcspn(wanted, "\n");

        if (a != b || memcmp(have, wanted, a) != 0)
            break;
        have += a + (have[a] == '\n');
        wanted += b + (wanted[b] == '\n');
        row++;
    }
    fail_msg("%s, row %u:\n have |%.*s|\n want |%.*s|", name, row,
             (int) strcspn(have, "\n"), have, (int) strcspn(wanted, "\n"),
             wanted);
}

void
golden_screen(const struct canvas *canvas, const char *name)
{
    struct buffer text = {0}, wanted = {0};
    struct error err;
    char path[4096];

    golden_screen_path(path, name);
    assert_int_equal(canvas_text(canvas, &text, &err), STATUS_OK);
    if (getenv("GOLDEN_WRITE") != NULL)
        write_golden(path, &text);
    read_golden(&wanted, path);
    if (text.length != wanted.length ||
        memcmp(text.data, wanted.data, text.length) != 0)
        show_difference(name, text.data, wanted.length ? wanted.data : "");
    buffer_release(&text);
    buffer_release(&wanted);
}

/* The line of keys has room at every width, and begins in its column. */
static void
check_hints(const struct view *view)
{
    for (unsigned columns = 60; view->ops->hint && columns <= 200; columns++) {
        const char *text = view->ops->hint(view->state, columns);

        if (text != NULL &&
            (text[0] == ' ' || text_columns(text, strlen(text)) + 2 > columns))
            fail_msg("%s, keys at %u columns: |%s|", view->ops->name, columns,
                     text);
    }
}

void
golden_draw(struct canvas *canvas, const struct view *view, unsigned rows,
            unsigned columns, unsigned below, uint64_t now_ns)
{
    struct error err;

    assert_int_equal(canvas_resize(canvas, rows, columns, &err), STATUS_OK);
    view->ops->draw(view->state, canvas,
                    (struct area){0, 0, rows - below, columns}, now_ns);
    check_hints(view);
}

bool
golden_says(const struct canvas *canvas, const char *words)
{
    struct buffer text = {0};
    struct error err;

    assert_int_equal(canvas_text(canvas, &text, &err), STATUS_OK);
    assert_int_equal(buffer_append(&text, "", 1, &err), STATUS_OK);
    bool found = strstr(text.data, words) != NULL;

    buffer_release(&text);
    return found;
}
