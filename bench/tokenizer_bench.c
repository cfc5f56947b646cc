/*
 * How long a vocabulary takes to open, and how fast text is encoded: mixed
 * text, and a megabyte each of what makes careless tokenizers quadratic.
 *
 *   tokenizer_bench [FILE.gguf ...]     (vocabulary-only files will do)
 */
#include "config.h"

#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEGABYTE = 1000000, TRIES = 3 };

static const char mixed[] =
    "The quick brown fox jumps over 13 lazy dogs; they don't mind (much).\n"
    "    for (size_t i = 0; i < count; i++)\n        sum += row[i] * x[i];\n\n"
    "Das Mädchen läuft über die Brücke. Всё хорошо, что хорошо кончается.\n"
    "床前明月光，疑是地上霜。日本語のテスト、한국어도 있어요. \U0001F642\n"
    "3.14159 + 2.71828 = 5.85987, 100%, http://example.org/?a=b&c=d\n\t\r\n";

static const struct {
    const char *name, *unit;
} texts[] = {
    {"mixed text", mixed},
    {"blanks", " "},
    {"line feeds", "\n"},
    {"a", "a"},
    {"A", "A"},
    {"CJK", "你"},
    {"digits", "7"},
    {"points", "."},
    {"combining", "\xCC\x81"},
    {"emoji", "\U0001F642"},
    {"blanks and LF", "    \n"},
    {"a b ", "a b "},
};

static void
must(enum status status, const struct error *err)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static double
milliseconds_since(uint64_t start)
{
    return (double) (clock_ns() - start) / 1e6;
}

static void
bench_text(const struct tokenizer *tokenizer, const char *name,
           const char *unit)
{
    size_t n = strlen(unit);
    struct buffer text = {0};
    struct error err;
    double best = 0;
    size_t count = 0;

    while (text.length + n <= MEGABYTE)
        must(buffer_append(&text, unit, n, &err), &err);
    for (int try = 0; try < TRIES; try++) {
        struct tokens tokens = {0};
        uint64_t start = clock_ns();

        must(tokenizer_encode(tokenizer, text.data, text.length, &tokens, &err),
             &err);
        double took = milliseconds_since(start);
        best = try == 0 || took < best ? took : best;
        count = tokens.count;
        tokens_release(&tokens);
    }
    printf("  %-14s %8.1f ms %8.1f MB/s %9zu tokens\n", name, best,
           (double) text.length / 1e3 / best, count);
    buffer_release(&text);
}

static void
bench_file(const char *path)
{
    struct gguf *gguf = NULL;
    struct tokenizer *tokenizer = NULL;
    struct error err;
    double file = 0, open = 0;

    for (int try = 0; try < TRIES; try++) {
        tokenizer_close(tokenizer);
        gguf_close(gguf);
        uint64_t start = clock_ns();
        must(gguf_open(&gguf, path, &err), &err);
        double took = milliseconds_since(start);
        file = try == 0 || took < file ? took : file;
        start = clock_ns();
        must(tokenizer_open(&tokenizer, gguf, &err), &err);
        took = milliseconds_since(start);
        open = try == 0 || took < open ? took : open;
    }
    printf("%s: %zu tokens, %s: file %.1f ms, tokenizer %.1f ms\n", path,
           tokenizer_count(tokenizer), tokenizer_pre(tokenizer), file, open);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        bench_text(tokenizer, texts[i].name, texts[i].unit);
    tokenizer_close(tokenizer);
    gguf_close(gguf);
}

int
main(int argc, char **argv)
{
    static const char *const unpacked[] = {
        "deepseek-v3", "deepseek-llm", "deepseek-coder", "llama3_1",
        "qwen2",       "smollm",       "llama-spm",
    };

    for (int i = 1; i < argc; i++)
        bench_file(argv[i]);
    for (size_t i = 0; argc < 2 && i < sizeof unpacked / sizeof *unpacked;
         i++) {
        char path[128];
        snprintf(path, sizeof path, "tests/data/tokenizer/%s.gguf",
                 unpacked[i]);
        bench_file(path);
    }
    return 0;
}
