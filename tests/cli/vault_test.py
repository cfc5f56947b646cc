"""fathom vault init, status, passwd, slot, lock: keys in, sentences out."""
import fcntl
import glob
import json
import os
import random
import re
import resource
import signal
import stat
import subprocess
import termios
import threading
import time

import engine_client
from policies import no_policies, under_policy
from program import FATHOM, Home, one_sentence, run
from terminal import Terminal

DENIED = ("the vault does not open with this passphrase, key file or code")
LONG = os.environ.get("FATHOM_LONG") == "1"
RIGHT = "right horse battery"


def lines(*passphrases):
    return "".join(line + "\n" for line in passphrases).encode()


def vault(home, *arguments, stdin=None, **more):
    extra = () if stdin is None else ("--passphrase-fd=0",)
    return run(home, "vault", *arguments, *extra, stdin=stdin, **more)


def init(home, *arguments, passphrase=RIGHT):
    result = vault(home, "init", "--kdf=least", *arguments,
                   stdin=lines(passphrase))
    assert result.status == 0, result
    return result


def opens(home, *arguments, passphrase=RIGHT):
    """Does it open? A change of nothing, on the slots alone."""
    result = vault(home, "slot", "remove", "8", "--yes", *arguments,
                   stdin=lines(passphrase))
    if result.status == 65:  # it opened, and there is no slot 8
        assert b"there is no slot 8" in result.err, result
        return True
    assert result.status == 77, result
    return False


def folder(home):
    return home.file("data/fathom")


def keys(home):
    return os.path.join(folder(home), "vault.keys")


def slots(home):
    result = vault(home, "slot", "list", "--json")
    assert result.status == 0, result
    return json.loads(result.out)


# -- making and looking -----------------------------------------------------

def init_makes_a_vault_once():
    with Home() as home:
        before = json.loads(vault(home, "status", "--json").out)
        assert before["exists"] is False and before["slots"] == [], before
        assert b"There is no vault in" in vault(home, "status").out
        assert init(home).out == b""
        result = vault(home, "init", stdin=lines("another one"))
        assert result.status == 73, result
        assert "there is a vault already" in one_sentence(result.err)
        after = json.loads(vault(home, "status", "--json").out)
        assert after["schema"] == "fathom.vault/1"
        assert after["exists"] is True and after["folder"] == folder(home)
        assert [(slot["number"], slot["kind"], slot["passes"],
                 slot["memory_bytes"]) for slot in after["slots"]] == [
                     (1, "passphrase", 3, 64 << 20)], after
        assert after["used_by"] is None and after["failed_tries"] == 0
        assert opens(home)


def without_a_vault_every_verb_says_so():
    with Home() as home:
        for verb in (("passwd",), ("slot", "list"), ("slot", "add"),
                     ("slot", "remove", "1", "--yes")):
            result = vault(home, *verb, stdin=lines(RIGHT))
            assert result.status == 66, result
            assert "fathom vault init" in one_sentence(result.err)


def files_are_private_whatever_the_umask():
    with Home() as home:
        init(home, passphrase=RIGHT)
        umask = os.umask(0)
        try:
            with Home() as open_home:
                init(open_home)
                vault(open_home, "passwd", stdin=lines("wrong passphrase"))
                found = 0
                for top in ("data/fathom", "state/fathom"):
                    for path, _, files in os.walk(open_home.file(top)):
                        mode = stat.S_IMODE(os.stat(path).st_mode)
                        assert mode == 0o700, (path, oct(mode))
                        for name in files:
                            mode = os.stat(os.path.join(path, name)).st_mode
                            assert stat.S_IMODE(mode) == 0o600, name
                            found += 1
                assert found >= 5, found
        finally:
            os.umask(umask)


def places_come_from_absolute_variables():
    with Home() as home:
        init(home)
        moved = {"FATHOM_VAULT": home.file("stick")}
        result = vault(home, "init", "--kdf=least", stdin=lines(RIGHT),
                       environment=moved)
        assert result.status == 0, result
        assert os.path.exists(home.file("stick/vault.keys"))
        relative = {"XDG_DATA_HOME": "share", "XDG_STATE_HOME": "here"}
        result = vault(home, "init", "--kdf=least", stdin=lines(RIGHT),
                       environment=relative, cwd=home.path)
        assert result.status == 0, result
        assert os.path.exists(home.file(".local/share/fathom/vault.keys"))
        assert glob.glob(home.file(".local/state/fathom/anchor-*"))
        for name in ("share", "here"):
            assert not os.path.exists(home.file(name))


def short_passphrases_are_refused():
    with Home() as home:
        for passphrase in ("", "1234567"):
            result = vault(home, "init", "--kdf=least",
                           stdin=lines(passphrase))
            assert result.status == 65, result
            assert "at least 8 characters" in one_sentence(result.err)
        assert not os.path.exists(keys(home))
        init(home, passphrase="12345678")


# -- what opens -------------------------------------------------------------

def a_wrong_passphrase_is_one_sentence_and_77():
    with Home() as home:
        init(home)
        with open(keys(home), "rb") as file:
            before = file.read()
        texts = set()
        for wrong in ("wrong", RIGHT + " ", RIGHT[:-1], "x" * 5000,
                      "\u00e9" * 9):
            result = vault(home, "passwd", stdin=lines(wrong, "never used"))
            assert result.status == 77 and result.out == b"", result
            texts.add(one_sentence(result.err))
        assert texts == {"fathom vault passwd: " + DENIED}, texts
        with open(keys(home), "rb") as file:
            assert file.read() == before
        assert opens(home)


def many_wrong_passphrases_corrupt_nothing():
    with Home() as home:
        init(home)
        before = {path: open(path, "rb").read()
                  for path in glob.glob(folder(home) + "/*")}
        count = 1000 if LONG else 8
        for i in range(count):
            result = vault(home, "passwd", stdin=lines(f"wrong one {i}"))
            assert result.status == 77, result
        for path, content in before.items():
            assert open(path, "rb").read() == content, path
        state = json.loads(vault(home, "status", "--json").out)
        assert state["failed_tries"] == count, state
        assert re.match(r"\d{4}-", state["last_failed_try"]), state
        result = vault(home, "slot", "remove", "8", "--yes",
                       stdin=lines(RIGHT))
        assert f"{count} failed tries" in result.err.decode(), result
        state = json.loads(vault(home, "status", "--json").out)
        assert state["failed_tries"] == 0, state


def a_changed_passphrase_counts_from_then_on():
    with Home() as home:
        init(home)
        result = vault(home, "passwd", "--kdf=least",
                       stdin=lines(RIGHT, "a new passphrase"))
        assert result.status == 0 and "rotate" in one_sentence(result.err)
        assert os.path.exists(keys(home) + ".old")
        assert not opens(home)
        assert opens(home, passphrase="a new passphrase")
        # the new one must be long enough, or nothing changes
        result = vault(home, "passwd", "--kdf=least",
                       stdin=lines("a new passphrase", "short"))
        assert result.status == 65, result
        assert opens(home, passphrase="a new passphrase")


def a_generated_passphrase_is_printed_alone_and_opens():
    with Home() as home:
        result = vault(home, "init", "--kdf=least", "--generate")
        assert result.status == 0, result
        words = result.out.decode().rstrip("\n")
        assert re.fullmatch(r"[a-z]+(-[a-z]+){5}", words), words
        assert words.encode() not in result.err
        assert opens(home, passphrase=words)


def a_recovery_code_gives_a_new_passphrase():
    with Home() as home:
        code = init(home, "--recovery").out.decode().strip()
        assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}",
                            code), code
        assert [slot["kind"] for slot in slots(home)] == ["passphrase",
                                                          "recovery-code"]
        typed = code.lower().replace("-", " ").replace("0", "o")
        result = vault(home, "passwd", "--kdf=least", "--recovery-code",
                       stdin=lines(typed, "after the loss"))
        assert result.status == 0, result
        assert opens(home, passphrase="after the loss")
        assert opens(home, "--recovery-code", passphrase=code)
        result = vault(home, "passwd", "--recovery-code", stdin=lines("123"))
        assert result.status == 77, result
        assert "recovery code has 32" in one_sentence(result.err)
        wrong = ("1" if code[0] != "1" else "2") + code[1:]
        assert not opens(home, "--recovery-code", passphrase=wrong)


def key_files_open_alone_or_together_as_made():
    with Home() as home:
        file = home.write("key", os.urandom(64))
        other = home.write("other", os.urandom(64))
        result = vault(home, "init", "--kdf=least", f"--key-file={file}",
                       stdin=lines(RIGHT))
        assert result.status == 0, result
        assert [slot["kind"] for slot in slots(home)] == ["both"]
        assert opens(home, f"--key-file={file}")
        assert not opens(home, f"--key-file={other}")
        assert not opens(home, f"--key-file={file}", passphrase="wrong one")
        result = vault(home, "passwd", stdin=lines(RIGHT))
        assert result.status == 77, result
        assert "--key-file=FILE" in one_sentence(result.err)
        # a second slot, for a key file alone
        result = vault(home, "slot", "add", "--kdf=least", "--no-passphrase",
                       f"--key-file={file}", f"--new-key-file={other}",
                       stdin=lines(RIGHT))
        assert result.status == 0, result
        assert [slot["kind"] for slot in slots(home)] == ["both", "key-file"]
        result = vault(home, "slot", "remove", "1", "--yes",
                       f"--key-file={file}", stdin=lines(RIGHT))
        assert result.status == 0, result
        result = vault(home, "slot", "remove", "2", "--yes",
                       f"--key-file={other}", "--no-input")
        assert result.status == 65, result
        assert "the last one" in one_sentence(result.err)
        for wrong, sentence in ((home.file("none"), "cannot open the key"),
                                (home.path, "cannot read the key")):
            result = vault(home, "passwd", f"--key-file={wrong}")
            assert result.status == 74, result
            assert sentence in one_sentence(result.err), result
        short = home.write("short", b"short")
        result = vault(home, "slot", "add", "--no-passphrase",
                       f"--key-file={other}", f"--new-key-file={short}")
        assert result.status == 65, result
        assert "at least 32 bytes" in one_sentence(result.err)


def slots_are_added_and_removed():
    with Home() as home:
        init(home)
        result = vault(home, "slot", "add", "--kdf=least",
                       stdin=lines(RIGHT, "a second passphrase"))
        assert result.status == 0, result
        assert opens(home, passphrase="a second passphrase") and opens(home)
        result = vault(home, "slot", "remove", "1", stdin=lines(RIGHT))
        assert result.status == 64, result
        assert "--yes" in one_sentence(result.err)
        result = vault(home, "slot", "remove", "1", "--yes",
                       stdin=lines(RIGHT))
        assert result.status == 0, result
        assert not opens(home)
        assert opens(home, passphrase="a second passphrase")
        text = vault(home, "slot", "list").out.decode()
        assert re.fullmatch(r"Slot 2    passphrase, 3 passes over 64 MiB, "
                            r"made \d{4}-\d\d-\d\d\n", text), text
        for words in (("remove",), ("remove", "0"), ("remove", "9"),
                      ("remove", "x"), ("list", "1"), ("drop",)):
            result = vault(home, "slot", *words, "--yes")
            assert result.status == 64, (words, result)
            one_sentence(result.err)


def removing_asks_at_a_terminal():
    with Home() as home:
        init(home)
        vault(home, "slot", "add", "--kdf=least",
              stdin=lines(RIGHT, "a second passphrase"))
        for answer, status, left in (("", 1, 2), ("n", 1, 2), ("y", 0, 1)):
            with start(home, "slot", "remove", "2") as terminal:
                terminal.expect("Remove slot 2 for good? [y/N] ")
                terminal.send(answer + "\n")
                if answer == "y":
                    terminal.expect("Passphrase: ")
                    terminal.send(RIGHT + "\n")
                assert terminal.wait() == status, terminal.text()
            assert len(slots(home)) == left
        result = vault(home, "slot", "remove", "1", "--no-input")
        assert result.status == 64, result
        assert "--yes" in one_sentence(result.err)


def another_process_is_named_and_hinders_no_change_of_slots():
    with Home() as home:
        init(home)
        with open(os.path.join(folder(home), "vault.lock"), "r+") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            state = json.loads(vault(home, "status", "--json").out)
            assert state["used_by"] == os.getpid(), state
            assert (f"In use    by process {os.getpid()}\n"
                    in vault(home, "status").out.decode())
            # before anything is asked
            result = vault(home, "check", "--no-input")
            assert result.status == 75, result
            assert f"process {os.getpid()}" in one_sentence(result.err)
            result = vault(home, "passwd", "--kdf=least",
                           stdin=lines(RIGHT, "a new passphrase"))
            assert result.status == 0, result
        assert vault(home, "check",
                     stdin=lines("a new passphrase")).status == 0


# -- asking -----------------------------------------------------------------

def echo_is_on(terminal):
    return bool(termios.tcgetattr(terminal.master)[3] & termios.ECHO)


def start(home, *arguments, **more):
    return Terminal([FATHOM, "vault", *arguments],
                    home.environment(**more))


def typed_passphrases_are_not_shown_and_typed_twice():
    with Home() as home, start(home, "init", "--kdf=least") as terminal:
        terminal.expect("New passphrase: ")
        assert not echo_is_on(terminal)
        terminal.send("short\n")
        terminal.expect("at least 8 characters")
        terminal.expect("New passphrase: ")
        terminal.send(RIGHT + "\n")
        terminal.expect("The same again: ")
        terminal.send("something else\n")
        terminal.expect("the two are not the same")
        terminal.expect("New passphrase: ")
        terminal.send(RIGHT + "\n")
        terminal.expect("The same again: ")
        terminal.send(RIGHT + "\n")
        assert terminal.wait() == 0
        for typed in (RIGHT, "something else", "short"):
            assert typed not in terminal.text(), terminal.text()
        assert opens(home)


def a_terminal_has_three_tries():
    with Home() as home:
        init(home)
        with start(home, "slot", "remove", "8", "--yes") as terminal:
            for wrong in ("one", "two"):
                terminal.expect("Passphrase: ")
                terminal.send(wrong + "\n")
                terminal.expect(DENIED)
            terminal.expect("Passphrase: ")
            terminal.send(RIGHT + "\n")
            terminal.expect("there is no slot 8")
            assert terminal.wait() == 65
            # tries of the same run are no news
            assert "failed tr" not in terminal.text()
        with start(home, "passwd") as terminal:
            for wrong in ("one", "two", "three"):
                terminal.expect("Passphrase: ")
                terminal.send(wrong + "\n")
            assert terminal.wait() == 77


def interrupting_restores_the_terminal():
    with Home() as home:
        init(home)
        for number, key in ((signal.SIGINT, "\x03"), (signal.SIGTERM, None),
                            (signal.SIGHUP, None), (signal.SIGQUIT, None)):
            with start(home, "passwd") as terminal:
                usual = termios.tcgetattr(terminal.master)
                terminal.expect("Passphrase: ")
                assert not echo_is_on(terminal)
                if key:
                    terminal.send(key)
                else:
                    os.kill(terminal.pid, number)
                assert terminal.wait() == -number, (number, terminal.status)
                assert termios.tcgetattr(terminal.master) == usual
        assert opens(home)


def end_of_input_is_130():
    with Home() as home:
        init(home)
        with start(home, "passwd") as terminal:
            terminal.expect("Passphrase: ")
            terminal.send("\x04")
            assert terminal.wait() == 130, terminal.text()


def stopping_restores_the_terminal_and_asks_again():
    with Home() as home:
        init(home)
        with Terminal(["/bin/bash", "--norc", "--noediting", "-i"],
                      home.environment(PS1="shell> ")) as shell:
            shell.expect("shell> ")
            shell.send(f"{FATHOM} vault slot remove 8 --yes\n")
            shell.expect("Passphrase: ")
            assert not echo_is_on(shell)
            shell.send("\x1a")
            shell.expect("shell> ")
            assert echo_is_on(shell)
            shell.send("fg\n")
            shell.expect("Passphrase: ")
            assert not echo_is_on(shell)
            shell.send(RIGHT + "\n")
            shell.expect("there is no slot 8")
            shell.expect("shell> ")
            shell.send("exit 0\n")
            assert shell.wait() == 0
            assert RIGHT not in shell.text()


def no_input_never_asks():
    with Home() as home:
        init(home)
        with start(home, "passwd", "--no-input") as terminal:
            assert terminal.wait() == 77
            assert "--no-input forbids" in terminal.text()
            assert "Passphrase:" not in terminal.text()
        result = vault(home, "passwd", "--no-input")
        assert result.status == 77, result


def without_a_terminal_the_ways_are_named():
    with Home() as home:
        init(home)
        result = vault(home, "passwd", start_new_session=True)
        assert result.status == 77, result
        sentence = one_sentence(result.err)
        assert "--passphrase-fd=N" in sentence and "FATHOM_ASKPASS" in sentence


def a_descriptor_must_be_open_and_hold_a_line():
    with Home() as home:
        init(home)
        result = run(home, "vault", "passwd", "--passphrase-fd=99")
        assert result.status == 77, result
        assert "file descriptor 99" in one_sentence(result.err)
        result = vault(home, "passwd", stdin=b"")
        assert result.status == 77, result
        assert "there is no passphrase in" in one_sentence(result.err)
        result = vault(home, "passwd", stdin=b"x" * ((1 << 20) + 1) + b"\n")
        assert result.status == 65, result
        assert "at most 1048576 bytes" in one_sentence(result.err)
        # a passphrase may hold anything but a line feed
        strange = b"\x00\xff nul and \x1b escape"
        result = run(home, "vault", "passwd", "--kdf=least",
                     "--passphrase-fd=0",
                     stdin=RIGHT.encode() + b"\n" + strange + b"\n")
        assert result.status == 0, result
        result = run(home, "vault", "slot", "remove", "8", "--yes",
                     "--passphrase-fd=0", stdin=strange)
        assert result.status == 65, result


def a_program_gives_the_passphrase():
    with Home() as home:
        init(home)
        program = home.write("ask", "#!/bin/sh\necho \"$1\" >&2\n"
                             f"echo '{RIGHT}'\n")
        os.chmod(program, 0o700)
        result = run(home, "vault", "slot", "remove", "8", "--yes",
                     "--no-input", environment={"FATHOM_ASKPASS": program})
        assert result.status == 65, result
        assert b"Passphrase: \n" in result.err, result
        for content, status in (("#!/bin/sh\nexit 3\n", 130),
                                (f"#!/bin/sh\necho '{RIGHT}'\nexit 1\n", 130),
                                ("#!/bin/sh\nexit 0\n", 77)):
            home.write("ask", content)
            result = run(home, "vault", "passwd",
                         environment={"FATHOM_ASKPASS": program})
            assert result.status == status, (content, result)
            one_sentence(result.err)
        result = run(home, "vault", "passwd",
                     environment={"FATHOM_ASKPASS": home.file("none")})
        assert result.status == 74, result
        assert "FATHOM_ASKPASS" in one_sentence(result.err)


def a_passphrase_is_in_no_argument_and_no_environment():
    with Home() as home:
        init(home)
        secret = "a canary of a passphrase"
        reading, writing = os.pipe()
        child = subprocess.Popen(
            [FATHOM, "vault", "passwd", f"--passphrase-fd={reading}"],
            env=home.environment(), pass_fds=[reading],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        os.close(reading)
        os.write(writing, lines(RIGHT, secret)[:-3])
        time.sleep(0.2)
        seen = b""
        for name in ("cmdline", "environ"):
            try:
                with open(f"/proc/{child.pid}/{name}", "rb") as file:
                    seen += file.read()
            except PermissionError:
                pass  # it is closed to others, which is as good
        os.write(writing, b"se\n")
        os.close(writing)
        _, err = child.communicate()
        assert child.returncode == 0, err
        for word in (secret, RIGHT):
            assert word.encode() not in seen + err
        for variable in ("FATHOM_PASSPHRASE", "FATHOM_PASSWORD"):
            result = run(home, "vault", "passwd", "--no-input",
                         environment={variable: RIGHT})
            assert result.status == 77, result


# -- files ------------------------------------------------------------------

def unsafe_files_are_refused_with_what_to_do():
    def symlink(home):
        os.rename(keys(home), home.file("moved"))
        os.symlink(home.file("moved"), keys(home))

    def fifo(home):
        os.remove(keys(home))
        os.mkfifo(keys(home), 0o600)

    def directory(home):
        os.remove(keys(home))
        os.mkdir(keys(home))

    cases = (
        (symlink, "a symbolic link"), (fifo, "a pipe"),
        (directory, "a folder"),
        (lambda home: os.chmod(keys(home), 0o666), "chmod 600"),
        (lambda home: os.chmod(folder(home), 0o777), "chmod go-w"),
        (lambda home: os.chmod(folder(home), 0o1777), "chmod go-w"),
        (lambda home: os.chmod(home.file("data"), 0o777), "chmod go-w"),
    )
    with Home() as home:
        init(home)
        for spoil, sentence in cases:
            with Home() as spoilt:
                subprocess.run(["cp", "-a", home.file("data") + "/.",
                                spoilt.file("data")], check=True)
                spoil(spoilt)
                for verb in (("passwd",), ("slot", "list"), ("status",)):
                    result = vault(spoilt, *verb,
                                   stdin=None if verb != ("passwd",)
                                   else lines(RIGHT, "a new passphrase"))
                    assert result.status == 77, (sentence, result)
                    assert sentence in one_sentence(result.err), result


def damaged_keys_are_65_and_nothing_is_written():
    with Home() as home:
        init(home)
        with open(keys(home), "rb") as file:
            whole = file.read()
        newer = whole[:8] + b"\x02" + whole[9:]
        for content, sentence in ((b"", "damaged"), (whole[:-1], "damaged"),
                                  (b"x" * len(whole), "damaged"),
                                  (whole + b"x" * (2 << 20), "damaged"),
                                  (newer, "newer")):
            with open(keys(home), "wb") as file:
                file.write(content)
            result = vault(home, "passwd", stdin=lines(RIGHT, "a new one.."))
            assert result.status == 65, result
            assert sentence in one_sentence(result.err), result
            with open(keys(home), "rb") as file:
                assert file.read() == content
        for name, content in ((".old", whole), ("", whole[:-1])):
            with open(keys(home) + name, "wb") as file:
                file.write(content)
            os.chmod(keys(home) + name, 0o600)
        result = vault(home, "passwd", stdin=lines(RIGHT, "a new one.."))
        assert b"the former keys are in" in result.err, result


def a_slot_dropped_by_others_is_an_alarm():
    with Home() as home:
        init(home, "--recovery")
        with open(keys(home), "r+b") as file:
            file.seek(64 + 160)
            file.write(bytes(160))
        result = vault(home, "passwd", stdin=lines(RIGHT, "a new one.."))
        assert result.status == 13, result
        assert "taken out" in one_sentence(result.err)


def a_full_disk_is_74():
    with Home() as home:
        init(home)
        for arguments in (("status",), ("slot", "list", "--json")):
            with open("/dev/full", "wb") as full:
                result = vault(home, *arguments, stdout=full)
            assert result.status == 74, result
            assert b"No space left" in result.err, result


def a_killed_change_leaves_the_former_or_the_new():
    seed = int(time.time())
    print(f"# seed {seed}")
    moments = random.Random(seed)
    now, new, changed = RIGHT, "a new passphrase", 0
    with Home() as home:
        init(home)
        began = time.monotonic()
        assert vault(home, "passwd", "--kdf=least",
                     stdin=lines(now, new)).status == 0
        took = time.monotonic() - began
        now, new = new, now
        for i in range(300 if LONG else 8):
            child = subprocess.Popen(
                [FATHOM, "vault", "passwd", "--kdf=least",
                 "--passphrase-fd=0"], env=home.environment(),
                stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
            child.stdin.write(lines(now, new))
            child.stdin.close()
            time.sleep(moments.random() * took * 1.2)
            child.kill()
            child.wait()
            if opens(home, passphrase=new):
                now, new, changed = new, now, changed + 1
            else:
                assert opens(home, passphrase=now), (seed, i)
        left = [name for name in os.listdir(folder(home))
                if ".new-" in name]
        assert not left, left
        assert vault(home, "check", stdin=lines(now)).status == 0
    print(f"# {changed} changes were done before the end")


# -- machines ----------------------------------------------------------------

def too_little_memory_is_69_and_no_wrong_passphrase():
    def small():
        resource.setrlimit(resource.RLIMIT_AS, (60 << 20, 60 << 20))

    with open(FATHOM, "rb") as file:
        if re.search(rb"__[at]san_init", file.read()):
            return "sanitizers need more address space"
    with Home() as home:
        init(home)
        result = vault(home, "passwd", stdin=lines(RIGHT, "a new passphrase"),
                       preexec_fn=small)
        assert result.status == 69, result
        assert "64 MiB of memory" in one_sentence(result.err), result
        assert json.loads(vault(home, "status",
                                "--json").out)["failed_tries"] == 0
        assert opens(home)


def a_policy_decides_what_a_slot_needs():
    reason = no_policies()
    if reason:
        return reason
    with Home() as home:
        for text, options, rule in (
                ("vault.require_keyfile = yes\n", ["--kdf=least"],
                 "vault.require_keyfile = yes"),
                ("vault.min_kdf = moderate\n", ["--kdf=least"],
                 "vault.min_kdf = moderate")):
            result = under_policy(home, text, "vault", "init",
                                  "--passphrase-fd=0", *options,
                                  stdin=lines(RIGHT))
            assert result.status == 77, result
            assert rule in one_sentence(result.err), result
            assert not os.path.exists(keys(home))
        init(home)
        for arguments in (("slot", "add", "--new-recovery-code"),
                          ("slot", "add", "--generate"), ("passwd",)):
            result = under_policy(home, "vault.require_keyfile = yes\n",
                                  "vault", *arguments, "--passphrase-fd=0",
                                  stdin=lines(RIGHT, "a new passphrase"))
            assert result.status == 77, (arguments, result)
        assert len(slots(home)) == 1 and opens(home)


def what_must_be_recorded_and_cannot_does_not_happen():
    reason = no_policies()
    if reason:
        return reason
    with Home() as home:
        init(home)
        passwd = ("vault", "passwd", "--kdf=least", "--passphrase-fd=0")
        with open(os.path.join(folder(home), "vault.lock"), "r+") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            result = under_policy(home, "audit = required\n", *passwd,
                                  stdin=lines(RIGHT, "a new passphrase"))
            assert result.status == 75, result
        assert opens(home)
        result = under_policy(home, "audit = required\n", *passwd,
                              stdin=lines(RIGHT, "a new passphrase"))
        assert result.status == 0, result
        assert opens(home, passphrase="a new passphrase")


# -- lock -------------------------------------------------------------------

def listener(home, number, answers):
    """What a chat is to `vault lock`; a thread that ends when asked."""
    os.makedirs(home.file("run/fathom"), 0o700, exist_ok=True)
    path = home.file(f"run/fathom/lock-{number}.fifo")
    os.mkfifo(path, 0o600)
    pipe = os.open(path, os.O_RDWR)

    def wait():
        os.read(pipe, 1)
        if answers:
            os.remove(path)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread, pipe, path


def lock_reaches_every_chat():
    with Home() as home:
        assert vault(home, "lock").out == b"No open chat was found.\n"
        stale = home.file("run/fathom/lock-1.fifo")
        os.mkfifo(stale, 0o600)
        os.chmod(home.file("run/fathom"), 0o700)
        result = vault(home, "lock")
        assert (result.status, result.out) == (0,
                                               b"No open chat was found.\n")
        assert not os.path.exists(stale)
        chats = [listener(home, number, True) for number in (10, 11)]
        result = vault(home, "lock")
        assert (result.status, result.out) == (0, b"2 chats are locked.\n")
        for thread, pipe, _ in chats:
            thread.join(10)
            assert not thread.is_alive()
            os.close(pipe)


def a_chat_that_does_not_lock_is_75():
    with Home() as home:
        _, pipe, _ = listener(home, 10, False)
        result = vault(home, "lock")
        assert result.status == 75, result
        assert "1 chat did not lock" in one_sentence(result.err)
        os.close(pipe)


engine_client.run([
    init_makes_a_vault_once,
    without_a_vault_every_verb_says_so,
    files_are_private_whatever_the_umask,
    places_come_from_absolute_variables,
    short_passphrases_are_refused,
    a_wrong_passphrase_is_one_sentence_and_77,
    many_wrong_passphrases_corrupt_nothing,
    a_changed_passphrase_counts_from_then_on,
    a_generated_passphrase_is_printed_alone_and_opens,
    a_recovery_code_gives_a_new_passphrase,
    key_files_open_alone_or_together_as_made,
    slots_are_added_and_removed,
    removing_asks_at_a_terminal,
    another_process_is_named_and_hinders_no_change_of_slots,
    typed_passphrases_are_not_shown_and_typed_twice,
    a_terminal_has_three_tries,
    interrupting_restores_the_terminal,
    end_of_input_is_130,
    stopping_restores_the_terminal_and_asks_again,
    no_input_never_asks,
    without_a_terminal_the_ways_are_named,
    a_descriptor_must_be_open_and_hold_a_line,
    a_program_gives_the_passphrase,
    a_passphrase_is_in_no_argument_and_no_environment,
    unsafe_files_are_refused_with_what_to_do,
    damaged_keys_are_65_and_nothing_is_written,
    a_slot_dropped_by_others_is_an_alarm,
    a_full_disk_is_74,
    a_killed_change_leaves_the_former_or_the_new,
    too_little_memory_is_69_and_no_wrong_passphrase,
    a_policy_decides_what_a_slot_needs,
    what_must_be_recorded_and_cannot_does_not_happen,
    lock_reaches_every_chat,
    a_chat_that_does_not_lock_is_75,
])
