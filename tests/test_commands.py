"""The command line: data on standard output, errors in two plain lines, and seven exit codes."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiny
from click.testing import CliRunner, Result

import edgefn
from edgefn.cli import _COMMANDS, main
from edgefn.rows import Row

COMMAND = [sys.executable, "-c", "from edgefn.cli import main; main(prog_name='edgefn')"]
MOST = 60
"""Seconds after which a command of its own process hangs."""


def run(*arguments: object, code: int = 0, given: str | bytes | None = None) -> Result:
    """Run a command in this process; it must end with `code`, and not by an exception."""
    result = CliRunner().invoke(main, [str(each) for each in arguments], input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def spawn(*arguments: object, given: bytes = b"", encoding: str = "utf-8") -> subprocess.CompletedProcess[bytes]:
    """Run a command as a user does."""
    command = [*COMMAND, *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": encoding}
    return subprocess.run(command, input=given, capture_output=True, timeout=MOST, env=environment, check=False)


def refused(*arguments: object, code: int) -> dict[str, str]:
    """Run a command that fails, plain and with --json, and return the error."""
    plain = run(*arguments, code=code)
    as_json = run(*arguments, "--json", code=code)
    error = json.loads(as_json.stderr)["error"]
    assert error.keys() == {"kind", "message", "hint"}
    assert plain.stderr == f"Error: {error['message']}\nHint: {error['hint']}\n"
    assert "Traceback" not in plain.output + as_json.output
    assert plain.stdout == ""
    return error


def tool_that(folder: Path, body: str) -> Path:
    """Write a file whose lamp_on does what `body` says."""
    path = folder / "odd.py"
    path.write_text(
        f'from edgefn import tool\n\n@tool\ndef lamp_on() -> str:\n    """Switch the lamp on."""\n    {body}\n'
    )
    return path


@pytest.fixture
def home(tmp_path) -> Path:
    return tiny.tools_file(tmp_path)


# The group


@pytest.mark.parametrize("name", _COMMANDS)
def test_help_of_every_command(name):
    for option in ("--help", "-h"):
        shown = run(name, option).stdout
        assert shown.startswith(f"Usage: main {name}")
        assert len(shown.splitlines()) > 4


def test_help_of_the_group():
    shown = run("--help").stdout
    for name in _COMMANDS:
        assert f"  {name} " in shown
    assert "0 ok, 1 failed, 2 usage, 3 abstained, 4 bad bundle, 5 tool failed, 6 engine" in shown


def test_version():
    assert run("--version").stdout.split()[-1] == edgefn.__version__


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["ask"],
        ["ask", "b", "text", "more"],
        ["ask", "b", "--no-such-option"],
        ["ask", "b", "--threads", "-1"],
        ["ask", "b", "--threads", "100000"],
        ["eval", "b"],
        ["eval", "b", "rows", "--threshold", "2"],
        ["bench", "b", "--runs", "1"],
        ["completion", "tcsh"],
        ["tools"],
    ],
    ids=" ".join,
)
def test_usage(arguments):
    assert "Usage: main" in run(*arguments, code=2).stderr


# ask


def test_ask_selects_without_tools(bundle):
    result = run("ask", bundle, "turn the lamp on")
    assert result.stdout == "lamp_on()  0.953\n"
    assert result.stderr == ""


def test_ask_runs_a_tool(bundle, home):
    assert run("ask", bundle, "turn the lamp on", "--tools", home).stdout == "lamp_on()  0.953\non\n"
    assert run("ask", bundle, "turn the lamp on", "--tools", home, "--dry-run").stdout == "lamp_on()  0.953\n"
    assert (
        run("ask", bundle, "set a timer", "--tools", home).stdout.splitlines()[1] == "How many minutes until it rings?"
    )


def test_ask_as_json(bundle, home):
    call = json.loads(run("ask", bundle, "lamp off", "--json").stdout)
    assert call.pop("probability") == pytest.approx(0.9526, abs=1e-4)
    assert call == {"outcome": "call", "tool": "lamp_off", "arguments": {}, "evidence": []}
    done = json.loads(run("ask", bundle, "lamp off", "--json", "--tools", home).stdout)
    assert (done["outcome"], done["value"]) == ("done", "off")
    asked = json.loads(run("ask", bundle, "set a timer", "--json", "--tools", home).stdout)
    assert (asked["outcome"], asked["parameter"]) == ("needs_argument", "minutes")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("the weather please", "none_of_these"),
        ("on off", "unsure"),
        ("", "empty"),
        ("你好", "unknown_script"),
        ("lamp " * 20_000, "too_long"),
        ("\udcff", "not_text"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_ask_abstains(bundle, home, text, reason):
    assert run("ask", bundle, text, code=3).stdout.startswith(f"abstained: {reason}")
    found = json.loads(run("ask", bundle, text, "--tools", home, "--json", code=3).stdout)
    assert (found["outcome"], found["reason"]) == ("abstained", reason)


def test_ask_for_a_tool_that_is_not_here(bundle, tmp_path):
    result = run("ask", bundle, "lamp off", "--tools", tool_that(tmp_path, "return 1"), code=3)
    assert result.stdout.startswith("abstained: not_registered  (best lamp_off, 0.95")


@pytest.mark.parametrize("body", ["raise ValueError('no lamp')", "import sys; sys.exit(0)", "return 1 / 0"])
def test_a_tool_that_fails(bundle, tmp_path, body):
    file = tool_that(tmp_path, body)
    result = run("ask", bundle, "lamp on", "--tools", file, code=5)
    assert "failed: lamp_on raised" in result.stdout
    found = json.loads(run("ask", bundle, "lamp on", "--tools", file, "--json", code=5).stdout)
    assert (found["outcome"], found["error"]["kind"]) == ("failed", "ToolFailed")


@pytest.mark.parametrize(
    ("body", "shown", "value"),
    [
        ("return float('nan')", "nan", "NaN"),
        ("return '\\ud800'", "?", "?"),
        ("return type('Odd', (), {'__str__': lambda self: 1 / 0})()", "<Odd>", "<Odd>"),
        ("return {'a': {1, 2}.__len__()}", "{'a': 2}", {"a": 2}),
        ("return None", "None", None),
    ],
)
def test_a_tool_that_returns_something_odd(bundle, tmp_path, body, shown, value):
    file = tool_that(tmp_path, body)
    assert run("ask", bundle, "lamp on", "--tools", file).stdout == f"lamp_on()  0.953\n{shown}\n"
    assert json.loads(run("ask", bundle, "lamp on", "--tools", file, "--json").stdout)["value"] == value


def test_what_a_tool_prints_is_not_our_data(bundle, tmp_path):
    file = tool_that(tmp_path, "print('working'); return 'on'")
    file.write_text(f"print('loading')\n{file.read_text()}")
    result = run("ask", bundle, "lamp on", "--tools", file, "--json")
    assert json.loads(result.stdout)["value"] == "on"
    assert result.stderr == "loading\nworking\n"
    assert len(json.loads(run("tools", file, "--json").stdout)["tools"]) == 1


def test_ask_names_broken_files(bundle, tmp_path):
    folder = tmp_path / "tools"
    folder.mkdir()
    tiny.tools_file(folder)
    (folder / "broken.py").write_text("import no_such_module\n")
    result = run("ask", bundle, "lamp on", "--tools", folder)
    assert result.stdout.endswith("\non\n")
    (skipped,) = result.stderr.splitlines()
    assert skipped.startswith(f"Skipped {folder / 'broken.py'}: line 1: ModuleNotFoundError")


PLANTS = 'from edgefn import tool\n\n@tool\ndef plants() -> str:\n    """Plants."""\n    return "watered"\n'


def test_ask_adds_tools_that_the_bundle_does_not_know(bundle, tmp_path):
    (tmp_path / "plants.py").write_text(PLANTS)
    result = run("ask", bundle, "plants please", "--tools", tmp_path / "plants.py")
    assert result.stdout.startswith("plants()")
    assert result.stdout.endswith("\nwatered\n")
    assert not result.stderr


def test_ask_warns_of_tools_that_the_bundle_can_not_take(tmp_path):
    bundle = tiny.bundle(tmp_path / "closed.bundle", makers=None)
    (tmp_path / "plants.py").write_text(PLANTS)
    result = run("ask", bundle, "lamp on", "--tools", tmp_path / "plants.py", code=3)
    assert result.stderr.startswith("Warning: plants: not in the bundle, which takes no added tools")


def test_ask_answers_lines_with_a_line_of_json_each(bundle, home):
    result = run("ask", bundle, "--tools", home, "--json", given="lamp on\n\nweather\n")
    assert [json.loads(line)["outcome"] for line in result.stdout.splitlines()] == ["done", "abstained"]


def test_ask_reads_lines(bundle, home):
    given = "lamp on\n\n  \nlamp off\r\nthe weather\n"
    result = run("ask", bundle, "--tools", home, given=given)
    assert result.stdout.splitlines()[:4] == ["lamp_on()  0.953", "on", "lamp_off()  0.953", "off"]
    assert result.stdout.splitlines()[4].startswith("abstained: none_of_these")
    found, rest = [], run("ask", bundle, "--json", given=given).stdout
    while rest.strip():
        value, end = json.JSONDecoder().raw_decode(rest.lstrip())
        found.append(value["outcome"])
        rest = rest.lstrip()[end:]
    assert found == ["call", "call", "abstained"]
    assert run("ask", bundle, given="").stdout == ""


def test_ask_shows_where_each_argument_comes_from(bundle, home):
    shown = run("ask", bundle, "set a loud ten timer").stdout.splitlines()
    assert shown[0].startswith("set_timer(loud=True, minutes=10)  0.9")
    assert shown[1] == "  loud: the whole sentence, read as choice, 1.00"
    assert shown[2] == "  minutes: 'ten' [11:14], read as number, 1.00"
    by_signature = run("ask", bundle, "set a loud ten timer", "--tools", home).stdout.splitlines()
    assert by_signature[0].startswith("set_timer(minutes=10, loud=True)  0.9")
    assert (by_signature[1:3], by_signature[3]) == ([shown[2], shown[1]], "timer: 10")
    refused = run("ask", bundle, "set a zero minutes timer", "--tools", home).stdout.splitlines()
    problem = "0 does not fit: what is expected is a whole number, at least 1"
    assert refused[1:] == [f"  minutes: 'zero' [6:10], {problem}, 1.00", problem, "How many minutes until it rings?"]


def test_ask_goes_on_with_the_call_that_waits(bundle, home):
    given = "set a timer\npasta\nten\nset a timer\nnever mind\nten\n"
    result = run("ask", bundle, "--tools", home, "--json", given=given)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["outcome"] for each in found] == [
        *("needs_argument", "needs_argument", "done"),
        *("needs_argument", "abstained", "abstained"),
    ]
    assert found[2]["value"] == "pasta: 10"
    assert found[4]["reason"] == "cancelled"
    # Where nothing is run, nothing waits.
    dry = run("ask", bundle, "--tools", home, "--dry-run", "--json", given="set a timer\nten\n")
    assert [json.loads(line)["outcome"] for line in dry.stdout.splitlines()] == ["call", "abstained"]


def test_ask_from_a_pipe(bundle):
    done = spawn("ask", bundle, "--threads", 1, given="lamp on\n\xff\xfe\nlamp off\n".encode("latin-1"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert done.stdout.decode().splitlines() == ["lamp_on()  0.953", "abstained: not_text", "lamp_off()  0.953"]


def test_ask_at_a_terminal(bundle):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    command = [*COMMAND, "ask", str(bundle), "--threads", "1"]
    try:
        with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            os.write(ours, b"lamp on\n\nthe weather\n\x04")
            stdout, stderr = child.communicate(timeout=MOST)
    finally:
        os.close(ours)
        os.close(theirs)
    assert child.returncode == 0, stderr
    assert [line.split()[0] for line in stdout.decode().splitlines()] == ["lamp_on()", "abstained:"]


def test_a_tool_that_calls_sys_exit_does_not_end_the_kiosk(bundle, tmp_path):
    file = tool_that(tmp_path, "import sys; sys.exit(7)")
    result = run("ask", bundle, "--tools", file, given="lamp on\nlamp on\n")
    assert result.stdout.count("failed: lamp_on raised SystemExit: 7") == 2


# Errors


@pytest.mark.parametrize("command", [["ask", "lamp on"], ["inspect"], ["eval", "rows.jsonl"], ["bench"], ["doctor"]])
def test_bad_bundle(tmp_path, command):
    name, *rest = command
    error = refused(name, tmp_path / "none.bundle", *rest, code=4)
    assert error["kind"] == "BundleNotFound"


def test_damaged_bundle(bundle):
    (bundle / "tokenizer.json").write_bytes(b"changed")
    error = refused("inspect", bundle, code=4)
    assert error["kind"] == "BundleCorrupt"
    assert "tokenizer.json" in error["message"]


@pytest.mark.parametrize("command", [["ask", "lamp on"], ["eval", "{rows}"], ["bench"], ["doctor"]])
def test_engine(tmp_path, command):
    name, *rest = command
    rows = tiny.rows_file(tmp_path / "rows.jsonl")
    rest = [each.format(rows=rows) for each in rest]
    truncated = tiny.bundle(tmp_path / "truncated.bundle", {"onnx/model.onnx": tiny.graph()[:300]})
    assert refused(name, truncated, *rest, code=6)["kind"] == "EngineError"
    whole = tiny.bundle(tmp_path / "whole.bundle")
    assert refused(name, whole, *rest, "--provider", "coreml", code=6)["kind"] == "ProviderUnavailable"


def test_scores_that_are_not_finite(bundle):
    assert "not finite" in refused("ask", bundle, f"lamp {tiny.POISON}", code=6)["message"]


def test_tools_that_cannot_be_loaded(bundle, tmp_path):
    assert refused("ask", bundle, "lamp on", "--tools", tmp_path / "none.py", code=1)["kind"] == "ToolsNotFound"
    changed = tmp_path / "changed.py"
    changed.write_text(tiny.SOURCE.replace("minutes: Annotated[int, Range(ge=1)]", "minutes: str"))
    assert refused("ask", bundle, "lamp on", "--tools", changed, code=4)["kind"] == "BundleMismatch"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ask", "{bundle}", "lamp on"], 0),
        (["ask", "{bundle}", "lamp on", "--tools", "none.py"], 1),
        (["ask"], 2),
        (["ask", "{bundle}", "weather"], 3),
        (["inspect", "none.bundle"], 4),
        (["ask", "{bundle}", "lamp on", "--tools", "{broken}"], 5),
        (["ask", "{bundle}", "lamp on", "--provider", "coreml"], 6),
    ],
    ids=[f"exit {code}" for code in range(7)],
)
def test_exit_codes_of_a_process(bundle, tmp_path, arguments, code):
    broken = tool_that(tmp_path, "raise ValueError")
    done = spawn(*(each.format(bundle=bundle, broken=broken) for each in arguments))
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr
    if code in (1, 4, 6):
        first, second = done.stderr.decode().splitlines()
        assert first.startswith("Error: ")
        assert second.startswith("Hint: ")
        assert done.stdout == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written(bundle):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*COMMAND, "inspect", str(bundle)], stdout=full, stderr=subprocess.PIPE, timeout=MOST)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[0].startswith("Error: the system refused: ")
    assert b"Traceback" not in done.stderr


def test_output_that_nobody_reads(bundle):
    with subprocess.Popen([*COMMAND, "inspect", str(bundle)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(timeout=MOST) in (0, 1)


# tools


def test_tools(home):
    lines = run("tools", home).stdout.splitlines()
    assert lines == [
        "lamp_on    Switch the lamp on.",
        "lamp_off   Switch the lamp off.",
        "set_timer  Start a countdown timer.",
    ]


def test_tools_as_json(home):
    found = json.loads(run("tools", home, "--json").stdout)
    assert [each["function"]["name"] for each in found["tools"]] == list(tiny.TOOLS)
    assert found["broken"] == []
    openai = json.loads(run("tools", home, "--format", "openai").stdout)
    assert openai == found["tools"]
    mcp = json.loads(run("tools", home, "--format", "mcp").stdout)
    assert [each["name"] for each in mcp] == list(tiny.TOOLS)
    assert mcp[2]["inputSchema"]["required"] == ["minutes"]


def test_one_broken_file_does_not_take_the_others_down(home):
    broken = home.with_name("broken.py")
    broken.write_text("def lamp(:\n")
    result = run("tools", home.parent, code=1)
    assert len(result.stdout.splitlines()) == 3
    assert result.stderr.startswith(f"Broken: {broken}: line 1: SyntaxError")
    assert "Traceback" not in result.output
    found = json.loads(run("tools", home.parent, "--json", code=1).stdout)
    assert len(found["tools"]) == 3
    assert [each["path"] for each in found["broken"]] == [str(broken)]


def test_what_a_policy_says_of_tools(home, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text(
        "[rules.lamp_on]\nroles = ['staff']\nrate = { calls = 2, seconds = 60 }\ntimeout = 0\n"
        "[rules.lamp_off]\naction = 'confirm'\nthreshold = 0.9\nisolated = true\nconcurrency = 1\n"
        "[rules.lamp_of]\naction = 'deny'\n"
    )
    found = run("tools", home, "--policy", policy)
    assert found.stdout.splitlines() == [
        "lamp_on    run; without a limit; roles staff; 2 in 60 s",
        "lamp_off   confirm; within 30 s; isolated; at least 0.9; 1 at once",
        "set_timer  run; within 30 s",
    ]
    assert "lamp_of" in found.stderr and "did you mean 'lamp_of" in found.stderr
    plain = json.loads(run("tools", home, "--policy", policy, "--json").stdout)
    assert plain["lamp_on"]["roles"] == ["staff"]
    assert plain["set_timer"]["timeout"] == 30.0
    run("tools", home, "--policy", policy, "--lint", code=2)
    refused("tools", home, "--policy", tmp_path / "none.toml", code=1)


def test_no_tools(tmp_path):
    assert refused("tools", tmp_path, code=1)["kind"] == "ToolsNotFound"


# inspect


def test_inspect(bundle):
    shown = run("inspect", bundle).stdout
    for part in (
        "sha256:",
        "3: lamp_on, lamp_off, set_timer",
        "none row    yes",
        "0.7000 (balanced)",
        "a bound needs 200",
    ):
        assert part in shown
    assert "8 rows of calibration.jsonl, 2 of them out of scope" in shown


def test_inspect_as_json(bundle):
    found = json.loads(run("inspect", bundle, "--json").stdout)
    assert found == json.loads((bundle / "manifest.json").read_text())


def test_inspect_with_a_bound_and_numbers(tmp_path):
    from edgefn.manifest import Bound

    side = {"megabytes": 90.0, "p50_ms": 4.2, "tool_accuracy": 0.98, "auroc": None, "ece": 0.012}
    measured: dict[str, Any] = {
        "before": side,
        "after": {**side, "megabytes": 23.0},
        "rows": 300,
        "flipped": 2,
        "threads": 1,
        "machine": {"processor": "Some CPU"},
    }
    calibration = tiny.calibration(bound=Bound(0.8, 0.02, 0.95, 0.25, 180), no_bound_reason="", rows=None)
    path = tiny.bundle(tmp_path / "measured.bundle", measured=measured, calibration=calibration)
    shown = run("inspect", path).stdout
    for part in ("at 0.8000 or more", "at most 2.0% of accepted", "95% confidence", "25.0% of utterances", "180 of"):
        assert part in shown
    assert "300 rows on Some CPU, 1 threads" in shown
    assert "90.0 →     23.0" in shown
    assert "n/a →      n/a" in shown
    assert "flipped: 2" in shown
    assert json.loads(run("inspect", path, "--json").stdout)["measured"]["flipped"] == 2


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])  # where it is ascii, click writes UTF-8
def test_a_terminal_that_cannot_show_everything(tmp_path, encoding):
    source = dataclasses.replace(tiny.manifest().source, base="Grundmodell für → 你好")
    path = tiny.bundle(tmp_path / "t.bundle", source=source)
    shown = spawn("inspect", path, encoding=encoding)
    assert shown.returncode == 0, shown.stderr
    assert b"\\u2192" in shown.stdout
    found = json.loads(spawn("inspect", path, "--json", encoding=encoding).stdout.decode(encoding))
    assert found["source"]["base"] == source.base


# eval


def test_eval(bundle, tmp_path):
    rows = tiny.rows_file(tmp_path / "rows.jsonl")
    found = json.loads(run("eval", bundle, rows, "--json").stdout)
    right = {"tool_accuracy", "exact_call", "in_scope_kept", "out_of_scope_recall", "accepted_accuracy", "auroc"}
    assert {name: found[name] for name in right} == dict.fromkeys(right, 1.0)
    counts = {"by_parameter", "by_kind"}
    assert found.keys() == right | {"ece", "ece_all", "slot_f1", "threshold", "rows", "out_of_scope_rows"} | counts
    assert (found["threshold"], found["rows"], found["out_of_scope_rows"]) == (0.7, 8, 2)
    assert (found["slot_f1"], found["by_parameter"], found["by_kind"]) == (None, {}, {})
    plain = dict(line.split() for line in run("eval", bundle, rows).stdout.splitlines())
    assert plain.keys() == found.keys() - counts
    assert (plain["tool_accuracy"], plain["rows"], plain["slot_f1"]) == ("1.0000", "8", "n/a")


def test_eval_of_arguments(bundle, tmp_path):
    rows = [
        Row("set a timer ten minutes", "set_timer", {"minutes": 10}, ((12, 15, "minutes"),)),
        Row("set a five pasta timer", "set_timer", {"minutes": 5, "label": "water"}, ((6, 10, "minutes"),)),
        Row("loud timer", "set_timer", {"loud": True}),
    ]
    path = tiny.rows_file(tmp_path / "rows.jsonl", rows)
    found = json.loads(run("eval", bundle, path, "--json").stdout)
    assert (found["tool_accuracy"], found["exact_call"]) == (1.0, pytest.approx(2 / 3))
    assert found["slot_f1"] == pytest.approx(4 / 5)  # two spans in the rows, three found, two of them right
    right = {"minutes": {"right": 2, "rows": 2}, "label": {"right": 0, "rows": 1}, "loud": {"right": 1, "rows": 1}}
    assert found["by_parameter"] == right
    assert found["by_kind"] == {"integer": right["minutes"], "string": right["label"], "choice": right["loud"]}
    shown = run("eval", bundle, path).stdout
    assert f"{'parameter minutes':36} 1.0000  of 2\n" in shown
    assert f"{'kind string':36} 0.0000  of 1\n" in shown


def test_eval_asks_the_live_lists_of_this_device(tmp_path):
    """Without tools, names are those of the training; with them, those that the device has now."""
    path, tools = tiny.guide(tmp_path), tmp_path / "guide.py"
    tools.write_text(tiny.GUIDE)
    rows = tiny.rows_file(
        tmp_path / "rows.jsonl", [Row("timer pasta", "find_dish", {"dish": "Pasta"}), Row("sing", None)]
    )
    assert json.loads(run("eval", path, rows, "--json").stdout)["exact_call"] == 0.0
    assert json.loads(run("eval", path, rows, "--tools", tools, "--json").stdout)["exact_call"] == 1.0


def test_eval_at_another_threshold(bundle, tmp_path):
    rows = tiny.rows_file(tmp_path / "rows.jsonl")
    found = json.loads(run("eval", bundle, rows, "--json", "--threshold", "0.99").stdout)
    assert (found["threshold"], found["in_scope_kept"], found["accepted_accuracy"]) == (0.99, 0.0, None)
    assert "accepted_accuracy    n/a" in run("eval", bundle, rows, "--threshold", "0.99").stdout


def test_eval_with_a_label_that_is_no_tool(bundle, tmp_path):
    rows = tiny.rows_file(tmp_path / "rows.jsonl", [*tiny.rows(), Row("lamp", "lamp_onn")])
    error = refused("eval", bundle, rows, code=1)
    assert error["kind"] == "DataError"
    assert "'lamp_onn'" in error["message"]
    assert "did you mean lamp_on" in error["hint"]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"not json\n", b'{"text": "lamp on"}\n', b"\xff\n"])
def test_eval_with_rows_that_are_none(bundle, tmp_path, content):
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(content)
    assert str(rows) in refused("eval", bundle, rows, code=1)["message"]
    rows.unlink()
    assert "there is no file" in refused("eval", bundle, rows, code=1)["message"]


# bench


def test_bench(bundle):
    found = json.loads(run("bench", bundle, "--runs", 10, "--threads", 1, "--json").stdout)
    numbers = ["p50_ms", "p99_ms", "per_second", "cold_start_ms", "bundle_mb"]
    assert all(found[name] > 0 for name in numbers)
    assert found["p50_ms"] <= found["p99_ms"]
    assert found["rss_mb"] is None or found["rss_mb"] > 1
    assert (found["provider"], found["threads"], found["runs"]) == ("CPUExecutionProvider", 1, 10)
    assert found["machine"]["cores"] >= 1


def test_bench_of_a_bundle_without_utterances(tmp_path):
    path = tiny.bundle(tmp_path / "empty.bundle", {"selftest.jsonl": b""})
    assert "no selftest rows" in refused("bench", path, code=1)["message"]


# doctor


def test_doctor():
    found = json.loads(run("doctor", "--json").stdout)
    assert found["edgefn"] == edgefn.__version__
    assert "CPUExecutionProvider" in found["providers"]
    assert "selftest_rows" not in found
    assert "onnxruntime" in run("doctor").stdout


def test_doctor_of_a_bundle(bundle):
    found = json.loads(run("doctor", bundle, "--json", "--threads", 1).stdout)
    assert (found["provider_asked"], found["provider_loaded"]) == ("cpu", "CPUExecutionProvider")
    assert (found["threads"], found["selftest_rows"], found["selftest_flips"]) == (1, 8, [])


def test_doctor_finds_flips(tmp_path):
    swapped = tiny.selftest().replace(b'"tool": "lamp_on"', b'"tool": "lamp_off"')
    path = tiny.bundle(tmp_path / "flips.bundle", {"selftest.jsonl": swapped})
    result = run("doctor", path, "--json", code=1)
    assert json.loads(result.stdout)["selftest_flips"][0] == "'turn the lamp on': lamp_off() became lamp_on()"
    assert json.loads(result.stderr)["error"]["message"] == "2 selftest decisions flip on this device"
    assert "Hint: export with --quantize none" in run("doctor", path, code=1).stderr


def test_doctor_of_a_selftest_that_is_none(tmp_path):
    path = tiny.bundle(tmp_path / "odd.bundle", {"selftest.jsonl": b"garbage\n"})
    assert refused("doctor", path, code=4)["kind"] == "BundleCorrupt"


def test_no_engine(bundle, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    for command in (["doctor"], ["ask", bundle, "lamp on"]):
        error = refused(*command, code=6)
        assert error["kind"] == "EngineMissing"
        assert "pip install 'edgefn[cpu]'" in error["hint"]
    assert "sha256" in run("inspect", bundle).stdout


# completion, train, export


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    shown = run("completion", shell).stdout
    assert "_EDGEFN_COMPLETE" in shown
    assert f"{shell}_complete" in shown


@pytest.mark.parametrize(
    "command", [["train", "--data", "rows.jsonl", "-o", "out"], ["export", "checkpoint", "-o", "out"]]
)
def test_train_and_export_without_the_extra(monkeypatch, tmp_path, command):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *of: None if name == "torch" else found(name, *of))
    monkeypatch.chdir(tmp_path)
    error = refused(*command, code=1)
    assert error["kind"] == "MissingExtra"
    assert error["message"] == "torch not installed"
    assert "pip install 'edgefn[export,cpu]'" in error["hint"]
    assert not list(tmp_path.iterdir())
