"""Judge a bundle on rows with known answers, on the path the device runs: batch 1, no padding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np

from edgefn.arguments.keys import choice_values, is_list, type_of
from edgefn.arguments.reader import is_name
from edgefn.interpreter import Interpretation, Interpreter
from edgefn.iso8601 import PARSERS, parse_datetime
from edgefn.metrics import Flags, Floats, auroc, expected_calibration_error, mean, scope_weights
from edgefn.outcome import AbstainReason
from edgefn.rows import Row
from edgefn.schema import Parameter
from edgefn.tool import Tool


@dataclass(frozen=True, slots=True)
class ArgumentCount:
    """How often one parameter, or one kind of value, was right."""

    right: int = 0
    """Equal to what the row says, or left out as it does."""
    rows: int = 0
    """Rows of the right tool where either side gives a value."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a bundle answered to rows, beside what was right. All arrays are [rows]."""

    best: tuple[str | None, ...]
    """Best tool of each row; None where the text never reached the engine."""
    arguments: tuple[Mapping[str, Any], ...]
    """JSON values of its arguments."""
    probability: Floats
    """The number that is thresholded; 0 where the text never reached the engine."""
    in_scope: Flags
    """The row belongs to a tool."""
    tool_right: Flags
    """The best tool is the row's tool."""
    right: Flags
    """The whole call is right: the tool and every argument are the row's."""
    slot_f1: float
    """Exact spans of in-scope rows, harmonic mean of precision and recall; nan without spans."""
    by_parameter: Mapping[str, ArgumentCount]
    """Argument accuracy by name of the parameter."""
    by_kind: Mapping[str, ArgumentCount]
    """Argument accuracy by kind of value."""

    def numbers(self, threshold: float, out_of_scope_share: float) -> dict[str, float]:
        """Return the defined numbers at `threshold`, `ece_all` weighted to `out_of_scope_share`."""
        # A threshold of 0 accepts every call; a text that never reached the engine is no call.
        inside, accepted = self.in_scope, (self.probability >= threshold) & (self.probability > 0)
        weights = scope_weights(inside, out_of_scope_share)
        return {
            "tool_accuracy": mean(self.tool_right[inside]),
            "exact_call": mean(self.right[inside]),
            "slot_f1": self.slot_f1,
            "in_scope_kept": mean((self.right & accepted)[inside]),
            "out_of_scope_recall": mean(~accepted[~inside]),
            "accepted_accuracy": mean(self.right[accepted]),
            "auroc": auroc(self.probability[inside], self.probability[~inside]),
            "ece": expected_calibration_error(self.probability[inside], self.right[inside]),
            "ece_all": expected_calibration_error(self.probability, self.right, weights),
        }


Watch: TypeAlias = Callable[[Sequence[Row]], Iterable[Row]]


def judge(interpreter: Interpreter, rows: Sequence[Row], watch: Watch = iter) -> Judged:
    """Run every row once, one by one; `watch` goes through the rows and may show how far it is."""
    return judged(interpreter, rows, [interpreter.interpret(row.text, now_of(row)) for row in watch(rows)])


def judged(interpreter: Interpreter, rows: Sequence[Row], found: Sequence[Interpretation | AbstainReason]) -> Judged:
    """Compare what was understood with the rows, one each."""
    read = [None if isinstance(each, str) else each for each in found]
    in_scope = np.array([row.tool is not None for row in rows], dtype=bool)
    best = tuple(None if each is None else each.tool.name for each in read)
    tool_right = np.array([row.tool == tool for row, tool in zip(rows, best, strict=True)], dtype=bool) & in_scope
    said = tuple({} if each is None else dict(each.filled.arguments) for each in read)
    right = np.array([whole_call_right(row, each) for row, each in zip(rows, read, strict=True)], dtype=bool)
    by_parameter, by_kind = _argument_counts(interpreter, rows, said, tool_right)
    return Judged(
        best, said, np.array([0.0 if each is None else each.probability for each in read]), in_scope, tool_right,
        right, _slot_f1(rows, read), by_parameter, by_kind,
    )  # fmt: skip


def now_of(row: Row) -> datetime:
    """Return the moment that a row was said, `context["now"]` in ISO 8601; the present where it does not tell."""
    told = (row.context or {}).get("now")
    return parse_datetime(told) if isinstance(told, str) else datetime.now()


def whole_call_right(row: Row, found: Interpretation | None) -> bool:
    """Tell whether the tool and every argument are the row's, and nothing was said that fits nowhere."""
    if found is None or found.tool.name != row.tool or any(each.problem for each in found.filled.evidence):
        return False
    said, gold = meant(found.tool, found.filled.arguments, row), meant(found.tool, row.arguments, row)
    return same_arguments(said, gold)


def meant(tool: Tool, arguments: Mapping[str, Any], row: Row) -> dict[str, Any]:
    """Return arguments in the one form in which two calls of a tool that do the same are equal.

    A value that the row's `context` supplies, such as the room, is added where none was said; a value that is the
    default is left out; a value alone, where the tool takes a list, is a list of one; dates and times are read.
    """
    parameters = {each.name: each for each in tool.parameters}
    context = {name: value for name, value in (row.context or {}).items() if name in parameters}
    full = {**context, **arguments}
    formed = {name: _formed(parameters[name], value) if name in parameters else value for name, value in full.items()}
    return {
        name: value
        for name, value in formed.items()
        if name not in parameters or not _is_default(parameters[name], value)
    }


def _formed(parameter: Parameter, value: Any) -> Any:
    if is_list(parameter.schema):
        return [_read(parameter, item) for item in (value if isinstance(value, list | tuple) else [value])]
    return _read(parameter, value)


def _read(parameter: Parameter, value: Any) -> Any:
    parser = PARSERS.get(type_of(parameter.schema))
    try:
        return parser(value) if parser is not None and isinstance(value, str) else value
    except ValueError:
        return value


def _is_default(parameter: Parameter, value: Any) -> bool:
    if "default" in parameter.schema:
        return _same(value, _formed(parameter, parameter.schema["default"]))
    if parameter.required or parameter.annotation is Any:
        return False
    return _same(value, _formed(parameter, parameter.kind.write(parameter.default)))


def same_arguments(said: Mapping[str, Any], gold: Mapping[str, Any]) -> bool:
    """Compare arguments: strings casefolded with spaces collapsed, numbers by value, lists in order."""
    return said.keys() == gold.keys() and all(_same(said[name], gold[name]) for name in said)


def _same(said: Any, gold: Any) -> bool:
    if isinstance(said, str) and isinstance(gold, str):
        return said.casefold().split() == gold.casefold().split()
    if isinstance(said, list) and isinstance(gold, list):
        return len(said) == len(gold) and all(map(_same, said, gold))
    if isinstance(said, bool) or isinstance(gold, bool):
        return said is gold
    return bool(said == gold)


def _argument_counts(
    interpreter: Interpreter, rows: Sequence[Row], said: Sequence[Mapping[str, Any]], tool_right: Flags
) -> tuple[dict[str, ArgumentCount], dict[str, ArgumentCount]]:
    """Count right arguments of the rows whose tool is right, by parameter and by kind."""
    counts: tuple[dict[str, ArgumentCount], dict[str, ArgumentCount]] = ({}, {})
    for at in np.flatnonzero(tool_right).tolist():
        tool = interpreter.tool(str(rows[at].tool))
        got, gold = meant(tool, said[at], rows[at]), meant(tool, rows[at].arguments, rows[at])
        kinds = {each.name: kind_of_value(each) for each in tool.parameters}
        for name in sorted(got.keys() | gold.keys()):
            right = name in got and name in gold and _same(got[name], gold[name])
            for count, key in zip(counts, (name, kinds.get(name, "unknown")), strict=True):
                before = count.get(key, ArgumentCount())
                count[key] = ArgumentCount(before.right + right, before.rows + 1)
    return counts


def kind_of_value(parameter: Parameter) -> str:
    """Return the kind of a parameter's value: choice, name, list, or its type."""
    if is_list(parameter.schema):
        return "list"
    if choice_values(parameter.schema) is not None:
        return "choice"
    return "name" if is_name(parameter) else type_of(parameter.schema)


def _slot_f1(rows: Sequence[Row], read: Sequence[Interpretation | None]) -> float:
    """Return F1 over exact spans (seqeval's convention), in-scope rows."""
    found = said = right = 0
    for row, each in zip(rows, read, strict=True):
        if row.tool is None:
            continue
        gold = set(row.spans)
        got = {(e.start, e.end, e.parameter) for e in each.filled.spans} if each is not None else set()
        found, said, right = found + len(got), said + len(gold), right + len(got & gold)
    return 2 * right / (found + said) if found + said else float("nan")


def kept_at_recall(judged: Judged, recall: float) -> float:
    """Return the share of in-scope rows accepted and right at the loosest threshold that refuses `recall` out of scope.

    nan when there are no out-of-scope rows.
    """
    outside = np.sort(judged.probability[~judged.in_scope])
    if not len(outside):
        return float("nan")
    refused = min(int(np.ceil(recall * len(outside))), len(outside))
    threshold = np.nextafter(outside[refused - 1], 2.0) if refused else 0.0
    return mean((judged.right & (judged.probability >= threshold))[judged.in_scope])
