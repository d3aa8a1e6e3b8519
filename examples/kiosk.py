"""Talk to a kiosk bundle and run the tools it picks: `python examples/kiosk.py BUNDLE TOOLS ROWS`."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import edgefn
from edgefn.rows import read_rows

WIDTH = 96


def main(bundle: str, tools: str, rows: str) -> None:
    """Dispatch every utterance of a JSONL file, one conversation, and show what came of each."""
    with edgefn.load(bundle, tools, policy=Path(tools) / "policy.json") as dispatcher:
        pending = None
        for row in read_rows(rows):
            outcome = dispatcher(row.text, pending)
            pending = outcome.pending if isinstance(outcome, edgefn.NeedsArgument | edgefn.NeedsConfirmation) else None
            print(row.text)
            print(textwrap.indent(told(outcome), "  "))


def told(outcome: edgefn.Outcome) -> str:
    """Return an outcome in two lines: the call, and what the kiosk says."""
    match outcome:
        case edgefn.Done(call=call, value=value):
            return f"{shown(call)}\n{textwrap.shorten(str(value), WIDTH)}"
        case edgefn.NeedsArgument(call=call, question=question, problem=problem):
            return f"{shown(call)}\n? {problem + '. ' if problem else ''}{question}"
        case edgefn.NeedsConfirmation(call=call, question=question):
            return f"{shown(call)}\n? {question}"
        case edgefn.Failed(call=call, error=error):
            return f"{shown(call)}\nfailed: {error.message}"
        case edgefn.Abstained(reason=reason, probability=probability):
            return f"(abstained: {reason})  {probability:.3f}"
        case _:
            return str(outcome)


def shown(call: edgefn.ToolCall) -> str:
    """Return a call with its arguments, and what was heard where that is not the value."""
    heard = {each.parameter: each.text for each in call.evidence if each.text and not each.problem}
    said = (
        f"{name}={value}" + (f" ← {heard[name]!r}" if name in heard and heard[name] != str(value) else "")
        for name, value in call.arguments.items()
    )
    return f"{call.tool}({', '.join(said)})  {call.probability:.3f}"


if __name__ == "__main__":
    main(*sys.argv[1:])
