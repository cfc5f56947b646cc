"""Models that were changed, or that nobody trusted signed, never run."""
import json
import os
import re
import shutil
import subprocess

import engine_client
from policies import MOUNT, no_policies, sysconfdir, under_policy
from program import BUILD, FATHOM, NO_CHAT, PASSPHRASE, REPLAY, SOURCE, Home
from program import one_sentence, run
from signed_models import CHUNK, Key, manifest, write_model
from terminal import Terminal

VENDOR = Key(b"vendor")
SITE = Key(b"site")
STRANGER = Key(b"stranger")
FILES = {"big-00001-of-00002.gguf": b"first" * 100,
         "big-00002-of-00002.gguf": b"other" * 100,
         "licence.txt": b"MIT\n"}
FIRST = "big-00001-of-00002.gguf"
SCRIPT = "want GENERATE\nsay Yes.\ndone\n"


class Site(Home):
    """A home that trusts the vendor, and tells whether an engine started."""

    def __enter__(self):
        super().__enter__()
        self.trust(VENDOR)
        # an engine that leaves a trace of having been started
        self.write("engine", f"#!/bin/sh\necho \"$@\" >>{self.path}/started\n"
                             f"exec {REPLAY} \"$@\"\n")
        os.chmod(self.file("engine"), 0o755)
        return self

    def environment(self, script=None, **more):
        made = super().environment(SCRIPT if script is None else script,
                                   **more)
        made.setdefault("FATHOM_ENGINE", REPLAY)
        if made["FATHOM_ENGINE"] == REPLAY:
            made["FATHOM_ENGINE"] = self.file("engine")
        return made

    def trust(self, key, name="vendor"):
        folder = self.file(".config/fathom/trust.d")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.write(f".config/fathom/trust.d/{name}.pub", key.public())
        os.chmod(self.file(f".config/fathom/trust.d/{name}.pub"), 0o644)

    def set(self, text):
        os.makedirs(self.file(".config/fathom"), exist_ok=True)
        self.write(".config/fathom/fathom.conf", text)

    def require(self, mode):
        self.set(f"[model]\nverify = {mode}\n")

    def model(self, name="big"):
        return self.file(f"data/fathom/models/{name}")

    def started(self):
        return os.path.exists(self.file("started"))

    def ask(self, model="big"):
        return run(self, "ask", "-m", model, "hello")

    def put(self, **more):
        """The model, signed by the vendor, where models are."""
        return write_model(self.model(), FILES, **{"key": VENDOR, **more})

    def refused(self, wanted, model="big"):
        """Asking is refused with 14 and no engine is started."""
        result = self.ask(model)
        assert result.status == 14 and result.out == b"", result
        assert wanted in one_sentence(result.err), (wanted, result)
        assert not self.started(), result

    def runs(self):
        result = self.ask()
        assert (result.status, result.out) == (0, b"Yes.\n"), result
        assert self.started()


def change_byte(path, at=7):
    """One bit, with the time of change put back."""
    before = os.stat(path)
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def a_signed_model_runs_in_every_mode():
    for mode in ("none", "receipts", "signed", "full"):
        with Site() as site:
            site.put()
            site.require(mode)
            site.runs()
            site.runs()


def a_byte_changed_is_refused_in_every_mode_that_checks():
    for mode in ("receipts", "signed", "full"):
        for first in (False, True):
            with Site() as site:
                site.put()
                site.require(mode)
                if first:  # there is a receipt already
                    site.runs()
                    os.remove(site.file("started"))
                change_byte(site.model() + "/big-00002-of-00002.gguf")
                site.refused("big-00002-of-00002.gguf is not the file of the "
                             "model's manifest")


def a_changed_model_is_refused_whatever_was_changed():
    second = "big-00002-of-00002.gguf"

    def truncate(site):
        os.truncate(site.model() + "/" + FIRST, 499)

    def append(site):
        with open(site.model() + "/" + FIRST, "ab") as file:
            file.write(b"x")

    def swap(site):
        a, b, c = (site.model() + "/" + name for name in (FIRST, second, "c"))
        os.rename(a, c)
        os.rename(b, a)
        os.rename(c, b)

    def remove(site):
        os.remove(site.model() + "/" + second)

    def more(site):
        with open(site.model() + "/zz-00001-of-00001.gguf", "wb") as file:
            file.write(b"x")

    def change_manifest(site):
        change_byte(site.model() + "/MANIFEST", 30)

    def change_signature(site):
        change_byte(site.model() + "/MANIFEST.minisig", 100)

    def no_signature(site):
        os.remove(site.model() + "/MANIFEST.minisig")

    cases = [
        (truncate, "has 499 bytes, but 500"),
        (append, "has 501 bytes, but 500"),
        (swap, "its content differs"),
        (remove, f"{second} is missing"),
        (more, "zz-00001-of-00001.gguf is not in the model's manifest"),
        (change_manifest, "is not what was signed"),
        (change_signature, "MANIFEST"),
        (no_signature, "MANIFEST is not signed"),
    ]
    for change, wanted in cases:
        with Site() as site:
            site.put()
            site.require("signed")
            site.runs()
            os.remove(site.file("started"))
            change(site)
            site.refused(wanted)


def a_model_without_a_manifest_is_refused():
    with Site() as site:
        site.put()
        os.remove(site.model() + "/MANIFEST")
        site.require("signed")
        path = site.model() + "/" + FIRST
        site.refused("nothing vouches for the model", path)
        for mode in ("receipts", "full"):
            site.require(mode)
            site.refused(f"(model.verify = {mode}, by the settings)", path)


def another_key_does_not_do():
    with Site() as site:
        site.put(key=STRANGER)
        site.require("signed")
        site.refused(f"signed with the key {STRANGER.id}, which is not among "
                     "the trusted ones")
        # a key that says it is the vendor's, with the stranger's signature
        forged = Key(b"stranger")
        forged.number = VENDOR.number
        site.put(key=forged)
        site.refused("is not what was signed")
        # below `signed` an unknown key is no matter, a wrong signature is
        site.require("receipts")
        site.refused("is not what was signed")
        site.put(key=STRANGER)
        site.runs()


def a_signature_of_another_model_does_not_do():
    with Site() as site:
        other = manifest({"a.gguf": b"x"})
        site.put(signature=VENDOR.sign(other))
        site.require("signed")
        site.refused("is not what was signed")
        site.put(signature=VENDOR.sign(manifest(FILES), kind=b"Ed"))
        site.refused("is a signature of the old kind")
        site.put(signature=b"nonsense\n")
        site.refused("MANIFEST.minisig line 1")


def a_revoked_key_does_not_do():
    with Site() as site:
        site.put()
        site.require("signed")
        site.write(".config/fathom/trust.d/revoked",
                   f"# lost in 2026\n\n  {VENDOR.id.lower()}  # the old one\n")
        site.refused(f"the key {VENDOR.id}, which is revoked")
        # with another that counts it runs
        site.trust(SITE, "site")
        with open(site.model() + "/MANIFEST.site.minisig", "wb") as file:
            file.write(SITE.sign(manifest(FILES)))
        site.runs()
        site.write(".config/fathom/trust.d/revoked", "B26B\n")
        result = site.ask()
        assert result.status == 65, result
        assert "revoked line 1: a key's number" in one_sentence(result.err)


def two_signatures_are_both_told():
    with Site() as site:
        site.put()
        site.trust(SITE, "site")
        with open(site.model() + "/MANIFEST.site.minisig", "wb") as file:
            file.write(SITE.sign(manifest(FILES), "expires:2020-01-01"))
        done = json.loads(run(site, "model", "verify", "--json", "big").out)
        assert [(by["name"], by["key"], by.get("expires"))
                for by in done["signed_by"]] == [
                    ("vendor", VENDOR.id, None),
                    ("site", SITE.id, "2020-01-01")], done
        # a date that has passed is shown and stops nothing
        out = run(site, "model", "verify", "big").out.decode()
        assert f"site ({SITE.id}, expired 2020-01-01)" in out, out
        # one that is wrong counts, though the other is right
        change_byte(site.model() + "/MANIFEST.site.minisig", 90)
        result = run(site, "model", "verify", "big")
        assert result.status == 14, result


def a_manifest_that_leads_elsewhere_is_refused_though_signed():
    paths = ["../other.gguf", "/etc/passwd", "a/../../b", "./a.gguf",
             "a//b", ".hidden", "a\\b", "a/"]
    for path in paths:
        with Site() as site:
            text = manifest({path: b"x"})
            site.put(key=VENDOR, text=text)
            site.require("signed")
            result = site.ask()
            assert result.status == 65 and not site.started(), result
            assert ("MANIFEST line 9: the path is not one that a file of a "
                    "model may have") in one_sentence(result.err), result


def links_in_a_model_are_refused():
    with Site() as site:
        site.put()
        site.require("signed")
        path = site.model() + "/licence.txt"
        shutil.move(path, site.file("elsewhere"))
        os.symlink(site.file("elsewhere"), path)
        site.refused("licence.txt is a symbolic link")
        result = run(site, "model", "import", "--name=x", site.model())
        assert result.status == 14 and not os.path.exists(site.model("x"))
        os.remove(path)
        os.mkfifo(path)
        site.refused("licence.txt is not a regular file")


def a_link_to_a_model_leads_to_its_manifest():
    with Site() as site:
        site.put()
        site.require("signed")
        os.symlink(site.model() + "/" + FIRST, site.file("link.gguf"))
        result = site.ask(site.file("link.gguf"))
        assert result.status == 0, result
        # and the engine is given the file, not the link
        assert site.model() + "/" + FIRST in site.read("started").decode()


def keys_that_others_could_write_are_not_believed():
    folder = ".config/fathom/trust.d"

    def refused(site, wanted):
        result = site.ask()
        assert result.status == 77 and not site.started(), result
        assert wanted in one_sentence(result.err), result

    with Site() as site:
        site.put()
        site.require("signed")
        os.chmod(site.file(folder), 0o777)
        refused(site, "trust.d can be written by others (mode 0777)")
        os.chmod(site.file(folder), 0o1777)
        refused(site, "trust.d can be written by others")
        os.chmod(site.file(folder), 0o755)
        os.chmod(site.file(folder + "/vendor.pub"), 0o666)
        refused(site, "vendor.pub can be written by others (mode 0666)")
        os.chmod(site.file(folder + "/vendor.pub"), 0o644)
        site.write(folder + "/revoked", "")
        os.chmod(site.file(folder + "/revoked"), 0o622)
        refused(site, "revoked can be written by others")
        os.remove(site.file(folder + "/revoked"))
        os.symlink("vendor.pub", site.file(folder + "/link.pub"))
        refused(site, "link.pub")
        os.remove(site.file(folder + "/link.pub"))
        site.write(folder + "/broken.pub", "untrusted comment: x\nAAAA\n")
        result = site.ask()
        assert result.status == 65, result
        assert "broken.pub line 2" in one_sentence(result.err), result
        os.remove(site.file(folder + "/broken.pub"))
        if os.geteuid() == 0:
            os.chown(site.file(folder + "/vendor.pub"), 65534, 65534)
            refused(site, "belongs to user 65534")
            os.chown(site.file(folder + "/vendor.pub"), 0, 0)
        site.runs()


def import_copies_checks_and_lists():
    with Site() as site:
        site.require("signed")
        source = write_model(site.file("source"), FILES, VENDOR)
        result = run(site, "model", "import", source)
        assert result.status == 0 and result.err == b"", result
        assert result.out.decode() == (f"big: 3 files, 1.0 kB, signed by "
                                       f"vendor ({VENDOR.id})\n"), result
        for path, data in FILES.items():
            assert site.read("data/fathom/models/big/" + path) == data
        entry = [one for one in json.loads(
            run(site, "model", "list", "--json").out) if one["name"] == "big"]
        assert entry[0]["state"] == "as checked", entry
        assert entry[0]["signed_by"][0]["key"] == VENDOR.id, entry
        assert entry[0]["file"].endswith(FIRST), entry
        site.runs()
        # nothing is written over
        result = run(site, "model", "import", source)
        assert result.status == 73, result
        assert "there is a model big already" in one_sentence(result.err)
        change_byte(site.model() + "/" + FIRST)
        text = run(site, "model", "list").out.decode()
        assert re.search(r"^big +1.0 kB  not checked yet", text, re.M), text
        # the longest name makes the column
        site.write("data/fathom/models/" + "long-" * 8 + "name.gguf", b"x")
        lines = run(site, "model", "list").out.decode().splitlines()
        assert len({re.search(r" [kM]?B  ", line).end()
                    for line in lines}) == 1, lines


def import_refuses_and_leaves_nothing():
    with Site() as site:
        site.require("signed")
        source = write_model(site.file("source"), FILES, VENDOR)
        change_byte(source + "/" + FIRST)
        cases = [(source, 14, "its content differs")]
        write_model(site.file("stranger"), FILES, STRANGER)
        cases.append((site.file("stranger"), 14, "not among the trusted"))
        site.write("one.gguf", b"x")
        cases.append((site.file("one.gguf"), 14, "nothing vouches"))
        cases.append((source + "/" + FIRST, 66, "import the folder"))
        cases.append((site.file("nothing"), 66, "No such file"))
        bad = write_model(site.file("bad"), FILES, VENDOR,
                          manifest(FILES, name="../evil"))
        cases.append((bad, 65, "cannot be the name of a model here"))
        for path, status, wanted in cases:
            result = run(site, "model", "import", path)
            assert result.status == status, (path, result)
            assert wanted in one_sentence(result.err), (path, result)
        models = site.file("data/fathom/models")
        assert not os.path.exists(models) or os.listdir(models) == []


def import_without_a_signature_makes_a_manifest():
    with Site() as site:
        site.write("one.gguf", b"x" * 50)
        result = run(site, "model", "import", site.file("one.gguf"))
        assert result.status == 0, result
        assert b"signed by nobody who is trusted" in result.out, result
        text = site.read("data/fathom/models/one/MANIFEST").decode()
        assert "name: one\nfamily: unknown\nformat: gguf\n" in text, text
        site.require("receipts")
        assert site.ask("one").status == 0
        site.require("signed")
        os.remove(site.file("started"))
        site.refused("MANIFEST is not signed", "one")


def every_step_of_an_import_may_fail():
    files = {"a.gguf": b"x" * 10, "b/c": b"y"}
    with Site() as site:
        site.require("signed")
        source = write_model(site.file("source"), files, VENDOR)
        models = site.file("data/fathom/models")
        failures = 0
        for n in range(1, 400):
            result = run(site, "model", "import", source,
                         environment={"FATHOM_FAULT": str(n)})
            if result.status == 0 and result.err == b"":
                break
            failures += 1
            left = os.listdir(models) if os.path.exists(models) else []
            if result.status == 0 or left:
                # only what is not needed failed, or telling that it is done
                assert left == ["big"], (n, left, result)
                assert run(site, "model", "verify", "big").status == 0
                shutil.rmtree(site.model())
                continue
            one_sentence(result.err)
        assert failures > 20, failures
        assert run(site, "model", "verify", "big").status == 0


def what_a_killed_import_left_goes_with_the_next():
    with Site() as site:
        source = write_model(site.file("source"), FILES, VENDOR)
        ended = subprocess.Popen(["true"])
        ended.wait()
        os.makedirs(site.model(f".import-{ended.pid}") + "/sub", 0o700)
        site.write(f"data/fathom/models/.import-{ended.pid}/sub/x", "x")
        # one that is at work stays
        os.makedirs(site.model(f".import-{os.getpid()}"), 0o700)
        assert run(site, "model", "import", source).status == 0
        assert sorted(os.listdir(site.file("data/fathom/models"))) == [
            f".import-{os.getpid()}", "big"]


def rm_asks_or_needs_yes():
    with Site() as site:
        source = write_model(site.file("source"), FILES, VENDOR)
        assert run(site, "model", "import", source).status == 0
        result = run(site, "model", "rm", "big")
        assert result.status == 64 and b"--yes" in result.err, result
        for answer, status in (("n", 1), ("", 1), ("y", 0)):
            with Terminal([FATHOM, "model", "rm", "big"],
                          site.environment()) as terminal:
                terminal.expect("[y/N]")
                terminal.send(answer + "\n")
                assert terminal.wait() == status, terminal.text()
            assert os.path.exists(site.model()) == (status == 1)
        assert os.listdir(site.file(".cache/fathom/receipts")) == []
        for name, status in (("big", 66), ("../x", 64), ("fathom-mini", 66),
                             (".", 64)):
            result = run(site, "model", "rm", "--yes", name)
            assert result.status == status, (name, result)
            one_sentence(result.err)


def rm_follows_no_link():
    with Site() as site:
        site.put()
        site.write("precious", "x")
        os.symlink(site.path, site.model() + "/link")
        assert run(site, "model", "rm", "--yes", "big").status == 0
        assert site.read("precious") == b"x"
        assert not os.path.exists(site.model())


def what_fathom_signs_others_verify():
    with Site() as site:
        for path, data in FILES.items():
            site.write(path, data)
        os.mkdir(site.file("big"))
        for path in FILES:
            shutil.move(site.file(path), site.file("big/" + path))
        site.write("v.key", VENDOR.secret())
        result = run(site, "model", "sign", "-s", site.file("v.key"),
                     "--family=deepseek2", "--licence=MIT",
                     "--expires=2040-01-01", site.file("big"),
                     environment={"SOURCE_DATE_EPOCH": "1795636800"})
        assert (result.status, result.out, result.err) == (0, b"", b""), result
        text = site.read("big/MANIFEST")
        head = {"created": "2026-11-25T20:00:00Z"}
        tool = re.search(rb"^tool: (.*)$", text, re.M)[1].decode()
        assert text == manifest(FILES, **head, tool=tool), text
        assert VENDOR.verifies(text, site.read("big/MANIFEST.minisig"))
        out = run(site, "model", "verify", site.file("big")).out.decode()
        assert f"vendor ({VENDOR.id}, expires 2040-01-01)" in out, out
        # once more, by another, and never over what is there
        site.write("s.key", SITE.secret())
        again = ("model", "sign", "-s", site.file("s.key"), site.file("big"))
        result = run(site, *again)
        assert result.status == 73 and b"--as=NAME" in result.err, result
        assert run(site, *again, "--as=site").status == 0
        assert SITE.verifies(text, site.read("big/MANIFEST.site.minisig"))
        # files that are not those of the manifest are not signed
        change_byte(site.file("big/" + FIRST))
        result = run(site, *again, "--as=third")
        assert result.status == 14, result
        assert not os.path.exists(site.file("big/MANIFEST.third.minisig"))


def minisign_and_fathom_understand_each_other():
    if shutil.which("minisign") is None:
        return "minisign is not installed"
    with Site() as site:
        model = write_model(site.file("big"), FILES)
        subprocess.run(["minisign", "-G", "-W", "-p", site.file("m.pub"), "-s",
                        site.file("m.key")], check=True, capture_output=True)
        subprocess.run(["minisign", "-S", "-s", site.file("m.key"), "-m",
                        model + "/MANIFEST"], check=True, capture_output=True)
        result = run(site, "model", "verify", "--key=" + site.file("m.pub"),
                     model)
        assert result.status == 0, result
        result = run(site, "model", "sign", "--as=us", "-s",
                     site.file("m.key"), model)
        assert result.status == 0, result
        subprocess.run(["minisign", "-V", "-p", site.file("m.pub"), "-m",
                        model + "/MANIFEST", "-x",
                        model + "/MANIFEST.us.minisig"], check=True,
                       capture_output=True)


def large_files_are_checked_by_chunks():
    files = {"big.gguf": os.urandom(CHUNK) + b"the end"}
    with Site() as site:
        write_model(site.model(), files, VENDOR)
        site.require("signed")
        site.runs()
        os.remove(site.file("started"))
        change_byte(site.model() + "/big.gguf", CHUNK + 3)
        site.refused("big.gguf is not the file of the model's manifest")


def wrong_ways_to_sign_are_told():
    with Site() as site:
        model = write_model(site.file("big"), FILES)
        site.write("v.key", VENDOR.secret())
        key = ("-s", site.file("v.key"))
        cases = [
            ((model,), 64, "-s FILE names"),
            ((*key, "--expires=soon", model), 64, "--expires takes a date"),
            ((*key, "--as=../x", model), 64, "--as takes a short name"),
            ((*key, "--name=x", model), 64, "there is a MANIFEST already"),
            (("-s", site.file("none"), model), 66, "No such file"),
            (("-s", model + "/licence.txt", model), 65, "line 1"),
            ((*key, model + "/" + FIRST), 66, "is the folder of a model"),
            ((*key, site.file("none")), 66, "No such file"),
        ]
        for arguments, status, wanted in cases:
            result = run(site, "model", "sign", *arguments)
            assert result.status == status, (arguments, result)
            assert wanted in one_sentence(result.err), (arguments, result)


# -- settings and policy ------------------------------------------------------


def settings_that_are_wrong_are_told_with_their_line():
    with Site() as site:
        cases = ["[model]\nverfy = full\n", "[model]\nverify = all\n",
                 "[vault]\nsave = perhaps\n", "\n\n[nothing]\n", "x\n"]
        for text in cases:
            site.set(text)
            result = run(site, "ask", "hello")
            assert result.status == 78 and not site.started(), result
            assert "fathom.conf line " in one_sentence(result.err), result
        # what needs no settings still works
        assert run(site, "--version").status == 0
        assert run(site, "help", "ask").status == 0
        result = run(site, "ask", "hello",
                     environment={"FATHOM_CONFIG": site.file("none")})
        assert result.status == 78, result
        assert "No such file" in one_sentence(result.err), result


def a_flag_goes_before_the_environment_and_that_before_the_file():
    with Site() as site:
        os.mkdir(site.file("models"))
        for name in "abc":
            site.write(f"models/{name}.gguf", "x")
        site.set(f"[model]\ndefault = a\npath = {site.file('models')}\n")

        def opened(*arguments, **environment):
            if site.started():
                os.remove(site.file("started"))
            assert run(site, "ask", *arguments, "hello",
                       environment=environment).status == 0
            return site.read("started").decode().strip()[-6:]

        assert opened() == "a.gguf"
        assert opened(FATHOM_MODEL="b") == "b.gguf"
        assert opened("-m", "c", FATHOM_MODEL="b") == "c.gguf"


def what_the_engine_is_asked_follows_the_settings():
    with Site() as site:
        site.set("[thinking]\neffort = off\nbudget = 77\n")
        script = ('want GENERATE {"thinking": %s, "think_budget": %d}\n'
                  "say Yes.\ndone\n")
        result = run(site, "ask", "hello", script=script % ("false", 77))
        assert result.out == b"Yes.\n", result
        result = run(site, "ask", "--think=on", "--think-budget=5", "hello",
                     script=script % ("true", 5))
        assert result.out == b"Yes.\n", result


def a_policy_beats_settings_and_flags():
    reason = no_policies()
    if reason:
        return reason
    with Site() as site:
        site.put()
        site.require("none")
        os.remove(site.model() + "/MANIFEST.minisig")
        ask = ("ask", "-m", "big", "hello")
        assert run(site, *ask).status == 0
        os.remove(site.file("started"))
        result = under_policy(site, "model.verify = signed\n", *ask)
        assert result.status == 14 and not site.started(), result
        assert ("MANIFEST is not signed (model.verify = signed, by "
                f"{sysconfdir()}/fathom/policy.conf)"
                ) in one_sentence(result.err), result
        # it can only tighten
        site.require("signed")
        result = under_policy(site, "model.verify = none\n", *ask)
        assert result.status == 14 and not site.started(), result


def a_policy_that_could_be_anybodys_is_refused():
    reason = no_policies()
    if reason:
        return reason
    with Site() as site:
        ask = ("ask", "-m", site.write("a.gguf", "x"), "hello")
        for mode in ("0666", "0664", "0646"):
            result = under_policy(site, "lock_after = 10m\n", *ask, mode=mode)
            assert result.status == 77 and not site.started(), result
            assert "can be written by others" in one_sentence(result.err)
        result = under_policy(site, "lock_aftr = 10m\n", *ask)
        assert result.status == 78 and not site.started(), result
        assert "policy.conf line 1: there is no rule 'lock_aftr'" in one_sentence(
            result.err), result
        assert under_policy(site, "lock_after = 10m\n", *ask).status == 0


def a_policy_names_the_only_keys():
    reason = no_policies()
    if reason:
        return reason
    with Site() as site:
        site.put()
        ask = ("ask", "-m", "big", "hello")
        os.makedirs(site.file("etc/keys"))
        rules = (f"model.verify = signed\n"
                 f"model.trust_dir = {sysconfdir()}/fathom/keys\n")
        # the user's own keys do not count
        result = under_policy(site, rules, *ask)
        assert result.status == 14 and not site.started(), result
        assert "not among the trusted ones" in one_sentence(result.err)
        site.write("etc/keys/v.pub", VENDOR.public())
        assert under_policy(site, rules, *ask).status == 0
        result = under_policy(
            site, "model.verify = signed\nmodel.trust_dir = /none\n", *ask)
        assert result.status == 77, result


def a_policy_without_net_allows_no_other_engine():
    reason = no_policies()
    if reason:
        return reason
    with Site() as site:
        result = under_policy(site, "net = deny\n", "ask", "hello")
        assert result.status in (69, 77) and not site.started(), result
        assert "FATHOM_ENGINE names another engine" in one_sentence(result.err)


def chat_under_policy(site, text, *arguments):
    """A chat on a terminal, where the machine has this policy."""
    os.makedirs(site.file("etc"), exist_ok=True)
    site.write("etc/policy.conf", text)
    flags = "-m" if os.geteuid() == 0 else "-rm"
    return Terminal([shutil.which("unshare"), flags, "sh", "-c", MOUNT, "sh",
                     sysconfdir(), site.file("etc"), "0644", FATHOM, "chat",
                     "--plain",
                     *arguments], site.environment("drain\n"))


def nothing_runs_beside_swap_that_is_not_safe():
    if os.geteuid() != 0 or no_policies():
        return "mounts cannot be made here"
    with Site() as site:
        site.write("swaps", "Filename Type Size Used Priority\n"
                            "/dev/sda2 partition 1 0 -2\n")
        swapping = ("unshare", "-m", "sh", "-c",
                    'mount --bind "$1" /proc/swaps && shift && exec "$@"',
                    "sh", site.file("swaps"))
        assert run(site, "ask", "hello", prefix=swapping).status == 0
        site.write(".config/fathom/fathom.conf", "[memory]\nswap = safe\n")
        result = run(site, "ask", "hello", prefix=swapping)
        assert result.status == 77, result
        assert "swap = safe" in one_sentence(result.err)
        assert run(site, "vault", "status", prefix=swapping).status == 77
        assert run(site, "doctor", prefix=swapping).status == 1
        site.write("swaps", "Filename Type Size Used Priority\n")
        assert run(site, "ask", "hello", prefix=swapping).status == 0


def a_policy_decides_what_is_kept():
    reason = NO_CHAT or no_policies()
    if reason:
        return reason
    with Site() as site:
        site.make_vault()
        site.set("[vault]\nsave = always\n")
        result = under_policy(site, "vault.save = never\n", "ask", "--save",
                              "hello", script=SCRIPT)
        assert result.status == 77 and not site.started(), result
        assert "vault.save = never" in one_sentence(result.err), result
        with chat_under_policy(site, "vault.require = yes\n",
                               "--ephemeral") as chat:
            chat.expect("(vault.require = yes)")
            assert chat.wait() == 77


def a_policy_locks_what_settings_would_leave_open():
    reason = NO_CHAT or no_policies()
    if reason:
        return reason
    with Site() as site:
        site.make_vault()
        site.set("[ui]\nlock_after = 0\n")
        with chat_under_policy(site, "lock_after = 1s\n") as chat:
            chat.expect("a chat that is not kept): ")
            chat.send(PASSPHRASE + "\r")
            chat.expect("you> ")
            chat.expect("vault:locked")


# -- pages ----------------------------------------------------------------------


def literals(page, section):
    """Literal blocks of a section of a page."""
    with open(os.path.join(SOURCE, "man", page)) as file:
        text = file.read()
    text = text[text.index(section):]
    text = text[:re.search(r"\n\.S[hs] ", text[1:]).start() + 1]
    return [block.replace("\\e", "\\") for block in
            re.findall(r"^\.Bd -literal\n(.*?)^\.Ed$", text, re.M | re.S)]


def shell(site, script, **more):
    environment = site.environment(**more)
    environment["PATH"] = BUILD + ":" + environment["PATH"]
    environment["FATHOM_ENGINE"] = os.path.join(BUILD, "fathom-engine")
    done = subprocess.run(["bash", "-c", script], env=environment,
                          cwd=site.path, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def the_manifest_of_its_page_is_one():
    text, commands = literals("fathom-manifest.5", ".Sh EXAMPLES")
    with Site() as site:
        model = write_model(site.file("tiny"), {"tiny.gguf": b"x\n"}, VENDOR,
                            text.encode())
        result = run(site, "model", "verify", model)
        assert result.status == 0, result
        hashes, signature = re.findall(r"^\$ (.*?)(?=^\$|\Z)", commands,
                                       re.M | re.S)
        status, out, err = shell(site, "cd tiny && " + hashes)
        assert (status, out) == (0, "tiny.gguf: OK\n"), (out, err)
        if shutil.which("minisign") is None:
            return "minisign is not installed"
        site.write("tiny/vendor.pub", VENDOR.public())
        status, out, err = shell(site, "cd tiny && " + signature)
        assert status == 0, (out, err)


def checks_of_an_auditor_show_what_they_should():
    lines = literals("fathom-airgap.7", ".Ss Five checks")[0].splitlines()
    prove, trace, symbols, verify, audit = (line[2:] for line in lines)
    with Site() as site:
        write_model(site.model("MODEL"), FILES, VENDOR)
        site.write("askpass", "#!/bin/sh\necho 'a passphrase'\n")
        os.chmod(site.file("askpass"), 0o700)
        askpass = {"FATHOM_ASKPASS": site.file("askpass")}
        done = shell(site, prove)
        assert done[0] == 0, done
        if shutil.which("strace"):
            done = shell(site, trace)
            assert done[1].endswith("\n0\n"), done
        if shutil.which("nm"):
            assert shell(site, symbols)[1] == ""
        done = shell(site, verify)
        assert done[0] == 0 and VENDOR.id in done[1], done
        assert shell(site, "fathom vault init --kdf=least", **askpass)[0] == 0
        done = shell(site, audit, **askpass)
        assert done[0] == 0 and "each bound to the one before" in done[1], done


engine_client.run([
    a_signed_model_runs_in_every_mode,
    a_byte_changed_is_refused_in_every_mode_that_checks,
    a_changed_model_is_refused_whatever_was_changed,
    a_model_without_a_manifest_is_refused,
    another_key_does_not_do,
    a_signature_of_another_model_does_not_do,
    a_revoked_key_does_not_do,
    two_signatures_are_both_told,
    a_manifest_that_leads_elsewhere_is_refused_though_signed,
    links_in_a_model_are_refused,
    a_link_to_a_model_leads_to_its_manifest,
    keys_that_others_could_write_are_not_believed,
    import_copies_checks_and_lists,
    import_refuses_and_leaves_nothing,
    import_without_a_signature_makes_a_manifest,
    every_step_of_an_import_may_fail,
    what_a_killed_import_left_goes_with_the_next,
    rm_asks_or_needs_yes,
    rm_follows_no_link,
    what_fathom_signs_others_verify,
    minisign_and_fathom_understand_each_other,
    large_files_are_checked_by_chunks,
    wrong_ways_to_sign_are_told,
    settings_that_are_wrong_are_told_with_their_line,
    a_flag_goes_before_the_environment_and_that_before_the_file,
    what_the_engine_is_asked_follows_the_settings,
    a_policy_beats_settings_and_flags,
    a_policy_that_could_be_anybodys_is_refused,
    a_policy_names_the_only_keys,
    a_policy_without_net_allows_no_other_engine,
    nothing_runs_beside_swap_that_is_not_safe,
    a_policy_decides_what_is_kept,
    a_policy_locks_what_settings_would_leave_open,
    the_manifest_of_its_page_is_one,
    checks_of_an_auditor_show_what_they_should,
])
