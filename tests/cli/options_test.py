"""One table for each command: --help, page and completions say the same."""
import os
import re
import subprocess

import engine_client
from program import FATHOM, LIMIT, SOURCE, Home, run

COMMANDS = {
    (): "fathom", ("chat",): "fathom-chat", ("ask",): "fathom-ask",
    ("audit", "show"): "fathom-audit", ("audit", "verify"): "fathom-audit",
    ("audit", "export"): "fathom-audit",
    ("model", "list"): "fathom-model", ("model", "info"): "fathom-model",
    ("model", "import"): "fathom-model", ("model", "verify"): "fathom-model",
    ("model", "sign"): "fathom-model", ("model", "keygen"): "fathom-model",
    ("model", "rm"): "fathom-model", ("tokenize",): "fathom-tokenize",
    ("engine", "start"): "fathom-engine", ("engine", "stop"): "fathom-engine",
    ("engine", "status"): "fathom-engine",
    ("doctor",): "fathom-doctor",
    ("vault", "init"): "fathom-vault", ("vault", "status"): "fathom-vault",
    ("vault", "passwd"): "fathom-vault", ("vault", "slot"): "fathom-vault",
    ("vault", "lock"): "fathom-vault",
    ("vault", "check"): "fathom-vault", ("vault", "repair"): "fathom-vault",
    ("vault", "backup"): "fathom-vault", ("vault", "restore"): "fathom-vault",
    ("vault", "rotate"): "fathom-vault",
    ("completion",): "fathom", ("help",): "fathom",
    **{("history", verb): "fathom-history"
       for verb in ("list", "show", "search", "export", "import", "rm",
                    "prune", "pin", "unpin", "tag")},
}
PAGES = sorted(set(COMMANDS.values()))


def output(*arguments):
    with Home() as home:
        result = run(home, *arguments)
    assert (result.status, result.err) == (0, b""), (arguments, result)
    return result.out.decode()


def help_options(command):
    """Options of --help: {"--think": "on|off", "-q": None}."""
    options = {}
    for line in output(*command, "--help").splitlines():
        found = re.match(r"  (--?[\w-]+)(?:\[=\S+\]|[= ](\S+))?(?:  .*)?$", line)
        if found:
            options[found[1]] = found[2]
    assert "--help" in options, command
    return options


def page_text(page):
    with open(os.path.join(SOURCE, "man", page + ".1")) as file:
        return file.read()


def page_options(page):
    """Options that have an item in a page's lists."""
    return {"-" + name for name in
            re.findall(r"^\.It Fl (-?[\w-]+)", page_text(page), re.M)}


def every_option_of_help_is_in_the_page_of_its_command():
    for command, page in COMMANDS.items():
        wanted = set(help_options(command))
        if command == ():
            wanted -= set(help_options(("chat",))) - {"--help"}
        if page == "fathom" and command:
            wanted -= {"--help"}
        missing = wanted - page_options(page)
        assert not missing, (command, page, missing)


def every_option_of_a_page_is_one_of_its_commands():
    for page in PAGES:
        known = set()
        for command, of in COMMANDS.items():
            if of == page:
                known |= set(help_options(command))
        unknown = page_options(page) - known
        assert not unknown, (page, unknown)


def choices_of_an_option_are_the_same_in_the_page():
    for command, page in COMMANDS.items():
        text = page_text(page)
        for option, value in help_options(command).items():
            if value and "|" in value and command:
                item = (f".It Fl {option[1:]} Ns = Ns Cm "
                        + value.replace("|", " | "))
                assert item in text, (command, option, item)


def every_option_is_in_the_completions_of_three_shells():
    scripts = {shell: output("completion", shell)
               for shell in ("bash", "zsh", "fish")}
    for command in COMMANDS:
        key = " ".join(command)
        bash = re.search(rf"^    '{key}'\) words='(.*?)'", scripts["bash"],
                         re.M)[1].split()
        name = "_".join(("_fathom", *command))
        zsh = re.search(rf"^{name}\(\) {{(.*?)^}}", scripts["zsh"],
                        re.M | re.S)[1]
        condition = ("__fish_use_subcommand" if not command else
                     "; and ".join(f"__fish_seen_subcommand_from {word}"
                                   for word in command))
        fish = [line for line in scripts["fish"].splitlines()
                if f"-n '{condition}' " in line
                or f"-n {condition} " in line]
        for option, value in help_options(command).items():
            dashes, bare = option[:2], option.lstrip("-")
            ending = "=" if value and dashes == "--" else ""
            assert option + ending in bash, (command, option, bash)
            assert re.search(rf"'\*?{option}{ending}\[", zsh), (command,
                                                               option)
            if option == "--help":
                continue
            flag = f" -l {bare} " if dashes == "--" else f" -s {bare} "
            assert any(flag in line for line in fish), (command, option)


def every_command_is_in_the_completions():
    for shell in ("bash", "zsh", "fish"):
        script = output("completion", shell)
        for command in COMMANDS:
            for word in command:
                assert re.search(rf"\b{word}\b", script), (shell, word)


def completions_are_valid_in_their_shells():
    skipped = []
    for shell in ("bash", "zsh", "fish"):
        try:
            done = subprocess.run([shell, "-n"], timeout=LIMIT,
                                  input=output("completion", shell).encode(),
                                  capture_output=True)
        except FileNotFoundError:
            skipped.append(shell)
            continue
        assert done.returncode == 0 and not done.stderr, (shell, done)
    if "bash" in skipped:
        return "there is no bash"


def bash_completes():
    cases = {
        "fathom a": "ask audit", "fathom ask --thi": "--think= --think-budget=",
        "fathom ask --think = o": "on off", "fathom model inf": "info",
        "fathom engine st": "start stop status",
        "fathom engine start --i": "--idle=", "fathom --vers": "--version",
        "fathom completion z": "zsh", "fathom ask --timeout = ": "",
    }
    script = output("completion", "bash") + """
complete_words() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _fathom
    echo "${COMPREPLY[*]}"
}
"""
    for line, wanted in cases.items():
        words = " ".join(f"'{word}'" for word in line.split(" "))
        done = subprocess.run(["bash", "-c", f"{script}complete_words {words}"],
                              capture_output=True, timeout=LIMIT)
        assert done.stdout.decode().strip() == wanted, (line, done)


def pages_have_the_sections_that_users_look_for():
    for page in PAGES:
        for section in ("EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES",
                        "SEE ALSO", "SECURITY"):
            assert f".Sh {section}\n" in page_text(page), (page, section)


def pages_are_clean_mdoc():
    pages = [os.path.join(SOURCE, "man", name)
             for name in sorted(os.listdir(os.path.join(SOURCE, "man")))
             if re.search(r"\.[1-8]$", name)]
    try:
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning",
                               *pages], capture_output=True, timeout=LIMIT)
    except FileNotFoundError:
        return "mandoc is not installed"
    assert done.returncode == 0 and not done.stdout, done.stdout.decode()


def every_exit_code_of_ask_is_in_its_page():
    text = page_text("fathom-ask")
    codes = text[text.index(".Sh EXIT STATUS"):text.index(".Sh EXAMPLES")]
    for code in (0, 1, 10, 11, 12, 16, 64, 65, 66, 69, 70, 73, 74, 75):
        assert f"\n.It {code}\n" in codes, code
    assert "\n.It 129 , 130 , 143\n" in codes


def help_of_a_command_is_the_same_by_both_ways():
    for command in COMMANDS:
        assert output("help", *command) == output(*command, "--help")
    for command in (("model",), ("engine",)):
        assert output("help", *command) == output(*command, "--help")


def help_fits_eighty_columns():
    for command in COMMANDS:
        for line in output(*command, "--help").splitlines():
            assert len(line) <= 80, (command, line)


def the_version_is_one_line():
    assert re.fullmatch(r"fathom \d+\.\d+\.\d+\n", output("--version"))


def wrong_commands_are_64_with_a_sentence():
    cases = {
        ("nothing",): "there is no command 'nothing'",
        ("what is 2+2?",): "a question goes with ask",
        ("a\x1b[31mb",): "there is no command 'a\\x1B[31mb'",
        ("model",): "what is missing is the verb",
        ("model", "inf"): "there is no fathom model 'inf'",
        ("engine", "restart"): "there is no fathom engine 'restart'",
        ("model", "info"): "an argument is missing",
        ("model", "info", "a", "b"): "one argument too many: 'b'",
        ("completion",): "an argument is missing: bash|zsh|fish",
        ("completion", "tcsh"): "'tcsh' is none of bash|zsh|fish",
        ("help", "nothing"): "there is no command 'nothing'",
        ("help", "ask", "x"): "there is no command 'x'",
        ("--bogus",): "there is no option --bogus",
        ("-V",): "there is no option -V",
        ("chat", "hello"): "one argument too many",
        ("engine", "start", "--idle=x"): "--idle takes a time",
    }
    with Home() as home:
        for arguments, sentence in cases.items():
            result = run(home, *arguments)
            assert result.status == 64 and result.out == b"", (arguments,
                                                               result)
            text = result.err.decode()
            assert sentence in text and text.count("\n") == 1, (arguments,
                                                                result)


def a_chat_without_terminal_is_refused():
    with Home() as home:
        for arguments in ((), ("chat",), ("--plain",), ("chat", "--plain")):
            result = run(home, *arguments)
            assert result.status == 64, result
            assert result.err.decode().endswith(
                ": a chat needs a terminal; in scripts and pipes use \"fathom "
                "ask\"\n"), result
            assert result.err.count(b"\n") == 1, result


def a_full_disk_is_74_everywhere():
    with Home() as home:
        for arguments in (("--version",), ("--help",), ("help", "ask"),
                          ("completion", "zsh")):
            with open("/dev/full", "wb") as full:
                result = run(home, *arguments, stdout=full)
            assert result.status == 74, (arguments, result)
            assert b"No space left" in result.err, (arguments, result)


engine_client.run([
    every_option_of_help_is_in_the_page_of_its_command,
    every_option_of_a_page_is_one_of_its_commands,
    choices_of_an_option_are_the_same_in_the_page,
    every_option_is_in_the_completions_of_three_shells,
    every_command_is_in_the_completions,
    completions_are_valid_in_their_shells,
    bash_completes,
    pages_have_the_sections_that_users_look_for,
    pages_are_clean_mdoc,
    every_exit_code_of_ask_is_in_its_page,
    help_of_a_command_is_the_same_by_both_ways,
    help_fits_eighty_columns,
    the_version_is_one_line,
    wrong_commands_are_64_with_a_sentence,
    a_chat_without_terminal_is_refused,
    a_full_disk_is_74_everywhere,
])
