/*
 * The editor's file lies in a folder of its own in memory, so that backups
 * and swap files that editors make beside it are found and wiped with it.
 */
#include "config.h"

#include "app/chat/chat_editor.h"

#include "app/policy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    EDITED_MOST_BYTES = 16 << 20,
    FOLDER_BYTES = PATH_MAX - 64,
    WATCH_MS = 1000,
    SHELL_FINDS_NOTHING = 127,
};

static const char file_name[] = "message.md";

#define SECOND_NS INT64_C(1000000000)
#define MS_NS UINT64_C(1000000)

extern char **environ;

/* -- a program at the terminal --------------------------------------------- */

struct program {
    const char *what;     // "the editor", for sentences
    const char *command;  // as the user set it, with arguments
    const char *before;   // of the shell, before the command
    const char *argument; // NULL: none
    int input;            // its standard input; -1: the terminal
    struct chat *chat;    // whose vault is to be locked for want of keys
    bool idle;            // it is since that was due
};

static const char *
command_of(const char *first, const char *second, const char *otherwise)
{
    const char *names[] = {first, second};

    for (size_t i = 0; i < 2; i++) {
        const char *value = names[i] ? getenv(names[i]) : NULL;

        if (value && *value)
            return value;
    }
    return otherwise;
}

/* ^C and ^Z at the terminal are meant for the program, and for both. */
struct held_signals {
    struct sigaction interrupt, quit, stop;
};

static void
hold_signals(struct held_signals *held)
{
    struct sigaction ignored = {.sa_handler = SIG_IGN},
                     usual = {.sa_handler = SIG_DFL};

    sigaction(SIGINT, &ignored, &held->interrupt);
    sigaction(SIGQUIT, &ignored, &held->quit);
    sigaction(SIGTSTP, &usual, &held->stop);
}

static void
return_signals(const struct held_signals *held)
{
    sigaction(SIGINT, &held->interrupt, NULL);
    sigaction(SIGQUIT, &held->quit, NULL);
    sigaction(SIGTSTP, &held->stop, NULL);
}

static enum status
start(pid_t *out, const struct program *program, struct error *err)
{
    struct buffer script = {0};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    const char *given[] = {"sh", "-c", NULL, "sh", program->argument, NULL};
    char *arguments[sizeof given / sizeof *given];

    TRY(buffer_print(&script, err, "%s%s \"$@\"", program->before,
                     program->command));
    given[2] = script.data;
    // arguments are not written to; their type in C has no const
    memcpy(arguments, given, sizeof given);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&actions);
    if (program->input >= 0)
        posix_spawn_file_actions_adddup2(&actions, program->input,
                                         STDIN_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    errno =
        posix_spawn(out, "/bin/sh", &actions, &attributes, arguments, environ);
    enum status status =
        errno == 0 ? STATUS_OK
                   : error_errno(err, "cannot start %s", program->what);

    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    buffer_release(&script);
    return status;
}

/* -- want of keys ---------------------------------------------------------- */

/* Since a key was read from the terminal, by whichever program. */
static uint64_t
terminal_idle_ns(void)
{
    struct timespec now;
    struct stat terminal;

    if (fstat(STDIN_FILENO, &terminal) < 0 ||
        clock_gettime(CLOCK_REALTIME, &now) < 0)
        return UINT64_MAX;
    int64_t ns = (now.tv_sec - terminal.st_atim.tv_sec) * SECOND_NS +
                 (now.tv_nsec - terminal.st_atim.tv_nsec);

    return ns > 0 ? (uint64_t) ns : 0;
}

/* Keys that the program gets are keys, too. */
static void
watch_idleness(struct program *program)
{
    const struct chat *chat = program->chat;
    uint64_t now = clock_ns(), idle_ns = terminal_idle_ns();

    if (now < chat_lock_deadline(chat))
        return;
    if (idle_ns >= chat->lock_after_ns)
        program->idle = true;
}

static int
watch_ms(const struct program *program)
{
    uint64_t part = program->chat->lock_after_ns / 4 / MS_NS;

    return part > 0 && part < WATCH_MS ? (int) part : WATCH_MS;
}

/* Until a child has changed, or a moment has passed. */
static void
wait_a_moment(struct program *program, const sigset_t *changed)
{
    int ms = watch_ms(program);
    struct timespec moment = {ms / 1000, (ms % 1000) * (long) MS_NS};

    (void) sigtimedwait(changed, NULL, &moment);
    watch_idleness(program);
}

/* How it ended or stopped, as waitpid tells. */
static int
wait_for_change(pid_t process, struct program *program)
{
    sigset_t changed, before;
    pid_t found = 0;
    int how = 0;

    sigemptyset(&changed);
    sigaddset(&changed, SIGCHLD);
    sigprocmask(SIG_BLOCK, &changed, &before);
    while ((found = waitpid(process, &how, WUNTRACED | WNOHANG)) == 0 ||
           (found < 0 && errno == EINTR))
        wait_a_moment(program, &changed);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return how;
}

/* What was idle is locked at once; what was not begins anew. */
static void
end_watch(const struct program *program)
{
    struct chat *chat = program->chat;

    if (program->idle)
        chat->locking = true;
    else
        chat->touched_ns = clock_ns();
}

/* A program that stops itself alone would leave the terminal to nobody. */
static enum status
wait_for(pid_t process, struct program *program, struct error *err)
{
    char shown[200];
    int how = 0;

    do {
        how = wait_for_change(process, program);
        if (WIFSTOPPED(how))
            raise(SIGSTOP);
    } while (WIFSTOPPED(how));
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
        return STATUS_OK;
    text_quote(shown, sizeof shown, program->command, strlen(program->command));
    if (WIFSIGNALED(how))
        return error_set(err, STATUS_CANCELLED, "%s %s was ended by signal %d",
                         program->what, shown, WTERMSIG(how));
    if (WEXITSTATUS(how) == SHELL_FINDS_NOTHING)
        return error_set(err, STATUS_IO,
                         "%s %s was not found; VISUAL, EDITOR and PAGER name "
                         "them",
                         program->what, shown);
    return error_set(err, STATUS_CANCELLED, "%s %s ended with status %d",
                     program->what, shown, WEXITSTATUS(how));
}

/* A program that reads no more than it wants is right. */
static void
write_all(struct program *program, int to, const char *bytes, size_t length)
{
    fcntl(to, F_SETFL, O_NONBLOCK);
    while (length > 0) {
        struct pollfd room = {.fd = to, .events = POLLOUT};
        ssize_t n = write(to, bytes, length);

        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            (void) poll(&room, 1, watch_ms(program));
            watch_idleness(program);
            continue;
        }
        if (n <= 0)
            return;
        bytes += n;
        length -= (size_t) n;
    }
}

/* The terminal is given up meanwhile. `input` may be NULL. */
static enum status
run(struct program *program, const struct buffer *input, struct error *err)
{
    int ends[2] = {-1, -1};
    struct held_signals held;
    struct sigaction ignored = {.sa_handler = SIG_IGN}, before;
    pid_t process;
    bool full = screen_is_open(), muted = terminal_is_muted();

    if (input && pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, "cannot make a pipe for %s", program->what);
    program->input = ends[0];
    if (full)
        screen_leave();
    terminal_unmute();
    hold_signals(&held);
    sigaction(SIGPIPE, &ignored, &before);
    enum status status = start(&process, program, err);

    if (ends[0] >= 0)
        close(ends[0]);
    if (status == STATUS_OK && input)
        write_all(program, ends[1], input->data, input->length);
    if (ends[1] >= 0)
        close(ends[1]);
    if (status == STATUS_OK)
        status = wait_for(process, program, err);
    end_watch(program);
    sigaction(SIGPIPE, &before, NULL);
    return_signals(&held);
    if (muted)
        terminal_mute(STDIN_FILENO);
    if (full && status == STATUS_OK)
        return screen_return(err);
    struct error lost;

    // why the program failed says more than that the terminal has, too
    if (full && screen_return(&lost) != STATUS_OK)
        log_warn("the screen did not come back: %s", lost.text);
    return status;
}

/* -- a folder in memory ---------------------------------------------------- */

static bool
is_in_memory(const char *path)
{
    struct statfs found;

    return statfs(path, &found) == 0 &&
           (found.f_type == TMPFS_MAGIC || found.f_type == RAMFS_MAGIC);
}

/* The runtime directory, or, where that is on a disk, shared memory. */
static enum status
find_folder(struct buffer *out, struct error *err)
{
    char shared[64];
    int folder;

    TRY(rendezvous_directory(out, err));
    if (is_in_memory(out->data))
        return STATUS_OK;
    snprintf(shared, sizeof shared, "/dev/shm/fathom-%u", (unsigned) geteuid());
    if (!is_in_memory("/dev/shm") ||
        (mkdir(shared, 0700) < 0 && errno != EEXIST) ||
        rendezvous_open_directory(&folder, shared, err) != STATUS_OK)
        return error_set(err, STATUS_DENIED,
                         "the text would be written to a disk for the editor: "
                         "%s is no file system in memory; XDG_RUNTIME_DIR can "
                         "name one",
                         out->data);
    close(folder);
    buffer_clear(out);
    return buffer_print(out, err, "%s", shared);
}

static enum status
make_folder(char path[FOLDER_BYTES], struct error *err)
{
    struct buffer parent = {0};
    enum status status = find_folder(&parent, err);

    if (status == STATUS_OK && parent.length + 20 > FOLDER_BYTES)
        status = error_set(err, STATUS_LIMIT,
                           "the name of the runtime directory is too long");
    if (status == STATUS_OK) {
        snprintf(path, FOLDER_BYTES, "%s/edit-XXXXXX", parent.data);
        if (mkdtemp(path) == NULL)
            status =
                error_errno(err, "cannot make a folder in %s", parent.data);
    }
    buffer_release(&parent);
    return status;
}

static void
wipe_file(int folder, const char *name)
{
    static const char zeros[4096];
    struct stat found;
    int file =
        openat(folder, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (file >= 0 && fstat(file, &found) == 0 && S_ISREG(found.st_mode))
        for (off_t at = 0; at < found.st_size; at += (off_t) sizeof zeros)
            if (pwrite(file, zeros, sizeof zeros, at) < 0)
                break;
    if (file >= 0)
        close(file);
    unlinkat(folder, name, 0);
}

/* With all that the editor has left there. */
static void
wipe_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;

    while (folder && (entry = readdir(folder)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            wipe_file(dirfd(folder), entry->d_name);
    if (folder)
        closedir(folder);
    if (rmdir(path) < 0)
        log_warn("the editor's folder in the runtime directory stays");
}

/* -- the editor ------------------------------------------------------------ */

static enum status
write_text(const char *path, const struct buffer *text, struct error *err)
{
    int file =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (file < 0)
        return error_errno(err, "cannot make the editor's file");
    size_t done = 0;
    bool whole = text->length > 0 && text->data[text->length - 1] == '\n';

    while (done < text->length) {
        ssize_t n = write(file, text->data + done, text->length - done);

        if (n < 0)
            break;
        done += (size_t) n;
    }
    // an editor wants a last line that ends
    bool failed = done < text->length ||
                  (!whole && text->length > 0 && write(file, "\n", 1) < 1);
    enum status status =
        failed ? error_errno(err, "cannot write the editor's file") : STATUS_OK;

    close(file);
    return status;
}

static enum status
read_all(int file, struct buffer *out, struct error *err)
{
    char bytes[8192];
    ssize_t n;

    while ((n = read(file, bytes, sizeof bytes)) > 0) {
        if (out->length + (size_t) n > EDITED_MOST_BYTES)
            return error_set(err, STATUS_LIMIT,
                             "the edited text is longer than 16 MiB, which no "
                             "line holds");
        TRY(buffer_append(out, bytes, (size_t) n, err));
    }
    explicit_bzero(bytes, sizeof bytes);
    return n < 0 ? error_errno(err, "cannot read the editor's file")
                 : STATUS_OK;
}

/* The editor may have put another file in the place of ours. */
static enum status
read_text(const char *path, struct buffer *out, struct error *err)
{
    struct stat found;
    struct buffer bytes = {0};
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (file < 0)
        return error_errno(err, "the editor has left no text");
    enum status status =
        fstat(file, &found) == 0 && S_ISREG(found.st_mode)
            ? read_all(file, &bytes, err)
            : error_set(err, STATUS_IO, "the editor has left no file of text");

    close(file);
    while (bytes.length > 0 && bytes.data[bytes.length - 1] == '\n')
        bytes.data[--bytes.length] = '\0';
    if (status == STATUS_OK)
        status =
            utf8_repair(out, bytes.length ? bytes.data : "", bytes.length, err);
    buffer_release(&bytes);
    return status;
}

static enum status
may_run(const char *what, struct error *err)
{
    if (policy_forbids_editor())
        return policy_refusal(err, what, "editor = deny");
    return STATUS_OK;
}

static enum status
edit_in(struct chat *chat, const char *folder, struct buffer *text,
        struct error *err)
{
    char path[PATH_MAX];
    struct buffer edited = {0};

    snprintf(path, sizeof path, "%s/%s", folder, file_name);
    struct program program = {.what = "the editor",
                              .command = command_of("VISUAL", "EDITOR", "vi"),
                              .before = "",
                              .argument = path,
                              .chat = chat};

    TRY(write_text(path, text, err));
    TRY(run(&program, NULL, err));
    enum status status = read_text(path, &edited, err);

    if (status != STATUS_OK) {
        buffer_release(&edited);
        return status;
    }
    buffer_release(text);
    *text = edited;
    return STATUS_OK;
}

enum status
chat_editor_edit(struct chat *chat, struct buffer *text, struct error *err)
{
    char folder[FOLDER_BYTES];

    TRY(may_run("the editor", err));
    TRY(make_folder(folder, err));
    enum status status = edit_in(chat, folder, text, err);

    wipe_folder(folder);
    return status;
}

enum status
chat_editor_page(struct chat *chat, const char *text, size_t length,
                 struct error *err)
{
    struct sanitiser sanitiser = {0};
    struct buffer clean = {0};
    struct program program = {.what = "the pager",
                              .command = command_of("PAGER", NULL, "less"),
                              .before = "LESSSECURE=1 LESSHISTFILE=-; "
                                        "export LESSSECURE LESSHISTFILE; ",
                              .chat = chat};

    TRY(may_run("the pager", err));
    enum status status = sanitiser_write(&sanitiser, &clean, text, length, err);

    if (status == STATUS_OK)
        status = sanitiser_finish(&sanitiser, &clean, err);
    if (status == STATUS_OK)
        status = run(&program, &clean, err);
    buffer_release(&clean);
    return status;
}

void
chat_editor_line(struct chat *chat)
{
    struct buffer text = {0};
    struct error err;
    char *typed = line_editor_typed();
    bool visible = line_editor_visible();
    enum status status = buffer_append(&text, typed ? typed : "",
                                       typed ? strlen(typed) : 0, &err);

    if (typed)
        explicit_bzero(typed, strlen(typed));
    free(typed);
    // at a plain prompt this frees the terminal
    line_editor_hide();
    if (status == STATUS_OK)
        status = chat_editor_edit(chat, &text, &err);
    if (visible)
        line_editor_resume();
    if (status == STATUS_OK)
        line_editor_replace(text.data ? text.data : "");
    else
        chat_say(chat, "%s; the line is as it was", err.text);
    buffer_release(&text);
}
