"""A program on a pseudo-terminal: keys in, text out."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

# seconds, for a text to appear
LIMIT = float(os.environ.get("FATHOM_TEST_LIMIT", "60")) / 2

# what readline and our attributes write besides text
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")


class Terminal:
    def __init__(self, command, environment, columns=80, lines=24):
        self.seen = b""  # all output
        self.at = 0      # of it, what expect has passed
        self.status = None
        self.master, inside = pty.openpty()
        # before a program can ask for the one or change the other
        self.resize(columns, lines)
        self.modes = termios.tcgetattr(self.master)
        self.pid = os.fork()
        if self.pid == 0:
            self.become(inside, command, environment)
        os.close(inside)

    @staticmethod
    def become(terminal, command, environment):
        try:
            os.setsid()
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
            for descriptor in range(3):
                os.dup2(terminal, descriptor)
            os.execve(command[0], command, environment)
        finally:
            os._exit(127)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)

    def resize(self, columns, lines=24):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ,
                    struct.pack("HHHH", lines, columns, 0, 0))

    def send(self, keys):
        os.write(self.master, keys if isinstance(keys, bytes)
                 else keys.encode())

    def read(self, seconds):
        """Reads what comes in that time; False at the end."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return True
        try:
            piece = os.read(self.master, 65536)
        except OSError:
            return False
        self.seen += piece
        return bool(piece)

    def text(self, start=0):
        """What was printed, without attributes and carriage returns."""
        return (ESCAPES.sub(b"", self.seen[start:]).replace(b"\r", b"")
                .decode())

    def expect(self, wanted, limit=LIMIT):
        """Waits for the text and passes it; returns what came before it."""
        end = time.monotonic() + limit
        while True:
            text = self.text(self.at)
            if wanted in text:
                # pass it in the raw bytes: the first end that contains it
                for i in range(self.at + 1, len(self.seen) + 1):
                    if wanted in ESCAPES.sub(b"", self.seen[self.at:i]
                                             ).replace(b"\r", b"").decode(
                                                 errors="ignore"):
                        self.at = i
                        break
                return text[:text.index(wanted)]
            assert time.monotonic() < end, f"{wanted!r} not in {text!r}"
            assert self.read(0.1) or wanted in self.text(self.at), (
                f"it ended without {wanted!r}: {self.text(self.at)!r}")

    def quiet(self, seconds):
        """Waits and returns what came meanwhile."""
        start = len(self.seen)
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.read(0.05):
            pass
        return self.text(start)

    def wait(self):
        """Reads to the end; the exit status."""
        end = time.monotonic() + LIMIT
        while self.read(0.1):
            assert time.monotonic() < end, "it does not end"
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        return self.status
