"""What stands in the log about a dispatch, and what does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny

from edgefn import Answered, Done, Policy, Rule, Session, tool
from edgefn.audit.log import AuditLog
from edgefn.audit.recorder import Recorder
from edgefn.audit.verification import verify


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "audit.jsonl"


def opened(file: Path, show: tuple[str, ...] = (), utterances: bool = False, **settings: Any) -> Any:
    functions, _ = tiny.functions()
    lamp_on, lamp_off, set_timer = functions
    recorder = Recorder(AuditLog(file), show=show, utterances=utterances)
    here = [lamp_on, tool(destructive=True)(lamp_off), set_timer]
    return tiny.dispatcher(here, settings={"recorder": recorder, **settings})


def lines(file: Path) -> list[dict[str, Any]]:
    """Return what was written after the line that names the bundle."""
    first, *rest = (json.loads(line) for line in file.read_text().splitlines())
    assert (first["event"], first["bundle"]) == ("loaded", "sha256:tiny")
    return rest


def test_an_outcome(file):
    with opened(file) as home:
        outcome = home("set a timer ten minutes", session=Session(role="visitor"))
    (line,) = lines(file)
    assert outcome.trace.line == line["n"] == 2
    assert line["id"] == outcome.trace.id
    assert (line["event"], line["outcome"], line["tool"], line["role"]) == ("outcome", "done", "set_timer", "visitor")
    assert line["arguments"] == {"minutes": "<int>"}
    assert line["probability"] == outcome.call.probability
    assert (line["policy"], line["path"], line["attempts"], line["from_cache"]) == ("run", "model", 1, False)
    assert "ten" not in file.read_text()


@pytest.mark.parametrize(
    ("show", "minutes", "label"),
    [
        ((), "<int>", "<str>"),
        (("set_timer.minutes",), 10, "<str>"),
        (("set_timer",), 10, "pasta"),
        (("*",), 10, "pasta"),
        (("lamp_on",), "<int>", "<str>"),
    ],
)
def test_values_are_written_only_where_the_application_says_so(file, show, minutes, label):
    with opened(file, show) as home:
        home("set a pasta timer ten minutes")
    assert lines(file)[0]["arguments"] == {"minutes": minutes, "label": label}


def test_utterances_are_written_only_where_the_application_says_so(file):
    with opened(file, utterances=True) as home:
        home("the weather please \ud800")
        home("the weather please")
    assert [each["utterance"] for each in lines(file)] == ["the weather please \ud800", "the weather please"]


def test_a_destructive_call_has_its_intent_before_it_and_its_outcome_after_it(file):
    with opened(file) as home:
        asked = home("lamp off")
        home("yes", asked.pending)
    asked_line, intent, outcome = lines(file)
    assert asked_line["outcome"] == "needs_confirmation"
    assert (intent["event"], intent["tool"], intent["opens"]) == ("intent", "lamp_off", True)
    assert (outcome["outcome"], outcome["closes"], outcome["path"]) == ("done", intent["n"], "answer")
    assert not verify(file).open


def test_every_kind_of_outcome_has_a_line(file):
    policy = Policy(deny={"*": ("set_timer",)}, hints={"destructive": Rule(isolated=False)})
    with opened(file, policy=policy, fallback=lambda text, abstained: "a person comes") as home:
        assert isinstance(home("sing"), Answered)
        home("set a timer")
        home("")
        home("call gone()")
        home("lamp off")
        asyncio.run(home.acall("lamp on"))
    found = [(each["outcome"], each.get("reason") or each.get("error"), each["path"]) for each in lines(file)]
    assert found == [
        ("answered", None, "fallback"),
        ("abstained", "denied", "model"),
        ("abstained", "empty", "model"),
        ("failed", "ExplicitCallError", "explicit"),
        ("needs_confirmation", None, "model"),
        ("done", None, "model"),
    ]


def test_loading_with_a_file(file, bundle):
    import edgefn

    functions, _ = tiny.functions()
    with edgefn.load(bundle, functions, threads=1, audit=file) as home:
        assert isinstance(home("lamp on"), Done)
        assert home.unknown == ()
    assert verify(file).head.number == 2


def test_a_tool_that_is_switched_on_again(file):
    with opened(file) as home:
        home.reset("lamp_on")
    (line,) = lines(file)
    assert (line["event"], line["tool"]) == ("reset", "lamp_on")
