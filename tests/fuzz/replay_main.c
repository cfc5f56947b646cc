/*
 * Stands in for libFuzzer: gives the target the files named as arguments, or
 * those of tests/fuzz/corpus/NAME/ (of the source tree, or of the build tree
 * where it was unpacked) when there are none, NAME being the program's
 * without "_fuzz". Prints TAP; a crash is the failure.
 */
#include "config.h"

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static bool
replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t length = 0, got;

    if (file == NULL)
        return false;
    do {
        uint8_t *grown = realloc(bytes, length + 65536);

        if (grown == NULL)
            abort();
        bytes = grown;
        got = fread(bytes + length, 1, 65536, file);
        length += got;
    } while (got > 0);
    fclose(file);

    // an exact block, so that a sanitizer sees a read past the end
    uint8_t *exact = malloc(length);
    if (exact == NULL && length > 0)
        abort();
    if (length > 0)
        memcpy(exact, bytes, length);
    free(bytes);
    LLVMFuzzerTestOneInput(exact, length);
    free(exact);
    return true;
}

static int
replay_folder(const char *folder)
{
    struct dirent **names;
    int count = scandir(folder, &names, NULL, alphasort), files = 0;

    for (int i = 0; i < count; i++) {
        char path[4096 + 256];

        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && replay_file(path))
            files++;
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return files;
}

/* The files of a tree's corpus of this name. */
static int
replay_tree(const char *top, const char *name, size_t length)
{
    char folder[4096];

    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%.*s",
             top != NULL ? top : ".", (int) length, name);
    return replay_folder(folder);
}

/* From the source tree, or, where it was unpacked, from the build tree. */
static int
replay_corpus(const char *program)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash ? slash + 1 : program;
    const char *end = strstr(name, "_fuzz");
    size_t length = end ? (size_t) (end - name) : strlen(name);
    int files = replay_tree(getenv("top_srcdir"), name, length);

    return files > 0 ? files
                     : replay_tree(getenv("top_builddir"), name, length);
}

int
main(int argc, char **argv)
{
    int files = 0;

    for (int i = 1; i < argc; i++) {
        if (!replay_file(argv[i])) {
            fprintf(stderr, "cannot read %s\n", argv[i]);
            return 1;
        }
        files++;
    }
    if (argc < 2)
        files = replay_corpus(argv[0]);
    printf("1..1\n%s 1 - the_corpus_crashes_nothing (%d files)\n",
           files > 0 ? "ok" : "not ok", files);
    return files > 0 ? 0 : 1;
}
