"""Many dispatches in one process: `python benchmarks/soak.py [BUNDLE] [--dispatches N] [--caches] [--json]`.

BUNDLE is a folder that `edgefn export` wrote; the default, .demo/kiosk.bundle, is made by `make demo`. Utterances of
the bundle's selftest, with words around them drawn anew each time, are dispatched one after the other, with policy,
trace, time limits and an audit log that rotates; one tool in four asks first and is answered. `--caches` keeps scores
and results as well. Every so many dispatches the memory of the process is read:

    after_mb    after the first 10,000 dispatches
    most_mb     the most at any later reading
    end_mb      at the end
    grown_mb    end less after: flat is what is claimed

Of what loading has freed, the allocator keeps some ten MB, and hands them out again little by little: that is most of
what grows. `--trim` has it give them back before each reading (glibc), which shows what is in use.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from latency import ROOT

import edgefn
from edgefn import NeedsArgument, NeedsConfirmation, Policy, Rule
from edgefn.audit.log import AuditLog
from edgefn.audit.recorder import Recorder
from edgefn.audit.verification import verify
from edgefn.bundle import read_bundle
from edgefn.errors import EdgefnError
from edgefn.machine import this_machine
from edgefn.outcome import kind_of
from edgefn.selftest import FILE as SELFTEST_FILE
from edgefn.selftest import rows_from
from edgefn.tool import Hints, Tool

FIRST = 10_000
"""After so many dispatches memory is flat."""
_AROUND = ("please", "now", "thanks", "hello", "excuse me", "today", "for us", "if you can", "quickly", "again")
_READINGS = 100
_LOG_BYTES = 5_000_000


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", nargs="?", type=Path, default=ROOT / ".demo" / "kiosk.bundle", metavar="BUNDLE")
    parser.add_argument("--dispatches", type=int, default=1_000_000, help="default 1,000,000")
    parser.add_argument("--caches", action="store_true", help="keep scores and results")
    parser.add_argument("--trim", action="store_true", help="have the allocator give back what is free (glibc)")
    parser.add_argument("--threads", type=int, default=1, help="threads inside one operator (default 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    try:
        found = soak(arguments.bundle, arguments.dispatches, arguments.caches, arguments.threads, arguments.trim)
    except EdgefnError as exc:
        print(f"error: {exc}\nhint:  {exc.hint}", file=sys.stderr)
        return exc.exit_code
    print(json.dumps(found, indent=2) if arguments.json else "\n".join(f"{key:16} {found[key]}" for key in found))
    return 0


def soak(path: Path, dispatches: int, caches: bool, threads: int, trim: bool = False) -> dict[str, Any]:
    """Return what memory did."""
    bundle, draw = read_bundle(path), random.Random(0)
    texts = [row.text for row in rows_from(bundle.read(SELFTEST_FILE))]
    kinds: Counter[str] = Counter()
    readings: list[tuple[int, float]] = []
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "audit.jsonl"
        recorder = Recorder(AuditLog(log, fsync="never", max_bytes=_LOG_BYTES, keep=2))
        policy = Policy(
            hints={"destructive": Rule(isolated=False)}, default=Rule(cache=60 if caches else 0, concurrency=4)
        )
        cache = 256 if caches else 0
        tools = _tools(path)
        with edgefn.load(
            path, tools, threads=threads, policy=policy, audit=recorder, selection_cache=cache
        ) as dispatcher:
            pending = None
            for index in range(1, dispatches + 1):
                text = "yes" if isinstance(pending, NeedsConfirmation) else _said(draw, texts)
                outcome = dispatcher(text, None if pending is None else pending.pending)
                kinds[kind_of(outcome)] += 1
                pending = outcome if isinstance(outcome, NeedsArgument | NeedsConfirmation) else None
                if index == FIRST or index % max(1, dispatches // _READINGS) == 0:
                    readings.append((index, _resident_mb(trim)))
        report = verify(log)
    later = [(index, mb) for index, mb in readings if index >= FIRST] or readings[-1:]
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": this_machine().to_json(),
        "bundle": bundle.manifest.id,
        "dispatches": dispatches,
        "caches": caches,
        "trim": trim,
        "minutes": round((time.monotonic() - start) / 60, 1),
        "outcomes": dict(kinds),
        "log_lines": report.head.number,
        "after_mb": later[0][1],
        "most_mb": max(mb for _, mb in later),
        "end_mb": later[-1][1],
        "grown_mb": round(later[-1][1] - later[0][1], 2),
        "readings": readings,
    }


def _tools(path: Path) -> list[Tool]:
    """Return tools that do nothing: in turn destructive, read-only, idempotent and plain."""
    hints = (Hints(destructive=True), Hints(read_only=True), Hints(idempotent=True), Hints())
    trained = read_bundle(path).manifest.tools
    known = (Tool.select_only(each.name, each.description, each.parameters) for each in trained)
    return [replace(tool, function=_nothing, hints=hints[at % len(hints)]) for at, tool in enumerate(known)]


def _nothing(**arguments: object) -> dict[str, object]:
    """Stand for a tool."""
    return dict(arguments)


def _said(draw: random.Random, texts: list[str]) -> str:
    """Return an utterance: half of them as they are, half with words around them."""
    text = draw.choice(texts)
    return text if draw.random() < 0.5 else f"{text} {' '.join(draw.sample(_AROUND, 2))} {draw.randint(0, 99999)}"


def _resident_mb(trim: bool) -> float:
    """Return the memory of this process that is in RAM, in MB."""
    if trim:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    with open("/proc/self/statm", encoding="ascii") as file:
        return round(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, 2)


if __name__ == "__main__":
    sys.exit(main())
