"""Warm engines: several clients at a rendezvous, written from its description.

The client here knows only what base/rendezvous.h and fathom-protocol(5) say.
"""
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time

import engine_client
from engine_client import LIMIT, Closed, Stream, text_of

ENGINE = os.path.join(os.environ["top_builddir"], "fathom-engine")
MODEL = os.path.join(os.environ["top_srcdir"], "models/fathom-mini.gguf")
QUESTION = [{"role": "user", "content": "What is 27 * 14?"}]


def name_of(model):
    """FNV-1a, 64 bits, of the real path."""
    value = 0xcbf29ce484222325
    for byte in os.path.realpath(model).encode():
        value = (value ^ byte) * 0x100000001b3 % (1 << 64)
    return f"{value:016x}"


def wait_until(condition, what):
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.005)


class Warm:
    """A warm engine in a runtime directory of its own."""

    def __init__(self, *options, model=MODEL, folder=None):
        self.own = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="fathom-warm-")
        self.model = model
        self.fifo = os.path.join(self.folder, name_of(model) + ".fifo")
        self.process = subprocess.Popen(
            [ENGINE, "--warm=" + self.folder, *options, model],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.clients = 0
        wait_until(lambda: self.is_up() or self.process.poll() is not None,
                   "no rendezvous")

    def is_up(self):
        try:
            os.close(os.open(self.fifo, os.O_WRONLY | os.O_NONBLOCK))
            return True
        except OSError:
            return False

    def write(self, record):
        fifo = os.open(self.fifo, os.O_WRONLY | os.O_NONBLOCK)
        os.write(fifo, record)
        os.close(fifo)

    def connect(self):
        self.clients += 1
        name = f"client-{os.getpid()}-{self.clients:016x}"
        base = os.path.join(self.folder, name)
        for suffix in (".in", ".out"):
            os.mkfifo(base + suffix, 0o600)
        out = os.open(base + ".out", os.O_RDONLY | os.O_NONBLOCK)
        self.write(f"fathom 1 open {name}\n".encode())
        into = []

        def opened():
            try:
                into.append(os.open(base + ".in",
                                    os.O_WRONLY | os.O_NONBLOCK))
                return True
            except OSError:
                return False
        wait_until(opened, "the engine does not open the requests")
        os.unlink(base + ".in")
        os.unlink(base + ".out")
        return Stream(into[0], out)

    def end(self):
        """Stops it by a record; (status, output, standard error)."""
        if self.process.poll() is None:
            self.write(b"fathom 1 stop\n")
        output, error = self.process.communicate(timeout=LIMIT)
        left = os.listdir(self.folder)
        if self.own:
            shutil.rmtree(self.folder)
        return self.process.returncode, output, error.decode(), left


def assert_ended_well(warm):
    assert warm.end() == (0, b"", "", [])


def ask(client, number, **fields):
    client.send("GENERATE", number, **dict({"messages": QUESTION}, **fields))


def until_token(client):
    while client.event()[0] != "TOKEN":
        pass


def two_asks_at_once_are_both_answered():
    warm = Warm()
    first, second = warm.connect(), warm.connect()
    ask(first, 1)
    ask(second, 1)
    for client in (second, first):
        events, done, kind = client.answer(1)
        assert text_of(events, "answer") == "27 * 14 = 378"
        # neither has seen anything of the other's cache
        assert done["usage"]["cached"] == 0
    first.close()
    second.close()
    assert_ended_well(warm)


def counts_of_experts_are_the_askers_own():
    warm = Warm()
    first, second = warm.connect(), warm.connect()
    ask(first, 1, max_tokens=30, residency_ms=1)
    ask(second, 1, max_tokens=5)
    events, done, kind = first.answer(1)
    told = sum(body["tokens"] for kind, body in events
               if kind == "RESIDENCY")
    assert told == done["usage"]["prompt"] + 29
    second_events = second.answer(1)[0]
    assert "RESIDENCY" not in [kind for kind, _ in second_events]
    # what another did in between is not in it
    ask(first, 2, max_tokens=3, residency_ms=1000000)
    events, done, kind = first.answer(2)
    maps = [body for kind, body in events if kind == "RESIDENCY"]
    usage = done["usage"]
    assert [one["tokens"] for one in maps] == [
        usage["prompt"] - usage["cached"] + 2]
    first.close()
    second.close()
    assert_ended_well(warm)


def a_killed_client_makes_room_for_the_next():
    warm = Warm("--sessions=1")
    first, second = warm.connect(), warm.connect()
    ask(first, 1, ignore_end=True)
    until_token(first)
    ask(second, 1)
    first.close()
    # the second waited; the first's place is its own now, or soon
    events, last, kind = second.answer(1)
    if kind == "ERROR":
        assert last["exit"] == 75
        ask(second, 2)
        events, last, kind = second.answer(2)
    assert text_of(events, "answer") == "27 * 14 = 378"
    second.close()
    assert_ended_well(warm)


def one_conversation_too_many_is_told_to_come_later():
    warm = Warm("--sessions=1")
    first, second = warm.connect(), warm.connect()
    ask(first, 1)
    assert first.answer(1)[2] == "DONE"
    ask(second, 1)
    events, error, kind = second.answer(1)
    assert kind == "ERROR" and error["exit"] == 75, error
    first.close()

    def answered():
        ask(second, 2)
        return second.answer(2)[2] == "DONE"
    wait_until(answered, "the place does not become free")
    second.close()
    assert_ended_well(warm)


def a_client_that_never_reads_disturbs_nobody():
    warm = Warm()
    deaf, other = warm.connect(), warm.connect()
    ask(deaf, 1, ignore_end=True, logprobs=20)
    piece = "7 + 8 = 15. " * 10000
    for _ in range(42):  # 5 MB
        deaf.send("TEXT", 2, slot=0, text=piece)
    deaf.send("GENERATE", 2, messages=[
        {"role": "user", "content": {"slot": 0}}])
    ask(other, 1)
    assert other.answer(1)[2] == "DONE"
    deaf.close()
    other.close()
    assert_ended_well(warm)


def a_killed_engine_is_seen_and_can_be_started_again():
    warm = Warm()
    client = warm.connect()
    ask(client, 1, ignore_end=True)
    until_token(client)
    warm.process.kill()
    try:
        while True:
            client.event()
    except Closed:
        pass
    client.close()
    warm.process.communicate()
    # its files are still there, and in nobody's way
    assert os.path.exists(warm.fifo) and not warm.is_up()
    again = Warm(folder=warm.folder)
    client = again.connect()
    ask(client, 1)
    assert client.answer(1)[1]["finish"] == "stop"
    client.close()
    assert_ended_well(again)
    shutil.rmtree(warm.folder)


def a_second_model_has_an_engine_of_its_own():
    warm = Warm()
    copy = os.path.join(warm.folder, "copy.gguf")
    shutil.copy(MODEL, copy)
    second = Warm(folder=warm.folder, model=copy)
    for engine in (warm, second):
        client = engine.connect()
        client.send("STATS", 1)
        assert client.answer(1)[1]["file"] == engine.model
        client.close()
    status, output, error, left = second.end()
    assert (status, output, error) == (0, b"", "")
    assert sorted(left) == sorted(["copy.gguf", name_of(MODEL) + ".engine",
                                   name_of(MODEL) + ".fifo"])
    os.unlink(copy)
    assert_ended_well(warm)


def one_engine_a_model():
    warm = Warm()
    second = Warm(folder=warm.folder)
    output, error = second.process.communicate(timeout=LIMIT)
    assert second.process.returncode == 75 and output == b""
    assert "serves" in error.decode()
    assert warm.is_up()
    assert_ended_well(warm)


def the_lock_tells_whether_an_engine_lives():
    warm = Warm()
    path = os.path.join(warm.folder, name_of(MODEL) + ".engine")
    with open(path, "rb+") as lock:
        assert lock.read().decode() == os.path.realpath(MODEL)
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            raise AssertionError("nobody holds the lock")
        except OSError:
            pass
    for file in os.listdir(warm.folder):
        mode = os.stat(os.path.join(warm.folder, file)).st_mode
        assert mode & 0o777 == 0o600
    assert_ended_well(warm)


def an_idle_engine_ends():
    warm = Warm("--idle=1")
    client = warm.connect()
    time.sleep(1.2)  # a client is there: not idle
    client.send("STATS", 1)
    assert client.answer(1)[2] == "DONE"
    client.close()
    assert warm.process.wait(LIMIT) == 0
    assert_ended_well(warm)


def a_signal_ends_it_and_leaves_nothing():
    for number in (signal.SIGTERM, signal.SIGHUP):
        warm = Warm()
        client = warm.connect()
        ask(client, 1, ignore_end=True)
        until_token(client)
        warm.process.send_signal(number)
        assert warm.process.wait(LIMIT) == 0
        client.close()
        assert_ended_well(warm)


def broken_records_are_skipped():
    warm = Warm()
    for record in (b"\n", b"fathom 2 open x\n", b"fathom 1 open ../../x\n",
                   b"fathom 1 open client-1-0\n", b"fathom 1 open \n",
                   b"fathom 1 open " + b"x" * 100 + b"\n",
                   b"fathom 1 stop now\n", b"\0" * 4000):
        warm.write(record)
    warm.write(b"\n")
    # a name that is no FIFO
    plain = os.path.join(warm.folder, "client-1-1.out")
    with open(plain, "w", encoding="ascii"):
        warm.write(b"fathom 1 open client-1-1\n")
    client = warm.connect()
    client.send("STATS", 1)
    assert client.answer(1)[1]["clients"] == 1
    client.close()
    os.unlink(plain)
    assert_ended_well(warm)


def what_dead_clients_left_is_removed():
    folder = tempfile.mkdtemp(prefix="fathom-warm-")
    dead = subprocess.Popen(["true"])
    dead.wait()
    mine = f"client-{os.getpid()}-0.in"
    for name in (f"client-{dead.pid}-0.in", f"client-{dead.pid}-0.out", mine):
        os.mkfifo(os.path.join(folder, name))
    warm = Warm(folder=folder)
    assert sorted(os.listdir(folder)) == sorted(
        [mine, name_of(MODEL) + ".engine", name_of(MODEL) + ".fifo"])
    os.unlink(os.path.join(folder, mine))
    assert_ended_well(warm)
    shutil.rmtree(folder)


def an_unsafe_directory_is_refused():
    folder = tempfile.mkdtemp(prefix="fathom-warm-")
    os.chmod(folder, 0o755)
    for path in (folder, folder + "/missing", MODEL):
        warm = Warm(folder=path)
        warm.process.wait(LIMIT)
        output, error = warm.process.communicate()
        assert warm.process.returncode == 69 and path in error.decode(), error
    os.rmdir(folder)


def a_model_that_cannot_be_used_ends_it():
    folder = tempfile.mkdtemp(prefix="fathom-warm-")
    broken = os.path.join(folder, "broken.gguf")
    with open(broken, "wb") as file:
        file.write(b"GGUF" + b"\0" * 100)
    for path, code in ((broken, 65), (folder + "/missing.gguf", 66)):
        warm = Warm(folder=folder, model=path)
        warm.process.wait(LIMIT)
        status, output, error, left = warm.end()
        assert status == code, (status, error)
        assert error.startswith("fathom-engine: ") and path in error
        assert left == ["broken.gguf"]
    shutil.rmtree(folder)


engine_client.run([
    two_asks_at_once_are_both_answered,
    counts_of_experts_are_the_askers_own,
    a_killed_client_makes_room_for_the_next,
    one_conversation_too_many_is_told_to_come_later,
    a_client_that_never_reads_disturbs_nobody,
    a_killed_engine_is_seen_and_can_be_started_again,
    a_second_model_has_an_engine_of_its_own,
    one_engine_a_model,
    the_lock_tells_whether_an_engine_lives,
    an_idle_engine_ends,
    a_signal_ends_it_and_leaves_nothing,
    broken_records_are_skipped,
    what_dead_clients_left_is_removed,
    an_unsafe_directory_is_refused,
    a_model_that_cannot_be_used_ends_it,
])
