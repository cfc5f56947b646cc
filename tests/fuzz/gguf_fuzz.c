/*
 * Any bytes as a model file: container, shape, tensors, vocabulary,
 * description and weights. The file is an unnamed one in memory.
 */
#include "config.h"

#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { INPUT_MAX = 1 << 20 };

static int file = -1;
static struct device *device;

static void
prepare(void)
{
    const struct device_cpu_options options = {.threads = 1, .level = CPU_REF};
    struct error err;

    file = memfd_create("model", MFD_CLOEXEC);
    if (file < 0 || device_cpu_open(&device, &options, &err) != STATUS_OK)
        abort();
}

/* What a sentence says must be one line of text. */
static void
check_text(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char) *p < 0x20 || *p == 0x7F)
            abort();
    if (text[0] == '\0' || !utf8_valid(text, strlen(text)))
        abort();
}

static void
use_model(struct model *model)
{
    struct tokenizer *tokenizer;
    struct buffer json = {0};
    struct error err;

    if (tokenizer_open(&tokenizer, model->gguf, &err) == STATUS_OK)
        tokenizer_close(tokenizer);
    else
        check_text(err.text);
    if (model_describe(model, &json, &err) != STATUS_OK)
        abort();
    buffer_release(&json);
    if (model_load(model, device, 1, NULL, NULL, NULL, &err) != STATUS_OK)
        check_text(err.text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct model *model;
    struct error err;
    char path[32];

    if (length > INPUT_MAX)
        return 0;
    if (file < 0)
        prepare();
    if (ftruncate(file, 0) != 0 ||
        pwrite(file, bytes, length, 0) != (ssize_t) length)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (model_open(&model, path, NULL, &err) == STATUS_OK) {
        use_model(model);
        model_close(model);
    } else {
        check_text(err.text);
    }
    return 0;
}
