"""Does this device decide as the machine that exported the bundle did?

int8 arithmetic can saturate on processors without VNNI, so the same graph may decide differently. Every bundle
carries utterances whose decision was clear-cut at export; on a device where one of them flips, int8 is broken.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from edgefn.encoder import Encoder
from edgefn.errors import BundleCorrupt, EngineError
from edgefn.interpreter import Interpretation, Interpreter
from edgefn.machine import this_machine
from edgefn.manifest import Manifest
from edgefn.outcome import call_text
from edgefn.selection import Selector, log_odds

if TYPE_CHECKING:
    from edgefn.bundle import Bundle

FILE = "selftest.jsonl"
LEAST_MARGIN = 0.1
"""Rows nearer than this to flipping, in log-odds, are not run: they may flip with no harm done."""
_NOW = datetime(2026, 1, 1, 12)
"""What "tomorrow" is relative to, on every device."""


@dataclass(frozen=True, slots=True)
class SelftestRow:
    """One utterance and its decision at export."""

    text: str
    """The utterance."""
    tool: str | None
    """Tool that was accepted; None when the bundle abstained."""
    arguments: dict[str, Any]
    """JSON value of every argument, relative to a fixed moment."""
    margin: float
    """Distance of the decision from flipping, in log-odds."""

    @property
    def decision(self) -> str:
        """The call, or that there is none."""
        return "none" if self.tool is None else call_text(self.tool, self.arguments)


@dataclass(frozen=True, slots=True)
class Flip:
    """A row that is decided differently here."""

    row: SelftestRow
    """The row."""
    here: SelftestRow
    """What this device decided."""

    def __str__(self) -> str:
        """Return the two decisions in a line."""
        return f"{self.row.text!r}: {self.row.decision} became {self.here.decision}"


def decide(interpreter: Interpreter, text: str) -> SelftestRow:
    """Return the decision for one utterance and how far it is from flipping."""
    found = interpreter.interpret(text, _NOW)
    if isinstance(found, str):
        return SelftestRow(text, None, {}, 0.0)
    accepted = found.accepted
    margin = _margin(found, interpreter.selector, accepted)
    return (
        SelftestRow(text, found.tool.name, dict(found.filled.arguments), margin)
        if accepted
        else SelftestRow(text, None, {}, margin)
    )


def flips(interpreter: Interpreter, rows: Iterable[SelftestRow]) -> list[Flip]:
    """Return the clear-cut rows whose call is another one here."""
    run = (row for row in rows if row.margin >= LEAST_MARGIN)
    decided = ((row, decide(interpreter, row.text)) for row in run)
    return [Flip(row, here) for row, here in decided if (here.tool, here.arguments) != (row.tool, row.arguments)]


def check(manifest: Manifest, encoder: Encoder, bundle: Bundle) -> None:
    """Run the bundle's selftest; raises EngineError when a decision flips."""
    # By the schemas that it was trained with: the lists of this device are not those of the export.
    flipped = flips(Interpreter.of(manifest, encoder), rows_from(bundle.read(FILE)))
    if flipped:
        features = ", ".join(this_machine().features) or "unknown"
        raise EngineError(
            f"{len(flipped)} selftest decisions flip on this device, the first {flipped[0]}",
            hint=f"this processor has {features}; export with --quantize none or fp16 for it",
        )


def rows_from(content: bytes) -> list[SelftestRow]:
    """Read selftest.jsonl; raises BundleCorrupt."""
    # Not splitlines(): JSON strings may hold line separators such as U+2028 as they are.
    try:
        return [SelftestRow(**json.loads(line)) for line in content.decode().split("\n") if line]
    except (ValueError, TypeError) as exc:
        raise BundleCorrupt(f"{FILE} cannot be read: {exc}", hint="export the bundle again") from exc


def rows_to(rows: Iterable[SelftestRow]) -> bytes:
    """Write what `rows_from` reads."""
    return "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows).encode()


def _margin(found: Interpretation, selector: Selector, accepted: bool) -> float:
    """Return how far a decision is from flipping: to the threshold, to the next tool, to another argument.

    In log-odds of P(call) before Platt's map, which flattens the top.
    """
    best, *others = (selector.log_odds(each.probability) for each in found.selection.ranking)
    margin = abs(log_odds(found.log_p) - selector.log_odds(selector.threshold))
    if not accepted:
        return margin
    rivals = [best - others[0]] if others else []
    if found.filled.slots is not None:
        two_best = np.sort(found.filled.slots.logits, axis=1)[:, -2:]
        rivals.append(float((two_best[:, 1] - two_best[:, 0]).min()))
    rivals += [float(np.diff(np.sort(each.logits)[-2:]).sum()) for each in found.filled.choices]
    return min(margin, *rivals)
