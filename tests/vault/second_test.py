"""Our vault and second.py's: each reads what the other wrote."""
import hashlib
import json
import os
import shutil
import subprocess
import sys

import engine_client
import second
from program import BUILD, FATHOM, LIMIT, SOURCE, Home

TOOL = os.path.join(BUILD, "tests/vault/vault_tool")
SECOND = os.path.join(SOURCE, "tests/vault/second.py")
GOLDEN = os.path.join(SOURCE, "tests/data/vault")
PASSPHRASE = "a second opinion"


def tool(program, home, verb, passphrase=PASSPHRASE):
    command = [TOOL] if program == "first" else [sys.executable, SECOND]
    return subprocess.run(
        [*command, verb, home.file("data"), home.file("state")],
        input=passphrase.encode() + b"\n", capture_output=True, timeout=LIMIT)


def done(program, home, verb):
    result = tool(program, home, verb)
    assert result.returncode == 0, (program, verb, result)
    return result.stdout


def content(program, home):
    """What is inside, with turns numbered as they were written."""
    read = json.loads(done(program, home, "read"))
    read.pop("inbox", None)
    # opening is an event of its own
    read["audit"] = [event[1:] for event in read["audit"]
                     if event[1:] != ["unlock", ""]]
    for chat in read["chats"]:
        places = {turn["id"]: place
                  for place, turn in enumerate(chat["turns"], 1)}
        places[0] = 0
        chat["leaf"] = places[chat["leaf"]]
        for turn in chat["turns"]:
            turn["id"] = places[turn["id"]]
            turn["parent"] = places[turn["parent"]]
    return read


def open_second(home):
    return second.Vault(home.file("data"), home.file("state"),
                        PASSPHRASE.encode())


# -- both ways --------------------------------------------------------------

def the_second_reads_what_the_first_wrote():
    with Home() as home:
        done("first", home, "write")
        read = content("second", home)
        assert read == content("first", home)
        sky = read["chats"][0]
        assert sky["title"] == "The sky" and len(sky["turns"]) == 4
        assert [turn["parent"] for turn in sky["turns"]] == [0, 1, 1, 2]
        assert sky["turns"][1]["thinking"] == "short waves scatter more"
        assert sky["tags"] == "sky \u7a7a"
        assert sky["cache"] == ["first chunk", "second"]
        assert read["inputs"] == ["Why is the sky blue?", "And red?"]


def the_first_reads_what_the_second_wrote():
    with Home() as ours, Home() as theirs:
        done("first", ours, "write")
        done("second", theirs, "write")
        assert content("first", theirs) == content("first", ours)
        assert content("second", theirs) == content("first", ours)


def each_goes_on_where_the_other_stopped():
    with Home() as home:
        done("second", home, "write")
        for program in ("first", "second", "first", "first", "second"):
            done(program, home, "add")
        for program in ("first", "second"):
            turns = content(program, home)["chats"][0]["turns"]
            assert [turn["content"][-6:] for turn in turns[-5:]] == [
                " first", "second", " first", " first", "second"], turns
            assert [turn["parent"] for turn in turns[-4:]] == [5, 6, 7, 8]
        # the anchor went along each time: no remark about another machine
        assert b"remark" not in tool("first", home, "read").stderr


def a_wrong_passphrase_opens_neither():
    for writer in ("first", "second"):
        with Home() as home:
            done(writer, home, "write")
            for reader in ("first", "second"):
                result = tool(reader, home, "read", "a wrong one")
                assert result.returncode == 1, result
                assert result.stdout == b"", result


def what_one_seals_the_other_takes_in():
    with Home() as home:
        done("first", home, "write")
        done("first", home, "seal")
        sealed = json.loads(done("second", home, "read"))["inbox"]
        assert [turn["content"] for turn in sealed[0]] == [
            "sealed question", "sealed answer"], sealed
        done("second", home, "seal")
        chats = content("first", home)["chats"]
        taken = [chat for chat in chats
                 if chat["turns"][0]["content"] == "sealed question"]
        assert len(taken) == 2 and all(turn["arrived"] for chat in taken
                                       for turn in chat["turns"]), chats
        assert content("second", home)["chats"] == chats


def the_second_notices_tampering_too():
    with Home() as home:
        done("first", home, "write")
        vault = open_second(home)
        rows = [row for row, in vault.db.execute("SELECT id FROM r")]
        assert len(rows) > 10
        for row in rows:
            if second.MIRRORS < row < second.CHUNKS:
                continue  # copies that only repairs read
            before = vault.db.execute("SELECT b FROM r WHERE id=?",
                                      (row,)).fetchone()[0]
            if row in (vault.manifest(bytes.fromhex(chat["id"]))["draft"]
                       for chat in vault.all()["chats"]):
                continue
            spoilt = bytearray(before)
            spoilt[40] ^= 1
            vault.db.execute("UPDATE r SET b=? WHERE id=?",
                             (bytes(spoilt), row))
            try:
                vault.load()
                vault.all()
            except second.Alarm:
                pass
            else:
                assert row == taken_row(vault), row
            vault.db.execute("UPDATE r SET b=? WHERE id=?", (before, row))
            vault.load()


def taken_row(vault):
    """Of what came through the inbox, which all() does not look at."""
    listed = second.refs(vault.root["taken"])
    return listed[0][0] if listed else None


# -- known answers ----------------------------------------------------------

def derived_keys_and_padding_are_as_written_down():
    key, vault = bytes(range(32)), bytes(range(0xA0, 0xB0))
    assert second.derive(key, b"rec", vault, b"chat") == hashlib.blake2b(
        b"fathom/v1/rec\0" + vault + b"chat", key=key,
        digest_size=32).digest()
    for length, wanted in ((0, 256), (252, 256), (253, 272), (1020, 1024),
                           (1021, 1088), (100000, 100352)):
        assert second.padded(length) == wanted, (length,
                                                 second.padded(length))


def every_kind_of_slot_opens_in_both():
    file, code = bytes(range(64)), bytes(range(20))
    secrets = ({"passphrase": PASSPHRASE.encode()}, {"key_file": file},
               {"passphrase": b"with a file", "key_file": file},
               {"recovery": code})
    with Home() as home:
        data = home.file("data/fathom")
        second.create(data, home.file(".local/state/fathom"),
                      PASSPHRASE.encode())
        vault = second.Vault(data, home.file(".local/state/fathom"),
                             PASSPHRASE.encode())
        image = second.make_keys(vault.master, vault.id, *secrets)
        second.write_private(os.path.join(data, "vault.keys"), image)
        for opening in secrets:
            assert second.open_keys(image, **opening) == vault.master
        vault.db.close()
        key_file = home.write("key", file)
        digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
        number = int.from_bytes(code, "big")
        recovery = "".join(digits[number >> 5 * (31 - i) & 31]
                           for i in range(32))
        for line, options in (
                (PASSPHRASE, []), (None, [f"--key-file={key_file}",
                                          "--no-input"]),
                ("with a file", [f"--key-file={key_file}"]),
                (recovery, ["--recovery-code"])):
            # a key file alone is asked for only where no slot needs both
            if line is None:
                second.write_private(
                    os.path.join(data, "vault.keys"), second.make_keys(
                        vault.master, vault.id, secrets[1]))
            else:
                second.write_private(os.path.join(data, "vault.keys"), image)
            result = subprocess.run(
                [FATHOM, "vault", "slot", "remove", "8", "--yes",
                 *(["--passphrase-fd=0"] if line else []), *options],
                input=(line or "").encode() + b"\n", capture_output=True,
                env=home.environment(), timeout=LIMIT)
            assert b"there is no slot 8" in result.stderr, (options, result)


def the_example_of_the_page_gives_the_master_key():
    with open(os.path.join(SOURCE, "man/fathom-vault.5")) as page:
        examples = page.read().split(".Sh EXAMPLES\n")[1]
    code = examples[examples.index("from nacl"):examples.index("\n.Ed")]
    assert "the passphrase" in code and '"vault.keys"' in code
    with Home() as home:
        done("first", home, "write")
        names, here = {}, os.getcwd()
        os.chdir(home.file("data"))
        try:
            exec(code.replace("the passphrase", PASSPHRASE), names)
        finally:
            os.chdir(here)
        assert names["vmk"] == open_second(home).master


# -- golden vaults ----------------------------------------------------------

def every_golden_vault_opens_for_ever():
    formats = sorted(os.listdir(GOLDEN))
    assert "1" in formats, formats
    for version in formats:
        for program in ("first", "second"):
            with Home() as home:
                os.rmdir(home.file("data"))
                shutil.copytree(os.path.join(GOLDEN, version),
                                home.file("data"))
                os.chmod(home.file("data"), 0o700)
                for name in ("vault.db", "vault.keys"):
                    os.chmod(os.path.join(home.file("data"), name), 0o600)
                with open(home.file("data/expected.json")) as file:
                    expected = json.load(file)
                for chat in expected["chats"]:
                    chat.setdefault("tags", "")  # came later
                assert content(program, home) == expected, (version, program)


engine_client.run([
    the_second_reads_what_the_first_wrote,
    the_first_reads_what_the_second_wrote,
    each_goes_on_where_the_other_stopped,
    a_wrong_passphrase_opens_neither,
    what_one_seals_the_other_takes_in,
    the_second_notices_tampering_too,
    derived_keys_and_padding_are_as_written_down,
    every_kind_of_slot_opens_in_both,
    the_example_of_the_page_gives_the_master_key,
    every_golden_vault_opens_for_ever,
])
