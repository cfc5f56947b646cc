/* A ring of the last lines, and a file when one is open. */
#include "config.h"

#include "base/log.h"

#include "base/clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RING_LINES = 256, LINE_BYTES = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char ring[RING_LINES][LINE_BYTES];
static size_t ring_count; // lines ever written
static int file = -1;

enum status
log_open(const char *path, struct error *err)
{
    int opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (opened < 0)
        return error_errno(err, "cannot open the log %s", path);
    log_close();
    pthread_mutex_lock(&lock);
    file = opened;
    pthread_mutex_unlock(&lock);
    return STATUS_OK;
}

void
log_close(void)
{
    pthread_mutex_lock(&lock);
    if (file >= 0)
        close(file);
    file = -1;
    pthread_mutex_unlock(&lock);
}

static void log_line(const char *level, const char *format, va_list args)
    PRINTF_LIKE(2, 0);

static void
log_line(const char *level, const char *format, va_list args)
{
    char line[LINE_BYTES];
    int used = snprintf(line, sizeof line - 1, "%.6f %s ",
                        (double) clock_ns() * 1e-9, level);

    vsnprintf(line + used, sizeof line - 1 - (size_t) used, format, args);
    size_t length = strlen(line);
    line[length] = '\n';
    line[length + 1] = '\0';

    pthread_mutex_lock(&lock);
    memcpy(ring[ring_count++ % RING_LINES], line, length + 2);
    // a full disk loses log lines, not the program
    if (file >= 0)
        (void) !write(file, line, length + 1);
    pthread_mutex_unlock(&lock);
}

#define LOG_AT(level)                                                          \
    va_list args;                                                              \
    va_start(args, format);                                                    \
    log_line(level, format, args);                                             \
    va_end(args)

void
log_error(const char *format, ...)
{
    LOG_AT("error");
}

void
log_warn(const char *format, ...)
{
    LOG_AT("warn");
}

void
log_note(const char *format, ...)
{
    LOG_AT("note");
}

enum status
log_ring(struct buffer *out, struct error *err)
{
    enum status status = STATUS_OK;

    pthread_mutex_lock(&lock);
    size_t first = ring_count > RING_LINES ? ring_count - RING_LINES : 0;
    for (size_t i = first; i < ring_count && status == STATUS_OK; i++) {
        const char *line = ring[i % RING_LINES];

        status = buffer_append(out, line, strlen(line), err);
    }
    pthread_mutex_unlock(&lock);
    return status;
}
