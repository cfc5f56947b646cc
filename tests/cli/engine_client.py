"""Speaks the engine protocol to a program: fathom-engine or replay_engine.

Used by the engine tests; standard library only. Every wait has a limit, so a
test of a program that hangs fails instead of hanging itself.
"""
import base64
import json
import os
import select
import struct
import subprocess
import sys
import time

REQUESTS = {"OPEN": 1, "TEXT": 2, "DESCRIBE": 3, "TOKENIZE": 4, "PLAN": 5,
            "GENERATE": 6, "CANCEL": 7, "SNAPSHOT": 8, "STATS": 9,
            "ANSWER_NOW": 10}
EVENTS = {129: "PROGRESS", 130: "TOKEN", 131: "RESIDENCY", 132: "IDS",
          133: "DONE", 134: "ERROR", 135: "LOOP"}
LIMIT = float(os.environ.get("FATHOM_TEST_LIMIT", "60"))


class Closed(Exception):
    """The program closed its end."""


def frame(kind, number, body, version=1):
    """One frame; `kind` is a name or a number, `body` an object or bytes."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return struct.pack("<IHHQ", len(payload), version,
                       REQUESTS.get(kind, kind), number) + payload


class Stream:
    """A pair of file descriptors that carry frames."""

    def __init__(self, to_engine, from_engine):
        self.to_engine, self.from_engine = to_engine, from_engine
        self.got = b""

    def write(self, data):
        """Writes all of data within the limit, as a patient client does."""
        view, end = memoryview(data), time.monotonic() + LIMIT
        while view:
            if not select.select([], [self.to_engine], [],
                                 max(0, end - time.monotonic()))[1]:
                raise TimeoutError("the engine does not read")
            view = view[os.write(self.to_engine, view[:4096]):]

    def send(self, kind, number, **fields):
        self.write(frame(kind, number, fields))

    def read_some(self, limit=LIMIT):
        if not select.select([self.from_engine], [], [], limit)[0]:
            raise TimeoutError("the engine says nothing")
        data = os.read(self.from_engine, 65536)
        if not data:
            raise Closed()
        self.got += data

    def event(self, limit=LIMIT):
        """The next event: (type, number, object)."""
        end = time.monotonic() + limit
        while True:
            if len(self.got) >= 16:
                length, version, kind, number = struct.unpack_from(
                    "<IHHQ", self.got)
                assert version == 1 and length <= 1 << 20
                if len(self.got) >= 16 + length:
                    payload = self.got[16:16 + length]
                    self.got = self.got[16 + length:]
                    return EVENTS[kind], number, json.loads(payload)
            self.read_some(max(0, end - time.monotonic()))

    def answer(self, number, limit=LIMIT):
        """Events of one request up to its end: (all before, last, kind)."""
        events = []
        while True:
            kind, of, body = self.event(limit)
            if of != number:
                raise AssertionError(f"event {kind} of request {of}")
            if kind in ("DONE", "ERROR"):
                return events, body, kind
            events.append((kind, body))

    def close(self):
        for fd in (self.to_engine, self.from_engine):
            if fd is not None:
                os.close(fd)
        self.to_engine = self.from_engine = None


class Engine(Stream):
    """A program started on a pair of pipes."""

    started = []  # by the test that runs

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, bufsize=0,
            env=dict(os.environ, **environment))
        super().__init__(self.process.stdin.fileno(),
                         self.process.stdout.fileno())
        Engine.started.append(self.process)

    def end(self):
        """Closes the requests; (status, standard error)."""
        self.process.stdin.close()
        try:
            status = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        error = self.process.stderr.read().decode()
        self.process.stdout.close()
        self.process.stderr.close()
        return status, error


def text_of(events, channel):
    return "".join(body["text"] for kind, body in events
                   if kind == "TOKEN" and body["channel"] == channel)


def save_snapshot(engine, number):
    """All chunks of the conversation's cache: (bytes, last DONE)."""
    data, at = b"", {"next": 0}
    while True:
        engine.send("SNAPSHOT", number, action="save", offset=at["next"])
        _, done, kind = engine.answer(number)
        assert kind == "DONE", done
        at = done["snapshot"]
        data += base64.b64decode(at.pop("data"), validate=True)
        assert len(data) == at["next"]
        if at["next"] == at["bytes"]:
            return data, at


def restore_snapshot(engine, number, data, chunk=1 << 18):
    """Sends a snapshot; the last answer: (kind, object)."""
    for at in range(0, len(data), chunk):
        piece = base64.b64encode(data[at:at + chunk]).decode()
        engine.send("SNAPSHOT", number, action="restore", offset=at,
                    data=piece)
        _, done, kind = engine.answer(number)
        if kind == "ERROR":
            break
    return kind, done


def run(tests):
    """Runs functions as TAP; a test returns a string to be skipped."""
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for i, test in enumerate(tests, 1):
        Engine.started.clear()
        try:
            skipped = test()
        except Exception as problem:  # a test that breaks has failed
            failed += 1
            for process in Engine.started:
                process.kill()
            text = f"{type(problem).__name__}: {problem}"
            for line in text.splitlines():
                print("#", line)
            trace = sys.exc_info()[2]
            while trace.tb_next:
                trace = trace.tb_next
            print(f"# at line {trace.tb_lineno} of "
                  f"{os.path.basename(trace.tb_frame.f_code.co_filename)}")
            print(f"not ok {i} - {test.__name__}", flush=True)
        else:
            skip = f" # SKIP {skipped}" if skipped else ""
            print(f"ok {i} - {test.__name__}{skip}", flush=True)
    sys.exit(1 if failed else 0)
