"""fathom doctor: what it tells of a machine, and the proof that no way is open.

Kernels that lack something are made by denied_calls; other machines than this
one are in tests/unit/doctor_test.c.
"""
import json
import os
import re
import shutil
import socket
import stat
import subprocess

import engine_client
from policies import no_policies, sysconfdir, under_policy
from program import BUILD, FATHOM, LIMIT, SOURCE, Home, one_sentence, run

ENGINE = os.path.join(BUILD, "fathom-engine")
PATH = BUILD + ":" + os.environ["PATH"]
CAN = {"unshare": ["-r", "-n", "true"], "strace": ["-f", "-o", "/dev/null",
                                                   "true"]}
DENIED = os.path.join(BUILD, "tests/cli/denied_calls")

with open(os.path.join(BUILD, "config.h")) as config:
    SANITIZED = "\n#define WITH_SANITIZERS 1\n" in config.read()

FAMILIES = ("INET", "INET6", "UNIX", "NETLINK", "PACKET", "VSOCK", "ALG",
            "BLUETOOTH")
WAYS = ([f"socket(AF_{family})" for family in FAMILIES]
        + ["socketpair(AF_UNIX)", "connect", "bind", "listen", "accept4",
           "sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg",
           "shutdown", "getsockopt", "setsockopt", "getsockname",
           "getpeername", "io_uring_setup", "IORING_OP_SOCKET"])


def checks(home, *arguments, **more):
    """{check: (state, text)} of doctor --json, and the exit status."""
    result = run(home, "doctor", *arguments, "--json", **more)
    assert result.err == b"", result
    found = json.loads(result.out)
    assert found["ok"] == (result.status == 0), (found, result.status)
    return ({one["check"]: (one["state"], one["text"], one["advice"])
             for one in found["checks"]}, result.status)


def without(calls):
    return (DENIED, calls)


# -- the proof -------------------------------------------------------------------

def every_way_is_closed_in_both_programs():
    with Home() as home:
        found, status = checks(home, "--prove-offline")
    for program in ("fathom", "engine"):
        for way in WAYS:
            state, text, _ = found[f"{program}, {way}"]
            assert (state, text) == ("ok", "Operation not permitted"), (
                program, way, state, text)
    warned = {check for check, (state, _, _) in found.items()
              if state == "warn"}
    if SANITIZED:  # whose libraries import what they like
        warned = {check for check in warned if "imports" not in check}
        status = 0
    assert not warned and status == 0, warned


def the_proof_for_people_has_a_line_for_each_way():
    with Home() as home:
        result = run(home, "doctor", "--prove-offline")
    lines = result.out.decode().splitlines()
    for way in WAYS:
        assert f"ok    fathom, {way}: Operation not permitted" in lines, way
    assert all(len(line) <= 80 for line in lines), lines


def an_engine_started_by_hand_is_closed_too():
    with Home() as home:
        done = subprocess.run([ENGINE, "--prove-offline"], timeout=LIMIT,
                              capture_output=True, env=home.environment())
    lines = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert all(len(line) == 3 for line in lines), lines
    told = {way: (state, text) for state, way, text in lines}
    for way in WAYS:
        assert told[way] == ("closed", "Operation not permitted"), (way, told)


def an_engine_opens_no_file_of_others():
    with Home() as home:
        found, _ = checks(home, "--prove-offline")
        landlock = checks(home)[0]["Landlock"]
    if landlock[0] != "ok":
        return "this kernel has no Landlock"
    assert found["engine, open(/etc/passwd)"][:2] == (
        "ok", "Permission denied"), found


def a_socket_as_standard_input_is_told():
    ours, theirs = socket.socketpair()
    with Home() as home, ours, theirs:
        done = subprocess.run([FATHOM, "doctor", "--prove-offline", "--json"],
                              stdin=theirs, capture_output=True, timeout=LIMIT,
                              env=home.environment())
        found = {one["check"]: one["state"]
                 for one in json.loads(done.stdout)["checks"]}
        key = "fathom, descriptor 0, a socket since the start"
        assert done.returncode == 1 and found[key] == "warn", done


def a_socket_beyond_standard_error_is_closed():
    ours, theirs = socket.socketpair()
    with Home() as home, ours, theirs:
        done = subprocess.run([FATHOM, "doctor", "--prove-offline", "--json"],
                              capture_output=True, timeout=LIMIT,
                              pass_fds=[theirs.fileno()],
                              env=home.environment())
        assert b"a socket since the start" not in done.stdout, done
        theirs.close()
        assert ours.recv(1) == b""  # nobody holds the other end


def an_engine_that_does_not_tell_is_69():
    with Home() as home:
        for engine in ("/bin/true", "/bin/echo", "/nowhere"):
            result = run(home, "doctor", "--prove-offline",
                         environment={"FATHOM_ENGINE": engine})
            assert (result.status, result.out) == (69, b""), (engine, result)
            one_sentence(result.err)


def an_engine_with_an_open_way_is_1():
    with Home() as home:
        engine = home.write("engine", "#!/bin/sh\nprintf 'closed\\tbind\\tno\\n"
                            "OPEN\\tsocket\\tit \\033[31mworks\\n'\nexit 1\n")
        os.chmod(engine, 0o700)
        found, status = checks(home, "--prove-offline",
                               environment={"FATHOM_ENGINE": engine})
        assert status == 1, found
        assert found["engine, socket"][:2] == ("warn", "it \\x1B[31mworks")


# -- kernels that lack something -------------------------------------------------

def without_the_filter_nothing_runs_but_the_doctor():
    with Home() as home:
        for arguments in (("ask", "hello"), ("--version",), ("chat",), (),
                          ("engine", "status"), ("nothing",)):
            result = run(home, *arguments, prefix=without("no-filter"))
            assert (result.status, result.out) == (69, b""), result
            assert "the kernel refuses" in one_sentence(result.err), result
        found, status = checks(home, prefix=without("no-filter"))
        assert status == 1 and found["system call filter"][0] == "warn", found
        done = subprocess.run([*without("no-filter"), ENGINE, "--warm="
                               + home.file("run"), "/dev/null"], timeout=LIMIT,
                              capture_output=True, env=home.environment())
        assert done.returncode == 69, done
        assert "the kernel refuses" in one_sentence(done.stderr), done


def without_landlock_the_engine_runs_and_the_doctor_warns():
    calls = "landlock_create_ruleset"
    with Home() as home:
        result = run(home, "ask", "What is 2 + 2?", prefix=without(calls))
        assert result.status == 0 and b"4" in result.out, result
        found, status = checks(home, prefix=without(calls))
        assert status == 1 and found["Landlock"][0] == "warn", found


def a_landlock_that_refuses_ends_the_engine():
    with Home() as home:
        if checks(home)[0]["Landlock"][0] != "ok":
            return "this kernel has no Landlock"
        for call in ("landlock_add_rule", "landlock_restrict_self"):
            result = run(home, "ask", "What is 2 + 2?", prefix=without(call))
            assert result.status in (69, 70) and result.out == b"", result


def without_namespaces_the_engine_runs_and_the_doctor_warns():
    with Home() as home:
        result = run(home, "ask", "What is 2 + 2?", prefix=without("unshare"))
        assert result.status == 0 and b"4" in result.out, result
        found, status = checks(home, prefix=without("unshare"))
        assert status == 1 and found["network namespace"][0] == "warn", found


# -- this machine ----------------------------------------------------------------

def each_line_is_ok_or_says_what_to_do():
    with Home() as home:
        result = run(home, "doctor")
        text = result.out.decode()
        assert result.status in (0, 1), result
        for line in text.splitlines():
            assert re.match(r"(ok    |warn  |      )\S", line), line
            assert len(line) <= 80, line
        assert ("\nwarn" in "\n" + text) == (result.status == 1), result
        found, _ = checks(home)
    for check, (state, words, advice) in found.items():
        assert (advice is None) == (state == "ok") and words, (check, advice)
    for check in ("system call filter", "Landlock", "network namespace",
                  "core files", "debuggers", "swap", "hibernation",
                  "locked memory", "vault's folder", "vault's state",
                  "runtime directory"):
        assert check in found, check


def folders_that_others_may_write_to_are_told():
    with Home() as home:
        vault = home.file("data/fathom")
        os.mkdir(vault, 0o700)
        home.write("data/fathom/vault.keys", "x")
        os.chmod(home.file("data/fathom/vault.keys"), 0o600)
        found, _ = checks(home)
        assert found["vault's folder"][0] == "ok", found
        assert found["vault's keys"][0] == "ok", found
        os.chmod(home.file("data/fathom/vault.keys"), 0o666)
        os.chmod(vault, stat.S_IRWXU | stat.S_IWOTH | stat.S_IXOTH)
        found, status = checks(home)
        assert status == 1 and found["vault's folder"][0] == "warn", found
        assert found["vault's keys"][0] == "warn", found
        assert "chmod" in found["vault's folder"][1], found


def a_runtime_directory_on_a_disk_is_told():
    with Home() as home:
        state, _, _ = checks(home)[0]["runtime directory"]
        kind = subprocess.run(["stat", "-f", "-c", "%T", home.file("run")],
                              capture_output=True).stdout.decode().strip()
        assert state == ("ok" if kind in ("tmpfs", "ramfs") else "warn"), kind


def the_doctor_works_where_settings_are_broken():
    with Home() as home:
        bad = home.write("fathom.conf", "[[[\n")
        result = run(home, "doctor", environment={"FATHOM_CONFIG": bad})
        assert result.status in (0, 1) and result.err == b"", result


# -- settings --------------------------------------------------------------------

CONFIG = """[model]
default = big
[ui]
lock_after = 60s
clipboard = osc52
[preset.code]
temp = 0.30
"""


def in_force(result):
    assert result.status == 0 and result.err == b"", result
    return {line.split()[0]: line.split(None, 2)[1:]
            for line in result.out.decode().splitlines()}


def settings_are_told_with_where_they_come_from():
    with Home() as home:
        path = home.write("f.conf", CONFIG)
        result = run(home, "doctor", "--config",
                     environment={"FATHOM_CONFIG": path,
                                  "FATHOM_MODEL_PATH": "/a:/b"})
        found = in_force(result)
        assert found["model.default"] == ["big", f"{path} line 2"], found
        assert found["model.path"] == ["/a:/b", "FATHOM_MODEL_PATH"], found
        assert found["ui.lock_after"] == ["60s", f"{path} line 4"], found
        assert found["preset.code.temp"] == ["0.30", f"{path} line 7"], found
        assert found["ui.theme"] == ["terminal", "default"], found
        assert found["thinking.budget"] == ["-", "default"], found
        result = run(home, "doctor", "--config", "--json",
                     environment={"FATHOM_CONFIG": path})
        whole = json.loads(result.out)
        assert whole["schema"] == "fathom.config/1", whole
        entries = {entry["key"]: entry for entry in whole["settings"]}
        assert entries["model.default"] == {
            "key": "model.default", "value": "big", "from": path, "line": 2}
        assert entries["thinking.budget"]["value"] is None, entries
        assert len(entries) == len(found), (entries, found)


def every_setting_of_the_page_is_told():
    with open(os.path.join(SOURCE, "man/fathom.conf.5")) as file:
        page = file.read()
    sections = re.findall(r"^\.Ss \[(\w+)\]\n(.*?)^\.El", page, re.M | re.S)
    keys = {f"{section}.{key}" for section, text in sections
            for key in re.findall(r"^\.It Cm (\w+) = ", text, re.M)}
    with Home() as home:
        assert set(in_force(run(home, "doctor", "--config"))) == keys


def a_wrong_setting_is_told_with_its_line():
    with Home() as home:
        for text, sentence in (("[ui]\nthme = dark\n",
                                "line 2: there is no setting 'thme' in [ui]"),
                               ("[ui]\n\ntheme = pink\n",
                                "line 3: theme takes terminal|dark|light|mono"),
                               ("[preset.a b]\n", "line 1: a name has")):
            path = home.write("f.conf", text)
            result = run(home, "doctor", "--config",
                         environment={"FATHOM_CONFIG": path})
            assert result.status == 78 and result.out == b"", result
            assert f"{path} {sentence}" in one_sentence(result.err), result


def the_policy_is_told_where_it_decides():
    reason = no_policies()
    if reason:
        return reason
    with Home() as home:
        path = home.write("f.conf", CONFIG)
        found = in_force(under_policy(
            home, "lock_after = 30s\nclipboard = off\nswap = safe\n"
            "vault.min_kdf = moderate\n", "doctor", "--config",
            environment={"FATHOM_CONFIG": path}))
        policy = sysconfdir() + "/fathom/policy.conf"
        assert found["ui.lock_after"] == ["30s", policy], found
        assert found["ui.clipboard"] == ["off", policy], found
        assert found["memory.swap"] == ["safe", policy], found
        assert found["model.default"] == ["big", f"{path} line 2"], found


def settings_and_the_proof_exclude_each_other():
    with Home() as home:
        result = run(home, "doctor", "--config", "--prove-offline")
        assert result.status == 64 and "exclude" in one_sentence(result.err)


# -- the pages -------------------------------------------------------------------

# what each example prints, as a pattern; and what it needs to run here
EXAMPLES = {
    "fathom-doctor.1": [r"(model\.[a-z]+ +\S+ +default\n){3}",
                        r"((ok    |warn  |      )[^\n]*\n)+"
                        r"(there is something to do\n)?", r"closed\n", "",
                        "there is something to set\n"],
    "fathom-security.7": [r"(ok    .*\n)*(ok    engine,.*\n.*)", "", "",
                          r".* is ready\nNoNewPrivs:\t1\nSeccomp:\t2\n",
                          r".*4.*"],
}


def examples(page):
    with open(os.path.join(SOURCE, "man", page)) as file:
        return re.findall(r"^\.Dl \$ (.*)$", file.read(), re.M)


def each_example_of_the_pages_does_what_it_says():
    skipped = []
    for page, patterns in EXAMPLES.items():
        commands = examples(page)
        assert len(commands) == len(patterns), (page, commands)
        for command, pattern in zip(commands, patterns):
            program = command.split()[0]
            if (SANITIZED or shutil.which(program, path=PATH) is None
                    or program in ("unshare", "strace")
                    and subprocess.run([program, *CAN[program]],
                                       capture_output=True).returncode):
                skipped.append(program)
                continue
            with Home() as home:
                done = subprocess.run(
                    ["sh", "-c", command], capture_output=True, timeout=LIMIT,
                    cwd=home.path, stdin=subprocess.DEVNULL, env=home.environment(PATH=PATH))
                run(home, "engine", "stop")
            assert re.fullmatch(pattern, done.stdout.decode(), re.S), (
                command, done)
    if skipped:
        return "not possible here: " + ", ".join(skipped)


engine_client.run([
    each_example_of_the_pages_does_what_it_says,
    every_way_is_closed_in_both_programs,
    the_proof_for_people_has_a_line_for_each_way,
    an_engine_started_by_hand_is_closed_too,
    an_engine_opens_no_file_of_others,
    a_socket_as_standard_input_is_told,
    a_socket_beyond_standard_error_is_closed,
    an_engine_that_does_not_tell_is_69,
    an_engine_with_an_open_way_is_1,
    without_the_filter_nothing_runs_but_the_doctor,
    without_landlock_the_engine_runs_and_the_doctor_warns,
    a_landlock_that_refuses_ends_the_engine,
    without_namespaces_the_engine_runs_and_the_doctor_warns,
    each_line_is_ok_or_says_what_to_do,
    folders_that_others_may_write_to_are_told,
    a_runtime_directory_on_a_disk_is_told,
    the_doctor_works_where_settings_are_broken,
    settings_are_told_with_where_they_come_from,
    every_setting_of_the_page_is_told,
    a_wrong_setting_is_told_with_its_line,
    the_policy_is_told_where_it_decides,
    settings_and_the_proof_exclude_each_other,
])
