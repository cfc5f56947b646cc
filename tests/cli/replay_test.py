"""The replay engine plays its script as its head comment says."""
import base64
import os
import signal
import struct
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


def with_a_pace_it_listens():
    script = ("want GENERATE\npace 20\nthink a b c d e f g h i j k l m n o p\n"
              "say one two three four five six seven eight nine ten\ndone\n")
    engine = replay(script)
    engine.send("GENERATE", 1)
    assert engine.event()[2] == {"channel": "think", "text": "a", "tokens": 1}
    engine.send("STATS", 2)
    engine.send("ANSWER_NOW", 1)
    events, stats = [], None
    while True:
        kind, number, body = engine.event()
        if number == 2:
            stats = body
            continue
        events.append((kind, body))
        if kind == "TOKEN" and body["channel"] == "answer":
            break
    assert stats["state"] == "idle"
    thought = text_of(events, "think")
    assert len(thought) < len(" b c d e f g h")
    engine.send("ANSWER_NOW", 1)  # too late
    engine.send("CANCEL", 1)
    events, done, kind = engine.answer(1)
    assert kind == "DONE" and done["finish"] == "interrupted"
    assert "five" not in text_of(events, "answer")
    thinking = done["thinking"]
    assert thinking["asked"] and thinking["cut"] and thinking["closed"]
    assert engine.end()[0] == 0
    engine = replay(script)
    engine.send("GENERATE", 1)
    done = engine.answer(1)[1]
    assert done["finish"] == "stop" and not done["thinking"]["asked"]
    assert done["timing"]["decode_tps"] == 50
    engine.end()


def cells(body):
    count = body["layers"] * body["experts"]
    uses = base64.b64decode(body["uses"], validate=True)
    tier = base64.b64decode(body["tier"], validate=True)
    return struct.unpack("<%dI" % count, uses), tier


def experts_are_told_to_whom_asks():
    script = ("experts 3 58 256 8 tiers\nwant GENERATE\nthink a b\n"
              "say c d e\ndone\nwant GENERATE\nsay x\ndone\n")
    told = []
    for _ in range(2):
        engine = replay(script)
        engine.send("GENERATE", 1, residency_ms=1)
        events = engine.answer(1)[0]
        maps = [body for kind, body in events if kind == "RESIDENCY"]
        assert [one["tokens"] for one in maps] == [2, 3]
        for one in maps:
            uses, tier = cells(one)
            for layer in range(58):
                of_layer = uses[layer * 256:][:256]
                assert sum(of_layer) == one["tokens"] * 8
            assert set(tier) == {0, 1, 2}
            assert abs(one["vram"] + one["ram"] + one["nvme"] - 1) < 1e-6
        told.append(maps)
        engine.send("GENERATE", 2)  # did not ask
        assert [kind for kind, _ in engine.answer(2)[0]] == ["TOKEN"]
        engine.end()
    assert told[0] == told[1]
    engine = replay("want GENERATE\nsay x\ndone\nwant STATS\n")
    engine.send("GENERATE", 1, residency_ms=1)  # no experts are known of
    assert [kind for kind, _ in engine.answer(1)[0]] == ["TOKEN"]
    engine.end()


def loops_and_plans_are_told():
    engine = replay("experts 1 3 8 2 ram\nwant OPEN\n"
                    "opened {\"context\":99}\nwant GENERATE\n"
                    "loop think 7 30\ndone\nwant CANCEL\n")
    engine.send("PLAN", 1)
    plan = engine.answer(1)[1]["plan"]
    assert (plan["layers"], plan["first_layer"]) == (4, 1)
    assert (plan["experts"], plan["active"]) == (8, 2)
    engine.send("OPEN", 2)
    opened = engine.answer(2)[1]
    assert opened["context"] == 99 and opened["plan"] == plan
    engine.send("GENERATE", 3)
    assert engine.answer(3)[0] == [
        ("LOOP", {"channel": "think", "period": 7, "repeats": 30})]
    engine.end()


def the_scripts_in_the_tree_play_to_their_end():
    folder = os.path.join(os.environ["top_srcdir"], "tests/data/replay")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name)) as file:
            script = file.read()
        # at once
        engine = replay("".join(line for line in script.splitlines(True)
                                if not line.startswith(("pace", "sleep"))))
        if "want OPEN" in script:
            engine.send("OPEN", 1)
            assert engine.answer(1)[2] == "DONE"
        engine.send("GENERATE", 2, residency_ms=1)
        events, done, kind = engine.answer(2)
        assert kind == "DONE" and done["finish"] == "stop"
        assert text_of(events, "think") and text_of(events, "answer")
        assert engine.end() == (0, "")


engine_client.run([
    an_answer_is_played_word_by_word,
    an_open_is_answered_on_the_way,
    text_sent_ahead_is_seen_in_its_place,
    a_request_that_is_not_wanted_ends_it,
    a_broken_script_is_named,
    it_repeats_dies_and_sends_garbage,
    it_ignores_the_keys_of_the_terminal,
    requests_are_recorded,
    with_a_pace_it_listens,
    experts_are_told_to_whom_asks,
    loops_and_plans_are_told,
    the_scripts_in_the_tree_play_to_their_end,
])
