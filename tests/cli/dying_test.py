"""The engine dies at every moment of an answer: what came stays.

An answer is a row of events. For each of them the engine is killed right
after it, and in the middle of the frame that follows.
"""
import json
import re

import engine_client
from program import FATHOM, PASSPHRASE, Home, run
from terminal import Terminal

# (step of the replay engine, thought and answer that it brings)
EVENTS = [
    ("progress prefill 0 10", "", ""),
    ("progress prefill 10 10", "", ""),
    ("think Hm.", "Hm.", ""),
    ("think \\nMore.", "\nMore.", ""),
    ("send RESIDENCY {\"tokens\":2}", "", ""),
    ("loop think 7 30", "", ""),
    ("say One", "", "One"),
    ("say , two", "", ", two"),
    ("say \\x20and three.", "", " and three."),
    ("done", "", ""),
]
AGAIN = "want GENERATE\nsay Yes.\ndone\n"
# the head of a TOKEN frame, and half of what it announces
HALF = "raw \\x20\\x00\\x00\\x00\\x01\\x00\\x82\\x00\\x01\\x00\\x00\\x00{\"chan"
KILLED = "the engine ended (signal 9, Killed); the conversation is kept"


def moments():
    """(name, script, thought, answer): before the first event to the last."""
    for after in range(len(EVENTS) + 1):
        thought = "".join(event[1] for event in EVENTS[:after])
        answer = "".join(event[2] for event in EVENTS[:after])
        steps = ["want GENERATE"] + [event[0] for event in EVENTS[:after]]
        for half in ((), (HALF,)):
            yield (f"after {after} events{' and a half' if half else ''}",
                   "\n".join([*steps, *half, "die 9"]) + "\n", thought, answer)


def begin(home, script, *arguments):
    return Terminal([FATHOM, "chat", "--plain", *arguments],
                    home.environment(script))


def ask_until_it_dies(chat):
    chat.expect("you> ")
    chat.send("Really?\r")
    chat.expect("Really?")
    return chat.expect(f"[{KILLED}]") + chat.expect("[Y/n] ")


def shown(thought, answer):
    """What of it stands on the screen; None: nothing does."""
    lines = "".join(f": {line}\n" for line in thought.split("\n")
                    if thought)
    return lines + (f"fathom> {answer}\n" if answer else "")


def what_came_is_shown_and_sent_on():
    for name, script, thought, answer in moments():
        with Home() as home, begin(home, script, "--ephemeral") as chat:
            text = ask_until_it_dies(chat)
            # without what the chat says of a loop
            text = re.sub(r"\n?\[[^\]]*\]\n?", "\n", text)
            assert shown(thought, answer) in text, (name, text)
            home.write("script", f"record {home.file('again')}\n{AGAIN}"
                                 "drain\n")
            chat.send("\r")
            chat.expect("you> ")
            chat.send("/retry\r" if not answer else "Go on.\r")
            chat.expect("fathom> Yes.")
            chat.expect("you> ")
            asked = [line for line in home.read("again").decode().splitlines()
                     if line.startswith("GENERATE")]
            messages = [(message["role"], message["content"]) for message in
                        json.loads(asked[-1].split(" ", 2)[2])["messages"]]
            wanted = [("user", "Really?")]
            if answer:
                wanted += [("assistant", answer), ("user", "Go on.")]
            assert messages == wanted, (name, messages)


def what_came_is_in_the_vault():
    for name, script, thought, answer in list(moments())[::2]:
        with Home() as home:
            home.make_vault()
            with begin(home, script) as chat:
                chat.expect("that is not kept): ")
                chat.send(PASSPHRASE + "\r")
                ask_until_it_dies(chat)
                chat.send("n\r")
                chat.expect("the next message asks again")
                chat.expect("you> ")
                chat.send("\x04")
                assert chat.wait() == 0, (name, chat.text())
            shown_again = run(home, "history", "show", "--with-thinking",
                              "--passphrase-fd=0",
                              stdin=(PASSPHRASE + "\n").encode())
            assert shown_again.status == 0, (name, shown_again.err)
            text = shown_again.out.decode()
            for word in ["Really?", *re.findall(r"\w+", thought + answer)]:
                assert word in text, (name, word, text)


def before_it_is_ready_the_chat_ends_with_its_code():
    for script in ("die 9\n", "want OPEN\ndie 9\n",
                   "want OPEN\nprogress read 1 9\ndie 9\n",
                   "want OPEN\n" + HALF + "\ndie 9\n"):
        for face in ("--plain", "--ephemeral"):
            with Home() as home, Terminal(
                    [FATHOM, "chat", "--ephemeral", face],
                    home.environment(script)) as chat:
                chat.expect("the engine ended (signal 9, Killed)")
                assert chat.wait() == 70, (script, chat.text())


engine_client.run([
    what_came_is_shown_and_sent_on,
    what_came_is_in_the_vault,
    before_it_is_ready_the_chat_ends_with_its_code,
])
