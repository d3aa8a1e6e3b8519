"""Draw what a terminal showed: `make --silent demo | python docs/picture.py docs/demo.png`.

The English half is drawn: a font with Chinese characters is not on every machine.
"""

from __future__ import annotations

import sys
from itertools import takewhile

from matplotlib.figure import Figure

_LINE = 0.25
"""Height of a line, inches."""
_SAID, _CALL, _ASKED = "#e8e6df", "#7fc8a9", "#d9a860"


def draw(text: str, path: str) -> None:
    """Write `text` as light letters on a dark ground to the picture at `path`."""
    lines = list(takewhile(lambda line: max(line, default=" ") < "\u4e00", text.rstrip().splitlines()))
    width = max(map(len, lines)) * 0.1 + 0.6
    height = len(lines) * _LINE + 0.5
    figure = Figure(figsize=(width, height), facecolor="#15191f")
    for number, line in enumerate(lines):
        y = 1 - (0.25 + (number + 0.5) * _LINE) / height
        figure.text(0.3 / width, y, line, family="monospace", size=11.5, color=_colour(line), va="center")
    figure.savefig(path, dpi=110, facecolor=figure.get_facecolor())


def _colour(line: str) -> str:
    if not line.startswith(" "):
        return _SAID
    return _ASKED if line.startswith(("  ?", "  (abstained")) else _CALL


if __name__ == "__main__":
    draw(sys.stdin.read(), sys.argv[1])
