/* Three digits, decimal units. */
#include "config.h"

#include "app/progress_text.h"

#include <stdio.h>

const char *
progress_bytes(char out[BYTES_TEXT], double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t unit = text_thousands(&bytes, sizeof units / sizeof units[0] - 1);

    snprintf(out, BYTES_TEXT, "%.*f %s", unit > 0 && bytes < 99.95 ? 1 : 0,
             bytes, units[unit]);
    return out;
}

static void
read_sentence(char *out, size_t size, const struct progress_event *progress,
              double seconds)
{
    char done[BYTES_TEXT], of[BYTES_TEXT], rate_text[BYTES_TEXT];
    double rate = seconds > 0 ? (double) progress->done / seconds : 0;

    progress_bytes(done, (double) progress->done);
    progress_bytes(of, (double) progress->of);
    progress_bytes(rate_text, rate);
    if (progress->of < progress->done || rate < 1)
        snprintf(out, size, "reading the model, %s", done);
    else
        snprintf(out, size, "reading the model, %s of %s, %s/s, %.0f s left",
                 done, of, rate_text,
                 (double) (progress->of - progress->done) / rate);
}

void
progress_sentence(char *out, size_t size, const struct progress_event *progress,
                  uint64_t elapsed_ns)
{
    unsigned long long done = progress->done, of = progress->of;

    switch (progress->phase) {
    case PHASE_QUEUE:
        snprintf(out, size, "waiting for the warm engine, %llu %s ahead", done,
                 done == 1 ? "request" : "requests");
        return;
    case PHASE_READ:
        read_sentence(out, size, progress, (double) elapsed_ns / 1e9);
        return;
    case PHASE_TOKENIZER:
        snprintf(out, size, "preparing the tokenizer");
        return;
    case PHASE_PREFILL:
        snprintf(out, size, "reading the question, %llu of %llu tokens", done,
                 of);
        return;
    }
    out[0] = '\0';
}
