"""All rows of one training: read, expanded from templates, checked, divided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgefn.errors import DataError
from edgefn.registry import Registry
from edgefn.rows import Row, check_labels, read_rows

from .data import drop_seen, hold_out, split
from .sentences import expand
from .settings import TrainSettings
from .templates import find_templates, load_templates


@dataclass(frozen=True)
class Rows:
    """All rows of one training, divided."""

    train: tuple[Row, ...]
    """Learned from."""
    stop: tuple[Row, ...]
    """Decide when to stop, and the report."""
    calibration: tuple[Row, ...]
    """Seen by calibration only."""


def gather(registry: Registry | None, settings: TrainSettings) -> Rows:
    """Read, expand, check and divide the rows; nothing that is kept for later is trained on."""
    train = read_rows(settings.data) if settings.data is not None else ()
    if registry is not None:
        check_labels(train, registry.names, settings.data or "data")
        train = (*train, *_expanded(registry, settings))
    if not train:
        raise DataError("there are no rows to train on", hint="give --data rows.jsonl, or templates next to the tools")
    names = registry.names if registry is not None else sorted({row.tool for row in train if row.tool})
    if settings.valid is not None:
        held = read_rows(settings.valid)
        check_labels(held, names, settings.valid)
    else:
        train, held = hold_out(train, seed=settings.seed)
    train = drop_seen(train, held)
    _check_enough(train, names)
    stop, calibration = split(held, settings.calibration_share, settings.seed)
    known = {*names, None} if any(row.tool is None for row in train) else {*names}
    stop = tuple(row for row in stop or calibration if row.tool in known)
    if not stop:
        raise DataError("no rows are left to decide when to stop", hint="give more rows, or --valid rows.jsonl")
    return Rows(train, stop, calibration)


def _expanded(registry: Registry, settings: TrainSettings) -> list[Row]:
    sources = sorted({Path(tool.source) for tool in registry if tool.source})
    templates = load_templates(find_templates(sources))
    return [row for row in expand(templates, settings.per_tool, settings.seed) if row.tool in registry]


def _check_enough(rows: Sequence[Row], names: Sequence[str]) -> None:
    counts = Counter(row.tool for row in rows)
    empty = [name for name in names if not counts[name]]
    if empty:
        raise DataError(
            f"no row trains {', '.join(empty[:5])}{' …' if len(empty) > 5 else ''}",
            hint="add rows or sentence templates for each tool, or leave the tool out",
        )
    if len(counts) < 2:
        raise DataError(
            "one tool and nothing else: there is nothing to choose between",
            hint='add out-of-scope rows ("tool": null), or a second tool',
        )
