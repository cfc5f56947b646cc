"""Runs fathom with the replay engine, in a home of its own.

TAP comes from engine_client.run. Each run has its own HOME and runtime
directory, so that no model, warm engine or setting of the user is found.
"""
import os
import shutil
import signal
import subprocess
import tempfile
import time

BUILD = os.environ["top_builddir"]
SOURCE = os.environ["top_srcdir"]
FATHOM = os.path.join(BUILD, "fathom")
REPLAY = os.path.join(BUILD, "tests/replay_engine")
MAKER = os.path.join(BUILD, "tests/vault_maker")
PASSPHRASE = "three green bottles"
# seconds, for what must end
LIMIT = float(os.environ.get("FATHOM_TEST_LIMIT", "60"))

# whatever the tests were started by: nohup has the programs ignore it
signal.signal(signal.SIGHUP, signal.SIG_DFL)

with open(os.path.join(BUILD, "config.h")) as config:
    NO_CHAT = ("" if "\n#define HAVE_READLINE 1\n" in config.read()
               else "built without readline")


class Home:
    """A directory for one test, gone at its end."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="fathom-test-")
        for name in ("run", "data"):
            os.mkdir(self.file(name), 0o700)
        return self

    def __exit__(self, *_):
        # what was killed may still be writing its last
        for _ in range(50):
            shutil.rmtree(self.path, ignore_errors=True)
            if not os.path.exists(self.path):
                break
            time.sleep(0.05)

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, content):
        with open(self.file(name), "wb") as file:
            file.write(content if isinstance(content, bytes)
                       else content.encode())
        return self.file(name)

    def read(self, name):
        with open(self.file(name), "rb") as file:
            return file.read()

    def make_vault(self, *cost):
        """A vault with PASSPHRASE that opens fast; or passes and KiB."""
        subprocess.run([MAKER, self.file("data/fathom"),
                        self.file("state/fathom"), PASSPHRASE, *cost],
                       check=True, timeout=LIMIT)

    def files(self):
        """Every file below, with its size."""
        return {os.path.relpath(os.path.join(folder, name), self.path):
                os.path.getsize(os.path.join(folder, name))
                for folder, _, names in os.walk(self.path) for name in names}

    def environment(self, script=None, **more):
        keep = {name: value for name, value in os.environ.items()
                if not name.startswith(("FATHOM_", "XDG_", "LC_"))
                and name not in ("NO_COLOR", "CLICOLOR_FORCE", "ACCESSIBLE",
                                 "INPUTRC")}
        keep.update(HOME=self.path, XDG_RUNTIME_DIR=self.file("run"),
                    XDG_DATA_HOME=self.file("data"),
                    XDG_STATE_HOME=self.file("state"), LANG="C.UTF-8",
                    TERM="xterm", INPUTRC="/dev/null")
        if script is not None:
            self.write("script", script)
            keep.update(FATHOM_ENGINE=REPLAY,
                        FATHOM_REPLAY=self.file("script"))
        keep.update(more)
        return keep


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f"status {self.status}, out {self.out!r}, err {self.err!r}"


def run(home, *arguments, script=None, stdin=None, prefix=(), environment=None,
        **more):
    """Runs fathom to its end; stdin is bytes, None for /dev/null."""
    done = subprocess.run(
        [*prefix, FATHOM, *arguments], timeout=LIMIT,
        input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
        stdout=more.pop("stdout", subprocess.PIPE),
        stderr=more.pop("stderr", subprocess.PIPE),
        env=home.environment(script, **(environment or {})), **more)
    return Result(done.returncode, done.stdout, done.stderr)


def ask(*arguments, script="want GENERATE\nsay Yes.\ndone\n", **more):
    """One `fathom ask` in a home of its own."""
    with Home() as home:
        return run(home, "ask", *arguments, script=script, **more)


def start(home, *arguments, script=None, environment=None, **more):
    """Starts fathom; the caller waits for it."""
    return subprocess.Popen(
        [FATHOM, *arguments], env=home.environment(script,
                                                   **(environment or {})),
        stdin=more.pop("stdin", subprocess.DEVNULL),
        stdout=more.pop("stdout", subprocess.PIPE),
        stderr=more.pop("stderr", subprocess.PIPE), bufsize=0, **more)


def one_sentence(err):
    """The only line of standard error, as text."""
    text = err.decode()
    assert text.endswith("\n") and text.count("\n") == 1, repr(text)
    return text[:-1]
