"""`edgefn audit`: what it prints, for people and for programs, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgefn.audit import AuditLog, Head
from edgefn.cli import main


@pytest.fixture
def log(tmp_path) -> Path:
    path = tmp_path / "audit.jsonl"
    with AuditLog(path, fsync="never", max_bytes=1500) as written:
        number = written.append("intent", {"tool": "restart", "arguments": {"when": "<str>"}}, intent=True)
        written.append("outcome", {"tool": "restart", "outcome": "done"}, closes=number)
        for name in ("lamp", "door", "lamp"):
            written.append("outcome", {"tool": name, "outcome": "done", "said": "\x1b[2J red\nline", "n_tries": 2})
        written.append("intent", {"tool": "restart"}, intent=True)
    return path


def run(*arguments: object, code: int = 0) -> Result:
    """Run `edgefn audit` in this process; it must end with `code`, and not by an exception."""
    result = CliRunner().invoke(main, ["audit", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def head_of(log: Path) -> str:
    return run("head", log).stdout.strip()


def test_verify_says_in_a_line_that_all_is_there(log):
    head = Head.parse(head_of(log))
    said = run("verify", log).stdout
    assert said == f"ok: 7 lines in 2 files, head 7:{head.hash[:12]}…; 1 intent is open: 7\n"
    assert run("verify", log, "--head", head).stdout == said


def test_verify_for_programs(log):
    found = json.loads(run("verify", log, "--json").stdout)
    number, digest = head_of(log).split(":")
    assert found == {
        "lines": 7,
        "files": 2,
        "first": 1,
        "head": {"number": int(number), "hash": digest},
        "open": [7],
        "torn": False,
        "missing_before": False,
    }
    assert json.loads(run("head", log, "--json").stdout) == found["head"]


def test_verify_names_the_place(log):
    log.write_bytes(log.read_bytes().replace(b"restart", b"reboot"))
    result = run("verify", log, code=1)
    assert result.stdout == ""
    assert "Error: audit.jsonl, line 2: it was changed" in result.stderr and "Hint: " in result.stderr
    error = json.loads(run("verify", log, "--json", code=1).stderr)["error"]
    assert error["kind"] == "AuditBroken"


def test_a_cut_tail_needs_the_head(log):
    head = head_of(log)
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    assert run("verify", log).stdout.startswith("ok: 6 lines")
    assert "its end was cut off" in run("verify", log, "--head", head, code=1).stderr


def test_verify_says_what_is_not_there(log):
    log.with_name("audit.000001.jsonl").unlink()
    with open(log, "ab") as file:
        file.write(b'{"n":')
    said = run("verify", log).stdout
    assert "it begins at line 6: earlier files are gone" in said
    assert "the last line has no end" in said


@pytest.mark.parametrize("command", ["verify", "head", "show"])
def test_no_log(tmp_path, command):
    assert "there is no audit log" in run(command, tmp_path / "audit.jsonl", code=1).stderr
    assert json.loads(run(command, tmp_path, "--json", code=1).stderr)["error"]["kind"] == "AuditError"


def test_a_head_that_is_none(log):
    assert "not a head" in run("verify", log, "--head", "12", code=1).stderr


def test_show_prints_a_line_for_each(log):
    lines = run("show", log).stdout.splitlines()
    assert len(lines) == 7
    words = lines[1].split()
    assert (words[0], words[2:]) == ("2", ["outcome", "restart", "done", "closes=1"])
    assert lines[0].endswith('intent  restart  arguments={"when": "<str>"}  opens=true')
    assert all(line.isprintable() for line in lines)
    assert '"\\u001b[2J red\\nline"' in lines[2] and "n_tries=2" in lines[2]


def test_show_some_lines(log):
    assert [line.split()[0] for line in run("show", log, "--last", 2).stdout.splitlines()] == ["6", "7"]
    lamps = [json.loads(line) for line in run("show", log, "--tool", "lamp", "--json").stdout.splitlines()]
    assert [line["tool"] for line in lamps] == ["lamp", "lamp"]
    (last,) = run("show", log, "--tool", "lamp", "--last", 1, "--json").stdout.splitlines()
    assert json.loads(last) == lamps[1]


def test_show_goes_on_over_what_cannot_be_read(log):
    log.write_bytes(b"\xff\n[1]\n" + log.read_bytes())
    lines = run("show", log).stdout.splitlines()
    assert len(lines) == 9
    assert sum("not readable" in line and "audit.jsonl" in line for line in lines) == 2


def test_the_commands_are_listed():
    assert "audit" in CliRunner().invoke(main, ["--help"]).output
    assert all(name in run("--help").stdout for name in ("verify", "head", "show"))
