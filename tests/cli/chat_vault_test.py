"""fathom chat with a vault, on a pseudo-terminal, with the replay engine."""
import glob
import json
import os
import re
import signal
import time

import engine_client
from program import FATHOM, PASSPHRASE, Home, run
from terminal import LIMIT, Terminal

SAID = "".join(f"want GENERATE\nsay {word}.\ndone\n"
               for word in ("First", "Second", "Third", "Fourth", "Fifth"))
# an answer that takes some three seconds
SLOW = ("want GENERATE\nthink Hm.\nsay Begun\n"
        + "sleep 300\nsay , more\n" * 9 + "say , ended.\ndone\n")
ASKED = "passphrase (Enter alone: a chat that is not kept): "


class Chat(Terminal):
    """A chat in a home that outlives it; typed until its first prompt."""

    def __init__(self, home, script=SAID, *arguments, until="you> ",
                 passphrase=PASSPHRASE, environment=None):
        self.home = home
        script = f"record {home.file('requests')}\n{script}drain\n"
        env = home.environment(script, **(environment or {}))
        super().__init__([FATHOM, "chat", "--plain", *arguments], env)
        self.greeting = ""
        if passphrase is not None:
            self.expect(ASKED)
            self.send(passphrase + "\r")
        if until is not None:
            self.greeting = self.expect(until)

    def line(self, text, until="you> "):
        self.send(text + "\r")
        self.expect(text[:1])
        return self.expect(until)

    def resumed(self):
        """What is shown of a chat that is gone on with, up to the prompt."""
        return (self.expect("it ends with:]\n") + self.expect("you> ")
                + self.expect("you> "))

    def leave(self):
        self.send("\x04")
        assert self.wait() == 0, self.text()


def resume(home, script=SAID, passphrase=PASSPHRASE):
    """A chat that goes on with the newest one; .greeting has all."""
    chat = Chat(home, script, "--resume", until=None, passphrase=passphrase)
    chat.greeting = chat.resumed()
    return chat


def last_question(home):
    """The last GENERATE, as text."""
    return [line for line in home.read("requests").decode().splitlines()
            if line.startswith("GENERATE")][-1]


def joined(text):
    """Without the line breaks of wrapping."""
    return " ".join(text.split())


class Vault(Home):
    """A home with an empty vault."""

    def __enter__(self):
        super().__enter__()
        self.make_vault()
        return self


def sealed(home):
    return glob.glob(home.file("data/fathom/inbox/*"))


def await_sealed(home, chat):
    end = time.monotonic() + LIMIT
    while not sealed(home) and time.monotonic() < end:
        chat.quiet(0.1)
    return sealed(home)


# -- the first start -----------------------------------------------------------


def the_first_start_with_a_passphrase_makes_a_vault_that_opens_again():
    with Home() as home:
        with Chat(home, passphrase=None, until="no history: ") as chat:
            assert "encrypted on this machine" in joined(chat.text())
            chat.send("p\r")
            for prompt, keys in (("a new passphrase: ", "short"),
                                 ("at least 8 characters", None),
                                 ("a new passphrase: ", "long enough"),
                                 ("the same again: ", "not the same"),
                                 ("these were not the same", None),
                                 ("a new passphrase: ", "long enough"),
                                 ("the same again: ", "long enough")):
                chat.expect(prompt)
                if keys:
                    chat.send(keys + "\r")
            assert "vault:open" in chat.expect("you> ")
            chat.line("Remember the canary.")
            chat.leave()
            assert "long enough" not in chat.text()
        assert os.path.exists(home.file("data/fathom/vault.db"))
        with resume(home, passphrase="long enough") as chat:
            assert "Remember the canary." in chat.greeting, chat.greeting


def the_first_start_with_a_generated_passphrase_wants_it_typed():
    with Home() as home:
        with Chat(home, passphrase=None, until="no history: ") as chat:
            chat.send("g\r")
            shown = chat.expect("the passphrase: ")
            words = re.search(r"^    ([a-z]+(?:-[a-z]+){5})$", shown,
                              re.M)[1]
            chat.send("not this\r")
            chat.expect("this is not what stands above")
            chat.expect("the passphrase: ")
            chat.send(words + "\r")
            assert "vault:open" in chat.expect("you> ")
            chat.leave()


def no_history_is_remembered_and_nothing_else_is_written():
    with Home() as home:
        with Chat(home, passphrase=None, until="no history: ") as chat:
            chat.send("x\r")
            chat.expect("one of the letters in brackets")
            chat.expect("no history: ")
            chat.send("n\r")
            text = joined(chat.expect("you> "))
            assert "vault:eph" in text and "vault init" in text, text
            chat.line("A canary question.")
            assert "no vault is open" in joined(chat.line("/history"))
            chat.leave()
        assert set(home.files()) == {"script", "requests",
                                     "state/fathom/no-history"}
        assert home.read("state/fathom/no-history") == b""
        with Chat(home, passphrase=None) as chat:
            assert "no history: " not in chat.greeting


def a_choice_that_is_not_made_is_asked_for_again():
    with Home() as home:
        for _ in range(2):
            with Chat(home, passphrase=None, until="no history: ") as chat:
                chat.send("\x03")
                assert "vault:eph" in chat.expect("you> ")
                chat.leave()
        assert set(home.files()) == {"script", "requests"}


# -- opening -------------------------------------------------------------------


def a_wrong_passphrase_is_told_three_times_and_ends_with_77():
    with Vault() as home:
        with Chat(home, passphrase="wrong one", until=ASKED) as chat:
            for _ in range(2):
                chat.send("wrong again\r")
            assert chat.wait() == 77
            text = joined(chat.text())
            assert text.count("the vault does not open with this") == 3, text


def failed_tries_are_told_at_the_next_unlock():
    with Vault() as home:
        with Chat(home, passphrase="wrong one", until=ASKED) as chat:
            chat.send(PASSPHRASE + "\r")
            chat.expect("you> ")
            chat.send("/log\r")
            chat.expect(" warn a try to unlock the vault failed\n")
            chat.leave()
        with Chat(home, passphrase="wrong one", until=ASKED) as chat:
            chat.send("wrong\r")
            chat.expect(ASKED)
            chat.send("\r")
            chat.expect("you> ")
            chat.leave()
        with Chat(home) as chat:
            assert "2 failed tries" in joined(chat.greeting), chat.greeting
            chat.leave()
        with Chat(home) as chat:
            assert "failed tr" not in chat.greeting, chat.greeting


def nothing_of_readline_that_writes_files_is_linked():
    import subprocess
    symbols = subprocess.run(["nm", "-D", "--undefined-only", FATHOM],
                             capture_output=True, text=True, check=True).stdout
    assert "rl_callback_read_char" in symbols
    for name in ("read_history", "read_history_range", "write_history",
                 "append_history", "history_truncate_file"):
        assert not re.search(rf"\b{name}\b", symbols), name


def enter_alone_is_an_ephemeral_chat_that_writes_nothing():
    with Vault() as home:
        before = home.files()
        for keys in ("\r", "\x04", "\x03"):
            with Chat(home, passphrase=None, until=ASKED) as chat:
                chat.send(keys)
                assert "vault:eph" in chat.expect("you> ")
                chat.line("A canary question.")
                chat.leave()
        with Chat(home, SAID, "--ephemeral", passphrase=None) as chat:
            assert "vault:eph" in chat.greeting
            assert ASKED not in chat.greeting
            chat.line("A canary question.")
            chat.leave()
        after = home.files()
        assert {name: size for name, size in after.items()
                if name not in ("script", "requests")} == before, after


def a_passphrase_is_edited_without_echo():
    with Vault() as home:
        typed = "zzz\x15thrée\x7f\x7f\x7free green bottlesé\x7f"
        with Chat(home, passphrase=typed) as chat:
            assert "vault:open" in chat.greeting
            assert "green" not in chat.text() and "zzz" not in chat.text()


def the_model_loads_behind_the_passphrase():
    script = "want OPEN\n" + 'send DONE {"engine":"e","model":{"name":"m",' \
        '"file":"f","architecture":"a","family":"f","thinks":true,' \
        '"has_switch":true},"context":100,"read_ms":0,"tokenizer_ms":0}\n'
    with Vault() as home:
        with Chat(home, script + SAID, passphrase=None, until=ASKED) as chat:
            for _ in range(100):
                if ("requests" in home.files()
                        and b"OPEN" in home.read("requests")):
                    break
                time.sleep(0.05)
            assert "OPEN" in home.read("requests").decode()
            chat.send(PASSPHRASE + "\r")
            chat.expect("you> ")
            assert "fathom> First." in chat.line("hello")


def a_second_terminal_is_told_who_has_the_vault():
    with Vault() as home:
        with Chat(home) as first:
            with Chat(home, until="[q] quit: ") as second:
                assert str(first.pid) in second.text(), second.text()
                second.send("q\r")
                assert second.wait() == 75
            with Chat(home, until="[q] quit: ") as second:
                second.send("e\r")
                assert "vault:eph" in second.expect("you> ")
            with Chat(home, until="[q] quit: ") as second:
                second.send("s\r")
                assert "answers are sealed" in joined(second.expect("you> "))
                second.line("Asked in the second terminal")
                second.leave()
            assert len(sealed(home)) == 1
            first.leave()
        with Chat(home) as chat:
            assert "1 sealed answer was taken in" in joined(chat.greeting)
            assert "Asked in the second" in chat.line("/history")
            chat.send("/resume\r")
            assert "arrived while the vault" in joined(chat.resumed())
        assert not sealed(home)


# -- what is kept --------------------------------------------------------------


def a_chat_is_saved_searched_and_resumed():
    with Vault() as home:
        with Chat(home, SAID, "-sBe brief.") as chat:
            chat.line("What is a rainbow?")
            chat.line("And at night?")
            chat.line("/title Colours of the sky")
            assert "a new conversation" in chat.line("/new")
            chat.line("Something else")
            chat.leave()
        with resume(home) as chat:
            assert "Something else" in chat.greeting
            # a line of 80 columns, with brackets
            assert (
                "[net:off vault:open; 2 chats are kept, /history lists them, "
                "/resume goes on]" in joined(chat.greeting)
            )
            text = chat.line("/history")
            assert text.index("Something else") < text.index("Colours"), text
            assert "0 hits" in chat.line("/search RAINBOW")
            assert "0 hits" in chat.line("/search role:fathom rainbow")
            assert "1 hit in 1 chat" in chat.line("/search title:colours")
            assert "takes a day" in chat.line("/search rainbow after:never")
            text = chat.line("/search rainbow before:2100-01-01")
            assert "Colours of the sky" in text and "[rainbow]" in text, text
            assert "1 hit in 1 chat" in text, text
            name = re.search(r"^(\w{8})  .*Colours", text, re.M)[1]
            chat.send(f"/resume {name}\r")
            text = chat.resumed()
            assert "And at night?" in text and "fathom> Second." in text, text
            assert "0 hits" in chat.line("/search nowhere")
            chat.line("more")
            request = last_question(home)
            for part in ("Be brief.", "rainbow", "First.", "night", "Second."):
                assert part in request, request
            assert "no such chat" not in text
            assert "/resume" not in chat.line("/resume nothing-like-it")


def branches_are_kept_and_so_is_the_one_in_use():
    with Vault() as home:
        with Chat(home) as chat:
            chat.line("one")
            chat.line("two")
            chat.line("/edit", "edit> two")
            chat.send(" more\r")
            chat.expect("fathom> Third.")
            chat.expect("you> ")
            tree = chat.line("/tree")
            chat.line("/branch 2")
            chat.leave()
        with resume(home) as chat:
            assert "fathom> Second." in chat.greeting, chat.greeting
            again = chat.line("/tree")
            assert tree.replace("*", " ") == again.replace("*", " "), again
            assert "*   2  two" in again, again


def undo_and_system_text_are_kept():
    with Vault() as home:
        with Chat(home) as chat:
            chat.line("one")
            chat.line("two")
            chat.line("/undo")
            chat.line("/system Be kind.")
            chat.leave()
        with resume(home) as chat:
            assert "fathom> First." in chat.greeting, chat.greeting
            assert "Be kind." in chat.line("/system")


def a_kill_in_the_middle_of_an_answer_loses_two_seconds_at_most():
    words = "".join(f"sleep 250\nsay w{i}\n" for i in range(40))
    with Vault() as home:
        with Chat(home, f"want GENERATE\nsay begun\n{words}done\n") as chat:
            chat.send("long\r")
            chat.expect("w15")
            os.kill(chat.pid, signal.SIGKILL)
            chat.wait()
        with resume(home) as chat:
            text = joined(chat.greeting)
            last = max(int(n) for n in re.findall(r"w(\d+)", text))
            # eight words are two seconds
            assert 15 - 9 <= last <= 17, text
            assert "incomplete" in text and "long" in text, text


def a_question_is_kept_when_it_is_asked():
    with Vault() as home:
        with Chat(home, "want GENERATE\nwant CANCEL\n") as chat:
            chat.send("Asked and lost\r")
            chat.quiet(0.5)
            os.kill(chat.pid, signal.SIGKILL)
            chat.wait()
        with resume(home) as chat:
            assert "Asked and lost" in chat.greeting, chat.greeting
            assert "fathom> First." in chat.line("/retry")


def typed_lines_are_found_again_but_not_those_that_begin_with_a_blank():
    with Vault() as home:
        with Chat(home) as chat:
            chat.line("a line to find")
            chat.send(" a canary line\r")
            chat.expect("fathom> Second.")
            chat.expect("you> ")
            chat.leave()
        with Chat(home) as chat:
            chat.send("\x10")
            chat.expect("a line to find")
            chat.send("\x10\x10\x10")
            assert "canary" not in chat.quiet(0.3)


def history_size_of_inputrc_is_kept_to():
    with Vault() as home:
        rc = home.write("inputrc", "set history-size 2\n")
        with Chat(home, environment={"INPUTRC": rc}) as chat:
            for word in ("one", "two", "three"):
                chat.line(word)
            chat.leave()
        with Chat(home, environment={"INPUTRC": rc}) as chat:
            chat.send("\x10\x10\x10\x10\r")
            chat.expect("fathom> First.")
            assert '"two"' in home.read("requests").decode()


def forget_deletes_after_it_has_asked():
    with Vault() as home:
        with Chat(home) as chat:
            assert "nothing to forget" in chat.line("/forget")
            chat.line("to be forgotten")
            chat.line("/forget", "[y/N] ")
            chat.send("\r")
            assert "nothing was changed" in chat.expect("you> ")
            chat.line("/forget", "[y/N] ")
            chat.send("y\r")
            assert "deleted" in chat.expect("you> ")
            assert "no chat is kept" in chat.line("/history")
            assert "0 hits" in chat.line("/search forgotten")


def ephemeral_asks_what_becomes_of_what_is_there():
    for answer, kept in (("n", True), ("keep", True), ("", True),
                         ("y", False)):
        with Vault() as home:
            with Chat(home) as chat:
                chat.line("before")
                # to give up the question changes nothing
                chat.line("/ephemeral", "[y/N] ")
                chat.send("\x03")
                assert "vault:eph" not in chat.expect("you> ")
                chat.line("/ephemeral", "[y/N] ")
                chat.send(answer + "\r")
                assert "vault:eph" in chat.expect("you> ")
                chat.line("afterwards")
                assert "is written as it is" in joined(
                    chat.line("/ephemeral"))
                chat.leave()
            with Chat(home) as chat:
                text = chat.line("/history")
                assert ("before" in text) == kept, text
                assert "0 hits" in chat.line("/search afterwards")


def speeds_are_written_of_chats_that_are_kept_alone():
    """What commands of the chat write to the cache folder."""
    for commands, kept in ((("one",), True),
                           (("one", "/new", "two"), True),
                           (("one", "/ephemeral", "two"), False),
                           (("one", "/ephemeral", "two", "/new", "three",
                             "/model fathom-mini", "four"), False),
                           (("one", "/forget"), False),
                           (("one", "/forget", "two"), True)):
        with Vault() as home:
            with Chat(home, SAID + "drain\n") as chat:
                for line in commands:
                    if line in ("/ephemeral", "/forget"):
                        chat.line(line, "[y/N] ")
                        chat.send("n\r" if line == "/ephemeral" else "y\r")
                        chat.expect("you> ")
                    else:
                        chat.line(line)
                chat.leave()
            speeds = [name for name in home.files() if "speeds" in name]
            assert len(speeds) == kept, (commands, speeds)


def a_full_disk_is_told_once_and_nothing_is_lost():
    with Vault() as home:
        with Chat(home) as chat:
            chat.line("one")
            # what grows the file fails from now on, as on a full disk
            run_prlimit(chat.pid, 1)
            text = joined(chat.line("two"))
            assert text.count("not kept:") == 1 and "Second." in text, text
            assert "not kept:" not in chat.line("three")
            run_prlimit(chat.pid, -1)
            text = joined(chat.line("four"))
            assert "everything is kept again" in text, text
            chat.leave()
        with resume(home) as chat:
            for word in ("one", "two", "three", "four"):
                assert f"  {word}\n" in chat.line("/tree"), word


def run_prlimit(pid, size):
    """Bounds how large a file may become (-1: not)."""
    import resource
    resource.prlimit(pid, resource.RLIMIT_FSIZE,
                     (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


# -- locking -------------------------------------------------------------------

LOCKED = "vault:locked; the passphrase unlocks, ^D leaves]\npassphrase: "


def a_lock_wipes_the_screen_and_comes_back():
    with Vault() as home:
        with Chat(home) as chat:
            chat.line("one")
            chat.line("/temp 0.25")
            chat.send("/lock\r")
            chat.expect(LOCKED)
            assert b"\x1b[H\x1b[2J\x1b[3J" in chat.seen
            chat.send("wrong\r")
            chat.expect("does not open with this")
            chat.expect("passphrase: ")
            chat.send(PASSPHRASE + "\r")
            text = chat.expect("you> ")
            assert "vault:open" in text, text
            # "you> one" is shown, and the prompt comes after it
            assert "fathom> First." in chat.expect("you> ")
            assert "temperature 0.25" in chat.line("/temp")
            chat.line("two")
            assert '"First."' in home.read("requests").decode()
            chat.leave()


def a_half_typed_line_survives_a_lock():
    with Vault() as home:
        with Chat(home) as chat:
            chat.send("half of a thou")
            chat.expect("half of a thou")
            os.kill(chat.pid, signal.SIGUSR1)
            chat.expect(LOCKED)
            chat.send(PASSPHRASE + "\r")
            assert "^P brings back" in chat.expect("you> ")
            chat.send("\x10ght\r")
            chat.expect("fathom> First.")
            assert "half of a thought" in last_question(home)
            chat.expect("you> ")
            chat.send("/lock\r")
            chat.expect(LOCKED)
            chat.send(PASSPHRASE + "\r")
            assert "^P" not in chat.expect("you> ")


def lock_and_unlock(chat):
    """What is said when the vault is open again."""
    os.kill(chat.pid, signal.SIGUSR1)
    chat.expect(LOCKED)
    chat.send(PASSPHRASE + "\r")
    return chat.expect("you> ")


def a_model_of_any_name_survives_a_lock():
    with Vault() as home:
        model = home.write(os.fsdecode(b"m\xe9.gguf"), "")
        with Chat(home, SAID, "-m", model) as chat:
            assert "vault:open" in lock_and_unlock(chat)
            assert "gguf" in chat.line("/model")
            assert "fathom> First." in chat.line("one")
            chat.leave()


def settings_and_presets_survive_a_lock():
    with Vault() as home:
        conf = home.write("fathom.conf", """[ui]
lock_after = 2h
[thinking]
budget = 9
[preset.tight]
system = Be brief.
top_p = 0.5
max_tokens = 77
""")
        with Chat(home, SAID, "--lock-after=3h",
                  environment={"FATHOM_CONFIG": conf}) as chat:
            chat.line("/set thinking.loop_break force")
            assert "preset tight" in chat.line("/preset tight")
            lock_and_unlock(chat)
            assert "force" in chat.line("/set thinking.loop_break")
            assert "* tight" in chat.line("/preset")
            chat.line("one")
            asked = last_question(home)
            assert '"top_p":0.5' in asked and '"max_tokens":77' in asked, asked
            # nobody else has the system text: the chat was not begun
            assert "Be brief." in asked, asked
            chat.line("/preset none")
            lock_and_unlock(chat)
            chat.expect("you> ")
            chat.line("two")
            assert "top_p\":0.5" not in last_question(home)
            chat.leave()
        # what was said for this chat alone goes before the file, still
        with Chat(home, SAID, environment={"FATHOM_CONFIG": conf}) as chat:
            chat.line("/set ui.lock_after 1s")
            os.kill(chat.pid, signal.SIGUSR1)
            chat.expect(LOCKED)
            chat.send(PASSPHRASE + "\r")
            chat.expect("you> ")
            chat.expect(LOCKED)


def what_waits_is_found_again_after_a_lock():
    with Vault() as home:
        document = home.write("document", "Its text.")
        with Chat(home) as chat:
            chat.line(f"/attach {document}")
            text = joined(lock_and_unlock(chat))
            assert "dropped 1 document of your next message" in text, text
            assert "nothing goes" in chat.line("/attach")
            lock_and_unlock(chat)
            assert "dropped" not in joined(chat.text()).split("nothing goes")[1]
            chat.leave()


def a_message_that_is_edited_or_pasted_survives_a_lock():
    with Vault() as home:
        with Chat(home) as chat:
            chat.line("one")
            chat.send("/edit 1\r")
            chat.expect("edit> one")
            chat.send(" and a careful rewording")
            chat.expect("rewording")
            assert "^P brings back" in lock_and_unlock(chat)
            chat.expect("you> ")
            chat.send("\x10\r")
            chat.expect("fathom> Second.")
            assert "one and a careful rewording" in last_question(home)
            chat.expect("you> ")
            chat.send("/paste\r")
            chat.expect("paste> ")
            chat.send("line one\r")
            chat.expect("paste> ")
            chat.send("half of line two")
            chat.expect("line two")
            assert "^P brings back" in lock_and_unlock(chat)
            chat.expect("you> ")
            chat.send("\x10\r")
            chat.expect("fathom> Third.")
            asked = last_question(home)
            assert "line one\\nhalf of line two" in asked, asked
            chat.leave()


def a_signal_and_idleness_lock_too():
    with Vault() as home:
        with Chat(home) as chat:
            os.kill(chat.pid, signal.SIGUSR1)
            chat.expect(LOCKED)
            chat.send(PASSPHRASE + "\r")
            chat.expect("you> ")
        with Chat(home, SAID, "--lock-after=700ms") as chat:
            chat.line("one")
            chat.expect(LOCKED)
            chat.send("\x03")
            chat.expect("passphrase: ")
            chat.send("\x04")
            assert chat.wait() == 0


def idle_in_the_editor(lines, lock_after, *, locked):
    """What is in the editor survives; it locks where nobody typed."""
    with Vault() as home:
        editor = home.write("editor", "#!/bin/sh\n" + lines
                            + 'echo "out of the editor" >"$1"; '
                            + f"touch {home.file('ended')}\n")
        os.chmod(editor, 0o700)
        with Chat(home, SAID, "--lock-after", f"{lock_after}s",
                  environment={"VISUAL": editor}) as chat:
            chat.send("half a line\x18\x05")
            if locked:
                chat.expect(LOCKED)
                # not so long after it as if a key had ended it
                since = time.time() - os.path.getmtime(home.file("ended"))
                assert since < lock_after - 0.5, since
                chat.send(PASSPHRASE + "\r")
                chat.expect("^P brings back what was being typed")
                chat.expect("you> ")
                chat.send("\x10")
            chat.expect("out of the editor")
            chat.send("\r")
            assert "locked" not in chat.expect("First.")


def an_editor_that_nobody_types_in_is_followed_by_a_lock():
    idle_in_the_editor("sleep 3.5\n", 3, locked=True)


def keys_in_the_editor_are_keys():
    # what is read from a terminal sets the time at which it was
    idle_in_the_editor("for i in 1 2 3 4 5 6 7 8; do sleep 0.3; touch -a "
                       '"$(tty)"; done\n', 1, locked=False)


def assert_one_branch(chat):
    """Beginning and rest are one answer, which the user asked for once."""
    text = chat.line("/tree")
    assert "*   1  slow\n" in text and "again" not in text, text


def locked_while_generating_the_answer_is_sealed_and_put_together():
    with Vault() as home:
        with Chat(home, SLOW + SAID) as chat:
            chat.send("slow\r")
            chat.expect("Begun")
            chat.expect(", more")
            os.kill(chat.pid, signal.SIGUSR1)
            chat.expect(LOCKED)
            assert len(await_sealed(home, chat)) == 1, "nothing was sealed"
            chat.send(PASSPHRASE + "\r")
            chat.expect("you> slow")
            text = "".join(chat.expect("you> ").split())
            whole = "Begun" + ",more" * 9 + ",ended."
            assert f"fathom>{whole}" in text, text
            assert not sealed(home)
            text = chat.line("/history")
            assert text.count("\n") == 3, text
            assert_one_branch(chat)
            assert "fathom> First." in chat.line("next")
            assert whole in "".join(
                last_question(home).split())


def unlocked_while_generating_the_answer_goes_on():
    with Vault() as home:
        with Chat(home, SLOW + SAID) as chat:
            chat.send("slow\r")
            chat.expect("Begun")
            os.kill(chat.pid, signal.SIGUSR1)
            chat.expect(LOCKED)
            chat.send(PASSPHRASE + "\r")
            chat.expect("you> slow")
            chat.expect(", ended.")
            chat.expect("you> ")
            assert_one_branch(chat)
            chat.line("next")
            request = "".join(
                last_question(home).split())
            assert "Begun" + ",more" * 9 + ",ended." in request, request
            assert not sealed(home)


def an_answer_that_another_program_took_in_is_put_together():
    with Vault() as home:
        with Chat(home, SLOW) as chat:
            chat.send("slow\r")
            chat.expect(", more")
            os.kill(chat.pid, signal.SIGUSR1)
            chat.expect(LOCKED)
            assert await_sealed(home, chat), "nothing was sealed"
            result = run(home, "history", "list", "--passphrase-fd=0",
                         stdin=f"{PASSPHRASE}\n".encode())
            assert result.status == 0 and not sealed(home), result
            chat.send(PASSPHRASE + "\r")
            assert "taken in" not in chat.expect("you> slow")
            assert ", ended." in joined(chat.expect("you> "))
            assert_one_branch(chat)


def killed_after_the_lock_what_came_is_one_answer():
    with Vault() as home:
        with Chat(home, SLOW) as chat:
            chat.send("slow\r")
            chat.expect("Begun")
            chat.expect(", more")
            os.kill(chat.pid, signal.SIGUSR1)
            chat.expect(LOCKED)
            chat.send(PASSPHRASE + "\r")
            chat.expect("you> slow")
            chat.expect(", more")
            os.kill(chat.pid, signal.SIGKILL)
            chat.wait()
        with resume(home) as chat:
            assert "Begun, more" in joined(chat.greeting), chat.greeting
            text = chat.line("/tree")
            assert "*   1  slow (incomplete)\n" in text, text
            assert "again" not in text, text


def killed_while_locked_the_beginning_and_what_was_sealed_are_there():
    with Vault() as home:
        with Chat(home, SLOW) as chat:
            chat.send("slow\r")
            chat.expect(", more")
            os.kill(chat.pid, signal.SIGUSR1)
            chat.expect(LOCKED)
            assert await_sealed(home, chat), "nothing was sealed"
            os.kill(chat.pid, signal.SIGKILL)
            chat.wait()
        with Chat(home) as chat:
            assert "1 sealed answer" in joined(chat.greeting)
            text = chat.line("/search ended")
            assert "the rest of an answer" in text, text
            name = re.search(r"^(\w{8})  .*  slow$", chat.line("/history"),
                             re.M)[1]
            chat.send(f"/resume {name}\r")
            assert "Begun" in chat.resumed()


def vault_lock_reaches_an_open_chat():
    with Vault() as home:
        with Chat(home) as chat:
            result = run(home, "vault", "lock")
            assert result.status == 0, result
            chat.expect(LOCKED)


def a_lock_during_a_search_is_not_lost():
    with Vault() as home:
        with Chat(home) as chat:
            chat.line("one")
            chat.send("/search one\r")
            os.kill(chat.pid, signal.SIGUSR1)
            chat.expect(LOCKED)


def resident(pid):
    """kB of a process that are in memory."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file
                    if line.startswith("VmRSS"))


def a_lock_during_the_derivation_comes_after_it():
    with Vault() as home:
        with Chat(home, passphrase=None, until=ASKED) as chat:
            before = resident(chat.pid)
            chat.send(PASSPHRASE + "\r")
            for _ in range(20000):  # until the derivation has its memory
                if resident(chat.pid) > before + 20000:
                    break
            os.kill(chat.pid, signal.SIGUSR1)
            chat.expect(LOCKED)
            chat.send(PASSPHRASE + "\r")
            assert "vault:open" in chat.expect("you> ")


def ctrl_c_gives_a_derivation_up():
    with Home() as home:
        # some seconds, of which none is waited for
        home.make_vault("16", "262144")
        with Chat(home, until=None) as chat:
            for _ in range(200000):
                if resident(chat.pid) > 100000:
                    break
            chat.send("\x03")
            assert "vault:eph" in chat.expect("you> ")
            chat.line("Go on.", until="First.")
            chat.expect("you> ")
            chat.leave()
        assert not os.path.exists(home.file("state/fathom/kdf-time"))
        assert not os.path.exists(home.file("state/fathom/tries"))


def kept_chats_are_renamed_pinned_and_deleted():
    with Vault() as home:
        with Chat(home) as chat:
            chat.line("about whales")
            chat.line("/new")
            chat.line("about birds")
            text = chat.line("/history")
            ids = re.findall(r"^(\w{8})  ", text, re.M)
            birds, whales = ids
            chat.line(f"/history title {whales} The largest")
            chat.line(f"/history pin {whales}")
            chat.line(f"/history title {birds} Wings")
            chat.line(f"/history pin {birds}")
            text = chat.line("/history")
            assert re.search(rf"^{whales}  .*   1p The largest$", text, re.M)
            assert re.search(rf"^{birds}  .*   1p Wings$", text, re.M), text
            assert '"Wings"' in chat.line("/title")
            chat.line(f"/history unpin {birds}")
            assert "/forget deletes it" in chat.line(f"/history delete {birds}")
            chat.line(f"/history delete {whales}", "[y/N] ")
            chat.send("\r")
            chat.expect("nothing was deleted")
            chat.expect("you> ")
            chat.line(f"/history delete {whales}", '"The largest"? [y/N] ')
            chat.send("y\r")
            chat.expect("[deleted]")
            chat.expect("you> ")
            text = chat.line("/history")
            assert re.search(rf"^{birds}  .*   1  Wings$", text, re.M), text
            assert whales not in text, text
            for line in ("/history title", f"/history title {birds}",
                         "/history pin", f"/history pin {birds} x"):
                assert "istory" in chat.line(line), line
            assert "no chat" in chat.line("/history pin 99999999")


def kept_chats_are_exported_without_opening_them():
    with Vault() as home:
        with Chat(home) as chat:
            chat.line("about whales")
            chat.line("/new")
            chat.line("about birds")
            birds, whales = re.findall(r"^(\w{8})  ", chat.line("/history"),
                                       re.M)
            chat.line(f"/history export {whales} ~/whales.json")
            chat.line(f"/history export {birds} md ~/birds")
            with open(home.file("whales.json")) as file:
                exported = json.load(file)["chats"]
            assert [c["title"] for c in exported] == ["about whales"], exported
            assert os.stat(home.file("whales.json")).st_mode & 0o777 == 0o600
            with open(home.file("birds")) as file:
                text = file.read()
            assert "about birds" in text and "whales" not in text, text
            assert "about birds" in chat.line("/title")
            chat.line(f"/history export {whales} ~/birds.md")
            for line in (f"/history export {whales} ~/whales",
                         f"/history export {whales}"):
                assert "ends with .md, .json or .html" in chat.line(line), line
            assert "istory" in chat.line("/history export")
            assert "no chat" in chat.line("/history export 99999999 ~/x.md")
            assert not os.path.exists(home.file("x.md"))


def chats_are_tagged_and_found_by_their_tags():
    with Vault() as home:
        with Chat(home) as chat:
            assert "it has no tags" in chat.line("/tag")
            # before there is anything to keep
            assert "its tags: sea big" in chat.line("/tag sea big")
            chat.line("about whales")
            chat.line("/new")
            assert "it has no tags" in chat.line("/tag")
            chat.line("about birds")
            birds, whales = re.findall(r"^(\w{8})  ", chat.line("/history"),
                                       re.M)
            assert "its tags: air" in chat.line(f"/history tag {birds} air")
            assert "its tags: air" in chat.line("/tag")
            assert "its tags: sea" in chat.line(f"/history tag {whales} -big")
            text = chat.line("/history")
            assert re.search(r"about whales  \[sea\]$", text, re.M), text
            assert re.search(r"about birds  \[air\]$", text, re.M), text
            text = chat.line("/search tag:SEA")
            assert "about whales" in text and "about birds" not in text, text
            assert "0 hits" in chat.line("/search tag:se")
            assert "a,b is no tag" in chat.line("/tag b a,b")
            assert "c is no tag of this chat" in chat.line("/tag -c")
            assert "its tags: air" in chat.line("/tag")
            chat.line("/export json ~/birds.json")
            with open(home.file("birds.json")) as file:
                assert json.load(file)["chats"][0]["tags"] == ["air"]
            chat.leave()
        with resume(home) as chat:
            assert "its tags: air" in chat.line("/tag")
            assert "it has no tags" in chat.line("/tag -air")
            assert "0 hits" in chat.line("/search tag:air")


def documents_are_kept_with_their_question():
    with Vault() as home:
        with Chat(home) as chat:
            home.write("notes.txt", "the notes\n")
            chat.line("/attach ~/notes.txt")
            chat.line("What are these?")
            chat.leave()
        with resume(home) as chat:
            assert "[notes.txt, 10 B]\nWhat are these?" in chat.greeting, (
                chat.greeting)
            assert '"What are these?", 1 turn' in chat.greeting
            chat.line("And?")
            assert "the notes" in last_question(home)


def what_was_recorded_is_shown():
    with Vault() as home:
        with Chat(home) as chat:
            chat.line("hello")
            text = chat.line("/audit")
            assert re.search(r"^ *\d+  \d{4}-.*  unlock", text, re.M), text


def a_stopped_answer_goes_on_after_it_was_kept():
    script = ("want GENERATE\nsay So far\nwant CANCEL\n"
              "done {\"finish\":\"interrupted\"}\n")
    with Vault() as home:
        with Chat(home, script) as chat:
            chat.send("hello\r")
            chat.expect("So far")
            chat.send("\x03")
            chat.expect("you> ")
            chat.leave()
        with resume(home, "want GENERATE\nsay , so good.\ndone\n") as chat:
            assert "incomplete; /continue goes on" in chat.greeting
            chat.line("/continue")
            chat.leave()
        with resume(home) as chat:
            assert "fathom> So far, so good." in chat.greeting, chat.greeting


def keys_that_are_no_characters_are_no_part_of_a_passphrase():
    typed = ("\x1b[15~" + PASSPHRASE[:2] + "\x1bOP\x1b[[C\x1b[1;5D"
             + PASSPHRASE[2:])
    with Vault() as home:
        with Chat(home, passphrase=typed) as chat:
            chat.leave()


def f2_takes_a_key_file_and_f4_leaves_the_vault_alone():
    with Vault() as home:
        with open(home.file("key"), "wb") as file:
            file.write(bytes(range(64)))
        os.chmod(home.file("key"), 0o600)
        with Chat(home, until=ASKED, passphrase=None) as chat:
            chat.send("\x1bOQ")
            chat.expect("key file: ")
            chat.send(home.file("none") + "\r")
            chat.expect("none")
            chat.expect(ASKED)
            chat.send("\x1b[12~")
            chat.expect("key file: ")
            chat.send(home.file("key") + "\r")
            chat.expect("the key file without one): ")
            # no slot is of a key file alone
            chat.send("\r")
            chat.expect("does not open")
            chat.expect("the key file without one): ")
            chat.send("half\x1bOS")
            assert "vault:eph" in chat.expect("you> ")
            chat.leave()


engine_client.run([value for name, value in list(globals().items())
                   if getattr(value, "__module__", "") == "__main__"
                   and hasattr(value, "__code__")
                   and value.__code__.co_argcount == 0])
