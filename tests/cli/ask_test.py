"""fathom ask, as fathom-ask(1) promises it, with the replay engine."""
import json
import os
import re
import select
import signal
import subprocess
import time

import engine_client
from program import (FATHOM, LIMIT, REPLAY, Home, ask, one_sentence, run,
                     start)
from terminal import Terminal

EVERY_FINISH = {"stop": 0, "think_budget": 0, "length": 10,
                "ended_thinking": 11, "context_full": 12, "timeout": 16}
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def requests(home, name="requests"):
    """What the engine was asked, from `record`."""
    return [json.loads(line.split(" ", 2)[2])
            for line in home.read(name).decode().splitlines()
            if line.startswith("GENERATE")]


def asked(*arguments, **more):
    """Runs ask and returns the request that the engine saw."""
    with Home() as home:
        script = (f"record {home.file('requests')}\n"
                  "want GENERATE\nsay Yes.\ndone\n")
        result = run(home, "ask", *arguments, script=script, **more)
        assert result.status == 0, result
        return requests(home)[0]


def question(*arguments, **more):
    """The text of the user's message."""
    return asked(*arguments, **more)["messages"][-1]["content"]


# -- the answer ----------------------------------------------------------------

def the_answer_alone_is_on_standard_output():
    result = ask("hello", script="want GENERATE\nthink Hm.\nsay It is 42.\n"
                 "done\n")
    assert (result.status, result.out, result.err) == (0, b"It is 42.\n", b"")


def the_answer_ends_in_exactly_one_line_feed():
    for said in ("Yes", "Yes\\n", "Yes\\n\\n\\n", "\\n\\nYes\\n"):
        result = ask("hello", script=f"want GENERATE\nsay {said}\ndone\n")
        assert result.out == b"Yes\n", (said, result)


def line_feeds_inside_the_answer_stay():
    result = ask("hello", script="want GENERATE\nsay a\\n\\n\\n  b\\nc\ndone\n")
    assert result.out == b"a\n\n\n  b\nc\n", result


def an_empty_answer_is_an_empty_line():
    result = ask("hello", script="want GENERATE\ndone\n")
    assert (result.status, result.out) == (0, b"\n"), result


def text_streams_as_it_comes():
    with Home() as home:
        process = start(home, "ask", "hello",
                        script="want GENERATE\nsay First.\nwant STATS\n")
        os.set_blocking(process.stdout.fileno(), False)
        ready, _, _ = select.select([process.stdout], [], [], LIMIT)
        assert ready and process.stdout.read() == b"First."
        process.kill()
        process.communicate()


def what_a_terminal_acts_upon_becomes_marks_in_pipes_too():
    result = ask("hello", script="want GENERATE\n"
                 "send TOKEN {\"channel\":\"answer\",\"tokens\":1,\"text\":"
                 "\"a\\u001b]52;c;eA==\\u0007b\\u202ec\\u009bd\"}\ndone\n")
    assert result.out == ("a<ESC>]52;c;eA==<BEL>b<U+202E>c<U+009B>d\n"
                          .encode()), result


def a_long_answer_arrives_whole():
    result = ask("hello", script="want GENERATE\nrepeat 20000\n"
                 "say word after word after word after word \nend\ndone\n")
    assert result.out == (b"word after word after word after word " * 20000
                          ).rstrip() + b"\n" or \
        result.out.count(b"word") == 80000, len(result.out)


# -- the question --------------------------------------------------------------

def the_argument_is_the_question():
    assert question("How are you?") == "How are you?"


def a_dash_reads_standard_input():
    assert question("-", stdin=b"from a pipe\n") == "from a pipe"


def without_argument_standard_input_is_the_question():
    assert question(stdin="Grüße\n".encode()) == "Grüße"


def standard_input_beside_an_argument_is_a_document():
    assert question("Summarize.", stdin=b"one\ntwo\n") == (
        "[file name]: standard input\n[file content begin]\none\ntwo\n\n"
        "[file content end]\nSummarize.")


def files_go_before_the_question():
    with Home() as home:
        a, b = home.write("a.txt", "A\n"), home.write("b.txt", "B")
        assert question("Compare.", "-f", a, "-f" + b) == (
            "[file name]: a.txt\n[file content begin]\nA\n\n"
            "[file content end]\n[file name]: b.txt\n[file content begin]\nB\n"
            "[file content end]\nCompare.")


def files_alone_are_the_question():
    with Home() as home:
        assert question("-f", home.write("q", "Why?\n")) == "Why?\n"


def a_byte_order_mark_is_dropped():
    assert question("-", stdin=b"\xef\xbb\xbfhello") == "hello"


def with_no_input_standard_input_is_left_alone():
    assert question("--no-input", "hello", stdin=b"other") == "hello"


def a_question_of_five_megabytes_reaches_an_engine_that_is_slow_to_read():
    text = b"0123456789abcdef" * 327680
    with Home() as home:
        script = (f"sleep 300\nrecord {home.file('requests')}\n"
                  "want GENERATE\nsay Yes.\ndone\n")
        result = run(home, "ask", "-", script=script, stdin=text)
        assert result.out == b"Yes.\n", result
        content = requests(home)[0]["messages"][0]["content"]
        assert content.encode() == text


def no_question_at_all_is_64():
    result = ask()
    assert result.status == 64
    assert "there is no question" in one_sentence(result.err), result


def an_empty_question_is_64():
    for result in (ask(""), ask(" \n"), ask("-", stdin=b"\n")):
        assert result.status == 64, result
        assert "the question is empty" in one_sentence(result.err), result


def a_dash_with_no_input_is_64():
    result = ask("-", "--no-input", stdin=b"x")
    assert result.status == 64
    assert "--no-input forbids" in one_sentence(result.err), result


def text_that_is_not_utf8_is_65_and_names_where():
    with Home() as home:
        bad = home.write("bad.txt", b"abc\xff")
        cases = ((ask("-", stdin=b"ab\xc3"), "standard input is not UTF-8: "
                  "byte 3 is 0xC3"),
                 (ask("hello", "-f", bad), f"{bad} is not UTF-8: byte 4 is "
                  "0xFF"),
                 (ask(b"a\x80"), "the question is not UTF-8"),
                 (ask("hello", b"-s\xfe"), "the system text is not UTF-8"),
                 (ask("hello", b"--stop=\xfe"), "--stop is not UTF-8"))
        for result, sentence in cases:
            assert result.status == 65, result
            assert sentence in one_sentence(result.err), result


def a_file_that_is_missing_or_a_directory_is_66():
    for path, reason in (("/nowhere/file", "No such file"),
                         ("/tmp", "it is a directory")):
        result = ask("hello", "-f", path)
        assert result.status == 66, result
        sentence = one_sentence(result.err)
        assert path in sentence and reason in sentence, result


def a_file_that_may_not_be_read_is_66():
    if os.getuid() != 0:
        return "needs root to become nobody"
    with Home() as home:
        os.chmod(home.path, 0o755)
        secret = home.write("secret", "x")
        os.chmod(secret, 0o600)
        result = run(home, "ask", "hello", "-f", secret, prefix=NOBODY,
                     script="want GENERATE\ndone\n")
        assert result.status == 66, result
        assert "Permission denied" in one_sentence(result.err), result


def a_question_without_end_is_65():
    with open("/dev/zero", "rb") as zero:
        result = subprocess.run(
            f"exec {FATHOM} ask -f /dev/zero hello", shell=True, stdin=zero,
            capture_output=True, timeout=LIMIT)
    assert result.returncode == 65, result
    assert b"longer than 64 MiB" in result.stderr, result


# -- options -------------------------------------------------------------------

def every_option_reaches_the_engine():
    request = asked("hello", "-sBe brief.", "--think=off", "--think-budget=7",
                    "-n", "9", "--temp=0.5", "--top-p", "0.25", "--top-k=3",
                    "--min-p=0.125", "--repeat-penalty=1.5", "--seed=11",
                    "--stop=A", "--stop", "B C")
    assert request["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hello"}], request
    assert request["thinking"] is False and request["think_budget"] == 7
    assert request["max_tokens"] == 9 and request["stop"] == ["A", "B C"]
    assert request["sampling"] == {
        "temperature": 0.5, "top_p": 0.25, "top_k": 3, "min_p": 0.125,
        "repeat_penalty": 1.5, "seed": 11}, request
    assert asked("hello", "--think", "on")["thinking"] is True


def without_options_the_model_decides():
    request = asked("hello")
    for name in ("thinking", "think_budget", "max_tokens", "logprobs"):
        assert request.get(name) is None, request
    assert all(v is None for v in request.get("sampling", {}).values())
    assert request.get("stop", []) == [], request


def options_and_operands_may_be_mixed_and_dashes_end_options():
    assert question("-q", "--", "--think=off") == "--think=off"
    assert asked("hello", "-qn5")["max_tokens"] == 5
    assert asked("-n5", "hello", "-q")["max_tokens"] == 5


def a_preset_says_how_to_ask():
    with Home() as home:
        os.makedirs(home.file(".config/fathom"))
        home.write(".config/fathom/fathom.conf",
                   "[preset.brief]\nsystem = Be brief.\nseed = 3\n")
        script = f"record {home.file('seen')}\nwant GENERATE\nsay Yes.\ndone\n"
        result = run(home, "ask", "-p", "brief", "hello", script=script)
        assert result.status == 0, result
        seen = home.read("seen").decode()
        assert "Be brief." in seen and '"seed":3' in seen.replace(" ", ""), seen
        result = run(home, "ask", "-p", "long", "hello", script=script)
        assert result.status == 78 and result.out == b"", result
        assert "there is no preset 'long', but brief" in one_sentence(
            result.err), result


def wrong_options_are_64_with_a_sentence():
    cases = {
        ("--foo",): "there is no option --foo",
        ("--foo=bar",): "there is no option --foo",
        ("-z",): "there is no option -z",
        ("-ü",): "there is no option -ü",
        ("--think",): "--think needs a value (on|off)",
        ("--think=maybe",): "--think takes on|off, not 'maybe'",
        ("--think=o",): "--think takes on|off, not 'o'",
        ("--json=yes",): "--json takes no value",
        ("-n",): "-n needs a value (N)",
        ("-n", "0"): "-n takes a whole number from 1",
        ("-n", "-5"): "-n takes a whole number",
        ("-n", "5x"): "not '5x'",
        ("-n", "99999999999999999999"): "-n takes a whole number",
        ("--temp=nan",): "--temp takes a number from 0 to 100, not 'nan'",
        ("--temp=-1",): "--temp takes a number",
        ("--temp=0x1p3",): "--temp takes a number",
        ("--top-p=1.1",): "--top-p takes a number from 0 to 1, not '1.1'",
        ("--min-p=2",): "--min-p takes a number",
        ("--repeat-penalty=0",): "--repeat-penalty takes a number",
        ("--seed=1.5",): "--seed takes a whole number",
        ("--seed=9007199254740992",): "--seed takes a whole number",
        ("--timeout=soon",): "--timeout takes a time such as 30s",
        ("--wait=5y",): "--wait takes a time such as 30s",
        ("--stop=",): "--stop takes a text of 1 to 1024 bytes",
        ("--logprobs=21", "--json"): "--logprobs takes a whole number from 0 "
                                     "to 20",
        ("--logprobs=3",): "--logprobs goes with --json",
        ("--json", "--jsonl"): "exclude each other",
        ("--show-thinking=json",): "goes with --json",
        ("--show-thinking=",): "none, stderr, stdout, json, fd:N",
        ("--show-thinking=fd:99",): "not open for writing",
        ("--show-thinking=fd:x",): "number of an open file descriptor",
        ("-f", ""): "-f needs a value (FILE)",
        ("-m", ""): "-m needs a value (MODEL)",
        ("two",): "one argument too many: 'two'",
        ("--thi=on",): "there is no option --thi",
        ("-P", "x"): "there is no option -P",
        ("-S", "x"): "there is no option -S",
        ("-x",): "there is no option -x",
        ("--raw",): "there is no option --raw",
        ("--schema=x",): "there is no option --schema",
        ("--save", "--seal"): "--save, --seal and --no-save exclude",
        ("--seal", "-c"): "--seal does not open the vault",
        ("-c", "--continue=x"): "exclude each other",
    }
    for arguments, sentence in cases.items():
        result = ask("hello", *arguments)
        assert result.status == 64 and result.out == b"", (arguments, result)
        assert sentence in one_sentence(result.err), (arguments, result)


def without_a_vault_there_is_nothing_to_save_in():
    for arguments in (["--save"], ["--seal"], ["-c"], ["--continue"],
                      ["--continue=x"]):
        result = ask("hello", *arguments)
        assert result.status == 66, (arguments, result)
        assert "no vault" in one_sentence(result.err), (arguments, result)


# -- exit codes ----------------------------------------------------------------

def the_exit_code_follows_how_the_answer_ended():
    for finish, code in EVERY_FINISH.items():
        result = ask("hello", script="want GENERATE\nsay Text\n"
                     f"done {{\"finish\":\"{finish}\"}}\n")
        assert result.status == code, (finish, result)
        assert result.out == b"Text\n", (finish, result)
        if code:
            one_sentence(result.err)


def cut_off_answers_are_a_success_where_that_is_allowed():
    for finish in ("length", "context_full"):
        result = ask("hello", "--allow-truncated", script="want GENERATE\n"
                     f"say Text\ndone {{\"finish\":\"{finish}\"}}\n")
        assert (result.status, result.err) == (0, b""), (finish, result)
    result = ask("hello", "--allow-truncated", script="want GENERATE\n"
                 "think Hm\ndone {\"finish\":\"ended_thinking\"}\n")
    assert result.status == 11, result


def without_an_answer_nothing_is_printed():
    result = ask("hello", script="want GENERATE\nthink Hm\n"
                 "done {\"finish\":\"ended_thinking\"}\n")
    assert (result.status, result.out) == (11, b""), result
    assert "still thinking" in one_sentence(result.err)


def an_error_of_the_engine_is_one_sentence_with_its_exit_code():
    for code in (12, 65, 66, 69, 70, 75):
        result = ask("hello", script="want GENERATE\n"
                     f"error limit {code} the sentence \\x1b[31m of it\n")
        assert (result.status, result.out) == (code, b""), result
        assert one_sentence(result.err) == (
            "fathom ask: the sentence <ESC>[31m of it"), result


def a_model_that_is_not_there_is_66():
    for name in ("no-such-model", "./no/such.gguf", "nothing.gguf"):
        result = ask("hello", "-m", name)
        assert result.status == 66, (name, result)
        one_sentence(result.err)
    result = ask("hello", environment={"FATHOM_MODEL": "/nowhere.gguf"})
    assert result.status == 66, result
    assert "/nowhere.gguf" in one_sentence(result.err), result


def a_model_has_the_name_of_its_file_in_the_model_directory():
    with Home() as home:
        os.makedirs(home.file("data/fathom/models"))
        home.write("data/fathom/models/small.gguf", "")
        home.write("data/fathom/models/big-00001-of-00002.gguf", "")
        script = "want GENERATE\nsay Yes.\ndone\n"
        for name in ("small", "small.gguf", "big"):
            result = run(home, "ask", "-m", name, "hello", script=script)
            assert result.status == 0, (name, result)
        result = run(home, "ask", "-m", "bi", "hello", script=script)
        assert result.status == 66, result
        assert home.file("data/fathom/models") in one_sentence(result.err)


def an_engine_that_cannot_be_started_is_69():
    result = ask("hello", environment={"FATHOM_ENGINE": "/nowhere/engine"})
    assert result.status == 69, result
    assert "/nowhere/engine cannot be started: No such file" in one_sentence(
        result.err), result


def a_killed_engine_is_70_and_the_text_so_far_is_kept():
    result = ask("hello", script="want GENERATE\nsay So far\ndie 9\n")
    assert (result.status, result.out) == (70, b"So far\n"), result
    sentence = one_sentence(result.err)
    assert "the engine ended (signal 9, Killed)" in sentence, result
    assert "incomplete" in sentence, result


def an_engine_that_ends_early_is_70():
    for script, reason in (("exit 3\n", "(exit status 3)"),
                           ("want GENERATE\ndie 6\n", "(signal 6, Aborted)")):
        result = ask("hello", script=script)
        assert (result.status, result.out) == (70, b""), result
        assert reason in one_sentence(result.err), result


def an_engine_that_talks_nonsense_is_70():
    result = ask("hello", script="want GENERATE\n"
                 "raw \\xff\\xff\\xff\\xff\\x01\\x00\\x85\\x00........\nhang\n")
    assert result.status == 70, result
    assert "does not speak our protocol" in one_sentence(result.err), result


def kinds_of_events_that_are_unknown_are_skipped():
    result = ask("hello", script="want GENERATE\nsend 200 {\"a\":1}\n"
                 "send RESIDENCY {\"ram\":1}\nsay Yes.\ndone\n")
    assert (result.status, result.out) == (0, b"Yes.\n"), result


# -- output --------------------------------------------------------------------

def a_full_disk_is_74():
    with open("/dev/full", "wb") as full:
        result = ask("hello", stdout=full)
    assert result.status == 74, result
    assert "No space left" in one_sentence(result.err), result
    result = ask("hello", "-o", "/dev/full")
    assert result.status == 74, result
    for option in ("--json", "--jsonl"):
        with open("/dev/full", "wb") as full:
            assert ask("hello", option, stdout=full).status == 74


def a_closed_standard_output_is_74():
    with Home() as home:
        result = subprocess.run(
            f"exec {FATHOM} ask hello >&-", shell=True, timeout=LIMIT,
            env=home.environment("want GENERATE\nsay Yes.\ndone\n"),
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert result.returncode == 74, result


def a_file_of_output_appears_whole():
    with Home() as home:
        out = home.write("out", "before")
        os.chmod(out, 0o640)
        process = start(home, "ask", "hello", "-o", out, stderr=None,
                        script="want GENERATE\nsay One two \nsleep 300\n"
                        "say three\ndone\n")
        time.sleep(0.15)
        assert home.read("out") == b"before"
        assert process.communicate(timeout=LIMIT)[0] == b""
        assert process.returncode == 0
        assert home.read("out") == b"One two three\n"
        assert os.stat(out).st_mode & 0o777 == 0o640
        assert sorted(os.listdir(home.path)) == ["data", "out", "run",
                                                 "script"]


def an_answer_that_failed_leaves_no_file():
    for end in ("done {\"finish\":\"length\"}", "die 9", "error io 70 x"):
        with Home() as home:
            result = run(home, "ask", "hello", "-o", home.file("out"),
                         script=f"want GENERATE\nsay Part\n{end}\n")
            assert result.status in (10, 70), result
            assert sorted(os.listdir(home.path)) == ["data", "run", "script"]


def a_link_keeps_pointing_at_the_file_that_is_replaced():
    with Home() as home:
        home.write("real", "before")
        os.symlink("real", home.file("link"))
        result = run(home, "ask", "hello", "-o", home.file("link"),
                     script="want GENERATE\nsay Yes.\ndone\n")
        assert result.status == 0 and os.path.islink(home.file("link"))
        assert home.read("real") == b"Yes.\n"


def a_file_that_cannot_be_created_is_73():
    for path in ("/nowhere/out", "/tmp"):
        result = ask("hello", "-o", path)
        assert result.status == 73, result
        assert f"cannot create {path}" in one_sentence(result.err), result
    result = ask("hello", "--show-thinking=/nowhere/thought")
    assert result.status == 73, result


def a_directory_that_may_not_be_written_is_73():
    if os.getuid() != 0:
        return "needs root to become nobody"
    with Home() as home:
        os.chmod(home.path, 0o755)
        result = run(home, "ask", "hello", "-o", home.file("out"),
                     prefix=NOBODY, script="want GENERATE\ndone\n")
        assert result.status == 73, result


def a_reader_that_leaves_ends_it_quietly():
    with Home() as home:
        process = start(home, "ask", "hello", script="want GENERATE\n"
                        "repeat 1000\nsay text \nsleep 5\nend\ndone\n")
        process.stdout.read(5)
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(LIMIT) == -signal.SIGPIPE
        assert err == b"", err


# -- thought --------------------------------------------------------------------

THOUGHT = "want GENERATE\nthink Let me\\nsee.\nsay Yes.\ndone\n"


def the_thought_goes_where_it_is_sent():
    assert ask("hello", script=THOUGHT).err == b""
    result = ask("hello", "--show-thinking=none", script=THOUGHT)
    assert (result.out, result.err) == (b"Yes.\n", b""), result
    result = ask("hello", "--show-thinking=stderr", script=THOUGHT)
    assert (result.out, result.err) == (b"Yes.\n", b"Let me\nsee.\n"), result
    result = ask("hello", "--show-thinking=stdout", script=THOUGHT)
    assert result.out == b"<think>\nLet me\nsee.\n</think>\nYes.\n", result
    with Home() as home:
        result = run(home, "ask", "hello", "--show-thinking=" +
                     home.file("thought"), script=THOUGHT)
        assert result.out == b"Yes.\n", result
        assert home.read("thought") == b"Let me\nsee.\n"


def the_thought_goes_to_a_descriptor():
    read, write = os.pipe()
    result = ask("hello", f"--show-thinking=fd:{write}", script=THOUGHT,
                 pass_fds=[write])
    os.close(write)
    assert result.out == b"Yes.\n", result
    assert os.read(read, 100) == b"Let me\nsee.\n"
    os.close(read)


def with_the_answer_in_a_file_the_thought_needs_no_marks():
    with Home() as home:
        result = run(home, "ask", "hello", "--show-thinking=stdout", "-o",
                     home.file("out"), script=THOUGHT)
        assert result.out == b"Let me\nsee.\n", result
        assert home.read("out") == b"Yes.\n"


# -- JSON -----------------------------------------------------------------------

def json_is_one_valid_object_with_every_field():
    result = ask("hello", "--json", script=THOUGHT)
    assert result.status == 0 and result.out.count(b"\n") == 1, result
    report = json.loads(result.out)
    assert list(report) == [
        "schema", "id", "created", "model", "answer", "thinking", "finish",
        "usage", "timing", "residency", "placement", "sampling", "saved",
        "warnings"], list(report)
    assert report["schema"] == "fathom.ask/1" and report["saved"] is None
    assert report["answer"] == "Yes." and report["finish"] == "stop"
    assert report["thinking"]["text"] is None
    assert set(report["usage"]) == {"prompt", "cached", "thinking", "answer",
                                    "context"}
    assert set(report["timing"]["load"]) == {"read_ms", "tokenizer_ms",
                                             "first_token_ms"}


def python_and_the_json_tool_agree():
    result = ask("hello", "--json", script=THOUGHT)
    tool = subprocess.run(["python3", "-m", "json.tool"], input=result.out,
                          capture_output=True, timeout=LIMIT)
    assert tool.returncode == 0, tool


def json_has_the_thought_where_it_is_asked_for():
    for where in ("json", "stdout"):
        result = ask("hello", "--json", f"--show-thinking={where}",
                     script=THOUGHT)
        assert json.loads(result.out)["thinking"]["text"] == "Let me\nsee."


def json_keeps_text_exactly_and_hides_nothing_in_it():
    text = "a\x1b[31m\u202eb\u009bc\U000e0041d\u2028é漢"
    result = ask("hello", "--json", script="want GENERATE\nsend TOKEN "
                 + json.dumps({"channel": "answer", "tokens": 1, "text": text})
                 + "\ndone\n")
    assert json.loads(result.out)["answer"] == text
    shown = result.out.decode()
    assert "é漢" in shown
    for bad in "\x1b\u202e\u009b\U000e0041\u2028":
        assert bad not in shown, repr(bad)


def json_reports_how_an_answer_failed():
    for finish, code in EVERY_FINISH.items():
        result = ask("hello", "--json", script="want GENERATE\nsay Text\n"
                     f"done {{\"finish\":\"{finish}\"}}\n")
        assert result.status == code, (finish, result)
        assert json.loads(result.out)["finish"] == finish


def json_has_the_probabilities_of_tokens():
    piece = {"id": 5, "text": "Y", "logprob": -0.5}
    half = {"id": 6, "text": "\ufffd", "bytes": [195], "logprob": -2}
    token = {"channel": "answer", "tokens": 1, "text": "Y",
             "logprobs": [dict(piece, best=[piece, half])]}
    script = ("want GENERATE {\"logprobs\":2}\nsend TOKEN "
              + json.dumps(token) + "\ndone\n")
    result = ask("hello", "--json", "--logprobs=2", script=script)
    logprobs = json.loads(result.out)["logprobs"]
    assert logprobs == [dict(piece, channel="answer", best=[piece, half])], (
        logprobs)
    assert "logprobs" not in json.loads(ask("hello", "--json").out)


def json_lines_tell_what_happens():
    result = ask("hello", "--jsonl", script="want GENERATE\n"
                 "progress prefill 1 2\nthink Hm\nsay Yes.\ndone\n")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [line["t"] for line in lines] == ["meta", "progress", "think",
                                             "text", "end"], lines
    assert lines[0]["schema"] == lines[4]["schema"] == "fathom.ask/1"
    assert lines[1] == {"t": "progress", "phase": "prefill", "done": 1,
                        "of": 2}
    assert lines[2]["d"] == "Hm" and lines[3]["d"] == "Yes."
    assert lines[4]["answer"] == "Yes."
    result = ask("hello", "--jsonl", "--show-thinking=none", script=THOUGHT)
    assert b'"think","d"' not in result.out and b'"t":"text"' in result.out


def json_goes_to_a_file_as_well():
    with Home() as home:
        result = run(home, "ask", "hello", "--json", "-o", home.file("out"),
                     script=THOUGHT)
        assert result.out == b"", result
        assert json.loads(home.read("out"))["answer"] == "Yes."


# -- time and signals ------------------------------------------------------------

SLOW = ("want GENERATE\nsay So far\nwant CANCEL {{\"reason\":\"{reason}\"}}\n"
        "done {{\"finish\":\"{finish}\"}}\n")


def a_timeout_is_16_and_keeps_what_came():
    result = ask("hello", "--timeout=200ms",
                 script=SLOW.format(reason="timeout", finish="timeout"))
    assert (result.status, result.out) == (16, b"So far\n"), result
    assert "--timeout" in one_sentence(result.err), result


def a_timeout_ends_an_engine_that_hangs():
    begun = time.monotonic()
    result = ask("hello", "--timeout=100ms", script="want GENERATE\n"
                 "say So far\nhang\n")
    assert (result.status, result.out) == (16, b"So far\n"), result
    assert time.monotonic() - begun < 20


def interrupted(number, script=None, presses=1):
    """Sends the signal once the first text has come."""
    with Home() as home:
        process = start(home, "ask", "hello", script=script or SLOW.format(
            reason="interrupted", finish="interrupted"))
        first = process.stdout.read(1)
        for _ in range(presses):
            process.send_signal(number)
            time.sleep(0.2)
        out, err = process.communicate(timeout=LIMIT)
        return process.returncode, first + out, err


def signals_stop_the_answer_and_keep_what_came():
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143),
                         (signal.SIGHUP, 129)):
        status, out, err = interrupted(number)
        assert (status, out) == (code, b"So far\n"), (number, status, out, err)


def a_second_interrupt_ends_it_at_once():
    status, out, _ = interrupted(signal.SIGINT, "want GENERATE\nsay So far\n"
                                 "hang\n", presses=2)
    # without the line feed that an orderly end would have added
    assert (status, out) == (130, b"So far"), (status, out)


def an_interrupt_ends_an_engine_that_hangs_too():
    status, out, _ = interrupted(signal.SIGINT,
                                 "want GENERATE\nsay So far\nhang\n")
    assert (status, out) == (130, b"So far\n"), (status, out)


def an_interrupted_answer_leaves_no_file():
    with Home() as home:
        process = start(home, "ask", "hello", "-o", home.file("out"),
                        script=SLOW.format(reason="interrupted",
                                           finish="interrupted"))
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
        assert process.returncode == 130
        assert sorted(os.listdir(home.path)) == ["data", "run", "script"]


def json_of_an_interrupted_answer_says_so():
    with Home() as home:
        process = start(home, "ask", "hello", "--json", script=SLOW.format(
            reason="interrupted", finish="interrupted"))
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=LIMIT)
        report = json.loads(out)
        assert process.returncode == 130
        assert report["finish"] == "interrupted"
        assert report["answer"] == "So far"


def the_engine_does_not_outlive_the_program():
    with Home() as home:
        process = start(home, "ask", "hello", script="want GENERATE\n"
                        "say So far\nhang\n")
        process.stdout.read(1)
        children = subprocess.run(
            ["pgrep", "-P", str(process.pid)], capture_output=True,
            timeout=LIMIT).stdout.split()
        assert len(children) == 1, children
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
        assert not os.path.exists(f"/proc/{int(children[0])}")


def nothing_but_the_answer_is_printed_where_nobody_watches():
    result = ask("hello", script="want GENERATE\nprogress read 1 1000\n"
                 "sleep 1200\nprogress read 500 1000\nthink Hm\nsay Yes.\n"
                 "done\n")
    assert (result.out, result.err) == (b"Yes.\n", b""), result


SLOW_START = ("want GENERATE\nprogress read 1000000 4000000\nsleep 500\n"
              "progress read 2000000 4000000\nsleep 700\n"
              "progress read 3000000 4000000\nsleep 200\nsay Yes.\ndone\n")


def progress_is_shown_on_a_terminal_from_one_second_on():
    with Home() as home:
        begun = time.monotonic()
        with Terminal([FATHOM, "ask", "hello"],
                      home.environment(SLOW_START)) as terminal:
            terminal.expect("reading the model, 3.0 MB of 4.0 MB")
            assert time.monotonic() - begun > 0.95
            assert "2.0 MB of" not in terminal.text(), terminal.text()
            terminal.expect("Yes.")
            assert terminal.wait() == 0
            # the line is gone before the answer stands in its place
            assert b"\r\x1b[KYes.\r\n" in terminal.seen, terminal.seen
        with Terminal([FATHOM, "ask", "-q", "hello"],
                      home.environment(SLOW_START)) as terminal:
            assert terminal.wait() == 0
            assert terminal.text() == "Yes.\n", terminal.text()


def progress_on_a_dumb_terminal_is_a_sentence():
    with Home() as home:
        with Terminal([FATHOM, "ask", "hello"],
                      home.environment(SLOW_START, TERM="dumb")) as terminal:
            assert terminal.wait() == 0
            assert b"\x1b" not in terminal.seen
            assert re.fullmatch(r"reading the model, .* left\nYes.\n",
                                terminal.text()), terminal.text()


def warnings_are_notes_unless_it_is_quiet():
    script = "want GENERATE\nsay Yes.\ndone {\"warnings\":[\"mind \\u001b[m\"]}\n"
    assert ask("hello", script=script).err == b"fathom ask: mind <ESC>[m\n"
    assert ask("hello", "-q", script=script).err == b""


def whatever_fails_inside_is_told_and_nothing_breaks():
    """FATHOM_FAULT=N: the Nth allocation, read or write fails, once."""
    for options in ((), ("--json", "--show-thinking=json"), ("--jsonl",)):
        with Home() as home:
            engine = home.write("engine", "#!/bin/sh\nexec env -u FATHOM_FAULT "
                                f"{REPLAY} \"$@\"\n")
            os.chmod(engine, 0o700)
            failed = 0
            for n in range(1, 130):
                result = run(home, "ask", "hello", *options,
                             script=THOUGHT + "drain\n",
                             environment={"FATHOM_FAULT": str(n),
                                          "FATHOM_ENGINE": engine})
                assert result.status in (0, 69, 70, 74), (n, result)
                if result.status:
                    failed += 1
                    one_sentence(result.err)
            assert failed > 20, failed


engine_client.run([value for name, value in list(globals().items())
                   if callable(value) and getattr(value, "__module__", "")
                   == "__main__" and value.__code__.co_argcount == 0
                   and name not in ("requests", "asked", "question",
                                    "interrupted")])
