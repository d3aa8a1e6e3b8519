"""`edgefn ask` with a policy, a role, an audit log and a trace; how it talks is tested with the other commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tiny
from click.testing import CliRunner

from edgefn.audit.log import AuditLog
from edgefn.audit.verification import verify
from edgefn.cli import main

POLICY = {
    "rules": {"lamp_on": {"roles": ["staff"]}, "lamp_off": {"action": "confirm"}},
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tiny.tools_file(tmp_path)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(POLICY))
    return path


def ask(bundle: Path, *arguments: Any, given: str | None = None) -> Any:
    return CliRunner().invoke(main, ["ask", str(bundle), *map(str, arguments)], input=given)


def test_a_policy_and_a_role(bundle, home, policy):
    denied = ask(bundle, "lamp on", "--tools", home, "--policy", policy)
    assert denied.exit_code == 3
    assert "denied" in denied.stdout
    allowed = ask(bundle, "lamp on", "--tools", home, "--policy", policy, "--role", "staff")
    assert allowed.exit_code == 0
    assert allowed.stdout.endswith("\non\n")


def test_a_confirmation_in_a_conversation(bundle, home, policy):
    found = ask(bundle, "--tools", home, "--policy", policy, given="lamp off\nwait\nyes, go ahead\nlamp off\n不要\n")
    said = found.stdout.splitlines()
    assert said.count("Switch the lamp off. Shall I go ahead?") == 3
    assert said.count("off") == 1
    assert "cancelled" in said[-1]


def test_a_trace(bundle, home):
    found = ask(bundle, "lamp on", "--tools", home, "--trace")
    assert "threshold 0.700" in found.stderr
    assert "policy: run" in found.stderr
    plain = json.loads(ask(bundle, "lamp on", "--tools", home, "--trace", "--json").stdout)
    assert plain["outcome"] == "done"
    assert plain["trace"]["verdict"]["action"] == "run"


def test_an_audit_log(bundle, home, tmp_path):
    log = tmp_path / "audit.jsonl"
    for _ in range(2):
        assert ask(bundle, "lamp on", "--tools", home, "--audit", log).exit_code == 0
    assert verify(log).head.number == 4  # each time which bundle, and what it did


def test_a_call_of_unknown_outcome_is_told(bundle, home, tmp_path):
    log = tmp_path / "audit.jsonl"
    with AuditLog(log) as left:
        left.append("intent", {"tool": "lamp_off"}, intent=True)
    found = ask(bundle, "lamp on", "--tools", home, "--audit", log)
    assert "Unknown outcome: lamp_off was about to run" in found.stderr
    assert "Unknown" not in ask(bundle, "lamp on", "--tools", home, "--audit", log).stderr


def test_a_malformed_line_names_no_tool(bundle, home):
    found = ask(bundle, "call lamp_on(", "--tools", home)
    assert found.exit_code == 5
    assert found.stdout.startswith("failed: character")


def test_an_explicit_call(bundle, home):
    found = ask(bundle, 'call function("set_timer", {"minutes": 3}, "timer: 3")', "--tools", home)
    assert found.exit_code == 0
    assert found.stdout.endswith("timer: 3\nas expected\n")
    other = ask(bundle, 'call function("set_timer", [3], 4)', "--tools", home)
    assert "not as expected: 4" in other.stdout
    wrong = ask(bundle, "call set_timr(3)", "--tools", home)
    assert wrong.exit_code == 5
    assert "no tool is named 'set_timr'" in wrong.stdout


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [("{}", 0, ""), ("{", 1, "policy.json"), ('{"rules": {"lamp_on": {"tmeout": 3}}}', 1, "timeout")],
)
def test_a_policy_that_cannot_be_read(bundle, home, policy, text, code, said):
    policy.write_text(text)
    found = ask(bundle, "lamp on", "--tools", home, "--policy", policy)
    assert found.exit_code == code
    assert said in found.stderr
    assert "Traceback" not in found.stderr


def test_a_log_that_cannot_be_opened(bundle, home, tmp_path):
    found = ask(bundle, "lamp on", "--tools", home, "--audit", tmp_path)
    assert found.exit_code == 1
    assert "Traceback" not in found.stderr
