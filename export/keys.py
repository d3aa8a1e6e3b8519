"""Which rows the heads get, and which of them each training row asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from edgefn.arguments.keys import (
    OUTSIDE,
    ChoiceGroup,
    Slot,
    choice_groups,
    choice_text,
    choice_values,
    is_list,
    type_of,
)
from edgefn.checking import validator_of
from edgefn.errors import CheckpointError, ToolDefinitionError
from edgefn.manifest import Heads, TrainedTool
from edgefn.rows import Row, Span
from edgefn.schema import SAID_AS
from edgefn.tool import Tool
from edgefn.words import Word

UNLABELLED = -100
"""The label that a loss passes over."""

_IMPLIED_ROWS = 3
"""In how many rows a value must be given without a span to get a choice row."""
_MOST_IMPLIED = 200
"""How many such values one parameter may have."""
_SHOWN = 10
"""How many values a hint shows."""


def head_keys(tools: Sequence[Tool], rows: Sequence[Row], with_none: bool) -> Heads:
    """Return the rows of all three heads for `tools` and training `rows`, whose arguments have the schemas' form.

    Sorted by name, so that neither the order of tools nor that of parameters, schema keys or rows matters.
    """
    slots = sorted(_slots(tools, rows))
    tagged = [(tag, *slot) for slot in slots for tag in ("B", "I")]
    values = _choices(tools, rows)
    choices = [(*slot, value) for slot in sorted(values) for value in (None, *sorted(values[slot]))]
    names = sorted(tool.name for tool in tools)
    return Heads(
        tools=(*names, *([None] if with_none else [])),
        choices=tuple(choices),
        slots=(OUTSIDE, *tagged),  # alone, it is what added tools' slots are told from
    )


def slot_labels(row: Row, tool: Tool | None, words: Sequence[Word], heads: Heads) -> list[int]:
    """Return the column of `slot_logits` that each word should get; `tool` is the row's, None for no tool.

    A word belongs to the span that covers at least half of it.
    """
    column = _numbered(heads).slots
    types = {} if tool is None else {each.name: type_of(each.schema) for each in tool.parameters}
    labels, before = [], None
    for word in words:
        span = next((each for each in row.spans if covers(each, word)), None)
        tag = "I" if span is not None and span == before else "B"
        key = OUTSIDE if span is None else (tag, span[2], types.get(span[2], ""))
        labels.append(column.get(key, 0))
        before = span
    return labels


def choice_targets(row: Row, tool: Tool | None, heads: Heads) -> list[int]:
    """Return, for every group of `choice_groups(heads)`, the row of `choice_logits` that is right.

    UNLABELLED for parameters that `tool` lacks, and for values that have no row. A parameter that is filled from
    its span is *not said*, unless it is an enum or a boolean.
    """
    numbered = _numbered(heads)
    schemas = {} if tool is None else {(each.name, type_of(each.schema)): each.schema for each in tool.parameters}
    return [
        _target(row, group, schemas.get((group.parameter, group.type)), numbered.choices) for group in numbered.groups
    ]


@dataclass(frozen=True)
class _Numbered:
    """The rows of the heads by their keys."""

    slots: Mapping[tuple[str, str, str], int]
    """Column of `slot_logits`."""
    choices: Mapping[tuple[str, str, str | None], int]
    """Row of `choice_logits`."""
    groups: tuple[ChoiceGroup, ...]
    """The softmaxes."""


@lru_cache(maxsize=4)
def _numbered(heads: Heads) -> _Numbered:
    slots = {key: index for index, key in enumerate(heads.slots)}
    return _Numbered(slots, {key: index for index, key in enumerate(heads.choices)}, choice_groups(heads))


def check_keys(tools: Iterable[TrainedTool], heads: Heads) -> None:
    """Raise CheckpointError when a parameter's schema asks for rows that the heads do not have.

    Schemas may be edited in a checkpoint's config.json; rows are trained and cannot be added there.
    """
    if not heads.slots and not heads.choices:
        return
    slots = {(parameter, kind) for _tag, parameter, kind in heads.slots}
    values: dict[Slot, set[str]] = {}
    for parameter, kind, value in heads.choices:
        values.setdefault((parameter, kind), set()).update([] if value is None else [value])
    for tool in map(_read, tools):
        for each in tool.parameters:
            problem = _problem((each.name, type_of(each.schema)), each.schema, slots, values)
            if problem:
                message = f"config.json: {tool.name}, parameter {each.name!r}: {problem[0]}"
                raise CheckpointError(message, hint=problem[1])


def _read(tool: TrainedTool) -> Tool:
    """Return a tool as its schema describes it; CheckpointError where that is no schema."""
    try:
        read = Tool.select_only(tool.name, tool.description, tool.parameters)
        validator_of(tool.name, read.schema)
    except ToolDefinitionError as exc:
        raise CheckpointError(f"config.json: {exc.message}", hint="undo the edit, or train again") from exc
    return read


def _problem(
    slot: Slot, schema: Mapping[str, Any], slots: Collection[Slot], values: Mapping[Slot, Collection[str]]
) -> tuple[str, str] | None:
    """Return what a schema asks for in vain and what to do; None where the heads have all rows."""
    name, kind = slot
    closed = choice_values(schema)
    if not _is_said_as(schema.get(SAID_AS, {})):
        return f"{SAID_AS} is not understood", 'it looks like {"Living Room": ["lounge", "front room"]}'
    if slot not in values and (closed is not None or slot not in slots):
        trained = sorted(other for parameter, other in {*slots, *values} if parameter == name)
        back = f"write back the type {' or '.join(trained)}" if trained else "remove the parameter"
        what = "values to choose from" if closed is not None and kind in trained else f"type {kind}"
        return f"it was not trained with {what}", f"{back}, or train again"
    strange = [text for text in map(choice_text, closed or ()) if text not in values[slot]]
    if strange:
        known = ", ".join(sorted(values[slot])[:_SHOWN])
        return f"the value {strange[0]!r} was not trained", f"trained values: {known}; or train again"
    return None


def _is_said_as(said_as: Any) -> bool:
    return isinstance(said_as, dict) and all(
        isinstance(forms, list) and all(isinstance(form, str) for form in forms) for forms in said_as.values()
    )


def _slots(tools: Sequence[Tool], rows: Iterable[Row]) -> set[Slot]:
    """Return what gets slot columns: every parameter but enums and booleans, and those too where rows span them."""
    spanned = {(row.tool, parameter) for row in rows for _start, _end, parameter in row.spans}
    return {
        (each.name, type_of(each.schema))
        for tool in tools
        for each in tool.parameters
        if choice_values(each.schema) is None or (tool.name, each.name) in spanned
    }


def _choices(tools: Sequence[Tool], rows: Iterable[Row]) -> dict[Slot, set[str]]:
    """Return the values, as text, that get choice rows."""
    values: dict[Slot, set[str]] = {}
    schemas: dict[str, dict[str, Mapping[str, Any]]] = {}
    for tool in tools:
        schemas[tool.name] = {each.name: each.schema for each in tool.parameters}
        for each in tool.parameters:
            closed = choice_values(each.schema)
            if closed is not None:
                values.setdefault((each.name, type_of(each.schema)), set()).update(map(choice_text, closed))
    for slot, counts in _implied(schemas, rows).items():
        often = sorted((-count, text) for text, count in counts.items() if count >= _IMPLIED_ROWS)
        if often:
            values.setdefault(slot, set()).update(text for _count, text in often[:_MOST_IMPLIED])
    return values


def _implied(schemas: Mapping[str, Mapping[str, Mapping[str, Any]]], rows: Iterable[Row]) -> dict[Slot, Counter[str]]:
    """Count the values, as text, that rows give without a span to parameters that are neither enum nor boolean."""
    counts: dict[Slot, Counter[str]] = {}
    for row in rows:
        for name, schema in schemas.get(row.tool or "", {}).items():
            text = _unspanned(row, name, schema)
            if text is not None and choice_values(schema) is None:
                counts.setdefault((name, type_of(schema)), Counter())[text] += 1
    return counts


def _unspanned(row: Row, name: str, schema: Mapping[str, Any]) -> str | None:
    """Return the value, as text, of an argument that no span fills; None where there is none, or no single one."""
    value = row.arguments.get(name)
    if value is None or any(span[2] == name for span in row.spans):
        return None
    if not is_list(schema):
        return choice_text(value)
    # A list of one is keyed as its item; a longer one has no row.
    return choice_text(value[0]) if isinstance(value, list) and len(value) == 1 else None


def _target(
    row: Row,
    group: ChoiceGroup,
    schema: Mapping[str, Any] | None,
    row_of: Mapping[tuple[str, str, str | None], int],
) -> int:
    if schema is None:
        return UNLABELLED
    value = row.arguments.get(group.parameter)
    spanned = any(span[2] == group.parameter for span in row.spans)
    if value is None or (spanned and choice_values(schema) is None):
        return row_of[group.parameter, group.type, None]
    text = _unspanned(row, group.parameter, schema) if not spanned else choice_text(value)
    return UNLABELLED if text is None else row_of.get((group.parameter, group.type, text), UNLABELLED)


def covers(span: Span, word: Word) -> bool:
    """Tell whether at least half of a word lies in a span."""
    start, end, _parameter = span
    return 2 * (min(end, word.end) - max(start, word.start)) >= word.end - word.start
