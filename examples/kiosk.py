"""Ask a kiosk bundle a dozen things, and run the tools it picks: `python examples/kiosk.py BUNDLE TOOLS ROWS`."""

from __future__ import annotations

import sys
import textwrap

import edgefn
from edgefn.rows import read_rows


def main(bundle: str, tools: str, rows: str) -> None:
    """Dispatch every utterance of a JSONL file and show what came of it."""
    dispatcher = edgefn.load(bundle, tools)
    for row in read_rows(rows):
        match dispatcher(row.text):
            case edgefn.Done(call=call, value=value):
                tool, probability, said = call.tool, call.probability, str(value)
            case edgefn.Abstained(reason=reason, probability=probability):
                tool, said = "-", f"(abstained: {reason})"
            case outcome:
                tool, probability, said = "?", 0.0, str(outcome)
        print(f"{row.text}\n  {tool:16} {probability:.3f}  {textwrap.shorten(said, 90)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
