"""What is wrong with the descriptions of tools: pairs that will be confused, and what to add."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from edgefn.added.toolrows import ToolRows
from edgefn.tool import Tool

Kind: TypeAlias = Literal["confusable", "same_description", "no_description", "undescribed_parameter"]

CONFUSABLE = 0.68
"""Cosine of two tools' rows from which on they are called confusable; docs/adding.md says how it was chosen."""
_MOST_PAIRS = 50
"""Pairs that are named, nearest first."""
_KEPT_PAIRS = 20 * _MOST_PAIRS
"""Pairs that are held while the nearest are looked for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    kind: Kind
    """What."""
    tools: tuple[str, ...]
    """The tools it is about."""
    message: str
    """In a sentence."""
    hint: str
    """What to add."""


def text_findings(tools: Collection[Tool]) -> Iterator[Finding]:
    """Yield what shows without a model: descriptions that are missing or the same."""
    first: dict[str, str] = {}
    for tool in tools:
        said = tool.description.casefold().rstrip(".")
        if not said:
            yield Finding(
                "no_description", (tool.name,), f"{tool.name} has no description: its name is all it is known by",
                "describe in a sentence what it does, or add it with examples",
            )  # fmt: skip
        elif said in first:
            yield Finding(
                "same_description", (first[said], tool.name),
                f"{first[said]} and {tool.name} have the same description",
                "say in each what the other does not do, or add both with examples",
            )  # fmt: skip
        else:
            first[said] = tool.name
        for each in tool.parameters:
            if not each.description:
                yield Finding(
                    "undescribed_parameter", (tool.name,), f"{tool.name}: {each.name} is not described",
                    "describe it: its words are found, and asked for, by its description",
                )  # fmt: skip


def confusable(rows: Sequence[ToolRows], among: Sequence[ToolRows] | None = None) -> list[Finding]:
    """Return the pairs whose rows are nearly one, nearest first: of `among` with any other, None for all."""
    if len(rows) < 2:
        return []
    matrix = np.stack([each.row for each in rows])
    number = {each.tool.name: at for at, each in enumerate(rows)}
    pairs: dict[tuple[int, int], float] = {}
    for one in sorted(number[each.tool.name] for each in (rows if among is None else among)):
        near = matrix @ matrix[one]
        near[one] = 0.0
        close = np.flatnonzero(near >= CONFUSABLE)
        for other in close[np.argsort(-near[close], kind="stable")[:_MOST_PAIRS]].tolist():
            pairs.setdefault((min(one, other), max(one, other)), float(near[other]))
        if len(pairs) > _KEPT_PAIRS:  # thousands of tools that are all alike have millions
            pairs = dict(_nearest(pairs))
    return [_pair(rows[one], rows[other], cosine) for (one, other), cosine in _nearest(pairs)]


def _nearest(pairs: Mapping[tuple[int, int], float]) -> list[tuple[tuple[int, int], float]]:
    return sorted(pairs.items(), key=lambda each: -each[1])[:_MOST_PAIRS]


def _pair(one: ToolRows, other: ToolRows, cosine: float) -> Finding:
    bare = [each.tool.name for each in (one, other) if not each.texts]
    hint = (
        f"add examples of what people say for {' and '.join(bare)}, five are a good start"
        if bare
        else "say in each description what the other does not do; their examples are alike too"
    )
    names = (one.tool.name, other.tool.name)
    return Finding("confusable", names, f"{names[0]} and {names[1]} will be confused (cosine {cosine:.2f})", hint)
