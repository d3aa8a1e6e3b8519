"""Draw what a terminal showed: `make --silent demo | python docs/picture.py docs/demo.png`."""

from __future__ import annotations

import sys

from matplotlib.figure import Figure

_LINE = 0.25
"""Height of a line, inches."""


def draw(text: str, path: str) -> None:
    """Write `text` as light letters on a dark ground to the picture at `path`."""
    lines = text.rstrip().splitlines()
    width = max(map(len, lines)) * 0.1 + 0.6
    height = len(lines) * _LINE + 0.5
    figure = Figure(figsize=(width, height), facecolor="#15191f")
    for number, line in enumerate(lines):
        abstained = "(abstained" in line
        colour = "#e8e6df" if not line.startswith(" ") else "#d9a860" if abstained else "#7fc8a9"
        y = 1 - (0.25 + (number + 0.5) * _LINE) / height
        figure.text(0.3 / width, y, line, family="monospace", size=11.5, color=colour, va="center")
    figure.savefig(path, dpi=110, facecolor=figure.get_facecolor())


if __name__ == "__main__":
    draw(sys.stdin.read(), sys.argv[1])
