"""Instant resume: a chat that was left and opened again, bundled model."""
import os
import shutil
import signal
import sqlite3
import time

from engine_client import run
from program import FATHOM, NO_CHAT, SOURCE, Home
from terminal import Terminal

MODEL = os.path.join(SOURCE, "models/fathom-mini.gguf")
SECRET = "several words for a test"
FIRST, SECOND = "What is 27 * 14?", "What is 8 + 9?"
ASKED = ("--seed=7", "--temp=0.8")
FIRST_CACHE_ROW = 1 << 62
CACHE_BYTES = 60000  # less than that of the first question, more than a turn
# a cache of several chunks
LONG = " ".join(str(i) for i in range(100, 260)) + ". " + FIRST


def chat(home, *options, model=MODEL):
    return Terminal([FATHOM, "chat", "--plain", "-m", model, *ASKED, *options],
                    home.environment(), columns=200)


def begin(terminal):
    """First start: a vault under a passphrase."""
    terminal.expect("no history: ")
    terminal.send("p\r")
    terminal.expect("a new passphrase: ")
    terminal.send(SECRET + "\r")
    terminal.expect("the same again: ")
    terminal.send(SECRET + "\r")
    terminal.expect("vault:open")
    terminal.expect("you> ")


def unlock(terminal):
    terminal.expect("passphrase")
    terminal.expect("): ")
    terminal.send(SECRET + "\r")
    terminal.expect("vault:open")


def ask(terminal, question):
    """The answer, its thought before it."""
    terminal.send(question + "\r")
    terminal.expect("\n")
    thought = terminal.expect("fathom> ")
    answer = terminal.expect("\n[")
    terminal.expect("]\nyou> ")
    return thought, answer


def cached(terminal):
    """Of the last prompt: tokens, and those that were not run."""
    terminal.send("/stats\r")
    terminal.expect("last answer ")
    prompt = terminal.expect(" prompt tokens (")
    kept = terminal.expect(" kept from before)")
    terminal.expect("you> ")
    return int(prompt), int(kept)


def leave(terminal):
    terminal.send(b"\x04")
    assert terminal.wait() == 0


def chunks(home):
    """Rows of kept caches in the vault."""
    vault = sqlite3.connect(home.file("data/fathom/vault.db"))
    (count,), = vault.execute("select count(*) from r where id >= ?",
                              (FIRST_CACHE_ROW,))
    vault.close()
    return count


def uninterrupted(first, *options):
    with Home() as home, chat(home, *options) as terminal:
        begin(terminal)
        ask(terminal, first)
        answer, tokens = ask(terminal, SECOND), cached(terminal)
        leave(terminal)
    return answer, tokens


def first_half(home, first, *options, **more):
    with chat(home, *options, **more) as terminal:
        begin(terminal)
        ask(terminal, first)
        leave(terminal)


def second_half(home, *options, **more):
    """What was said of the cache, the answer, and tokens."""
    with chat(home, "--resume", *options, **more) as terminal:
        unlock(terminal)
        terminal.expect("it ends with:")
        terminal.expect("fathom> ")
        terminal.expect("\nyou> ")
        answer = ask(terminal, SECOND)
        tokens = cached(terminal)
        leave(terminal)
        return terminal.text(), answer, tokens


def a_resumed_chat_goes_on_as_if_it_had_never_stopped():
    short = ("--think=off", "-n40")
    for first, least_chunks, options in ((FIRST, 1, ()), (LONG, 2, short)):
        answer, tokens = uninterrupted(first, *options)
        assert tokens[1] > 8, tokens
        with Home() as home:
            first_half(home, first, *options)
            assert chunks(home) >= least_chunks
            said, resumed, tokens_resumed = second_half(home, *options)
        assert resumed == answer, (resumed, answer)
        assert tokens_resumed == tokens
        assert "read again" not in said


def a_model_that_was_written_to_is_run_again():
    with Home() as home:
        model = home.file("model.gguf")
        shutil.copyfile(MODEL, model)
        first_half(home, FIRST, model=model)
        os.utime(model)
        said, answer, tokens = second_half(home, model=model)
    assert "read again" in said and "written to since" in said, said
    assert tokens[1] == 0 and "17" in answer[1], (tokens, answer)


def a_kept_cache_that_is_damaged_is_left_aside():
    with Home() as home:
        first_half(home, FIRST)
        vault = sqlite3.connect(home.file("data/fathom/vault.db"))
        with vault:
            changed = vault.execute(
                "update r set b = substr(b, 1, length(b) - 1) || x'00' "
                "where id >= ?", (FIRST_CACHE_ROW,)).rowcount
        vault.close()
        assert changed == 1
        said, answer, tokens = second_half(home)
    assert "read again" in said, said
    assert tokens[1] == 0 and "17" in answer[1], (tokens, answer)


def engine_of(pid):
    """The engine that a chat has started."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        children = file.read().split()
    assert len(children) == 1, children
    return int(children[0])


def an_engine_that_is_started_again_goes_on_too():
    answer, tokens = uninterrupted(FIRST)
    with Home() as home, chat(home) as terminal:
        begin(terminal)
        log = home.file("data/fathom/vault.db-wal")
        before = os.path.getsize(log)
        ask(terminal, FIRST)
        end = time.monotonic() + 20
        while os.path.getsize(log) < before + CACHE_BYTES:
            assert time.monotonic() < end
            terminal.read(0.05)  # it is kept behind the prompt
        os.kill(engine_of(terminal.pid), signal.SIGKILL)
        terminal.expect("Start the engine again?")
        terminal.send("\r")
        terminal.expect("you> ")
        assert ask(terminal, SECOND) == answer
        assert cached(terminal) == tokens
        leave(terminal)


def a_lock_gives_fetching_up_and_changes_nothing():
    short = ("--think=off", "-n40")
    answer, tokens = uninterrupted(LONG, *short)
    with Home() as home, chat(home, *short) as terminal:
        begin(terminal)
        ask(terminal, LONG)
        terminal.send("/lock\r")
        terminal.expect("passphrase")
        terminal.expect(": ")
        terminal.send(SECRET + "\r")
        terminal.expect("you> 100 101")  # how it ended, shown again
        terminal.expect("]\nyou> ")
        assert ask(terminal, SECOND) == answer
        assert cached(terminal) == tokens
        leave(terminal)


def without_room_none_is_kept():
    with Home() as home:
        os.makedirs(home.file(".config/fathom"), mode=0o700)
        home.write(".config/fathom/fathom.conf", "[vault]\ncache = 0\n")
        first_half(home, FIRST)
        assert chunks(home) == 0
        said, answer, tokens = second_half(home)
    assert tokens[1] == 0 and "17" in answer[1], (tokens, answer)
    assert "read again" not in said, said


def nothing_of_an_ephemeral_chat_is_kept():
    with Home() as home:
        with chat(home, "--ephemeral") as terminal:
            terminal.expect("vault:eph")
            terminal.expect("you> ")
            ask(terminal, FIRST)
            leave(terminal)
        assert not os.path.exists(home.file("data/fathom/vault.db"))


run([] if NO_CHAT else [
    a_resumed_chat_goes_on_as_if_it_had_never_stopped,
    a_model_that_was_written_to_is_run_again,
    a_kept_cache_that_is_damaged_is_left_aside,
    an_engine_that_is_started_again_goes_on_too,
    a_lock_gives_fetching_up_and_changes_nothing,
    without_room_none_is_kept,
    nothing_of_an_ephemeral_chat_is_kept,
])
