"""`edgefn tools --lint`: what is wrong with tools, what to add, and an exit code that a build can stop at."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import tiny
from click.testing import CliRunner, Result

from edgefn.cli import main

WHAT_TO_DO = {
    "confusable": "add examples of what people say for fan and spin, five are a good start",
    "same_description": "say in each what the other does not do, or add both with examples",
    "no_description": "describe in a sentence what it does, or add it with examples",
    "undescribed_parameter": "describe it: its words are found, and asked for, by its description",
}


def run(*arguments: object, code: int = 0) -> Result:
    """Run `edgefn tools` in this process; it must end with `code`, and not by an exception."""
    result = CliRunner().invoke(main, ["tools", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def tool(name: str, description: str, **parameters: str) -> dict[str, Any]:
    """Return a definition whose parameters are text, each with its description."""
    described = {key: {"type": "string", "description": each} for key, each in parameters.items()}
    return {"name": name, "description": description, "parameters": {"type": "object", "properties": described}}


def definitions(folder: Path, *tools: dict[str, Any]) -> Path:
    path = folder / "tools.json"
    path.write_text(json.dumps(list(tools)), encoding="utf-8")
    return path


FAN = tool("fan", "Spin the fan.")
SPIN = tool("spin", "Fan: please spin the fan.")
DOOR = tool("door", "Open the door.")


def test_nothing_is_wrong(bundle, tmp_path):
    path = definitions(tmp_path, FAN, DOOR)
    for options in ([], ["--bundle", bundle]):
        result = run(path, "--lint", *options)
        assert (result.stdout, result.stderr) == ("", "")
    assert json.loads(run(path, "--lint", "--json").stdout) == {"findings": [], "broken": []}


def test_a_line_for_each_finding(tmp_path):
    path = definitions(tmp_path, FAN, tool("door", "spin the Fan"), tool("gate", "", way="", speed="how fast."))
    lines = run(path, "--lint", code=1).stdout.splitlines()
    assert lines == [
        f"fan and door have the same description; {WHAT_TO_DO['same_description']}",
        f"gate has no description: its name is all it is known by; {WHAT_TO_DO['no_description']}",
        f"gate: way is not described; {WHAT_TO_DO['undescribed_parameter']}",
    ]


def test_findings_as_json(tmp_path):
    path = definitions(tmp_path, FAN, tool("gate", "", way=""))
    found = json.loads(run(path, "--lint", "--json", code=1).stdout)
    assert found["broken"] == []
    assert [(each["kind"], each["tools"], each["hint"]) for each in found["findings"]] == [
        (kind, ["gate"], WHAT_TO_DO[kind]) for kind in ("no_description", "undescribed_parameter")
    ]
    assert all(each.keys() == {"kind", "tools", "message", "hint"} for each in found["findings"])


def test_pairs_that_a_bundle_confuses_come_first(bundle, tmp_path):
    path = definitions(tmp_path, FAN, SPIN, tool("door", "Open the door.", way=""))
    assert "confused" not in run(path, "--lint", code=1).stdout
    first, second = run(path, "--lint", "--bundle", bundle, code=1).stdout.splitlines()
    assert first.startswith("fan and spin will be confused (cosine ")
    assert first.endswith(f"; {WHAT_TO_DO['confusable']}")
    assert second == f"door: way is not described; {WHAT_TO_DO['undescribed_parameter']}"
    found = json.loads(run(path, "--lint", "--bundle", bundle, "--json", code=1).stdout)["findings"]
    assert [each["kind"] for each in found] == ["confusable", "undescribed_parameter"]
    assert found[0]["tools"] == ["fan", "spin"]


def test_tools_that_the_bundle_was_trained_for_are_not_compared(bundle, tmp_path):
    alike = [tool(name, f"The lamp please{end}") for name, end in (("lamp_on", "."), ("lamp_off", " the lamp."))]
    assert run(definitions(tmp_path, *alike), "--lint", "--bundle", bundle).stdout == ""


def test_functions_are_linted_too(bundle, tmp_path):
    path = tmp_path / "twice.py"
    functions = (f'@tool\ndef {name}() -> None:\n    """Spin the fan."""\n\n\n' for name in ("fan", "spin"))
    path.write_text("from edgefn import tool\n\nprint('loading')\n\n\n" + "".join(functions))
    result = run(path, "--lint", "--bundle", bundle, code=1)
    assert [line.split(";")[0].split(" (")[0] for line in result.stdout.splitlines()] == [
        "fan and spin will be confused",
        "fan and spin have the same description",
    ]
    assert result.stderr == "loading\n"


def test_what_is_broken_counts(tmp_path):
    path = definitions(tmp_path, FAN, {"name": "odd", "parameters": {"properties": {"when": {"if": {}}}}})
    result = run(path, "--lint", code=1)
    assert result.stdout == ""
    assert result.stderr.startswith(f"Broken: {path}: {path}: /1/parameters")
    found = json.loads(run(path, "--lint", "--json", code=1).stdout)
    assert (found["findings"], len(found["broken"])) == ([], 1)


@pytest.mark.parametrize("options", [["--bundle", "b"], ["--bundle", "b", "--json"], ["--lint", "--format", "mcp"]])
def test_usage(tmp_path, options):
    result = run(definitions(tmp_path, FAN), *options, code=2)
    assert result.stdout == ""
    assert "goes with --lint" in result.stderr or "do not go together" in result.stderr


def test_a_bundle_that_takes_no_added_tools(tmp_path):
    closed = tiny.bundle(tmp_path / "closed.bundle", makers=None)
    path = definitions(tmp_path, FAN)
    error = json.loads(run(path, "--lint", "--bundle", closed, "--json", code=4).stderr)["error"]
    assert error["kind"] == "BundleError"
    assert "takes no added tools" in error["message"]
    assert "without --bundle" in error["hint"]
    assert run(path, "--lint", "--bundle", tmp_path / "none.bundle", code=4).stdout == ""


def test_text_needs_no_engine(bundle, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    path = definitions(tmp_path, FAN, DOOR)
    assert run(path, "--lint").stdout == ""
    assert "EngineMissing" in run(path, "--lint", "--bundle", bundle, "--json", code=6).stderr
