/* fathom history search: where in all chats a text is. */
#include "config.h"

#include "app/exit_code.h"
#include "app/history/history_common.h"
#include "app/history/history_filter.h"
#include "app/notice.h"
#include "app/report.h"
#include "app/time_text.h"
#include "ui/ui.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BOLD_ON "\033[1m"
#define BOLD_OFF "\033[22m"

enum {
    HITS = 200,          // unless -n says more
    BEFORE_COLUMNS = 24, // at least, before a hit
    LINE_LEAST = 20,
};

struct search_settings {
    struct unlock_settings unlock;
    bool json, read_only, with_thinking, regex;
    struct option_count most;
    struct option_list tags;
};

/* A search that goes on. */
struct search {
    const struct search_settings *settings;
    bool table, colour;
    size_t columns;
    size_t hits, most;
    struct chat_id chat; // of the last hit
    json_t *found;       // with --json
    struct buffer out;
    enum status status;
    struct error *err;
};

static _Atomic bool cancelled;

static void
cancel(int number)
{
    (void) number;
    atomic_store(&cancelled, true);
}

static void
cancel_on_interrupt(void)
{
    struct sigaction action = {.sa_handler = cancel, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

/* -- a hit -------------------------------------------------------------------
 */

/* The text that was hit; a hit without a turn is in the title. */
static struct text
hit_text(const struct vault_hit *hit)
{
    if (hit->turn == NULL)
        return hit->chat->title;
    return hit->in_thinking ? hit->turn->thinking : hit->turn->content;
}

static const char *
hit_place(const struct vault_hit *hit)
{
    if (hit->turn == NULL)
        return "title";
    if (hit->in_thinking)
        return "thinking";
    return hit->turn->role == TURN_QUESTION ? "you" : "fathom";
}

static uint64_t
hit_time(const struct vault_hit *hit)
{
    return hit->turn && hit->turn->time_ms ? hit->turn->time_ms
                                           : hit->chat->used_ms;
}

/* The end of a line in at most so many columns. */
static enum status
put_end(struct buffer *out, struct text text, size_t columns, struct error *err)
{
    struct buffer line = {0};
    enum status status = history_line(&line, text, err);
    size_t start = 0;
    uint32_t c;
    bool valid, cut = false;

    while (status == STATUS_OK && start < line.length &&
           history_columns((struct text){line.data + start,
                                         line.length - start}) > columns) {
        start += utf8_next(line.data + start, line.length - start, &c, &valid);
        cut = true;
    }
    if (status == STATUS_OK && cut)
        status = buffer_append(out, "...", 3, err);
    if (status == STATUS_OK && line.length > start)
        status =
            buffer_append(out, line.data + start, line.length - start, err);
    buffer_release(&line);
    return status;
}

/* -- printing ----------------------------------------------------------------
 */

static enum status
print_chat_line(struct search *s, const struct chat_info *chat)
{
    char id[CHAT_ID_TEXT], used[TIME_TEXT];

    chat_id_text(id, &chat->id);
    TRY(buffer_print(&s->out, s->err, "%s%.*s  %s  ", s->hits > 0 ? "\n" : "",
                     HISTORY_ID_SHOWN, id,
                     time_text_local(used, chat->used_ms)));
    size_t start = s->out.length;

    TRY(history_cell(&s->out, chat->title,
                     s->columns > HISTORY_ID_SHOWN + 20 + LINE_LEAST
                         ? s->columns - HISTORY_ID_SHOWN - 20
                         : LINE_LEAST,
                     s->err));
    while (s->out.length > start && s->out.data[s->out.length - 1] == ' ')
        s->out.length--;
    return buffer_append(&s->out, "\n", 1, s->err);
}

static enum status
print_row(struct search *s, const struct vault_hit *hit)
{
    struct history_context c =
        history_context_of(hit_text(hit), hit->at, hit->length);
    int label = snprintf(NULL, 0, "  %s: ", hit_place(hit));
    size_t room = s->columns > (size_t) label + LINE_LEAST
                      ? s->columns - (size_t) label
                      : LINE_LEAST;

    if (s->hits == 0 || memcmp(&s->chat, &hit->chat->id, sizeof s->chat) != 0)
        TRY(print_chat_line(s, hit->chat));
    if (hit->turn == NULL) // the line above has it
        return STATUS_OK;
    TRY(buffer_print(&s->out, s->err, "  %s: ", hit_place(hit)));
    size_t start = s->out.length;

    TRY(put_end(&s->out, c.before,
                room / 3 > BEFORE_COLUMNS ? room / 3 : BEFORE_COLUMNS, s->err));
    size_t used = history_columns(
        (struct text){s->out.data + start, s->out.length - start});

    TRY(buffer_print(&s->out, s->err, "%s", s->colour ? BOLD_ON : ""));
    start = s->out.length;
    TRY(history_line(&s->out, c.hit, s->err));
    used += history_columns(
        (struct text){s->out.data + start, s->out.length - start});
    TRY(buffer_print(&s->out, s->err, "%s", s->colour ? BOLD_OFF : ""));
    start = s->out.length;
    TRY(history_cell(&s->out, c.after, room > used ? room - used : 0, s->err));
    while (s->out.length > start && s->out.data[s->out.length - 1] == ' ')
        s->out.length--;
    return buffer_append(&s->out, "\n", 1, s->err);
}

/* For programs: fields with tabs between them. */
static enum status
print_fields(struct search *s, const struct vault_hit *hit)
{
    struct history_context c =
        history_context_of(hit_text(hit), hit->at, hit->length);
    char id[CHAT_ID_TEXT], time[TIME_TEXT];

    chat_id_text(id, &hit->chat->id);
    TRY(buffer_print(&s->out, s->err, "%s\t%s\t%s\t", id,
                     time_text_utc(time, hit_time(hit)), hit_place(hit)));
    TRY(history_line(&s->out, c.before, s->err));
    TRY(history_line(&s->out, c.hit, s->err));
    TRY(history_line(&s->out, c.after, s->err));
    return buffer_append(&s->out, "\n", 1, s->err);
}

static json_t *
string_of(struct text text)
{
    return json_stringn(text.bytes ? text.bytes : "", text.length);
}

static enum status
add_object(struct search *s, const struct vault_hit *hit)
{
    struct history_context c =
        history_context_of(hit_text(hit), hit->at, hit->length);
    char id[CHAT_ID_TEXT], time[TIME_TEXT];

    chat_id_text(id, &hit->chat->id);
    json_t *object = json_pack(
        "{s:s, s:o, s:s, s:s, s:o, s:o, s:o}", "chat", id, "title",
        string_of(hit->chat->title), "time", time_text_utc(time, hit_time(hit)),
        "in", hit_place(hit), "before", string_of(c.before), "hit",
        string_of(c.hit), "after", string_of(c.after));

    return json_array_append_new(s->found, object) == 0
               ? STATUS_OK
               : error_set(s->err, STATUS_NOMEM, "out of memory for the hits");
}

static enum status
take_hit(struct search *s, const struct vault_hit *hit)
{
    if (s->settings->json)
        return add_object(s, hit);
    TRY(s->table ? print_row(s, hit) : print_fields(s, hit));
    // hits are shown as they are found
    enum status status =
        printer_put(STDOUT_FILENO, s->out.data, s->out.length, s->err);

    buffer_clear(&s->out);
    return status;
}

static bool
on_hit(void *context, const struct vault_hit *hit)
{
    struct search *s = context;

    if (s->hits == s->most) {
        notice_note("there are more than %zu hits; -n asks for more", s->most);
        return false;
    }
    s->status = take_hit(s, hit);
    s->chat = hit->chat->id;
    s->hits++;
    return s->status == STATUS_OK;
}

/* -- the command -------------------------------------------------------------
 */

static int
finish(struct search *s)
{
    struct buffer out = {0};

    if (s->settings->json) {
        json_t *json = json_pack("{s:s, s:O}", "schema", "fathom.search/1",
                                 "hits", s->found);
        enum status status =
            json
                ? report_print(&out, json, isatty(STDOUT_FILENO), s->err)
                : error_set(s->err, STATUS_NOMEM, "out of memory for the hits");
        int code =
            status == STATUS_OK ? history_print(&out) : history_failed(s->err);

        if (code != EXIT_SUCCESS)
            return code;
    }
    if (s->hits == 0)
        notice_note("nothing was found");
    return s->hits > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* As the options say; *filter is empty, and the caller's to release. */
static enum status
read_filter(struct history_filter *filter,
            const struct search_settings *settings, const char *wanted,
            struct error *err)
{
    for (size_t i = 0; i < settings->tags.count; i++)
        TRY(history_filter_add_tag(filter, settings->tags.items[i], err));
    TRY(history_filter_set_text(filter, wanted, settings->regex, err));
    filter->think = settings->with_thinking;
    return STATUS_OK;
}

/* Without a filter the vault's own search, which reads on over damage. */
static enum status
look(struct search *s, struct vault *vault, const char *wanted,
     const struct history_filter *filter)
{
    if (filter != NULL)
        return history_filter_search(filter, vault, on_hit, s, &cancelled,
                                     s->err);
    return vault_search(vault, (struct text){wanted, strlen(wanted)},
                        s->settings->with_thinking, on_hit, s, &cancelled,
                        s->err);
}

static int
search(struct search *s, struct vault *vault, const char *wanted,
       const struct history_filter *filter)
{
    enum status status = look(s, vault, wanted, filter);

    if (status == STATUS_CANCELLED) {
        notice_note("stopped");
        return EXIT_SIGNAL + SIGINT;
    }
    if (status == STATUS_OK)
        status = s->status;
    return status == STATUS_OK ? finish(s) : history_failed(s->err);
}

static int
check_wanted(const char *wanted)
{
    if (*wanted == '\0')
        notice_error("there is nothing to search for");
    else if (!utf8_valid(wanted, strlen(wanted)))
        notice_error("what is searched for is not UTF-8");
    else
        return EXIT_SUCCESS;
    return EXIT_USAGE;
}

static int
run_open(struct search *s, struct vault *vault, const char *wanted,
         const struct history_filter *filter)
{
    s->found = json_array();
    cancel_on_interrupt();
    int code = search(s, vault, wanted, filter);

    json_decref(s->found);
    buffer_release(&s->out);
    vault_close(vault);
    return code;
}

static int
run_search(void *context, const struct option_list *operands)
{
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    const struct search_settings *settings = context;
    struct vault *vault;
    struct error err;
    struct search s = {
        .settings = settings,
        .table = terminal.is_terminal && !terminal.accessible,
        .colour = terminal.colour,
        .columns = terminal_columns(STDOUT_FILENO),
        .most = settings->most.given ? (size_t) settings->most.value : HITS,
        .err = &err,
    };
    struct history_filter filter = {.needle = NULL};
    bool filtered = settings->regex || settings->tags.count > 0;
    const char *wanted = operands->items[0];
    int code = check_wanted(wanted);

    if (code != EXIT_SUCCESS)
        return code;
    // before a passphrase is asked for
    if (filtered && read_filter(&filter, settings, wanted, &err) != STATUS_OK) {
        notice_error("%s", err.text);
        code = EXIT_USAGE;
    } else if (history_open(&vault, &settings->unlock, settings->read_only,
                            true, &code)) {
        code = run_open(&s, vault, wanted, filtered ? &filter : NULL);
    }
    history_filter_release(&filter);
    return code;
}

static const struct option options[] = {
    {NULL, 'n', OPTION_COUNT, "N", offsetof(struct search_settings, most), 1,
     1e9, "stop after N hits (200)"},
    {"with-thinking", 0, OPTION_FLAG, NULL,
     offsetof(struct search_settings, with_thinking), 0, 0,
     "look into what was thought, too"},
    {"regex", 0, OPTION_FLAG, NULL, offsetof(struct search_settings, regex), 0,
     0, "TEXT is a regular expression"},
    HISTORY_TAG(struct search_settings),
    HISTORY_JSON(struct search_settings),
    HISTORY_READ_ONLY(struct search_settings),
    UNLOCK_OPTIONS(struct search_settings, unlock),
};

static const char *const usage[] = {"[--regex] [--tag TAG]... [--json] TEXT",
                                    NULL};

const struct command command_history_search = {
    .name = "search",
    .manual = "fathom-history",
    .summary = "Find a text in all chats, whatever its case",
    .usage = usage,
    OPTIONS(options),
    .operand = OPERAND_TEXT,
    .operands_least = 1,
    .operands_most = 1,
    .settings_bytes = sizeof(struct search_settings),
    .run = run_search,
};
