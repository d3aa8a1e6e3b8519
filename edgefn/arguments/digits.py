"""Numbers written in digits, as English and Chinese phrases both hold them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

_LITERAL = re.compile(
    r"(?P<top>\d+) ?/ ?(?P<bottom>0*[1-9]\d*)(?![\d/]|[.,]\d)"
    r"|(?P<whole>\d{1,3}(?:,\d{3})+(?!,?\d)|\d{1,3}(?: \d{3})+(?! ?\d)|\d+)(?P<places>\.\d+)?"
    r"|(?P<bare>\.\d+)",
    re.ASCII,
)


class Literal(NamedTuple):
    """A number written in digits: "1,000", "1.5", ".5", "1/2"."""

    value: int | Decimal
    """What it is worth."""
    kind: str
    """"integer", "decimal" or "fraction"."""
    text: str
    """Its digits as written, without separators: leading zeros count after a decimal point."""
    end: int
    """Where it ends in the text."""


def read_literal(text: str, start: int) -> Literal | None:
    """Read the number in digits that stands at `start`: grouped by commas or spaces, decimal, or a fraction."""
    match = _LITERAL.match(text, start)
    if match is None:
        return None
    if match["bottom"]:
        return Literal(Decimal(match["top"]) / Decimal(match["bottom"]), "fraction", match[0], match.end())
    if match["bare"]:
        return Literal(Decimal("0" + match["bare"]), "decimal", match[0], match.end())
    whole = match["whole"].replace(",", "").replace(" ", "")
    if match["places"]:
        return Literal(Decimal(whole + match["places"]), "decimal", whole + match["places"], match.end())
    return Literal(int(whole), "integer", whole, match.end())


def plain(value: int | Decimal) -> int | float:
    """Return `value` as an int where it is a whole number, else as a float."""
    if isinstance(value, int):
        return value
    return int(value) if value == value.to_integral_value() else float(value)
