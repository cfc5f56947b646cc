"""fathom chat on a pseudo-terminal, with the replay engine."""
import base64
import json
import os
import re
import shutil
import signal
import subprocess
import time

import engine_client
from policies import MOUNT, no_policies, sysconfdir
from program import BUILD, FATHOM, Home
from terminal import Terminal

YES = "want GENERATE\nsay Yes.\ndone\n"
THOUGHT = "want GENERATE\nthink Let me\\nsee.\nsay Yes.\ndone\n"


class Chat(Terminal):
    """A chat that has shown its first prompt."""

    def __init__(self, script, *arguments, columns=80, inputrc=None,
                 environment=None, command=("chat",)):
        self.home = Home().__enter__()
        # after its script the engine stays and listens
        script = f"record {self.home.file('requests')}\n{script}drain\n"
        env = self.home.environment(script, **(environment or {}))
        if inputrc is not None:
            env["INPUTRC"] = self.home.write("inputrc", inputrc)
        super().__init__([FATHOM, *command, "--plain", "--ephemeral", *arguments], env,
                         columns)
        self.greeting = self.expect("you> ")

    def __exit__(self, *exception):
        super().__exit__(*exception)
        self.home.__exit__()

    def line(self, text, until="you> "):
        """Types a line; returns what is printed before `until`."""
        self.send(text + "\r")
        self.expect(text.split("\x1b")[0][:1])
        return self.expect(until)

    def requests(self):
        with open(self.home.file("requests")) as file:
            return [json.loads(line.split(" ", 2)[2]) for line in file
                    if line.startswith("GENERATE")]

    def messages(self, i=-1):
        return [(message["role"], message["content"])
                for message in self.requests()[i]["messages"]]


def an_answer_is_printed_with_its_figures():
    with Chat(YES) as chat:
        text = chat.line("Really?")
        assert "fathom> Yes.\n[1 tokens, 100 tok/s, context <1%]\n" in text, (
            text)
        assert chat.messages() == [("user", "Really?")]


def fathom_without_a_command_is_a_chat():
    with Chat(YES, command=()) as chat:
        assert "plain mode" in chat.greeting and "^D quits" in chat.greeting
        assert "fathom> Yes." in chat.line("hello")
        chat.send("\x04")
        assert chat.wait() == 0


def the_conversation_goes_on():
    script = "want GENERATE\nthink Hm.\nsay One.\ndone\n" + YES
    with Chat(script, "-sBe brief.") as chat:
        chat.line("first")
        chat.line("second")
        assert chat.messages() == [
            ("system", "Be brief."), ("user", "first"), ("assistant", "One."),
            ("user", "second")]
        # a thought is kept beside its answer, never sent back
        assert "Hm." not in json.dumps(chat.requests()[1])


def thoughts_are_shown_dim_and_prefixed():
    with Chat(THOUGHT) as chat:
        text = chat.line("hello")
        assert ": Let me\n: see.\nfathom> Yes.\n" in text, text
        assert b"\x1b[2m: Let" in chat.seen
        assert "[2 thinking + 1 answer tokens" in text


def hidden_thoughts_are_counted_and_can_be_shown():
    with Chat(THOUGHT + THOUGHT, "--show-thinking=off") as chat:
        text = chat.line("hello")
        assert "[thought 2 tokens, 0 s, hidden; /think show" in text, text
        assert "Let me" not in text
        text = chat.line("/think show")
        assert ": Let me\n: see.\n" in text, text
        assert ": Let me\n" in chat.line("again")


def the_interrupt_key_stops_the_answer_and_keeps_it():
    script = ("want GENERATE\nsay So far\nwant CANCEL\n"
              "done {\"finish\":\"interrupted\"}\n" + YES)
    with Chat(script) as chat:
        chat.send("hello\r")
        chat.expect("So far")
        chat.send("\x03")
        text = chat.expect("you> ")
        assert "[stopped; the part above is kept]" in text, text
        chat.line("go on")
        assert ("assistant", "So far") in chat.messages()


def the_interrupt_key_never_quits():
    with Chat(YES) as chat:
        for _ in range(5):
            chat.send("\x03")
            chat.expect("[^D quits, /help lists commands]")
            chat.expect("you> ")
        chat.send("some text")
        chat.expect("some text")
        chat.send("\x03")
        text = chat.expect("you> ")
        assert "^D quits" not in text, text
        assert "fathom> Yes." in chat.line("hello")
        assert chat.messages() == [("user", "hello")]


def an_engine_that_does_not_stop_is_ended_on_request():
    with Chat("want GENERATE\nsay So far\nhang\n") as chat:
        chat.send("hello\r")
        chat.expect("So far")
        chat.send("\x03")
        chat.quiet(3.2)
        chat.send("\x03")
        chat.expect("the engine did not stop and was ended; the conversation "
                    "is kept")
        chat.expect("[Y/n]")


def a_killed_engine_is_told_and_started_again():
    script = ("want GENERATE\nsay One.\ndone\nwant GENERATE\nsay Part\ndie 9\n")
    with Chat(script) as chat:
        chat.line("first")
        text = chat.line("second", "[Y/n] ")
        assert ("fathom> Part\n[the engine ended (signal 9, Killed); the "
                "conversation is kept]\n") in text, text
        chat.home.write("script", f"record {chat.home.file('again')}\n" + YES
                        + "drain\n")
        chat.send("\r")
        chat.expect("you> ")
        assert "fathom> Yes." in chat.line("third")
        text = chat.home.read("again").decode()
        last = [line for line in text.splitlines()
                if line.startswith("GENERATE")][-1]
        messages = json.loads(last.split(" ", 2)[2])["messages"]
        assert [message["content"] for message in messages] == [
            "first", "One.", "second", "Part", "third"], messages


def an_engine_killed_at_the_prompt_leaves_the_typed_line():
    with Chat("want GENERATE\nsay One.\ndone\nsleep 300\ndie 9\n") as chat:
        chat.line("first")
        chat.send("half a li")
        chat.expect("[the engine ended")
        chat.expect("[Y/n] ")
        chat.home.write("script", f"record {chat.home.file('again')}\n" + YES
                        + "drain\n")
        chat.send("y\r")
        chat.expect("you> half a li")
        chat.send("ne\r")
        chat.expect("fathom> Yes.")
        assert '"half a line"' in chat.home.read("again").decode()


def without_engine_the_chat_stays_and_asks_again():
    with Chat("want GENERATE\nsay One.\ndone\nwant GENERATE\ndie 9\n") as chat:
        chat.line("first")
        chat.line("second", "[Y/n] ")
        chat.home.write("script", THOUGHT + "drain\n")
        chat.send("n\r")
        chat.expect("the next message asks again")
        chat.expect("you> ")
        chat.line("/retry", "[Y/n] ")
        chat.send("\r")
        text = chat.expect("you> ")
        assert "fathom> Yes." in text, text


def a_model_that_is_refused_ends_it_with_its_code():
    with Home() as home:
        env = home.environment("want OPEN\nerror format 65 bad model\n")
        with Terminal([FATHOM, "--ephemeral"], env) as terminal:
            terminal.expect("fathom: bad model")
            assert terminal.wait() == 65
        env["FATHOM_MODEL"] = "/nowhere.gguf"
        with Terminal([FATHOM, "--ephemeral"], env) as terminal:
            terminal.expect("/nowhere.gguf")
            assert terminal.wait() == 66


def a_question_that_is_refused_is_taken_back():
    script = "want GENERATE\nerror limit 12 too long by 5 tokens\n" + YES
    with Chat(script) as chat:
        text = chat.line("long")
        assert ("[too long by 5 tokens; /compact, /undo or /new makes room]" in text
                ), text
        chat.line("short")
        assert chat.messages() == [("user", "short")]


def lines_are_joined_by_backslash_and_control_j():
    with Chat(YES + YES + YES) as chat:
        chat.send("one\\\rtwo\r")
        chat.expect("fathom> ")
        chat.expect("you> ")
        chat.send("three\nfour\r")
        chat.expect("fathom> ")
        chat.expect("you> ")
        chat.send("five\x1b\rsix\r")
        chat.expect("fathom> ")
        assert [request["messages"][-1]["content"]
                for request in chat.requests()] == [
                    "one\ntwo", "three\nfour", "five\nsix"]


def letters_of_all_alphabets_are_edited_in_any_locale():
    for locale in ("C", "C.UTF-8", ""):
        with Chat(YES, environment={"LANG": locale, "LC_ALL": locale}) as chat:
            chat.send("Grüße漢字")
            chat.quiet(0.2)
            chat.send("\x7f\x02\x7f!\r")
            chat.expect("fathom> ")
            assert chat.messages() == [("user", "Grüß!漢")], (
                locale, chat.messages())


def two_backslashes_at_the_end_are_sent():
    with Chat(YES) as chat:
        chat.send("one\\\\\r")
        chat.expect("fathom> ")
        assert chat.messages() == [("user", "one\\\\")]


def a_paste_is_not_sent():
    with Chat(YES) as chat:
        chat.send(b"\x1b[200~line one\rline two\r\x1b[201~")
        assert "fathom>" not in chat.quiet(0.5)
        chat.send("end\r")
        chat.expect("fathom> ")
        assert chat.messages() == [("user", "line one\nline two\nend")]


def a_long_paste_is_attached():
    lines = b"0123456789abcde\r" * 4097
    with Chat(YES * 2) as chat:
        chat.send(b"before \x1b[200~" + lines + b"\x1b[201~")
        chat.expect("pasted text, 65.6 kB, goes with your next message")
        chat.expect("you> before ")
        # what is typed before and after it is in the line
        chat.send("after\r")
        chat.expect("fathom> ")
        (role, text), = chat.messages()
        assert role == "user" and text.endswith("before after"), text[-50:]
        assert text.count("0123456789abcde\n") == 4097, len(text)
        # a shorter one is typed in
        chat.expect("you> ")
        chat.send(b"\x1b[200~\rshort\x1b[201~\r")
        chat.expect("fathom> ")
        assert chat.messages()[-1] == ("user", "\nshort"), chat.messages()[-1]


def inputrc_is_honoured():
    rc = ("$if fathom\n\"\\C-o\": \"macro text\"\n\"\\C-t\": fathom-send\n"
          "\"\\C-m\": fathom-newline\n$endif\n")
    with Chat(YES, inputrc=rc) as chat:
        chat.send("\x0f\rmore\x14")
        chat.expect("fathom> ")
        assert chat.messages() == [("user", "macro text\nmore")]


def enter_can_begin_a_line():
    with Home() as folder:
        path = folder.write("f.conf", "[ui]\nenter = newline\n")
        environment = {"FATHOM_CONFIG": path}
        with Chat(YES * 2, environment=environment) as chat:
            chat.send("one\rtwo\n")
            chat.expect("fathom> Yes.")
            chat.expect("you> ")
            chat.send("three\rfour\x1b\r")
            chat.expect("fathom> Yes.")
            assert chat.messages(0)[-1] == ("user", "one\ntwo")
            assert chat.messages(1)[-1] == ("user", "three\nfour")
        # what the user binds holds
        with Chat(YES, environment=environment,
                  inputrc="\"\\C-m\": fathom-send\n") as chat:
            chat.line("hello")
            assert chat.messages() == [("user", "hello")]


def vi_mode_works():
    with Chat(YES, inputrc="set editing-mode vi\n") as chat:
        chat.send("hullo\x1b")
        time.sleep(0.7)
        chat.send("0lre\r")
        chat.expect("fathom> ")
        assert chat.messages() == [("user", "hello")]


def history_is_in_memory_only():
    with Chat(YES + YES) as chat:
        chat.line("remember me")
        chat.send("\x10\r")
        chat.expect("fathom> ")
        assert chat.messages() == [
            ("user", "remember me"), ("assistant", "Yes."),
            ("user", "remember me")]
        chat.expect("you> ")
        chat.send("\x04")
        assert chat.wait() == 0
        found = subprocess.run(["grep", "-rl", "remember", chat.home.path],
                               capture_output=True)
        assert found.stdout.decode().split() == [
            chat.home.file("requests")], found


def keys_typed_during_an_answer_wait_for_the_prompt():
    script = ("want GENERATE\nsay One\nsleep 600\nsay  two.\ndone\n" + YES)
    with Chat(script) as chat:
        chat.send("first\r")
        chat.expect("fathom> One")
        chat.send("next line\r")
        text = chat.expect("you> ")
        assert "next" not in text, text
        chat.expect("fathom> Yes.")
        assert chat.messages()[-1] == ("user", "next line")


def tab_completes_commands_and_their_arguments():
    with Chat(YES) as chat:
        chat.send("/und\t")
        chat.expect("/undo")
        chat.send("\x15/think bu\t7\r")
        chat.expect("[a thought is closed after 7 tokens]")
        chat.expect("you> ")
        chat.send("/mod\tfathom-m\t\x01\x0b")
        chat.send("plain\ttext\x15hello\r")
        chat.expect("fathom> Yes.")
        assert chat.requests()[0]["think_budget"] == 7


def help_lists_every_command():
    with Chat(YES) as chat:
        text = chat.line("/help")
        for name in ("help", "new", "system", "think", "temp", "seed", "retry",
                     "undo", "stats", "model", "export", "quit"):
            assert f"\n/{name}" in text, (name, text)
        assert "/seed [N|random]" in chat.line("/help seed")
        assert "/seed [N|random]" in chat.line("/help /seed")
        assert "no such command" in chat.line("/help nothing")


def every_command_of_help_is_in_the_page():
    with Chat(YES) as chat:
        names = [line.split()[0] for line in chat.line("/help").splitlines()
                 if line.startswith("/") and not line.startswith("//")]
    with open(os.path.join(os.environ["top_srcdir"],
                           "man/fathom-chat.1")) as file:
        page = file.read()
    assert len(names) == len(set(names)) >= 17 and "//text" not in names, names
    for name in names:
        assert f"\n.It Ic {name}" in page, name
    described = re.findall(r"^\.It Ic (/\w+)", page, re.M)
    assert set(described) == set(names), set(described) ^ set(names)


def unknown_commands_are_told_and_not_sent():
    with Chat(YES) as chat:
        text = chat.line("/hel me")
        assert ("[there is no /hel, but /help; /help lists the commands, and "
                "//hel sends it as\ntext]") in text, text
        assert "[there is no /xyzzy; /help" in chat.line("/xyzzy")
        assert "no /hsitory, but /history;" in chat.line("/hsitory")
        chat.line("//hel me")
        assert chat.messages() == [("user", "/hel me")]


def new_forgets_and_undo_takes_back():
    with Chat(YES * 3) as chat:
        chat.line("one")
        chat.line("two")
        text = chat.line("/undo")
        assert "went back before the last question" in text, text
        chat.line("three")
        assert [text for role, text in chat.messages() if role == "user"] == [
            "one", "three"]
        assert "a new conversation" in chat.line("/new")
        assert "nothing to undo" in chat.line("/undo")
        assert "no question yet" in chat.line("/retry")


def retry_replaces_the_answer():
    script = ("want GENERATE\nsay First.\ndone\nwant GENERATE\nsay Second.\n"
              "done\n" + YES)
    with Chat(script) as chat:
        chat.line("question")
        assert "fathom> Second." in chat.line("/retry")
        assert chat.messages() == [("user", "question")]
        chat.line("more")
        assert chat.messages() == [("user", "question"),
                                   ("assistant", "Second."), ("user", "more")]


CONFIG = ("[thinking]\nview = hide\nbudget = 9\n"
          "[preset.code]\ntemp = 0.25\nsystem_file = code.txt\nseed = 3\n"
          "[preset.brief]\nsystem = Be brief.\nthink = off\nbudget = 4\n"
          "max_tokens = 5\ntop_p = 0.5\ntop_k = 6\nmin_p = 0.125\n"
          "repeat_penalty = 1.5\n")


class ConfiguredChat(Chat):
    """A chat whose user has settings and presets."""

    def __init__(self, script, *arguments, **more):
        self.folder = Home().__enter__()
        os.mkdir(self.folder.file("fathom"))
        os.mkdir(self.folder.file("fathom/presets"))
        self.folder.write("fathom/fathom.conf", CONFIG)
        self.folder.write("fathom/presets/code.txt", "Only C.\n")
        environment = {"XDG_CONFIG_HOME": self.folder.path,
                       **more.pop("environment", {})}
        super().__init__(script, *arguments, environment=environment, **more)

    def __exit__(self, *exception):
        super().__exit__(*exception)
        self.folder.__exit__()


def a_preset_says_how_the_model_is_asked():
    with ConfiguredChat(YES * 4) as chat:
        text = chat.line("/preset")
        assert "  code\n  brief\n" in text, text
        text = chat.line("/preset code")
        assert "preset code, from the next answer on, with its" in text, text
        chat.line("one")
        chat.line("/preset brief")
        chat.line("two")
        first, second = chat.requests()
        assert first["sampling"]["temperature"] == 0.25, first
        assert first["sampling"]["seed"] == 3, first
        assert first["think_budget"] == 9, first
        assert chat.messages(0)[0] == ("system", "Only C.\n")
        assert "temperature" not in second["sampling"], second
        assert second["sampling"]["top_p"] == 0.5, second
        assert second["sampling"]["top_k"] == 6, second
        assert second["sampling"]["min_p"] == 0.125, second
        assert second["sampling"]["repeat_penalty"] == 1.5, second
        assert second["thinking"] is False, second
        assert second["think_budget"] == 4, second
        assert second["max_tokens"] == 5, second
        assert chat.messages(1)[0] == ("system", "Be brief.")
        assert "* brief\n" in chat.line("/preset")
        assert "as this chat began" in chat.line("/preset next")
        assert "preset code" in chat.line("/preset next")
        text = chat.line("/preset cod")
        assert "there is no preset 'cod', but code, brief" in text, text


def a_preset_of_the_command_line_gives_way_to_options():
    with ConfiguredChat(YES, "-p", "brief", "-sBe long.", "-n7") as chat:
        chat.line("one")
        assert chat.messages()[0] == ("system", "Be long.")
        assert chat.requests()[0]["max_tokens"] == 7
        assert chat.requests()[0]["sampling"]["top_k"] == 6
    with ConfiguredChat(YES, environment={"FATHOM_PRESET": "code"}) as chat:
        chat.line("one")
        assert chat.messages()[0] == ("system", "Only C.\n")


def a_preset_that_is_not_there_is_78():
    with Home() as home:
        env = home.environment(YES)
        with Terminal([FATHOM, "--ephemeral", "-pnone"], env) as terminal:
            text = terminal.expect("[preset.NAME]")
            assert "there is no preset 'none'" in text, text
            assert terminal.wait() == 78


def settings_say_how_a_chat_begins_and_can_be_changed():
    with ConfiguredChat(THOUGHT * 3) as chat:
        assert "Let me" not in chat.line("one")
        text = " ".join(chat.line("/think").split())
        assert ("hidden, with a budget of 9 tokens; the screen's view is hide"
                in text), text
        text = chat.line("/set")
        assert "thinking.view          hide" in text, text
        assert "ui.clipboard           not set" in text, text
        assert "ui.theme" not in text, text
        text = chat.line("/set thinking.view side")
        assert "[thinking.view is side until you leave]" in text, text
        assert "Let me" in chat.line("two")
        chat.line("/set thinking.budget 12")
        chat.line("three")
        assert chat.requests()[-1]["think_budget"] == 12
        assert "view takes auto|fold" in chat.line("/set thinking.view up")
        assert "from the next start on" in chat.line("/set ui.theme dark")
        assert "no setting of that name" in chat.line("/set theme dark")
        assert "no setting of that name" in chat.line("/set theme")
        assert "how the end of a long" in chat.line("/set ui.notify")


def joined(text):
    """Lines as the terminal broke them, in one."""
    return " ".join(text.split())


def settings_are_kept_for_later_chats():
    with ConfiguredChat(THOUGHT * 2) as chat:
        conf = chat.folder.file("fathom/fathom.conf")
        text = joined(chat.line("/set --keep thinking.view side"))
        wanted = f"thinking.view = side is in {conf} now, and counts at once"
        assert wanted in text, text
        assert "Let me" in chat.line("one")
        text = joined(chat.line("/set --keep ui.theme dark"))
        assert "now, for the next start" in text, text
        wanted = (CONFIG.replace("view = hide", "view = side")
                  + "\n[ui]\ntheme = dark\n")
        assert chat.folder.read("fathom/fathom.conf").decode() == wanted
        assert "theme takes" in chat.line("/set --keep ui.theme brown")
        assert "no setting of that" in chat.line("/set --keep theme dark")
        for line in ("/set --keep", "/set --keep ui.theme"):
            assert "usage: /set [--keep] [KEY" in joined(chat.line(line))
        text = joined(chat.line("/set --keep model.default a ;b"))
        assert "cannot hold 'a ;b'" in text, text
        assert chat.folder.read("fathom/fathom.conf").decode() == wanted
        # somebody else breaks it meanwhile
        chat.folder.write("fathom/fathom.conf", "[ui]\nthem = dark\n")
        text = joined(chat.line("/set --keep ui.theme light"))
        assert "line 2: there is no setting 'them' in [ui]" in text, text
        assert chat.folder.read("fathom/fathom.conf") == b"[ui]\nthem = dark\n"
    with ConfiguredChat(YES, environment={"FATHOM_MODEL": "fathom-mini"}
                        ) as chat:
        text = joined(chat.line("/set --keep model.default other"))
        assert "but FATHOM_MODEL goes before it" in text, text
        chat.send("/set --k\tui.th\tmon\t\r")
        assert "ui.theme = mono is in" in joined(chat.expect("you> "))


def a_budget_is_set_dropped_and_shown():
    with ConfiguredChat(YES * 3) as chat:
        assert "closed after 9 tokens" in chat.line("/budget")
        assert "closed after 7 tokens" in chat.line("/budget 7")
        chat.line("one")
        assert "as long as they like" in chat.line("/budget off")
        chat.line("two")
        assert "closed after 9 tokens" in chat.line("/budget default")
        chat.line("three")
        budgets = [r["think_budget"] for r in chat.requests()]
        assert budgets == [7, 1000000000, 9], budgets
        assert "usage: /budget" in chat.line("/budget much")


def thinking_goes_from_on_to_off_to_default():
    with Chat(YES) as chat:
        for word in ("on", "off", "as the model is used to", "on"):
            assert f"thinking is {word} from" in chat.line("/think next")
        for word in ("fold", "split", "side", "hide", "fold"):
            assert f"thoughts is {word}" in chat.line("/think view next")
        chat.line("hello")
        assert chat.requests()[0]["thinking"] is True


DOCUMENT = "[file name]: {}\n[file content begin]\n{}\n[file content end]\n"


def attached_files_go_with_the_next_message():
    with Chat("want GENERATE\nerror limit 12 too long\n" + YES * 2) as chat:
        first = chat.home.write("notes.txt", "some notes\n")
        chat.home.write("a b.txt", "blank")
        text = " ".join(chat.line(f"/attach {first} ~/nothing").split())
        assert "notes.txt, 11 B, goes with your next message" in text, text
        assert "/nothing: No such file" in text, text
        chat.line("/attach ~/a b.txt")
        text = chat.line("/attach")
        assert "notes.txt, a b.txt; /attach none drops them" in text, text
        # refused, they wait on
        chat.line("what is it?")
        assert "a b.txt" in chat.line("/attach")
        chat.line("what is it?")
        whole = (DOCUMENT.format("notes.txt", "some notes\n")
                 + DOCUMENT.format("a b.txt", "blank") + "what is it?")
        assert chat.messages()[-1] == ("user", whole), chat.messages()
        assert "*   1  what is it?" in chat.line("/tree")
        chat.line("and now?")
        assert chat.messages()[-1] == ("user", "and now?")
        chat.line(f"/attach {first}")
        assert "nothing goes with" in chat.line("/attach none")


def a_file_is_read_into_the_line():
    with Chat(YES) as chat:
        chat.home.write("notes.txt", "line one\nline two")
        assert "No such file" in chat.line("/read ~/nothing")
        chat.send("/read ~/notes.txt\r")
        chat.expect("line two")
        chat.send(" and more\r")
        chat.expect("fathom> Yes.")
        assert chat.messages() == [("user", "line one\nline two and more")]


def what_cannot_be_edited_is_not_read():
    with Chat(YES) as chat:
        chat.home.write("large.txt", "x" * 70000)
        chat.home.write("empty.txt", "")
        chat.home.write("bytes.txt", b"\xff\xfe")
        assert "/attach sends it whole" in chat.line("/read ~/large.txt")
        assert "the file is empty" in chat.line("/read ~/empty.txt")
        assert "is not UTF-8" in chat.line("/read ~/bytes.txt")
        assert "is not UTF-8" in chat.line("/attach ~/bytes.txt")
        assert "usage: /read FILE" in chat.line("/read")


def pasted_lines_end_with_a_dot():
    with Chat(YES) as chat:
        chat.line("/paste", "paste> ")
        for line in ("one", "", "/two"):
            chat.send(line + "\r")
            chat.expect("paste> ")
        chat.send(".\r")
        chat.expect("fathom> Yes.")
        assert chat.messages() == [("user", "one\n\n/two")]
        chat.expect("you> ")
        chat.line("/paste", "paste> ")
        chat.send("\x03")
        chat.expect("nothing was sent")


def the_context_is_told():
    with Chat(YES) as chat:
        chat.line("hello")
        text = chat.line("/ctx")
        assert re.search(r"\[\d+ of [\d,]+ tokens of the context are", text), (
            text)


CODE = ("want GENERATE\nsay Two:\\n\\n```c\\nint x;\\n\\nint y;\\n```\\n"
        "\\n    indented\\n\\n```\\nno label\\n```\ndone\n")


def clipboard(chat):
    """What the terminal was asked to take, texts in their order."""
    return [base64.b64decode(text).decode() for text in
            re.findall(rb"\x1b]52;c;([A-Za-z0-9+/=]*)(?:\x07|\x1b\\\\)",
                       chat.seen)]


def code_is_numbered_after_the_answer():
    with Chat(CODE + YES) as chat:
        text = chat.line("code?")
        assert ("[code 1, c, 3 lines; /copy 1 or /save 1 FILE]\n" in text
                ), text
        assert "[code 3, 1 line; /copy 3 or /save 3 FILE]\n" in text, text
        assert text.index("[code 1") < text.index("tok/s"), text
        assert "[code" not in chat.line("yes?")


def answers_and_their_code_are_copied():
    with Chat(THOUGHT + CODE) as chat:
        assert "there is no answer yet" in chat.line("/copy")
        chat.line("first")
        chat.line("/copy")
        chat.line("/copy think")
        assert "has 0 blocks of code" in chat.line("/copy 1")
        chat.line("code?")
        text = chat.line("/copy 1")
        assert "code 1 is in the clipboard, if the terminal takes" in text, (
            text)
        text = chat.line("/copy 4")
        assert "has 3 blocks of code" in text, text
        assert "has 3 blocks of code" in chat.line("/copy 0")
        assert "it is empty" in chat.line("/copy think")
        assert "has 0 blocks of code" in chat.line("/copy 1.1")
        assert "no such answer" in chat.line("/copy 3.1")
        assert "usage: /copy" in chat.line("/copy 1.x")
        chat.line("/copy turn")
        chat.line("/copy all")
        texts = clipboard(chat)
        assert texts[:3] == ["Yes.", "Let me\nsee.", "int x;\n\nint y;\n"], (
            texts)
        assert texts[3].startswith("**you**\n\ncode?\n\n**fathom**\n\nTwo:")
        assert texts[4].startswith("**you**\n\nfirst\n\n**fathom**\n\nYes.\n")
        assert len(texts) == 5


def a_clipboard_that_is_off_is_not_written_to():
    with Chat(YES) as chat:
        chat.line("hello")
        chat.line("/set ui.clipboard off")
        assert "ui.clipboard is off" in chat.line("/copy")
        assert not clipboard(chat)
    for environment in ({"TERM": "dumb"}, {"TERM": "linux"}):
        with Chat(CODE, environment=environment) as chat:
            text = chat.line("hello")
            assert "[code 1, c, 3 lines; /save 1 FILE]" in text, text
            assert "no clipboard for" in chat.line("/copy")
            assert not clipboard(chat)


def a_policy_keeps_texts_from_clipboard_and_files():
    reason = no_policies()
    if reason:
        return reason
    flags = "-m" if os.geteuid() == 0 else "-rm"
    with Home() as home:
        os.mkdir(home.file("etc"))
        home.write("etc/policy.conf",
                   "clipboard = off\nexport.plaintext = deny\n")
        command = [shutil.which("unshare"), flags, "sh", "-c", MOUNT, "sh",
                   sysconfdir(), home.file("etc"), "0644", FATHOM, "--plain",
                   "--ephemeral"]
        with Terminal(command, home.environment(CODE + "drain\n")) as chat:
            chat.expect("you> ")
            chat.send("/set --keep ui.clipboard osc52\r")
            text = joined(chat.expect("you> "))
            assert "the clipboard stays off: the policy in" in text, text
            assert "(clipboard = off)" in text, text
            assert not os.path.exists(home.file(".config"))
            chat.send("hello\r")
            assert "/save 1 FILE]" in chat.expect("tok/s")
            chat.expect("you> ")
            chat.send("/copy\r")
            chat.expect("(clipboard = off)")
            chat.expect("you> ")
            chat.send("/set ui.clipboard osc52\r")
            chat.expect("the policy in")
            chat.expect("you> ")
            chat.send("/save 1 ~/x.c\r")
            chat.expect("export.plaintext = deny")
            chat.expect("you> ")
            assert not clipboard(chat) and b"/copy 1" not in chat.seen
            assert not os.path.exists(home.file("x.c"))


def code_is_saved_for_its_user_alone():
    with Chat(CODE) as chat:
        chat.line("hello")
        path = chat.home.file("x.c")
        assert "written to" in chat.line(f"/save 1 {path}")
        assert chat.home.read("x.c") == b"int x;\n\nint y;\n"
        assert os.stat(path).st_mode & 0o777 == 0o600
        chat.line("/save 2 ~/x.c", "Replace it? [y/N] ")
        chat.send("n\r")
        chat.expect("nothing was written")
        chat.expect("you> ")
        assert chat.home.read("x.c") == b"int x;\n\nint y;\n"
        assert "No such file" in chat.line("/save 1 ~/none/x.c")
        assert "usage: /save [TURN.]N FILE" in chat.line("/save 1")
        assert "usage: /save [TURN.]N FILE" in chat.line("/save x.c")


STOPPED = ("want GENERATE\n{}want CANCEL\n"
           "done {{\"finish\":\"interrupted\"}}\n")


def stop(chat, question, seen):
    chat.send(question + "\r")
    chat.expect(seen)
    chat.send("\x03")
    return chat.expect("you> ")


def an_answer_that_was_stopped_goes_on():
    script = (STOPPED.format("think Hm.\nsay So far\n")
              + "want GENERATE\nsay , so good.\ndone\n" + YES)
    with Chat(script) as chat:
        assert "no answer to go on" in chat.line("/continue")
        stop(chat, "hello", "So far")
        assert "fathom> , so good." in chat.line("/continue")
        request = chat.requests()[-1]
        assert request["prefill"] == "So far", request
        assert request["prefill_reasoning"] == "Hm.", request
        assert request["thinking"] is None, request
        assert [m["content"] for m in request["messages"]] == ["hello"]
        chat.line("more")
        assert chat.messages()[1] == ("assistant", "So far, so good.")
        assert "the answer is complete" in chat.line("/continue")
        assert "1 again" in chat.line("/tree")


def a_thought_that_was_stopped_goes_on():
    script = (STOPPED.format("think Let me \n")
              + "want GENERATE\nthink see.\nsay Yes.\ndone\n")
    with Chat(script) as chat:
        stop(chat, "hello", "Let me")
        chat.line("/continue")
        request = chat.requests()[-1]
        assert request["prefill"] == "Let me ", request
        assert request["thinking"] is True, request
        assert ": Let me see." in chat.line("/think show")


def a_continuation_that_is_refused_leaves_what_was_there():
    script = (STOPPED.format("say So far\n")
              + "want GENERATE\nerror limit 12 too long\n" + YES)
    with Chat(script) as chat:
        stop(chat, "hello", "So far")
        assert "too long" in chat.line("/continue")
        chat.line("more")
        assert chat.messages()[1] == ("assistant", "So far")


def a_turn_is_taken_off_and_brought_back():
    with Chat(SAID) as chat:
        for question in ("one", "two", "three"):
            chat.line(question)
        text = " ".join(chat.line("/delete 2").split())
        assert 'your next message comes after turn 1, "one"' in text, text
        text = " ".join(chat.line("/undo").split())
        assert "what /delete took off is back; your next" in text, text
        assert "* 3 three" in " ".join(chat.line("/tree").split())
        chat.line("/delete")
        chat.line("again")
        assert questions(chat) == ["one", "two", "again"]
        # the undo of what came since is an undo
        assert "went back before" in chat.line("/undo")
        assert "on another branch" in chat.line("/delete 3")
        assert "there is no turn 9" in chat.line("/delete 9")


def an_edit_leaves_documents_with_the_question():
    with Chat(SAID) as chat:
        chat.home.write("notes.txt", "notes")
        chat.line("/attach ~/notes.txt")
        chat.line("one")
        chat.line("/edit", "edit> one")
        chat.send(" more\r")
        chat.expect("fathom> Second.")
        assert chat.messages()[-1] == (
            "user", DOCUMENT.format("notes.txt", "notes") + "one more")


LOOP = ("want GENERATE\nthink again and \n"
        "send LOOP {\"channel\":\"think\",\"period\":2,\"repeats\":9}\n"
        "send LOOP {\"channel\":\"think\",\"period\":2,\"repeats\":19}\n")


def a_thought_that_repeats_itself_is_told_once():
    with Chat(LOOP + "say Yes.\ndone\n" + LOOP + "say Yes.\ndone\n") as chat:
        text = chat.line("hello")
        assert text.count("the thought repeats itself") == 1, text
        # on a line of its own, and the thought goes on below
        assert re.search(r"\n: again and\n\[the thought repeats itself; "
                         r"\^\\ answers now.*\s.*otherwise\]\nfathom> Yes.",
                         text), text
        chat.line("/set thinking.loop_break off")
        assert "repeats itself" not in chat.line("hello")


def what_comes_goes_on_after_a_remark():
    loop = LOOP.splitlines()[2] + "\n"
    script = ("want GENERATE\nthink one two\n" + loop + "think  three\n"
              "say Yes,\n" + loop.replace("think", "answer")
              + "say \\x20and more.\ndone\n")
    with Chat(script) as chat:
        text = chat.line("hello")
        assert ": one two\n[the thought" in text, text
        assert "]\n: three\nfathom> Yes, and more.\n" in text, text


def the_answer_can_be_had_at_once():
    script = ("want GENERATE\nthink Let me\nwant ANSWER_NOW\n"
              "say Yes.\ndone\n")
    with Chat(script) as chat:
        chat.send("hello\r")
        chat.expect(": Let me")
        chat.send("\x1c")
        text = chat.expect("you> ")
        assert "[the thought is closed, and the answer begins]\nfathom> Yes." \
            in text, text
        # at the prompt there is nothing to hurry
        chat.send("half\x1c line\r")
        chat.quiet(0.1)
        assert chat.status is None


def accessible_mode_writes_nothing_but_text():
    table = "| a | b |\\n|---|---|\\n| 1 | 2 |\\n"
    evil = json.dumps({"channel": "answer", "tokens": 1,
                       "text": "a\u001b]52;c;eA==\u0007b\u202ec\u00e4\n"})
    script = (f"want GENERATE\nthink Hm.\nsend TOKEN {evil}\nsay {table}"
              "```c\\nint x;\\n```\\nEnd.\ndone\n")
    environment = {"ACCESSIBLE": "1", "TERM": "xterm-256color"}
    with Chat(script, environment=environment) as chat:
        chat.send("hello\r")
        chat.expect("tok/s")
        chat.expect("you> ")
        for command in ("/help", "/stats", "/tree", "/think", "/set", "/ctx"):
            chat.line(command)
        chat.send("\x04")
        assert chat.wait() == 0
        text = chat.seen.replace(b"\r\n", b"\n").decode()
        wrong = [c for c in text if c != "\n" and not c.isprintable()]
        assert not wrong, (wrong, text)
        assert "a: 1\nb: 2\n" in text, text
        assert "a<ESC>]52;c;eA==<BEL>b<U+202E>c\u00e4" in text, text


def what_made_it_plain_is_told():
    with Chat(YES) as chat:
        assert "plain mode (--plain). net:off." in chat.greeting
        assert "stays in the terminal's scrollback" in chat.greeting
    for value in ("0", "false", ""):
        with Chat(YES, environment={"ACCESSIBLE": value}) as chat:
            assert "plain mode (--plain)" in chat.greeting, chat.greeting
    with Home() as home:
        os.makedirs(home.file(".config/fathom"))
        home.write(".config/fathom/fathom.conf", "[ui]\nface = plain\n")
        for environment, why in (({}, "ui.face = plain"),
                                 ({"TERM": "dumb"}, "ui.face = plain")):
            env = home.environment(YES + "drain\n", **environment)
            with Terminal([FATHOM, "--ephemeral"], env) as chat:
                assert f"plain mode ({why})" in chat.expect("you> ")
        home.write(".config/fathom/fathom.conf", "")
        env = home.environment(YES + "drain\n", TERM="dumb")
        with Terminal([FATHOM, "--ephemeral"], env) as chat:
            text = chat.expect("you> ")
            assert re.search(r"plain mode \(.*dumb.*\)", text), text


def a_thought_that_repeats_itself_is_closed_if_that_is_set():
    with Chat(LOOP + "want ANSWER_NOW\nsay Yes.\ndone\n") as chat:
        chat.line("/set thinking.loop_break force")
        text = chat.line("hello")
        assert "repeats itself and is closed" in text and "Yes." in text, text


def encode(raw):
    return base64.b64encode(raw).decode()


def residency(uses, tokens, layers=2, experts=4):
    """A RESIDENCY of a model with two layers of four experts."""
    return "send RESIDENCY " + json.dumps({
        "vram": 0, "ram": 1, "nvme": 0, "nvme_bytes": 0, "tokens": tokens,
        "first_layer": 1, "layers": layers, "experts": experts, "active": 2,
        "shared": 1, "uses": encode(b"".join(
            count.to_bytes(4, "little") for count in uses)),
        "tier": encode(b"\1" * len(uses))}) + "\n"


def experts_are_told_in_words():
    script = ("want GENERATE\n" + residency([6, 2, 0, 0, 3, 3, 2, 0], 4)
              + "say Yes.\n" + residency([5, 1, 2, 0, 0, 3, 4, 1], 4)
              + "done\n" + YES)
    with Chat(script) as chat:
        assert "no expert was used yet" in chat.line("/experts")
        chat.line("hello")
        text = chat.line("/experts")
        # 11 + 3 + 2 of 16 in the first layer, 3 + 6 + 6 + 1 in the second
        assert ("the last 8 tokens: 2 layers of 4 experts, 2 of them and 1 "
                "shared for each token\n"
                "L01  0 68.8%, 1 18.8%, 2 12.5%; 1 hot of 3 used\n"
                "L02  1 37.5%, 2 37.5%, 0 18.8%, 3 6.2%; 0 hot of 4 used\n"
                ) in text.replace("\nshared", " shared"), text
        assert "reveals the text" in " ".join(text.split()), text
        chat.line("/new")
        assert "no expert was used yet" in chat.line("/experts")


def texts_are_counted_in_tokens():
    script = ("want TOKENIZE\nsend IDS {\"index\":0,\"ids\":[5,7],"
              "\"more\":false}\nsend DONE {\"tokens\":2}\n"
              "want TOKENIZE\nerror format 65 no such thing\n")
    with Chat(script) as chat:
        assert "[2 tokens: 5 7]" in chat.line("/tokens two words")
        assert "[no such thing]" in chat.line("/tokens two words")
        assert "usage: /tokens TEXT" in chat.line("/tokens")


def the_machine_is_looked_at():
    with Chat(YES) as chat:
        text = chat.line("/doctor")
        assert re.search(r"^(ok|warn) .*core files", text, re.M), text
        assert "the vault is not open here" in " ".join(
            chat.line("/audit").split())
        assert "[nothing is noted]" in chat.line("/log")
        assert "usage: /log" in chat.line("/log 7")


SAID = "".join(f"want GENERATE\nsay {word}.\ndone\n"
               for word in ("First", "Second", "Third", "Fourth", "Fifth"))


def questions(chat, i=-1):
    return [text for role, text in chat.messages(i) if role == "user"]


def a_turn_before_is_answered_again():
    with Chat(SAID) as chat:
        chat.line("one")
        chat.line("two")
        assert "fathom> Third." in chat.line("/retry 1")
        assert questions(chat) == ["one"]
        assert "no turn 8" in chat.line("/retry 8")


def an_edit_makes_a_branch_and_keeps_the_other():
    with Chat(SAID) as chat:
        chat.line("one")
        chat.line("two")
        chat.line("/edit", "edit> two")
        chat.send(" more\r")
        chat.expect("fathom> Third.")
        chat.expect("you> ")
        assert questions(chat) == ["one", "two more"], chat.messages()
        chat.line("/edit 1", "edit> one")
        chat.send("\x15another\r")
        chat.expect("fathom> Fourth.")
        chat.expect("you> ")
        assert questions(chat) == ["another"]
        text = chat.line("/tree")
        assert text.splitlines()[1:] == [
            "    1  one", "    2  two", "    3  after 1: two more",
            "*   4  another beginning: another",
            "* the branch in use; /branch TURN goes on after another turn"], (
            text)
        assert "after turn 2" in chat.line("/branch 2")
        chat.line("go on")
        assert chat.messages() == [
            ("user", "one"), ("assistant", "First."), ("user", "two"),
            ("assistant", "Second."), ("user", "go on")]


def an_edit_that_is_given_up_changes_nothing():
    with Chat(SAID) as chat:
        assert "no question yet" in chat.line("/edit")
        chat.line("one")
        chat.line("/edit", "edit> one")
        chat.send("\x03")
        assert "nothing was changed" in chat.expect("you> ")
        assert "there is no turn 7" in chat.line("/edit 7")
        assert "usage: /edit [TURN]" in chat.line("/edit x")
        chat.line("two")
        assert questions(chat) == ["one", "two"]


def undo_is_taken_back_by_redo():
    with Chat(SAID) as chat:
        assert "no /undo to take back" in chat.line("/redo")
        for question in ("one", "two"):
            chat.line(question)
        chat.line("/undo")
        assert "begins anew" in " ".join(chat.line("/undo").split())
        assert "after turn 1" in chat.line("/redo")
        assert "after turn 2" in chat.line("/redo")
        assert "no /undo to take back" in chat.line("/redo")
        chat.line("/undo")
        chat.line("three")
        assert questions(chat) == ["one", "three"]
        # what was undone is a branch, and is still there
        assert "no /undo to take back" in chat.line("/redo")
        assert "    2  two" in chat.line("/tree")


def a_retry_is_a_branch():
    with Chat(SAID) as chat:
        chat.line("one")
        chat.line("/retry")
        text = chat.line("/tree")
        assert "    1  one\n*   2  turn 1 again: one\n" in text, text
        chat.line("/branch 1")
        chat.line("two")
        assert ("assistant", "First.") in chat.messages()


def a_title_is_set_and_shown():
    with Chat(SAID) as chat:
        assert "no title yet" in chat.line("/title")
        assert 'title is "My notes"' in chat.line("/title My  notes")
        assert 'title is "My notes"' in chat.line("/title")


def a_retry_that_fails_keeps_the_answer():
    script = ("want GENERATE\nsay First.\ndone\nwant GENERATE\n"
              "error limit 12 too long\n" + YES)
    with Chat(script) as chat:
        chat.line("question")
        assert "too long" in chat.line("/retry")
        chat.line("more")
        assert ("assistant", "First.") in chat.messages()


def settings_reach_the_next_answer():
    with Chat(YES + YES) as chat:
        assert "temperature 0.25" in chat.line("/temp 0.25")
        assert "seed 9" in chat.line("/seed 9")
        assert "system text set" in chat.line("/system Be kind.")
        chat.line("hello")
        request = chat.requests()[0]
        assert request["sampling"]["temperature"] == 0.25, request
        assert request["sampling"]["seed"] == 9
        assert chat.messages()[0] == ("system", "Be kind.")
        assert "Be kind." in chat.line("/system")
        chat.line("/temp default")
        chat.line("/seed random")
        chat.line("/system none")
        chat.line("hello")
        request = chat.requests()[1]
        assert request["sampling"].get("temperature") is None, request
        assert request["sampling"].get("seed") is None
        assert chat.messages()[0][0] == "user"


def wrong_arguments_are_told_how_it_goes():
    cases = {"/temp hot": "usage: /temp [X|default]",
             "/temp -1": "usage: /temp", "/seed x": "usage: /seed [N|random]",
             "/think maybe": "usage: /think on|off",
             "/think budget x": "usage: /budget", "/think on off": "usage:",
             "/retry x": "no question yet", "/redo 2": "usage: /redo",
             "/tree 2": "usage: /tree", "/undo 2": "usage: /undo",
             "/export": "usage: /export md|json|html FILE", "/quit now": "usage:",
             "/export txt a": "usage: /export", "/export md": "usage:",
             "/stats x": "usage: /stats",
             "/system @/nowhere": "cannot read /nowhere: No such file",
             "/model nothing": "there is no model 'nothing'",
             "/export md /tmp/x": "nothing to export yet"}
    with Chat(YES) as chat:
        for line, answer in cases.items():
            text = chat.line(line)
            assert answer in text, (line, text)


def system_text_comes_from_a_file():
    with Chat(YES) as chat:
        chat.home.write("sys.txt", "From a file.")
        chat.line("/system @~/sys.txt")
        chat.line("hello")
        assert chat.messages()[0] == ("system", "From a file.")


def thinking_is_switched_where_the_model_can():
    with Chat(YES + YES) as chat:
        chat.line("hello")
        text = chat.line("/think off")
        if "thinking is off" in text:
            chat.line("hello")
            assert chat.requests()[1]["thinking"] is False
        else:
            assert "always thinks" in text or "no thoughts" in text, text


def stats_show_figures():
    with Chat(YES) as chat:
        assert "turns        0" in chat.line("/stats")
        chat.line("hello")
        text = chat.line("/stats")
        for part in ("model        replay", "turns        1",
                     "12 prompt tokens", "seed 1", "of 4,096 tokens",
                     "why slow     "):
            assert part in text, (part, text)


def an_export_is_private_and_asks_before_it_replaces():
    with Chat(THOUGHT) as chat:
        chat.line("hello")
        path = chat.home.file("talk.md")
        assert "written to" in chat.line(f"/export {path}")
        assert os.stat(path).st_mode & 0o777 == 0o600
        text = chat.home.read("talk.md").decode()
        assert "## You\n\nhello\n" in text and "## fathom\n\nYes.\n" in text
        assert "Let me" not in text
        chat.line(f"/export md {path} --with-thinking", "Replace it? [y/N] ")
        chat.send("\r")
        chat.expect("nothing was written")
        chat.expect("you> ")
        assert "Let me" not in chat.home.read("talk.md").decode()
        chat.line(f"/export md {path} --with-thinking", "Replace it? [y/N] ")
        chat.send("y\r")
        chat.expect("written to")
        assert "> Let me\n> see.\n" in chat.home.read("talk.md").decode()


def an_export_as_json_has_all():
    with Chat(THOUGHT, "-sBe brief.") as chat:
        chat.line("hello")
        chat.line("/export json ~/talk.json --with-thinking")
        talk = json.loads(chat.home.read("talk.json"))
        assert talk["schema"] == "fathom.export/1", talk
        talk = talk["chats"][0]
        assert talk["system"] == "Be brief.", talk
        question, answer = talk["turns"]
        assert question["content"] == "hello", talk
        assert answer["content"] == "Yes." and answer["complete"], talk
        assert answer["thinking"] == "Let me\nsee.", talk


def an_export_that_cannot_be_written_is_told():
    with Chat(YES) as chat:
        chat.line("hello")
        text = chat.line("/export md /nowhere/talk.md")
        assert "cannot create /nowhere/talk.md: No such file" in text, text


def the_model_can_be_changed():
    with Chat(YES * 2) as chat:
        chat.line("hello")
        os.makedirs(chat.home.file("data/fathom/models"))
        chat.home.write("data/fathom/models/other.gguf", "")
        # long paths are wrapped
        text = " ".join(chat.line("/model").split())
        assert "replay, prompts of replay, in " in text, text
        text = "".join(chat.line("/model other").split())
        assert "data/fathom/models/other.gguf]" in text, text
        chat.line("more")
        assert [content for _, content in chat.messages()] == [
            "hello", "Yes.", "more"]


def a_model_that_is_refused_leaves_the_one_before():
    with Chat(YES) as chat:
        chat.line("hello")
        os.makedirs(chat.home.file("data/fathom/models"))
        chat.home.write("data/fathom/models/other.gguf", "")
        chat.home.write("script", "want OPEN\nerror format 65 it is bad\n"
                        "drain\n")
        text = chat.line("/model other")
        assert "[it is bad; back to the model before]" in text, text
        # that was not the end of the chat
        chat.expect("again? [Y/n] ")
        chat.send("n\r")
        chat.expect("you> ")
        chat.send("/quit\r")
        assert chat.wait() == 0, chat.status


def what_a_terminal_acts_upon_becomes_marks():
    text = "a\u001b]52;c;eA==\u0007b\u202ec"
    script = ("want GENERATE\nsend TOKEN " + json.dumps(
        {"channel": "answer", "tokens": 1, "text": text}) + "\ndone\n")
    with Chat(script) as chat:
        shown = chat.line("hello")
        assert "a<ESC>]52;c;eA==<BEL>b<U+202E>c" in shown, shown
        assert b"\x1b]52" not in chat.seen


def words_are_wrapped_but_not_code():
    words = " ".join(["word"] * 30)
    code = "x" * 30 + " " + "y" * 30
    script = f"want GENERATE\nsay {words}\\n```\\n{code}\\n```\ndone\n"
    with Chat(script, columns=40) as chat:
        text = chat.line("hello")
        answer = text[text.index("fathom> "):text.index("```")]
        lines = answer.splitlines()
        assert len(lines) > 3 and all(len(line) <= 40 for line in lines), (
            lines)
        assert " ".join(answer.split()) == "fathom> " + words
        assert f"```\n{code}\n```\n" in text, text


def without_colour_there_are_no_attributes():
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"},
                        {"ACCESSIBLE": "1"}):
        with Chat(THOUGHT, environment=environment) as chat:
            chat.line("hello")
            assert b"\x1b[2m" not in chat.seen, environment


def accessible_mode_says_why_and_uses_words():
    with Chat(THOUGHT, environment={"ACCESSIBLE": "1"}) as chat:
        assert "accessible mode, because ACCESSIBLE is set" in chat.greeting
        text = chat.line("hello")
        assert "thinking> Let me\nsee.\nfathom> Yes.\n" in text, text


def tables_are_told_line_by_line_in_accessible_mode():
    table = "| a | b |\\n|---|---|\\n| 1 | 2 |\\nEnd."
    script = f"want GENERATE\nsay {table}\ndone\n"
    with Chat(script, environment={"ACCESSIBLE": "1"}) as chat:
        text = chat.line("hello")
        assert "fathom> a: 1\nb: 2\nEnd.\n" in text, text
    with Chat(script) as chat:
        assert "| 1 | 2 |" in chat.line("hello")


def the_window_may_change_its_size():
    words = " ".join(["word"] * 20)
    script = f"want GENERATE\nsay {words}\ndone\n" * 2
    with Chat(script) as chat:
        chat.line("hello")
        chat.resize(30)
        text = chat.line("again")
        answer = text[text.index("fathom> "):text.index("[")]
        assert all(len(line) <= 30 for line in answer.splitlines()), text


def a_terminal_that_goes_away_ends_it():
    with Chat("want GENERATE\nsay So far\nhang\n") as chat:
        chat.send("hello\r")
        chat.expect("So far")
        os.close(chat.master)
        for _ in range(200):
            pid, status = os.waitpid(chat.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.1)
        assert pid and os.waitstatus_to_exitcode(status) in (74, 129), status
        chat.status = 0
        chat.master = os.open("/dev/null", os.O_RDONLY)


def the_terminal_is_left_as_it_was():
    with Home() as home:
        script = YES + "drain\n"
        env = home.environment(script)
        command = f"stty -g; {FATHOM} --plain --ephemeral; stty -g; echo over"
        with Terminal(["/bin/sh", "-c", command], env) as terminal:
            before = terminal.expect("\n")
            terminal.expect("you> ")
            terminal.send("hello\r")
            terminal.expect("you> ")
            terminal.send("\x04")
            text = terminal.expect("over")
            assert text.strip().endswith(before.strip()), (before, text)
            terminal.wait()


def suspended_it_gives_the_terminal_back():
    with Chat(YES) as chat:
        chat.send("half")
        chat.expect("half")
        chat.send("\x1a")
        for _ in range(100):
            pid, status = os.waitpid(chat.pid, os.WNOHANG | os.WUNTRACED)
            if pid:
                break
            time.sleep(0.05)
        assert pid and os.WIFSTOPPED(status), status
        os.kill(chat.pid, signal.SIGCONT)
        chat.expect("you> half")
        chat.send(" done\r")
        chat.expect("fathom> Yes.")
        assert chat.messages() == [("user", "half done")]


def signals_end_it_with_their_code():
    for number, code in ((signal.SIGTERM, 143), (signal.SIGHUP, 129)):
        with Chat(YES) as chat:
            os.kill(chat.pid, number)
            assert chat.wait() == code


engine_client.run([value for name, value in list(globals().items())
                   if getattr(value, "__module__", "") == "__main__"
                   and hasattr(value, "__code__")
                   and value.__code__.co_argcount == 0])
