"""The threshold of an added tool from its own examples: each is asked as if it were not one of them.

The bundle's threshold comes from other tools. Where a tool's examples, left out one by one, would be turned away by it,
the tool's own threshold goes down to the least sure of them, as long as no example of another tool would be let in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from edgefn.added.table import Table
from edgefn.added.toolrows import ToolRows, unit
from edgefn.encoder import Floats, Scores
from edgefn.selection import Selector

LEAST_EXAMPLES = 3
"""Fewer examples say nothing about a threshold."""
_NEAREST = 8
"""Examples of other tools that are looked at: those nearest to the row."""
FLOOR = 0.25
"""No tool is accepted below this probability, whatever its examples say."""


def with_thresholds(table: Table, new: Iterable[ToolRows], selector: Selector) -> Table:
    """Return the table with the own thresholds of its tools `new`."""
    asked = [each for each in new if len(each.texts) >= LEAST_EXAMPLES]
    if not asked:
        return table
    said = [(each, number) for each in table.added.values() for number in range(len(each.texts))]
    embeddings = np.stack([each.examples[number] for each, number in said])
    judged = []
    for rows in asked:
        nearest = np.argsort(-(embeddings @ rows.row))[: _NEAREST + len(rows.texts)]
        others = [said[index] for index in nearest.tolist() if said[index][0] is not rows]
        judged.append(rows.accepted_from(_threshold(rows, others, table, selector)))
    return table.with_tools(judged)


def _threshold(
    rows: ToolRows, others: Sequence[tuple[ToolRows, int]], table: Table, selector: Selector
) -> float | None:
    """Return P(tool) from which on a tool is accepted; None for the bundle's own threshold."""
    at = table.names.index(rows.tool.name)
    total = rows.described + rows.examples.sum(0)
    own = [
        _probability(selector, table, rows, number, at, unit(total - each)) for number, each in enumerate(rows.examples)
    ]
    let_in = [_probability(selector, table, each, number, at) for each, number in others]
    least = max(FLOOR, min(own), math.nextafter(max(let_in, default=0.0), 1.0))
    return least if least < selector.added_threshold else None


def _probability(
    selector: Selector, table: Table, asked: ToolRows, number: int, at: int, row: Floats | None = None
) -> float:
    """Return P(the tool at logit `at`) for an example of `asked`, its row replaced by `row` where one is given."""
    embedding = asked.examples[number]
    nothing = np.zeros(0, np.float32)
    logits = table.logits(Scores(asked.against[number], nothing, nothing, embedding))
    if row is not None:
        logits[at] = table.scale * float(row @ embedding) + table.bias_of(len(asked.texts) - 1)
    return selector.added_probability(selector.added_log_p(logits, at), table.count)
