#include "config.h"

#include "tests/unit/golden_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
golden_path(char *path, size_t size, const char *name)
{
    static const char *const trees[] = {"top_srcdir", "top_builddir"};

    for (size_t i = 0; i < 2; i++) {
        const char *tree = getenv(trees[i]);
        snprintf(path, size, "%s/tests/data/%s", tree ? tree : ".", name);
        if (access(path, R_OK) == 0)
            return;
    }
}

void
golden_open(struct golden_file *file, const char *name)
{
    char path[4096], some[65536];
    struct error err;

    *file = (struct golden_file){0};
    golden_path(path, sizeof path, name);
    FILE *stream = fopen(path, "rb");
    for (size_t got = 1; stream != NULL && got > 0;) {
        got = fread(some, 1, sizeof some, stream);
        if (buffer_append(&file->bytes, some, got, &err) != STATUS_OK)
            exit(99);
    }
    if (stream == NULL) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(99);
    }
    fclose(stream);
}

void
golden_close(struct golden_file *file)
{
    buffer_release(&file->bytes);
}

char *
golden_line(struct golden_file *file)
{
    char *line = file->bytes.data + file->at;
    size_t left = file->bytes.length - file->at;

    if (left == 0)
        return NULL;
    char *end = memchr(line, '\n', left);
    file->at = end != NULL ? (size_t) (end - file->bytes.data) + 1
                           : file->bytes.length;
    if (end != NULL)
        *end = '\0';
    file->line++;
    return line;
}

size_t
golden_unescape(char *line)
{
    char *out = line;

    for (const char *in = line; *in != '\0'; in++) {
        if (*in != '\\') {
            *out++ = *in;
            continue;
        }
        in++;
        if (*in == 'x') {
            char digits[3] = {in[1], in[2], '\0'};
            *out++ = (char) strtoul(digits, NULL, 16);
            in += 2;
        } else {
            *out++ = *in == 'n'   ? '\n'
                     : *in == 'r' ? '\r'
                     : *in == 't' ? '\t'
                                  : *in;
        }
    }
    return (size_t) (out - line);
}
