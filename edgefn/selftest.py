"""Does this device decide as the machine that exported the bundle did?

int8 arithmetic can saturate on processors without VNNI, so the same graph may decide differently. Every bundle
carries utterances whose decision was clear-cut at export; on a device where one of them flips, int8 is broken.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from edgefn.encoder import Encoder
from edgefn.errors import BundleCorrupt, EngineError
from edgefn.machine import this_machine
from edgefn.selection import Selection, Selector

if TYPE_CHECKING:
    from edgefn.bundle import Bundle
    from edgefn.dispatcher import Dispatcher

FILE = "selftest.jsonl"
LEAST_MARGIN = 0.1
"""Rows nearer than this to flipping, in log-odds, are not run: they may flip with no harm done."""


@dataclass(frozen=True, slots=True)
class SelftestRow:
    """One utterance and its decision at export."""

    text: str
    """The utterance."""
    tool: str | None
    """Tool that was accepted; None when the bundle abstained."""
    margin: float
    """Distance of the decision from flipping, in log-odds."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A row that is decided differently here."""

    row: SelftestRow
    """The row."""
    here: str | None
    """What this device decided."""


def decide(encoder: Encoder, selector: Selector, text: str) -> SelftestRow:
    """Return the decision for one utterance and how far it is from flipping."""
    ids = encoder.encode(text)
    if isinstance(ids, str):
        return SelftestRow(text, None, 0.0)
    selection = selector.select(encoder.run(ids).tool_logits)
    accepted = selection.probability >= selector.threshold
    margin = _margin(selection, selector, accepted)
    return SelftestRow(text, selection.tool if accepted else None, margin)


def flips(encoder: Encoder, selector: Selector, rows: Iterable[SelftestRow]) -> list[Flip]:
    """Return the clear-cut rows that are decided differently here."""
    run = (row for row in rows if row.margin >= LEAST_MARGIN)
    return [Flip(row, here) for row in run if (here := decide(encoder, selector, row.text).tool) != row.tool]


def check(dispatcher: Dispatcher, bundle: Bundle) -> None:
    """Run the bundle's selftest; raises EngineError when a decision flips."""
    flipped = flips(dispatcher.encoder, dispatcher.selector, rows_from(bundle.read(FILE)))
    if flipped:
        features = ", ".join(this_machine().features) or "unknown"
        raise EngineError(
            f"{len(flipped)} selftest decisions flip on this device, the first on {flipped[0].row.text!r}",
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


def _margin(selection: Selection, selector: Selector, accepted: bool) -> float:
    """Return how far a decision is from flipping, in log-odds of P(call) before Platt's map, which flattens the top."""
    best, *others = (selector.log_odds(each.probability) for each in selection.ranking)
    margin = abs(best - selector.log_odds(selector.threshold))
    return min(margin, best - others[0]) if accepted and others else margin
