"""fathom vault check, repair, backup, restore, rotate: as somebody types them."""
import os
import sqlite3
import stat

import engine_client
from program import Home, one_sentence, run

RIGHT = "right horse battery"


def vault(home, *arguments, passphrase=RIGHT, **more):
    return run(home, "vault", *arguments, "--passphrase-fd=0",
               stdin=(passphrase + "\n").encode(), **more)


def init(home):
    result = vault(home, "init", "--kdf=least")
    assert result.status == 0, result


def database(home):
    return os.path.join(home.file("data/fathom"), "vault.db")


def sql(home, text):
    with sqlite3.connect(database(home)) as db:
        db.execute(text)
    db.close()


def good(result):
    assert result.status == 0, result
    return result.out.decode()


def a_whole_vault_checks_and_a_planted_row_is_13():
    with Home() as home:
        init(home)
        assert "0 chats and 0 messages can be read" in good(vault(home, "check"))
        before = home.read("data/fathom/vault.db")
        good(vault(home, "check"))
        assert home.read("data/fathom/vault.db") == before, "check wrote"
        sql(home, "INSERT INTO r VALUES(4711, zeroblob(400))")
        result = vault(home, "check")
        assert result.status == 13, result
        assert b"row 4711 belongs to nothing" in result.out, result
        assert "repair" in one_sentence(result.err)


def a_damaged_vault_does_not_open_and_is_repaired_into_a_new_folder():
    with Home() as home:
        init(home)
        sql(home, "UPDATE r SET b=zeroblob(400) WHERE id=1")
        damaged = home.read("data/fathom/vault.db")
        result = vault(home, "backup", home.file("copy"))
        assert result.status == 13, result
        assert not os.path.exists(home.file("copy"))
        result = vault(home, "check")
        assert result.status == 13 and b"the root (row 1)" in result.out, result
        good(vault(home, "repair", home.file("saved")))
        assert home.read("data/fathom/vault.db") == damaged
        good(vault(home, "check", environment={"FATHOM_VAULT": home.file("saved")}))
        result = vault(home, "repair", home.file("saved"))
        assert result.status == 73, result
        assert "there already" in one_sentence(result.err)


def a_backup_is_private_and_never_overwrites():
    with Home() as home:
        init(home)
        good(vault(home, "backup", home.file("copy")))
        mode = os.stat(home.file("copy")).st_mode
        assert stat.S_IMODE(mode) == 0o600, oct(mode)
        result = vault(home, "backup", home.file("copy"))
        assert result.status == 73, result
        result = vault(home, "backup", home.file("no/such/folder"))
        assert result.status == 74, result
        one_sentence(result.err)


def an_old_copy_is_13_and_restore_is_the_way_out():
    with Home() as home:
        init(home)
        old = home.read("data/fathom/vault.db")
        good(vault(home, "backup", home.file("copy")))
        good(vault(home, "backup", home.file("copy2")))
        with open(database(home), "wb") as file:
            file.write(old)
        result = vault(home, "backup", home.file("copy3"))
        assert result.status == 13, result
        assert "older copy" in one_sentence(result.err)
        assert vault(home, "check").status == 13
        result = vault(home, "restore", home.file("copy"))
        assert result.status == 64, result  # nobody to ask
        good(vault(home, "restore", "--yes", home.file("copy")))
        good(vault(home, "check"))
        good(vault(home, "backup", home.file("copy3")))
        assert home.read("data/fathom/vault.db.before-1") == old


def a_backup_is_restored_where_there_is_no_vault():
    with Home() as home, Home() as other:
        init(home)
        good(vault(home, "backup", home.file("copy")))
        result = vault(other, "restore", home.file("copy"), passphrase="wrong!!!")
        assert result.status == 77, result
        assert not os.path.exists(database(other))
        good(vault(other, "restore", home.file("copy")))
        good(vault(other, "check"))


def what_is_no_backup_is_said():
    with Home() as home:
        init(home)
        result = vault(home, "restore", "--yes", home.file("absent"))
        assert result.status == 66, result
        one_sentence(result.err)
        for junk in (b"", b"junk" * 1000, home.read("data/fathom/vault.db")):
            home.write("junk", junk)
            result = vault(home, "restore", "--yes", home.file("junk"))
            assert result.status == 65, result
            one_sentence(result.err)
        good(vault(home, "check"))


def rotation_makes_new_keys():
    with Home() as home:
        init(home)
        good(vault(home, "slot", "add", "--new-recovery-code"))
        old = home.read("data/fathom/vault.keys")
        result = vault(home, "rotate", "--kdf=least")
        assert result.status == 64, result
        good(vault(home, "rotate", "--yes", "--kdf=least"))
        assert home.read("data/fathom/vault.keys") != old
        good(vault(home, "check"))
        slots = good(run(home, "vault", "slot", "list"))
        assert slots.count("Slot") == 1, slots
        home.write("data/fathom/vault.keys", old)
        result = vault(home, "check")
        assert result.status == 13, result


engine_client.run([
    a_whole_vault_checks_and_a_planted_row_is_13,
    a_damaged_vault_does_not_open_and_is_repaired_into_a_new_folder,
    a_backup_is_private_and_never_overwrites,
    an_old_copy_is_13_and_restore_is_the_way_out,
    a_backup_is_restored_where_there_is_no_vault,
    what_is_no_backup_is_said,
    rotation_makes_new_keys,
])
