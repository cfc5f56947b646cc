/*
 * What it costs to lay out an answer while it comes: Markdown of all kinds in
 * pieces of four bytes, 100 a second, laid out 25 times a second. Prints the
 * share of one core that this takes, and what a layout takes at most; then
 * the same for texts made to be slow.
 */
#include "config.h"

#include "ui/ui.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TOKEN_BYTES = 4,
    TOKENS_A_SECOND = 100,
    TOKENS_A_LAYOUT = 4,
    ANSWER_BYTES = 200 * 1024,
    HOSTILE_BYTES = 40 * 1024,
    COLUMNS = 77,
};

static const char answer[] =
    "## Bringing up a queue pair\n\n"
    "Each state **unlocks** one kind of work, so both ends share their "
    "numbers before a `packet` can leave; the [manual](http://x.example/m) "
    "says $t_{n+1} \\le \\frac{t_n}{2}$.\n\n"
    "| state | what becomes legal | what it needs first |\n"
    "|-------|--------------------|---------------------|\n"
    "| INIT | post receive buffers | port, pkey, access flags |\n"
    "| RTR | accept inbound | peer QPN, expected PSN, path |\n\n"
    "1. Open the device\n   - allocate a *protection domain*\n"
    "2. Move the pair\n\n"
    "```c\nstruct ibv_qp_attr a = { .qp_state = IBV_QPS_INIT };\n\n"
    "if (ibv_modify_qp(qp, &a, IBV_QP_STATE | IBV_QP_PORT))\n"
    "    return -errno;\n```\n\n"
    "> A sender that starts too early loses its first packet. 漢字 too.\n\n";

static double
cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void
must(enum status status, const struct error *err)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "document_bench: %s\n", err->text);
    exit(1);
}

static void
stream(const char *name, const char *unit, size_t bytes)
{
    struct document *document;
    struct error err;
    size_t length = strlen(unit), tokens = bytes / TOKEN_BYTES;
    double begin = cpu_seconds(), most = 0;

    must(document_open(&document, DOCUMENT_MARKDOWN, &err), &err);
    for (size_t t = 0, at = 0; t < tokens; t++, at += TOKEN_BYTES) {
        char token[TOKEN_BYTES];

        for (size_t i = 0; i < TOKEN_BYTES; i++)
            token[i] = unit[(at + i) % length];
        must(document_append(document, token, TOKEN_BYTES, &err), &err);
        if (t % TOKENS_A_LAYOUT != 0)
            continue;
        double before = cpu_seconds();

        must(document_layout(document, COLUMNS, &err), &err);
        double took = cpu_seconds() - before;

        most = took > most ? took : most;
    }
    double all = cpu_seconds() - begin;
    double answered = (double) tokens / TOKENS_A_SECOND;

    begin = cpu_seconds();
    must(document_layout(document, COLUMNS - 1, &err), &err);
    printf("%-12s %7.3f %% of a core at %d tok/s   slowest layout %6.2f ms   "
           "all of %zu KiB anew %6.1f ms\n",
           name, 100 * all / answered, TOKENS_A_SECOND, 1000 * most,
           bytes / 1024, 1000 * (cpu_seconds() - begin));
    document_close(document);
}

int
main(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    text_width_start(true, 1);
    stream("answer", answer, ANSWER_BYTES);
    stream("one line", "words without an end ", HOSTILE_BYTES);
    stream("one list", "- item of *many*\n\n", HOSTILE_BYTES);
    stream("one table", "| a | b |\n|---|---|\n", HOSTILE_BYTES);
    stream("stars", "*a **b ", HOSTILE_BYTES);
    stream("brackets", "[", HOSTILE_BYTES);
    stream("formulas", "$x$ \\(y\\) ", HOSTILE_BYTES);
    stream("open code", "```\nint x;\n", HOSTILE_BYTES);
    return 0;
}
