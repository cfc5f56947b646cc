"""Canaries in everything a user writes; nothing of them is left behind.

Prompts, system messages, attachments and their names, conversations on a
terminal: afterwards home, runtime, temporary and state directories are searched
in every encoding, and so are arguments, environments and logs.
"""
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/leaks"))
from canaries import all_files, canary, forms, search  # finds tests/cli too

import engine_client
from program import (BUILD, FATHOM, LIMIT, NO_CHAT, PASSPHRASE, SOURCE, Home,
                     run, start)
from terminal import Terminal

ENGINE = os.path.join(BUILD, "fathom-engine")
MODEL = os.path.join(SOURCE, "models/fathom-mini.gguf")
OPEN = ("sh", "-c", 'umask 000; exec "$@"', "sh")  # as careless as can be


class Watched(Home):
    """A home whose temporary files are in it too, and a place beside it for
    what the user wrote there himself."""

    def __enter__(self):
        super().__enter__()
        os.mkdir(self.file("tmp"), 0o700)
        self.beside = Home().__enter__()
        return self

    def __exit__(self, *exception):
        run(self, "engine", "stop")
        self.beside.__exit__(*exception)
        super().__exit__(*exception)

    def environment(self, script=None, **more):
        return super().environment(
            script, TMPDIR=self.file("tmp"), **more,
            **{name: self.file(folder) for name, folder in (
                ("XDG_STATE_HOME", "state"), ("XDG_CACHE_HOME", "cache"),
                ("XDG_CONFIG_HOME", "config"))})


def check(home, words, apart=()):
    """Nothing of the words, and nothing that others can open."""
    places = [home.path, "/dev/shm"]
    hits = search(words, places, apart)
    assert not hits, hits
    for path in all_files(home.path):
        mode = os.lstat(path)
        assert mode.st_mode & 0o077 == 0 or stat.S_ISLNK(mode.st_mode), (
            path, oct(mode.st_mode))


# -- the search itself -----------------------------------------------------------

def the_search_finds_every_form_and_every_name():
    word = canary()
    with Home() as home:
        assert search([word], [home.path]) == []
        for number, (name, form) in enumerate(forms(word).items()):
            home.write(f"file{number}", b"before " + form + b" after")
            found = {hit[2] for hit in search([word], [home.path])}
            assert name in found, (name, found)
    with Home() as home:
        os.mkdir(home.file(word))
        assert search([word], [home.path])
    import base64
    for skip in range(9):
        with Home() as home:
            home.write("mail", base64.b64encode(b"x" * skip + word.encode()
                                                + b"yz"))
            assert search([word], [home.path]), skip


# -- commands --------------------------------------------------------------------

def ask_leaves_nothing():
    prompt, system, name, text = (canary() for _ in range(4))
    with Watched() as home:
        attached = home.beside.write(name + ".txt", text)
        for more in ((), ("--json",), ("--show-thinking=stderr",)):
            result = run(home, "ask", "-", "-f", attached, "-s", system,
                         "-n20", "--allow-truncated", *more, prefix=OPEN,
                         stdin=prompt.encode())
            assert result.status in (0, 11), result
        check(home, [prompt, system, name, text])


def a_warm_engine_leaves_nothing():
    prompt, other = canary(), canary()
    with Watched() as home:
        assert run(home, "engine", "start", prefix=OPEN).status == 0
        for word in (prompt, other):
            run(home, "ask", "-", "-n5", "--allow-truncated", prefix=OPEN,
                stdin=word.encode())
        check(home, [prompt, other])  # while it runs
        assert run(home, "engine", "stop").status == 0
        check(home, [prompt, other])


def tokenize_leaves_nothing():
    word, case = canary(), canary()
    with Watched() as home:
        cases = home.beside.write("cases", case + "\n")
        assert run(home, "tokenize", "-", prefix=OPEN,
                   stdin=word.encode()).status == 0
        assert run(home, "tokenize", "--cases=" + cases,
                   prefix=OPEN).status == 0
        check(home, [word, case])


def chat_arguments(home):
    """A chat that is not to be kept, by the name this build has for that."""
    text = run(home, "chat", "--help").out.decode()
    for option in ("--ephemeral", "--no-save"):
        if option in text:
            return ["chat", "--plain", option]
    return ["chat", "--plain"]


def a_chat_that_is_not_kept_leaves_nothing():
    if NO_CHAT:
        return NO_CHAT
    first, second, system = (canary() for _ in range(3))
    with Watched() as home:
        command = [*OPEN, FATHOM, *chat_arguments(home)]
        with Terminal(["/bin/sh", *command[1:]], home.environment()) as chat:
            chat.expect("you> ")
            chat.send("/system " + system + "\r")
            chat.expect("you> ")
            for word in (first, second):
                chat.send("say " + word + "\r")
                chat.expect("you> ")
            check(home, [first, second, system])  # while it is there
            chat.send("\x04")
            chat.wait()
        check(home, [first, second, system])


def a_chat_that_is_killed_leaves_nothing():
    if NO_CHAT:
        return NO_CHAT
    word, typed = canary(), canary()
    with Watched() as home:
        with Terminal([FATHOM, *chat_arguments(home)],
                      home.environment()) as chat:
            chat.expect("you> ")
            chat.send("say " + word + "\r")
            chat.expect("you> ")
            chat.send(typed)
            chat.expect(typed)
        check(home, [word, typed])


def an_export_is_the_only_file_and_only_for_its_owner():
    if NO_CHAT:
        return NO_CHAT
    word = canary()
    with Watched() as home:
        command = [*OPEN, FATHOM, *chat_arguments(home)]
        with Terminal(["/bin/sh", *command[1:]], home.environment()) as chat:
            chat.expect("you> ")
            chat.send("say " + word + "\r")
            chat.expect("you> ")
            path = home.beside.file("chat.md")
            chat.send("/export " + path + "\r")
            chat.expect("you> ")
            chat.send("\x04")
            chat.wait()
        assert word.encode() in home.beside.read("chat.md")
        assert os.stat(path).st_mode & 0o777 == 0o600
        check(home, [word])


def an_answer_in_a_file_is_only_for_its_owner():
    with Watched() as home:
        answer, thought = (home.beside.file(name) for name in "at")
        assert run(home, "ask", "hello", "-o", answer,
                   "--show-thinking=" + thought, prefix=OPEN,
                   script="want GENERATE\nthink So.\nsay Yes.\ndone\n"
                   ).status == 0
        for path in (answer, thought):
            assert os.stat(path).st_mode & 0o777 == 0o600, path


# -- the vault -------------------------------------------------------------------

def a_chat_of(title, question, thought, answer):
    return json.dumps({"schema": "fathom.export/1", "chats": [{
        "title": title, "tags": [title + "tag"], "system": question + "system",
        "turns": [
            {"id": 1, "role": "user", "content": question},
            {"id": 2, "parent": 1, "role": "assistant", "content": answer,
             "thinking": thought}]}]})


def vault(home, passphrase, *arguments, **more):
    """A command that opens the vault, its passphrase on a descriptor."""
    result = run(home, *arguments, "--passphrase-fd=0", prefix=OPEN,
                 stdin="".join(line + "\n" for line in passphrase).encode(),
                 **more)
    assert result.status == 0, (arguments, result)
    return result


def the_vault_holds_no_word_in_the_clear():
    words = [canary() for _ in range(4)]
    old, new, sealed = canary(), canary(), canary()
    with Watched() as home:
        chats = home.beside.write("chats.json", a_chat_of(*words))
        vault(home, [old], "vault", "init", "--kdf=least")
        vault(home, [old], "history", "import", chats)
        for word in words:
            result = vault(home, [old], "history", "search",
                           "--with-thinking", word)
            assert word in result.out.decode(), (word, result)
        vault(home, [old], "history", "list")
        vault(home, [old], "history", "show", "--with-thinking", "--all")
        check(home, [*words, old])
        vault(home, [old, new, new], "vault", "passwd", "--kdf=least")
        wrong = run(home, "history", "list", "--passphrase-fd=0", prefix=OPEN,
                    stdin=(old + "\n").encode())
        assert wrong.status == 77, wrong
        vault(home, [new], "history", "list")
        check(home, [*words, old, new])
        # exports are what the user asked for: there, and his alone
        for name, more, line in (
                ("chats.md", ["--yes"], [new]), ("chats.html", ["--yes"], [new]),
                ("sealed", ["--encrypted", "--kdf=least"],
                 [new, sealed, sealed])):
            path = home.beside.file(name)
            vault(home, line, "history", "export", "-o", path, "--all",
                  "--with-thinking", *more)
            assert os.stat(path).st_mode & 0o777 == 0o600, path
            clear = words[1].encode() in home.beside.read(name)
            assert clear == (name != "sealed"), name
        check(home, [*words, old, new, sealed])
        assert not search([*words, sealed], [home.beside.path], apart=[
            chats, home.beside.file("chats.md"),
            home.beside.file("chats.html")])
        listed = json.loads(vault(home, [new], "history", "list",
                                  "--json").out)
        vault(home, [new], "history", "rm", "--yes",
              re.search(r'"id": ?"(\w+)"', json.dumps(listed))[1])
        check(home, [*words, old, new, sealed])


class Kept(Terminal):
    """A chat that is kept, unlocked and waiting for its first line."""

    def __init__(self, home, *arguments):
        super().__init__(["/bin/sh", *OPEN[1:], FATHOM, "chat", "--plain", *arguments],
                         home.environment())
        self.expect("a chat that is not kept): ")
        self.send(PASSPHRASE + "\r")
        for _ in range(2 if arguments else 1):  # a chat that is shown, too
            self.expect("you> ")

    def line(self, text):
        self.send(text + "\r")
        self.expect(text[:1])
        return self.expect("you> ")


def a_chat_that_is_kept_is_in_the_vault_alone():
    if NO_CHAT:
        return NO_CHAT
    said, typed, titled, tagged, drafted = words = [canary()
                                                    for _ in range(5)]
    with Watched() as home:
        home.make_vault()
        with Kept(home) as chat:
            chat.line("say " + said)
            chat.line("/title " + titled)
            chat.line("/tag " + tagged)
            chat.send(typed)
            chat.expect(typed)
            chat.send("\x03")
            chat.expect("you> ")
            check(home, words)
            # killed in the middle of an answer
            chat.send("Tell me a long story of " + drafted + "\r")
            chat.expect("story")
            chat.quiet(0.3)
            os.kill(chat.pid, signal.SIGKILL)
            os.waitpid(chat.pid, 0)
            chat.status = -9
        check(home, words)
        with Kept(home, "--resume") as chat:
            chat.line("/history")
            assert said in chat.line("/search " + said)
            assert said in chat.line(f"/search regex:on tag:{tagged} "
                                     f"say .*{said[-5:]}")
            check(home, words)
            chat.send("/lock\r")
            chat.expect("passphrase: ")
            check(home, words)
            chat.send("\x04")
            chat.wait()
        check(home, words)


def what_ask_saves_or_seals_is_in_the_vault_alone():
    saved, sealed = canary(), canary()
    with Watched() as home:
        home.make_vault()
        opener = home.beside.write("passphrase", PASSPHRASE + "\n")
        with_key = ("sh", "-c", 'umask 000; exec "$@" 3<"$0"', opener)
        options = ("-n20", "--allow-truncated")
        result = run(home, "ask", "-", "--save", "--passphrase-fd=3", *options,
                     prefix=with_key, stdin=saved.encode())
        assert result.status in (0, 11), result
        check(home, [saved])
        result = run(home, "ask", "-", "--seal", *options, prefix=OPEN,
                     stdin=sealed.encode())
        assert result.status in (0, 11), result
        check(home, [saved, sealed])
        assert os.listdir(home.file("data/fathom/inbox"))
        listed = run(home, "history", "list", "--passphrase-fd=3",
                     prefix=with_key)
        assert listed.status == 0, listed
        check(home, [saved, sealed])


# -- processes -------------------------------------------------------------------

def process_files(process):
    found = b""
    for name in ("cmdline", "environ", "comm"):
        with open(f"/proc/{process}/{name}", "rb") as file:
            found += file.read()
    return found


def children(process):
    done = subprocess.run(["pgrep", "-P", str(process)], capture_output=True)
    return [int(word) for word in done.stdout.split()]


def arguments_and_environment_hold_nothing_that_was_typed():
    word, system = canary(), canary()
    with Watched() as home:
        text = home.beside.write("attached", system)
        asked = start(home, "ask", "-", "-f", text, script="drain\n",
                      stdin=subprocess.PIPE)
        asked.stdin.write(word.encode())
        asked.stdin.close()
        end = time.monotonic() + LIMIT
        while not children(asked.pid):
            assert time.monotonic() < end, "no engine starts"
            time.sleep(0.01)
        seen = b"".join(process_files(one)
                        for one in (asked.pid, *children(asked.pid)))
        asked.kill()
        asked.wait(LIMIT)
        assert b"fathom" in seen
        for one in (word, system):
            for name, form in forms(one).items():
                assert form not in seen, name


# -- logs ------------------------------------------------------------------------

def the_log_of_the_engine_holds_no_content():
    word, bad = canary(), canary()
    with Watched() as home:
        log = home.file("log")
        process = subprocess.Popen(
            [*OPEN, ENGINE, "--log=" + log, MODEL], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env=home.environment(), bufsize=0)
        stream = engine_client.Stream(process.stdin.fileno(),
                                      process.stdout.fileno())
        stream.send("TOKENIZE", 1, texts=[word])
        stream.answer(1)
        stream.send("GENERATE", 2, messages=[
            {"role": "user", "content": word}], max_tokens=8)
        stream.answer(2)
        # requests that are refused, with a word where none belongs
        stream.send("GENERATE", 3, messages=[{"role": bad, "content": bad}],
                    stop=[bad], bad=bad)
        stream.answer(3)
        stream.send("TOKENIZE", 4, texts=bad)
        stream.answer(4)
        process.stdin.close()
        process.wait(LIMIT)
        lines = home.read("log").decode()
        assert "confined" in lines, lines
        assert os.stat(log).st_mode & 0o777 == 0o600
        check(home, [word, bad])


def no_log_line_takes_a_text_of_a_user():
    """Calls of the log, by their formats: what %s stands for is listed."""
    known = re.compile(
        r"\w+\.text|strerror|reason|gguf_shown|rules->name|\bwhy\b"
        r"|\(const char \*\) memory|isolated|FATHOM_CPU|protocol_status_name|prompt_traits|engine->name|err->text")
    lines = []
    for folder in ("app", "base", "engine", "storage", "ui", "kernels",
                   "quant"):
        for path in all_files(os.path.join(SOURCE, folder)):
            if path.endswith(".c") and not path.endswith("base/log.c"):
                with open(path) as file:
                    lines += re.findall(r"\blog_(?:error|warn|note|debug)\("
                                        r"[^;]*;", file.read())
    assert len(lines) > 10, lines
    for line in lines:
        if "%s" in line or "%.*s" in line:
            assert known.search(line), line


engine_client.run([
    the_search_finds_every_form_and_every_name,
    ask_leaves_nothing,
    a_warm_engine_leaves_nothing,
    tokenize_leaves_nothing,
    a_chat_that_is_not_kept_leaves_nothing,
    a_chat_that_is_killed_leaves_nothing,
    an_export_is_the_only_file_and_only_for_its_owner,
    an_answer_in_a_file_is_only_for_its_owner,
    the_vault_holds_no_word_in_the_clear,
    a_chat_that_is_kept_is_in_the_vault_alone,
    what_ask_saves_or_seals_is_in_the_vault_alone,
    arguments_and_environment_hold_nothing_that_was_typed,
    the_log_of_the_engine_holds_no_content,
    no_log_line_takes_a_text_of_a_user,
])
