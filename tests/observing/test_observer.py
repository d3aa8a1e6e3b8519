"""An observer sees what happens, and can neither break a call nor hide what a tool raised."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
import tiny

from edgefn import Done, Failed, Outcome, ToolCall, ToolsWarning, tool
from edgefn.errors import ToolFailed


class Watcher:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    @contextmanager
    def running(self, call: ToolCall) -> Iterator[None]:
        self.seen.append(("enter", call.tool))
        try:
            yield
        finally:
            self.seen.append(("leave", call.tool))

    def concluded(self, outcome: Outcome) -> None:
        self.seen.append(type(outcome))


class Broken:
    """Raises where it is told to."""

    def __init__(self, where: str) -> None:
        self.where = where

    def running(self, call: ToolCall) -> AbstractContextManager[Any]:
        if self.where == "running":
            raise ValueError("running")
        return self if self.where in ("enter", "exit", "swallow") else nullcontext()

    def __enter__(self) -> None:
        if self.where == "enter":
            raise ValueError("enter")

    def __exit__(self, *_: object) -> bool:
        if self.where == "exit":
            raise ValueError("exit")
        return self.where == "swallow"

    def concluded(self, outcome: Outcome) -> None:
        if self.where == "concluded":
            raise ValueError("concluded")


@tool
def lamp_on() -> str:
    """Switch the lamp on."""
    raise OSError("no lamp")


def test_what_an_observer_sees():
    watcher = Watcher()
    home = tiny.dispatcher(settings={"observers": (watcher,)})
    home("lamp on")
    home("the weather please")
    assert [str(getattr(each, "__name__", each)) for each in watcher.seen] == [
        "('enter', 'lamp_on')",
        "('leave', 'lamp_on')",
        "Done",
        "Abstained",
    ]


def test_a_generator_may_let_pass_what_the_tool_raised():
    watcher = Watcher()
    outcome = tiny.dispatcher([lamp_on], settings={"observers": (watcher,)})("lamp on")
    assert isinstance(outcome.error, ToolFailed)
    assert watcher.seen[-1] is Failed


@pytest.mark.parametrize("where", ["running", "enter", "exit", "concluded"])
def test_an_observer_that_raises_is_a_warning(where):
    watcher = Watcher()
    home = tiny.dispatcher(settings={"observers": (Broken(where), watcher)})
    with pytest.warns(ToolsWarning, match=f"Broken raised ValueError: {where}"):
        outcome = home("lamp on")
    assert isinstance(outcome, Done)
    assert watcher.seen[-1] is Done


@pytest.mark.parametrize("where", ["exit", "swallow"])
@pytest.mark.filterwarnings("ignore::edgefn.ToolsWarning")
def test_an_observer_hides_nothing(where):
    outcome = tiny.dispatcher([lamp_on], settings={"observers": (Broken(where),)})("lamp on")
    assert "no lamp" in outcome.error.message
