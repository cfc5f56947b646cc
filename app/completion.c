/*
 * Completion scripts from the tables. Each shell's part prints, for every
 * command, its options with what their values are, and the verbs.
 */
#include "config.h"

#include "app/help.h"

#include <stdio.h>
#include <string.h>

#define EMIT(...) TRY(buffer_print(out, err, __VA_ARGS__))

/* The option after `before`, or the first, that can be given; NULL: none. */
static const struct option *
next_option(const struct command *command, const struct option *before)
{
    size_t at = before ? (size_t) (before - command->options) + 1 : 0;

    while (at < command->option_count &&
           command->options[at].kind == OPTION_REFUSED)
        at++;
    return at < command->option_count ? &command->options[at] : NULL;
}

static bool
takes_value(const struct option *option)
{
    return option->kind != OPTION_FLAG && option->kind != OPTION_OPTIONAL;
}

static bool
takes_file(const struct option *option)
{
    return option->kind == OPTION_FILE || option->kind == OPTION_FILES;
}

/* "on|off" as "on off". */
static enum status
print_choices(struct buffer *out, const char *choices, struct error *err)
{
    size_t start = out->length;

    EMIT("%s", choices);
    for (char *at = out->data + start; *at != '\0'; at++)
        if (*at == '|')
            *at = ' ';
    return STATUS_OK;
}

/* -- bash ------------------------------------------------------------------ */

static const char bash_head[] =
    "# Completion of fathom for bash; made by: fathom completion bash\n"
    "_fathom_models() {\n"
    "    local folder=${XDG_DATA_HOME:-$HOME/.local/share}/fathom/models\n"
    "    local names=$(cd \"$folder\" 2>/dev/null && printf '%s\\n' *.gguf)\n"
    "    COMPREPLY=($(compgen -W \"fathom-mini ${names//.gguf/}\" -- "
    "\"$cur\")\n"
    "        $(compgen -f -- \"$cur\"))\n"
    "    compopt -o filenames 2>/dev/null\n"
    "}\n"
    "\n"
    "_fathom() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]}\n"
    "    local prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local command= words= names=\n"
    "    # bash splits words at the = of --name=value\n"
    "    if [ \"$cur\" = = ]; then\n"
    "        cur=\n"
    "    elif [ \"$prev\" = = ]; then\n"
    "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    [ \"$COMP_CWORD\" -gt 1 ] && command=${COMP_WORDS[1]}\n"
    "    case $command in -*) command= ;; esac\n";

static const char bash_tail[] =
    "    case $cur in -*) ;; *) words=${names:-$words} ;; esac\n"
    "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
    "    case ${COMPREPLY[0]} in *=) compopt -o nospace 2>/dev/null ;; esac\n"
    "}\n"
    "complete -F _fathom fathom\n";

/* The key of a command in the script: "ask", "model info", "". */
struct key {
    char text[64];
};

static enum status
bash_value(struct buffer *out, const struct key *key,
           const struct option *option, struct error *err)
{
    EMIT("    ");
    if (option->letter)
        EMIT("'%s:-%c'%s", key->text, option->letter, option->name ? "|" : "");
    if (option->name)
        EMIT("'%s:--%s'", key->text, option->name);
    EMIT(") ");
    if (option->kind == OPTION_CHOICE) {
        EMIT("words='");
        TRY(print_choices(out, option->argument, err));
        EMIT("' ;;\n");
    } else if (takes_file(option)) {
        EMIT("COMPREPLY=($(compgen -f -- \"$cur\"))\n"
             "        compopt -o filenames 2>/dev/null; return ;;\n");
    } else if (option->kind == OPTION_MODEL) {
        EMIT("_fathom_models; return ;;\n");
    } else {
        EMIT("return ;; # a value of the user's own\n");
    }
    return STATUS_OK;
}

static enum status
bash_words(struct buffer *out, const struct key *key,
           const struct command *command, struct error *err)
{
    EMIT("    '%s') words='", key->text);
    for (const struct option *option = next_option(command, NULL); option;
         option = next_option(command, option)) {
        if (option->letter)
            EMIT("-%c ", option->letter);
        if (option->name)
            EMIT("--%s%s ", option->name, takes_value(option) ? "=" : "");
    }
    EMIT("--help' names='");
    for (size_t i = 0; command->verbs && command->verbs[i]; i++)
        EMIT("%s ", command->verbs[i]->name);
    for (size_t i = 0; command == &command_fathom && commands[i]; i++)
        EMIT("%s ", commands[i]->name);
    if (command->choices)
        TRY(print_choices(out, command->choices, err));
    EMIT("'");
    if (command->operand == OPERAND_MODEL)
        EMIT("\n        case $cur in -*) ;; *) _fathom_models; return ;; esac");
    if (command->operand == OPERAND_FILE)
        EMIT("\n        case $cur in -*) ;; *) COMPREPLY=($(compgen -f -- "
             "\"$cur\")); return ;; esac");
    EMIT(" ;;\n");
    return STATUS_OK;
}

typedef enum status command_fn(struct buffer *out, const struct key *key,
                               const struct command *command,
                               struct error *err);

/* Calls for the program, each command, and each verb. */
static enum status
each_command(struct buffer *out, command_fn *fn, struct error *err)
{
    struct key key = {""};

    TRY(fn(out, &key, &command_fathom, err));
    for (size_t i = 0; commands[i] != NULL; i++) {
        snprintf(key.text, sizeof key.text, "%s", commands[i]->name);
        TRY(fn(out, &key, commands[i], err));
        for (size_t v = 0; commands[i]->verbs && commands[i]->verbs[v]; v++) {
            snprintf(key.text, sizeof key.text, "%s %s", commands[i]->name,
                     commands[i]->verbs[v]->name);
            TRY(fn(out, &key, commands[i]->verbs[v], err));
        }
    }
    return STATUS_OK;
}

static enum status
bash_verb_key(struct buffer *out, const struct key *key,
              const struct command *command, struct error *err)
{
    if (command->verbs)
        EMIT("    %s) [ \"$COMP_CWORD\" -gt 2 ] && "
             "command=\"$command ${COMP_WORDS[2]}\" ;;\n",
             key->text);
    return STATUS_OK;
}

static enum status
bash_values(struct buffer *out, const struct key *key,
            const struct command *command, struct error *err)
{
    for (const struct option *option = next_option(command, NULL); option;
         option = next_option(command, option))
        if (takes_value(option))
            TRY(bash_value(out, key, option, err));
    return STATUS_OK;
}

static enum status
print_bash(struct buffer *out, struct error *err)
{
    EMIT("%s", bash_head);
    EMIT("    case $command in\n");
    TRY(each_command(out, bash_verb_key, err));
    EMIT("    esac\n    case \"$command:$prev\" in\n");
    TRY(each_command(out, bash_values, err));
    EMIT("    esac\n    [ -n \"$words\" ] || case $command in\n");
    TRY(each_command(out, bash_words, err));
    EMIT("    esac\n");
    EMIT("%s", bash_tail);
    return STATUS_OK;
}

/* -- zsh ------------------------------------------------------------------- */

static const char zsh_head[] =
    "#compdef fathom\n"
    "# Completion of fathom for zsh; made by: fathom completion zsh\n"
    "_fathom_models() {\n"
    "    local -a names\n"
    "    names=(${XDG_DATA_HOME:-$HOME/.local/share}/fathom/models/"
    "*.gguf(N:t:r))\n"
    "    _alternative \"names:model:(fathom-mini $names)\" "
    "'files:file:_files'\n"
    "}\n";

/* Inside '...[HELP]': brackets, colons and quotes are special. */
static enum status
zsh_text(struct buffer *out, const char *text, struct error *err)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            EMIT("'\\''");
            continue;
        }
        if (strchr("[]:\\", *text) != NULL)
            EMIT("\\");
        EMIT("%c", *text);
    }
    return STATUS_OK;
}

static enum status
zsh_value(struct buffer *out, const struct option *option, struct error *err)
{
    EMIT(":");
    TRY(zsh_text(out, option->argument, err));
    EMIT(":");
    if (option->kind == OPTION_CHOICE) {
        EMIT("(");
        TRY(print_choices(out, option->argument, err));
        EMIT(")");
    } else if (takes_file(option)) {
        EMIT("_files");
    } else if (option->kind == OPTION_MODEL) {
        EMIT("_fathom_models");
    } else {
        EMIT(" ");
    }
    return STATUS_OK;
}

static enum status
zsh_option(struct buffer *out, const struct option *option, struct error *err)
{
    bool many = option->kind == OPTION_LIST || option->kind == OPTION_FILES;

    EMIT(" \\\n        '%s", many ? "*" : "");
    if (option->name)
        EMIT("--%s%s[", option->name, takes_value(option) ? "=" : "");
    else
        EMIT("-%c[", option->letter);
    TRY(zsh_text(out, option->help, err));
    EMIT("]");
    if (takes_value(option))
        TRY(zsh_value(out, option, err));
    EMIT("'");
    return STATUS_OK;
}

static enum status
zsh_operand(struct buffer *out, const struct command *command,
            struct error *err)
{
    if (command->operands_most == 0)
        return STATUS_OK;
    if (command->choices) {
        EMIT(" \\\n        '1:what:(");
        TRY(print_choices(out, command->choices, err));
        EMIT(")'");
    } else if (command->operand == OPERAND_MODEL) {
        EMIT(" \\\n        '*:model:_fathom_models'");
    } else if (command->operand == OPERAND_FILE) {
        EMIT(" \\\n        '*:file:_files'");
    } else {
        EMIT(" \\\n        '*:text: '");
    }
    return STATUS_OK;
}

/* "_fathom_model_info" */
static enum status
zsh_function(struct buffer *out, const struct key *key, struct error *err)
{
    size_t start;

    EMIT("_fathom%s", *key->text ? "_" : "");
    start = out->length;
    EMIT("%s", key->text);
    for (char *at = out->data + start; *at != '\0'; at++)
        if (*at == ' ')
            *at = '_';
    return STATUS_OK;
}

static enum status
zsh_names(struct buffer *out, const struct command *const *among,
          struct error *err)
{
    EMIT("        names=(");
    for (size_t i = 0; among[i] != NULL; i++) {
        EMIT("\n            '%s:", among[i]->name);
        TRY(zsh_text(out, among[i]->summary, err));
        EMIT("'");
    }
    EMIT(")\n        _describe command names ;;\n");
    return STATUS_OK;
}

/* A command with commands below it hands the rest of the line on. */
static enum status
zsh_dispatch(struct buffer *out, const struct key *key,
             const struct command *const *among, struct error *err)
{
    EMIT(" \\\n        '1:command:->name' '*::argument:->rest'\n"
         "    case $state in\n    name)\n");
    TRY(zsh_names(out, among, err));
    EMIT("    rest)\n        case $line[1] in\n");
    for (size_t i = 0; among[i] != NULL; i++) {
        struct key inner;

        snprintf(inner.text, sizeof inner.text, "%.20s%s%.20s", key->text,
                 *key->text ? " " : "", among[i]->name);
        EMIT("        %s) ", among[i]->name);
        TRY(zsh_function(out, &inner, err));
        EMIT(" ;;\n");
    }
    EMIT("        esac ;;\n    esac\n");
    return STATUS_OK;
}

static enum status
zsh_command(struct buffer *out, const struct key *key,
            const struct command *command, struct error *err)
{
    const struct command *const *among =
        command == &command_fathom ? commands : command->verbs;

    EMIT("\n");
    TRY(zsh_function(out, key, err));
    EMIT("() {\n    local state line\n    local -a names\n    _arguments%s",
         among ? " -C" : "");
    for (const struct option *option = next_option(command, NULL); option;
         option = next_option(command, option))
        TRY(zsh_option(out, option, err));
    EMIT(" \\\n        '--help[print this and end]'");
    if (among)
        TRY(zsh_dispatch(out, key, among, err));
    else
        TRY(zsh_operand(out, command, err));
    EMIT("%s}\n", among ? "" : "\n");
    return STATUS_OK;
}

static enum status
print_zsh(struct buffer *out, struct error *err)
{
    EMIT("%s", zsh_head);
    TRY(each_command(out, zsh_command, err));
    EMIT("\n_fathom \"$@\"\n");
    return STATUS_OK;
}

/* -- fish ------------------------------------------------------------------ */

static const char fish_head[] =
    "# Completion of fathom for fish; made by: fathom completion fish\n"
    "function __fathom_models\n"
    "    set -l folder $XDG_DATA_HOME\n"
    "    test -n \"$folder\"; or set folder $HOME/.local/share\n"
    "    echo fathom-mini\n"
    "    for file in $folder/fathom/models/*.gguf\n"
    "        string replace -r '.*/(.*)\\.gguf$' '$1' $file\n"
    "    end\n"
    "end\n"
    "complete -c fathom -f\n";

/* When the rows of a command apply. */
static enum status
fish_condition(struct buffer *out, const struct key *key, struct error *err)
{
    const char *space = strchr(key->text, ' ');

    if (*key->text == '\0')
        EMIT("complete -c fathom -n __fish_use_subcommand");
    else if (space)
        EMIT("complete -c fathom -n '__fish_seen_subcommand_from %.*s; and "
             "__fish_seen_subcommand_from %s'",
             (int) (space - key->text), key->text, space + 1);
    else
        EMIT("complete -c fathom -n '__fish_seen_subcommand_from %s'",
             key->text);
    return STATUS_OK;
}

static enum status
fish_text(struct buffer *out, const char *text, struct error *err)
{
    EMIT("'");
    for (; *text != '\0'; text++)
        EMIT("%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
    EMIT("'");
    return STATUS_OK;
}

static enum status
fish_option(struct buffer *out, const struct key *key,
            const struct option *option, struct error *err)
{
    TRY(fish_condition(out, key, err));
    if (option->letter)
        EMIT(" -s %c", option->letter);
    if (option->name)
        EMIT(" -l %s", option->name);
    if (option->kind == OPTION_CHOICE) {
        EMIT(" -x -a '");
        TRY(print_choices(out, option->argument, err));
        EMIT("'");
    } else if (takes_file(option)) {
        EMIT(" -r -F");
    } else if (option->kind == OPTION_MODEL) {
        EMIT(" -r -F -a '(__fathom_models)'");
    } else if (takes_value(option)) {
        EMIT(" -x");
    }
    EMIT(" -d ");
    TRY(fish_text(out, option->help, err));
    EMIT("\n");
    return STATUS_OK;
}

static enum status
fish_names(struct buffer *out, const struct key *key,
           const struct command *const *among, struct error *err)
{
    for (size_t i = 0; among[i] != NULL; i++) {
        TRY(fish_condition(out, key, err));
        EMIT(" -a %s -d ", among[i]->name);
        TRY(fish_text(out, among[i]->summary, err));
        EMIT("\n");
    }
    return STATUS_OK;
}

static enum status
fish_command(struct buffer *out, const struct key *key,
             const struct command *command, struct error *err)
{
    const struct command *const *among =
        command == &command_fathom ? commands : command->verbs;

    for (const struct option *option = next_option(command, NULL); option;
         option = next_option(command, option))
        TRY(fish_option(out, key, option, err));
    if (among)
        TRY(fish_names(out, key, among, err));
    if (command->choices) {
        TRY(fish_condition(out, key, err));
        EMIT(" -a '");
        TRY(print_choices(out, command->choices, err));
        EMIT("'\n");
    }
    if (command->operand == OPERAND_MODEL) {
        TRY(fish_condition(out, key, err));
        EMIT(" -F -a '(__fathom_models)'\n");
    } else if (command->operand == OPERAND_FILE) {
        TRY(fish_condition(out, key, err));
        EMIT(" -F\n");
    }
    return STATUS_OK;
}

static enum status
print_fish(struct buffer *out, struct error *err)
{
    EMIT("%s", fish_head);
    TRY(each_command(out, fish_command, err));
    EMIT("complete -c fathom -l help -d 'print help and end'\n");
    return STATUS_OK;
}

enum status
help_completion(struct buffer *out, const char *shell, struct error *err)
{
    if (strcmp(shell, "bash") == 0)
        return print_bash(out, err);
    if (strcmp(shell, "zsh") == 0)
        return print_zsh(out, err);
    return print_fish(out, err);
}
