"""The replay engine plays its script as its head comment says."""
import os
import signal
import tempfile

import engine_client
from engine_client import Closed, Engine, frame, text_of

REPLAY = os.path.join(os.environ["top_builddir"], "tests/replay_engine")
ASK = {"messages": [{"role": "user", "content": "hello"}]}


def replay(script):
    file = tempfile.NamedTemporaryFile("w", suffix=".replay")
    file.write(script)
    file.flush()
    engine = Engine([REPLAY, "--model", "ignored"], FATHOM_REPLAY=file.name)
    engine.script = file  # kept until the engine is gone
    return engine


def an_answer_is_played_word_by_word():
    engine = replay("# a comment\n\nwant GENERATE\nthink Hm, so.\n"
                    "say It is\\n42.\ndone {\"usage\":{\"prompt\":3}}\n")
    engine.send("GENERATE", 5, **ASK)
    events, done, kind = engine.answer(5)
    assert kind == "DONE" and done["finish"] == "stop"
    assert done["usage"] == {"prompt": 3, "cached": 0, "thinking": 2,
                             "answer": 2, "context": 4096}
    assert text_of(events, "think") == "Hm, so."
    assert text_of(events, "answer") == "It is\n42."
    assert len(events) == 4
    assert engine.end() == (0, "")


def an_open_is_answered_on_the_way():
    engine = replay("want DESCRIBE\nsend DONE {\"model\":{}}\n")
    engine.send("OPEN", 1)
    assert engine.answer(1)[1]["protocol"] == 1
    engine.send("DESCRIBE", 2)
    assert engine.answer(2)[1] == {"model": {}}
    assert engine.end()[0] == 0


def text_sent_ahead_is_seen_in_its_place():
    engine = replay("want GENERATE {\"messages\":[{\"content\":\"onetwo\"}]}\n"
                    "error limit 12 too long\n")
    engine.send("TEXT", 3, slot=0, text="one")
    engine.send("TEXT", 3, slot=0, text="two")
    engine.send("GENERATE", 3, messages=[
        {"role": "user", "content": {"slot": 0}}])
    assert engine.answer(3)[1:] == (
        {"status": "limit", "text": "too long", "exit": 12}, "ERROR")
    engine.end()


def a_request_that_is_not_wanted_ends_it():
    engine = replay("want GENERATE {\"max_tokens\":5}\n")
    engine.send("GENERATE", 1, max_tokens=6)
    status, error = engine.end()
    assert status == 3 and "lacks" in error and "step 1" in error
    engine = replay("want GENERATE\n")
    engine.send("TOKENIZE", 1)
    assert engine.end()[0] == 3


def a_broken_script_is_named():
    for script, named in (("sing\n", "sing"), ("want SONG\n", "SONG"),
                          ("repeat 2\n", "end")):
        status, error = replay(script).end()
        assert status == 2 and named in error


def it_repeats_dies_and_sends_garbage():
    engine = replay("want GENERATE\nrepeat 2\nrepeat 3\nsay x\nend\nsay y\n"
                    "end\nraw ab\\x00\\n\ndie 9\n")
    engine.send("GENERATE", 1)
    said = "".join(engine.event()[2]["text"] for _ in range(8))
    assert said == "xxxyxxxy"
    try:
        while True:
            engine.read_some()
    except Closed:
        pass
    assert engine.got == b"ab\0\n"
    assert engine.end()[0] == -signal.SIGKILL


def it_ignores_the_keys_of_the_terminal():
    engine = replay("want GENERATE\nwant CANCEL\n"
                    "done {\"finish\":\"interrupted\"}\n")
    engine.send("GENERATE", 1)
    engine.send("OPEN", 2)
    engine.answer(2)  # so it has started
    engine.process.send_signal(signal.SIGINT)
    engine.process.send_signal(signal.SIGTSTP)
    engine.send("CANCEL", 1)
    assert engine.answer(1)[1]["finish"] == "interrupted"
    assert engine.end()[0] == 0


def requests_are_recorded():
    with tempfile.NamedTemporaryFile("r") as record:
        engine = replay(f"record {record.name}\nwant GENERATE\n")
        engine.write(frame("GENERATE", 9, {"seed": 1}))
        assert engine.end()[0] == 0
        assert record.read() == 'GENERATE 9 {"seed":1}\n'


engine_client.run([
    an_answer_is_played_word_by_word,
    an_open_is_answered_on_the_way,
    text_sent_ahead_is_seen_in_its_place,
    a_request_that_is_not_wanted_ends_it,
    a_broken_script_is_named,
    it_repeats_dies_and_sends_garbage,
    it_ignores_the_keys_of_the_terminal,
    requests_are_recorded,
])
