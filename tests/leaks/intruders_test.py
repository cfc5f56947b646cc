"""Another program of the same user, which is not root: it can neither look into
our processes nor make them leave a core file.

Root would pass by accident, so the tests run as nobody; each shows first that
its attack works on a program that does not defend itself.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/leaks"))
from canaries import canary, forms  # finds tests/cli too

import engine_client
from program import BUILD, FATHOM, LIMIT, NO_CHAT, Home, run
from terminal import Terminal

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
ENGINE = os.path.join(BUILD, "fathom-engine")

with open(os.path.join(BUILD, "config.h")) as config:
    SANITIZED = "\n#define WITH_SANITIZERS 1\n" in config.read()


def obstacle():
    if SANITIZED:
        return "sanitizer builds are open to debuggers"
    if os.geteuid() != 0:
        return "only root can become nobody"
    for program in (FATHOM, ENGINE):
        if subprocess.run([*NOBODY, "test", "-x", program],
                          capture_output=True).returncode:
            return "nobody cannot run the programs here"
    return None


class Victim(Home):
    """Our two programs, run by nobody, in the middle of a question."""

    def __enter__(self):
        super().__enter__()
        self.word = canary()
        os.mkdir(self.file("cores"), 0o700)
        subprocess.run(["chown", "-R", "65534:65534", self.path], check=True)
        self.fathom = subprocess.Popen(
            [*NOBODY, "sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh",
             FATHOM, "ask", "-", "-n1000"], stdin=subprocess.PIPE,
            cwd=self.file("cores"), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=self.environment())
        # it waits for the rest of the question
        self.fathom.stdin.write(self.word.encode())
        self.fathom.stdin.flush()
        end = time.monotonic() + LIMIT
        while not self.is_there(self.fathom.pid):
            assert time.monotonic() < end, "it does not start"
            time.sleep(0.01)
        self.engine = subprocess.Popen(
            [*NOBODY, "sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh",
             ENGINE, os.path.join(BUILD, "models/fathom-mini.gguf")],
            stdin=subprocess.PIPE, cwd=self.file("cores"),
            stdout=subprocess.PIPE, env=self.environment(), bufsize=0)
        stream = engine_client.Stream(self.engine.stdin.fileno(),
                                      self.engine.stdout.fileno())
        stream.send("TOKENIZE", 1, texts=[self.word])
        stream.answer(1)
        return self

    def is_there(self, process):
        """It has executed our program, and its filter is loaded."""
        with open(f"/proc/{process}/status") as file:
            text = file.read()
        return text.startswith("Name:\tfathom") and "Seccomp:\t2" in text

    def __exit__(self, *exception):
        for process in (self.fathom, self.engine):
            process.kill()
            process.wait(LIMIT)
        super().__exit__(*exception)


def as_nobody(*command, **more):
    return subprocess.run([*NOBODY, *command], capture_output=True,
                          timeout=LIMIT, **more)


def sleeper():
    return subprocess.Popen([*NOBODY, "sleep", "100"])


def gcore_fails():
    if shutil.which("gcore") is None:
        return "there is no gcore"
    with Victim() as home:
        victim = sleeper()
        time.sleep(0.2)
        out = home.file("cores/core")
        try:
            as_nobody("gcore", "-o", out, str(victim.pid))
            if not os.path.exists(f"{out}.{victim.pid}"):
                return "gcore does not work here on any program"
        finally:
            victim.kill()
            victim.wait()
        for process in (home.fathom, home.engine):
            done = as_nobody("gcore", "-o", out, str(process.pid))
            assert done.returncode != 0, done
            assert not os.path.exists(f"{out}.{process.pid}"), done
            assert process.poll() is None  # and it lives


def memory_and_environment_cannot_be_read():
    with Victim() as home:
        victim = sleeper()
        time.sleep(0.2)
        try:
            for name in ("environ", "maps", "mem"):
                path = f"/proc/{victim.pid}/{name}"
                assert as_nobody("sh", "-c", f": < {path}").returncode == 0, (
                    path)
        finally:
            victim.kill()
            victim.wait()
        for process in (home.fathom, home.engine):
            for name in ("environ", "maps", "mem", "auxv", "stack",
                         "map_files", "fd", "syscall"):
                path = f"/proc/{process.pid}/{name}"
                done = as_nobody("sh", "-c", f"ls -l {path}/ || cat {path}"
                                 if name in ("map_files", "fd") else
                                 f"cat {path}")
                assert done.returncode != 0 and done.stdout == b"", (path,
                                                                     done)


def a_crash_leaves_no_core_file():
    with Victim() as home:
        victim = subprocess.Popen(
            [*NOBODY, "sh", "-c", "ulimit -c unlimited; exec sleep 100"],
            cwd=home.file("cores"))
        time.sleep(0.2)
        victim.send_signal(signal.SIGSEGV)
        victim.wait()
        if not os.listdir(home.file("cores")):
            return "this system keeps core files elsewhere"
        for name in os.listdir(home.file("cores")):
            os.remove(home.file("cores/" + name))
        for process in (home.fathom, home.engine):
            process.send_signal(signal.SIGSEGV)
            assert process.wait(LIMIT) == -signal.SIGSEGV
        assert os.listdir(home.file("cores")) == [], os.listdir(
            home.file("cores"))


def memory_of(process):
    """What root sees of a process's memory, piece by piece."""
    with open(f"/proc/{process}/maps") as file:
        areas = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw", file.read(), re.M)
    with open(f"/proc/{process}/mem", "rb", 0) as memory:
        for begin, end in areas:
            begin, end = int(begin, 16), int(end, 16)
            memory.seek(begin)
            try:
                yield memory.read(end - begin)
            except OSError:
                continue


def root_is_not_kept_out_and_says_what_there_is_to_find():
    """The search of memory works: what was just written is there."""
    with Victim() as home:
        time.sleep(0.1)
        found = any(home.word.encode() in piece
                    for piece in memory_of(home.fathom.pid))
        assert found, "the search does not see what must be there"


def in_memory(process, words):
    """Of the words, those that are found; a wide form is the terminal's."""
    wanted = {word: [*forms(word).values(), word.encode("utf-32-le")]
              for word in words}
    return {word for piece in memory_of(process)
            for word, written in wanted.items()
            if any(form in piece for form in written)}


def a_lock_leaves_nothing_in_memory():
    if NO_CHAT:
        return NO_CHAT
    passphrase, said, answer, draft, system = words = [
        canary() for _ in range(5)]
    script = (f"want GENERATE\nthink {answer} perhaps.\nsay {answer}.\ndone\n"
              "drain\n")
    with Home() as home:
        made = run(home, "vault", "init", "--kdf=least", "--passphrase-fd=0",
                   stdin=(passphrase + "\n").encode())
        assert made.status == 0, made
        with Terminal([FATHOM, "chat", "--plain"], home.environment(script)) as chat:
            chat.expect("not kept): ")
            chat.send(passphrase + "\r")
            chat.expect("you> ")
            chat.send("/system " + system + "\r")
            chat.expect("you> ")
            chat.send("say " + said + "\r")
            chat.expect(answer + ".")
            chat.expect("you> ")
            chat.send(draft)
            chat.expect(draft)
            before = in_memory(chat.pid, words)
            # what was typed once is wiped at once; the rest is needed
            assert {said, answer, draft, system} <= before, before
            os.kill(chat.pid, signal.SIGUSR1)
            chat.expect("vault:locked")
            chat.expect("passphrase: ")
            left = in_memory(chat.pid, words)
            assert not left, [words.index(word) for word in left]


why = obstacle()
if why:
    print(f"1..0 # SKIP {why}")
    sys.exit(0)
engine_client.run([
    gcore_fails,
    memory_and_environment_cannot_be_read,
    a_crash_leaves_no_core_file,
    root_is_not_kept_out_and_says_what_there_is_to_find,
    a_lock_leaves_nothing_in_memory,
])
