"""/compact of a chat: summaries that take the place of old turns."""
import glob
import json
import os
import re
import signal
import time

import engine_client
from program import FATHOM, PASSPHRASE, SOURCE, Home
from terminal import Terminal

ASKED = "passphrase (Enter alone: a chat that is not kept): "
MODEL = os.path.join(SOURCE, "models/fathom-mini.gguf")


def said(word, prompt=100, answer=20):
    return (f"want GENERATE\nsay {word}.\ndone {{\"usage\":{{\"prompt\":"
            f"{prompt},\"answer\":{answer},\"context\":1000}}}}\n")


def reread(tokens):
    """The request that measures, and warms, the shorter context."""
    return (f"want GENERATE {{\"max_tokens\":0}}\n"
            f"progress prefill 1 {tokens}\ndone {{\"finish\":\"length\","
            f"\"usage\":{{\"prompt\":{tokens},\"answer\":0,"
            f"\"context\":1000}}}}\n")


FIVE = "".join(said(f"A{i}", 100 * i) for i in range(1, 6))
SUMMARY = ("want GENERATE\nthink Much was said.\nsay In short.\ndone "
           "{\"usage\":{\"prompt\":350,\"answer\":9}}\n")


class Chat(Terminal):
    """A chat with the replay engine, or with the bundled model."""

    def __init__(self, home, script, *arguments, passphrase=None, until="you> "):
        self.home = home
        if script is None:
            env = home.environment()
        else:
            script = f"record {home.file('requests')}\n{script}drain\n"
            env = home.environment(script)
        keep = () if passphrase else ("--ephemeral",)
        super().__init__([FATHOM, "chat", "--plain", *keep, *arguments], env)
        if passphrase:
            self.expect(ASKED)
            self.send(passphrase + "\r")
        if until:
            self.expect(until)

    def line(self, text, until="you> "):
        """Types a line; what is printed before `until`, without wrapping."""
        self.send(text + "\r")
        self.expect(text[:1])
        return self.expect(until)

    def told(self, text):
        return " ".join(self.line(text).split())

    def ask(self, first, last):
        for i in range(first, last + 1):
            self.line(f"q{i}")

    def requests(self):
        with open(self.home.file("requests")) as file:
            return [json.loads(line.split(" ", 2)[2]) for line in file
                    if line.startswith("GENERATE")]

    def prompt(self, i=-1):
        """Messages of a request: "q1 A1. S", S being asked for a summary."""
        request = self.requests()[i]
        texts = ["S" if is_asked(one["content"]) else one["content"]
                 for one in request["messages"]]
        if request.get("prefill"):
            texts.append(request["prefill"] + "+")
        return " ".join(texts)


def is_asked(text):
    return (text.startswith("Summarise our conversation so far: your summary "
                            "takes its place.\n") and
            re.search(r"\nTurns that follow your summary word for word: "
                      r"\d+$", text) is not None)


# -- what it does ------------------------------------------------------------


def old_turns_are_summarised_and_prompts_have_the_summary():
    script = FIVE + SUMMARY + reread(77) + said("A6")
    with Home() as home, Chat(home, script) as chat:
        chat.ask(1, 5)
        text = chat.told("/compact")
        assert ": Much was said. fathom> In short." in text, text
        assert ("[with the summary 77 of 4,096 tokens of the context are "
                "taken, before it were 520; /undo takes it back]") in text, text
        assert chat.prompt(5) == "q1 A1. q2 A2. q3 A3. S"
        asked = chat.requests()[5]["messages"][-1]["content"]
        assert asked.endswith(": 2"), asked
        assert chat.prompt(6) == "S In short. q4 A4. q5 A5.+"
        assert "[77 of 4,096 tokens" in chat.told("/ctx")
        chat.line("q6")
        assert chat.prompt() == "S In short. q4 A4. q5 A5. q6"
        # a thought is no part of it
        assert "Much" not in json.dumps(chat.requests()[6:])


def undo_takes_it_back_and_the_tree_has_it():
    script = (FIVE + SUMMARY + reread(77) + said("A6") + said("A7"))
    with Home() as home, Chat(home, script) as chat:
        chat.ask(1, 5)
        chat.line("/compact 1")
        text = chat.told("/tree")
        assert ("* 5 q5 * 6 Summarise our conversation so far: your summary "
                "takes its...") in text, text
        assert "[77 of 4,096 tokens" in chat.told("/ctx")
        assert "went back" in chat.told("/undo")
        assert "[520 of 4,096 tokens" in chat.told("/ctx")
        chat.line("q6")
        assert chat.prompt() == "q1 A1. q2 A2. q3 A3. q4 A4. q5 A5. q6"
        chat.line("/branch 6")
        chat.line("q7")
        assert chat.prompt() == "S In short. q5 A5. q7"


def what_is_to_be_kept_can_be_said():
    script = (FIVE + (SUMMARY + reread(50)) * 2)
    with Home() as home, Chat(home, script) as chat:
        chat.ask(1, 5)
        chat.line("/compact 0 the error messages, word for word")
        asked = chat.requests()[5]["messages"][-1]["content"]
        assert ("\nMind above all: the error messages, word for word\n"
                in asked) and asked.endswith(": 0"), asked
        assert chat.prompt(5) == "q1 A1. q2 A2. q3 A3. q4 A4. q5 A5. S"
        assert chat.prompt(6) == "S In short.+"
        chat.line("/undo")
        chat.line("/compact names")
        asked = chat.requests()[7]["messages"][-1]["content"]
        assert "\nMind above all: names\n" in asked and asked.endswith(": 2")


def a_summary_is_summarised_again():
    script = (FIVE + SUMMARY + reread(77) + said("A6") + said("A7") +
              said("Shorter") + reread(60) + said("A8"))
    with Home() as home, Chat(home, script) as chat:
        chat.ask(1, 5)
        chat.line("/compact 1")
        chat.ask(6, 7)
        chat.line("/compact 1")
        assert chat.prompt(9) == "S In short. q5 A5. q6 A6. S"
        chat.line("q8")
        assert chat.prompt() == "S Shorter. q7 A7. q8"


def retry_makes_a_summary_anew():
    script = (FIVE + SUMMARY + reread(77) + said("Better") + reread(60)
              + said("A6"))
    with Home() as home, Chat(home, script) as chat:
        chat.ask(1, 5)
        chat.line("/compact 3 names")
        text = chat.told("/retry")
        assert "before it were 520" in text, text
        assert chat.prompt(7) == "q1 A1. q2 A2. S"
        messages = [chat.requests()[i]["messages"] for i in (5, 7)]
        assert messages[0] == messages[1]
        assert "a summary; /compact" in chat.told("/edit")
        chat.line("q6")
        assert chat.prompt() == "S Better. q3 A3. q4 A4. q5 A5. q6"


def in_a_short_chat_half_of_the_turns_stay():
    for count, kept in ((1, 0), (2, 1), (3, 1), (4, 2)):
        script = ("".join(said(f"A{i}") for i in range(1, count + 1))
                  + SUMMARY + reread(9))
        with Home() as home, Chat(home, script) as chat:
            chat.ask(1, count)
            chat.line("/compact")
            asked = chat.requests()[count]["messages"][-1]["content"]
            assert asked.endswith(f": {kept}"), (count, asked)


# -- where it changes nothing ---------------------------------------------------


def there_has_to_be_something_to_summarise():
    script = said("A1") + said("A2") + SUMMARY + reread(50)
    with Home() as home, Chat(home, script) as chat:
        assert "there is no question yet" in chat.told("/compact")
        chat.ask(1, 2)
        text = chat.told("/compact 2")
        assert ("nothing to summarise: prompts have 2 turns, and the newest 2 "
                "are to stay") in text, text
        chat.line("/compact 1")
        text = chat.told("/compact 1")
        assert "all but the newest 1 turns are a summary already" in text, text
        for wrong in ("-3", "2x", "99999999999", "+1"):
            text = chat.told(f"/compact {wrong}")
            assert "usage: /compact [N] [TEXT]" in text, (wrong, text)
        assert len(chat.requests()) == 4


def unchanged(script, sentence, *arguments, act=None):
    """After a /compact that fails everything is as before."""
    with Home() as home, Chat(home, FIVE + script + said("A6"),
                              *arguments) as chat:
        chat.ask(1, 5)
        chat.line("/undo")
        chat.send("/compact\r")
        if act:
            act(chat)
        text = " ".join(chat.expect("you> ").split())
        if act is None:
            assert "/compact" in text
        assert sentence in text, text
        assert "Summarise" not in chat.line("/tree")
        # what had been undone is still taken up again
        assert "taken up again" in chat.told("/redo")
        chat.line("q6")
        assert chat.prompt() == "q1 A1. q2 A2. q3 A3. q4 A4. q5 A5. q6"


def a_summary_that_is_stopped_changes_nothing():
    def stop(chat):
        chat.expect("So far")
        chat.send("\x03")
    unchanged("want GENERATE\nsay So far\nwant CANCEL\n"
              "done {\"finish\":\"interrupted\"}\n",
              "[stopped; nothing was changed]", act=stop)


def a_summary_that_is_not_whole_changes_nothing():
    for finish, sentence in (
            ("length", "the summary was cut off by -n; nothing was changed"),
            ("context_full", "the context was full before the summary was "
             "whole, so nothing was changed; /compact 3 summarises fewer turns "
             "first"),
            ("ended_thinking", "ended while thinking, without a summary; "
             "nothing was changed")):
        unchanged(f"want GENERATE\nsay Half\ndone {{\"finish\":\"{finish}\"}}"
                  "\n", sentence)
    for words in ("", "say \\n \\n\n"):
        unchanged(f"want GENERATE\n{words}done\n",
                  "the model wrote no summary; nothing was changed")


def old_turns_that_do_not_fit_change_nothing():
    unchanged("want GENERATE\nerror limit 12 the prompt has 9 tokens too many; "
              "nothing was run\n",
              "[the prompt has 9 tokens too many; nothing was run; /compact 3 "
              "summarises fewer turns first]")
    unchanged("want GENERATE\nerror nomem 71 out of memory\n",
              "[out of memory]")


def half_of_the_old_turns_are_summarised_first():
    long = "want GENERATE\nerror limit 12 too long\n"
    with Home() as home, Chat(home, FIVE + long * 4) as chat:
        chat.ask(1, 5)
        for keep, advice in ((0, "/compact 3 summarises"),
                             (2, "/compact 4 summarises"),
                             (3, "/compact 4 summarises"),
                             (4, "/undo or /new makes room")):
            text = chat.told(f"/compact {keep}")
            assert f"[too long; {advice}" in text, (keep, text)
        assert [chat.prompt(i).count(" A") for i in range(5, 9)] == [5, 3, 2, 1]


def an_engine_that_dies_changes_nothing():
    with Home() as home, Chat(home, FIVE + "want GENERATE\nsay Half\ndie 9\n"
                              ) as chat:
        chat.ask(1, 5)
        chat.home.write("script", f"record {home.file('requests')}\n"
                        + said("A6") + "drain\n")
        chat.line("/compact", "[Y/n] ")
        chat.send("y\r")
        chat.expect("you> ")
        assert "Summarise" not in chat.line("/tree")
        chat.line("q6")
        assert chat.prompt() == "q1 A1. q2 A2. q3 A3. q4 A4. q5 A5. q6"


def a_question_without_answer_comes_first():
    script = said("A1") + "want GENERATE\ndie 9\n"
    with Home() as home, Chat(home, script) as chat:
        chat.ask(1, 1)
        chat.line("q2", "[Y/n] ")
        chat.send("n\r")
        chat.expect("you> ")
        text = chat.told("/compact")
        assert ("the last question has no answer; /retry asks it again, /undo "
                "drops it") in text, text


def measuring_can_be_stopped_and_may_fail():
    script = (FIVE + SUMMARY + "want GENERATE {\"max_tokens\":0}\nwant CANCEL\n"
              "done {\"finish\":\"interrupted\"}\n" + said("A6", 70))
    with Home() as home, Chat(home, script) as chat:
        chat.ask(1, 5)
        chat.send("/compact\r")
        chat.expect("In short.")
        while len(chat.requests()) < 7:
            time.sleep(0.01)
        chat.send("\x03")
        text = " ".join(chat.expect("you> ").split())
        assert ("the summary stands; what the context takes now is known after "
                "the next answer") in text, text
        assert "has room for 4,096" in chat.told("/ctx")
        chat.line("q6")
        assert "[90 of 4,096 tokens" in chat.told("/ctx")
        assert chat.prompt() == "S In short. q4 A4. q5 A5. q6"
    script = (FIVE + SUMMARY + "want GENERATE {\"max_tokens\":0}\n"
              "error limit 12 it does not fit\n")
    with Home() as home, Chat(home, script) as chat:
        chat.ask(1, 5)
        text = chat.told("/compact")
        assert "[it does not fit; /undo takes the summary back]" in text, text


def a_summary_that_is_longer_says_so():
    script = FIVE + SUMMARY + reread(600)
    with Home() as home, Chat(home, script) as chat:
        chat.ask(1, 5)
        text = chat.told("/compact")
        assert ("[the summary is no shorter: 600 of 4,096 tokens of the "
                "context are taken, before it were 520; /undo") in text, text


def a_context_that_fills_up_names_it():
    script = said("A1", 870) + said("A2", 880) + said("A3", 890)
    with Home() as home, Chat(home, script) as chat:
        assert "nearly full" not in chat.told("q1")
        text = chat.told("q2")
        assert ("[the context is nearly full; /compact lets the model summarise "
                "old turns]") in text, text
        assert "nearly full" not in chat.told("q3")


# -- what is kept ------------------------------------------------------------


def a_compacted_chat_is_gone_on_with():
    script = FIVE + SUMMARY + reread(77)
    with Home() as home:
        home.make_vault()
        with Chat(home, script, passphrase=PASSPHRASE) as chat:
            chat.ask(1, 5)
            chat.line("/compact")
            chat.send("\x04")
            assert chat.wait() == 0
        with Chat(home, said("A6"), "--resume", passphrase=PASSPHRASE,
                  until="it ends with:]\n") as chat:
            for _ in range(2):
                chat.expect("you> ")
            chat.line("q6")
            assert chat.prompt() == "S In short. q4 A4. q5 A5. q6"
            # old turns are found, and once
            text = chat.told("/search A4")
            assert text.count("A4") == 2, text
            # and an export has all of them
            chat.line(f"/export md {home.file('chat.md')}")
            export = home.read("chat.md").decode()
            for word in ("A1.", "A5.", "takes its place.", "In short.", "A6."):
                assert export.count(word) == 1, (word, export)
            chat.send("\x04")
            assert chat.wait() == 0


def a_summary_that_is_locked_away_is_dropped():
    script = FIVE + "want GENERATE\nsay Half\nwant CANCEL\nhang\n"
    with Home() as home:
        home.make_vault()
        with Chat(home, script, passphrase=PASSPHRASE) as chat:
            chat.ask(1, 5)
            chat.send("/compact\r")
            chat.expect("Half")
            os.kill(chat.pid, signal.SIGUSR1)
            chat.expect("passphrase")
            chat.send(PASSPHRASE + "\r")
            chat.expect("you> ")
            chat.quiet(0.2)
            assert "Summarise" not in chat.line("/tree")


def where_answers_are_sealed_one_by_one_summaries_are_not():
    script = said("A1") + said("A2") + SUMMARY + reread(50) + said("A3")
    with Home() as home:
        home.make_vault()
        with Chat(home, "", passphrase=PASSPHRASE) as first:
            with Chat(home, script, passphrase=PASSPHRASE,
                      until="[q] quit: ") as second:
                second.send("s\r")
                second.expect("you> ")
                second.ask(1, 2)
                second.line("/compact")
                second.ask(3, 3)
                assert second.prompt() == "S In short. q2 A2. q3"
                second.send("\x04")
                assert second.wait() == 0
            assert len(glob.glob(home.file("data/fathom/inbox/*"))) == 3
            first.send("\x04")
            assert first.wait() == 0


# -- the bundled model -------------------------------------------------------------


def summarised_with_the_bundled_model(seed):
    """What is answered to /compact, and how it was read."""
    with Home() as home, Chat(home, None, "-m", MODEL, f"--seed={seed}",
                              "--temp=1.5", "-n300") as chat:
        for wanted in ("2 + 3", "12 * 3", "9 - 4"):
            chat.line(f"What is {wanted}?")
        text = chat.line("/compact 1")
        assert "/undo takes it back" in " ".join(text.split()), text
        stats = chat.line("/stats")
        prompt, kept = re.search(r"(\d+) prompt tokens \((\d+) kept",
                                 stats).groups()
        return text[text.index("fathom>"):text.index("[")], prompt, int(kept)


def a_summary_reuses_what_was_read_and_is_repeatable():
    runs = [summarised_with_the_bundled_model(seed) for seed in (7, 7, 8)]
    assert runs[0] == runs[1] and runs[0][0] != runs[2][0], runs
    assert runs[0][2] > 20, runs


engine_client.run([value for name, value in list(globals().items())
                   if getattr(value, "__module__", "") == "__main__"
                   and hasattr(value, "__code__")
                   and value.__code__.co_argcount == 0])
