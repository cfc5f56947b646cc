"""fathom history: chats in, chats shown, chats out, and what is refused."""
import html.parser
import json
import os
import re
import select
import shutil
import signal
import stat
import subprocess
import time

import engine_client
from policies import no_policies, under_policy
from program import BUILD, FATHOM, LIMIT, SOURCE, Home, one_sentence, run, start
from terminal import Terminal

PASSPHRASE = "right horse battery"
EXPORT_PASSPHRASE = "another long one"
DAY = 86400
LONG = os.environ.get("FATHOM_LONG") == "1"


def passphrases(*lines):
    return "".join(line + "\n" for line in lines).encode()


class History:
    """A home with a vault."""

    def __enter__(self):
        self.home = Home().__enter__()
        result = run(self.home, "vault", "init", "--kdf=least",
                     "--passphrase-fd=0", stdin=passphrases(PASSPHRASE))
        assert result.status == 0, result
        return self

    def __exit__(self, *exception):
        self.home.__exit__(*exception)

    def __call__(self, *arguments, lines=(PASSPHRASE,), status=0, **more):
        """One verb; its standard output, or all where it fails."""
        result = run(self.home, "history", *arguments, "--passphrase-fd=0",
                     stdin=passphrases(*lines), cwd=self.home.path, **more)
        assert result.status == status, (arguments, result)
        return result.out if status == 0 else result

    def refused(self, status, sentence, *arguments, **more):
        """It fails with one sentence that says so, and prints nothing."""
        result = self(*arguments, status=status, **more)
        assert result.out == b"", result
        assert sentence in one_sentence(result.err), (arguments, result.err)

    def take(self, *chats, **more):
        """Imports chats."""
        self.home.write("chats", document(*chats))
        return self("import", "chats", **more)

    def listed(self):
        return json.loads(self("list", "--json"))["chats"]

    def titles(self):
        return [chat["title"] for chat in self.listed()]

    def terminal(self, *arguments, columns=80):
        path = self.home.write("passphrase", passphrases(PASSPHRASE))
        command = f'exec "$@" --passphrase-fd=3 3<{path}'
        return Terminal(["/bin/sh", "-c", command, "sh", FATHOM, "history",
                         *arguments], self.home.environment(), columns)

    def on_terminal(self, *arguments, columns=80, status=0):
        with self.terminal(*arguments, columns=columns) as terminal:
            assert terminal.wait() == status, terminal.text()
            return terminal


def moment(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def chat(title, *turns, used=1795356253, **more):
    """Questions and answers in a row, or turns as objects."""
    made = [turn if isinstance(turn, dict) else
            {"role": ("user", "assistant")[i % 2], "content": turn}
            for i, turn in enumerate(turns)]
    for i, turn in enumerate(made):
        turn["id"] = i + 1
        if i > 0:
            turn.setdefault("parent", i)
        if turn["role"] == "assistant":
            turn.setdefault("complete", True)
            turn.setdefault("finish", "stop")
    return {"title": title, "used": moment(used), "created": moment(used - 60),
            "leaf": len(made), "turns": made, **more}


def document(*chats):
    return json.dumps({"schema": "fathom.export/1", "chats": list(chats)})


BRANCHES = chat(
    "Two answers", "Is it raining?",
    {"role": "assistant", "content": "I can", "complete": False,
     "finish": None, "thinking": "Who knows?"},
    {"role": "assistant", "content": "Look outside.", "parent": 1,
     "thinking": "Better ask back.", "model": "mini",
     "sampling": {"seed": 7, "temp": 0.1}, "timing": {"ttft_ms": 33.25}},
    model="mini", pinned=True)


# -- list -----------------------------------------------------------------------

def the_list_has_fields_in_a_pipe_and_objects_in_json():
    with History() as history:
        assert history("list") == b""
        history.take(chat("Older", "q", "a", used=1795000000),
                     chat("Newer", "q", "a", used=1795356253, model="mini"))
        ids = [entry["id"] for entry in history.listed()]
        assert all(re.fullmatch("[0-9a-hjkmnp-tv-z]{26}", id) for id in ids)
        assert history("list").decode() == (
            f"{ids[0]}\t2026-11-22T14:04:13.000Z\t1\tmini\tNewer\n"
            f"{ids[1]}\t2026-11-18T11:06:40.000Z\t1\t\tOlder\n")
        assert history("list", "-n", "1").count(b"\n") == 1
        assert history.listed()[0] == {
            "id": ids[0], "title": "Newer", "model": "mini", "turns": 1,
            "created": "2026-11-22T14:03:13.000Z", "pinned": False,
            "tags": [],
            "used": "2026-11-22T14:04:13.000Z"}


def a_table_is_aligned_by_display_width():
    with History() as history:
        assert "There are no chats yet." in history.on_terminal("list").text()
        history.take(chat("日本語のとても長い題名" * 5, "q", "a",
                          model="モデル"),
                     chat("plain", "q", "a", used=1795000000, model="mini"))
        lines = history.on_terminal("list", columns=60).text().splitlines()
        assert len(lines) == 3, lines
        assert lines[0].split() == ["ID", "LAST", "USED", "TURNS", "MODEL",
                                    "TITLE"]
        # a wide character takes two columns
        widths = [sum(2 if ord(c) > 0x2E80 else 1 for c in line)
                  for line in lines]
        assert max(widths) <= 60 and lines[1].endswith("..."), lines
        title = lines[0].index("TITLE")
        assert lines[2][title:] == "plain", lines
        assert sum(2 if ord(c) > 0x2E80 else 1
                   for c in lines[1][:lines[1].index("日")]) == title, lines


def escapes_in_titles_never_reach_a_terminal():
    bad = "a\x1b]0;owned\x07b\x1b[2J\x9bm\u202egnp\nnext\x00"
    with History() as history:
        history.take(chat(bad, bad, bad, model=bad, system=bad))
        for arguments in (("list",), ("show",), ("search", "owned"),
                          ("prune", "--keep=0", "--dry-run")):
            for out in (history.on_terminal(*arguments).seen,
                        history(*arguments)):
                assert b"owned" in out, (arguments, out)
                for escape in (b"\x1b]", b"\x1b[2J", b"\x07", b"\x00",
                               "\x9b".encode(), "\u202e".encode()):
                    assert escape not in out, (arguments, escape, out)
        for arguments in (("list", "--json"), ("search", "owned", "--json"),
                          ("show", "--json")):
            out = history(*arguments)
            assert b"\x1b" not in out and b"\\u001B]0;owned" in out, out
            json.loads(out)


# -- show -----------------------------------------------------------------------

def a_chat_is_shown_by_the_beginning_of_its_id():
    with History() as history:
        history.take(BRANCHES)
        id = history.listed()[0]["id"]
        text = history("show", id[:6].upper()).decode()
        assert text == (f"Two answers\n2026-11-22 14:03, mini, {id}\n\n"
                        "you> Is it raining?\n\nfathom> Look outside.\n"), text
        assert history("show") == history("show", id)
        text = history("show", "--all", "--with-thinking").decode()
        assert text.endswith(
            "\n\n1. you> Is it raining?\n\n| Who knows?\n"
            "2. fathom (incomplete) (after 1, version 1 of 2)> I can\n\n"
            "| Better ask back.\n"
            "3. fathom (after 1, version 2 of 2)> Look outside.\n"), text
        shown = json.loads(history("show", "--json", "--with-thinking"))
        assert len(shown["chats"][0]["turns"]) == 3
        # a question with two answers is one turn of the branch in use
        assert history.listed()[0]["turns"] == 1, history.listed()
        history.refused(65, "no chat's id begins with", "show", "zzzz")
        seen = history.on_terminal("show", "--with-thinking")
        assert b"\x1b[2m| Better ask back." in seen.seen, seen.seen
        assert "1 message on other branches; --all" in seen.text()


def without_chats_there_is_nothing_to_show():
    with History() as history:
        history.refused(65, "there are no chats yet", "show")


# -- search -----------------------------------------------------------------------

def a_search_knows_no_case_and_tells_where():
    with History() as history:
        history.take(
            chat("Über Wetter", "first line\nÄPFEL and pears\nlast",
                 {"role": "assistant", "content": "Nothing.",
                  "thinking": "äpfel?"}),
            chat("Other", "pears", "apples", used=1795000000))
        newer, older = (entry["id"] for entry in history.listed())
        assert history("search", "äpfel").decode() == (
            f"{newer}\t2026-11-22T14:04:13.000Z\tyou\tÄPFEL and pears\n")
        assert history("search", "ÜBER").decode().split("\t")[2:] == [
            "title", "Über Wetter\n"]
        out = history("search", "äPFEL", "--with-thinking").decode()
        assert [line.split("\t")[2] for line in out.splitlines()] == [
            "you", "thinking"], out
        hits = json.loads(history("search", "PEARS", "--json"))["hits"]
        assert [hit["chat"] for hit in hits] == [newer, older], hits
        assert hits[0]["before"] + "|" + hits[0]["hit"] + "|" + hits[0][
            "after"] == "ÄPFEL and |pears|", hits
        seen = history.on_terminal("search", "pears").seen
        assert seen.count(b"\x1b[1mpears\x1b[22m") == 2, seen
        result = history("search", "absent", status=1)
        assert result.out == b"", result
        assert one_sentence(result.err).endswith("nothing was found")


def a_search_stops_at_two_hundred_hits():
    with History() as history:
        history.take(*(chat(f"chat {i}", *["needle"] * 10)
                       for i in range(30)))
        result = run(history.home, "history", "search", "NEEDLE",
                     "--passphrase-fd=0", stdin=passphrases(PASSPHRASE))
        assert result.status == 0 and result.out.count(b"\n") == 200, result
        assert "more than 200 hits" in one_sentence(result.err)
        assert history("search", "-n", "1000", "needle").count(b"\n") == 300
        assert history("search", "-n", "7", "needle").count(b"\n") == 7


def a_search_is_ended_by_an_interrupt():
    with History() as history:
        history.take(*(chat(f"chat {i}", *["needle " + "x" * 300] * 100)
                       for i in range(20)))
        process = start(history.home, "history", "search", "-n", "100000",
                        "needle", "--passphrase-fd=0",
                        stdin=subprocess.PIPE)
        process.stdin.write(passphrases(PASSPHRASE))
        process.stdin.close()
        # it waits, since nobody reads more than the first hits
        assert select.select([process.stdout], [], [], LIMIT)[0]
        process.send_signal(signal.SIGINT)
        hits = process.stdout.read().count(b"\n")
        assert process.wait(LIMIT) == 130 and 0 < hits < 2000, hits
        assert b"stopped" in process.stderr.read()
        process.stdout.close()
        process.stderr.close()


# -- export ---------------------------------------------------------------------

def exported(history, name="out.json", *more):
    history("export", "--all", "--yes", "--with-thinking", "-o", name, *more)
    return json.loads(history.home.read(name))


def an_export_comes_back_exactly():
    odd = "\u0000\x1b[2J \U000e0041 \u202e \"\\ \n\n\t\u00e9\U0001f308"
    with History() as history:
        history.take(BRANCHES, chat("", odd, odd, system=odd, used=1795000000),
                     chat("unanswered", "q", used=1794000000))
        first = exported(history, "first.json")
        assert len(first["chats"]) == 3
        history("rm", "--yes", *(c["id"] for c in first["chats"]))
        assert history.listed() == []
        assert b"imported 3 chats with 6 messages from a fathom export\n" == (
            history("import", "first.json"))
        second = exported(history, "second.json")
        del first["created"], second["created"]
        assert first == second
        assert second["chats"][0]["turns"][2]["timing"]["ttft_ms"] == 33.25
        # the same ones again are left alone
        assert b"imported 0 chats with 0 messages from a fathom export; " \
               b"3 were there already\n" == history("import", "first.json")
        assert json.loads(history("import", "first.json", "--json")) == {
            "schema": "fathom.import/1", "from": "a fathom export",
            "chats": 0, "turns": 0, "already_there": 3, "empty": 0}


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def a_page_for_browsers_runs_and_fetches_nothing():
    bad = "<script>alert(1)</script><img src=http://x onerror=y>'\"&"
    with History() as history:
        history.take(chat(bad, bad, bad + "\n\n```html\n" + bad + "\n```",
                          system=bad, model=bad))
        history("export", "--yes", "--all", "--with-thinking", "-o", "x.html")
        text = history.home.read("x.html").decode()
        page = Page(text)
        assert {tag for tag, _ in page.tags} <= {
            "html", "head", "meta", "title", "style", "body", "article", "h1",
            "h2", "p", "pre", "details", "summary"}, page.tags
        assert not any(name.startswith("on") or name in ("src", "href")
                       for _, attributes in page.tags for name in attributes)
        policy = [attributes["content"] for tag, attributes in page.tags
                  if attributes.get("http-equiv") ==
                  "Content-Security-Policy"]
        assert len(policy) == 1 and "default-src 'none'" in policy[0], policy
        assert "unsafe" not in policy[0]
        assert page.text.count(bad) == 6, page.text


def a_format_follows_from_the_name_or_is_said():
    with History() as history:
        history.take(BRANCHES)
        id = history.listed()[0]["id"]
        text = history("export", "--yes", "-o", "-", "--format=md", id)
        assert text.decode() == (
            "# Two answers\n\n2026-11-22 14:03, mini\n\n## You\n\nIs it "
            "raining?\n\n## fathom\n\nLook outside.\n\n"), text
        history("export", "--yes", "-o", "x.md", "--branches", id)
        assert b"## 2. fathom (incomplete)" in history.home.read("x.md")
        history("export", "--yes", "-o", "x.htm", id)
        assert history.home.read("x.htm").startswith(b"<!DOCTYPE html>")
        for flags in (("-o", "x"), ("-o", "x.pdf"), ("-o", "-")):
            history.refused(64, "say in which format", "export", "--yes",
                            *flags, id)


def an_export_is_private_and_takes_nobodys_place():
    with History() as history:
        history.take(BRANCHES)
        home = history.home
        history("export", "--yes", "--all", "-o", "new.json",
                preexec_fn=lambda: os.umask(0))
        mode = os.stat(home.file("new.json")).st_mode
        assert stat.S_IMODE(mode) == 0o600, oct(mode)
        home.write("there.md", "mine")
        os.symlink("nowhere", home.file("link.md"))
        os.mkdir(home.file("folder.md"))
        for name in ("there.md", "link.md", "folder.md"):
            history.refused(73, "exists, and is left as it is", "export",
                            "--yes", "--all", "-o", name)
        assert home.read("there.md") == b"mine"
        assert not os.path.lexists(home.file("nowhere"))
        history.refused(73, "cannot create", "export", "--yes", "--all", "-o",
                        "no/such/folder.md")
        with open("/dev/full", "wb") as full:
            result = history("export", "--yes", "--all", "-o", "-",
                             "--format=md", status=74, stdout=full)
        assert "cannot write the output" in one_sentence(result.err)
        # a passphrase that is wrong leaves nothing behind
        history.refused(77, "does not open", "export", "--yes", "--all", "-o",
                        "late.md", lines=("wrong",))
        assert not [name for name in os.listdir(home.path)
                    if name.startswith("late")]


def clear_text_is_asked_about():
    with History() as history:
        history.take(BRANCHES)
        path = history.home.file("x.md")
        history.refused(64, "--yes says that it is meant", "export", "--all",
                        "-o", "x.md")
        for key, status in (("n", 1), ("\r", 1), ("y", 0)):
            with history.terminal("export", "--all", "-o", path) as terminal:
                terminal.expect("Write 1 chat in clear text")
                terminal.send(key + "\r")
                assert terminal.wait() == status, terminal.text()
            assert os.path.exists(path) == (status == 0)
        with history.terminal("export", "--all", "--no-input", "-o",
                              path + "2") as terminal:
            assert terminal.wait() == 64, terminal.text()
        assert not os.path.exists(path + "2")


def an_encrypted_export_comes_back():
    with History() as history:
        history.take(BRANCHES)
        before = exported(history, "before.json")
        both = (PASSPHRASE, EXPORT_PASSPHRASE)
        history("export", "--encrypted", "--kdf=least", "--all", "-o",
                "x.sealed", lines=both)
        sealed = history.home.read("x.sealed")
        assert sealed.startswith(b"fathomex")
        assert b"raining" not in sealed and b"Two answers" not in sealed
        history("rm", "--yes", before["chats"][0]["id"])
        history.refused(77, "x.sealed: the passphrase is wrong", "import",
                        "x.sealed", lines=(PASSPHRASE, "not the one"))
        history.home.write("cut", sealed[:-1])
        history.refused(65, "cut: it was changed or cut off", "import", "cut",
                        lines=both)
        history.home.write("head", sealed[:100])
        history.refused(65, "head: it was cut off", "import", "head",
                        lines=both)
        assert history.listed() == []
        history("import", "x.sealed", lines=both)
        after = exported(history, "after.json")
        del before["created"], after["created"]
        assert before == after
        history.refused(64, "holds JSON", "export", "--encrypted", "--all",
                        "--format=md", "-o", "y")
        history.refused(64, "--kdf is for an encrypted", "export", "--all",
                        "--kdf=least", "-o", "y.md")
        history.refused(65, "at least 8 characters", "export", "--encrypted",
                        "--all", "-o", "y", lines=(PASSPHRASE, "short"))
        assert not os.path.exists(history.home.file("y"))


# -- import ---------------------------------------------------------------------

def what_is_no_export_is_refused_and_nothing_is_kept():
    good = chat("good", "q", "a")
    cases = {
        b"": "is no export that is known here",
        b"hello": "is no export that is known here",
        b"{}": "is no export that is known here",
        b'{"schema": "fathom.export/2", "chats": []}': "by a newer fathom",
        b'{"schema": "fathom.export/1", "chats": [\xff]}': "not UTF-8 at byte",
        document(good, {"turns": 7}).encode(): 'chat 2: its "turns" is not',
        document(good).encode()[:-2]: "is not JSON",
        document(good, {"id": "0"}).encode(): 'its "id" is none of a chat',
        b'[{"mapping": {"a": {"parent": "b"}, "b": {"parent": "a"}}}]':
            "go round in a circle",
        b'[{"response": "x", "datetime_utc": "now"}]':
            'entry 1: its "datetime_utc" is not a time',
        b'{"schema":"fathom.export/1","chats":[' + b"[" * 5000 + b"]" * 5000
        + b"]}": "deeper than 100 levels",
    }
    with History() as history:
        for content, sentence in cases.items():
            history.home.write("x", content)
            history.refused(65, sentence, "import", "x")
        history.refused(66, "cannot open nothing", "import", "nothing")
        with open(history.home.file("large"), "wb") as large:
            large.truncate((1 << 30) + 1)  # a hole
        history.refused(65, "large is larger than 1024 MiB", "import", "large")
        history.refused(66, "cannot read data: Is a directory", "import",
                        "data")
        assert history.listed() == []


def exports_of_other_programs_are_taken_in():
    folder = os.path.join(SOURCE, "tests/fuzz/corpus/import")
    with History() as history:
        assert history("import", os.path.join(folder, "openai")) == (
            b"imported 1 chat with 3 messages from an OpenAI export\n")
        path = os.path.join(folder, "llm")
        assert history("import", path) == (
            b"imported 1 chat with 4 messages from a log of llm\n")
        with open(path, "rb") as file:
            # from standard input, the passphrase from elsewhere
            askpass = history.home.write("askpass",
                                         f"#!/bin/sh\necho {PASSPHRASE}\n")
            os.chmod(askpass, 0o755)
            result = run(history.home, "history", "import", "-",
                         stdin=file.read(),
                         environment={"FATHOM_ASKPASS": askpass})
        assert result.out == (b"imported 0 chats with 0 messages from a log of "
                              b"llm; 1 were there already\n"), result
        assert history.titles() == ["Two ways", "n"]


def written(folder):
    """Changes with every write to the vault."""
    return [(name, status.st_size, status.st_mtime_ns)
            for name in sorted(os.listdir(folder)) if name.startswith("vault.db")
            for status in [os.stat(os.path.join(folder, name))]]


def an_import_that_is_killed_leaves_whole_chats():
    """However often: what is there is whole, and the rest can follow."""
    chats = [chat(f"chat {i}", *[f"turn {i} " + "x" * 3000] * 8)
             for i in range(24)]
    with History() as history:
        history.home.write("chats", document(*chats))
        folder = history.home.file("data/fathom")
        for round in range(200 if LONG else 4):
            process = start(history.home, "history", "import",
                            history.home.file("chats"), "--passphrase-fd=0",
                            stdin=subprocess.PIPE)
            before = written(folder)
            process.stdin.write(passphrases(PASSPHRASE))
            process.stdin.close()
            # once it writes, a moment later
            while process.poll() is None and written(folder) == before:
                time.sleep(0.001)
            time.sleep(0.02 + 0.007 * (round % 10))
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()
            listed = history.listed()
            assert all(entry["turns"] == 4 for entry in listed), listed
            if len(listed) == 24:
                history("rm", "--yes", *(entry["id"] for entry in listed))
        out = json.loads(history("import", "chats", "--json"))
        # chats of this document have no ids of their own
        assert out["chats"] == 24, out
        result = run(history.home, "vault", "check", "--passphrase-fd=0",
                     stdin=passphrases(PASSPHRASE))
        assert result.status == 0, result


def a_turn_of_five_megabytes_is_a_turn():
    text = "word " * (1 << 20) + "needle at the end"
    with History() as history:
        history.take(chat("long", "q", text))
        assert exported(history)["chats"][0]["turns"][1]["content"] == text
        assert len(history("show")) > len(text)
        hits = json.loads(history("search", "NEEDLE", "--json"))["hits"]
        assert len(hits) == 1 and hits[0]["after"] == " at the end"
        assert len(hits[0]["before"]) == 400, len(hits[0]["before"])


# -- rm and prune -----------------------------------------------------------------

def chats_are_deleted_by_their_ids():
    with History() as history:
        history.take(*(chat(f"chat {i}", "q " + "x" * 30000, "a")
                       for i in range(5)))
        ids = [entry["id"] for entry in history.listed()]
        history.refused(65, "no chat's id begins with", "rm", "--yes", ids[0],
                        "zzzz")
        history.refused(64, "--yes says that it is meant", "rm", ids[0])
        history.refused(65, "no chat's id begins with", "rm", "--yes", "")
        assert len(history.listed()) == 5
        vault = history.home.file("data/fathom/vault.db")
        before = os.path.getsize(vault)
        assert history("rm", "--yes", ids[0], ids[0], ids[1][:12]) == (
            b"deleted 2 chats\n")
        assert [entry["id"] for entry in history.listed()] == ids[2:]
        assert os.path.getsize(vault) < before - 50000
        out = json.loads(history("rm", "--yes", "--json", ids[2]))
        assert out == {"schema": "fathom.deleted/1", "deleted": [ids[2]]}
        for key, left in (("n", 2), ("y", 1)):
            with history.terminal("rm", ids[3]) as terminal:
                terminal.expect("Delete 1 chat for good? [y/N] ")
                terminal.send(key + "\r")
                assert terminal.wait() == (left == 2), terminal.text()
            assert len(history.listed()) == left


def a_beginning_that_several_ids_have_is_refused():
    with History() as history:
        # the first of 26 digits is one of eight
        history.take(*(chat(f"chat {i}", "q") for i in range(9)))
        firsts = [entry["id"][0] for entry in history.listed()]
        twice = max(firsts, key=firsts.count)
        history.refused(65, f"ids begin with {twice}; type more of it", "rm",
                        "--yes", twice)
        history.refused(65, "type more of it", "show", twice)
        history.refused(65, "type more of it", "export", "--yes", "-o",
                        "x.md", twice)


def old_chats_are_pruned():
    now = int(time.time())
    with History() as history:
        history.take(chat("future", "q", used=now + 40 * DAY),
                     chat("today", "q", used=now - 60),
                     chat("week", "q", used=now - 7 * DAY),
                     chat("month", "q", used=now - 31 * DAY),
                     chat("pinned", "q", used=now - 400 * DAY, pinned=True),
                     chat("year", "q", used=now - 400 * DAY))
        history.refused(64, "say what goes", "prune")
        out = history("prune", "--older-than=30d", "--dry-run").decode()
        assert [line.split("  ")[-1] for line in out.splitlines()] == [
            "month", "year", "would delete 2 chats"], out
        history.refused(64, "--yes says that it is meant", "prune",
                        "--older-than=30d")
        would = json.loads(history("prune", "--keep=4", "--older-than=1d",
                                   "--dry-run", "--json"))
        assert len(would["would_delete"]) == 1, would
        assert history("prune", "--older-than=52w", "--yes") == (
            b"deleted 1 chat\n")
        assert history("prune", "--older-than=52w", "--yes") == (
            b"deleted 0 chats\n")
        assert history("prune", "--keep=2", "--yes") == b"deleted 2 chats\n"
        assert history.titles() == ["future", "today", "pinned"]


def pinned_chats_stay_when_others_go():
    with History() as history:
        history.take(chat("a", "q"), chat("b", "q", used=1795000000))
        ids = [entry["id"] for entry in history.listed()]
        history.refused(65, "no chat's id begins with", "pin", ids[1], "zzzz")
        assert not any(entry["pinned"] for entry in history.listed())
        assert history("pin", ids[1]) == b""
        assert [entry["pinned"] for entry in history.listed()] == [False, True]
        lines = history.on_terminal("list").text().splitlines()
        assert [line[8] for line in lines[1:]] == [" ", "*"], lines
        # it is no younger for it
        assert [entry["id"] for entry in history.listed()] == ids
        assert history("prune", "--keep=0", "--yes") == b"deleted 1 chat\n"
        history("unpin", ids[1])
        assert history("prune", "--keep=0", "--yes") == b"deleted 1 chat\n"
        assert history.listed() == []


def chats_are_tagged_and_found_by_their_tags():
    with History() as history:
        history.take(chat("a", "q"), chat("b", "q", used=1795000000))
        first, second = (entry["id"] for entry in history.listed())
        assert history("tag", first, "rdma", "c++", "rdma") == b""
        assert history("tag", second[:8], "RDMA", "\u7a7a") == b""
        assert history("tag", first) == b"rdma\nc++\n"
        assert [entry["tags"] for entry in history.listed()] == [
            ["rdma", "c++"], ["RDMA", "\u7a7a"]]
        lines = history.on_terminal("list").text().splitlines()
        assert lines[1].endswith("a  [rdma c++]"), lines

        def found(*tags):
            out = history("list", *("--tag=" + tag for tag in tags))
            return [line.split("\t")[-1] for line in out.decode().splitlines()]

        assert found("rdma") == ["a", "b"]
        assert found("rdma", "c*") == ["a"]
        assert found("rd") == [] and found("\u7a7a") == ["b"]
        # it is no younger for it, and the order of the list is the same
        assert [entry["id"] for entry in history.listed()] == [first, second]
        assert history("tag", "--remove", first, "rdma") == b""
        assert history("tag", first) == b"c++\n"
        history.refused(65, "rdma is no tag of this chat", "tag", "--remove",
                        first, "c++", "rdma")
        for word, why in (("a,b", "a,b is no tag"), ("a b", "is no tag"),
                          ("x" * 65, "up to 64 bytes"), ("", "is no tag"),
                          ("\x1b[2J", r"\x1B[2J is no tag")):
            history.refused(65, why, "tag", first, "good", word)
        assert history("tag", first) == b"c++\n"  # all or nothing
        history.refused(65, "a chat has up to 32 tags", "tag", first,
                        *(f"t{i}" for i in range(32)))
        history.refused(65, "no chat's id begins with", "tag", "zzzz", "x")
        history.refused(65, "without blanks", "list", "--tag=a b")


def a_text_may_be_a_regular_expression():
    with History() as history:
        history.take(chat("RDMA", "What is the PSN?", "A number.\nOf 24 bits.",
                          tags=["net"]),
                     chat("other", "What is the qpn?", "a" * 20000 + " yes",
                          used=1795000000))

        def found(*arguments):
            out = json.loads(history("search", "--json", *arguments))
            return [(hit["in"], hit["hit"]) for hit in out["hits"]]

        assert found("--regex", "[pq]+sn|qp.") == [("you", "PSN"),
                                                   ("you", "qpn")]
        assert found("--regex", "^of [0-9]+") == [("fathom", "Of 24")]
        assert found("--regex", "PSN|QPN") == [("you", "PSN")]
        assert found("--regex", r"\S+DMA") == [("title", "RDMA")]
        assert found("--regex", r"\bq\w+\?") == [("you", "qpn?")]
        assert found("--tag=net", "what is") == [("you", "What is")]
        assert found("--tag=net", "--regex", "[pq].n") == [("you", "PSN")]
        # without it, it is a text
        assert history("search", "p.n", status=1).out == b""
        result = run(history.home, "history", "search", "--regex", "a(b")
        assert (result.status, result.out) == (64, b""), result
        assert "after byte 3: missing" in one_sentence(result.err), result
        history.refused(65, "takes too long", "search", "--regex",
                        "(a+)+[bc]")


def tags_come_along_out_and_in():
    with History() as history, History() as other:
        history.take(chat("a", "q", tags=["rdma", "\u7a7a"]))
        for name in ("x.json", "x.md", "x.html"):
            history("export", "--yes", "--all", "-o", name)
        with open(history.home.file("x.md")) as file:
            assert "\n\nTags: rdma \u7a7a\n\n" in file.read()
        with open(history.home.file("x.html")) as file:
            assert '<p class="facts">Tags: rdma \u7a7a</p>' in file.read()
        shutil.copy(history.home.file("x.json"), other.home.file("x.json"))
        other("import", "x.json")
        assert other.listed() == history.listed()
        assert other.listed()[0]["tags"] == ["rdma", "\u7a7a"]
        shown = json.loads(other("show", "--json"))
        assert shown["chats"][0]["tags"] == ["rdma", "\u7a7a"]
        assert history("list", "--tag=rdma", "--read-only") != b""


def what_was_done_is_recorded_without_content():
    with History() as history:
        history.take(chat("canary", "canary", "canary"))
        history("export", "--yes", "--all", "-o", "x.md")
        history("rm", "--yes", history.listed()[0]["id"])
        result = run(history.home, "audit", "show", "--json",
                     "--passphrase-fd=0", stdin=passphrases(PASSPHRASE))
        events = [(event["event"], event["detail"])
                  for event in json.loads(result.out)]
        mine = [event for event in events
                if event[0] in ("import", "export", "delete")]
        assert mine == [("import", "a fathom export"),
                        ("export", "md, 1 chat"),
                        ("delete", "")], events
        assert b"canary" not in result.out


def a_policy_keeps_text_in_the_vault():
    reason = no_policies()
    if reason:
        return reason
    with History() as history:
        history.take(BRANCHES)

        def denied(*arguments, lines=(PASSPHRASE,)):
            return under_policy(history.home, "export.plaintext = deny\n",
                                "history", *arguments, "--passphrase-fd=0",
                                stdin=passphrases(*lines))

        path = history.home.file("x")
        for verb in (("export", "--yes", "--all", "-o", path + ".md"),
                     ("list",), ("show",), ("search", "rain"),
                     ("list", "--json")):
            result = denied(*verb)
            assert result.status == 77 and result.out == b"", (verb, result)
            assert "export.plaintext = deny" in one_sentence(result.err)
        assert not os.path.exists(path + ".md")
        result = denied("export", "--encrypted", "--kdf=least", "--all", "-o",
                        path, lines=(PASSPHRASE, EXPORT_PASSPHRASE))
        assert result.status == 0 and os.path.exists(path), result


# -- who may -------------------------------------------------------------------

VERBS = (("list",), ("show",), ("search", "x"),
         ("export", "--yes", "--all", "-o", "-", "--format=md"), ("rm", "0"),
         ("prune", "--keep=0"))


def without_a_vault_it_is_66():
    with Home() as home:
        for verb in VERBS:
            result = run(home, "history", *verb)
            assert result.status == 66, (verb, result)
            assert "fathom vault init makes one" in one_sentence(result.err)


def a_wrong_passphrase_is_77_and_nobody_is_asked():
    with History() as history:
        history.take(BRANCHES)
        for verb in (("list",), ("rm", "--yes", "0")):
            history.refused(77, "the vault does not open", *verb,
                            lines=("wrong",))
        result = run(history.home, "history", "list", "--no-input")
        assert result.status == 77 and result.out == b"", result
        one_sentence(result.err)


def another_process_that_has_the_vault_is_told():
    with History() as history:
        history.take(BRANCHES)
        with history.terminal("export", "--all", "-o", "x.md") as terminal:
            terminal.expect("in clear text")
            result = history("list", status=75)
            assert str(terminal.pid) in one_sentence(result.err), result
            terminal.send("n\r")
            assert terminal.wait() == 1
        assert len(history.listed()) == 1


def wrong_command_lines_are_64():
    cases = {
        (): "what is missing is the verb",
        ("lst",): "there is no fathom history 'lst'",
        ("list", "x"): "one argument too many",
        ("list", "-n", "0"): "-n takes a whole number from 1",
        ("show", "a", "b"): "one argument too many: 'b'",
        ("search",): "an argument is missing",
        ("search", ""): "there is nothing to search for",
        ("search", b"\xff"): "is not UTF-8",
        ("export",): "say where to",
        ("export", "-o", "x.md"): "say which chats",
        ("export", "-o", "x.md", "--all", "a"): "leave the IDs out",
        ("export", "-o", "x.md", "--format=pdf", "a"): "md|json|html",
        ("import",): "an argument is missing",
        ("rm",): "an argument is missing",
        ("prune", "--older-than=old"): "takes a time such as",
        ("prune", "--keep=-1"): "--keep takes a whole number",
    }
    with Home() as home:
        for arguments, sentence in cases.items():
            result = run(home, "history", *arguments)
            assert result.status == 64, (arguments, result)
            assert sentence in one_sentence(result.err), (arguments, result)


def a_full_disk_is_74():
    with History() as history:
        history.take(BRANCHES)
        for verb in (("list",), ("show",), ("search", "rain"),
                     ("list", "--json"), ("show", "--json")):
            with open("/dev/full", "wb") as full:
                result = history(*verb, status=74, stdout=full)
            assert "No space left" in one_sentence(result.err), (verb, result)


def examples_of_the_page_work():
    with open(os.path.join(SOURCE, "man/fathom-history.1")) as file:
        text = file.read()
    text = text[text.index(".Sh EXAMPLES"):text.index(".Sh SEE ALSO")]
    lines = [line.replace("\\(dq", '"') for line in
             re.findall(r"^(?:\.Dl )?\$ (.*)$", text, re.M)]
    folder = os.path.join(SOURCE, "tests/fuzz/corpus/import")
    with History() as history:
        history.take(BRANCHES, chat("rainbow", "q", "a"))
        home = history.home
        askpass = home.write("askpass", f"#!/bin/sh\necho '{PASSPHRASE}'\n")
        os.chmod(askpass, 0o755)
        # llm is not here; what it would print is
        os.mkdir(home.file("bin"))
        os.chmod(home.write("bin/llm", f"#!/bin/sh\ncat '{folder}/llm'\n"),
                 0o755)
        with open(os.path.join(folder, "openai"), "rb") as file:
            home.write("conversations.json", file.read())
        environment = home.environment(FATHOM_ASKPASS=askpass)
        environment["PATH"] = ":".join((home.file("bin"), BUILD,
                                        environment["PATH"]))
        for line in lines:
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", line], cwd=home.path,
                env=environment, stdin=subprocess.DEVNULL,
                capture_output=True, timeout=LIMIT)
            assert done.returncode == 0, (line, done)
        assert len(lines) == 8, lines
        assert home.read("chat.html").startswith(b"<!DOCTYPE html>")
        assert sorted(history.titles()) == ["Two answers", "Two ways", "n",
                                            "rainbow"]


def the_example_of_the_format_is_one():
    with open(os.path.join(SOURCE, "man/fathom-export.5")) as file:
        text = file.read()
    example = re.search(r"^\.Bd -literal -offset indent\n(\{.*?\n\})\n\.Ed",
                        text, re.M | re.S)[1]
    with History() as history:
        history.home.write("example.json", example)
        assert history("import", "example.json") == (
            b"imported 1 chat with 3 messages from a fathom export\n")
        assert b"fathom> Look outside." in history("show")
        if shutil.which("jq"):
            command = re.search(r"^\.Dl \$ (jq .*)$", text, re.M)[1]
            history.home.write("chats.json", example)
            done = subprocess.run(["sh", "-c", command], cwd=history.home.path,
                                  capture_output=True, timeout=LIMIT)
            assert done.stdout == b"Is it raining?\n", done


engine_client.run([value for name, value in list(globals().items())
                   if getattr(value, "__module__", "") == "__main__"
                   and hasattr(value, "__code__")
                   and value.__code__.co_argcount == 0
                   and name not in ("passphrases", "document")])
