"""The two programs together, with the bundled model; warm engines too."""
import json
import os
import re
import shutil
import signal
import subprocess
import time

import engine_client
from program import (BUILD, FATHOM, LIMIT, NO_CHAT, PASSPHRASE, SOURCE, Home,
                     one_sentence, run, start)
from terminal import Terminal

MODEL = os.path.join(SOURCE, "models/fathom-mini.gguf")


def wait_until(test):
    end = time.monotonic() + LIMIT
    while not test():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.01)


def has_ended(process):
    """Gone, or not yet reaped by whoever adopted it."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


class Warm(Home):
    """A home with a warm engine."""

    def __enter__(self):
        super().__enter__()
        result = run(self, "engine", "start")
        assert result.status == 0, result
        return self

    def __exit__(self, *exception):
        run(self, "engine", "stop")
        super().__exit__(*exception)

    def status(self):
        result = run(self, "engine", "status", "--json")
        return json.loads(result.out)

    def process(self):
        return self.status()[0]["process"]

    def requests(self):
        """Requests the engine has answered; STATS are not counted."""
        return self.status()[0]["requests"]


def ask(home, *arguments, **more):
    result = run(home, "ask", *arguments, **more)
    return result.status, result.out.decode(), result.err.decode()


# -- the bundled model -----------------------------------------------------------

def the_bundled_model_multiplies_after_a_thought():
    with Home() as home:
        status, out, err = ask(home, "What is 27 * 14?",
                               "--show-thinking=stderr")
        assert status == 0 and "378" in out, (out, err)
        assert len(err) > 20, err


def the_bundled_model_counts_letters():
    with Home() as home:
        status, out, _ = ask(home, "How many r are in strawberry?")
        assert status == 0 and "3" in out, out


def the_chat_answers_and_thinks_visibly():
    if NO_CHAT:
        return NO_CHAT
    with Home() as home:
        with Terminal([FATHOM, "--plain", "--ephemeral"], home.environment()) as chat:
            chat.expect("you> ")
            chat.send("What is 27 * 14?\r")
            text = chat.expect("you> ")
            assert re.search(r"\n: .*\nfathom> .*378", text, re.S), text
            chat.send("\x04")
            assert chat.wait() == 0


def a_seed_gives_the_same_answer_again():
    with Home() as home:
        options = ("Tell me about yourself.", "--temp=3", "--top-p=1", "-n60",
                   "--allow-truncated", "--json", "--show-thinking=json")
        runs = [json.loads(ask(home, *options, f"--seed={seed}")[1])
                for seed in (1, 1, 2)]
        texts = [(one["thinking"]["text"], one["answer"]) for one in runs]
        assert texts[0] == texts[1] != texts[2], texts


def limits_are_told_by_their_codes():
    with Home() as home:
        assert ask(home, "What is 27 * 14?", "-n5")[0] == 11
        status, out, err = ask(home, "What is 27 * 14?", "--think-budget=2",
                               "-n8")
        assert status == 10 and out.endswith("\n"), (status, out, err)
        status, out, err = ask(home, "-", stdin=b"word " * 3000)
        assert (status, out) == (12, ""), (status, out, err)
        assert re.search(r"\d{4} tokens .* 1024", err), err


def load_is_reported_in_milliseconds_that_overlap():
    with Home() as home:
        timing = json.loads(ask(home, "What is 1 + 1?", "--json")[1])["timing"]
        load = timing["load"]
        assert load["read_ms"] > 0 and load["tokenizer_ms"] > 0, load
        assert load["first_token_ms"] >= load["read_ms"], load


def a_bad_model_is_one_sentence():
    with Home() as home:
        bad = home.write("bad.gguf", "GGUF\x03")
        for arguments in (("ask", "-m", bad, "hello"),
                          ("model", "info", bad),
                          ("tokenize", "-m", bad, "text"),
                          ("engine", "start", "-m", bad)):
            result = run(home, *arguments)
            assert result.status == 65, (arguments, result)
            assert "bad.gguf" in one_sentence(result.err), result
        # an engine that could not open its file does not stay
        assert run(home, "engine", "status").status == 1


def a_chat_with_a_bad_model_ends_with_a_sentence():
    if NO_CHAT:
        return NO_CHAT
    with Home() as home:
        bad = home.write("bad.gguf", "GGUF\x03")
        with Terminal([FATHOM, "--ephemeral", "-m", bad],
                      home.environment()) as chat:
            assert chat.wait() == 65
            assert "bad.gguf" in chat.text()


def a_killed_engine_is_started_again_and_the_chat_goes_on():
    if NO_CHAT:
        return NO_CHAT
    with Home() as home:
        with Terminal([FATHOM, "--plain", "--ephemeral"], home.environment()) as chat:
            chat.expect("you> ")
            chat.send("What is 3 + 4?\r")
            chat.expect("you> ")
            children = subprocess.run(["pgrep", "-P", str(chat.pid)],
                                      capture_output=True).stdout.split()
            os.kill(int(children[0]), signal.SIGKILL)
            chat.expect("the engine ended (signal 9, Killed); the "
                        "conversation is kept")
            chat.expect("[Y/n] ")
            chat.send("\r")
            chat.expect("you> ")
            chat.send("What is 4 + 5?\r")
            assert "9" in chat.expect("you> ")
            chat.send("/stats\r")
            assert "turns        2" in chat.expect("you> ")


# -- hostile files ----------------------------------------------------------------

HOSTILE = os.path.join(SOURCE, "tests/data/hostile")


def hostile_files():
    with open(os.path.join(HOSTILE, "expect.tsv")) as table:
        for line in table:
            yield line.split("\t")[:2]


def every_hostile_file_is_one_sentence_and_65():
    bad = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
    with Home() as home:
        subprocess.run(["tar", "--zstd", "-xf",
                        os.path.join(HOSTILE, "files.tar.zst"), "-C",
                        home.file("data")], check=True)
        for name, outcome in hostile_files():
            path = os.path.join(home.file("data"), name)
            if outcome != "refuse":
                result = run(home, "model", "info", path)
                assert result.status == 0, (name, result)
                assert not bad.search(result.out.decode()), (name, result)
                continue
            result = run(home, "ask", "-m", path, "-n1", "hello")
            assert (result.status, result.out) == (65, b""), (name, result)
            sentence = one_sentence(result.err)
            # of a split file it may be another shard
            assert name.split("-0000")[0] in sentence, (name, sentence)
            assert not bad.search(sentence), (name, sentence)


# -- looking into models ----------------------------------------------------------

def model_info_tells_what_the_file_is():
    with Home() as home:
        text = run(home, "model", "info", "fathom-mini").out.decode()
        for part in ("fathom-mini", "deepseek2", "Parameters", "of which",
                     "1,024 tokens", "32 in each layer, 4 used", "Q8_0",
                     "Warnings"):
            assert part in text, (part, text)
        assert all(len(line) <= 80 for line in text.splitlines()[1:]), text
        info = json.loads(run(home, "model", "info", "--json", MODEL).out)
        assert info["architecture"] == "deepseek2" and info["context"] == 1024


def names_in_files_never_reach_the_terminal_raw():
    with Home() as home:
        with open(MODEL, "rb") as file:
            data = file.read()
        at = data.index(b"fathom-mini")
        data = data[:at] + b"\x1b]0;evil\x07--" + data[at + 11:]
        bad = home.write("named.gguf", data)
        result = run(home, "model", "info", bad)
        assert b"\x1b" not in result.out and b"evil" in result.out, result
        result = run(home, "model", "info", "--json", bad)
        assert b"\x1b" not in result.out and json.loads(result.out), result
        result = run(home, "ask", "-m", bad, "--json", "What is 1 + 1?")
        assert b"\x1b" not in result.out and json.loads(result.out), result


def tokenize_prints_a_line_of_ids_for_each_text():
    with Home() as home:
        one = run(home, "tokenize", "What is 27 * 14?").out
        assert re.fullmatch(rb"\d+( \d+)*\n", one), one
        assert run(home, "tokenize", "-", stdin=b"What is 27 * 14?").out == one
        cases = home.write("cases", "What is 27 * 14?\n\nWhat\\x20is 27 * 14?"
                           "\na\\\\b\\n\\r\\t\n\\xff\n")
        lines = run(home, "tokenize", f"--cases={cases}").out.split(b"\n")
        assert lines[0] + b"\n" == one and lines[1] == b"", lines
        assert lines[2] == lines[0] and len(lines) == 6, lines
        assert lines[3] + b"\n" == run(home, "tokenize", "-",
                                       stdin=b"a\\b\n\r\t").out, lines
        assert lines[4] + b"\n" == run(home, "tokenize", "\ufffd").out, lines


def bad_texts_for_tokenize_are_told():
    with Home() as home:
        cases = home.write("cases", "good\nbad \\q\n")
        result = run(home, "tokenize", f"--cases={cases}")
        assert result.status == 65, result
        assert "line 2: the backslash at byte 5 begins no escape" in (
            one_sentence(result.err)), result
        for arguments, status in (
                (("text", f"--cases={cases}"), 64), ((), 64),
                (("--cases=/nowhere",), 66), (("-m", "nothing", "x"), 66)):
            result = run(home, "tokenize", *arguments)
            assert result.status == status, (arguments, result)
            one_sentence(result.err)
        assert run(home, "tokenize", "-", stdin=b"\xff").status == 65


# -- warm engines -------------------------------------------------------------------

def ask_finds_the_warm_engine_of_its_model():
    with Warm() as home:
        before = home.requests()
        report = json.loads(ask(home, "--json", "What is 3 + 4?")[1])
        assert "7" in report["answer"]
        assert report["timing"]["load_ms"] == 0, report["timing"]
        assert home.requests() == before + 1


def start_is_at_ease_with_an_engine_that_runs():
    with Warm() as home:
        process = home.process()
        result = run(home, "engine", "start")
        assert result.status == 0 and b"was before" in result.out, result
        assert home.process() == process
        result = run(home, "engine", "status")
        assert result.status == 0 and b"fathom-mini" in result.out, result


def stop_ends_it():
    with Warm() as home:
        process = home.process()
        result = run(home, "engine", "stop")
        assert result.status == 0 and b"stopped" in result.out, result
        wait_until(lambda: has_ended(process))
        assert run(home, "engine", "status").status == 1
        assert run(home, "engine", "stop").status == 0
        status, out, _ = ask(home, "What is 3 + 4?")
        assert status == 0 and "7" in out


def two_questions_at_once_are_both_answered():
    with Warm() as home:
        both = [start(home, "ask", question)
                for question in ("What is 27 * 14?", "What is 3 + 4?")]
        outs = [process.communicate(timeout=LIMIT)[0] for process in both]
        assert [process.returncode for process in both] == [0, 0]
        assert b"378" in outs[0] and b"7" in outs[1], outs


# at this temperature it babbles until the context is full, some seconds
LONG = ("Tell me about yourself.", "--temp=100", "--top-p=1", "--seed=1",
        "--jsonl")


def begin_long(home):
    """Starts a long answer and waits until it comes."""
    process = start(home, "ask", *LONG)
    while b'"t":"think"' not in process.stdout.readline():
        assert process.poll() is None
    return process


def a_busy_engine_is_75_when_wait_is_over():
    with Warm() as home:
        busy = begin_long(home)
        result = run(home, "ask", "--wait=0", "What is 3 + 4?")
        assert busy.poll() is None, "it was not busy for long enough"
        busy.kill()
        busy.communicate()
        assert (result.status, result.out) == (75, b""), result
        assert "1 request ahead" in one_sentence(result.err), result


def a_question_waits_its_turn():
    with Warm() as home:
        # an idle engine is no reason to wait
        assert ask(home, "What is 3 + 4?", "--wait=0")[0] == 0
        busy = begin_long(home)
        status, out, _ = ask(home, "What is 3 + 4?", "--wait=1m")
        busy.kill()
        busy.communicate()
        assert status == 0 and "7" in out


def many_questions_at_once_are_all_answered():
    with Warm() as home:
        many = [start(home, "ask", f"What is {n} + {n}?") for n in range(1, 9)]
        for n, process in enumerate(many, 1):
            out, err = process.communicate(timeout=LIMIT)
            assert process.returncode == 0, (n, process.returncode, err)
            assert str(2 * n) in out.decode(), (n, out)


def a_full_engine_is_75_when_wait_is_over():
    if NO_CHAT:
        return NO_CHAT
    with Warm() as home:
        # each chat that has asked keeps its place
        chats = [Terminal([FATHOM, "--plain", "--ephemeral"], home.environment())
                 for _ in range(4)]
        for chat in chats:
            chat.expect("you> ")
            chat.send("What is 3 + 4?\r")
            chat.expect("you> ")
        result = run(home, "ask", "--wait=300ms", "What is 3 + 4?")
        assert (result.status, result.out) == (75, b""), result
        assert "busy and --wait is over" in one_sentence(result.err), result
        waiting = start(home, "ask", "What is 3 + 4?")
        time.sleep(0.3)
        for chat in chats:
            chat.__exit__()
        out, _ = waiting.communicate(timeout=LIMIT)
        assert waiting.returncode == 0 and b"7" in out, out


def a_killed_client_leaves_the_engine_free():
    with Warm() as home:
        for _ in range(3):
            process = begin_long(home)
            process.kill()
            process.communicate()
        status, out, _ = ask(home, "What is 3 + 4?")
        assert status == 0 and "7" in out
        wait_until(lambda: home.status()[0]["clients"] == 1)


def a_killed_warm_engine_is_told_and_not_missed():
    with Warm() as home:
        os.kill(home.process(), signal.SIGKILL)
        wait_until(lambda: run(home, "engine", "status").status == 1)
        status, out, _ = ask(home, "What is 3 + 4?")
        assert status == 0 and "7" in out
        assert run(home, "engine", "start").status == 0


def a_warm_engine_killed_in_an_answer_is_70():
    with Warm() as home:
        process = begin_long(home)
        os.kill(home.process(), signal.SIGKILL)
        out, err = process.communicate(timeout=LIMIT)
        assert process.returncode == 70, (process.returncode, err)
        assert "the warm engine ended" in one_sentence(err), err


def a_warm_engine_that_does_not_answer_is_told():
    with Warm() as home:
        process = home.process()
        os.kill(process, signal.SIGSTOP)
        status, out, err = ask(home, "What is 3 + 4?")
        os.kill(process, signal.SIGCONT)
        assert status == 0 and "7" in out, (status, err)
        assert f"process {process}) does not answer" in err, err


def another_model_gets_an_engine_of_its_own():
    with Warm() as home:
        before = home.requests()
        with open(MODEL, "rb") as file:
            other = home.write("other.gguf", file.read())
        status, out, _ = ask(home, "-m", other, "What is 3 + 4?")
        assert status == 0 and "7" in out
        assert home.requests() == before
        assert run(home, "engine", "start", "-m", other).status == 0
        assert len(home.status()) == 2
        assert run(home, "engine", "stop", "-m", other).status == 0
        assert len(home.status()) == 1


def a_chat_uses_the_warm_engine_and_leaves_it():
    if NO_CHAT:
        return NO_CHAT
    with Warm() as home:
        with Terminal([FATHOM, "--plain", "--ephemeral"], home.environment()) as chat:
            chat.expect("you> ")
            chat.send("What is 3 + 4?\r")
            assert "7" in chat.expect("you> ")
            chat.send("/stats\r")
            assert "in a warm engine" in chat.expect("you> ")
            chat.send("\x04")
            assert chat.wait() == 0
        assert home.status()[0]["state"] == "idle"


def nothing_of_a_warm_engine_is_open_to_others():
    with Warm() as home:
        for folder, _, files in os.walk(home.file("run/fathom")):
            assert os.stat(folder).st_mode & 0o077 == 0, folder
            for name in files:
                mode = os.stat(os.path.join(folder, name)).st_mode
                assert mode & 0o077 == 0, name


# -- the pages ------------------------------------------------------------------------

def page_examples():
    for name in sorted(os.listdir(os.path.join(SOURCE, "man"))):
        # history_test.py runs those of a page about chats that are there
        if (not re.fullmatch(r"fathom.*\.1", name)
                or name == "fathom-history.1"):
            continue
        with open(os.path.join(SOURCE, "man", name)) as file:
            text = file.read()
        examples = text[text.index(".Sh EXAMPLES"):text.index(".Sh SEE ALSO")]
        for line in re.findall(r"^\.Dl \$ (.*)$", examples, re.M):
            yield name, line.replace("\\(dq", '"').replace("\\e", "\\")


def page_home(home, page):
    """What the examples of a page find; its environment."""
    passphrase = "a passphrase"
    if page in ("fathom.1", "fathom-chat.1", "fathom-ask.1"):
        home.make_vault()
        passphrase = PASSPHRASE
    os.makedirs(home.file("data/fathom/models"))
    os.symlink(MODEL, home.file(
        "data/fathom/models/SmolLM2-135M-Instruct.Q4_1.gguf"))
    os.makedirs(home.file(".config/fathom"))
    home.write(".config/fathom/fathom.conf", "[preset.code]\ntemp = 0\n")
    home.write("question.txt", "What is 27 * 14?\n")
    home.write("notes.txt", "one two three\n")
    os.mkdir(home.file("mymodel"))
    shutil.copy(MODEL, home.file("mymodel/mymodel.gguf"))
    askpass = home.write("askpass", f"#!/bin/sh\necho '{passphrase}'\n")
    os.chmod(askpass, 0o755)
    environment = home.environment(FATHOM_ASKPASS=askpass)
    environment["PATH"] = BUILD + ":" + environment["PATH"]
    return environment


def try_example(page, line, home, environment):
    if re.fullmatch(r"fathom( (chat|--plain).*)?", line):
        if NO_CHAT:
            return
        with Terminal(["/bin/bash", "-c", line], environment) as chat:
            chat.expect("you> " if "--plain" in line else "F1 ")
            chat.send("\x04")
            assert chat.wait() == 0, (page, line)
        return
    if not shutil.which(line.split()[0], path=environment["PATH"]):
        return
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=home.path,
        env=environment, stdin=subprocess.DEVNULL, capture_output=True,
        timeout=LIMIT)
    assert done.returncode == 0, (page, line, done)


def examples_of_the_pages_work():
    examples = list(page_examples())
    for page in sorted({page for page, _ in examples}):
        with Home() as home:
            environment = page_home(home, page)
            for line in (line for of, line in examples if of == page):
                try_example(page, line, home, environment)
            run(home, "engine", "stop")
    assert len(examples) >= 15, len(examples)


engine_client.run([value for name, value in list(globals().items())
                   if getattr(value, "__module__", "") == "__main__"
                   and hasattr(value, "__code__")
                   and value.__code__.co_argcount == 0
                   and name not in ("page_examples", "hostile_files")])
