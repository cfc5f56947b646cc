"""What fathom-tutorial(7) tells to type is typed, with the bundled model.

Each example of the page, a .Dl or a .Bd, belongs to one test here, and what
the page shows of an answer is what must come.
"""
import os
import re
import subprocess
import tempfile

import engine_client
from program import BUILD, FATHOM, LIMIT, NO_CHAT, SOURCE, Home, run
from terminal import Terminal

PLAYER = os.path.join(BUILD, "tests/screen/screen_player")
MODEL = os.path.join(SOURCE, "models/fathom-mini.gguf")
PATH = BUILD + ":" + os.environ["PATH"]


def as_shown(text):
    for written, shown in (("\\(ha", "^"), ("\\(dq", '"'), ("\\&", ""),
                           ("\\e", "\\")):
        text = text.replace(written, shown)
    return text


def page_examples():
    """[(section, [lines of an example])], as readers see them."""
    with open(os.path.join(SOURCE, "man/fathom-tutorial.7")) as file:
        text = as_shown(file.read())
    return [(section.splitlines()[0].split(".")[0],
             (line or block.rstrip("\n")).split("\n"))
            for section in re.split(r"^\.S[hs] ", text, flags=re.M)[1:]
            for block, line in re.findall(
                r"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed$|^\.Dl (.*)$", section,
                re.M)]


EXAMPLES = page_examples()


def take(section):
    """The next example of a section; it is gone then."""
    for i, (of, lines) in enumerate(EXAMPLES):
        if of == section:
            return EXAMPLES.pop(i)[1]
    raise AssertionError(f"section {section} has no such example")


def command(section):
    """An example that is one command of fathom: its arguments."""
    (line,) = take(section)
    assert re.fullmatch(r"\$ fathom( [\w. -]+)?", line), line
    return line.split()[2:]


# -- the screen ------------------------------------------------------------------

def pattern(lines):
    """Lines that are below each other; times and rates are of the day."""
    text = "[[:cntrl:]]".join(re.sub(r"[][().*+?{}|^$\\]", r"\\\g<0>", line)
                              for line in lines)
    text = re.sub(r"\d\d:\d\d", "[0-9]{2}:[0-9]{2}", text)
    # a thought that took no time has none
    return re.sub(r" tok, 0\\\.\d s +", " tok(, [0-9.]+ s)? +", text)


def await_block(lines):
    """Steps until all is there; a blank line is any number of lines."""
    blocks = [block.split("\n") for block in "\n".join(lines).split("\n\n")]
    return "".join(f"await-match {pattern(block)}\n" for block in blocks)


# an answer that is not whole would be asked about
ENDED = "await-gone ^C stop\n"


def play(steps):
    if not os.access(PLAYER, os.X_OK):
        return "built without libvterm"
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as script:
        script.write("test the_page\nsize 70x18\nenv LANG C\n" + steps)
        script.flush()
        done = subprocess.run([PLAYER, script.name], capture_output=True,
                              timeout=LIMIT * 2)
    assert done.returncode == 0, done.stdout.decode() + steps
    return None


def it_begins_and_answers():
    arguments = command("1")
    screen, answer = take("1"), take("2")
    question = answer[1].strip()
    return play(
        f"run fathom {' '.join(arguments)}\n"
        "await [n] no history\nkeys n\\r\n" + await_block(screen)
        + f"keys {question}\\r\n" + await_block(answer)
        # the model knows what was said before
        + "keys Now add 5.\\r\nawait 19 + 5 = 24\n" + ENDED
        + "keys <C-d>\nexit-is 0\n"
        # "nothing is written", and nobody is asked again
        "shell ! find $HOME -name 'vault*' | grep .\n"
        "run fathom\nawait-match nothing of this chat is written\n"
        "keys <C-d>\nexit-is 0\n")


def chats_are_kept_and_go_on():
    make, open_again, resume = command("7"), command("7"), command("7")
    secret = "three green bottles\\r\n"
    return play(
        f"run fathom {' '.join(make)}\nawait New passphrase\nkeys {secret}"
        f"await again\nkeys {secret}exit-is 0\n"
        f"run fathom {' '.join(open_again)}\nawait assphrase\nkeys {secret}"
        "await vault:open\nkeys What is 12 + 7?\\r\nawait 12 + 7 = 19\n"
        f"{ENDED}keys <C-d>\nexit-is 0\n"
        f"run fathom {' '.join(resume)}\nawait assphrase\nkeys {secret}"
        "await 12 + 7 = 19\nkeys Now add 5.\\r\nawait 19 + 5 = 24\n"
        f"{ENDED}keys <C-d>\nexit-is 0\n")


def another_model_is_taken_by_name():
    listed, started = command("9"), command("9")
    assert listed == ["model", "list"] and started == ["-m", "NAME"]
    return play(
        "shell mkdir -p $HOME/data/fathom/models && "
        f"ln -s {MODEL} $HOME/data/fathom/models/other.gguf\n"
        "shell $BUILD/fathom model list | grep -q '^other '\n"
        # it is the only one that can be found
        "env FATHOM_MODEL nowhere\nrun fathom --ephemeral\nexit-is 66\n"
        "run fathom -m other --ephemeral\nawait ctx\n"
        "keys What is 12 + 7?\\r\nawait 12 + 7 = 19\n"
        f"{ENDED}keys <C-d>\nexit-is 0\n")


# -- lines -----------------------------------------------------------------------

def plain(home, *arguments, **environment):
    """A chat that is asked nothing about history."""
    return Terminal([FATHOM, *arguments], home.environment(**environment))


def branches_are_told_as_the_page_has_them():
    typed, *tree = take("4")
    assert typed == "you> /tree", typed
    first, second, third = (
        re.fullmatch(r"[* ] +\d  (?:after \d: )?(.*)", line)[1]
        for line in tree[:3])
    with Home() as home, plain(home, "--plain", "--ephemeral") as chat:
        chat.expect("you> ")
        for line, answer in ((first, "= 19"), (second, "= 24")):
            chat.send(line + "\r")
            chat.expect(answer)
            chat.expect("you> ")
        chat.send("/edit\r")
        chat.expect("edit> ")
        chat.send(b"\x15" + third.encode() + b"\r")
        chat.expect("= 14")
        chat.expect("you> ")
        chat.send("/tree\r")
        told = chat.expect("you> ").splitlines()
        assert told == ["/tree", *tree], told
        for line, words in (("/branch 2", '"Now add 5."'),
                            ("/undo", "went back before the last question"),
                            ("/retry", "12 + 7 = 19")):
            chat.send(line + "\r")
            chat.expect(words)
            chat.expect("you> ")


def a_file_is_given():
    (typed,) = take("6")
    with Home() as home, Terminal(
            ["/bin/sh", "-c", f"cd '{home.path}' && exec '{FATHOM}' --plain "
             "--ephemeral"], home.environment()) as chat:
        home.write("notes.txt", "What is 12 + 7?")
        chat.expect("you> ")
        chat.send(typed + "\r")
        chat.expect("notes.txt")
        chat.expect("you> ")
        chat.send("/attach off\r")
        chat.expect("you> ")
        chat.send("/read notes.txt\r")
        chat.expect("What is 12 + 7?")
        chat.send("\r")
        chat.expect("12 + 7 = 19")


def scripts_get_the_answer_alone():
    lines = take("8")
    assert len(lines) == 3, lines
    with Home() as home:
        for i, line in enumerate(lines):
            if not line.startswith("$ "):
                continue
            done = subprocess.run(
                ["sh", "-c", line[2:]], stdin=subprocess.DEVNULL,
                capture_output=True, timeout=LIMIT,
                env=home.environment(PATH=PATH))
            assert (done.returncode, done.stderr) == (0, b""), (line, done)
            if i + 1 < len(lines) and not lines[i + 1].startswith("$ "):
                assert done.stdout.decode() == lines[i + 1] + "\n", done
            assert done.stdout, line


def settings_are_in_force():
    text = "\n".join(take("10")).replace("NAME", "fathom-mini") + "\n"
    with Home() as home:
        os.makedirs(home.file(".config/fathom"))
        path = home.write(".config/fathom/fathom.conf", text)
        result = run(home, "doctor", "--config")
        assert result.status == 0, result
        told = re.sub(" +", " ", result.out.decode())
        for setting in ("model.default fathom-mini", "thinking.view side"):
            assert f"{setting} {path}" in told, (setting, told)
        with plain(home, "--plain", "--ephemeral") as chat:
            chat.expect("you> ")
            chat.send("/preset brief\r")
            said = chat.expect("you> ")
            assert "brief" in said.removeprefix("/preset brief"), said


def it_works_without_a_screen():
    with Home() as home, plain(home, *command("EXAMPLES")) as chat:
        chat.expect("plain mode (--plain)")
        chat.expect("[n] no history")
        chat.send("n\r")
        chat.expect("you> ")
        chat.send("\x04")
        assert chat.wait() == 0


# -- what is named in between ----------------------------------------------------

def page_names(expression):
    with open(os.path.join(SOURCE, "man/fathom-tutorial.7")) as file:
        return set(re.findall(expression, as_shown(file.read()), re.M))


def commands_of_a_chat_exist():
    names = page_names(r"^\.(?:Ql|Ic) (/[a-z]+)")
    assert len(names) >= 8, names
    with Home() as home, plain(home, "--plain", "--ephemeral") as chat:
        chat.expect("you> ")
        chat.send("/help\r")
        told = chat.expect("you> ") + chat.quiet(0.3)
    missing = {name for name in names
               if not re.search(rf"{name}\b", told.removeprefix("/help"))}
    assert not missing, (missing, told)


def commands_of_fathom_exist():
    lines = page_names(r"^\.Ql fathom ([a-z][a-z -]*)$")
    assert len(lines) >= 3, lines
    with Home() as home:
        for line in lines:
            words = line.split()
            result = run(home, *(word for word in words), "--help")
            assert result.status == 0, result


def each_example_was_tried():
    assert not EXAMPLES, EXAMPLES


if NO_CHAT:
    print(f"1..0 # SKIP {NO_CHAT}")
else:
    engine_client.run([
        it_begins_and_answers,
        branches_are_told_as_the_page_has_them,
        a_file_is_given,
        chats_are_kept_and_go_on,
        scripts_get_the_answer_alone,
        another_model_is_taken_by_name,
        settings_are_in_force,
        it_works_without_a_screen,
        commands_of_a_chat_exist,
        commands_of_fathom_exist,
        each_example_was_tried,
    ])
