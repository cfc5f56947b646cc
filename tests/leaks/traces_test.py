"""The system calls of whole sessions, seen by strace: none for a network, and
no file opened for writing that is not on a list here, with its mode.
"""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/leaks"))
import canaries  # finds tests/cli too

import engine_client
from program import FATHOM, LIMIT, NO_CHAT, PASSPHRASE, Home, run
from terminal import Terminal

STRACE = shutil.which("strace")
FILES = ("open,openat,openat2,creat,mkdir,mkdirat,mknod,mknodat,rename,"
         "renameat,renameat2,link,linkat,symlink,symlinkat,truncate,chmod,"
         "fchmod,fchmodat,memfd_create")
CALLS = ("trace=%network,seccomp,prctl,execve,io_uring_setup,"
         + FILES.replace(",", ",?").replace("open,", "?open,", 1))

VAULT = r"DATA/fathom/(vault\.(db|keys|lock)[\w.-]*|inbox|inbox/.*)"
# what may be written, as a pattern, and the mode with which it is made
ALLOWED = [
    (r"/dev/(null|tty|pts/\d+)", None),
    (r"/proc/self/(uid_map|gid_map|setgroups)", None),
    (r"/proc/self/fd/1", None),  # the terminal, with flags of its own
    (r"RUN/fathom", 0o700),
    (r"RUN/fathom/[0-9a-f]{16}\.(engine|fifo)", 0o600),
    (r"RUN/fathom/client-[\da-f-]+\.(in|out)", 0o600),
    (r"lock", None),  # memory, for the program that is executed anew
    (r"screen", None),  # memory, in which ncurses writes a frame
    (r"remarks", None),  # memory, in which readline writes what it has to say
    (r"RUN/fathom/lock-\d+\.fifo", 0o600),
    (r"(DATA|STATE|CACHE)/fathom", 0o700),
    (VAULT, 0o600),
    (r"STATE/fathom/[\w.-]+", 0o600),
]
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")


def permitted():
    """None, or why strace cannot be used here."""
    if STRACE is None:
        return "there is no strace"
    done = subprocess.run([STRACE, "-f", "-o", "/dev/null", "true"],
                          capture_output=True)
    return None if done.returncode == 0 else "strace is not permitted"


def traced(home, *command):
    return [STRACE, "-f", "-y", "-qq", "-s", "400", "-e", "signal=none", "-e",
            CALLS, "-o", home.file("trace"), "sh", "-c",
            'umask 000; exec "$@"', "sh", *command]


class Traced(Home):
    def __enter__(self):
        super().__enter__()
        for name in ("state", "cache"):
            os.mkdir(self.file(name), 0o700)
        return self

    def environment(self, script=None, **more):
        return super().environment(
            # a leak checker would need the place of strace
            script, **more, ASAN_OPTIONS="detect_leaks=0",
            XDG_STATE_HOME=self.file("state"),
            XDG_CACHE_HOME=self.file("cache"))

    def run(self, *arguments, **more):
        return run(self, *arguments, prefix=traced(self), **more)

    def short(self, path):
        for name, folder in (("RUN", "run"), ("DATA", "data"),
                             ("STATE", "state"), ("CACHE", "cache")):
            path = path.replace(self.file(folder), name)
        return path

    def calls(self):
        """(name, arguments) of each call, interrupted ones joined."""
        pending = {}
        for line in self.read("trace").decode(errors="replace").splitlines():
            process, _, text = line.partition(" ")
            text = text.strip()
            if text.endswith("<unfinished ...>"):
                pending[process] = text[:-len("<unfinished ...>")]
                continue
            text = re.sub(r"^<\.\.\. \w+ resumed>",
                          lambda _: pending.pop(process, ""), text)
            found = re.match(r"(\w+)\((.*)", text)
            if found:
                yield found[1], found[2]


def path_of(arguments):
    """The path a call names, whole: descriptors are shown with theirs."""
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', arguments)
    folder = re.match(r"(?:AT_FDCWD|\d+)<([^>]*)>", arguments)
    if not strings:
        return folder[1] if folder else ""
    path = strings[-1] if "rename" in arguments else strings[0]
    return path if path.startswith("/") or not folder else (
        folder[1] + "/" + path)


def mode_of(name, arguments):
    if name.startswith("open") and "O_CREAT" not in arguments:
        return None
    numbers = re.findall(r"(?:^|[ |])(0\d{3,})\b",
                         arguments.rsplit(") = ", 1)[0])
    return int(numbers[-1], 8) if numbers else None


def check_file(home, name, arguments):
    path = home.short(path_of(arguments))
    for pattern, mode in ALLOWED:
        if re.fullmatch(pattern, path):
            asked = mode_of(name, arguments)
            assert asked is None or mode is not None and (
                asked & 0o777 == mode), (name, arguments)
            return
    assert " = -1 " in arguments, (name, path, arguments)


def check(home, programs):
    """Every call; `programs` counts which ours were executed."""
    filters = written = 0
    started = []
    for name, arguments in home.calls():
        if name == "execve" and arguments.endswith("= 0"):
            started.append(os.path.basename(path_of(arguments)))
        elif programs and "fathom" not in started:
            continue  # what starts us
        elif name == "seccomp" and "SET_MODE_FILTER" in arguments:
            filters += arguments.rstrip().endswith("= 0")
        elif name == "prctl" and "PR_SET_SECCOMP" in arguments:
            filters += 1
        elif name.startswith("open"):
            if WRITES.search(arguments):
                check_file(home, name, arguments)
                written += 1
        elif name in FILES.split(","):
            check_file(home, name, arguments)
            written += 1
        elif name in ("prctl", "execve", "seccomp"):
            pass
        else:
            raise AssertionError(f"a network call: {name}({arguments}")
    for program in programs:
        assert program in started, (program, started)
    assert filters == len(programs), (filters, started)
    return written


# -- sessions --------------------------------------------------------------------

def a_network_call_would_be_seen():
    with Traced() as home:
        subprocess.run([*traced(home), sys.executable, "-c",
                        "import socket; socket.socket()"])
        try:
            check(home, [])
        except AssertionError as seen:
            assert "a network call: socket" in str(seen), seen
            return
    raise AssertionError("it was not seen")


def a_file_that_is_not_on_the_list_would_be_seen():
    for command in ("echo x > history", "umask 000; mkdir new",
                    "echo x > $XDG_RUNTIME_DIR/fathom.log"):
        with Traced() as home:
            subprocess.run([*traced(home), "sh", "-c", command],
                           cwd=home.file("data"), env=home.environment())
            try:
                check(home, [])
            except AssertionError:
                continue
        raise AssertionError(command)


def ask_writes_only_what_it_may():
    with Traced() as home:
        result = home.run("ask", "-", stdin=b"What is 2 + 2?")
        assert result.status == 0 and b"4" in result.out, result
        check(home, ["fathom", "fathom-engine"])


def a_warm_engine_writes_only_what_it_may():
    with Traced() as home:
        # strace ends with the engine
        tracing = subprocess.Popen([*traced(home), FATHOM, "engine", "start"],
                                   stdout=subprocess.PIPE,
                                   env=home.environment())
        assert b"is ready" in tracing.stdout.readline()
        assert run(home, "ask", "What is 2 + 2?").status == 0
        assert run(home, "engine", "stop").status == 0
        tracing.stdout.close()
        assert tracing.wait(LIMIT) == 0
        assert check(home, ["fathom", "fathom-engine"]) > 4


def a_chat_writes_only_what_it_may():
    if NO_CHAT:
        return NO_CHAT
    with Traced() as home:
        command = traced(home, FATHOM, *chat_arguments(home))
        with Terminal(command, home.environment()) as chat:
            chat.expect("you> ")
            chat.send("What is 2 + 2?\r")
            chat.expect("you> ")
            chat.send("/system Be brief.\r")
            chat.expect("you> ")
            chat.send("\x04")
            assert chat.wait() == 0
        check(home, ["fathom", "fathom-engine"])


def a_chat_on_the_screen_writes_only_what_it_may():
    if NO_CHAT:
        return NO_CHAT
    with Traced() as home:
        command = traced(home, FATHOM, "chat", "--ephemeral")
        with Terminal(command, home.environment()) as chat:
            chat.expect("vault:eph")
            chat.send("What is 2 + 2?\r")
            chat.expect("tok/s")
            chat.send("\x04")
            assert chat.wait() == 0
        check(home, ["fathom", "fathom-engine"])


def chat_arguments(home):
    text = run(home, "chat", "--help").out.decode()
    for option in ("--ephemeral", "--no-save"):
        if option in text:
            return ["chat", "--plain", option]
    return ["chat", "--plain"]


def the_vault_and_history_write_only_what_they_may():
    chats = b"""{"schema": "fathom.export/1", "chats": [{"title": "A title",
        "turns": [{"id": 1, "role": "user", "content": "A question"},
        {"id": 2, "parent": 1, "role": "assistant", "content": "Yes"}]}]}"""
    old, new = b"right horse\n", b"wrong stable\n"
    with Traced() as home, Home() as beside:
        path = beside.write("chats.json", chats)
        seen = 0
        for arguments, line in (
                (("vault", "init", "--kdf=least"), old),
                (("history", "import", path), old),
                (("history", "list"), old), (("history", "show"), old),
                (("history", "search", "question"), old),
                (("vault", "passwd", "--kdf=least"), old + new + new),
                (("vault", "status"), None)):
            more = ("--passphrase-fd=0",) if line else ()
            result = home.run(*arguments, *more, stdin=line)
            assert result.status == 0, (arguments, result)
            seen += check(home, ["fathom"])
        assert seen > 10, seen


def a_chat_that_is_kept_writes_only_what_it_may():
    if NO_CHAT:
        return NO_CHAT
    with Traced() as home:
        home.make_vault()
        for more in ([], ["--resume"]):
            command = traced(home, FATHOM, "chat", "--plain", *more)
            with Terminal(command, home.environment()) as chat:
                chat.expect("not kept): ")
                chat.send(PASSPHRASE + "\r")
                # what is shown of a chat begins like a prompt
                for _ in range(2 if more else 1):
                    chat.expect("you> ")
                chat.send("What is 2 + 2?\r")
                chat.expect("you> ")
                chat.send("/lock\r")
                chat.expect("vault:locked")
                chat.expect("passphrase: ")
                chat.send(PASSPHRASE + "\r")
                chat.expect("vault:open")
                chat.expect("you> ")
                chat.expect("you> ")
                chat.send("\x04")
                chat.wait()
            # executed anew by the lock, and perhaps once more
            programs = [name for name, arguments in home.calls()
                        if name == "execve" and arguments.endswith("= 0")]
            assert check(home, ["fathom", "fathom-engine"]
                         + ["fathom"] * (len(programs) - 3)) > 5


def other_commands_write_nothing():
    for command, programs in (
            (("--version",), 1), (("help",), 1), (("completion", "bash"), 1),
            (("tokenize", "word"), 2), (("model", "info", "fathom-mini"), 2),
            (("engine", "status"), 1)):
        with Traced() as home:
            home.run(*command)
            check(home, ["fathom", "fathom-engine"][:programs])


def an_ordinary_user_is_no_different():
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if os.geteuid() != 0 or subprocess.run(
            [*nobody, "test", "-x", FATHOM], capture_output=True).returncode:
        return "nobody cannot run the program here"
    with Traced() as home:
        subprocess.run(["chown", "-R", "65534:65534", home.path], check=True)
        result = run(home, "ask", "-", stdin=b"What is 2 + 2?",
                     prefix=[*traced(home), *nobody])
        assert result.status == 0 and b"4" in result.out, result
        check(home, ["fathom", "fathom-engine"])


if __name__ == "__main__":
    why = permitted()
    if why:
        print(f"1..0 # SKIP {why}")
        sys.exit(0)
    engine_client.run([
        a_network_call_would_be_seen,
        a_file_that_is_not_on_the_list_would_be_seen,
        ask_writes_only_what_it_may,
        a_warm_engine_writes_only_what_it_may,
        a_chat_writes_only_what_it_may,
        a_chat_on_the_screen_writes_only_what_it_may,
        the_vault_and_history_write_only_what_they_may,
        a_chat_that_is_kept_writes_only_what_it_may,
        other_commands_write_nothing,
        an_ordinary_user_is_no_different,
    ])
