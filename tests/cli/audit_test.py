"""What was done with a vault is told, and nobody can untell it."""
import hashlib
import json
import os

import engine_client
from policies import no_policies, under_policy
from program import NO_CHAT, PASSPHRASE, Home, one_sentence, run
from program import FATHOM
from signed_models import Key, write_model
from terminal import Terminal


class Audited(Home):
    """A home with a vault, whose passphrase a program prints."""

    def __enter__(self):
        super().__enter__()
        self.answer("askpass", "correct horse")
        self.answer("wrongpass", "incorrect horse")
        result = self.fathom("vault", "init", "--kdf=least")
        assert result.status == 0, result
        return self

    def answer(self, name, passphrase):
        self.write(name, f"#!/bin/sh\necho '{passphrase}'\n")
        os.chmod(self.file(name), 0o700)

    def fathom(self, *arguments, askpass="askpass", **more):
        return run(self, *arguments, environment={
            "FATHOM_ASKPASS": self.file(askpass)}, **more)

    def events(self):
        result = self.fathom("audit", "show", "--json")
        assert result.status == 0, result
        return [(event["event"], event["detail"])
                for event in json.loads(result.out)]

    def export(self):
        result = self.fathom("audit", "export")
        assert (result.status, result.err) == (0, b""), result
        return result.out


def chain_of(lines):
    """The last link, computed here as the page says."""
    link = bytes(32)
    for number, line in enumerate(lines.splitlines(), 1):
        event = json.loads(line)
        body = line[:line.rindex(b',"chain":"')]
        link = hashlib.blake2b(link + body, digest_size=32).digest()
        assert event["chain"] == link.hex() and event["n"] == number, line
    return link.hex()


def what_is_done_is_told():
    with Audited() as home:
        assert home.events() == [("create", "")]
        result = home.fathom("vault", "slot", "add", "--new-recovery-code")
        assert result.status == 0, result
        assert home.events() == [("create", ""), ("unlock", ""),
                                 ("keys", "fathom vault slot")]
        text = home.fathom("audit", "show").out.decode().splitlines()
        assert text[2].endswith("  keys: fathom vault slot"), text


def a_wrong_passphrase_is_told_with_the_next_right_one():
    with Audited() as home:
        for _ in range(3):
            result = home.fathom("vault", "passwd", askpass="wrongpass")
            assert result.status == 77, result
        # reading records nothing, so the tries are not forgotten
        result = home.fathom("audit", "show")
        assert b"3 failed tries" in result.err, result
        result = home.fathom("vault", "slot", "add", "--new-recovery-code")
        assert result.status == 0, result
        assert ("unlock failed", "3 since the last unlock") in home.events()
        result = home.fathom("audit", "show")
        assert result.err == b"", result


def an_export_can_be_checked_without_the_vault():
    with Audited() as home:
        assert home.fathom("vault", "slot", "add",
                           "--new-recovery-code").status == 0
        lines = home.export()
        link = chain_of(lines)
        home.write("events", lines)
        with Home() as elsewhere:
            result = run(elsewhere, "audit", "verify", home.file("events"))
        assert result.status == 0, result
        assert result.out.decode() == (
            f"3 events, each bound to the one before\nthe last link: {link}\n")
        # the vault itself tells the same link
        assert home.fathom("audit", "verify").out == result.out


def a_changed_export_is_told():
    with Audited() as home:
        assert home.fathom("vault", "slot", "add",
                           "--new-recovery-code").status == 0
        lines = home.export().splitlines(keepends=True)
        cases = [
            ([lines[0].replace(b"create", b"delete"), *lines[1:]], 1),
            ([lines[0], lines[2]], 2),
            ([lines[1], lines[0], lines[2]], 1),
            ([*lines, lines[2]], 4),
            ([b"\n"], 1),
            ([b'{"n":1}\n'], 1),
            ([b'{"n":18446744073709551616,\n'], 1),
        ]
        for changed, number in cases:
            home.write("events", b"".join(changed))
            result = run(home, "audit", "verify", home.file("events"))
            assert result.status == 13, (changed, result)
            assert f"event {number} " in one_sentence(result.err), result


def an_export_appears_whole_or_not_at_all():
    with Audited() as home:
        result = home.fathom("audit", "export", "-o", home.file("no/file"))
        assert result.status == 73, result
        one_sentence(result.err)
        result = home.fathom("audit", "export", "-o", home.file("events"),
                             askpass="wrongpass")
        assert result.status == 77 and not os.path.exists(home.file("events"))
        with open("/dev/full", "wb") as full:
            for verb in ("show", "export", "verify"):
                assert home.fathom("audit", verb, stdout=full).status == 74
        result = home.fathom("audit", "verify", home.file("nothing"))
        assert result.status == 66, result


def without_a_vault_there_are_no_events():
    with Home() as home:
        for verb in ("show", "verify", "export"):
            result = run(home, "audit", verb)
            assert result.status == 66, result
            assert "there is no vault yet" in one_sentence(result.err)


class Kept(Home):
    """A home with a vault, whose passphrase a program prints."""

    def __enter__(self):
        super().__enter__()
        self.make_vault()
        self.write("askpass", f"#!/bin/sh\necho '{PASSPHRASE}'\n")
        os.chmod(self.file("askpass"), 0o700)
        return self

    def opening(self, *arguments, **more):
        return run(self, *arguments, environment={
            "FATHOM_ASKPASS": self.file("askpass")}, **more)

    def names(self):
        result = self.opening("audit", "show", "--json")
        assert result.status == 0, result
        return [event["event"] for event in json.loads(result.out)]

    def detail(self, name):
        events = json.loads(self.opening("audit", "show", "--json").out)
        return [event["detail"] for event in events if event["event"] == name]


def chats_that_come_and_go_are_told_without_their_words():
    with Kept() as home:
        script = "want GENERATE\nsay canary-answer.\ndone\n"
        result = home.opening("ask", "--save", "canary-question",
                              script=script)
        assert result.status == 0, result
        chats = home.opening("history", "export", "--all", "--yes", "--format=json",
                             "-o", home.file("chats"))
        assert chats.status == 0, chats
        assert home.opening("history", "rm", "--yes",
                            json.loads(home.opening("history", "list", "--json")
                                       .out)["chats"][0]["id"]).status == 0
        assert home.opening("history", "import",
                            home.file("chats")).status == 0
        names = [name for name in home.names() if name != "unlock"]
        assert names == ["create", "export", "delete", "import"], names
        text = home.opening("audit", "show").out
        assert b"canary" not in text and b"chats\n" not in text, text


def a_model_is_told_with_its_manifest_and_signer():
    key = Key(b"audited")
    with Kept() as home:
        write_model(home.file("data/fathom/models/big"), {"a.gguf": b"x"}, key)
        os.makedirs(home.file(".config/fathom/trust.d"))
        home.write(".config/fathom/trust.d/vendor.pub", key.public())
        home.write(".config/fathom/fathom.conf", "[model]\nverify = signed\n")
        result = home.opening("ask", "-m", "big", "--save", "hello",
                              script="want GENERATE\nsay Yes.\ndone\n")
        assert result.status == 0, result
        manifest = hashlib.blake2b(home.read("data/fathom/models/big/MANIFEST"),
                                   digest_size=32).hexdigest()
        assert home.detail("model") == [
            f"manifest {manifest}, signed by vendor ({key.id})"]


def what_cannot_be_recorded_is_refused_where_it_must_be():
    reason = NO_CHAT or no_policies()
    if reason:
        return reason
    add = ("vault", "slot", "add", "--new-recovery-code", "--passphrase-fd=0")
    with Kept() as home:
        # a chat has the vault, so nothing else can write to it
        environment = home.environment("drain\n")
        with Terminal([FATHOM, "chat", "--plain"], environment) as chat:
            chat.expect("a chat that is not kept): ")
            chat.send(PASSPHRASE + "\r")
            chat.expect("you> ")
            before = home.read("data/fathom/vault.keys")
            result = under_policy(home, "audit = required\n", *add,
                                  stdin=PASSPHRASE.encode() + b"\n")
            assert result.status == 75, result
            assert b"is used by process" in result.err, result
            assert home.read("data/fathom/vault.keys") == before
            # without the rule it goes on
            assert home.opening(*add[:-1]).status == 0
            assert home.read("data/fathom/vault.keys") != before
            chat.send("\x04")
            assert chat.wait() == 0
        # what can be recorded goes on with the rule too
        result = under_policy(home, "audit = required\n", *add,
                              stdin=PASSPHRASE.encode() + b"\n")
        assert result.status == 0, result


def a_lock_is_told():
    if NO_CHAT:
        return NO_CHAT
    with Kept() as home:
        with Terminal([FATHOM, "chat", "--plain"], home.environment("drain\n")) as chat:
            chat.expect("a chat that is not kept): ")
            chat.send(PASSPHRASE + "\r")
            chat.expect("you> ")
            chat.send("/lock\r")
            chat.expect("passphrase")
            chat.send("\x03\x04")
            chat.quiet(0.3)
        assert "lock" in home.names(), home.names()


engine_client.run([
    what_is_done_is_told,
    a_wrong_passphrase_is_told_with_the_next_right_one,
    an_export_can_be_checked_without_the_vault,
    a_changed_export_is_told,
    an_export_appears_whole_or_not_at_all,
    without_a_vault_there_are_no_events,
    chats_that_come_and_go_are_told_without_their_words,
    a_model_is_told_with_its_manifest_and_signer,
    what_cannot_be_recorded_is_refused_where_it_must_be,
    a_lock_is_told,
])
