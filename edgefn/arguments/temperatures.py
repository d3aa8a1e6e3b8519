"""Temperatures: the scale or the side of zero said before or after the number."""

from __future__ import annotations

import re
from decimal import Decimal

_BEFORE = re.compile(r"(?P<scale>摄氏|华氏)?(?P<below>零下|零上)?(?P<late_scale>摄氏|华氏)?")
_SCALES = {"摄氏": "celsius", "华氏": "fahrenheit", None: "degree"}
_AFTER = {"below zero": -1, "below": -1, "above zero": 1}
_DEGREES = ("degree", "celsius", "fahrenheit")


def scale_before(spoken: str) -> tuple[str, int, str] | None:
    """Return the scale, the sign and the rest of 摄氏二十度, 零下五度; None if neither is said."""
    match = _BEFORE.match(spoken)
    if match is None or not match[0]:
        return None
    scale = _SCALES[match["scale"] or match["late_scale"]]
    return scale, -1 if match["below"] == "零下" else 1, spoken[match.end() :]


def with_side(value: int | Decimal, unit: str, after: str) -> tuple[int | Decimal, str] | None:
    """Read "below zero" after "five" or "five degrees"."""
    if after not in _AFTER or value < 0 or unit not in (*_DEGREES, ""):
        return None
    return value * _AFTER[after], unit or "degree"


def on_scale(unit: str, scale: str) -> str | None:
    """Return the unit that a scale said before the number leaves for a unit said after it; None if they clash."""
    if unit in ("", "degree", scale):
        return scale
    return unit if scale == "degree" and unit in _DEGREES else None
