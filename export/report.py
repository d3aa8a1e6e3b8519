"""How well each tool is told from the others: numbers, text and a picture."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgefn.errors import DataError, MissingExtra

from .data import write_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Confusion", "Report", "ToolScore", "save_confusion_picture", "tool_report"]

NO_TOOL = "none of these"
_MOST_CONFUSED = 10
_PICTURED = 30  # tools that fit on one picture with their names readable


@dataclass(frozen=True, slots=True)
class ToolScore:
    """How well one tool is recognised."""

    tool: str | None
    """Name of the tool; None is "none of these"."""
    precision: float
    """Share of the rows predicted as this tool that are this tool; 0 when there are none."""
    recall: float
    """Share of the rows of this tool that are predicted as it; 0 when there are none."""
    f1: float
    """Harmonic mean of precision and recall."""
    support: int
    """Rows of this tool."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many rows of one tool were taken for another."""

    gold: str | None
    """The right tool; None is "none of these"."""
    predicted: str | None
    """The predicted tool; the same as `gold` where the prediction is right."""
    count: int
    """Number of rows."""


@dataclass(frozen=True, slots=True)
class Report:
    """Scores of every tool that occurs as label or prediction."""

    rows: int
    """Rows that were compared."""
    accuracy: float
    """Share of the rows with the right prediction."""
    macro_f1: float
    """Mean of the tools' F1."""
    tools: tuple[ToolScore, ...]
    """One score for each tool by name, "none of these" last."""
    pairs: tuple[Confusion, ...]
    """Every pair of label and prediction that occurs, right ones included, most frequent first."""

    @property
    def confused(self) -> tuple[Confusion, ...]:
        """The ten most frequent wrong pairs."""
        return tuple(pair for pair in self.pairs if pair.gold != pair.predicted)[:_MOST_CONFUSED]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; None stays null."""
        return {
            "rows": self.rows,
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "tools": [_fields(score) for score in self.tools],
            "confused": [_fields(pair) for pair in self.confused],
        }

    def to_text(self) -> str:
        """Return a table of the tools, worst F1 first, and the most confused pairs."""
        head = f"{self.rows} rows, accuracy {self.accuracy:.3f}, macro F1 {self.macro_f1:.3f}"
        ordered = sorted(self.tools, key=lambda score: score.f1)
        scores = [
            (_shown(s.tool), f"{s.precision:.3f}", f"{s.recall:.3f}", f"{s.f1:.3f}", str(s.support)) for s in ordered
        ]
        parts = [head, _table(("tool", "precision", "recall", "F1", "rows"), scores, left=1)]
        if self.confused:
            pairs = [(_shown(pair.gold), _shown(pair.predicted), str(pair.count)) for pair in self.confused]
            parts.append("most confused\n" + _table(("is", "taken for", "rows"), pairs, left=2))
        return "\n\n".join(parts) + "\n"


def tool_report(gold: Sequence[str | None], predicted: Sequence[str | None]) -> Report:
    """Compare labels with predictions, row by row, None standing for "none of these".

    Raises DataError when there are no rows or the two differ in length.
    """
    if len(gold) != len(predicted):
        raise DataError(
            f"{len(gold)} labels and {len(predicted)} predictions", hint="give one prediction for every row"
        )
    if not gold:
        raise DataError("there are no rows to report on", hint="evaluate on a file with at least one row")
    counts = Counter(zip(gold, predicted, strict=True))
    said, meant = Counter(predicted), Counter(gold)
    scores = tuple(
        _score(tool, counts[tool, tool], said[tool], meant[tool]) for tool in sorted({*said, *meant}, key=_last_none)
    )
    pairs = (Confusion(*pair, count) for pair, count in counts.items())
    return Report(
        rows=len(gold),
        accuracy=sum(counts[tool, tool] for tool in meant) / len(gold),
        macro_f1=sum(score.f1 for score in scores) / len(scores),
        tools=scores,
        pairs=tuple(sorted(pairs, key=lambda p: (-p.count, _last_none(p.gold), _last_none(p.predicted)))),
    )


def _score(tool: str | None, right: int, said: int, meant: int) -> ToolScore:
    """Return the score of a tool that was predicted `said` and labelled `meant` times."""
    precision, recall = right / said if said else 0.0, right / meant if meant else 0.0
    return ToolScore(tool, precision, recall, 2 * right / (said + meant), meant)


def _last_none(tool: str | None) -> tuple[bool, str]:
    """Order tools by name, None last."""
    return tool is None, tool or ""


def _shown(tool: str | None) -> str:
    """Return what a person reads for a tool."""
    return NO_TOOL if tool is None else tool


def _fields(each: ToolScore | Confusion) -> dict[str, Any]:
    """Return the fields of a small dataclass by name."""
    return {name: getattr(each, name) for name in each.__slots__}


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, left: int) -> str:
    """Return aligned columns, the first `left` of them text and the others numbers."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def save_confusion_picture(report: Report | Iterable[Confusion], path: str | Path) -> None:
    """Draw which tools are taken for which; the format follows the ending of `path`, such as .png or .svg.

    Of many tools the 30 most confused are drawn. Raises MissingExtra without matplotlib, and DataError
    when there is nothing to draw, the format is unknown or the file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as exc:
        raise MissingExtra("matplotlib is not installed", hint='pip install "edgefn[export,cpu]"') from exc
    pairs = tuple(report.pairs if isinstance(report, Report) else report)
    if not pairs:
        raise DataError("there is nothing to draw", hint="evaluate on a file with at least one row")
    figure = Figure(layout="constrained")
    canvas = FigureCanvasAgg(figure)
    kind = Path(path).suffix[1:].lower() or "png"
    if kind not in canvas.get_supported_filetypes():
        raise DataError(f"{path}: no picture format ends in .{kind}", hint="use .png, .svg or .pdf")
    _draw(figure, pairs)
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=150)
    write_file(path, content.getvalue())


def _draw(figure: Figure, pairs: Sequence[Confusion]) -> None:
    """Draw the matrix of the tools that matter most."""
    everyone = {tool for pair in pairs for tool in (pair.gold, pair.predicted)}
    shown = _most_confused(pairs)
    place = {tool: at for at, tool in enumerate(shown)}
    inside = [pair for pair in pairs if pair.gold in place and pair.predicted in place]
    side = max(4.0, 2.2 + 0.34 * len(shown))
    figure.set_size_inches(side + 0.6, side)
    axes = figure.subplots()
    _draw_cells(axes, inside, place, _rows_of(pairs))
    names = [_shown(tool) for tool in shown]
    axes.set_xticks(range(len(shown)), names, rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
    axes.set_yticks(range(len(shown)), names, fontsize=8)
    axes.set_xlabel("predicted tool")
    axes.set_ylabel("right tool")
    wrong, drawn = (sum(p.count for p in some if p.gold != p.predicted) for some in (pairs, inside))
    rows = sum(pair.count for pair in pairs)
    title = f"{wrong} of {rows} rows taken for another tool"
    if len(shown) < len(everyone):
        title += f"\nthe {len(shown)} most confused of {len(everyone)} tools, {drawn} of these rows"
    axes.set_title(title, fontsize=10)


def _rows_of(pairs: Iterable[Confusion]) -> Counter[str | None]:
    """Return the number of rows of every tool."""
    rows: Counter[str | None] = Counter()
    for pair in pairs:
        rows[pair.gold] += pair.count
    return rows


def _most_confused(pairs: Iterable[Confusion]) -> list[str | None]:
    """Return the tools of the most frequent wrong pairs, as many as fit, by name."""
    ordered = sorted(
        pairs, key=lambda p: (p.gold == p.predicted, -p.count, _last_none(p.gold), _last_none(p.predicted))
    )
    tools = dict.fromkeys(tool for pair in ordered for tool in (pair.gold, pair.predicted))
    return sorted(list(tools)[:_PICTURED], key=_last_none)


def _draw_cells(
    axes: Axes, pairs: Iterable[Confusion], place: dict[str | None, int], rows: Counter[str | None]
) -> None:
    """Draw a square for each pair, dark by its share of the row: right ones blue, wrong ones red."""
    import numpy as np
    from matplotlib import colormaps

    cells = np.ones((len(place), len(place), 4))
    for pair in pairs:
        right, share = pair.gold == pair.predicted, pair.count / rows[pair.gold]
        # The square root keeps a confusion of one row in a hundred visible.
        dark = 0.6 * share if right else 0.15 + 0.75 * share**0.5
        at = place[pair.gold], place[pair.predicted]
        cells[at] = colormaps["Blues" if right else "Reds"](dark)
        ink = "white" if dark > 0.6 else "black"
        axes.text(at[1], at[0], str(pair.count), ha="center", va="center", fontsize=7, color=ink)
    axes.imshow(cells)
    axes.set_xticks(np.arange(len(place) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(place) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="0.88", linewidth=0.6)
    axes.tick_params(which="both", length=0)
