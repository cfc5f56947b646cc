"""Every key of fathom-keys(7), pressed on terminals of several kinds.

key_echo prints what the line editor's box makes of the keys; the page, the
table it prints and what it does must be the same.
"""
import contextlib
import curses
import os
import re
import select
import subprocess
import tempfile
import time

import engine_client
from program import BUILD, FATHOM, NO_CHAT, SOURCE, Home
from terminal import Terminal

ECHO = os.path.join(BUILD, "tests/cli/key_echo")
MAPS = {"input": "", "transcript": "fathom-transcript", "list": "fathom-list",
        "experts": "fathom-experts"}
OUTSIDE = ["transcript", "list", "experts"]
SECTIONS = {"Everywhere": list(MAPS), "The input box": ["input"],
            "Outside the input box": OUTSIDE, "The transcript": ["transcript"],
            "Lists": ["list"], "The map of experts": ["experts"]}
TERMS = ["xterm", "linux", "screen", "tmux-256color", "xterm-256color"]
CAPABILITIES = {"PgUp": "kpp", "PgDn": "knp", "Home": "khome", "End": "kend",
                "Up": "kcuu1", "Down": "kcud1", "Left": "kcub1",
                "Right": "kcuf1", **{f"F{n}": f"kf{n}" for n in range(1, 11)}}
NAMED = {"Enter": "\r", "M-Enter": "\033\r", "Esc": "\033", "Space": " ",
         "Tab": "\t"}
# what is more than an action, and what tells that it happened
SPECIAL = {"fathom-send": ("sent{}", "line sent"),
           "fathom-newline": ("one{}two\r", r"line one\x0atwo"),
           "fathom-interrupt": ("{}", "signal empty"),
           "fathom-quit": ("{}", "end")}


def plain(text):
    return re.sub(r"\\e", r"\\", re.sub(r"\\&", "", text.replace(r"\(ha", "^")
                                        .replace(r"\-", "-")))


def page_keys():
    """(map, key, name) of the page's tables."""
    keys, maps = set(), []
    with open(os.path.join(SOURCE, "man/fathom-keys.7"),
              encoding="utf-8") as page:
        for line in page:
            if line.startswith((".Ss ", ".Sh ")):
                maps = SECTIONS.get(line[4:].strip(), [])
            row = re.match(r"\.It (.*) Ta Ic (\S+) Ta (.*)$", line)
            if not row:
                continue
            for key in plain(row[1]).split(", "):
                numbers = re.match(r"(.*)1 \.\.\. .*9$", key)
                for one in ([numbers[1] + str(n) for n in range(1, 10)]
                            if numbers else [key]):
                    keys |= {(m, one, row[2]) for m in maps}
    return keys


def table_keys():
    rows = subprocess.run([ECHO, "table"], capture_output=True, check=True,
                          text=True).stdout.splitlines()
    return {tuple(row.split("\t")[:3]) for row in rows
            if not row.startswith("name")}


def bytes_of(key, term):
    if key in CAPABILITIES:
        curses.setupterm(term, 1)
        known = curses.tigetstr(CAPABILITIES[key])
        return known.decode() if known else None
    if key in NAMED:
        return NAMED[key]
    return re.sub(r"\^(.)", lambda m: chr(ord(m[1].upper()) & 31)
                  if m[1].isalpha() else m[0], key)


@contextlib.contextmanager
def echo(mode="input", term="xterm", inputrc="", locale="C.UTF-8", **more):
    with tempfile.NamedTemporaryFile("w", suffix=".inputrc") as rc:
        rc.write("set keyseq-timeout 40\n" + inputrc)
        rc.flush()
        environment = {"PATH": os.environ["PATH"], "TERM": term,
                       "INPUTRC": rc.name, "LC_ALL": locale, "HOME": "/",
                       **more}
        with Terminal([ECHO, MAPS[mode]], environment) as terminal:
            terminal.remarks = terminal.expect("ready\n")
            yield terminal


def the_page_has_the_keys_of_the_table():
    page, table = page_keys(), table_keys()
    assert page == table, (page - table, table - page)
    assert len(page) > 150


def press(terminal, key, name, term):
    sent = bytes_of(key, term)
    if sent is None:
        return 0
    sends, says = SPECIAL.get(name, ("{}", None))
    digit = re.search(r"[1-9]$", key) if name in ("fathom-copy",
                                                   "fathom-section") else None
    count = int(digit[0]) if digit else 0 if name in (
        "fathom-copy", "fathom-save", "fathom-section") else 1
    terminal.send(sends.format(sent))
    before = terminal.expect((says or f"{name} {count}") + "\n")
    assert before == "", (term, key, name, before)
    return 1


def every_key_of_the_page_does_what_it_says():
    pressed = 0
    for term in TERMS:
        for mode in MAPS:
            with echo(mode, term) as terminal:
                for key_mode, key, name in sorted(page_keys()):
                    if key_mode == mode:
                        pressed += press(terminal, key, name, term)
    assert pressed > 4 * 150, pressed


def keys_of_other_terminals_work_whatever_TERM_says():
    with echo("transcript", "vt100") as terminal:
        for keys, name in (("\033OP", "help"), ("\033[11~", "help"),
                           ("\033[[A", "help"), ("\033[5~", "page-up"),
                           ("\033[A", "line-up"), ("\033OB", "line-down"),
                           ("\033[1~", "top"), ("\033[F", "bottom")):
            terminal.send(keys)
            assert terminal.expect(f"fathom-{name} 1\n") == ""


def unknown_keys_do_nothing():
    for mode in MAPS:
        with echo(mode) as terminal:
            # Alt-z, a key of a newer terminal, a key that is not bound
            for keys in ("\033z", "\033[99~", "\033[1;9P", "\033Ox",
                         "\030z", "ü" if mode != "input" else ""):
                terminal.send(keys)
            # a part of a sequence that goes no further
            terminal.send("\033[1;")
            time.sleep(1.2)
            terminal.send("\033OP")
            assert terminal.expect("fathom-help 1\n") == ""
            terminal.send("\007" if mode == "input" else "")


def numbers_are_counts_but_in_lists():
    with echo("transcript") as terminal:
        terminal.send("12j3y" "y")
        terminal.expect("fathom-line-down 12\nfathom-copy 3\n")
        terminal.send("5\033[B")
        terminal.expect("fathom-line-down 5\n")
        terminal.send("y")
        terminal.expect("fathom-copy 0\n")
        terminal.send("yj")
        terminal.expect("fathom-copy 0\nfathom-line-down 1\n")
    with echo("list") as terminal:
        terminal.send("7j")
        terminal.expect("fathom-section 7\nfathom-line-down 1\n")


def inputrc_binds_our_names_in_our_maps():
    with echo("transcript", inputrc="""
$if fathom
"\\C-xz": fathom-experts
set keymap fathom-transcript
"J": fathom-page-down
"q": fathom-help
"Q": "jj"
"\\e[1;5A": fathom-turn-back
$endif
$if bash
"j": fathom-help
$endif
""") as terminal:
        assert terminal.remarks == ""
        terminal.send("JqQj\033[1;5A2Q")
        terminal.expect("fathom-page-down 1\nfathom-help 1\n"
                        + "fathom-line-down 1\n" * 3
                        + "fathom-turn-back 1\n" + "fathom-line-down 1\n")
    with echo(inputrc='"\\C-xz": fathom-experts\n"\\e[15~": "typed"\n'
              '"\\eOP": beginning-of-line\n') as terminal:
        terminal.send("\030z\033[15~\033OPx\r")
        terminal.expect("fathom-experts 1\nline xtyped\n")


def a_broken_inputrc_is_told_and_the_rest_of_it_holds():
    with echo(inputrc='set nonsense on\n"x: y\nset keymap fathom-nothing\n'
              '"\\C-xz": fathom-stats\n$else\n') as terminal:
        assert "remarks readline: " in terminal.remarks
        assert "nonsense" in terminal.remarks
        assert "fathom-nothing" in terminal.remarks
        terminal.send("\030zstill\r")
        terminal.expect("fathom-stats 1\nline still\n")


def vi_mode_has_its_keys():
    with echo(inputrc="set editing-mode vi\nset keymap vi-insert\n"
              '"jk": vi-movement-mode\n') as terminal:
        terminal.send("one two")
        time.sleep(0.1)
        terminal.send("\033")
        time.sleep(0.2)
        terminal.send("bx~A!\r")
        terminal.expect("line one Wo!\n")
        terminal.send("abcjkrZi\026\033\r")
        terminal.expect(r"line ab\x1bZ" + "\n")
        terminal.send("x\033OP\030g")
        terminal.expect("fathom-help 1\nfathom-history 1\n")
        terminal.send("\033kv")
        terminal.expect("fathom-edit 1\n")
        terminal.send("i\r")
        terminal.expect("line first of history\n")


def emacs_keys_are_readlines():
    for keys, line in (
            ("one two\001\033dX\r", "X two"),         # M-d, numbers below
            ("\0333x\r", "xxx"), ("ab\002\024\r", "ba"),
            ("one two\027\031\031\r", "one twotwo"),  # kill and yank
            ("abc\037\037\r", ""),                    # undo
            ("\030(ab\030)\030\005\r", None),
            ("a\026\t\r", r"a\x09"), ("\020\r", "first of history"),
            ("\022irs\033[Cx\r", "fixrst of history"),
            ("\022first\r", "first of history"),
            ("one\ntwo\033[A>\033[B<\r", r"one>\x0atwo<"),
            ("grün\033[D\033[DX\r", "grXün"),
            ("\\\\\\\r.\r", r"\\\x0a."), ("\\\\\r", r"\\")):
        with echo() as terminal:
            terminal.send(keys)
            terminal.expect("line " + line + "\n" if line is not None
                            else "fathom-edit 1\n")


def tab_completes_and_offers():
    with echo() as terminal:
        terminal.send("/h\t\t")
        terminal.expect("offer /help /history\n")
        terminal.send("is\t\r")
        terminal.expect("line /history \n")


def a_paste_never_sends_and_runs_no_key():
    for mode in MAPS:
        with echo(mode) as terminal:
            terminal.send("\033[200~one\r\ntwo\rthree\ny\033OP\033[201~")
            if mode != "input":
                terminal.send("\030b")
                assert terminal.expect("fathom-bare 1\n") == ""
                continue
            terminal.send("\r")
            assert terminal.expect(r"line one\x0atwo\x0athree\x0ay\x1bOP"
                                   + "\n") == ""


def write_all(terminal, keys):
    """Writes what a terminal does not take at once."""
    os.set_blocking(terminal.master, False)
    while keys:
        try:
            keys = keys[os.write(terminal.master, keys):]
        except BlockingIOError:
            select.select([], [terminal.master], [], 1)
    os.set_blocking(terminal.master, True)


def a_paste_of_5_MB_is_attached():
    with echo() as terminal:
        begun = time.monotonic()
        write_all(terminal, b"\033[200~" + b"0123456789abcde\r" * 327680
                  + b"\033[201~after\r")
        terminal.expect("attached 5242880\nline after\n")
        took = time.monotonic() - begun
        print(f"# a paste of 5 MB took {took:.2f} s")


def ctrl_c_gets_out_of_a_paste_that_does_not_end():
    with echo() as terminal:
        terminal.send("\033[200~never ends")
        time.sleep(0.1)
        terminal.send("\003")
        terminal.expect("signal typed\n")
        terminal.send("on\r")
        terminal.expect("line on\n")


def ctrl_c_clears_and_never_quits():
    with echo() as terminal:
        for _ in range(5):
            terminal.send("half\003")
            terminal.expect("signal ")
        time.sleep(0.1)
        terminal.send("whole\r")
        terminal.expect("line whole\n")


def the_mouse_is_told_by_cells():
    with echo() as terminal:
        terminal.send("\033[<0;5;6M\033[<0;5;6m\033[<64;1;2M\033[<65;80;24M"
                      "\033[<35;1;1M\033[<0;;M")
        terminal.expect("mouse 5 4 0\nmouse 1 0 -1\nmouse 23 79 1\n")
        terminal.send("\030b")
        assert terminal.expect("fathom-bare 1\n") == ""


def half_a_character_is_repaired():
    with echo() as terminal:
        terminal.send(b"a\xc3")
        time.sleep(0.2)
        terminal.send(b"\xa4\xffb\r")
        terminal.expect("line a")
        assert "b" in terminal.expect("\n")
    with echo(locale="C") as terminal:
        terminal.send("ä\r")
        terminal.expect("line ")


# -- the editor, at the plain prompt -------------------------------------------

@contextlib.contextmanager
def chat(home, editor):
    environment = home.environment("want GENERATE\nsay Yes.\ndone\ndrain\n",
                                   VISUAL=editor)
    with Terminal([FATHOM, "chat", "--plain", "--ephemeral"],
                  environment) as terminal:
        terminal.expect("you> ")
        yield terminal


def script(home, text):
    path = home.write("editor", "#!/bin/sh\n" + text)
    os.chmod(path, 0o700)
    return path


def the_editor_gets_the_line_and_gives_it_back():
    with Home() as home:
        seen = home.file("seen")
        editor = script(home, f"""
ls -ld "$(dirname "$1")" "$1" >{seen}
dirname "$1" >>{seen}
df --output=fstype "$1" | tail -1 >>{seen}
cat "$1" >>{seen}
cp "$1" "$1~"
echo "out of the editor" >"$1.new"
mv "$1.new" "$1"
""")
        with chat(home, editor) as terminal:
            terminal.send("half a line\030\005")
            terminal.expect("out of the editor")
            with open(seen, encoding="utf-8") as file:
                folder, file_line, path, kind, text = file.read().splitlines()
            assert folder.startswith("drwx------"), folder
            assert file_line.startswith("-rw-------"), file_line
            assert kind in ("tmpfs", "ramfs"), kind
            assert text == "half a line"
            # nothing of it is left, backups neither
            assert not os.path.exists(path)
            # it was not sent, and undo brings back what was there
            terminal.send("\037")
            terminal.expect("half a line")


def an_editor_that_fails_changes_nothing():
    with Home() as home:
        for text, told in (('echo lost >"$1"; exit 3', "ended with status 3"),
                           (None, "was not found"),
                           ('rm "$1"', "has left no text"),
                           ("kill -9 $$", "ended with status 137")):
            editor = script(home, text) if text else "/nonexistent/editor"
            with chat(home, editor) as terminal:
                terminal.send("kept\030\005")
                said = terminal.expect("it was]").replace("\n", " ")
                assert told in said, said
                terminal.expect("you> kept")
                for folder in (home.file("run"), f"/dev/shm/fathom-{os.geteuid()}"):
                    for _, folders, _ in os.walk(folder):
                        assert not [f for f in folders
                                    if f.startswith("edit-")], folders


if NO_CHAT:
    print(f"1..0 # SKIP {NO_CHAT}")
else:
    engine_client.run([
        the_page_has_the_keys_of_the_table,
        every_key_of_the_page_does_what_it_says,
        keys_of_other_terminals_work_whatever_TERM_says,
        unknown_keys_do_nothing,
        numbers_are_counts_but_in_lists,
        inputrc_binds_our_names_in_our_maps,
        a_broken_inputrc_is_told_and_the_rest_of_it_holds,
        vi_mode_has_its_keys,
        emacs_keys_are_readlines,
        tab_completes_and_offers,
        a_paste_never_sends_and_runs_no_key,
        a_paste_of_5_MB_is_attached,
        ctrl_c_gets_out_of_a_paste_that_does_not_end,
        ctrl_c_clears_and_never_quits,
        the_mouse_is_told_by_cells,
        half_a_character_is_repaired,
        the_editor_gets_the_line_and_gives_it_back,
        an_editor_that_fails_changes_nothing,
    ])
