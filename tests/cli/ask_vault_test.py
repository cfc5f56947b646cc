"""fathom ask with a vault: --save, -c, --continue, --seal."""
import glob
import json
import os

import engine_client
from program import (FATHOM, NO_CHAT, PASSPHRASE, Home, one_sentence, run)
from terminal import Terminal

YES = "want GENERATE\nthink Hm.\nsay Yes.\ndone\n"


class Vault(Home):
    """A home with an empty vault."""

    def __enter__(self):
        super().__enter__()
        self.make_vault()
        return self


def with_passphrase(home, *arguments, passphrase=PASSPHRASE, script=YES,
                    **more):
    """Runs fathom with the passphrase on a descriptor of its own."""
    reader, writer = os.pipe()
    os.write(writer, passphrase.encode() + b"\n")
    os.close(writer)
    try:
        return run(home, *arguments, f"--passphrase-fd={reader}",
                   pass_fds=(reader,), script=script, **more)
    finally:
        os.close(reader)


def ask(home, *arguments, **more):
    return with_passphrase(home, "ask", *arguments, **more)


def recorded(home):
    return (f"record {home.file('requests')}\n" + YES)


def last_request(home):
    line = [line for line in home.read("requests").decode().splitlines()
            if line.startswith("GENERATE")][-1]
    return json.loads(line.split(" ", 2)[2])


def by_default_nothing_is_saved():
    with Vault() as home:
        before = home.files()
        result = run(home, "ask", "hello", "--json", script=YES)
        assert result.status == 0, result
        assert json.loads(result.out)["saved"] is None
        after = home.files()
        del after["script"]
        assert after == before, after


def saved_is_the_chat_and_it_can_be_continued():
    with Vault() as home:
        result = ask(home, "What is a rainbow?", "--save", "--json")
        assert result.status == 0, result
        name = json.loads(result.out)["saved"]
        assert len(name) == 26, result
        for option in ("-c", "--continue", f"--continue={name[:9]}"):
            result = ask(home, f"And {option}?", option, "--json",
                         script=recorded(home))
            assert json.loads(result.out)["saved"] == name, result
        texts = [message["content"] for message in
                 last_request(home)["messages"]]
        assert texts == ["What is a rainbow?", "Yes.", "And -c?", "Yes.",
                         "And --continue?", "Yes.",
                         f"And --continue={name[:9]}?"], texts
        assert "Hm." not in home.read("requests").decode()


def continued_without_saving_leaves_the_chat_as_it_was():
    with Vault() as home:
        ask(home, "one", "--save")
        result = ask(home, "two", "-c", "--no-save", "--json")
        assert json.loads(result.out)["saved"] is None
        ask(home, "three", "-c", script=recorded(home))
        assert [message["content"] for message in
                last_request(home)["messages"]] == ["one", "Yes.", "three"]


def nothing_to_continue_is_66():
    with Vault() as home:
        result = ask(home, "hello", "-c")
        assert result.status == 66 and result.out == b"", result
        assert "no chat yet to continue" in one_sentence(result.err)
        ask(home, "hello", "--save")
        result = ask(home, "hello", "--continue=nonsense")
        assert result.status == 66, result


def a_wrong_passphrase_is_77_before_anything_runs():
    with Vault() as home:
        result = ask(home, "hello", "--save", passphrase="wrong",
                     script=recorded(home))
        assert result.status == 77 and result.out == b"", result
        assert "does not open with this" in one_sentence(result.err), result
        assert "requests" not in home.files()


def without_anybody_to_ask_it_is_77():
    with Vault() as home:
        result = run(home, "ask", "hello", "--save", "--no-input", script=YES)
        assert result.status == 77, result
        one_sentence(result.err)


def sealed_needs_no_passphrase_and_comes_in_later():
    with Vault() as home:
        result = run(home, "ask", "Sealed question", "--seal", "--json",
                     script=YES)
        assert result.status == 0, result
        assert json.loads(result.out)["saved"] == "inbox", result
        inbox = glob.glob(home.file("data/fathom/inbox/*"))
        assert len(inbox) == 1 and os.stat(inbox[0]).st_mode & 0o777 == 0o600
        with open(inbox[0], "rb") as file:
            assert b"Sealed" not in file.read()
        if NO_CHAT:
            return NO_CHAT
        with Terminal([FATHOM, "chat", "--plain"], home.environment(YES + "drain\n")
                      ) as chat:
            chat.expect("passphrase (Enter")
            chat.send(PASSPHRASE + "\r")
            chat.expect("1 sealed answer")
            chat.expect("you> ")
            chat.send("/history\r")
            chat.expect("  Sealed question\n")


def what_was_sealed_comes_in_with_a_look_at_the_history():
    with Vault() as home:
        run(home, "ask", "Sealed question", "--seal", script=YES)
        looks = ("history", "list", "--passphrase-fd=0")
        result = run(home, *looks, stdin=PASSPHRASE.encode() + b"\n")
        assert result.status == 0, result
        assert b"1 sealed answer was taken in" in result.err, result
        assert b"\tSealed question\n" in result.out, result
        result = run(home, *looks, stdin=PASSPHRASE.encode() + b"\n")
        assert b"taken in" not in result.err, result
        assert result.out.count(b"\n") == 1, result


def an_answer_that_is_stopped_is_saved_as_far_as_it_came():
    script = "want GENERATE\nsay So far\nwant CANCEL\n" \
        'done {"finish":"timeout"}\n'
    with Vault() as home:
        result = ask(home, "hello", "--save", "--timeout=300ms", script=script)
        assert result.status == 16, result
        ask(home, "more", "-c", script=recorded(home))
        assert ["hello", "So far", "more"] == [
            message["content"] for message in last_request(home)["messages"]]


def an_engine_that_dies_leaves_what_came():
    with Vault() as home:
        result = ask(home, "hello", "--save",
                     script="want GENERATE\nsay So far\nsleep 100\ndie 9\n")
        assert result.status == 70, result
        ask(home, "more", "-c", script=recorded(home))
        assert ["hello", "So far", "more"] == [
            message["content"] for message in last_request(home)["messages"]]


def a_vault_that_is_in_use_is_75():
    if NO_CHAT:
        return NO_CHAT
    with Vault() as home:
        with Terminal([FATHOM, "chat", "--plain"], home.environment(YES + "drain\n")
                      ) as chat:
            chat.expect("passphrase (Enter")
            chat.send(PASSPHRASE + "\r")
            chat.expect("you> ")
            result = ask(home, "hello", "--save")
            assert result.status == 75, result
            assert str(chat.pid) in one_sentence(result.err), result


engine_client.run([value for name, value in list(globals().items())
                   if getattr(value, "__module__", "") == "__main__"
                   and hasattr(value, "__code__")
                   and value.__code__.co_argcount == 0])
