"""fathom-engine on a pair of pipes, with the bundled model."""
import base64
import hashlib
import os
import pty
import shutil
import signal
import struct
import subprocess
import tempfile
import time

import engine_client
from engine_client import (LIMIT, Closed, Engine, frame, restore_snapshot,
                           save_snapshot, text_of)

ENGINE = os.path.join(os.environ["top_builddir"], "fathom-engine")
MODEL = os.path.join(os.environ["top_srcdir"], "models/fathom-mini.gguf")
SMOLLM2 = os.path.join(
    os.environ.get("XDG_DATA_HOME", os.path.expanduser("~/.local/share")),
    "fathom/models/SmolLM2-135M-Instruct.Q4_1.gguf")
QUESTION = [{"role": "user", "content": "What is 27 * 14?"}]


def start(*options, model=MODEL, **environment):
    return Engine([ENGINE, *options, "--", model], **environment)


def ask(engine, number, content="What is 27 * 14?", **fields):
    engine.send("GENERATE", number,
                messages=[{"role": "user", "content": content}], **fields)


def end_well(engine):
    assert engine.end() == (0, "")


def it_answers_after_a_thought():
    engine = start()
    ask(engine, 1)
    events, done, kind = engine.answer(1)
    assert kind == "DONE" and done["finish"] == "stop"
    assert text_of(events, "think").endswith("So 378.")
    assert text_of(events, "answer") == "27 * 14 = 378"
    usage, thinking = done["usage"], done["thinking"]
    told = {"think": 0, "answer": 0}
    for kind, body in events:
        if kind == "TOKEN":
            told[body["channel"]] += body["tokens"]
    assert told["think"] == usage["thinking"] == thinking["tokens"]
    assert told["answer"] == usage["answer"]
    assert thinking["mode"] == "on" and thinking["closed"]
    assert not thinking["cut"] and usage["cached"] == 0
    assert done["sampling"]["temperature"] == 0  # the file's own wish
    assert 0 < done["timing"]["load"]["first_token_ms"]
    assert done["timing"]["ttft_ms"] <= done["timing"]["total_ms"]
    assert done["placement"]["device"] == "cpu"
    assert done["residency"] == {"vram": 0, "ram": 1, "nvme": 0,
                                 "nvme_bytes": 0}
    assert done["warnings"] == []
    end_well(engine)


def fingerprint_of_small(path):
    """As fathom-engine(8) says, for a file of at most 16 MiB."""
    with open(path, "rb") as file:
        content = file.read()
    assert len(content) <= 16 << 20
    head = b"fathom model fingerprint 1\0" + struct.pack(
        "<QQ", 1, len(content))
    return hashlib.blake2b(head + content, digest_size=32).hexdigest()


def opening_goes_as_far_as_asked():
    engine = start()
    for number, depth in enumerate(["vocabulary", "shape", "weights"], 1):
        engine.send("OPEN", number, depth=depth)
        events, done, kind = engine.answer(number)
        assert kind == "DONE" and done["protocol"] == 1
        assert done["context"] == (1024 if depth == "weights" else 0)
        read = [body for kind, body in events if kind == "PROGRESS"
                and body["phase"] == "read"]
        assert bool(read) == (depth == "weights")
    assert read[-1]["done"] == read[-1]["of"] > 6000000
    model = done["model"]
    assert model["architecture"] == "deepseek2"
    assert model["family"] == "deepseek-r1" and model["family_why"] is None
    assert model["thinks"] and model["switch"]
    assert model["fingerprint"] == fingerprint_of_small(MODEL)
    engine.send("OPEN", 9)
    events, done, kind = engine.answer(9)
    assert done["load"]["read_ms"] == 0
    assert not [body for kind, body in events if body.get("phase") != "queue"]
    end_well(engine)


def it_describes_the_model():
    engine = start()
    engine.send("DESCRIBE", 1)
    description = engine.answer(1)[1]["model"]
    assert "deepseek2" in str(description) and "fathom-mini" in str(description)
    end_well(engine)


def the_cache_is_used_from_turn_to_turn():
    engine = start()
    ask(engine, 1)
    events, first, _ = engine.answer(1)
    answer = text_of(events, "answer")
    turns = QUESTION + [
        {"role": "assistant", "content": answer,
         "reasoning": text_of(events, "think")},
        {"role": "user", "content": "What is 3 + 4?"}]
    engine.send("GENERATE", 2, messages=turns)
    events, second, _ = engine.answer(2)
    assert "7" in text_of(events, "answer")
    # all up to the first answer's thought, which is not in the history
    assert second["usage"]["cached"] == first["usage"]["prompt"] - 2
    # the same again is run again from where it began, and is the same
    engine.send("GENERATE", 3, messages=turns)
    again, third, _ = engine.answer(3)
    assert third["usage"] == second["usage"]
    assert text_of(again, "answer") == text_of(events, "answer")
    assert text_of(again, "think") == text_of(events, "think")
    end_well(engine)


def an_answer_goes_back_by_its_own_ids():
    # without a thought before it the whole first turn is in the cache
    engine = start()
    ask(engine, 1, thinking=False)
    events, first, _ = engine.answer(1)
    assert text_of(events, "think") == ""
    assert first["thinking"]["mode"] == "off"
    engine.send("GENERATE", 2, thinking=False, messages=QUESTION + [
        {"role": "assistant", "content": text_of(events, "answer")},
        {"role": "user", "content": "Thanks."}])
    assert engine.answer(2)[1]["finish"] == "stop"
    end_well(engine)


def a_model_without_thoughts_goes_on_in_its_cache():
    if not os.path.exists(SMOLLM2):
        return "script/example-model has not fetched SmolLM2"
    engine = start(model=SMOLLM2)
    turns = [{"role": "user", "content":
              "What is the capital of France? Answer in one sentence."}]
    engine.send("GENERATE", 1, messages=turns, sampling={"temperature": 0})
    events, first, _ = engine.answer(1)
    answer = text_of(events, "answer")
    assert "Paris" in answer and first["thinking"]["mode"] == "none"
    # enough weights to try how fast memory gives them
    assert 1e8 < first["placement"]["bandwidth_bytes"] < 1e13
    turns += [{"role": "assistant", "content": answer},
              {"role": "user", "content": "And of Italy?"}]
    engine.send("GENERATE", 2, messages=turns, sampling={"temperature": 0},
                thinking=True)
    events, second, _ = engine.answer(2)
    assert "Rome" in text_of(events, "answer")
    # the whole first turn, by the ids of its answer; its end token was not run
    usage = first["usage"]
    assert second["usage"]["cached"] == usage["prompt"] + usage["answer"]
    assert len(second["warnings"]) == 1
    end_well(engine)
    return None


def stop_strings_end_the_answer_unseen():
    engine = start()
    ask(engine, 1, stop=["= 3", "zebra"])
    events, done, _ = engine.answer(1)
    assert text_of(events, "answer") == "27 * 14 "
    assert done["finish"] == "stop"
    assert "= 3" in text_of(events, "think") or "=2" in text_of(events, "think")
    end_well(engine)


def limits_end_it():
    engine = start("--context=200")
    for number, (fields, finish) in enumerate([
            ({"max_tokens": 5}, "ended_thinking"),
            ({"max_tokens": 115}, "length"),
            ({"max_tokens": 0}, "ended_thinking"),
            ({"max_tokens": 5, "thinking": False}, "length"),
            ({"ignore_end": True}, "context_full"),
            ({"think_budget": 10}, "think_budget"),
            ({"think_budget": 0}, "think_budget"),
            ({"think_budget": 10, "max_tokens": 17}, "length")], 1):
        ask(engine, number, **fields)
        events, done, kind = engine.answer(number)
        assert kind == "DONE" and done["finish"] == finish, (fields, done)
        usage = done["usage"]
        if "max_tokens" in fields:
            assert usage["thinking"] + usage["answer"] <= fields["max_tokens"]
        if finish == "context_full":
            assert usage["prompt"] + usage["thinking"] + usage["answer"] == 200
        if finish == "think_budget":
            # the marker, and the line feeds on both of its sides
            assert usage["thinking"] == fields["think_budget"] + 2
            assert done["thinking"]["cut"] and done["thinking"]["closed"]
            assert text_of(events, "answer") != ""
    end_well(engine)


def the_same_seed_gives_the_same_answer():
    answers = []
    for threads, level in (("1", "avx2"), ("2", "ref"), ("3", "avx2")):
        engine = start("--threads=" + threads, FATHOM_CPU=level)
        rule = {"temperature": 20, "top_p": 1}  # the model is very sure
        ask(engine, 1, sampling=dict(rule, seed=7), max_tokens=60,
            ignore_end=True)
        events, done, _ = engine.answer(1)
        assert done["sampling"]["seed"] == 7
        assert done["placement"]["threads"] == int(threads)
        answers.append(text_of(events, "think") + text_of(events, "answer"))
        ask(engine, 2, sampling=dict(rule, seed=8), max_tokens=60,
            ignore_end=True)
        other = engine.answer(2)[0]
        assert text_of(other, "think") + text_of(other, "answer") != answers[0]
        end_well(engine)
    assert answers[0] == answers[1] == answers[2]


def a_drawn_seed_is_told_and_repeats():
    engine = start()
    rule = {"temperature": 20, "top_p": 1}
    ask(engine, 1, sampling=rule, max_tokens=40)
    first, done, _ = engine.answer(1)
    rule["seed"] = done["sampling"]["seed"]
    assert 0 <= rule["seed"] < 1 << 32
    ask(engine, 2, sampling=rule, max_tokens=40)
    again = engine.answer(2)[0]
    assert text_of(first, "think") == text_of(again, "think")
    end_well(engine)


def logprobs_are_of_every_token():
    engine = start()
    ask(engine, 1, logprobs=3, max_tokens=30, thinking=False)
    events, done, _ = engine.answer(1)
    told = [entry for kind, body in events if kind == "TOKEN"
            for entry in body.get("logprobs", [])]
    assert len(told) == done["usage"]["answer"]
    assert "".join(entry["text"] for entry in told).strip() == text_of(
        events, "answer")
    for entry in told:
        assert entry["logprob"] <= 0 and len(entry["best"]) == 3
        # greedy: the token is the best one, and they are in order
        assert entry["best"][0]["id"] == entry["id"]
        assert entry["best"][0]["logprob"] == entry["logprob"]
        assert entry["best"][0]["logprob"] >= entry["best"][1]["logprob"]
    ask(engine, 2, logprobs=0, max_tokens=3)
    entry = engine.answer(2)[0][-1][1]["logprobs"][0]
    assert entry["best"] == []
    end_well(engine)


def an_answer_that_is_begun_is_continued():
    engine = start()
    ask(engine, 1, content="Who are you?", thinking=False)
    whole = text_of(engine.answer(1)[0], "answer")
    assert len(whole) > 20
    half = whole.index(" ", len(whole) // 2)
    ask(engine, 2, content="Who are you?", prefill=whole[:half])
    events, done, _ = engine.answer(2)
    assert text_of(events, "think") == "" and done["thinking"]["mode"] == "off"
    assert whole[:half] + text_of(events, "answer") == whole
    end_well(engine)


def a_stopped_answer_is_continued_with_its_thought():
    engine = start()
    ask(engine, 1)
    events, done, _ = engine.answer(1)
    thought, answer = text_of(events, "think"), text_of(events, "answer")
    # stopped in the answer, before it, and in the thought
    for number, start_of in enumerate(["27 * ", ""], 2):
        ask(engine, number, prefill_reasoning=thought, prefill=start_of)
        events, done, _ = engine.answer(number)
        assert text_of(events, "think") == ""
        assert start_of + text_of(events, "answer") == answer
        assert done["thinking"]["mode"] == "on" and done["thinking"]["closed"]
    half = thought[:thought.index(" ", len(thought) // 2)]
    ask(engine, 4, prefill=half, thinking=True)
    events, done, _ = engine.answer(4)
    assert half + text_of(events, "think") == thought
    assert text_of(events, "answer") == answer
    end_well(engine)


def a_thought_is_refused_where_the_model_has_none():
    if not os.path.exists(SMOLLM2):
        return "script/example-model has not fetched SmolLM2"
    engine = start(model=SMOLLM2)
    ask(engine, 1, prefill_reasoning="Hm.")
    error, kind = engine.answer(1)[1:]
    assert kind == "ERROR" and error["exit"] == 65
    assert "no thoughts" in error["text"]
    ask(engine, 2, residency_ms=1, max_tokens=3)  # nor has it experts
    maps = [body for kind, body in engine.answer(2)[0] if kind == "RESIDENCY"]
    assert {(one["layers"], one["uses"]) for one in maps} == {(0, "")}
    assert sum(one["tokens"] for one in maps) > 3
    end_well(engine)
    return None


def texts_become_ids_and_markers_stay_text():
    engine = start()
    # 80,000 words, and what nobody may type
    engine.send("TEXT", 1, slot=0, text="word " * 40000)
    engine.send("TEXT", 1, slot=0, text="word " * 40000)
    engine.send("TOKENIZE", 1, texts=["a", {"slot": 0}, "", "</think>"])
    events, done, kind = engine.answer(1)
    assert kind == "DONE"
    ids = {}
    for _, body in events:
        if _ == "IDS":
            ids.setdefault(body["index"], []).extend(body["ids"])
    assert [len(ids[0]), len(ids[2])] == [1, 0]
    assert len(ids[1]) >= 80000 and len(ids[3]) > 1
    assert done["tokens"] == sum(len(one) for one in ids.values())
    more = [body["more"] for kind, body in events
            if kind == "IDS" and body["index"] == 1]
    assert more == [True] * (len(more) - 1) + [False] and len(more) > 1
    end_well(engine)


def a_prompt_beyond_the_context_is_refused_with_numbers():
    engine = start()
    ask(engine, 1, content="word " * 2000)
    events, error, kind = engine.answer(1)
    assert kind == "ERROR" and error["exit"] == 12
    assert error["status"] == "limit" and " 1024" in error["text"]
    assert not [kind for kind, body in events if kind == "TOKEN"]
    ask(engine, 2)
    assert engine.answer(2)[2] == "DONE"
    end_well(engine)


def a_long_prompt_goes_in_while_nobody_reads():
    engine = start()
    # an answer that is not read, then 5 MB: the engine must take all of it
    ask(engine, 1, ignore_end=True)
    piece = "7 + 8 = 15. " * 10000
    for _ in range(42):
        engine.send("TEXT", 2, slot=5, text=piece)
    engine.send("GENERATE", 2, messages=[
        {"role": "user", "content": {"slot": 5}}])
    engine.send("STATS", 3)
    ended, events = {}, {1: 0, 2: 0, 3: 0}
    while len(ended) < 3:
        kind, number, body = engine.event()
        events[number] += kind == "TOKEN"
        if kind in ("DONE", "ERROR"):
            ended[number] = body
    assert ended[1]["finish"] == "context_full"
    assert ended[2]["exit"] == 12 and events[2] == 0
    end_well(engine)


def counts_of(events):
    """What all RESIDENCY events together have counted."""
    maps = [body for kind, body in events if kind == "RESIDENCY"]
    shape = {(one["layers"], one["experts"]) for one in maps}
    assert len(shape) == 1
    layers, experts = shape.pop()
    uses = [0] * (layers * experts)
    for one in maps:
        cells = base64.b64decode(one["uses"], validate=True)
        for i, count in enumerate(struct.unpack("<%dI" % len(uses), cells)):
            uses[i] += count
        assert base64.b64decode(one["tier"], validate=True) == b"\1" * len(uses)
        assert (one["vram"], one["ram"], one["nvme"]) == (0, 1, 0)
    return maps, [uses[at:at + experts]
                  for at in range(0, len(uses), experts)]


def experts_are_counted_as_they_are_computed():
    engine = start()
    turns = [{"role": "user", "content": "What is 3 + 4? " * 20}]
    for number, fields in enumerate([{}, {"max_tokens": 9},
                                     {"max_tokens": 1}], 1):
        engine.send("GENERATE", number, messages=turns, residency_ms=1,
                    **fields)
        events, done, _ = engine.answer(number)
        maps, uses = counts_of(events)
        usage = done["usage"]
        # a prompt's repetition is run again from where it began; the last
        # token is not run
        run = usage["prompt"] - usage["cached"]
        decoded = usage["thinking"] + usage["answer"]
        decoded -= done["finish"] != "stop"
        assert sum(one["tokens"] for one in maps) == run + decoded
        for layer in uses:
            assert sum(layer) == (run + decoded) * maps[0]["active"]
        assert len(maps) >= 2 and maps[0]["first_layer"] == 1
    ask(engine, 7, max_tokens=4)
    assert not [1 for kind, _ in engine.answer(7)[0] if kind == "RESIDENCY"]
    end_well(engine)


def counts_are_of_the_request_alone():
    engine = start()
    ask(engine, 1, max_tokens=30)  # not asked for: not counted either
    engine.answer(1)
    ask(engine, 2, content="Who are you?", max_tokens=4,
        residency_ms=1000000)
    events, done, _ = engine.answer(2)
    maps, uses = counts_of(events)
    assert len(maps) == 1  # the last one, in spite of the long time
    kinds = [kind for kind, _ in events]
    assert kinds[-1] == "RESIDENCY"
    run = done["usage"]["prompt"] - done["usage"]["cached"] + 3
    assert maps[0]["tokens"] == run
    end_well(engine)


def counts_that_nobody_reads_come_with_the_next():
    engine = start()
    ask(engine, 1, ignore_end=True, residency_ms=1)
    time.sleep(1)  # more is told meanwhile than is kept unread
    events, done, _ = engine.answer(1)
    maps, uses = counts_of(events)
    usage = done["usage"]
    assert done["finish"] == "context_full"
    tokens = usage["prompt"] + usage["thinking"] + usage["answer"]
    assert sum(one["tokens"] for one in maps) == tokens == usage["context"]
    for layer in uses:
        assert sum(layer) == tokens * maps[0]["active"]
    assert max(one["tokens"] for one in maps) > 20 * min(
        one["tokens"] for one in maps[1:-1])  # some were left out
    end_well(engine)


def a_long_prompt_tells_how_far_it_is():
    engine = start()
    began = time.monotonic()
    ask(engine, 1, content="7 + 8 = 15. " * 80, max_tokens=1)
    events = engine.answer(1)[0]
    took = time.monotonic() - began
    told = [body for kind, body in events
            if kind == "PROGRESS" and body["phase"] == "prefill"]
    done = [body["done"] for body in told]
    assert done == sorted(done) and done[-1] == told[-1]["of"] > 500
    assert len(told) >= min(4 * took, 4), (took, told)
    end_well(engine)


def an_answer_that_is_asked_for_begins_at_once():
    engine = start("--threads=1", FATHOM_CPU="ref")
    for number in range(1, 40):  # it may still be faster than we are
        ask(engine, number)
        events = []
        while len(events) < 5:
            events.append(engine.event()[::2])
        engine.send("ANSWER_NOW", number)
        engine.send("ANSWER_NOW", 77)  # not in use: nothing
        rest, done, _ = engine.answer(number)
        thinking = done["thinking"]
        if thinking["asked"]:
            break
    assert thinking["cut"] and thinking["asked"] and thinking["closed"]
    # the same bits as with that many tokens as the budget
    ask(engine, 50, think_budget=thinking["tokens"] - 2)
    budget, done, _ = engine.answer(50)
    assert done["thinking"]["tokens"] == thinking["tokens"]
    assert done["thinking"]["cut"] and not done["thinking"]["asked"]
    for channel in ("think", "answer"):
        assert text_of(events + rest, channel) == text_of(budget, channel)
    # before the thought has begun: it is closed as it begins
    engine.write(frame("GENERATE", 3, {"messages": QUESTION,
                                       "ignore_end": True})
                 + frame("GENERATE", 4, {"messages": QUESTION})
                 + frame("ANSWER_NOW", 4, {}) + frame("CANCEL", 3, {}))
    events, ended = [], {}
    while len(ended) < 2:
        kind, number, body = engine.event()
        if number == 4:
            events.append((kind, body))
        if kind == "DONE":
            ended[number] = body
    assert ended[3]["finish"] == "interrupted"
    assert ended[4]["finish"] == "stop" and ended[4]["thinking"]["asked"]
    assert text_of(events, "think") == ""
    ask(engine, 5, think_budget=0)
    assert text_of(events, "answer") == text_of(engine.answer(5)[0], "answer")
    end_well(engine)


def a_thought_and_an_answer_that_repeat_themselves_are_noticed():
    engine = start()
    # a penalty below one favours what was said already
    rule = {"temperature": 0, "repeat_penalty": 0.3}
    ask(engine, 1, content="Who are you?", ignore_end=True, sampling=rule)
    events, done, _ = engine.answer(1)
    loops = [body for kind, body in events if kind == "LOOP"]
    assert [one["channel"] for one in loops] == ["think", "answer"]
    for one in loops:
        assert one["period"] * one["repeats"] >= 160 and one["repeats"] >= 4
        assert text_of(events, one["channel"]).count(" about") > 50
    at = next(i for i, event in enumerate(events) if event[0] == "LOOP")
    assert events[at + 1][0] == "TOKEN"  # it goes on
    ask(engine, 3)  # what does not repeat itself is let alone
    assert "LOOP" not in [kind for kind, _ in engine.answer(3)[0]]
    end_well(engine)


def a_plan_is_what_will_be_held():
    engine = start("--context=512")
    engine.send("PLAN", 1)
    before = engine.answer(1)[1]["plan"]
    assert before["fits"] and not before["loaded"]
    assert before["context"] == 512 and before["context_most"] == 1024
    engine.send("OPEN", 2)
    opened = engine.answer(2)[1]["plan"]
    assert opened["loaded"] and opened["fits"]
    engine.send("PLAN", 3)
    after = engine.answer(3)[1]["plan"]
    for name, value in before.items():
        if name not in ("loaded", "available_bytes"):
            assert after[name] == opened[name] == value, name
    assert after["experts"] > after["active"] > 0 < after["first_layer"]
    assert 0 < after["token_bytes"] < after["weights_bytes"]
    assert after["cache_bytes"] > 0 < after["scratch_bytes"]
    ask(engine, 4, max_tokens=1)
    placement = engine.answer(4)[1]["placement"]
    for name in ("token_bytes", "threads", "device", "level", "cache"):
        assert placement[name] == after[name]
    assert placement["bandwidth_bytes"] == 0  # a cache would have answered
    end_well(engine)


def a_plan_that_does_not_fit_says_so():
    engine = start("--context=2000000")
    engine.send("PLAN", 1)
    plan = engine.answer(1)[1]["plan"]
    assert not plan["fits"] and plan["context"] == 2000000
    end_well(engine)


def the_process_is_counted():
    engine = start("--threads=2")
    engine.send("STATS", 1)
    before = engine.answer(1)[1]["process"]
    assert before["threads"] == 0
    ask(engine, 2)
    engine.answer(2)
    engine.send("STATS", 3)
    after = engine.answer(3)[1]["process"]
    assert after["threads"] == 2
    assert after["memory_most_bytes"] >= after["memory_bytes"] > 10 << 20
    assert after["cpu_ms"] > before["cpu_ms"]
    end_well(engine)


def stats_do_not_wait():
    engine = start()
    ask(engine, 1, ignore_end=True)
    while engine.event()[0] != "TOKEN":
        pass
    engine.send("STATS", 2)
    kind, number, body = engine.event()
    while number != 2:
        assert kind != "DONE"
        kind, number, body = engine.event()
    assert kind == "DONE" and body["state"] == "busy"
    assert body["clients"] == 1 and body["engine"].startswith("fathom-engine")
    engine.answer(1)
    engine.send("STATS", 3)
    stats = engine.answer(3)[1]
    assert stats["requests"] == 1 and stats["generated_tokens"] > 500
    end_well(engine)


def a_cancel_keeps_what_there_is():
    engine = start()
    for number, reason in ((1, "interrupted"), (2, "timeout")):
        ask(engine, number, ignore_end=True)
        said = 0
        while said < 5:
            said += engine.event()[0] == "TOKEN"
        engine.send("CANCEL", number, reason=reason)
        events, done, kind = engine.answer(number)
        assert kind == "DONE" and done["finish"] == reason
        assert 5 <= done["usage"]["thinking"] < 900
    engine.send("CANCEL", 77)  # ended long ago: nothing
    ask(engine, 1)  # the number is free again
    assert engine.answer(1)[1]["finish"] == "stop"
    end_well(engine)


def requests_wait_their_turn_and_can_be_cancelled_there():
    engine = start()
    ask(engine, 1, ignore_end=True)
    ask(engine, 2)
    engine.send("TOKENIZE", 3, texts=["a"])
    engine.send("CANCEL", 2)
    engine.send("CANCEL", 3)
    while engine.event()[0] != "TOKEN":
        pass
    engine.send("CANCEL", 1)
    ended = []
    waited = False
    while len(ended) < 3:
        kind, number, body = engine.event()
        waited |= kind == "PROGRESS" and body["phase"] == "queue"
        if kind in ("DONE", "ERROR"):
            ended.append((number, kind, body))
    assert [entry[0] for entry in ended] == [1, 2, 3]
    assert ended[1][2]["finish"] == "interrupted"
    assert ended[1][2]["usage"]["prompt"] == 0
    assert ended[2][1] == "ERROR" and ended[2][2]["status"] == "cancelled"
    end_well(engine)


def only_so_many_requests_may_wait():
    engine = start()
    for number in range(1, 67):
        engine.send("GENERATE", number, messages=QUESTION, max_tokens=1)
    ended, refused = set(), []
    while len(ended) < 66:
        kind, number, body = engine.event()
        if kind in ("DONE", "ERROR"):
            ended.add(number)
        if kind == "ERROR":
            refused.append((number, body["exit"]))
    # the first may have ended before the last came
    assert len(refused) <= 2
    assert all(code == 75 for _, code in refused)
    end_well(engine)


def two_turns(engine, between):
    """A question, `between`, and a second one to the engine it gives."""
    ask(engine, 1)
    events, first, _ = engine.answer(1)
    messages = [{"role": "user", "content": "What is 27 * 14?"},
                {"role": "assistant", "content": text_of(events, "answer")},
                {"role": "user", "content": "And 8 + 9?"}]
    engine = between(engine)
    engine.send("GENERATE", 2, messages=messages,
                sampling={"temperature": 0.8, "seed": 5})
    events, done, kind = engine.answer(2)
    assert kind == "DONE", done
    end_well(engine)
    return (text_of(events, "think"), text_of(events, "answer"),
            done["usage"])


def a_saved_conversation_goes_on_in_another_engine():
    def resumed(engine):
        data, saved = save_snapshot(engine, 3)
        engine.send("OPEN", 4)
        opened = engine.answer(4)[1]
        assert saved["tokens"] > 20 and len(saved["key"]) == 64
        assert saved["key"].startswith(opened["snapshots"])
        assert len(opened["snapshots"]) == 32
        end_well(engine)
        engine = start("--threads=1")
        kind, done = restore_snapshot(engine, 1, data)
        assert kind == "DONE", done
        assert done["snapshot"]["tokens"] == saved["tokens"]
        return engine

    def damaged(engine):
        data, _ = save_snapshot(engine, 3)
        end_well(engine)
        engine = start()
        for broken in (data[:-1] + bytes([data[-1] ^ 1]),
                       data[:len(data) // 2] + b"\0" * 64
                       + data[len(data) // 2 + 64:]):
            kind, error = restore_snapshot(engine, 1, broken)
            assert kind == "ERROR" and error["exit"] == 65, error
            assert "\n" not in error["text"]
        return engine

    whole = two_turns(start(), lambda engine: engine)
    assert whole[2]["cached"] > 8
    assert two_turns(start(), resumed) == whole
    thought, answer, usage = two_turns(start(), damaged)
    assert usage["cached"] == 0
    assert usage["prompt"] == whole[2]["prompt"]


def a_save_that_is_given_up_disturbs_nobody():
    engine = start()
    engine.send("SNAPSHOT", 1, action="save", offset=0)
    _, done, kind = engine.answer(1)
    assert kind == "DONE" and done["snapshot"]["bytes"] == 0
    ask(engine, 2)
    engine.answer(2)
    engine.send("SNAPSHOT", 3, action="save", offset=0)
    assert engine.answer(3)[1]["snapshot"]["bytes"] > 1000
    ask(engine, 4)
    assert text_of(engine.answer(4)[0], "answer") == "27 * 14 = 378"
    end_well(engine)


def text_beyond_the_limit_ends_its_request_alone():
    engine = start()
    piece = "x" * (1 << 19)
    for _ in range(129):
        engine.send("TEXT", 1, slot=0, text=piece)
    events, error, kind = engine.answer(1)
    assert kind == "ERROR" and error["exit"] == 65
    assert str(64 << 20) in error["text"]
    # what still comes of it is skipped, up to the request itself
    engine.send("TEXT", 1, slot=0, text="tail")
    engine.send("GENERATE", 1, messages=[
        {"role": "user", "content": {"slot": 0}}])
    ask(engine, 2)
    assert engine.answer(2)[1]["finish"] == "stop"
    end_well(engine)


def broken_requests_get_an_error_and_no_more():
    engine = start()
    for number, data in enumerate([
            frame("GENERATE", 1, b"{\"messages\":"),
            frame("GENERATE", 2, b"[]"),
            frame("GENERATE", 3, b"{\"messages\":[{\"role\":\"you\"}]}"),
            frame("GENERATE", 4, b"{\"max_tokens\":-1}"),
            frame("TOKENIZE", 5, b"{\"texts\":[{\"slot\":1}]}"),
            frame("OPEN", 6, b"{\"depth\":\"\xff\"}"),
            frame(99, 7, b"{}"),
            frame("PLAN", 8, b"[]"),
            frame("SNAPSHOT", 9, b"{}"),
            frame("TEXT", 10, b"{}"),
            frame("SNAPSHOT", 11, b"{\"action\":\"keep\"}"),
            frame("SNAPSHOT", 12, b"{\"action\":\"restore\"}"),
            frame("SNAPSHOT", 13, b"{\"action\":\"restore\",\"data\":\"Zh==\"}"),
            frame("SNAPSHOT", 14, b"{\"action\":\"restore\",\"data\":\"Zg==\"}"),
            frame("SNAPSHOT", 15, b"{\"action\":\"save\",\"offset\":-1}")], 1):
        engine.write(data)
        events, error, kind = engine.answer(number)
        assert kind == "ERROR" and error["exit"] in (65, 70), error
        assert "\n" not in error["text"] and len(error["text"]) > 10
    engine.send("GENERATE", 10)  # the refused one's own frame: skipped
    engine.send("STATS", 16)
    assert engine.answer(16)[2] == "DONE"
    end_well(engine)


def broken_frames_end_the_stream():
    for data, named in ((frame("STATS", 1, {}, version=2), "version 2"),
                        (b"\xff" * 16, "version 65535"),
                        (b"\xff\xff\xff\xff\x01\0" + b"\0" * 10, "4294967295"),
                        (frame("STATS", 0, {}), "0")):
        engine = start()
        engine.write(data)
        kind, number, error = engine.event()
        assert kind == "ERROR" and number == 0 and error["exit"] == 70
        assert named in error["text"], error
        try:
            engine.event()
            raise AssertionError("the stream goes on")
        except Closed:
            pass
        assert engine.end()[0] == 70


def a_number_in_use_ends_the_stream():
    engine = start()
    ask(engine, 1, ignore_end=True)
    ask(engine, 1)
    kind, number, body = engine.event()
    while number != 0:
        kind, number, body = engine.event()
    assert kind == "ERROR" and "in use" in body["text"]
    assert engine.end()[0] == 70


def model_files_that_cannot_be_used_are_named():
    with tempfile.TemporaryDirectory() as folder:
        cut = os.path.join(folder, "cut\x1b[31m.gguf")
        with open(MODEL, "rb") as whole, open(cut, "wb") as file:
            file.write(whole.read(5000))
        missing = os.path.join(folder, "missing.gguf")
        for path, code in ((missing, 66), (folder, 66), (cut, 65),
                           ("/dev/null", 66)):
            engine = start(model=path)
            for number, kind in enumerate(["OPEN", "DESCRIBE", "TOKENIZE"], 1):
                engine.send(kind, number, texts=["a"])
                events, error, kind = engine.answer(number)
                assert kind == "ERROR" and error["exit"] == code, error
                assert "\x1b" not in error["text"]
                assert os.path.basename(path)[:3] in error["text"]
            ask(engine, 4)
            assert engine.answer(4)[1]["exit"] == code
            end_well(engine)


def an_unreadable_model_is_66():
    if os.geteuid() != 0:
        switch = []
    else:
        switch = ["setpriv", "--reuid=65534", "--regid=65534",
                  "--clear-groups"]
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "model.gguf")
        with open(path, "wb"):
            os.chmod(path, 0)
        # the program itself may lie where nobody may look
        copy = os.path.join(folder, "fathom-engine")
        subprocess.run(["cp", ENGINE, copy], check=True)
        os.chmod(copy, 0o755)
        engine = Engine([*switch, copy, path])
        engine.send("OPEN", 1)
        events, error, kind = engine.answer(1)
        assert (error["exit"], error["status"]) == (66, "io"), error
        engine.end()


def a_missing_shard_is_65():
    def text(value):
        return struct.pack("<Q", len(value)) + value

    def entry(key, kind, value):
        return text(key) + struct.pack("<I", kind) + value

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "m-00001-of-00002.gguf")
        with open(path, "wb") as file:
            file.write(b"GGUF" + struct.pack("<IQQ", 3, 0, 4) +
                       entry(b"general.architecture", 8, text(b"llama")) +
                       entry(b"split.no", 2, struct.pack("<H", 0)) +
                       entry(b"split.count", 2, struct.pack("<H", 2)) +
                       entry(b"split.tensors.count", 5, struct.pack("<i", 3)))
        engine = start(model=path)
        engine.send("OPEN", 1)
        events, error, kind = engine.answer(1)
        assert kind == "ERROR" and error["exit"] == 65, error
        assert "m-00002-of-00002.gguf" in error["text"], error
        end_well(engine)


def tensor_offset(path, wanted):
    """Byte of the file at which a tensor's data begins (GGUF version 3)."""
    with open(path, "rb") as file:
        def read(form):
            return struct.unpack("<" + form,
                                 file.read(struct.calcsize("<" + form)))

        def skip(kind):
            if kind == 8:
                file.read(read("Q")[0])
            elif kind == 9:
                element, count = read("IQ")
                for _ in range(count):
                    skip(element)
            else:
                file.read([1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8][kind])

        tensors, values = read("4sIQQ")[2:]
        for _ in range(values):
            file.read(read("Q")[0])
            skip(read("I")[0])
        at = None
        for _ in range(tensors):
            name = file.read(read("Q")[0])
            read("Q" * read("I")[0])
            kind, offset = read("IQ")
            if name == wanted:
                at = offset
        return at + (file.tell() + 31) // 32 * 32


def numbers_that_are_not_finite_are_70():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "huge.gguf")
        shutil.copy(MODEL, path)
        with open(path, "r+b") as file:
            file.seek(tensor_offset(MODEL, b"blk.2.attn_norm.weight"))
            file.write(struct.pack("<256f", *[3e38] * 256))
        engine = start(model=path)
        ask(engine, 1)
        events, error, kind = engine.answer(1)
        assert kind == "ERROR" and error["exit"] == 70, error
        assert error["status"] == "device"
        assert not [kind for kind, body in events if kind == "TOKEN"]
        end_well(engine)


def what_is_too_large_is_69():
    engine = start("--context=2000000")
    engine.send("OPEN", 1)
    events, error, kind = engine.answer(1)
    assert kind == "ERROR" and error["exit"] == 69, error
    assert "2000000" in error["text"]
    end_well(engine)


def the_end_of_requests_ends_it_at_once():
    engine = start()
    ask(engine, 1, ignore_end=True)
    while engine.event()[0] != "TOKEN":
        pass
    before = time.monotonic()
    assert engine.end()[0] == 0
    assert time.monotonic() - before < 5


def a_reader_that_is_gone_ends_it():
    engine = start()
    ask(engine, 1, ignore_end=True)
    engine.event()
    engine.process.stdout.close()
    assert engine.process.wait(LIMIT) == 0
    engine.process.stdin.close()
    engine.process.stderr.close()


def keys_of_the_terminal_do_not_reach_it():
    engine = start()
    engine.send("STATS", 1)
    engine.answer(1)
    for number in (signal.SIGINT, signal.SIGTSTP, signal.SIGQUIT):
        engine.process.send_signal(number)
    ask(engine, 2)
    assert engine.answer(2)[1]["finish"] == "stop"
    assert os.getsid(engine.process.pid) == engine.process.pid
    engine.process.send_signal(signal.SIGTERM)
    assert engine.process.wait(LIMIT) == 0
    engine.end()


def its_options_are_checked():
    def run(*arguments):
        return subprocess.run([ENGINE, *arguments], capture_output=True,
                              text=True, timeout=LIMIT, check=False)

    for arguments in ([], ["a", "b"], ["--context=0", MODEL],
                      ["--context=x", MODEL], ["--threads=-1", MODEL],
                      ["--cache=f64", MODEL], ["--turbo", MODEL],
                      ["--expert-groups=3", MODEL], ["--sessions=0", MODEL]):
        done = run(*arguments)
        assert done.returncode == 64 and "usage:" in done.stderr, arguments
        assert done.stdout == ""
    into, terminal = pty.openpty()
    done = subprocess.run([ENGINE, MODEL], stdin=terminal, timeout=LIMIT,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 64 and "terminal" in done.stderr
    os.close(into)
    os.close(terminal)
    assert run("--version").stdout.startswith("fathom-engine ")
    assert run("--help").stdout.startswith("usage: fathom-engine")
    assert run("--log=/nonexistent/log", MODEL).returncode == 73


def the_log_has_no_content():
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        engine = start("--log=" + log)
        ask(engine, 1, content="What is 77 + 11? swordfish")
        engine.answer(1)
        end_well(engine)
        with open(log, encoding="utf-8") as file:
            text = file.read()
        assert "prompt family" in text
        assert "swordfish" not in text and "77 + 11" not in text
        assert os.stat(log).st_mode & 0o777 == 0o600


def nothing_is_lost_silently_when_memory_or_reading_fails():
    """With the nth allocation, read or write failing, for many n: every
    request is answered or the stream ends and the status says so."""
    n, whole = 1, 0
    while whole < 3:
        engine = start(FATHOM_FAULT=str(n))
        answered = []
        try:
            engine.send("OPEN", 1)
            answered.append(engine.answer(1)[1:])
            ask(engine, 2, max_tokens=2, logprobs=1)
            answered.append(engine.answer(2)[1:])
            engine.send("STATS", 3)
            answered.append(engine.answer(3)[1:])
        except (Closed, BrokenPipeError):
            pass
        try:
            status, error = engine.end()
        except BrokenPipeError:
            status, error = engine.process.wait(LIMIT), "closed"
        assert status in (0, 69, 70), (n, status, error)
        assert len(answered) == 3 or status != 0, (n, answered)
        for body, kind in answered:
            assert kind == "DONE" or body["exit"] in (65, 66, 69, 70), body
        # beyond the last step nothing fails; progress may be lost before
        whole = whole + 1 if n > 1500 else 0
        n += 1 if n < 16 else n // 8


engine_client.run([
    it_answers_after_a_thought,
    opening_goes_as_far_as_asked,
    it_describes_the_model,
    the_cache_is_used_from_turn_to_turn,
    an_answer_goes_back_by_its_own_ids,
    a_model_without_thoughts_goes_on_in_its_cache,
    stop_strings_end_the_answer_unseen,
    limits_end_it,
    the_same_seed_gives_the_same_answer,
    a_drawn_seed_is_told_and_repeats,
    logprobs_are_of_every_token,
    an_answer_that_is_begun_is_continued,
    texts_become_ids_and_markers_stay_text,
    a_prompt_beyond_the_context_is_refused_with_numbers,
    a_long_prompt_goes_in_while_nobody_reads,
    stats_do_not_wait,
    a_cancel_keeps_what_there_is,
    requests_wait_their_turn_and_can_be_cancelled_there,
    only_so_many_requests_may_wait,
    a_saved_conversation_goes_on_in_another_engine,
    a_save_that_is_given_up_disturbs_nobody,
    text_beyond_the_limit_ends_its_request_alone,
    a_stopped_answer_is_continued_with_its_thought,
    a_thought_is_refused_where_the_model_has_none,
    experts_are_counted_as_they_are_computed,
    counts_are_of_the_request_alone,
    counts_that_nobody_reads_come_with_the_next,
    a_long_prompt_tells_how_far_it_is,
    an_answer_that_is_asked_for_begins_at_once,
    a_thought_and_an_answer_that_repeat_themselves_are_noticed,
    a_plan_is_what_will_be_held,
    a_plan_that_does_not_fit_says_so,
    the_process_is_counted,
    broken_requests_get_an_error_and_no_more,
    broken_frames_end_the_stream,
    a_number_in_use_ends_the_stream,
    model_files_that_cannot_be_used_are_named,
    an_unreadable_model_is_66,
    a_missing_shard_is_65,
    numbers_that_are_not_finite_are_70,
    what_is_too_large_is_69,
    the_end_of_requests_ends_it_at_once,
    a_reader_that_is_gone_ends_it,
    keys_of_the_terminal_do_not_reach_it,
    its_options_are_checked,
    the_log_has_no_content,
    nothing_is_lost_silently_when_memory_or_reading_fails,
])
