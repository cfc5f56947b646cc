/*
 * The terminal: what its description says, what the settings make of it, and
 * how many columns it gives to texts, beside how many fathom counts.
 */
#include "config.h"

#include "app/doctor/doctor.h"

#include "app/chat/face.h"
#include "app/policy.h"
#include "app/settings.h"
#include "ui/ui.h"

#include <fcntl.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum sample_kind {
    SAMPLE_PLAIN,
    SAMPLE_ACCENT,    // must be told where the terminal takes no UTF-8
    SAMPLE_JOINED,    // the screen sends its characters apart
    SAMPLE_AMBIGUOUS, // by ui.ambiguous_width
};

static const struct {
    const char *check, *text;
    const char *shown; // in place of what some terminals would draw as one
    enum sample_kind kind;
} texts[] = {
    {"width, ASCII", "fathom", NULL, SAMPLE_PLAIN},
    {"width, accents in one character", "\u00E9\u00F6", NULL, SAMPLE_ACCENT},
    {"width, accents of their own", "e\u0301o\u0308", NULL, SAMPLE_PLAIN},
    {"width, Chinese", "\u6F22\u5B57", NULL, SAMPLE_PLAIN},
    {"width, Japanese and Korean", "\u304B\uD55C", NULL, SAMPLE_PLAIN},
    {"width, emoji", "\U0001F600", NULL, SAMPLE_PLAIN},
    {"width, emoji of 2021", "\U0001FAE0", NULL, SAMPLE_PLAIN},
    {"width, flags", "\U0001F1EB\U0001F1F7", NULL, SAMPLE_PLAIN},
    {"width, emoji with a variation selector", "\u2764\uFE0F", "U+2764 U+FE0F",
     SAMPLE_JOINED},
    {"width, emoji joined by ZWJ", "\U0001F469\u200D\U0001F680",
     "U+1F469 U+200D U+1F680", SAMPLE_JOINED},
    {"width, emoji with a colour of skin", "\U0001F44D\U0001F3FD",
     "U+1F44D U+1F3FD", SAMPLE_JOINED},
    {"width, ambiguous letters", "\u03B1\u00A7\u00B1", NULL, SAMPLE_AMBIGUOUS},
    {"width, lines and arrows", "\u2500\u2502\u2192", NULL, SAMPLE_AMBIGUOUS},
};

enum { TEXTS = sizeof texts / sizeof *texts };

static const char *const shifts =
    "What follows such characters will stand in the wrong place. Another "
    "terminal, or plain lines (ui.face = plain), help.";

/* -- what is known without asking ------------------------------------------ */

static const char *
term_name(void)
{
    const char *term = getenv("TERM");

    return term != NULL ? term : "";
}

static void
look_at_type(struct findings *findings)
{
    const char *term = term_name();
    struct terminfo_facts facts;
    struct error err;

    if (terminal_of(STDIN_FILENO).dumb)
        findings_add(findings, "terminal type",
                     "If the terminal can do more, set TERM to what it is, "
                     "such as xterm-256color.",
                     "TERM is %s: no cursor, so there are plain lines only",
                     *term != '\0' ? term : "not set");
    else if (terminfo_check(term, &err) != STATUS_OK ||
             terminfo_describe(&facts, term, &err) != STATUS_OK)
        findings_add(findings, "terminal type",
                     "Set TERM to what the terminal is, or install its "
                     "description (on Debian: ncurses-term).",
                     "%s", err.text);
    else
        findings_add(findings, "terminal type", NULL,
                     "%s has all that the "
                     "screen needs%s%s",
                     term,
                     facts.alternate ? ""
                                     : "; what was there before does not "
                                       "come back at the end",
                     facts.keys ? ""
                                : "; some of F1 to F10 have no name, "
                                  "their ^X keys do the same");
}

static void
look_at_colours(struct findings *findings)
{
    struct terminfo_facts facts = {.colours = 0};
    const char *no_colour = getenv("NO_COLOR");
    struct error err;

    if (terminal_of(STDIN_FILENO).dumb ||
        terminfo_describe(&facts, term_name(), &err) != STATUS_OK)
        return;
    if (no_colour != NULL && *no_colour != '\0')
        findings_add(findings, "colours", NULL,
                     "none are used, because NO_COLOR is set");
    else if (settings_screen().theme == THEME_MONO)
        findings_add(findings, "colours", NULL,
                     "none are used, because ui.theme is mono");
    else if (facts.colours == 0)
        findings_add(findings, "colours", NULL,
                     "none; bold, underline and reverse tell the same");
    else
        findings_add(findings, "colours", NULL, "%d", facts.colours);
}

static void
look_at_locale(struct findings *findings)
{
    if (text_width_utf8())
        findings_add(findings, "locale", NULL, "UTF-8");
    else
        findings_add(findings, "locale",
                     "Where the terminal takes UTF-8, set LANG to a locale "
                     "with it, such as C.UTF-8.",
                     "it has no UTF-8, so the screen shows all in ASCII");
}

static void
look_at_size(struct findings *findings)
{
    struct winsize size = {0};

    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 ||
        size.ws_col == 0)
        findings_add(findings, "size",
                     "Set it: stty rows 24 columns 80, as it is.",
                     "the terminal does not say; 80x24 is taken for it");
    else if (size.ws_row < SCREEN_LEAST_ROWS ||
             size.ws_col < SCREEN_LEAST_COLUMNS)
        findings_add(findings, "size", "Make the window larger.",
                     "%ux%u, and the screen takes %dx%d", size.ws_col,
                     size.ws_row, SCREEN_LEAST_COLUMNS, SCREEN_LEAST_ROWS);
    else
        findings_add(findings, "size", NULL, "%ux%u", size.ws_col, size.ws_row);
}

static void
look_at_face(struct findings *findings)
{
    char why[200];

    if (*face_plain_reason(why, sizeof why, false) == '\0')
        findings_add(findings, "face", NULL, "a chat has the screen");
    else
        findings_add(findings, "face", NULL, "a chat has plain lines: %s", why);
}

static void
look_at_clipboard(struct findings *findings)
{
    static const char check[] = "clipboard";
    enum passage passage =
        passage_of(term_name(), getenv("TMUX"), getenv("STY"));

    if (policy_forbids_clipboard())
        findings_add(findings, check, NULL, "off, by the policy");
    else if (!settings_screen().clipboard)
        findings_add(findings, check, NULL, "off (ui.clipboard)");
    else if (passage == PASSAGE_BLOCKED || terminal_of(STDIN_FILENO).dumb)
        findings_add(findings, check, NULL,
                     "this type of terminal has none, so nothing is sent");
    else if (passage == PASSAGE_TMUX)
        findings_add(findings, check, NULL,
                     "OSC 52, through tmux, which hands it on with \"set -g "
                     "set-clipboard on\" or \"set -g allow-passthrough on\"");
    else if (passage == PASSAGE_SCREEN)
        findings_add(findings, check, NULL, "OSC 52, through GNU screen");
    else
        findings_add(findings, check, NULL,
                     "OSC 52, if the terminal is set to allow it; it is not "
                     "asked, for that would read what is there");
}

/* -- what it answers --------------------------------------------------------
 */

static void
add_paste(struct findings *findings, enum mode_known known)
{
    if (known == MODE_UNKNOWN)
        findings_add(findings, "bracketed paste",
                     "Each line that is pasted would be sent by itself: take "
                     "/read FILE or the editor (^X^E) for longer texts.",
                     "the terminal does not know it");
    else
        findings_add(findings, "bracketed paste", NULL,
                     known == MODE_KNOWN ? "the terminal knows it"
                                         : "it is switched on; the terminal "
                                           "does not say whether it knows it");
}

static void
add_mouse(struct findings *findings, enum mode_known known)
{
    struct terminfo_facts facts = {.mouse = false};
    struct error err;

    if (!settings_screen().mouse)
        findings_add(findings, "mouse", NULL,
                     "off (ui.mouse), so it selects text as ever");
    else if (terminfo_describe(&facts, term_name(), &err) != STATUS_OK ||
             !facts.mouse || known == MODE_UNKNOWN)
        findings_add(findings, "mouse",
                     "Set ui.mouse = off, or TERM to what "
                     "the terminal is.",
                     known == MODE_UNKNOWN
                         ? "the terminal does not know it as fathom asks for it"
                         : "this type of terminal has none");
    else
        findings_add(findings, "mouse", NULL, "on (ui.mouse)");
}

static const char *
columns_text(unsigned columns)
{
    static char text[32];

    snprintf(text, sizeof text, "%u column%s", columns,
             columns == 1 ? "" : "s");
    return text;
}

/* The other setting of ui.ambiguous_width would be right for all of them. */
static bool
other_width_fits(const struct width_sample *samples, size_t count)
{
    unsigned each = settings_ambiguous_width() == 1 ? 2 : 1;

    for (size_t i = 0; i < count; i++)
        // three characters a sample
        if (texts[i].kind == SAMPLE_AMBIGUOUS && samples[i].columns != 3 * each)
            return false;
    return true;
}

static const char *
advice_for(enum sample_kind kind, const struct width_sample *samples,
           size_t count)
{
    if (kind == SAMPLE_ACCENT)
        return "Does it take UTF-8? Switch it on there, or start fathom with "
               "LANG=C.";
    if (kind != SAMPLE_AMBIGUOUS)
        return shifts;
    if (!other_width_fits(samples, count))
        return "It takes some of these characters as narrow and others as "
               "wide. Set it to narrow, and ui.ambiguous_width = 1.";
    return settings_ambiguous_width() == 1
               ? "Set ui.ambiguous_width = 2 in fathom.conf."
               : "Set ui.ambiguous_width = 1 in fathom.conf.";
}

static void
add_width(struct findings *findings, const struct width_sample *samples,
          size_t count, size_t i)
{
    const char *text = texts[i].text;
    const char *shown = texts[i].shown != NULL ? texts[i].shown : text;
    unsigned counted = (unsigned) text_columns(text, strlen(text));
    unsigned told = samples[i].columns;

    if (told == counted)
        findings_add(findings, texts[i].check, NULL, "%s takes %s", shown,
                     columns_text(told));
    else if (texts[i].kind == SAMPLE_JOINED)
        findings_add(findings, texts[i].check, NULL,
                     "%s takes %s, and %u apart, as the screen sends it; plain "
                     "lines may break early",
                     shown, columns_text(told), counted);
    else
        findings_add(findings, texts[i].check,
                     advice_for(texts[i].kind, samples, count),
                     "the terminal gives %s to %s, and fathom counts %u",
                     columns_text(told), shown, counted);
}

/* In ASCII alone nothing else is sent. */
static void
ask_widths(struct findings *findings)
{
    struct width_sample samples[TEXTS] = {{0}};
    struct width_probe probe = {.samples = samples,
                                .count = text_width_utf8() ? TEXTS : 1};
    struct error err;

    for (size_t i = 0; i < probe.count; i++)
        samples[i].text = texts[i].text;
    enum status status = width_probe_run(&probe, &err);

    add_paste(findings, probe.paste);
    add_mouse(findings, probe.mouse);
    if (status != STATUS_OK)
        findings_add(findings, "width",
                     "Whether text will stand where it should is not known. "
                     "If the screen looks wrong, take plain lines: ui.face = "
                     "plain.",
                     "%s", err.text);
    for (size_t i = 0; status == STATUS_OK && i < probe.count; i++)
        add_width(findings, samples, probe.count, i);
}

static bool
can_be_asked(void)
{
    struct terminfo_facts facts;
    struct error err;

    return !terminal_of(STDIN_FILENO).dumb &&
           terminfo_describe(&facts, term_name(), &err) == STATUS_OK &&
           facts.ansi;
}

static void
look_at_terminal(struct findings *findings)
{
    text_width_start(text_width_utf8(), settings_ambiguous_width());
    look_at_type(findings);
    look_at_colours(findings);
    look_at_locale(findings);
    look_at_size(findings);
    look_at_face(findings);
    look_at_clipboard(findings);
    if (can_be_asked())
        ask_widths(findings);
    else
        findings_add(findings, "width", NULL,
                     "not asked: by its type, the terminal would print the "
                     "question");
}

/* -- all of it --------------------------------------------------------------
 */

/* The terminal of standard input as standard output; -1: it cannot be. */
static int
turn_output_to_terminal(struct error *err)
{
    int kept = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    int terminal = open("/proc/self/fd/0", O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (kept >= 0 && terminal >= 0 &&
        dup2(terminal, STDOUT_FILENO) == STDOUT_FILENO) {
        close(terminal);
        return kept;
    }
    (void) error_errno(err, "cannot open the terminal");
    if (terminal >= 0)
        close(terminal);
    if (kept >= 0)
        close(kept);
    return -1;
}

enum status
doctor_term(struct findings *findings, struct error *err)
{
    if (!isatty(STDIN_FILENO))
        return error_set(err, STATUS_UNSUPPORTED,
                         "standard input is no terminal, so there is none to "
                         "test");
    if (isatty(STDOUT_FILENO)) {
        look_at_terminal(findings);
        return STATUS_OK;
    }
    int kept = turn_output_to_terminal(err);

    if (kept < 0)
        return STATUS_IO;
    look_at_terminal(findings);
    int back = dup2(kept, STDOUT_FILENO);

    close(kept);
    return back < 0 ? error_errno(err, "cannot go back to standard output")
                    : STATUS_OK;
}
