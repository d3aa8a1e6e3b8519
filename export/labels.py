"""Training rows brought into the form that the heads learn from, and varied to be more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from edgefn.rows import Row
from edgefn.tool import Tool

from .align import aligned, alignment
from .augment import augmented
from .gather import Rows
from .schemas import normal_arguments
from .settings import TrainSettings

Say = Callable[[str], None]


def labelled(rows: Rows, tools: Mapping[str, Tool], say: Say) -> Rows:
    """Return all rows with arguments as the schemas ask for and a span for every value that stands in the text."""
    train = tuple(_labelled(rows.train, tools))
    found = alignment(train, tools.values())
    if found.found or found.missing:
        say(found.to_line())
    return replace(
        rows,
        train=train,
        stop=tuple(_labelled(rows.stop, tools)),
        calibration=tuple(_labelled(rows.calibration, tools)),
    )


def _labelled(rows: Iterable[Row], tools: Mapping[str, Tool]) -> Iterable[Row]:
    for row in rows:
        tool = tools.get(row.tool or "")
        if tool is None or not tool.parameters:
            yield row
        else:
            yield aligned(normal_arguments(row, tool), {each.name: each for each in tool.parameters})


def varied(rows: Sequence[Row], tools: Mapping[str, Tool], settings: TrainSettings) -> tuple[Row, ...]:
    """Return more training rows, made from `rows`: with other values, with typing errors; as many as `settings` say."""
    swaps, typos = (int(share * len(rows)) for share in (settings.swapped, settings.mistyped))
    return augmented(rows, list(tools.values()), swaps, typos, settings.seed) if swaps or typos else ()
