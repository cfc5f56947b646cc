/* The probe of base/confine.h here, and what an engine prints of its own. */
#include "config.h"

#include "app/doctor/doctor.h"
#include "app/launch.h"

#include "base/confine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_MOST = 64 << 10, CHECK_BYTES = 300 };

static const char open_advice[] =
    "This way is open. fathom-security(7) says what keeps it closed.";

static void
add_way(struct findings *findings, const char *program, const char *way,
        const char *what, bool closed)
{
    char check[CHECK_BYTES], shown[CHECK_BYTES / 2];

    text_quote(shown, sizeof shown, way, strlen(way));
    snprintf(check, sizeof check, "%s, %s", program, shown);
    findings_add(findings, check, closed ? NULL : open_advice, "%s", what);
}

static void
take_way(void *context, const char *way, int error, bool closed)
{
    const char *without = closed ? "none" : "it works";

    add_way(context, "fathom", way, error != 0 ? strerror(error) : without,
            closed);
}

/* -- the engine ------------------------------------------------------------ */

static enum status
read_all(struct buffer *out, int from, struct error *err)
{
    for (;;) {
        TRY(buffer_reserve(out, 4096, err));
        ssize_t got = read(from, out->data + out->length, 4096);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, "cannot read what the engine tells");
        out->length += (size_t) got;
        out->data[out->length] = '\0';
        if (got == 0)
            return STATUS_OK;
        if (out->length > ANSWER_MOST)
            return error_set(err, STATUS_LIMIT, "the engine does not end");
    }
}

/* STATE, WAY and WHAT with tabs between them; false: not such a line. */
static bool
take_line(struct findings *findings, char *line, size_t *ways)
{
    const char *state = strsep(&line, "\t"), *way = strsep(&line, "\t");

    if (way == NULL || line == NULL)
        return false;
    bool open = strcmp(state, "OPEN") == 0;

    if (!open && strcmp(state, "closed") != 0 && strcmp(state, "note") != 0)
        return false;
    add_way(findings, "engine", way, line, !open);
    (*ways)++;
    return true;
}

static enum status
take_lines(struct findings *findings, char *text, int how, struct error *err)
{
    char *line;
    size_t ways = 0;

    while ((line = strsep(&text, "\n")) != NULL)
        if (*line != '\0' && !take_line(findings, line, &ways))
            return error_set(err, STATUS_FORMAT,
                             "the engine does not tell of its ways out");
    if (!WIFEXITED(how) || WEXITSTATUS(how) > 1 || ways == 0)
        return error_set(err, STATUS_IO,
                         "the engine could not try its ways out");
    // it counts what it found; both must agree
    if (WEXITSTATUS(how) == 1 && findings->warnings == 0)
        add_way(findings, "engine", "all", "it says that a way is open", false);
    return STATUS_OK;
}

static enum status
ask_engine(struct findings *findings, struct error *err)
{
    struct buffer text = {0};
    int from = -1, how = 0;
    pid_t process = 0;

    TRY(launch_prove(&process, &from, err));
    enum status status = read_all(&text, from, err);

    close(from);
    launch_end(process, &how);
    if (status == STATUS_OK)
        status = take_lines(findings, text.data, how, err);
    buffer_release(&text);
    return status;
}

enum status
doctor_offline(struct findings *findings, struct error *err)
{
    confine_probe(take_way, findings);
    return ask_engine(findings, err);
}
