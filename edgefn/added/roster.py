"""Which tools a dispatcher knows at this moment: added, removed, replaced and corrected while calls are running."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from edgefn.added.lint import Finding, confusable, text_findings
from edgefn.added.making import RowMaker
from edgefn.added.table import Correction
from edgefn.added.thresholds import with_thresholds
from edgefn.added.toolrows import ToolRows
from edgefn.arguments.reader import reader_of
from edgefn.binding import checked
from edgefn.checking import shown, validator_of
from edgefn.errors import DuplicateTool, ToolDefinitionError, ToolsWarning
from edgefn.interpreter import Interpreter
from edgefn.manifest import TrainedTool
from edgefn.registry import Registry
from edgefn.tool import Tool

AnyTool: TypeAlias = Callable[..., Any] | Tool
_CLOSE = 3
"""How many names a hint offers."""
_TOLD = 5
"""Findings that are told of at once."""


class Roster:
    """The tools of one dispatcher; every change is made under one lock, and calls in flight never see half of it."""

    def __init__(
        self, interpreter: Interpreter, registry: Registry, trained: Iterable[TrainedTool], maker: RowMaker | None
    ) -> None:
        """Change `interpreter` and `registry` together; `maker` is None where the bundle accepts no added rows."""
        self._interpreter = interpreter
        self._selector = interpreter.selector
        self._registry = registry
        self._trained = {each.name: each for each in trained}
        self._maker = maker
        self._lock = threading.Lock()

    def add(self, items: Iterable[tuple[AnyTool, Iterable[str]]]) -> None:
        """Add tools, each with example utterances: all of them or, where one is refused, none.

        Raises:
            DuplicateTool: one of that name is there.
            ToolDefinitionError: it cannot be described, an example is no utterance, or the bundle takes no rows.
        """
        taken = [(as_tool(item), _texts(examples)) for item, examples in items]
        with self._lock:
            self._check_new([tool for tool, _ in taken])
            self._put(taken)

    def remove(self, name: str) -> Tool:
        """Take a tool out and return it; ToolDefinitionError when there is none of that name.

        A trained tool keeps its row in the competition: if it wins, the dispatcher abstains and names it.
        """
        with self._lock:
            if name not in self._registry:
                raise self._unknown(name)
            tool = self._registry.remove(name)
            if name in self._interpreter.table.added:
                self._interpreter.table = self._interpreter.table.without(name)
            return tool

    def replace(self, item: AnyTool, examples: Iterable[str]) -> None:
        """Put a tool in the place of the added one of its name; raises as `add` does, and then changes nothing."""
        tool, texts = as_tool(item), _texts(examples)
        with self._lock:
            if tool.name in self._trained:
                raise ToolDefinitionError(
                    f"{tool.name} is trained into the bundle", hint="add the new one under another name, or train again"
                )
            if tool.name not in self._registry:
                raise self._unknown(tool.name)
            self._put([(tool, texts)])

    def correct(self, text: str, tool: str | None) -> None:
        """Learn that `text` should call `tool`, or with None that no tool does; raises ToolDefinitionError.

        An added tool's row moves towards the utterance; a trained tool gets the utterance as a further row.
        """
        with self._lock:
            table = self._interpreter.table
            if tool not in table.names:
                raise self._unknown(tool)
            scores = self._makes().scores(text, tool or "none of these")
            changed = [each.without_example(text) for each in table.added.values() if text in each.texts]
            changed = [each for each in changed if each.tool.name != tool]
            rows = table.added.get(tool) if tool is not None else None
            if rows is not None:
                changed.append(rows.with_example(text, scores))
                table = table.uncorrected(text)
            else:
                table = table.corrected(Correction(tool, text, scores.embedding))
            self._interpreter.table = with_thresholds(table.with_tools(changed), changed, self._selector)

    def examples(self) -> dict[str, tuple[str, ...]]:
        """Return the example utterances of every added tool, corrections among them: what `add` takes next time."""
        return {name: rows.texts for name, rows in self._interpreter.table.added.items()}

    def lint(self) -> tuple[Finding, ...]:
        """Return what is wrong with the added tools, pairs that will be confused first."""
        rows = list(self._interpreter.table.added.values())
        return (*confusable(rows), *text_findings([each.tool for each in rows]))

    def _check_new(self, tools: Iterable[Tool]) -> None:
        seen: set[str] = set()
        for tool in tools:
            if tool.name in self._registry or tool.name in seen:
                raise DuplicateTool(f"a tool named {tool.name!r} is there", hint="use replace, or rename one")
            seen.add(tool.name)

    def _put(self, items: Sequence[tuple[Tool, tuple[str, ...]]]) -> None:
        """Make all rows first: where one cannot be made, nothing has changed."""
        # No list: its frame comes and goes with the version of Python, and warnings name the caller's line.
        tools = tuple(checked(tool, self._trained.get(tool.name)) for tool, _ in items)
        new = [self._rows(tool, texts) for tool, (_, texts) in zip(tools, items, strict=True) if self._is_new(tool)]
        taught = [
            Correction(tool.name, text, self._makes().scores(text, tool.name).embedding)
            for tool, (_, texts) in zip(tools, items, strict=True)
            if not self._is_new(tool)
            for text in texts
        ]
        table = self._interpreter.table
        if new:
            table = with_thresholds(table.with_tools(new), new, self._selector)
        for each in taught:
            table = table.corrected(each)
        _warn([*text_findings([each.tool for each in new]), *confusable(list(table.added.values()), new)])
        # The rows first: a tool that wins before it is registered is "not registered", which is true.
        self._interpreter.table = table
        for tool in tools:
            self._registry.put(tool)
            self._interpreter.know(tool)

    def _is_new(self, tool: Tool) -> bool:
        return tool.name not in self._trained

    def _rows(self, tool: Tool, texts: Sequence[str]) -> ToolRows:
        _check_text(tool)
        validator_of(tool.name, tool.schema)  # raises for a schema that could not be checked when the tool is called
        for parameter in tool.parameters:
            reader_of(parameter)
        return self._makes().rows(tool, texts)

    def _makes(self) -> RowMaker:
        if self._maker is None:
            raise ToolDefinitionError(
                "this bundle accepts no added tools: its classifier has a head of its own",
                hint="train with edgefn, or export a general bundle (`edgefn train --general`)",
            )
        return self._maker

    def _unknown(self, name: str | None) -> ToolDefinitionError:
        import difflib  # only who mistypes a name pays for it

        known = [each for each in self._interpreter.table.names if each is not None]
        close = difflib.get_close_matches(str(name), known, _CLOSE) or known[:_CLOSE]
        return ToolDefinitionError(f"no tool is named {name!r}", hint=f"the nearest: {', '.join(close) or 'none'}")


def as_tool(item: AnyTool) -> Tool:
    """Return a function as a tool, and a tool as it is."""
    return item if isinstance(item, Tool) else Tool.from_function(item)


def _check_text(tool: Tool) -> None:
    try:
        tool.description.encode()
    except UnicodeEncodeError as exc:
        raise ToolDefinitionError(
            f"{tool.name}: its description is not valid Unicode text", hint="remove the lone surrogates"
        ) from exc


def _texts(examples: Iterable[str]) -> tuple[str, ...]:
    texts = (examples,) if isinstance(examples, str) else tuple(examples)
    if isinstance(examples, str) or not all(isinstance(each, str) for each in texts):
        raise ToolDefinitionError(f"examples are {shown(examples)}", hint="give a list of utterances, each a str")
    return texts


def _warn(found: Sequence[Finding]) -> None:
    """Tell about the first few; `Roster.lint` has all."""
    for each in found[:_TOLD]:
        warnings.warn(f"{each.message}; {each.hint}", ToolsWarning, stacklevel=5)
    if len(found) > _TOLD:
        warnings.warn(f"and {len(found) - _TOLD} more; dispatcher.lint() names them", ToolsWarning, stacklevel=5)
