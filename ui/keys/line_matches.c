/* Readline chooses among them, and completes as far as all of them go. */
#include "config.h"

#include "ui/keys/line_editor_parts.h"

#include <stdio.h>

#include <readline/readline.h>
#include <stdlib.h>
#include <string.h>

static struct {
    line_complete_fn complete;
    void *context;
    struct line_candidates words;
    size_t next;
} offered;

void
line_matches_start(line_complete_fn complete, void *context)
{
    offered.complete = complete;
    offered.context = context;
}

void
line_candidates_add(struct line_candidates *candidates, const char *word)
{
    size_t bytes = (candidates->count + 1) * sizeof *candidates->words;
    char **words = realloc(candidates->words, bytes);

    // completion is a convenience: without memory there is none
    if (words == NULL)
        return;
    candidates->words = words;
    words[candidates->count] = strdup(word);
    if (words[candidates->count] != NULL)
        candidates->count++;
}

void
line_matches_forget(void)
{
    for (size_t i = 0; i < offered.words.count; i++)
        free(offered.words.words[i]);
    free(offered.words.words);
    offered.words = (struct line_candidates){0};
}

static char *
next_match(const char *text, int state)
{
    size_t length = strlen(text);

    if (state == 0)
        offered.next = 0;
    while (offered.next < offered.words.count) {
        const char *word = offered.words.words[offered.next++];

        if (strncmp(word, text, length) == 0)
            return strdup(word);
    }
    return NULL;
}

char **
line_matches_find(const char *text, int start, int end)
{
    char **matches = NULL;

    (void) end;
    line_matches_forget();
    offered.complete(offered.context, rl_line_buffer, (size_t) start,
                     &offered.words);
    if (offered.words.files) {
        rl_filename_completion_desired = 1;
        matches = rl_completion_matches(text, rl_filename_completion_function);
    } else {
        matches = rl_completion_matches(text, next_match);
    }
    rl_attempted_completion_over = 1;
    return matches;
}

/* The last part of a path, which is what it differs in from the others. */
static char *
name_of(char *path)
{
    char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

void
line_matches_offer(char **matches, int count, int longest)
{
    char **names = NULL;
    struct error err;
    void *memory;

    (void) longest;
    // without memory they are shown whole
    if (rl_filename_completion_desired &&
        memory_alloc(&memory, (size_t) count * sizeof *names, &err) ==
            STATUS_OK)
        names = memory;
    for (int i = 0; names != NULL && i < count; i++)
        names[i] = name_of(matches[i + 1]);
    if (line_editor.calls.offer)
        line_editor.calls.offer(line_editor.calls.context,
                                names ? names : matches + 1, (size_t) count);
    free(names);
    line_editor.changed = true;
}
