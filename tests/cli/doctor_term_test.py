"""fathom doctor --term, on terminals that answer well, wrongly, or not at all.

A terminal that is none of ours is in tests/screen/terminal_care.keys.
"""
import json
import os
import pty
import random
import re
import signal
import subprocess
import termios
import time
import unicodedata

import engine_client
from program import FATHOM, LIMIT, NO_CHAT, Home, one_sentence, run
from terminal import Terminal

# text counts once it is known to be whole
PIECES = re.compile(rb"\x1b\[\?(?P<mode>\d+)\$p|\x1b\[[0-9;?]*[A-Za-z]|\r|\n"
                    rb"|(?P<text>[^\x00-\x1f]+)(?=[\x00-\x1f])")
PLAIN = {"width, ASCII": 6, "width, Chinese": 4, "width, emoji": 2,
         "width, accents of their own": 2, "width, ambiguous letters": 3}


def columns(text):
    """As terminals count that follow the tables of Unicode."""
    return sum(0 if unicodedata.combining(c) or c in "\u200d\ufe0f" else
               2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


def asian(text):
    """What is ambiguous is wide."""
    return columns(text) + sum(unicodedata.east_asian_width(c) == "A"
                               for c in text
                               if not unicodedata.combining(c))


class Answering(Terminal):
    """Knows where its cursor is, and says so."""

    def __init__(self, command, environment, width=columns, known=(2004, 1006),
                 answer=None, **more):
        self.width, self.known = width, known
        self.answer = answer or Answering.honest
        self.row, self.column, self.taken, self.asked = 5, 1, 0, 0
        super().__init__(command, environment, **more)

    def honest(self, question):
        return {"cursor": b"\x1b[%d;%dR" % (self.row, self.column),
                "ready": b"\x1b[0n"}.get(question) or (
                    b"\x1b[?%d;%d$y" % (question,
                                        2 if question in self.known else 0))

    def take(self, piece):
        question = {b"\x1b[6n": "cursor", b"\x1b[5n": "ready"}.get(piece[0])
        if piece["mode"]:
            question = int(piece["mode"])
        if question:
            self.asked += 1
            self.send(self.answer(self, question))
        elif piece[0] == b"\r":
            self.column = 1
        elif piece[0] == b"\n":
            self.row += 1
        elif piece["text"]:
            self.column += self.width(piece["text"].decode())

    def read(self, seconds):
        going = super().read(seconds)
        for piece in PIECES.finditer(self.seen, self.taken):
            self.taken = piece.end()
            self.take(piece)
        return going

    def restored(self):
        return termios.tcgetattr(self.master) == self.modes

    def report(self):
        """What was printed behind the questions, as JSON."""
        return json.loads(self.seen[self.seen.rfind(b"\x1b[A") + 1:]
                          .removeprefix(b"[A"))


def doctor(home=None, environment=None, **more):
    """(status, {check: (state, text, advice)}) of --term --json."""
    if home is None:
        with Home() as home:
            return doctor(home, environment, **more)
    with Answering([FATHOM, "doctor", "--term", "--json"],
                   home.environment(**(environment or {})), **more) as terminal:
        status = terminal.wait()
        found = terminal.report()
        assert terminal.restored()
    assert found["schema"] == "fathom.terminal/1", found
    assert found["ok"] == (status == 0), (found, status)
    return status, {one["check"]: (one["state"], one["text"], one["advice"])
                    for one in found["checks"]}


def is_without_answer(found, sentence):
    assert not set(found) & set(PLAIN), found
    state, text, advice = found["width"]
    assert state == "warn" and re.fullmatch(sentence, text), found["width"]
    assert "ui.face = plain" in advice, advice


# -- terminals that answer -------------------------------------------------------

def a_terminal_that_counts_as_fathom_does_is_well():
    status, found = doctor()
    for check, count in PLAIN.items():
        state, text, advice = found[check]
        assert (state, advice) == ("ok", None), (check, found[check])
        assert text.endswith(f"takes {count} columns"), text
    assert found["face"] == ("ok", "a chat has the screen", None), found
    assert found["bracketed paste"][:2] == ("ok", "the terminal knows it")
    assert status == 0, found


def people_read_lines():
    with Home() as home, Answering([FATHOM, "doctor", "--term"],
                                   home.environment()) as terminal:
        assert terminal.wait() == 0 and terminal.restored()
        lines = terminal.text(terminal.seen.rfind(b"\x1b[A")).splitlines()
    assert all(re.match(r"(ok    |warn  |      )\S", line) for line in lines), (
        lines)
    assert "ok    width, Chinese: 漢字 takes 4 columns" in lines, lines


def ambiguous_characters_that_are_wide_want_a_setting():
    status, found = doctor(width=asian)
    state, text, advice = found["width, ambiguous letters"]
    assert status == 1 and state == "warn" and "6 columns" in text, found
    assert advice == "Set ui.ambiguous_width = 2 in fathom.conf.", advice
    with Home() as home:
        config = {"FATHOM_CONFIG":
                  home.write("two.conf", "[ui]\nambiguous_width = 2\n")}
        status, found = doctor(home, config, width=asian)
        assert status == 0, found
        status, found = doctor(home, config)
        assert status == 1 and found["width, lines and arrows"][2] == (
            "Set ui.ambiguous_width = 1 in fathom.conf."), found


def wide_letters_beside_narrow_lines_have_no_setting():
    status, found = doctor(width=lambda text: columns(text) if "─" in text
                           else asian(text))
    advice = found["width, ambiguous letters"][2]
    assert status == 1 and "Set it to narrow" in advice, found
    assert found["width, lines and arrows"][0] == "ok", found


def emoji_that_are_narrow_are_told():
    status, found = doctor(
        width=lambda text: 1 if text == "😀" else columns(text))
    assert status == 1 and found["width, emoji"][:2] == (
        "warn", "the terminal gives 1 column to 😀, and fathom counts 2"), found
    assert sum(state == "warn" for state, _, _ in found.values()) == 1, found


def joined_emoji_are_no_fault():
    status, found = doctor(
        width=lambda text: 2 if "\u200d" in text else columns(text))
    state, text, _ = found["width, emoji joined by ZWJ"]
    assert (status, state) == (0, "ok"), found
    assert "takes 2 columns, and 4 apart" in text, text


def a_terminal_without_utf8_is_told():
    status, found = doctor(width=lambda text: len(text.encode()))
    assert status == 1, found
    assert "Does it take UTF-8?" in found["width, accents in one character"][2]


def a_terminal_without_pastes_or_mouse_is_told():
    with Home() as home:
        config = home.write("mouse.conf", "[ui]\nmouse = on\n")
        status, found = doctor(home, {"FATHOM_CONFIG": config}, known=())
        assert status == 1, found
        assert found["bracketed paste"][0] == found["mouse"][0] == "warn"
        status, found = doctor(home, {"FATHOM_CONFIG": config})
        assert status == 0 and found["mouse"][1] == "on (ui.mouse)", found
        # many say nothing about modes
        status, found = doctor(
            home, answer=lambda self, question: b"" if question in self.known
            else self.honest(question))
        assert status == 0, found
        assert "does not say" in found["bracketed paste"][1], found


def keys_typed_meanwhile_are_no_answers():
    # F3 with Ctrl is written like a cursor in row 1
    keys = b"ls -l\r\x1b[1;5R\x1bOP\x1b[24~\x1b[[A\xe6\xbc\xa2\x1b[<0;3;4M\x1b"
    status, found = doctor(
        answer=lambda self, question: keys + self.honest(question) + keys)
    assert status == 0, found


# -- terminals that answer nonsense ----------------------------------------------

def one_that_says_nothing_takes_a_second():
    start = time.monotonic()
    status, found = doctor(answer=lambda self, question: b"")
    assert status == 1 and 0.9 < time.monotonic() - start < LIMIT / 2
    is_without_answer(found, "the terminal did not answer within a second")


def one_that_knows_no_cursor_is_not_waited_for():
    status, found = doctor(answer=lambda self, question: b"\x1b[0n"
                           if question == "ready" else b"")
    assert status == 1, found
    is_without_answer(found, "the terminal does not say where its cursor is")


def one_that_answers_too_often_or_too_rarely_is_not_believed():
    for times in (2, 20):
        status, found = doctor(answer=lambda self, question:
                               self.honest(question) * times)
        assert status == 1, (times, found)
        is_without_answer(found, r"the terminal answered \d+ times to \d+ "
                          "questions")
    status, found = doctor(answer=lambda self, question: b""
                           if question == "cursor" and self.asked % 2
                           else self.honest(question))
    assert status == 1, found
    is_without_answer(found, r"the terminal answered \d+ times to \d+ questions")


def one_whose_cursor_jumps_is_not_believed():
    status, found = doctor(
        answer=lambda self, question: b"\x1b[%d;7R" % (5 + self.asked)
        if question == "cursor" else self.honest(question))
    assert status == 1, found
    is_without_answer(found, "the terminal says that its cursor was in several"
                      " lines, where it was in one")


def absurd_numbers_are_none():
    for numbers in (b"0;0", b"5;0", b"5;99999999999999999999", b"-5;3", b"5",
                    b"5;3;1", b";", b"?5;3", b"5;3 ", b"\x1b5;3", b"5:3"):
        status, found = doctor(
            answer=lambda self, question: b"\x1b[" + numbers + b"R"
            if question == "cursor" else self.honest(question))
        assert status == 1, (numbers, found)
        is_without_answer(found, "the terminal does not say where its cursor is")


def garbage_does_no_harm():
    source = random.Random(7)
    alphabet = b"\x1b\x1b[[0123456789;;?$RnyRAm\x00\x07\x9b\xff "
    for _ in range(10):
        def answer(self, question):
            return (bytes(source.choices(alphabet, k=300))
                    .replace(b"\x03", b"") + self.honest(question))
        status, found = doctor(answer=answer)
        assert status in (0, 1) and found["terminal type"][0] == "ok", found


def a_flood_ends():
    class Flood(Answering):
        def take(self, piece):
            if piece["mode"] or piece[0] == b"\x1b[6n":
                os.set_blocking(self.master, False)
                try:
                    while True:
                        os.write(self.master, b"y" * 4096)
                except BlockingIOError:
                    pass

    with Home() as home, Flood([FATHOM, "doctor", "--term", "--json"],
                               home.environment()) as terminal:
        assert terminal.wait() == 1 and terminal.restored()


# -- the end ---------------------------------------------------------------------

def silent(home, **more):
    """A test that waits for a terminal that says nothing."""
    terminal = Answering([FATHOM, "doctor", "--term", "--json"],
                         home.environment(), answer=lambda *_: b"", **more)
    while not terminal.asked:
        terminal.read(0.1)
    assert not terminal.restored()
    return terminal


def signals_end_it_and_the_terminal_is_as_before():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        with Home() as home, silent(home) as terminal:
            start = time.monotonic()
            os.kill(terminal.pid, number)
            assert terminal.wait() == -number, (number, terminal.status)
            assert terminal.restored(), number
            assert time.monotonic() - start < LIMIT / 2


def control_c_ends_it():
    with Home() as home, silent(home) as terminal:
        terminal.send(b"\x03")
        assert terminal.wait() == -signal.SIGINT and terminal.restored()


def a_stop_gives_the_terminal_back_and_begins_anew():
    # only a job of a shell can be stopped
    script = f"{FATHOM} doctor --term --json; echo stopped; read line; fg"
    with Home() as home, Answering(["/bin/sh", "-mc", script],
                                   home.environment(),
                                   answer=lambda *_: b"") as terminal:
        while not terminal.asked:
            terminal.read(0.1)
        assert not terminal.restored()
        terminal.send(b"\x1a")
        terminal.expect("stopped")
        assert terminal.restored()
        terminal.answer = Answering.honest
        terminal.send(b"\r")
        assert terminal.wait() == 0 and terminal.restored()
        assert terminal.report()["ok"]


def a_crash_gives_the_terminal_back():
    with Home() as home, silent(home) as terminal:
        os.kill(terminal.pid, signal.SIGABRT)
        terminal.wait()
        assert terminal.restored()


# -- surroundings ----------------------------------------------------------------

def without_a_terminal_there_is_one_sentence():
    with Home() as home:
        for arguments in ((), ("--json",)):
            result = run(home, "doctor", "--term", *arguments)
            assert (result.status, result.out) == (69, b""), result
            assert "no terminal" in one_sentence(result.err), result


def the_object_can_go_into_a_file():
    ours, theirs = pty.openpty()
    with Home() as home:
        done = subprocess.run([FATHOM, "doctor", "--term", "--json"],
                              stdin=theirs, capture_output=True, timeout=LIMIT,
                              env=home.environment(), preexec_fn=os.setsid)
    os.close(ours)
    os.close(theirs)
    found = {one["check"]: one["text"]
             for one in json.loads(done.stdout)["checks"]}
    # it is not the terminal that controls it
    assert found["width"] == "the terminal belongs to another program now"
    assert "no terminal" not in found["face"], found
    assert (done.returncode, done.stderr) == (1, b""), done


def a_dumb_terminal_is_asked_nothing():
    for term in ("dumb", ""):
        with Home() as home, Answering([FATHOM, "doctor", "--term"],
                                       home.environment(TERM=term)) as terminal:
            assert terminal.wait() == 1
            assert b"\x1b" not in terminal.seen, terminal.seen
            assert "not asked" in terminal.text(), terminal.text()


def an_unknown_type_is_told():
    status, found = doctor(environment={"TERM": "n\x1b[31mo"})
    assert status == 1 and found["terminal type"][0] == "warn", found
    assert "\x1b" not in found["terminal type"][1], found


def what_the_environment_says_is_told():
    for environment, check, state, words in (
            ({"NO_COLOR": "1"}, "colours", "ok", "NO_COLOR"),
            ({"TERM": "vt100"}, "colours", "ok", "none"),
            ({"TERM": "xterm-256color"}, "colours", "ok", "256"),
            ({"ACCESSIBLE": "1"}, "face", "ok", "ACCESSIBLE is set"),
            ({"TERM": "linux"}, "clipboard", "ok", "nothing is sent"),
            ({"TERM": "tmux"}, "clipboard", "ok", "through tmux"),
            ({"LANG": "C"}, "locale", "warn", "ASCII")):
        _, found = doctor(environment=environment)
        assert found[check][0] == state and words in found[check][1], (
            environment, found[check])


def in_ascii_only_ascii_is_asked():
    _, found = doctor(environment={"LANG": "C"},
                      width=lambda text: len(text.encode()))
    assert found["width, ASCII"][0] == "ok", found
    assert "width, Chinese" not in found, found


def a_small_terminal_is_told():
    status, found = doctor(columns=50, lines=10)
    assert status == 1 and found["size"][:2] == (
        "warn", "50x10, and the screen takes 60x16"), found
    assert "plain lines: the terminal has 50x10" in found["face"][1], found


def settings_decide_and_must_be_right():
    with Home() as home:
        config = home.write("plain.conf", "[ui]\nface = plain\n"
                            "clipboard = off\n")
        status, found = doctor(home, {"FATHOM_CONFIG": config})
        assert status == 0 and "ui.face = plain" in found["face"][1], found
        assert found["clipboard"][1] == "off (ui.clipboard)", found
        wrong = home.write("wrong.conf", "[ui]\nface = round\n")
        result = run(home, "doctor", "--term",
                     environment={"FATHOM_CONFIG": wrong})
        assert (result.status, result.out) == (78, b""), result
        assert "wrong.conf line 2" in one_sentence(result.err), result


def one_report_at_a_time():
    with Home() as home:
        for other in ("--config", "--prove-offline"):
            result = run(home, "doctor", "--term", other)
            assert result.status == 64, result
            assert "exclude each other" in one_sentence(result.err), result


if NO_CHAT:
    print(f"1..0 # SKIP {NO_CHAT}")
else:
    engine_client.run([
        a_terminal_that_counts_as_fathom_does_is_well,
        people_read_lines,
        ambiguous_characters_that_are_wide_want_a_setting,
        wide_letters_beside_narrow_lines_have_no_setting,
        emoji_that_are_narrow_are_told,
        joined_emoji_are_no_fault,
        a_terminal_without_utf8_is_told,
        a_terminal_without_pastes_or_mouse_is_told,
        keys_typed_meanwhile_are_no_answers,
        one_that_says_nothing_takes_a_second,
        one_that_knows_no_cursor_is_not_waited_for,
        one_that_answers_too_often_or_too_rarely_is_not_believed,
        one_whose_cursor_jumps_is_not_believed,
        absurd_numbers_are_none,
        garbage_does_no_harm,
        a_flood_ends,
        signals_end_it_and_the_terminal_is_as_before,
        control_c_ends_it,
        a_stop_gives_the_terminal_back_and_begins_anew,
        a_crash_gives_the_terminal_back,
        without_a_terminal_there_is_one_sentence,
        the_object_can_go_into_a_file,
        a_dumb_terminal_is_asked_nothing,
        an_unknown_type_is_told,
        what_the_environment_says_is_told,
        in_ascii_only_ascii_is_asked,
        a_small_terminal_is_told,
        settings_decide_and_must_be_right,
        one_report_at_a_time,
    ])
